//! What programs send to a model: longer than other bodies, since images come in it, so the memory for all of them is bounded.

use crate::{
    app::{App, SHOWING},
    http::respond::problem::Refusal,
};
use axum::{
    body::to_bytes,
    extract::Request,
    http::{HeaderMap, StatusCode, header},
};
use bytes::Bytes;
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;

const MB: usize = 1024 * 1024;
/// So long a long request waits for room.
const PATIENCE: Duration = Duration::from_secs(10);

/// A body, and the room that it takes until it is dropped.
pub struct Body {
    pub bytes: Bytes,
    _room: Option<OwnedSemaphorePermit>,
}

impl Body {
    /// One of JSON.
    pub async fn json(app: &App, request: Request) -> Result<Self, Refusal> {
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        if !kind.trim_start().to_ascii_lowercase().starts_with("application/json") {
            return Err(Refusal::not_json());
        }
        Self::read(app, request).await
    }

    /// Any.
    pub async fn read(app: &App, request: Request) -> Result<Self, Refusal> {
        let most = app.config.gateway.max_body_mb * MB;
        let length = length(request.headers()).unwrap_or(most);
        if length > most {
            return Err(Refusal::too_large());
        }
        let room = if length > MB {
            let room = u32::try_from(length / MB + 1).unwrap_or(SHOWING).min(SHOWING);
            let permit = tokio::time::timeout(PATIENCE, app.passing.clone().acquire_many_owned(room)).await;
            let full =
                || Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "Too much is coming at this moment. Try again.");
            Some(permit.ok().and_then(Result::ok).ok_or_else(full)?)
        } else {
            None
        };
        let read = tokio::time::timeout(
            Duration::from_secs(app.config.server.upload_timeout),
            to_bytes(request.into_body(), most),
        );
        match read.await {
            Ok(Ok(bytes)) => Ok(Self { bytes, _room: room }),
            Ok(Err(error)) if error.to_string().contains("length limit") => Err(Refusal::too_large()),
            _ => Err(Refusal::unreadable()),
        }
    }
}

fn length(headers: &HeaderMap) -> Option<usize> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}
