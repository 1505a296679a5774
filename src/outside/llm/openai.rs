//! Any server that speaks OpenAI's chat completions. The types are our own few (the library's typed ones refuse an
//! unknown `finish_reason` and drop `reasoning_content`); the library carries the request and splits the stream.

use super::{Ask, Chunk, Chunks, Fault, FaultKind, Finish, Usage};
use crate::base::config::Hidden;
use async_openai::{Client, config::OpenAIConfig, error::OpenAIError, middleware::HttpRequestFactory};
use futures::StreamExt;
use serde::Deserialize;
use serde_json::{Value, json};
use std::{pin::Pin, time::Duration};

/// How much of an error's body is read.
const MAX_ERROR_BODY: usize = 16 * 1024;

/// One address with its keys.
pub struct Server {
    clients: Vec<Client<OpenAIConfig>>,
}

/// The one way to make a client for providers.
///
/// # Errors
/// TLS or proxy settings of the environment that cannot be used.
#[expect(clippy::disallowed_methods, reason = "the one place that may")]
pub fn http_client() -> anyhow::Result<reqwest::Client> {
    // no total timeout: an answer may take minutes; silence is measured where the answer is read
    Ok(reqwest::Client::builder()
        .connect_timeout(Duration::from_secs(10))
        .redirect(reqwest::redirect::Policy::none()) // a key goes only to the host it was stored with
        .pool_idle_timeout(Duration::from_secs(30))
        .tcp_nodelay(true)
        .user_agent(concat!("parlor/", env!("CARGO_PKG_VERSION")))
        .build()?)
}

impl Server {
    pub fn new(http: &reqwest::Client, base_url: &str, keys: &[Hidden]) -> Self {
        let none = [Hidden::default()];
        let keys = if keys.is_empty() { &none[..] } else { keys };
        let clients = keys
            .iter()
            .map(|key| {
                let config =
                    OpenAIConfig::new().with_api_base(base_url.trim_end_matches('/')).with_api_key(key.expose());
                let http = http.clone();
                Client::build(http.clone(), config)
                    .with_http_service(tower::service_fn(move |request| send(http.clone(), request)))
            })
            .collect();
        Self { clients }
    }

    pub fn keys(&self) -> usize {
        self.clients.len()
    }

    pub async fn open(&self, ask: &Ask, key: usize) -> Result<Chunks, Fault> {
        let client = &self.clients[key];
        let chunks: Pin<Box<dyn futures::Stream<Item = Result<Value, OpenAIError>> + Send>> =
            client.chat().create_stream_byot(body(ask)).await.map_err(fault)?;
        let mut finished = false;
        let stream = chunks
            .map(Some)
            .chain(futures::stream::once(async { None }))
            .map(move |item| match item {
                Some(Ok(value)) => read(value, &mut finished),
                Some(Err(error)) => vec![Err(fault(error))],
                None if finished => Vec::new(),
                None => vec![Err(Fault::new(FaultKind::Cut, "the stream ended without a finish_reason"))],
            })
            .flat_map(futures::stream::iter);
        Ok(Box::pin(stream))
    }

    pub async fn models(&self) -> Result<Vec<String>, Fault> {
        let mut last = Fault::new(FaultKind::Unreachable, "no key");
        for client in &self.clients {
            let answer: Result<ModelList, _> = client.models().list_byot().await;
            match answer {
                Ok(list) => return Ok(list.data.into_iter().map(|m| m.id).collect()),
                Err(error) => last = fault(error),
            }
        }
        Err(last)
    }
}

#[derive(Deserialize)]
struct ModelList {
    data: Vec<ModelEntry>,
}

#[derive(Deserialize)]
struct ModelEntry {
    id: String,
}

