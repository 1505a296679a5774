//! The provider: chat completions over real HTTP, answered as the question says (`script.rs`). It keeps every request.

use super::{
    record::{Record, Request},
    script::{End, Script},
};
use axum::{
    Json, Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use rand::{Rng, SeedableRng, rngs::StdRng};
use serde_json::{Value, json};
use std::{io, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{net::TcpListener, sync::mpsc};

pub const MODEL: &str = "openai/chaos-1";
/// How long a stalled answer keeps its connection, which is longer than any worker bears.
const STALLED: Duration = Duration::from_mins(2);

/// Starts it; it lives as long as the run.
pub async fn start(record: Arc<Record>) -> anyhow::Result<SocketAddr> {
    let models = || async { Json(json!({ "object": "list", "data": [{ "id": "chaos-1" }] })) };
    let router =
        Router::new().route("/v1/models", get(models)).route("/v1/chat/completions", post(complete)).with_state(record);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(address)
}

async fn complete(State(record): State<Arc<Record>>, headers: HeaderMap, Json(body): Json<Value>) -> Response {
    let key = headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let said = body["messages"].as_array().map(Vec::as_slice).unwrap_or_default();
    // to go on with a cut answer, there is a request to do so after the question
    let asked = said.iter().filter(|m| m["role"] == "user").filter_map(|m| m["content"].as_str());
    let Some(script) = asked.filter_map(Script::read).next_back() else {
        record.violation("N2", &format!("the provider was asked something that nobody asked: {body}"));
        return StatusCode::BAD_REQUEST.into_response();
    };
    let request = record.asked(|number| {
        let (reasoning, text) = script.answer(number);
        let key = key.trim_start_matches("Bearer ").to_owned();
        Request { number, question: script.number, key, reasoning, text, whole: false, began: false }
    });
    match script.end {
        End::Busy => {
            let body = Json(json!({ "error": { "message": "too many requests" } }));
            (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, "1")], body).into_response()
        }
        End::Broken => {
            let body = Json(json!({ "error": { "message": "an error of its own" } }));
            (StatusCode::INTERNAL_SERVER_ERROR, body).into_response()
        }
        _ => {
            let (sender, receiver) = mpsc::channel(1);
            tokio::spawn(play(record, script, request, sender));
            let body = Body::from_stream(tokio_stream::wrappers::ReceiverStream::new(receiver));
            ([(header::CONTENT_TYPE, "text/event-stream")], body).into_response()
        }
    }
}

/// Where an answer breaks off, in characters of its text.
fn breaks_at(end: End) -> usize {
    match end {
        End::Cut(at) | End::Stall(at) => at,
        _ => usize::MAX,
    }
}

async fn play(record: Arc<Record>, script: Script, request: Request, to: mpsc::Sender<io::Result<Bytes>>) {
    let chunk = |delta: Value, finish: Option<&str>| json!({ "id": "c", "object": "chat.completion.chunk", "choices": [{ "index": 0, "delta": delta, "finish_reason": finish }] });
    let mut rng = StdRng::seed_from_u64(request.number);
    let mut pieces: Vec<Value> = Vec::new();
    for piece in cut(&request.reasoning, usize::MAX, &mut rng) {
        pieces.push(chunk(json!({ "reasoning_content": piece }), None));
    }
    for piece in cut(&request.text, breaks_at(script.end), &mut rng) {
        pieces.push(chunk(json!({ "content": piece }), None));
    }
    let send = async |data: &str| to.send(Ok(format!("data: {data}\n\n").into())).await.is_ok();
    for piece in pieces {
        record.began(request.number);
        if !send(&piece.to_string()).await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(script.pace)).await;
    }
    match script.end {
        End::Stall(_) => return drop(tokio::time::timeout(STALLED, to.closed()).await),
        End::Cut(_) => return drop(to.send(Err(io::ErrorKind::ConnectionReset.into())).await),
        End::Unfinished => return,
        _ => {}
    }
    record.answered_whole(request.number);
    let usage =
        json!({ "choices": [], "usage": { "prompt_tokens": request.number + 1, "completion_tokens": script.words } });
    let rest = [chunk(json!({}), Some("stop")).to_string(), usage.to_string(), "[DONE]".to_owned()];
    for data in rest {
        if !send(&data).await {
            return;
        }
    }
}

/// The first so many characters in pieces of any length.
fn cut(text: &str, most: usize, rng: &mut StdRng) -> Vec<String> {
    let chars: Vec<char> = text.chars().take(most).collect();
    let mut pieces = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        let end = (at + rng.random_range(1..40)).min(chars.len());
        pieces.push(chars[at..end].iter().collect());
        at = end;
    }
    pieces
}
