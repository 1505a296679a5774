//! What servers send, and what is made of it; as tables.

use super::*;
use crate::outside::llm::{
    Chunk, Said as Message,
    answer::{self, Form, testing},
    sse::MAX_EVENT,
};

type Reader = answer::Reader<Events>;

fn read(form: Form, bytes: &str) -> (Vec<Chunk>, Option<Fault>) {
    testing::read::<Events>(form, bytes)
}

fn events(events: &[&str]) -> (Vec<Chunk>, Option<Fault>) {
    let lines: Vec<_> = events.iter().map(|e| format!("data: {e}\n\n")).collect();
    read(Form::Events, &lines.concat())
}

/// One event, and what is made of it before the stream's end.
fn check(event: &str, expected: &[Chunk]) {
    let (chunks, fault) = events(&[event]);
    assert_eq!(chunks, expected, "{event}");
    let finished = chunks.iter().any(|c| matches!(c, Chunk::Finished(_)));
    assert_eq!(fault.map(|f| f.kind), (!finished).then_some(FaultKind::Cut), "{event}");
}

fn text(text: &str) -> Chunk {
    Chunk::Text(text.to_owned())
}

const HEL: &str = r#"{"choices":[{"delta":{"content":"Hel"}}]}"#;
const LO: &str = r#"{"choices":[{"delta":{"content":"lo"}}]}"#;
const STOP: &str = r#"{"choices":[{"delta":{},"finish_reason":"stop"}]}"#;