/// Sends, and turns what is not a success into a fault that keeps the status and `Retry-After`.
async fn send(http: reqwest::Client, request: HttpRequestFactory) -> Result<reqwest::Response, OpenAIError> {
    let request = request.build().await?;
    let mut response = http.execute(request).await?;
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let retry_after = response
        .headers()
        .get(reqwest::header::RETRY_AFTER)
        .and_then(|v| v.to_str().ok()?.trim().parse().ok())
        .map(Duration::from_secs);
    let mut body = Vec::new();
    while let Ok(Some(part)) = response.chunk().await {
        body.extend_from_slice(&part[..part.len().min(MAX_ERROR_BODY - body.len())]);
        if body.len() >= MAX_ERROR_BODY {
            break;
        }
    }
    let kind = match status.as_u16() {
        401 | 403 => FaultKind::Key,
        429 => FaultKind::Busy,
        300..=399 => FaultKind::Unreachable,
        500.. => FaultKind::Broken,
        _ => FaultKind::Refused,
    };
    let detail = format!("{status}: {}", error_message(&body));
    Err(OpenAIError::Boxed(Box::new(Fault { kind, detail, retry_after })))
}

/// The `error.message` of the body if it has one, else its type only: a page of HTML is no message.
fn error_message(body: &[u8]) -> String {
    let Ok(value) = serde_json::from_slice::<Value>(body) else {
        return format!("{} bytes that are not JSON", body.len());
    };
    let message = value.pointer("/error/message").or(value.get("error")).or(value.get("message"));
    message.map_or_else(|| "no message".to_owned(), |m| m.to_string().chars().take(300).collect())
}

fn fault(error: OpenAIError) -> Fault {
    match error {
        OpenAIError::Boxed(inner) => match inner.downcast::<Fault>() {
            Ok(fault) => *fault,
            Err(other) => match other.downcast::<OpenAIError>() {
                Ok(inner) => fault(*inner),
                Err(other) => Fault::new(FaultKind::Unreachable, other.to_string()),
            },
        },
        // `without_url`: an address may carry credentials
        OpenAIError::Reqwest(e) => Fault::new(FaultKind::Unreachable, chain(&e.without_url())),
        OpenAIError::StreamError(e) => Fault::new(FaultKind::Cut, e.to_string()),
        OpenAIError::JSONDeserialize(e, _) => Fault::new(FaultKind::Garbled, e.to_string()),
        other => Fault::new(FaultKind::Garbled, other.to_string()),
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text = format!("{text}: {inner}");
        source = inner.source();
    }
    text
}

fn body(ask: &Ask) -> Value {
    let messages: Vec<_> = ask
        .messages
        .iter()
        .map(|m| json!({ "role": if m.by_model { "assistant" } else { "user" }, "content": m.text }))
        .collect();
    json!({
        "model": ask.model,
        "messages": messages,
        "max_tokens": ask.max_tokens,
        "stream": true,
        "stream_options": { "include_usage": true },
    })
}

/// One event of the stream as chunks. Servers differ: `reasoning_content` or `reasoning`, usage in the last event or in
/// one of its own, an error inside a stream of 200.
fn read(event: Value, finished: &mut bool) -> Vec<Result<Chunk, Fault>> {
    if let Some(error) = event.get("error").filter(|e| !e.is_null()) {
        let detail: String = error.to_string().chars().take(300).collect();
        return vec![Err(Fault::new(FaultKind::Broken, detail))];
    }
    let event: Event = match serde_json::from_value(event) {
        Ok(event) => event,
        Err(e) => return vec![Err(Fault::new(FaultKind::Garbled, e.to_string()))],
    };
    let mut chunks = Vec::new();
    for choice in event.choices.into_iter().take(1) {
        let delta = choice.delta.unwrap_or_default();
        let text = |t: Option<String>| t.map(without_nul).filter(|t| !t.is_empty());
        if let Some(reasoning) = text(delta.reasoning_content.or(delta.reasoning)) {
            chunks.push(Ok(Chunk::Reasoning(reasoning)));
        }
        if let Some(content) = text(delta.content) {
            chunks.push(Ok(Chunk::Text(content)));
        }
        if let Some(reason) = choice.finish_reason {
            *finished = true;
            chunks.push(Ok(Chunk::Finished(match reason.as_str() {
                "length" => Finish::Length,
                "content_filter" => Finish::Filtered,
                _ => Finish::Complete,
            })));
        }
    }
    if let Some(u) = event.usage {
        chunks.push(Ok(Chunk::Usage(Usage {
            prompt: u.prompt_tokens,
            cached: u.prompt_tokens_details.and_then(|d| d.cached_tokens).unwrap_or_default(),
            completion: u.completion_tokens,
            reasoning: u.completion_tokens_details.and_then(|d| d.reasoning_tokens).unwrap_or_default(),
        })));
    }
    chunks
}

