//! The fake provider: streams like OpenAI's chat completions, and tells when it got a request and sent its first chunk.

use crate::shape::Shape;
use axum::{
    Json, Router,
    body::{Body, Bytes},
    extract::{Path, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
    serve::ListenerExt,
};
use futures::{StreamExt, stream};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    convert::Infallible,
    fmt::Write as _,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};
use tokio::time::Instant;

/// When a request came and when its first content went, in nanoseconds of the machine's clock.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct Sent {
    pub received: u128,
    pub first: u128,
}

type Log = Arc<Mutex<HashMap<String, Sent>>>;

#[derive(Deserialize)]
struct Ask {
    model: String,
    messages: Vec<Said>,
    #[serde(default)]
    stream: bool,
    stream_options: Option<Value>,
}

#[derive(Deserialize)]
struct Said {
    content: String,
}

/// Nanoseconds of the machine's clock, which all processes of a run share.
#[expect(clippy::disallowed_methods, reason = "a measurement; nothing of the product")]
pub fn now() -> u128 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_nanos()
}

/// The last word of a question names it.
pub fn tag(question: &str) -> &str {
    question.split_whitespace().next_back().unwrap_or_default()
}

/// Serves until it is killed; prints its port.
pub async fn serve(models: Vec<String>) -> anyhow::Result<()> {
    let list: Vec<_> = models.iter().map(|id| json!({ "id": id, "object": "model" })).collect();
    let list = json!({ "object": "list", "data": list });
    let app = Router::new()
        .route(
            "/v1/models",
            get({
                let list = list.clone();
                move || std::future::ready(Json(list.clone()))
            }),
        )
        .route("/v1/chat/completions", post(complete))
        // one that lists the same models, and answers nothing
        .route("/failing/models", get(move || std::future::ready(Json(list.clone()))))
        .route("/failing/chat/completions", post(|| std::future::ready(StatusCode::BAD_GATEWAY)))
        .route("/sent/{tag}", get(sent))
        .with_state(Log::default());
    listen(app).await
}

/// Serves on a free port of this machine only, and prints it.
pub async fn listen(app: Router) -> anyhow::Result<()> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?.port());
    let listener = listener.tap_io(|io| {
        let _ = io.set_nodelay(true);
    });
    Ok(axum::serve(listener, app).await?)
}

async fn sent(State(log): State<Log>, Path(tag): Path<String>) -> Json<Option<Sent>> {
    Json(log.lock().expect("nothing panics while holding it").get(&tag).copied())
}

async fn complete(State(log): State<Log>, Json(ask): Json<Ask>) -> Response {
    let received = now();
    let Ok(shape) = ask.model.parse::<Shape>() else { return StatusCode::NOT_FOUND.into_response() };
    let tag = tag(ask.messages.last().map_or("", |m| &m.content)).to_owned();
    if !ask.stream {
        return Json(whole(&ask.model, &shape.answer(&tag))).into_response();
    }
    let usage = ask.stream_options.is_some_and(|o| o["include_usage"] == true);
    let events = events(&ask.model, &shape.answer(&tag), usage);
    // answers that begin together do not beat together
    let began = Instant::now() + shape.delay + shape.phase(&tag);
    let body = stream::iter(events.into_iter().enumerate()).then(move |(n, event)| {
        let (log, tag) = (log.clone(), tag.clone());
        async move {
            let ahead = u32::try_from(n.saturating_sub(1)).unwrap_or(u32::MAX);
            if n > 0 && shape.delay + shape.pace > Duration::ZERO {
                tokio::time::sleep_until(began + shape.pace * ahead).await;
            }
            if n == 1 {
                let sent = Sent { received, first: now() };
                log.lock().expect("nothing panics while holding it").insert(tag, sent);
            }
            Ok::<_, Infallible>(event)
        }
    });
    ([(header::CONTENT_TYPE, "text/event-stream")], Body::from_stream(body)).into_response()
}

/// An answer that was not asked to stream, at once.
fn whole(model: &str, chunks: &[String]) -> Value {
    let choice = json!({ "index": 0, "finish_reason": "stop", "logprobs": null,
        "message": { "role": "assistant", "content": chunks.concat(), "refusal": null } });
    json!({ "id": "chatcmpl-AbCdEfGhIjKlMnOpQrStUvWxYz012", "object": "chat.completion", "created": 1_760_000_000, "model": model,
        "choices": [choice], "usage": { "prompt_tokens": 20, "completion_tokens": chunks.len(), "total_tokens": chunks.len() + 20 } })
}

/// The role, each chunk, and the end with its usage as the last event.
fn events(model: &str, chunks: &[String], usage: bool) -> Vec<Bytes> {
    let tail = if usage { r#","usage":null"# } else { "" };
    let event = |delta: &str, finish: &str| {
        format!(
            "data: {{\"id\":\"chatcmpl-AbCdEfGhIjKlMnOpQrStUvWxYz012\",\"object\":\"chat.completion.chunk\",\
             \"created\":1760000000,\"model\":\"{model}\",\"service_tier\":\"default\",\"system_fingerprint\":\
             \"fp_0123456789\",\"choices\":[{{\"index\":0,\"delta\":{delta},\"logprobs\":null,\
             \"finish_reason\":{finish}}}]{tail}}}\n\n"
        )
    };
    let mut events = vec![Bytes::from(event(r#"{"role":"assistant","content":"","refusal":null}"#, "null"))];
    events.extend(
        chunks
            .iter()
            .map(|chunk| Bytes::from(event(&format!("{{\"content\":{}}}", Value::from(chunk.as_str())), "null"))),
    );
    let mut end = event("{}", "\"stop\"");
    if usage {
        let count = chunks.len();
        write!(
            end,
            "data: {{\"id\":\"chatcmpl-AbCdEfGhIjKlMnOpQrStUvWxYz012\",\"object\":\"chat.completion.chunk\",\"created\":\
             1760000000,\"model\":\"{model}\",\"choices\":[],\"usage\":{{\"prompt_tokens\":20,\"completion_tokens\":{count},\
             \"total_tokens\":{}}}}}\n\n",
            count + 20
        )
        .expect("a String takes everything");
    }
    end.push_str("data: [DONE]\n\n");
    events.push(end.into());
    events
}
