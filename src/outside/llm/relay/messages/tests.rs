//! What is said in one protocol, and what it is in the other.

use super::*;

#[test]
fn a_request() {
    let asked = json!({
        "model": "m", "max_tokens": 100, "system": [{ "type": "text", "text": "Be brief." }], "temperature": 0.5,
        "stop_sequences": ["END"], "stream": true, "top_k": 3, "metadata": { "user_id": "u" },
        "thinking": { "type": "enabled", "budget_tokens": 10 },
        "tools": [{ "name": "now", "description": "The time", "input_schema": { "type": "object" } }],
        "tool_choice": { "type": "any", "disable_parallel_tool_use": true },
        "messages": [
            { "role": "user", "content": "hi" },
            { "role": "assistant", "content": [
                { "type": "thinking", "thinking": "?" },
                { "type": "text", "text": "Let me look." },
                { "type": "tool_use", "id": "t1", "name": "now", "input": { "zone": "UTC" } },
            ] },
            { "role": "user", "content": [
                { "type": "text", "text": "and this" },
                { "type": "image", "source": { "type": "base64", "media_type": "image/png", "data": "AAAA" } },
                { "type": "tool_result", "tool_use_id": "t1", "content": [{ "type": "text", "text": "noon" }] },
            ] },
            { "role": "assistant", "content": [{ "type": "tool_use", "id": "t2", "name": "now", "input": {} }] },
            { "role": "user", "content": [{ "type": "tool_result", "tool_use_id": "t2", "is_error": true, "content": "no clock" }] },
        ],
    });
    let call = |id: &str, arguments: &str| json!([{ "id": id, "type": "function", "function": { "name": "now", "arguments": arguments } }]);
    let expected = json!({
        "model": "real", "max_tokens": 100, "temperature": 0.5, "stop": ["END"], "stream": true,
        "stream_options": { "include_usage": true }, "tool_choice": "required", "parallel_tool_calls": false,
        "tools": [{ "type": "function", "function": { "name": "now", "description": "The time", "parameters": { "type": "object" } } }],
        "messages": [
            { "role": "system", "content": "Be brief." },
            { "role": "user", "content": "hi" },
            { "role": "assistant", "content": "Let me look.", "tool_calls": call("t1", r#"{"zone":"UTC"}"#) },
            { "role": "tool", "tool_call_id": "t1", "content": "noon" },
            { "role": "user", "content": [
                { "type": "text", "text": "and this" },
                { "type": "image_url", "image_url": { "url": "data:image/png;base64,AAAA" } },
            ] },
            { "role": "assistant", "content": null, "tool_calls": call("t2", "{}") },
            { "role": "tool", "tool_call_id": "t2", "content": "Error: no clock" },
        ],
    });
    assert_eq!(request(&asked, "real", false).unwrap(), expected);
    assert_eq!(request(&asked, "real", true).unwrap()["max_completion_tokens"], 100);
}

#[test]
fn what_cannot_be_said() {
    let with = |block: Value| json!({ "messages": [{ "role": "user", "content": [block] }] });
    for (asked, word) in [
        (json!({}), "messages"),
        (json!({ "messages": [{ "role": "system", "content": "x" }] }), "role"),
        (with(json!({ "type": "document" })), "document"),
        (with(json!({ "type": "image", "source": { "type": "file" } })), "file"),
        (json!({ "messages": [], "tools": [{ "type": "web_search", "name": "web_search" }] }), "web_search"),
    ] {
        let sentence = request(&asked, "m", false).unwrap_err();
        assert!(sentence.contains(word), "{sentence}");
    }
}

#[test]
fn a_whole_answer() {
    let call = json!({ "id": "t1", "type": "function", "function": { "name": "now", "arguments": "{\"a\":1}" } });
    let answer = json!({
        "id": "c1",
        "choices": [{ "message": { "content": "Wait.", "tool_calls": [call] }, "finish_reason": "tool_calls" }],
        "usage": { "prompt_tokens": 40, "prompt_tokens_details": { "cached_tokens": 30 }, "completion_tokens": 5 },
    });
    let expected = json!({
        "id": "msg_c1", "type": "message", "role": "assistant", "model": "m", "stop_reason": "tool_use", "stop_sequence": null,
        "content": [{ "type": "text", "text": "Wait." }, { "type": "tool_use", "id": "t1", "name": "now", "input": { "a": 1 } }],
        "usage": { "input_tokens": 10, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 30, "output_tokens": 5 },
    });
    assert_eq!(whole(&answer, "m"), Some(expected));
    assert_eq!(whole(&json!({ "error": { "message": "oh" } }), "m"), None);
    assert_eq!(stop_reason(Some("stop"), true), "tool_use");
    for (theirs, ours) in [("stop", "end_turn"), ("length", "max_tokens"), ("content_filter", "refusal")] {
        assert_eq!(stop_reason(Some(theirs), false), ours);
    }
}

/// What comes of events, whole and byte by byte: names, and what is in them.
fn translated(events: &[&str]) -> Vec<(String, Value)> {
    let text = events.iter().map(|event| format!("data: {event}\n\n")).collect::<Vec<_>>().concat();
    let all = |size: usize| {
        let mut translator = Translator::new("m");
        let mut out = Vec::new();
        for piece in text.as_bytes().chunks(size) {
            out.extend_from_slice(&translator.push(piece));
        }
        out.extend_from_slice(&translator.end());
        let mut said = Vec::new();
        let hear = |event: crate::outside::llm::sse::Event<'_>| {
            said.push((event.name.to_owned(), serde_json::from_str::<Value>(event.data).unwrap()));
        };
        Decoder::default().push(&out, hear).unwrap();
        said
    };
    let whole = all(text.len().max(1));
    assert_eq!(whole, all(1));
    whole
}

#[test]
fn a_stream() {
    let said = translated(&[
        r#"{"id":"c","choices":[{"delta":{"role":"assistant","content":""},"finish_reason":null}]}"#,
        r#"{"id":"c","choices":[{"delta":{"content":"Hel"}}]}"#,
        r#"{"id":"c","choices":[{"delta":{"content":"lo"}}]}"#,
        r#"{"id":"c","choices":[{"delta":{"tool_calls":[{"index":0,"id":"t1","function":{"name":"now","arguments":""}}]}}]}"#,
        r#"{"id":"c","choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"a\""}}]}}]}"#,
        r#"{"id":"c","choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":":1}"}}]}}]}"#,
        r#"{"id":"c","choices":[{"delta":{"tool_calls":[{"index":1,"id":"t2","function":{"name":"x","arguments":"{}"}}]}}]}"#,
        r#"{"id":"c","choices":[{"delta":{},"finish_reason":"tool_calls"}]}"#,
        r#"{"id":"c","choices":[],"usage":{"prompt_tokens":9,"completion_tokens":3}}"#,
        "[DONE]",
    ]);
    let names: Vec<_> = said.iter().map(|(name, _)| name.as_str()).collect();
    let block = ["content_block_start", "content_block_delta", "content_block_delta", "content_block_stop"];
    let last = ["content_block_start", "content_block_delta", "content_block_stop", "message_delta", "message_stop"];
    assert_eq!(names, [&["message_start"][..], &block, &block, &last].concat());
    assert!(said.iter().all(|(name, event)| event["type"] == name.as_str()));
    assert_eq!(said[0].1["message"]["model"], "m");
    let of = |at: usize| &said[at].1;
    assert_eq!(of(1)["content_block"], json!({ "type": "text", "text": "" }));
    assert_eq!(of(3)["delta"], json!({ "type": "text_delta", "text": "lo" }));
    assert_eq!(of(5)["content_block"], json!({ "type": "tool_use", "id": "t1", "name": "now", "input": {} }));
    assert_eq!(of(7)["delta"], json!({ "type": "input_json_delta", "partial_json": ":1}" }));
    assert_eq!(of(9)["index"], 2);
    assert_eq!(of(12)["delta"]["stop_reason"], "tool_use");
    assert_eq!(of(12)["usage"]["input_tokens"], 9);
}

/// Calls that all have the number 0 are told by their ids.
#[test]
fn calls_without_numbers() {
    let call = |id: &str| {
        format!(
            r#"{{"id":"c","choices":[{{"delta":{{"tool_calls":[{{"id":"{id}","function":{{"name":"x","arguments":"{{}}"}}}}]}}}}]}}"#
        )
    };
    let end = r#"{"id":"c","choices":[{"delta":{},"finish_reason":"stop"}]}"#;
    let said = translated(&[&call("a"), &call("b"), end, "[DONE]"]);
    assert_eq!(said.iter().filter(|(name, _)| name == "content_block_start").count(), 2);
    let end = said.iter().find(|(name, _)| name == "message_delta").unwrap();
    assert_eq!(end.1["delta"]["stop_reason"], "tool_use");
}

#[test]
fn a_stream_that_ends_badly() {
    let word = r#"{"id":"c","choices":[{"delta":{"content":"Hel"}}]}"#;
    for events in [&[word][..], &[word, "[DONE]"], &[word, r#"{"error":{"message":"oh"}}"#, word], &[]] {
        let said = translated(events);
        assert_eq!(said.last().unwrap().0, "error", "{events:?}");
        assert_eq!(said.iter().filter(|(name, _)| name == "error" || name == "message_stop").count(), 1);
    }
}
