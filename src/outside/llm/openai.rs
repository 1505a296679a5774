//! Any server that speaks OpenAI's chat completions. The library (async-openai) knows addresses, headers and lists of
//! models; the answer's stream is sent for and read by us. The library's own reader has no bound on a line, keeps what we
//! do not read in a channel without end, and hides `[DONE]` and the names of events; and it has no call that returns the
//! response as it is. What must not live here: what the events mean (`answer.rs`).

mod answer;

use super::{Ask, Chunks, Fault, FaultKind};
use crate::base::config::{self, Hidden};
use answer::{Form, Reader};
use anyhow::anyhow;
use async_openai::{
    Client,
    config::{Config as _, OpenAIConfig},
    error::OpenAIError,
    middleware::HttpRequestFactory,
};
use reqwest::{
    Response,
    header::{self, HeaderName},
};
use serde::Deserialize;
use serde_json::{Value, json};
use std::{str::FromStr, time::Duration};

/// How much of an error's body is read, and for how long: the status alone says what to do.
const MAX_ERROR_BODY: usize = 16 * 1024;
const ERROR_BODY_WITHIN: Duration = Duration::from_secs(2);

/// One address with its keys.
pub struct Server {
    http: reqwest::Client,
    lines: Vec<(Client<OpenAIConfig>, Hidden)>,
}

/// The one way to make a client for providers. `proxy` as in the settings: empty, the environment says.
///
/// # Errors
/// TLS or proxy settings that cannot be used.
#[expect(clippy::disallowed_methods, reason = "the one place that may")]
pub fn http_client(proxy: &Hidden) -> anyhow::Result<reqwest::Client> {
    // no total timeout: an answer may take minutes; silence is measured where the answer is read
    let builder = reqwest::Client::builder();
    let builder = match proxy.expose() {
        "" => builder,
        config::Provider::NO_PROXY => builder.no_proxy(),
        // what is wrong with it may quote it, and it may hold a password
        url => builder.proxy(reqwest::Proxy::all(url).map_err(|_| anyhow!("the proxy's address is not one"))?),
    };
    Ok(builder
        .connect_timeout(Duration::from_secs(10))
        .redirect(reqwest::redirect::Policy::none()) // a key goes only to the host it was stored with
        .pool_idle_timeout(Duration::from_secs(30))
        .tcp_nodelay(true)
        .user_agent(concat!("parlor/", env!("CARGO_PKG_VERSION")))
        .build()?)
}

impl Server {
    /// # Errors
    /// A header that is none; the settings were checked for that.
    pub fn new(http: reqwest::Client, with: &config::Provider) -> anyhow::Result<Self> {
        let base_url = with.base_url.as_deref().unwrap_or("https://api.openai.com/v1").trim_end_matches('/');
        let none = [Hidden::default()];
        let keys = if with.api_keys.is_empty() { &none[..] } else { &with.api_keys };
        let lines = keys
            .iter()
            .map(|key| {
                let mut config = OpenAIConfig::new().with_api_base(base_url).with_api_key(key.expose());
                for (name, value) in &with.headers {
                    config = config.with_header(HeaderName::from_str(name)?, value.expose())?;
                }
                let http = http.clone();
                let client = Client::build(http.clone(), config)
                    .with_http_service(tower::service_fn(move |request| send(http.clone(), request)));
                Ok((client, key.clone()))
            })
            .collect::<anyhow::Result<_>>()?;
        Ok(Self { http, lines })
    }

    pub fn keys(&self) -> usize {
        self.lines.len()
    }

