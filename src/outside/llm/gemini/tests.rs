//! What Gemini's API sends, and what is made of it; as tables. The streams are written by hand after its reference.

use super::*;
use crate::outside::llm::{
    Chunk, Said as Message,
    answer::{Form, testing},
};

fn events(events: &[&str]) -> (Vec<Chunk>, Option<Fault>) {
    testing::events::<Events>(events)
}

fn text(text: &str) -> Chunk {
    Chunk::Text(text.to_owned())
}

const HEL: &str = r#"{"candidates":[{"content":{"parts":[{"text":"Hel"}],"role":"model"},"index":0}],"usageMetadata":{"promptTokenCount":9,"totalTokenCount":9,"promptTokensDetails":[{"modality":"TEXT","tokenCount":9}]},"modelVersion":"gemini","responseId":"r"}"#;
const LO: &str = r#"{"candidates":[{"content":{"parts":[{"text":"lo"}],"role":"model"},"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":9,"cachedContentTokenCount":4,"candidatesTokenCount":2,"thoughtsTokenCount":5,"totalTokenCount":16},"modelVersion":"gemini"}"#;

const BEGUN: Chunk = Chunk::Usage(Usage { prompt: 9, cached: 0, completion: 0, reasoning: 0 });
const COUNTED: Chunk = Chunk::Usage(Usage { prompt: 9, cached: 4, completion: 7, reasoning: 5 });

#[test]
fn an_answer() {
    let (chunks, fault) = events(&[HEL, LO]);
    assert_eq!(chunks, [BEGUN, text("Hel"), COUNTED, text("lo"), Chunk::Finished(Finish::Complete)]);
    assert!(fault.is_none());
    // the same as a document
    let (chunks, fault) = testing::read::<Events>(Form::Whole, LO);
    assert_eq!(chunks, [COUNTED, text("lo"), Chunk::Finished(Finish::Complete)]);
    assert!(fault.is_none());
}

#[test]
fn thoughts_and_parts_that_are_not_known() {
    let (chunks, _) = events(&[
        r#"{"candidates":[{"content":{"parts":[{"text":"hm","thought":true},{"text":"Hel"},{"functionCall":{"name":"f"}},{"text":""}]}}]}"#,
        r#"{"candidates":[{"content":{"role":"model"},"finishReason":"STOP"}]}"#,
    ]);
    assert_eq!(chunks, [Chunk::Reasoning("hm".into()), text("Hel"), Chunk::Finished(Finish::Complete)]);
    for nothing in ["{}", r#"{"candidates":[]}"#, r#"{"candidates":[{}]}"#, r#"{"promptFeedback":{}}"#] {
        assert_eq!(events(&[nothing]).0, [], "{nothing}");
    }
}

