//! What Anthropic's API sends, and what is made of it; as tables. The streams are written by hand after its reference.

use super::*;
use crate::outside::llm::{
    Chunk, Said as Message,
    answer::{Form, testing},
};

fn read(form: Form, bytes: &str) -> (Vec<Chunk>, Option<Fault>) {
    testing::read::<Events>(form, bytes)
}

/// Named as the API names them: each event's name is its type.
fn events(events: &[&str]) -> (Vec<Chunk>, Option<Fault>) {
    let lines = events.iter().map(|data| {
        let name = serde_json::from_str::<Value>(data).ok().and_then(|v| v["type"].as_str().map(str::to_owned));
        format!("event: {}\ndata: {data}\n\n", name.unwrap_or_default())
    });
    read(Form::Events, &lines.collect::<String>())
}

fn text(text: &str) -> Chunk {
    Chunk::Text(text.to_owned())
}

const START: &str = r#"{"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"claude","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":7,"cache_creation_input_tokens":2,"cache_read_input_tokens":30,"output_tokens":1}}}"#;
const TEXT: &str = r#"{"type":"content_block_start","index":1,"content_block":{"type":"text","text":""}}"#;
const HEL: &str = r#"{"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"Hel"}}"#;
const LO: &str = r#"{"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"lo"}}"#;
const STOP: &str = r#"{"type":"content_block_stop","index":1}"#;
const END: &str = r#"{"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":15,"output_tokens_details":{"thinking_tokens":4}}}"#;
const OVER: &str = r#"{"type":"message_stop"}"#;

const BEGUN: Chunk = Chunk::Usage(Usage { prompt: 39, cached: 30, completion: 1, reasoning: 0 });
const COUNTED: Chunk = Chunk::Usage(Usage { prompt: 39, cached: 30, completion: 15, reasoning: 4 });

#[test]
fn an_answer() {
    let (chunks, fault) = events(&[START, TEXT, r#"{"type":"ping"}"#, HEL, LO, STOP, END, OVER]);
    assert_eq!(chunks, [BEGUN, text("Hel"), text("lo"), Chunk::Finished(Finish::Complete), COUNTED]);
    assert!(fault.is_none());
}

#[test]
fn thoughts_come_before_it() {
    let (chunks, _) = events(&[
        START,
        r#"{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}"#,
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"hm"}}"#,
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"EqQB"}}"#,
        r#"{"type":"content_block_stop","index":0}"#,
        r#"{"type":"content_block_start","index":0,"content_block":{"type":"redacted_thinking","data":"EmwK"}}"#,
        TEXT,
        HEL,
        END,
    ]);
    assert_eq!(chunks[1..3], [Chunk::Reasoning("hm".into()), text("Hel")]);
}

#[test]
fn what_is_not_known_is_passed_over() {
    let (chunks, fault) = events(&[
        START,
        r#"{"type":"brand_new_event","x":1}"#,
        r#"{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"t","name":"n","input":{}}}"#,
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"{\"a"}}"#,
        r#"{"type":"content_block_delta","index":1,"delta":{"type":"citations_delta","citation":{"text":"no"}}}"#,
        HEL,
        END,
    ]);
    assert_eq!(chunks, [BEGUN, text("Hel"), Chunk::Finished(Finish::Complete), COUNTED]);
    assert!(fault.is_none());
}

