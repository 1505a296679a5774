//! Anthropic's Messages in front of OpenAI's chat completions: the request one way, the answer the other. What one of them has
//! no word for is left out (what was thought before, what is to be cached) or refused (documents). Pure.

use crate::outside::llm::sse::Decoder;
use bytes::Bytes;
use serde_json::{Map, Value, json};
use std::fmt::Write as _;

/// The request for chat completions. `newer`: OpenAI itself, whose newer models take no `max_tokens`.
///
/// # Errors
/// A sentence about what cannot be said so.
pub fn request(asked: &Value, model: &str, newer: bool) -> Result<Value, String> {
    let mut messages = Vec::new();
    let system = texts(&asked["system"]);
    if !system.is_empty() {
        messages.push(json!({ "role": "system", "content": system }));
    }
    for message in asked["messages"].as_array().ok_or("`messages` has to be a list.")? {
        match message["role"].as_str() {
            Some("user") => user(&message["content"], &mut messages)?,
            Some("assistant") => messages.push(assistant(&message["content"])?),
            _ => return Err("The `role` of a message is `user` or `assistant`.".to_owned()),
        }
    }
    let mut body = json!({ "model": model, "messages": messages });
    body[if newer { "max_completion_tokens" } else { "max_tokens" }] = asked["max_tokens"].clone();
    for (name, as_name) in [("temperature", "temperature"), ("top_p", "top_p"), ("stop_sequences", "stop")] {
        if !asked[name].is_null() {
            body[as_name] = asked[name].clone();
        }
    }
    if let Some(tools) = asked["tools"].as_array().filter(|tools| !tools.is_empty()) {
        body["tools"] = tools.iter().map(tool).collect::<Result<_, _>>()?;
        let choice = &asked["tool_choice"];
        match choice["type"].as_str() {
            None => {}
            Some("any") => body["tool_choice"] = json!("required"),
            Some("tool") => {
                body["tool_choice"] = json!({ "type": "function", "function": { "name": choice["name"] } });
            }
            Some(other) => body["tool_choice"] = json!(other),
        }
        if choice["disable_parallel_tool_use"] == true {
            body["parallel_tool_calls"] = json!(false);
        }
    }
    if asked["stream"] == true {
        body["stream"] = json!(true);
        body["stream_options"] = json!({ "include_usage": true });
    }
    Ok(body)
}

fn tool(tool: &Value) -> Result<Value, String> {
    if tool["input_schema"].is_null() {
        let name = tool["name"].as_str().or(tool["type"].as_str()).unwrap_or_default();
        return Err(format!("The tool “{name}” is Anthropic's own, which this model does not have."));
    }
    let mut function = json!({ "name": tool["name"], "parameters": tool["input_schema"] });
    if !tool["description"].is_null() {
        function["description"] = tool["description"].clone();
    }
    Ok(json!({ "type": "function", "function": function }))
}

/// A text, or those of blocks.
fn texts(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(blocks) => blocks.iter().filter_map(|block| block["text"].as_str()).collect::<Vec<_>>().join("\n"),
        _ => String::new(),
    }
}

/// What tools gave back goes first: it answers what was said before.
fn user(content: &Value, messages: &mut Vec<Value>) -> Result<(), String> {
    let Value::Array(blocks) = content else {
        messages.push(json!({ "role": "user", "content": content }));
        return Ok(());
    };
    let mut parts = Vec::new();
    for block in blocks {
        match block["type"].as_str().unwrap_or_default() {
            "text" => parts.push(json!({ "type": "text", "text": block["text"] })),
            "image" => parts.push(image(&block["source"])?),
            "tool_result" => {
                let said = texts(&block["content"]);
                let said = if block["is_error"] == true { format!("Error: {said}") } else { said };
                messages.push(json!({ "role": "tool", "tool_call_id": block["tool_use_id"], "content": said }));
                let images = block["content"].as_array().into_iter().flatten().filter(|inner| inner["type"] == "image");
                for inner in images {
                    parts.push(image(&inner["source"])?);
                }
            }
            other => return Err(format!("This model takes no block of the type “{other}”.")),
        }
    }
    let is_one_text = parts.len() == 1 && parts[0]["type"] == "text";
    if is_one_text {
        messages.push(json!({ "role": "user", "content": parts[0]["text"] }));
    } else if !parts.is_empty() {
        messages.push(json!({ "role": "user", "content": parts }));
    }
    Ok(())
}

