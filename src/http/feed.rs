//! The live feed of a chat's page, as server-sent events of HTML fragments. It belongs to the page, not to an answer:
//! it stays open until the page goes, the reader is too slow, or this process ends.

use super::{
    Web,
    auth::Me,
    extract::{Asked, Id},
    respond::Failure,
    room,
    routes::{Access, Routes},
};
use crate::{
    base::{ids::ChatId, metrics::metrics},
    domain::generation,
};
use axum::{
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse, Response},
};
use futures::{Stream, StreamExt, stream};
use rand::Rng;
use serde::Deserialize;
use std::{convert::Infallible, time::Duration};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// How often something is sent when nothing happens, so that nobody between closes the connection.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

pub fn routes(routes: Routes) -> Routes {
    routes.get("/chats/{id}/feed", Access::Member, follow)
}

#[derive(Deserialize)]
struct From {
    #[serde(default)]
    after: i64,
}

async fn follow(
    State(web): State<Web>,
    Me(viewer): Me,
    Id(chat): Id<ChatId>,
    Asked(from): Asked<From>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let (first, last) = generation::owned(&web.app, &viewer, chat).await?;
    // what a reader says it has seen last wins over where its page began
    let seen = headers.get("last-event-id").map(|v| v.to_str().ok().and_then(|v| v.parse::<i64>().ok()));
    let after = match seen {
        None => from.after,
        Some(Some(seen)) => seen,
        Some(None) => -1,
    };
    let events = if after < first - 1 || after > last {
        stream::once(async { room::reset() }).boxed()
    } else {
        let queue = web.rooms.join(&web.app, chat, after).await?;
        let gone = stream::once(async { retry() });
        follow_queue(queue, web.app.stopping.begun.clone()).chain(gone).boxed()
    };
    let mut response = Body::from_stream(events.map(Ok::<_, Infallible>)).into_response();
    let out = response.headers_mut();
    out.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    out.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    out.insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(response)
}

fn follow_queue(queue: mpsc::Receiver<Bytes>, stop: CancellationToken) -> impl Stream<Item = Bytes> {
    let counted = metrics().reader();
    stream::unfold((queue, stop, counted), |(mut queue, stop, counted)| async move {
        tokio::select! {
            fragment = queue.recv() => fragment.map(|f| (f, (queue, stop, counted))),
            () = tokio::time::sleep(KEEP_ALIVE) => Some((Bytes::from_static(b": still here\n\n"), (queue, stop, counted))),
            () = stop.cancelled() => None,
        }
    })
}

/// When to come back: not everybody at the same moment.
fn retry() -> Bytes {
    format!("retry: {}\n\n", rand::rng().random_range(300..1500)).into()
}