#[test]
fn why_it_stopped() {
    for (reason, finish) in [
        ("STOP", Some(Finish::Complete)),
        ("OTHER", Some(Finish::Complete)),
        ("BRAND_NEW", Some(Finish::Complete)),
        ("MAX_TOKENS", Some(Finish::Length)),
        ("SAFETY", Some(Finish::Filtered)),
        ("RECITATION", Some(Finish::Filtered)),
        ("PROHIBITED_CONTENT", Some(Finish::Filtered)),
        ("MODEL_ARMOR", Some(Finish::Filtered)),
        ("FINISH_REASON_UNSPECIFIED", None),
        ("", None),
    ] {
        let (chunks, fault) = events(&[HEL, &format!(r#"{{"candidates":[{{"finishReason":"{reason}"}}]}}"#)]);
        let finished = chunks.iter().find_map(|c| if let Chunk::Finished(f) = c { Some(*f) } else { None });
        assert_eq!(finished, finish, "{reason}");
        assert_eq!(fault.map(|f| f.kind), finish.is_none().then_some(FaultKind::Cut), "{reason}");
    }
    for reason in ["MALFORMED_FUNCTION_CALL", "MALFORMED_RESPONSE", "TOO_MANY_TOOL_CALLS"] {
        let (_, fault) = events(&[HEL, &format!(r#"{{"candidates":[{{"finishReason":"{reason}"}}]}}"#)]);
        assert_eq!(fault.unwrap().kind, FaultKind::Broken, "{reason}");
    }
}

#[test]
fn a_prompt_that_is_blocked_is_refused() {
    let (chunks, fault) =
        events(&[r#"{"promptFeedback":{"blockReason":"PROHIBITED_CONTENT"},"usageMetadata":{"promptTokenCount":9}}"#]);
    assert_eq!(chunks, [BEGUN]);
    let fault = fault.unwrap();
    assert_eq!((fault.kind, fault.detail.as_str()), (FaultKind::Refused, "the prompt was blocked: PROHIBITED_CONTENT"));
}

#[test]
fn an_error_is_a_fault_with_its_pause() {
    let error = r#"{"error":{"code":429,"message":"Quota","status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.Help"},{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"7.5s"}]}}"#;
    let (chunks, fault) = events(&[HEL, error]);
    assert_eq!(chunks, [BEGUN, text("Hel")]);
    let fault = fault.unwrap();
    assert_eq!((fault.kind, fault.retry_after), (FaultKind::Busy, Some(Duration::from_millis(7500))));
    let key = json!({ "code": 400, "message": "API key not valid.", "details": [{ "reason": "API_KEY_INVALID" }] });
    let other = json!({ "code": 400, "message": "m", "details": [{ "reason": "OTHER", "retryDelay": "soon" }] });
    for (error, status, kind) in [
        (&key, Some(400), FaultKind::Key),
        (&key, None, FaultKind::Key),
        (&other, Some(400), FaultKind::Refused),
        (&other, None, FaultKind::Refused),
        (&other, Some(503), FaultKind::Broken),
        (&json!({ "code": 7 }), None, FaultKind::Broken),
    ] {
        assert_eq!(Events::kind(error, status), kind, "{error} {status:?}");
        assert_eq!(Events::retry_after(error), None, "{error}");
    }
    assert_eq!(Events::retry_after(&json!({ "details": [{ "retryDelay": "-1s" }] })), None);
}

#[test]
fn without_a_finish_reason_it_is_cut() {
    let fault = events(&[HEL]).1.unwrap();
    assert_eq!(fault.kind, FaultKind::Cut);
    assert!(fault.detail.contains("without a finishReason"), "{}", fault.detail);
    for wrong in ["7", "[]", r#"{"candidates":{}}"#] {
        assert_eq!(events(&[HEL, wrong]).1.unwrap().kind, FaultKind::Garbled, "{wrong}");
    }
}

#[test]
fn what_is_asked() {
    let said = |by_model, text: &str| Message::words(by_model, text);
    let messages = vec![said(false, "hi"), said(true, "Hello"), said(true, ""), said(false, "more")];
    let mut ask = Ask { model: "m".into(), system: String::new(), messages, max_tokens: 9, temperature: None };
    let mut expected = json!({
        "contents": [
            { "role": "user", "parts": [{ "text": "hi" }] },
            { "role": "model", "parts": [{ "text": "Hello" }] },
            { "role": "user", "parts": [{ "text": "more" }] },
        ],
        "generationConfig": { "maxOutputTokens": 9 },
    });
    assert_eq!(body(&ask), expected);
    ask.system = "Be brief.".into();
    ask.temperature = Some(1.5);
    expected["systemInstruction"] = json!({ "role": "user", "parts": [{ "text": "Be brief." }] });
    expected["generationConfig"]["temperature"] = json!(1.5);
    assert_eq!(body(&ask), expected);
    ask.model = "gemini-3-pro".into();
    expected["generationConfig"]["thinkingConfig"] = json!({ "includeThoughts": true });
    assert_eq!(body(&ask), expected);
}

#[test]
fn what_the_list_says() {
    let mut entry = json!({
        "name": "models/gemini-x", "displayName": "Gemini X", "inputTokenLimit": 1_048_576, "outputTokenLimit": 65_536,
        "thinking": true, "supportedGenerationMethods": ["generateContent", "countTokens"],
    });
    let facts = Facts {
        label: Some("Gemini X".into()),
        context: Some(1_048_576),
        max_output: Some(65_536),
        reasoning: Some(true),
        ..Facts::default()
    };
    assert_eq!(listed(&entry), Some(Listed { name: "gemini-x".into(), facts }));
    entry["supportedGenerationMethods"] = json!(["embedContent"]);
    assert_eq!(listed(&entry), None);
}