/// PostgreSQL's text cannot hold a NUL.
fn without_nul(text: String) -> String {
    if text.contains('\0') { text.replace('\0', "\u{fffd}") } else { text }
}

#[derive(Deserialize)]
struct Event {
    #[serde(default)]
    choices: Vec<Choice>,
    usage: Option<Counted>,
}

#[derive(Deserialize)]
struct Choice {
    delta: Option<Delta>,
    finish_reason: Option<String>,
}

#[derive(Deserialize, Default)]
struct Delta {
    content: Option<String>,
    reasoning_content: Option<String>,
    reasoning: Option<String>,
}

#[derive(Deserialize)]
struct Counted {
    #[serde(default)]
    prompt_tokens: i64,
    #[serde(default)]
    completion_tokens: i64,
    prompt_tokens_details: Option<PromptDetails>,
    completion_tokens_details: Option<CompletionDetails>,
}

#[derive(Deserialize)]
struct PromptDetails {
    cached_tokens: Option<i64>,
}

#[derive(Deserialize)]
struct CompletionDetails {
    reasoning_tokens: Option<i64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(event: &str, expected: &[Chunk]) {
        let mut finished = false;
        let chunks: Vec<_> =
            read(serde_json::from_str(event).unwrap(), &mut finished).into_iter().map(Result::unwrap).collect();
        assert_eq!(chunks, expected, "{event}");
        assert_eq!(finished, chunks.iter().any(|c| matches!(c, Chunk::Finished(_))));
    }

    #[test]
    fn events_of_many_servers() {
        check(r#"{"choices":[{"delta":{"content":"Hel"}}]}"#, &[Chunk::Text("Hel".into())]);
        check(r#"{"choices":[{"delta":{"role":"assistant","content":""}}]}"#, &[]);
        check(r#"{"choices":[{"delta":{"reasoning_content":"hm"}}]}"#, &[Chunk::Reasoning("hm".into())]);
        check(
            r#"{"choices":[{"delta":{"reasoning":"hm","content":"a\u0000b"}}]}"#,
            &[Chunk::Reasoning("hm".into()), Chunk::Text("a\u{fffd}b".into())],
        );
        check(r#"{"choices":[{"delta":{},"finish_reason":"brand_new_reason"}]}"#, &[Chunk::Finished(Finish::Complete)]);
        check(r#"{"choices":[{"delta":{},"finish_reason":"length"}]}"#, &[Chunk::Finished(Finish::Length)]);
        check(
            r#"{"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":5,"total_tokens":12,"prompt_tokens_details":{"cached_tokens":3},"completion_tokens_details":{"reasoning_tokens":2}}}"#,
            &[Chunk::Usage(Usage { prompt: 7, cached: 3, completion: 5, reasoning: 2 })],
        );
    }

    #[test]
    fn an_error_inside_the_stream_is_a_fault() {
        let event = serde_json::json!({ "error": { "message": "overloaded" } });
        let fault = read(event, &mut false).remove(0).unwrap_err();
        assert_eq!(fault.kind, FaultKind::Broken);
    }
}