fn image(source: &Value) -> Result<Value, String> {
    let text = |name: &str| source[name].as_str().unwrap_or_default();
    let url = match text("type") {
        "base64" => format!("data:{};base64,{}", text("media_type"), text("data")),
        "url" => text("url").to_owned(),
        other => return Err(format!("This model takes no image by “{other}”.")),
    };
    Ok(json!({ "type": "image_url", "image_url": { "url": url } }))
}

fn assistant(content: &Value) -> Result<Value, String> {
    let Value::Array(blocks) = content else { return Ok(json!({ "role": "assistant", "content": content })) };
    let (mut text, mut calls) = (String::new(), Vec::new());
    for block in blocks {
        match block["type"].as_str().unwrap_or_default() {
            "text" => text.push_str(block["text"].as_str().unwrap_or_default()),
            "thinking" | "redacted_thinking" => {}
            "tool_use" => calls.push(json!({
                "id": block["id"],
                "type": "function",
                "function": { "name": block["name"], "arguments": block["input"].to_string() },
            })),
            other => return Err(format!("This model takes no block of the type “{other}”.")),
        }
    }
    let mut message = json!({ "role": "assistant", "content": text });
    if !calls.is_empty() {
        if text.is_empty() {
            message["content"] = Value::Null;
        }
        message["tool_calls"] = json!(calls);
    }
    Ok(message)
}

/// A whole answer; nothing if it is none. `model`: as it was asked for.
#[must_use]
pub fn whole(answer: &Value, model: &str) -> Option<Value> {
    let choice = &answer["choices"][0];
    let message = Some(&choice["message"]).filter(|message| message.is_object())?;
    let mut content = Vec::new();
    if let Some(text) = message["content"].as_str().filter(|text| !text.is_empty()) {
        content.push(json!({ "type": "text", "text": text }));
    }
    for call in message["tool_calls"].as_array().into_iter().flatten() {
        let function = &call["function"];
        let arguments = function["arguments"].as_str().unwrap_or_default();
        let input = serde_json::from_str(arguments).unwrap_or_else(|_| json!({}));
        content.push(json!({ "type": "tool_use", "id": call["id"], "name": function["name"], "input": input }));
    }
    let calls = message["tool_calls"].as_array().is_some_and(|calls| !calls.is_empty());
    Some(json!({
        "id": id(answer),
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": content,
        "stop_reason": stop_reason(choice["finish_reason"].as_str(), calls),
        "stop_sequence": null,
        "usage": usage(&answer["usage"]),
    }))
}

fn id(answer: &Value) -> String {
    format!("msg_{}", answer["id"].as_str().unwrap_or("0"))
}

/// `calls`: tools were called; some servers call that a stop.
fn stop_reason(reason: Option<&str>, calls: bool) -> &'static str {
    match reason {
        Some("length") => "max_tokens",
        Some("tool_calls" | "function_call") => "tool_use",
        Some("content_filter") => "refusal",
        _ if calls => "tool_use",
        _ => "end_turn",
    }
}

/// What came from a cache is no input there.
fn usage(counted: &Value) -> Value {
    let number = |value: &Value| value.as_i64().unwrap_or(0);
    let cached = number(&counted["prompt_tokens_details"]["cached_tokens"]);
    json!({
        "input_tokens": (number(&counted["prompt_tokens"]) - cached).max(0),
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": cached,
        "output_tokens": number(&counted["completion_tokens"]),
    })
}

/// A stream of chat completions on its way to becoming one of Messages.
#[derive(Default)]
pub struct Translator {
    decoder: Decoder,
    model: String,
    begun: bool,
    /// The block that is open: its number, and the call whose it is (nothing: of text).
    open: Option<(usize, Option<u64>)>,
    blocks: usize,
    /// The id of the call that came last; some servers give all of them one number.
    call: String,
    called: bool,
    reason: Option<&'static str>,
    usage: Value,
    over: bool,
}

impl Translator {
    /// `model`: as it was asked for.
    #[must_use]
    pub fn new(model: &str) -> Self {
        Self { model: model.to_owned(), ..Self::default() }
    }