#[test]
fn why_it_stopped() {
    for (reason, finish) in [
        ("end_turn", Finish::Complete),
        ("stop_sequence", Finish::Complete),
        ("tool_use", Finish::Complete),
        ("brand_new_reason", Finish::Complete),
        ("max_tokens", Finish::Length),
        ("model_context_window_exceeded", Finish::Length),
        ("refusal", Finish::Filtered),
    ] {
        let end = format!(r#"{{"type":"message_delta","delta":{{"stop_reason":"{reason}"}}}}"#);
        let (chunks, fault) = events(&[HEL, &end, OVER]);
        assert_eq!(chunks, [text("Hel"), Chunk::Finished(finish)], "{reason}");
        assert!(fault.is_none(), "{reason}");
    }
}

#[test]
fn without_a_stop_reason_it_is_cut() {
    for end in [&[][..], &[OVER], &[r#"{"type":"message_delta","delta":{"stop_reason":null}}"#, OVER]] {
        let (chunks, fault) = events(&[&[TEXT, HEL], end].concat());
        assert_eq!(chunks, [text("Hel")]);
        let fault = fault.unwrap();
        assert_eq!(fault.kind, FaultKind::Cut);
        assert!(fault.detail.contains("without a stop_reason"), "{}", fault.detail);
    }
}

#[test]
fn an_error_inside_the_stream_is_a_fault() {
    for (name, kind) in [
        ("overloaded_error", FaultKind::Broken),
        ("api_error", FaultKind::Broken),
        ("timeout_error", FaultKind::Broken),
        ("rate_limit_error", FaultKind::Busy),
        ("authentication_error", FaultKind::Key),
        ("permission_error", FaultKind::Key),
        ("invalid_request_error", FaultKind::Refused),
        ("not_found_error", FaultKind::Refused),
        ("request_too_large", FaultKind::Refused),
        ("billing_error", FaultKind::Refused),
    ] {
        let error = format!(r#"{{"type":"error","error":{{"type":"{name}","message":"Oh no"}}}}"#);
        for (chunks, fault) in [events(&[HEL, &error, LO]), testing::events::<Events>(&[HEL, &error, LO])] {
            assert_eq!(chunks, [text("Hel")], "{name}");
            let fault = fault.unwrap();
            assert_eq!((fault.kind, fault.detail.as_str()), (kind, "\"Oh no\""), "{name}");
        }
    }
}

#[test]
fn a_status_says_more_than_the_type() {
    let error = json!({ "type": "invalid_request_error", "message": "m" });
    assert_eq!(Events::kind(&error, Some(529)), FaultKind::Broken);
    assert_eq!(Events::kind(&error, None), FaultKind::Refused);
    assert_eq!(Events::kind(&Value::Null, None), FaultKind::Broken);
}

#[test]
fn a_document_instead_of_a_stream() {
    let (chunks, fault) = read(
        Form::Whole,
        r#"{"id":"msg_1","type":"message","role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":"s"},{"type":"text","text":"Hello"}],"stop_reason":"end_turn","usage":{"input_tokens":3,"output_tokens":2}}"#,
    );
    let usage = Usage { prompt: 3, completion: 2, ..Usage::default() };
    assert_eq!(
        chunks,
        [Chunk::Reasoning("hm".into()), text("Hello"), Chunk::Finished(Finish::Complete), Chunk::Usage(usage)]
    );
    assert!(fault.is_none());
    let (_, fault) = read(Form::Whole, r#"{"type":"error","error":{"type":"rate_limit_error","message":"m"}}"#);
    assert_eq!(fault.unwrap().kind, FaultKind::Busy);
    for document in ["", "{}", "[]", r#"{"type":"message"}"#] {
        assert_eq!(read(Form::Whole, document).1.unwrap().kind, FaultKind::Garbled, "{document}");
    }
}

#[test]
fn what_is_asked() {
    let said = |by_model, text: &str| Message::words(by_model, text);
    let messages = vec![said(false, "hi"), said(true, ""), said(true, "Hello"), said(false, "more")];
    let mut ask = Ask { model: "m".into(), system: String::new(), messages, max_tokens: 9, temperature: None };
    let mut expected = json!({
        "model": "m", "max_tokens": 9, "stream": true,
        "messages": [
            { "role": "user", "content": "hi" },
            { "role": "assistant", "content": "Hello" },
            { "role": "user", "content": "more" },
        ],
    });
    assert_eq!(body(&ask), expected);
    ask.system = "Be brief.".into();
    ask.temperature = Some(0.7);
    expected["system"] = json!("Be brief.");
    assert_eq!(body(&ask), expected, "no temperature");
}

#[test]
fn images_come_before_the_words() {
    let image = Image { media_type: "image/png".into(), data: "QUJD".into(), tokens: 1 };
    let source = json!({ "type": "base64", "media_type": "image/png", "data": "QUJD" });
    let shown = json!({ "type": "image", "source": source });
    let said = |text: &str| Message { images: vec![image.clone()], ..Message::words(false, text) };
    assert_eq!(content(&said("What is it?")), json!([shown, { "type": "text", "text": "What is it?" }]));
    assert_eq!(content(&said("")), json!([shown]));
}

#[test]
fn what_the_list_says() {
    let entry = json!({
        "id": "claude-x", "type": "model", "display_name": "Claude X", "max_input_tokens": 200_000, "max_tokens": 64_000,
        "capabilities": { "image_input": { "supported": true }, "thinking": { "supported": false, "types": {} } },
    });
    let facts = Facts {
        label: Some("Claude X".into()),
        context: Some(200_000),
        max_output: Some(64_000),
        images: Some(true),
        reasoning: Some(false),
        ..Facts::default()
    };
    assert_eq!(listed(&entry), Some(Listed { name: "claude-x".into(), facts }));
    let older = json!({ "id": "claude-x", "max_tokens": null, "capabilities": null });
    assert_eq!(listed(&older), Some(Listed::from("claude-x".to_owned())));
}
