//! A provider that speaks the protocols of OpenAI, Anthropic and Gemini over real HTTP and does what the test says, answer
//! by answer. `kinds.rs` has it asked by the vendors' own clients too.

use axum::{
    Json, Router,
    body::{Body, Bytes},
    extract::{Multipart, Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use std::{
    collections::VecDeque,
    convert::Infallible,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::sync::{Notify, mpsc};

/// What one answer does, step by step.
#[derive(Clone, Debug)]
pub enum Step {
    Text(String),
    Reasoning(String),
    /// Goes on when the test calls [`Provider::release`].
    Hold,
    Finish(&'static str),
    Usage(i64, i64),
    /// Prompt, of it cached, completion, of it reasoning.
    Counted(i64, i64, i64, i64),
    Done,
    /// The connection breaks here.
    Cut,
}

/// One answer to come.
#[derive(Clone, Debug)]
pub enum Script {
    Stream(Vec<Step>),
    Status(u16, Value),
    /// With a Retry-After.
    Later(u16, u32),
}

/// A request that came.
#[derive(Clone, Debug)]
pub struct Asked {
    pub key: String,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Asked {
    /// The images of all messages, by their kind and their bytes, as each protocol carries them.
    pub fn images(&self) -> Vec<(String, Vec<u8>)> {
        let messages = self.body.get("messages").or(self.body.get("contents")).and_then(Value::as_array);
        let parts = messages.into_iter().flatten().filter_map(|m| m.get("parts").or(m.get("content"))?.as_array());
        let image = |part: &Value| {
            let text = |value: &Value| value.as_str().map(str::to_owned);
            let (media_type, data) = if let Some(url) = part["image_url"]["url"].as_str() {
                let (media_type, data) = url.strip_prefix("data:")?.split_once(";base64,")?;
                (media_type.to_owned(), data.to_owned())
            } else if part["source"]["type"] == "base64" {
                (text(&part["source"]["media_type"])?, text(&part["source"]["data"])?)
            } else {
                (text(&part["inlineData"]["mimeType"])?, text(&part["inlineData"]["data"])?)
            };
            Some((media_type, BASE64_STANDARD.decode(data).expect("the image is Base64")))
        };
        parts.flatten().filter_map(image).collect()
    }
}

#[derive(Default)]
struct Inner {
    scripts: Mutex<VecDeque<Script>>,
    asked: Mutex<Vec<Asked>>,
    release: Notify,
    /// The only key that is taken, if not all are.
    taken: Mutex<Option<String>>,
    /// Streams that the other side closed before their end.
    hung_up: Mutex<usize>,
    /// Steps whose words were taken.
    taken_steps: AtomicUsize,
}

pub struct Provider {
    inner: Arc<Inner>,
    port: u16,
}

impl Provider {
    pub async fn start() -> Self {
        let inner = Arc::new(Inner::default());
        let router = Router::new()
            .route("/v1/models", get(models))
            .route("/v1/chat/completions", post(complete))
            .route("/v1/completions", post(complete))
            .route("/v1beta/openai/chat/completions", post(complete))
            .route("/v1/responses", post(respond))
            .route("/v1/embeddings", post(embed))
            .route("/v1/audio/speech", post(speak))
            .route("/v1/audio/transcriptions", post(transcribe))
            .route("/v1/messages", post(messages))
            .route("/v1beta/models", get(models))
            .route("/v1beta/models/{call}", post(generate))
            .route("/v1/models/{call}", post(generate))
            .with_state(inner.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { inner, port }
    }

    pub fn url(&self) -> String {
        format!("{}/v1", self.root())
    }

    /// Its address without a path.
    pub fn root(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The next answer is these pieces, then an orderly end.
    pub fn streams<const N: usize>(&self, pieces: [&str; N]) {
        let mut steps: Vec<Step> = pieces.iter().map(|p| Step::Text((*p).to_owned())).collect();
        steps.extend([Step::Finish("stop"), Step::Usage(11, 7), Step::Done]);
        self.will(Script::Stream(steps));
    }

    pub fn does(&self, steps: impl IntoIterator<Item = Step>) {
        self.will(Script::Stream(steps.into_iter().collect()));
    }

    pub fn refuses(&self, status: u16, message: &str) {
        self.will(Script::Status(status, json!({ "error": { "message": message, "code": status } })));
    }

    /// The next request is refused, to be tried again after so many seconds.
    pub fn refuses_for(&self, status: u16, seconds: u32) {
        self.will(Script::Later(status, seconds));
    }

    fn will(&self, script: Script) {
        self.inner.scripts.lock().unwrap().push_back(script);
    }

    /// Lets one held answer go on.
    pub fn release(&self) {
        self.inner.release.notify_one();
    }

    /// From now on no other key is taken.
    pub fn takes_only(&self, key: &str) {
        *self.inner.taken.lock().unwrap() = Some(key.to_owned());
    }

    /// Takes back a release that nobody waited for.
    pub async fn forget_release(&self) {
        let _ = tokio::time::timeout(std::time::Duration::ZERO, self.inner.release.notified()).await;
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.inner.asked.lock().unwrap().clone()
    }

    pub fn hung_up(&self) -> usize {
        *self.inner.hung_up.lock().unwrap()
    }

    /// As many steps of streams were taken, of all that were asked for.
    pub fn taken_steps(&self) -> usize {
        self.inner.taken_steps.load(Ordering::Relaxed)
    }
}

/// One list for all protocols: they ask for it at the same place, and each passes over what is not its own.
async fn models(State(inner): State<Arc<Inner>>, headers: HeaderMap) -> Response {
    if let Some(taken) = &*inner.taken.lock().unwrap()
        && !headers.values().any(|value| value.to_str().is_ok_and(|value| value.trim_start_matches("Bearer ") == taken))
    {
        let error = json!({ "error": { "message": "internal words", "code": 401 } });
        return (StatusCode::UNAUTHORIZED, Json(error)).into_response();
    }
    let names = ["fake-1", "fake-2", "text-embedding-fake"];
    let mut data = names.map(|id| json!({ "id": id, "type": "model", "display_name": id, "object": "model" }));
    let mut gemini = names.map(|name| {
        let method = if name.starts_with("fake") { "generateContent" } else { "embedContent" };
        json!({ "name": format!("models/{name}"), "supportedGenerationMethods": [method] })
    });
    // the second tells more of itself, as each protocol has it (OpenAI's has nothing; other servers do)
    add(
        &mut data[1],
        json!({
            "display_name": "Understudy", "context_length": 8000, "max_completion_tokens": 500,
            "max_input_tokens": 8000, "max_tokens": 500, "capabilities": { "thinking": { "supported": true } },
            "supported_parameters": ["reasoning"],
        }),
    );
    add(
        &mut gemini[1],
        json!({
            "displayName": "Understudy", "inputTokenLimit": 8000, "outputTokenLimit": 500, "thinking": true,
        }),
    );
    Json(json!({
        "object": "list", "data": data, "has_more": false, "first_id": names[0], "last_id": names[2], "models": gemini,
    }))
    .into_response()
}

fn add(entry: &mut Value, more: Value) {
    let Value::Object(more) = more else { return };
    entry.as_object_mut().unwrap().extend(more);
}

async fn complete(State(inner): State<Arc<Inner>>, headers: HeaderMap, Json(body): Json<Value>) -> Response {
    let key = headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let key = key.trim_start_matches("Bearer ").to_owned();
    let streams = body["stream"] == true;
    let asked = Asked { key, headers, body };
    if streams { answer(inner, asked, openai) } else { whole(&inner, asked) }
}

/// The steps as one document.
fn whole(inner: &Inner, asked: Asked) -> Response {
    inner.asked.lock().unwrap().push(asked);
    let steps = match inner.scripts.lock().unwrap().pop_front() {
        Some(Script::Stream(steps)) => steps,
        Some(refusal) => return refused(refusal),
        None => Vec::new(),
    };
    let (mut text, mut reason, mut usage) = (String::new(), "stop", json!(null));
    for step in steps {
        match step {
            Step::Text(more) => text.push_str(&more),
            Step::Finish(why) => reason = why,
            Step::Usage(prompt, completion) => {
                usage = json!({ "prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion });
            }
            _ => {}
        }
    }
    let message = json!({ "role": "assistant", "content": text, "refusal": null });
    let choice = json!({ "index": 0, "message": message, "text": text, "finish_reason": reason, "logprobs": null });
    Json(json!({ "id": "c", "object": "chat.completion", "created": 1, "model": "fake-1", "choices": [choice], "usage": usage }))
        .into_response()
}

fn refused(script: Script) -> Response {
    match script {
        Script::Status(status, body) => (StatusCode::from_u16(status).unwrap(), Json(body)).into_response(),
        Script::Later(status, seconds) => {
            let after = [(header::RETRY_AFTER, seconds.to_string())];
            (StatusCode::from_u16(status).unwrap(), after, Json(json!({ "error": {} }))).into_response()
        }
        Script::Stream(_) => unreachable!("it is no refusal"),
    }
}

/// OpenAI's Responses, as much of them as its client needs.
async fn respond(State(inner): State<Arc<Inner>>, headers: HeaderMap, Json(body): Json<Value>) -> Response {
    let streams = body["stream"] == true;
    inner.asked.lock().unwrap().push(Asked { key: String::new(), headers, body });
    let text = json!({ "type": "output_text", "text": "Hello", "annotations": [] });
    let item = json!({ "type": "message", "id": "m", "status": "completed", "role": "assistant", "content": [text] });
    let usage = json!({ "input_tokens": 5, "input_tokens_details": { "cached_tokens": 0 }, "output_tokens": 2,
        "output_tokens_details": { "reasoning_tokens": 1 }, "total_tokens": 7 });
    let whole = json!({ "id": "r", "object": "response", "created_at": 1, "status": "completed", "model": "fake-1",
        "output": [item], "parallel_tool_calls": true, "tool_choice": "auto", "tools": [], "usage": usage });
    if !streams {
        return Json(whole).into_response();
    }
    let delta = json!({ "type": "response.output_text.delta", "item_id": "m", "output_index": 0, "content_index": 0,
        "delta": "Hello", "sequence_number": 0, "logprobs": [] });
    let done = json!({ "type": "response.completed", "response": whole, "sequence_number": 1 });
    let events = [("response.output_text.delta", delta), ("response.completed", done)];
    let events = events.map(|(name, data)| format!("event: {name}\ndata: {data}\n\n")).concat();
    ([(header::CONTENT_TYPE, "text/event-stream")], events).into_response()
}

async fn embed(State(inner): State<Arc<Inner>>, headers: HeaderMap, Json(body): Json<Value>) -> Response {
    inner.asked.lock().unwrap().push(Asked { key: String::new(), headers, body });
    let one = json!({ "object": "embedding", "index": 0, "embedding": [0.5, -0.25] });
    let usage = json!({ "prompt_tokens": 3, "total_tokens": 3 });
    Json(json!({ "object": "list", "data": [one], "model": "text-embedding-fake", "usage": usage })).into_response()
}

async fn speak(State(inner): State<Arc<Inner>>, headers: HeaderMap, Json(body): Json<Value>) -> Response {
    inner.asked.lock().unwrap().push(Asked { key: String::new(), headers, body });
    ([(header::CONTENT_TYPE, "audio/mpeg")], b"ID3 sound".to_vec()).into_response()
}

async fn transcribe(State(inner): State<Arc<Inner>>, headers: HeaderMap, mut form: Multipart) -> Response {
    let mut body = json!({});
    while let Some(field) = form.next_field().await.unwrap() {
        let name = field.name().unwrap().to_owned();
        body[name] = json!(String::from_utf8_lossy(&field.bytes().await.unwrap()));
    }
    inner.asked.lock().unwrap().push(Asked { key: String::new(), headers, body });
    let usage = json!({ "type": "tokens", "input_tokens": 4, "output_tokens": 2, "total_tokens": 6 });
    Json(json!({ "text": "spoken words", "usage": usage })).into_response()
}

async fn messages(State(inner): State<Arc<Inner>>, headers: HeaderMap, Json(body): Json<Value>) -> Response {
    // the vendor takes both
    let key = headers.get("x-api-key").or(headers.get(header::AUTHORIZATION)).and_then(|v| v.to_str().ok());
    let key = key.unwrap_or_default().trim_start_matches("Bearer ").to_owned();
    if headers.get("anthropic-version").is_none_or(|version| version != "2026-10-21") {
        let error = json!({ "type": "invalid_request_error", "message": "anthropic-version: header is required" });
        return (StatusCode::BAD_REQUEST, Json(json!({ "type": "error", "error": error }))).into_response();
    }
    answer(inner, Asked { key, headers, body }, anthropic())
}

async fn generate(
    State(inner): State<Arc<Inner>>,
    Path(call): Path<String>,
    headers: HeaderMap,
    Json(mut body): Json<Value>,
) -> Response {
    let key = headers.get("x-goog-api-key").and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
    let (model, method) = call.split_once(':').unwrap();
    assert_eq!(method, "streamGenerateContent");
    body["model"] = json!(model);
    answer(inner, Asked { key, headers, body }, gemini())
}

fn answer(
    inner: Arc<Inner>,
    asked: Asked,
    tongue: impl FnMut(&Step) -> Vec<(&'static str, String)> + Send + 'static,
) -> Response {
    inner.asked.lock().unwrap().push(asked);
    let script = inner.scripts.lock().unwrap().pop_front();
    let steps = match script {
        Some(Script::Stream(steps)) => steps,
        Some(refusal) => return refused(refusal),
        None => vec![Step::Text("unscripted".into()), Step::Finish("stop"), Step::Done],
    };
    let (sender, receiver) = mpsc::channel::<Result<Bytes, Infallible>>(1);
    tokio::spawn(play(inner, steps, sender, tongue));
    let body = Body::from_stream(tokio_stream::wrappers::ReceiverStream::new(receiver));
    ([(header::CONTENT_TYPE, "text/event-stream")], body).into_response()
}

/// A step in OpenAI's protocol: events without names.
fn openai(step: &Step) -> Vec<(&'static str, String)> {
    let chunk = |delta: Value, finish: Option<&str>| json!({ "id": "c", "object": "chat.completion.chunk", "created": 1, "model": "fake-1", "choices": [{ "index": 0, "delta": delta, "finish_reason": finish }] });
    let counted = |usage: Value| json!({ "id": "c", "object": "chat.completion.chunk", "created": 1, "model": "fake-1", "choices": [], "usage": usage });
    let data = match step {
        Step::Text(text) => chunk(json!({ "content": text }), None).to_string(),
        Step::Reasoning(text) => chunk(json!({ "reasoning_content": text }), None).to_string(),
        Step::Finish(reason) => chunk(json!({}), Some(reason)).to_string(),
        Step::Usage(prompt, completion) => {
            counted(json!({ "prompt_tokens": prompt, "completion_tokens": completion })).to_string()
        }
        Step::Counted(prompt, cached, completion, reasoning) => counted(json!({
            "prompt_tokens": prompt, "prompt_tokens_details": { "cached_tokens": cached },
            "completion_tokens": completion, "completion_tokens_details": { "reasoning_tokens": reasoning },
        }))
        .to_string(),
        Step::Done => "[DONE]".to_owned(),
        Step::Hold | Step::Cut => return Vec::new(),
    };
    vec![("", data)]
}

/// The steps in Anthropic's protocol: what is counted comes at the beginning and at the end, each block of text or thoughts
/// between a start and a stop.
fn anthropic() -> impl FnMut(&Step) -> Vec<(&'static str, String)> + Send + 'static {
    let (mut begun, mut index, mut open, mut reason) = (false, 0, None, "end_turn");
    move |step| {
        let mut events: Vec<(&'static str, Value)> = Vec::new();
        if !std::mem::replace(&mut begun, true) {
            let message = json!({ "id": "msg_1", "type": "message", "role": "assistant", "model": "fake-1", "content": [],
                "stop_reason": null, "stop_sequence": null, "usage": { "input_tokens": 1, "output_tokens": 1 } });
            events.push(("message_start", json!({ "message": message })));
        }
        let mut block = |events: &mut Vec<(&'static str, Value)>, kind: Option<&'static str>| {
            if open == kind {
                return index;
            }
            if open.take().is_some() {
                events.push(("content_block_stop", json!({ "index": index })));
                index += 1;
            }
            if let Some(kind) = kind {
                let start = json!({ "index": index, "content_block": { "type": kind, kind: "" } });
                events.push(("content_block_start", start));
                open = Some(kind);
            }
            index
        };
        match step {
            Step::Text(text) => {
                let index = block(&mut events, Some("text"));
                let delta = json!({ "type": "text_delta", "text": text });
                events.push(("content_block_delta", json!({ "index": index, "delta": delta })));
            }
            Step::Reasoning(text) => {
                let index = block(&mut events, Some("thinking"));
                let delta = json!({ "type": "thinking_delta", "thinking": text });
                events.push(("content_block_delta", json!({ "index": index, "delta": delta })));
            }
            Step::Finish(why) => {
                block(&mut events, None);
                reason = if *why == "length" { "max_tokens" } else { "end_turn" };
            }
            Step::Usage(prompt, completion) => events.push(end(reason, *prompt, 0, *completion, 0)),
            Step::Counted(prompt, cached, completion, reasoning) => {
                events.push(end(reason, *prompt, *cached, *completion, *reasoning));
            }
            Step::Done => events.push(("message_stop", json!({}))),
            Step::Hold | Step::Cut => {}
        }
        let typed = events.into_iter().map(|(name, mut data)| {
            data["type"] = json!(name);
            (name, data.to_string())
        });
        typed.collect()
    }
}

fn end(reason: &str, prompt: i64, cached: i64, completion: i64, reasoning: i64) -> (&'static str, Value) {
    let usage = json!({ "input_tokens": prompt - cached, "cache_read_input_tokens": cached,
        "cache_creation_input_tokens": 0, "output_tokens": completion,
        "output_tokens_details": { "thinking_tokens": reasoning } });
    let delta = json!({ "stop_reason": reason, "stop_sequence": null });
    ("message_delta", json!({ "delta": delta, "usage": usage }))
}

/// The steps in Gemini's protocol: the reason to stop and what is counted come together, at the end.
fn gemini() -> impl FnMut(&Step) -> Vec<(&'static str, String)> + Send + 'static {
    let mut reason = "STOP";
    move |step| {
        let said =
            |part: Value| json!({ "candidates": [{ "content": { "role": "model", "parts": [part] }, "index": 0 }] });
        let ended = |prompt: i64, cached: i64, completion: i64, reasoning: i64| {
            json!({
                "candidates": [{ "content": { "role": "model" }, "finishReason": reason, "index": 0 }],
                "usageMetadata": {
                    "promptTokenCount": prompt, "cachedContentTokenCount": cached,
                    "candidatesTokenCount": completion - reasoning, "thoughtsTokenCount": reasoning,
                    "totalTokenCount": prompt + completion,
                },
            })
        };
        let data = match step {
            Step::Text(text) => said(json!({ "text": text })),
            Step::Reasoning(text) => said(json!({ "text": text, "thought": true })),
            Step::Finish(why) => {
                reason = if *why == "length" { "MAX_TOKENS" } else { "STOP" };
                return Vec::new();
            }
            Step::Usage(prompt, completion) => ended(*prompt, 0, *completion, 0),
            Step::Counted(prompt, cached, completion, reasoning) => ended(*prompt, *cached, *completion, *reasoning),
            Step::Done | Step::Hold | Step::Cut => return Vec::new(),
        };
        vec![("", data.to_string())]
    }
}

async fn play(
    inner: Arc<Inner>,
    steps: Vec<Step>,
    sender: mpsc::Sender<Result<Bytes, Infallible>>,
    mut tongue: impl FnMut(&Step) -> Vec<(&'static str, String)>,
) {
    for step in steps {
        match step {
            Step::Cut => return,
            Step::Hold => {
                tokio::select! {
                    () = inner.release.notified() => {}
                    () = sender.closed() => {
                        *inner.hung_up.lock().unwrap() += 1;
                        return;
                    }
                }
                continue;
            }
            _ => {}
        }
        for (name, data) in tongue(&step) {
            let name = if name.is_empty() { String::new() } else { format!("event: {name}\n") };
            if sender.send(Ok(format!("{name}data: {data}\n\n").into())).await.is_err() {
                *inner.hung_up.lock().unwrap() += 1;
                return;
            }
        }
        inner.taken_steps.fetch_add(1, Ordering::Relaxed);
    }
}