    pub async fn open(&self, ask: &Ask, key: usize) -> Result<Chunks, Fault> {
        let (client, key) = &self.lines[key];
        let config = client.config();
        let request = self.http.post(config.url("/chat/completions")).headers(config.headers()).json(&body(ask));
        let response = request.send().await.map_err(unreachable)?;
        let response = succeeded(response).await.map_err(|fault| without(key, fault))?;
        let content_type = response.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok());
        let form = Form::of(content_type.unwrap_or_default())?;
        Ok(stream(response, Reader::new(form)))
    }

    pub async fn models(&self) -> Result<Vec<String>, Fault> {
        let mut last = Fault::new(FaultKind::Unreachable, "no key");
        for (client, key) in &self.lines {
            let answer: Result<ModelList, _> = client.models().list_byot().await;
            match answer {
                Ok(list) => return Ok(list.data.into_iter().map(|m| m.id).collect()),
                Err(error) => last = without(key, fault(error)),
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

/// The answer as it comes. Nothing is read that nobody asks for: what we do not take waits in the connection, and then at
/// the provider. Dropping it closes the connection.
fn stream(response: Response, reader: Reader) -> Chunks {
    Box::pin(futures::stream::unfold((response, reader), |(mut response, mut reader)| async move {
        loop {
            if let Some(item) = reader.next() {
                return Some((item, (response, reader)));
            }
            if reader.is_over() {
                return None;
            }
            // one that sends comments without end keeps nobody from looking at a deadline
            tokio::task::coop::consume_budget().await;
            match response.chunk().await {
                Ok(Some(bytes)) => reader.push(&bytes),
                Ok(None) => reader.end(),
                Err(error) => reader.fail(Fault::new(FaultKind::Cut, chain(&error.without_url()))),
            }
        }
    }))
}

/// The library's way to the network, for the list of models.
async fn send(http: reqwest::Client, request: HttpRequestFactory) -> Result<Response, OpenAIError> {
    let response = http.execute(request.build().await?).await?;
    succeeded(response).await.map_err(|fault| OpenAIError::Boxed(Box::new(fault)))
}

/// Turns what is not a success into a fault that keeps `Retry-After`.
async fn succeeded(mut response: Response) -> Result<Response, Fault> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let retry_after = response
        .headers()
        .get(header::RETRY_AFTER)
        .and_then(|v| v.to_str().ok()?.trim().parse().ok())
        .map(Duration::from_secs);
    let mut body = Vec::new();
    let read = async {
        while let Ok(Some(part)) = response.chunk().await {
            body.extend_from_slice(&part[..part.len().min(MAX_ERROR_BODY - body.len())]);
            if body.len() >= MAX_ERROR_BODY {
                break;
            }
        }
    };
    let _ = tokio::time::timeout(ERROR_BODY_WITHIN, read).await;
    let detail = format!("{status}: {}", error_message(&body));
    Err(Fault { kind: kind_of(status.as_u16()), detail, retry_after })
}

/// What a status means, wherever it stands: in the response, or as the `code` of an error inside a stream.
fn kind_of(status: u16) -> FaultKind {
    match status {
        401 | 403 => FaultKind::Key,
        429 => FaultKind::Busy,
        // a proxy that wants another password says 407
        300..=399 | 407 => FaultKind::Unreachable,
        500.. => FaultKind::Broken,
        _ => FaultKind::Refused,
    }
}

/// Some providers quote the key that they refuse; a log never holds one.
fn without(key: &Hidden, mut fault: Fault) -> Fault {
    if !key.expose().is_empty() {
        fault.detail = fault.detail.replace(key.expose(), "(the key)");
    }
    fault
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
        OpenAIError::Reqwest(e) => unreachable(e),
        OpenAIError::JSONDeserialize(e, _) => Fault::new(FaultKind::Garbled, e.to_string()),
        other => Fault::new(FaultKind::Garbled, other.to_string()),
    }
}

/// `without_url`: an address may carry credentials.
fn unreachable(error: reqwest::Error) -> Fault {
    Fault::new(FaultKind::Unreachable, chain(&error.without_url()))
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
    // one at most: some servers' templates take no second one
    let system = (!ask.system.is_empty()).then(|| json!({ "role": "system", "content": ask.system }));
    let said = ask
        .messages
        .iter()
        .map(|m| json!({ "role": if m.by_model { "assistant" } else { "user" }, "content": m.text }));
    let messages: Vec<_> = system.into_iter().chain(said).collect();
    let mut body = json!({
        "model": ask.model,
        "messages": messages,
        "max_tokens": ask.max_tokens,
        "stream": true,
        "stream_options": { "include_usage": true },
    });
    if let Some(temperature) = ask.temperature {
        body["temperature"] = json!(temperature);
    }
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_status_means() {
        for (status, kind) in [
            (302, FaultKind::Unreachable),
            (400, FaultKind::Refused),
            (401, FaultKind::Key),
            (403, FaultKind::Key),
            (404, FaultKind::Refused),
            (407, FaultKind::Unreachable),
            (429, FaultKind::Busy),
            (500, FaultKind::Broken),
            (529, FaultKind::Broken),
        ] {
            assert_eq!(kind_of(status), kind, "{status}");
        }
    }

    #[test]
    fn of_an_error_only_its_message_is_kept() {
        for (body, message) in [
            (r#"{"error":{"message":"no credit","code":7}}"#, "\"no credit\""),
            (r#"{"error":"no credit"}"#, "\"no credit\""),
            (r#"{"message":"no credit"}"#, "\"no credit\""),
            (r#"{"detail":"?"}"#, "no message"),
            ("<h1>Oops</h1>", "13 bytes that are not JSON"),
        ] {
            assert_eq!(error_message(body.as_bytes()), message, "{body}");
        }
        assert_eq!(error_message(format!(r#"{{"message":"{}"}}"#, "x".repeat(1000)).as_bytes()).len(), 300);
    }

    #[test]
    fn a_key_is_not_quoted() {
        let quoted = |key: &str| without(&Hidden::from(key), Fault::new(FaultKind::Key, "not sk-1, sk-1!")).detail;
        assert_eq!(quoted("sk-1"), "not (the key), (the key)!");
        assert_eq!(quoted(""), "not sk-1, sk-1!");
    }

    #[test]
    fn what_is_asked() {
        let said = |by_model, text: &str| super::super::Said { by_model, text: text.to_owned() };
        let messages = vec![said(false, "hi"), said(true, "Hello")];
        let mut ask = Ask { model: "m".into(), system: String::new(), messages, max_tokens: 9, temperature: None };
        let mut expected = json!({
            "model": "m", "max_tokens": 9, "stream": true, "stream_options": { "include_usage": true },
            "messages": [{ "role": "user", "content": "hi" }, { "role": "assistant", "content": "Hello" }],
        });
        assert_eq!(body(&ask), expected);
        ask.system = "Be brief.".into();
        ask.temperature = Some(0.7);
        let first = json!({ "role": "system", "content": "Be brief." });
        expected["messages"].as_array_mut().unwrap().insert(0, first);
        expected["temperature"] = json!(0.7);
        assert_eq!(body(&ask), expected);
    }
}