#[test]
fn events_of_many_servers() {
    check(HEL, &[text("Hel")]);
    check(
        r#"{"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":null,"logprobs":null}],"error":null,"usage":null}"#,
        &[text("a")],
    );
    check(r#"{"choices":[{"delta":{"role":"assistant","content":""}}]}"#, &[]);
    check(r#"{"choices":[{"delta":{"content":null},"finish_reason":""}]}"#, &[]);
    check(r#"{"choices":[{"delta":null}]}"#, &[]);
    check(r#"{"choices":[{}]}"#, &[]);
    check(r#"{"choices":null}"#, &[]);
    check(r#"{}"#, &[]);
    check(r#"{"type":"ping"}"#, &[]);
    check(r#"{"choices":[{"delta":{"reasoning_content":"hm"}}]}"#, &[Chunk::Reasoning("hm".into())]);
    check(
        r#"{"choices":[{"delta":{"reasoning":"hm","content":"a\u0000b"}}]}"#,
        &[Chunk::Reasoning("hm".into()), text("a\u{fffd}b")],
    );
    check(r#"{"choices":[{"delta":{"content":"a"}},{"delta":{"content":"another one"}}]}"#, &[text("a")]);
    check(STOP, &[Chunk::Finished(Finish::Complete)]);
    check(r#"{"choices":[{"delta":{},"finish_reason":"brand_new_reason"}]}"#, &[Chunk::Finished(Finish::Complete)]);
    check(r#"{"choices":[{"delta":{},"finish_reason":"length"}]}"#, &[Chunk::Finished(Finish::Length)]);
    check(r#"{"choices":[{"delta":{},"finish_reason":"content_filter"}]}"#, &[Chunk::Finished(Finish::Filtered)]);
    check(
        r#"{"choices":[{"delta":{"content":"end"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1}}"#,
        &[text("end"), Chunk::Finished(Finish::Complete), Chunk::Usage(Usage { prompt: 1, ..Usage::default() })],
    );
    check(
        r#"{"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":5,"total_tokens":12,"prompt_tokens_details":{"cached_tokens":3},"completion_tokens_details":{"reasoning_tokens":2}}}"#,
        &[Chunk::Usage(Usage { prompt: 7, cached: 3, completion: 5, reasoning: 2 })],
    );
}

#[test]
fn an_answer_is_complete_by_its_finish_reason_alone() {
    let done = [text("Hel"), text("lo"), Chunk::Finished(Finish::Complete)];
    let followed_by: [&[&str]; 8] = [
        &[],
        &[HEL],
        &["[DONE]"],
        &["[DONE]", "[DONE]"],
        &[r#"{"error":{"message":"too late"}}"#],
        &["junk"],
        &[r#"{"choices":[{"delta":{},"finish_reason":"length"}]}"#],
        &["[DONE]", HEL, STOP],
    ];
    for after in followed_by {
        let (chunks, fault) = events(&[&[HEL, LO, STOP], after].concat());
        assert_eq!(chunks, done, "{after:?}");
        assert!(fault.is_none(), "{after:?}");
    }
    let usage = r#"{"choices":[],"usage":{"completion_tokens":5}}"#;
    let (chunks, fault) = events(&[HEL, STOP, usage, "[DONE]"]);
    assert_eq!(chunks[2], Chunk::Usage(Usage { completion: 5, ..Usage::default() }));
    assert!(fault.is_none());
}

#[test]
fn a_break_after_the_finish_is_no_fault() {
    for (before, faults) in [(HEL, 1), (STOP, 0)] {
        let mut reader = Reader::new(Form::Events);
        reader.push(format!("data: {before}\n\n").as_bytes());
        assert!(!reader.is_over(), "usage may follow");
        reader.fail(Fault::new(FaultKind::Cut, "reset"));
        reader.fail(Fault::new(FaultKind::Cut, "again"));
        assert!(reader.is_over());
        assert_eq!(std::iter::from_fn(|| reader.next()).filter(Result::is_err).count(), faults);
    }
}

#[test]
fn without_a_finish_reason_it_is_cut() {
    for (end, detail) in [
        (&[][..], "ended without a finish_reason"),
        (&["[DONE]"], "[DONE] without a finish_reason"),
        (&[" [DONE] "], "[DONE] without a finish_reason"),
        (&["[DONE]", STOP], "[DONE] without a finish_reason"),
    ] {
        let (chunks, fault) = events(&[&[HEL], end].concat());
        assert_eq!(chunks, [text("Hel")]);
        let fault = fault.unwrap();
        assert_eq!(fault.kind, FaultKind::Cut);
        assert!(fault.detail.contains(detail), "{}", fault.detail);
    }
    let (chunks, fault) = read(Form::Events, &format!("data: {HEL}\n\ndata: {STOP}"));
    assert_eq!(chunks, [text("Hel")]);
    assert!(fault.unwrap().detail.contains("within an event"));
    assert_eq!(read(Form::Events, "").1.unwrap().kind, FaultKind::Cut);
}

#[test]
fn an_error_inside_the_stream_is_a_fault() {
    for (error, kind, detail) in [
        (r#"{"message":"overloaded"}"#, FaultKind::Broken, "overloaded"),
        (r#"{"message":"slow down","code":429}"#, FaultKind::Busy, "slow down"),
        (r#"{"message":"no","code":"401"}"#, FaultKind::Key, "no"),
        (r#"{"message":"too long","code":400}"#, FaultKind::Refused, "too long"),
        (r#"{"message":"down","code":502}"#, FaultKind::Broken, "down"),
        (r#"{"message":"odd","code":200}"#, FaultKind::Broken, "odd"),
        (r#"{"message":"odd","code":600}"#, FaultKind::Broken, "odd"),
        (r#"{"message":"odd","code":"rate_limit_exceeded"}"#, FaultKind::Broken, "odd"),
        (r#""only words""#, FaultKind::Broken, "only words"),
    ] {
        let (chunks, fault) = events(&[HEL, &format!(r#"{{"error":{error}}}"#), LO]);
        assert_eq!(chunks, [text("Hel")], "{error}");
        let fault = fault.unwrap();
        assert_eq!((fault.kind, fault.retry_after), (kind, None), "{error}");
        assert!(fault.detail.contains(detail), "{error}: {}", fault.detail);
        for data in [error.to_owned(), format!(r#"{{"error":{error}}}"#)] {
            let (_, fault) = read(Form::Events, &format!("event: error\ndata: {data}\n\n"));
            assert_eq!(fault.unwrap().kind, kind, "{data}");
        }
    }
    let (_, fault) = read(Form::Events, "event: error\ndata: not even JSON\n\n");
    assert_eq!(fault.unwrap().kind, FaultKind::Broken);
    let (_, fault) = events(&[HEL, r#"{"choices":[{"delta":{},"finish_reason":"error"}]}"#]);
    assert_eq!(fault.unwrap().kind, FaultKind::Broken);
    let long = format!(r#"{{"error":{{"message":"{}"}}}}"#, "x".repeat(5000));
    assert_eq!(events(&[&long]).1.unwrap().detail.len(), 300);
}

#[test]
fn events_that_are_no_part_of_the_answer_are_passed_over() {
    let stream = format!(
        ": comment\n\nevent: ping\ndata: now\n\nevent: keepalive\ndata: \n\ndata\n\nid: 1\nevent: chunk\ndata: {HEL}\n\n"
    );
    assert_eq!(read(Form::Events, &stream).0, [text("Hel")]);
}

#[test]
fn what_is_no_answer_is_garbled_and_not_quoted() {
    for wrong in [
        "hello",
        "<html>",
        r#"{"choices":[{"delta":{"content":"secret wor"#,
        r#"{"choices":"secret words"}"#,
        r#"{"choices":[{"delta":{"content":["secret words"]}}]}"#,
        "7",
    ] {
        let (chunks, fault) = events(&[HEL, wrong, LO]);
        assert_eq!(chunks, [text("Hel")], "{wrong}");
        let fault = fault.unwrap();
        assert_eq!(fault.kind, FaultKind::Garbled, "{wrong}");
        assert!(!fault.detail.contains("secret"), "{}", fault.detail);
    }
    let (chunks, fault) = read(Form::Events, &format!("data: {HEL}\n\n:{}", "x".repeat(MAX_EVENT)));
    assert_eq!(chunks, [text("Hel")]);
    assert_eq!(fault.unwrap().kind, FaultKind::Garbled);
}

#[test]
fn a_document_instead_of_a_stream() {
    let (chunks, fault) = read(
        Form::Whole,
        r#"{"object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"Hello","reasoning_content":"hm"},"finish_reason":"stop"}],"usage":{"prompt_tokens":2,"completion_tokens":1}}"#,
    );
    let usage = Usage { prompt: 2, completion: 1, ..Usage::default() };
    assert_eq!(
        chunks,
        [Chunk::Reasoning("hm".into()), text("Hello"), Chunk::Finished(Finish::Complete), Chunk::Usage(usage)]
    );
    assert!(fault.is_none());
    for (document, kind) in [
        (r#"{"error":{"message":"no credit","code":429}}"#, FaultKind::Busy),
        (r#"{"error":"model not found"}"#, FaultKind::Broken),
        (r#"{"choices":[{"message":{"content":"Hello"}}]}"#, FaultKind::Cut),
        (r#"{"detail":"Not Found"}"#, FaultKind::Cut),
        (r#"{"choices":[{"mess"#, FaultKind::Garbled),
        ("", FaultKind::Garbled),
    ] {
        assert_eq!(read(Form::Whole, document).1.unwrap().kind, kind, "{document}");
    }
    let mut document = format!(r#"{{"error":{{"code":429}},"x":"{}"#, "x".repeat(MAX_EVENT));
    document.truncate(MAX_EVENT - 2);
    document.push_str("\"}");
    assert_eq!(document.len(), MAX_EVENT);
    assert_eq!(read(Form::Whole, &document).1.unwrap().kind, FaultKind::Busy);
    document.push(' ');
    assert_eq!(read(Form::Whole, &document).1.unwrap().kind, FaultKind::Garbled);
}

#[test]
fn forms_by_content_type() {
    for (content_type, form) in [
        ("text/event-stream", Form::Events),
        ("text/event-stream; charset=utf-8", Form::Events),
        ("", Form::Events),
        ("text/plain", Form::Events),
        ("application/json", Form::Whole),
        ("Application/JSON ; charset=utf-8", Form::Whole),
    ] {
        assert_eq!(Form::of(content_type).unwrap(), form, "{content_type}");
    }
    for content_type in ["text/html", "TEXT/HTML; charset=utf-8", "application/xhtml+xml"] {
        assert_eq!(Form::of(content_type).unwrap_err().kind, FaultKind::Garbled, "{content_type}");
    }
}

#[test]
fn what_is_asked() {
    let said = |by_model, text: &str| Message::words(by_model, text);
    let messages = vec![said(false, "hi"), said(true, "Hello")];
    let mut ask = Ask { model: "m".into(), system: String::new(), messages, max_tokens: 9, temperature: None };
    let mut expected = json!({
        "model": "m", "max_tokens": 9, "stream": true, "stream_options": { "include_usage": true },
        "messages": [{ "role": "user", "content": "hi" }, { "role": "assistant", "content": "Hello" }],
    });
    assert_eq!(body(&ask, false), expected);
    ask.system = "Be brief.".into();
    ask.temperature = Some(0.7);
    let first = json!({ "role": "system", "content": "Be brief." });
    expected["messages"].as_array_mut().unwrap().insert(0, first);
    expected["temperature"] = json!(0.7);
    assert_eq!(body(&ask, false), expected);
    expected["max_completion_tokens"] = expected.as_object_mut().unwrap().remove("max_tokens").unwrap();
    assert_eq!(body(&ask, true), expected);
}

#[test]
fn images_come_after_the_words() {
    let image = Image { media_type: "image/png".into(), data: "QUJD".into(), tokens: 1 };
    let url = json!({ "type": "image_url", "image_url": { "url": "data:image/png;base64,QUJD" } });
    let said = |text: &str| Message { images: vec![image.clone()], ..Message::words(false, text) };
    assert_eq!(content(&said("What is it?")), json!([{ "type": "text", "text": "What is it?" }, url]));
    assert_eq!(content(&said("")), json!([url]));
}

#[test]
fn what_lists_say() {
    let listed = |entry: &str| listed(&serde_json::from_str(entry).unwrap());
    let facts = |entry: &str| listed(entry).unwrap().facts;
    assert_eq!(listed(r#"{"object":"model"}"#), None);
    assert_eq!(listed(r#"{"id":"gpt-5-mini","object":"model"}"#), Some(Listed::from("gpt-5-mini".to_owned())));
    let router = facts(
        r#"{"id":"a/b","name":"A: B","context_length":200000,"architecture":{"input_modalities":["text","image"]},
            "supported_parameters":["tools","temperature"],"top_provider":{"max_completion_tokens":null},
            "pricing":{"prompt":"0.000003","completion":"0.000015","input_cache_read":"0.0000003"}}"#,
    );
    let price = Price { input: 3., cached: Some(0.3), output: 15. };
    let expected = Facts {
        label: Some("A: B".into()),
        context: Some(200_000),
        max_output: None,
        images: Some(true),
        tools: Some(true),
        reasoning: Some(false),
        price: Some(price),
    };
    assert_eq!(router, expected);
    assert_eq!(facts(r#"{"id":"x","architecture":{"input_modalities":["text"]}}"#).images, Some(false));
    let groq = facts(r#"{"id":"x","context_window":131072,"max_completion_tokens":32768}"#);
    assert_eq!((groq.context, groq.max_output), (Some(131_072), Some(32_768)));
    assert_eq!(facts(r#"{"id":"x","max_model_len":4096}"#).context, Some(4096));
    let mistral = facts(r#"{"id":"x","capabilities":{"vision":false,"function_calling":true},"name":"Ministral"}"#);
    assert_eq!((mistral.images, mistral.tools, mistral.label.as_deref()), (Some(false), Some(true), Some("Ministral")));
    // nonsense spoils neither the list nor the entry; a price below nothing (a router's) is none
    let odd = r#"{"id":"x","name":7,"context_length":"many","max_completion_tokens":0,"pricing":{"prompt":"-1","completion":"-1"}}"#;
    assert_eq!(facts(odd), Facts::default());
}
