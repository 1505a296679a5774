//! The yardstick: what axum and reqwest cost at least. The body is forwarded unparsed, the answer as its bytes come.

use crate::provider::listen;
use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};

#[derive(Clone)]
struct Upstream {
    http: reqwest::Client,
    url: String,
}

/// Serves until it is killed; prints its port.
pub async fn serve(provider: &str) -> anyhow::Result<()> {
    let upstream = Upstream { http: crate::client::http()?, url: format!("{provider}/v1/chat/completions") };
    listen(Router::new().route("/v1/chat/completions", post(forward)).with_state(upstream)).await
}

async fn forward(State(upstream): State<Upstream>, body: Bytes) -> Response {
    let request = upstream.http.post(&upstream.url).header(header::CONTENT_TYPE, "application/json").body(body);
    match request.send().await {
        Ok(answer) => {
            let head = (answer.status(), [(header::CONTENT_TYPE, "text/event-stream")]);
            (head.0, head.1, Body::from_stream(answer.bytes_stream())).into_response()
        }
        Err(_) => StatusCode::BAD_GATEWAY.into_response(),
    }
}