    /// The events that these bytes complete.
    pub fn push(&mut self, bytes: &[u8]) -> Bytes {
        let mut data = Vec::new();
        let pushed = self.decoder.push(bytes, |event| data.push(event.data.to_owned()));
        let mut out = String::new();
        for data in data {
            self.hear(&data, &mut out);
        }
        if pushed.is_err() {
            self.fail("The provider sent something that is no answer.", &mut out);
        }
        out.into()
    }

    /// What is said at the end, whatever was missing.
    pub fn end(&mut self) -> Bytes {
        let mut out = String::new();
        if self.reason.is_some() {
            self.finish(&mut out);
        } else {
            self.fail("The answer broke off before it was complete.", &mut out);
        }
        out.into()
    }

    fn hear(&mut self, data: &str, out: &mut String) {
        if data == "[DONE]" && self.reason.is_some() {
            return self.finish(out);
        }
        let Ok(said) = serde_json::from_str::<Value>(data) else { return };
        if self.over {
            return;
        }
        if !said["error"].is_null() {
            let words = said["error"]["message"].as_str().unwrap_or("The provider had an error of its own.");
            return self.fail(words, out);
        }
        if !std::mem::replace(&mut self.begun, true) {
            let message = json!({ "id": id(&said), "type": "message", "role": "assistant", "model": self.model,
                "content": [], "stop_reason": null, "stop_sequence": null, "usage": usage(&Value::Null) });
            event(out, "message_start", json!({ "message": message }));
        }
        if said["usage"].is_object() {
            self.usage = said["usage"].clone();
        }
        let choice = &said["choices"][0];
        if let Some(text) = choice["delta"]["content"].as_str().filter(|text| !text.is_empty()) {
            let index = self.block(None, || json!({ "type": "text", "text": "" }), out);
            event(
                out,
                "content_block_delta",
                json!({ "index": index, "delta": { "type": "text_delta", "text": text } }),
            );
        }
        for call in choice["delta"]["tool_calls"].as_array().into_iter().flatten() {
            let (function, number) = (&call["function"], call["index"].as_u64().unwrap_or(0));
            self.called = true;
            if let Some(id) = call["id"].as_str().filter(|id| !id.is_empty() && *id != self.call) {
                id.clone_into(&mut self.call);
                self.close(out);
            }
            let begin = || json!({ "type": "tool_use", "id": call["id"], "name": function["name"], "input": {} });
            let index = self.block(Some(number), begin, out);
            if let Some(part) = function["arguments"].as_str().filter(|part| !part.is_empty()) {
                let delta = json!({ "type": "input_json_delta", "partial_json": part });
                event(out, "content_block_delta", json!({ "index": index, "delta": delta }));
            }
        }
        if let Some(reason) = choice["finish_reason"].as_str().filter(|reason| !reason.is_empty()) {
            self.reason = Some(stop_reason(Some(reason), self.called));
        }
    }

    /// The number of the block that this belongs to, which is open then.
    fn block(&mut self, of: Option<u64>, begin: impl FnOnce() -> Value, out: &mut String) -> usize {
        if let Some((index, whose)) = self.open
            && whose == of
        {
            return index;
        }
        self.close(out);
        let index = self.blocks;
        self.blocks += 1;
        self.open = Some((index, of));
        event(out, "content_block_start", json!({ "index": index, "content_block": begin() }));
        index
    }

    fn close(&mut self, out: &mut String) {
        if let Some((index, _)) = self.open.take() {
            event(out, "content_block_stop", json!({ "index": index }));
        }
    }

    fn finish(&mut self, out: &mut String) {
        if std::mem::replace(&mut self.over, true) {
            return;
        }
        self.close(out);
        let delta = json!({ "stop_reason": self.reason, "stop_sequence": null });
        event(out, "message_delta", json!({ "delta": delta, "usage": usage(&self.usage) }));
        event(out, "message_stop", json!({}));
    }

    fn fail(&mut self, sentence: &str, out: &mut String) {
        if !std::mem::replace(&mut self.over, true) {
            event(out, "error", json!({ "error": { "type": "api_error", "message": sentence } }));
        }
    }
}

/// An event, which has its name inside too.
fn event(out: &mut String, name: &str, mut said: Value) {
    let mut whole = Map::from_iter([("type".to_owned(), Value::from(name))]);
    whole.append(said.as_object_mut().expect("events are objects"));
    let _ = write!(out, "event: {name}\ndata: {}\n\n", Value::Object(whole)); // a String takes everything
}

#[cfg(test)]
mod tests;
