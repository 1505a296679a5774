//! The live feed of a page, as server-sent events of HTML fragments: of the chat that it shows, if it shows one, and of
//! the list beside it. It belongs to the page, not to an answer: it stays open until the page goes, the reader is too
//! slow, or this process ends.

use super::{
    Web,
    auth::{Here, Me},
    ended::{Hold, Pass},
    extract::{Asked, Id, list_stamp},
    respond::{self, Failure},
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
    response::Response,
};
use futures::{Stream, StreamExt, stream};
use rand::Rng;
use serde::Deserialize;
use std::{convert::Infallible, future, task::Poll, time::Duration};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// How often something is sent when nothing happens, so that nobody between closes the connection.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

pub fn routes(routes: Routes) -> Routes {
    routes.get("/feed", Access::Member, follow_list).get("/chats/{id}/feed", Access::Member, follow)
}

#[derive(Deserialize)]
struct From {
    #[serde(default)]
    after: i64,
}

async fn follow(
    State(web): State<Web>,
    Me(viewer): Me,
    Here(session): Here,
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
    if after < first - 1 || after > last {
        return Ok(events(stream::once(async { room::reset() })));
    }
    let hold = web.feeds.hold(Pass::Session(session));
    let list = web.lists.join(&web.app, &viewer, Some(chat), list_stamp(&headers)).await?;
    let room = web.rooms.join(&web.app, chat, after).await?;
    Ok(events(follow_queues(vec![room, list], web.app.stopping.begun.clone(), hold)))
}

/// The feed of a page without a chat.
async fn follow_list(
    State(web): State<Web>,
    Me(viewer): Me,
    Here(session): Here,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let hold = web.feeds.hold(Pass::Session(session));
    let list = web.lists.join(&web.app, &viewer, None, list_stamp(&headers)).await?;
    Ok(events(follow_queues(vec![list], web.app.stopping.begun.clone(), hold)))
}

fn events(events: impl Stream<Item = Bytes> + Send + 'static) -> Response {
    let mut response = respond::events(Body::from_stream(events.map(Ok::<_, Infallible>)));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// What comes by any of them, until one of them ends: then when to come back. When the session ends there is no coming
/// back, and that is the last word.
fn follow_queues(queues: Vec<mpsc::Receiver<Bytes>>, stop: CancellationToken, hold: Hold) -> impl Stream<Item = Bytes> {
    let counted = metrics().reader();
    let begun = stream::once(async { Bytes::from_static(b": here\n\n") });
    let news = stream::unfold(Some((queues, stop, hold, counted)), |open| async move {
        let (mut queues, stop, hold, counted) = open?;
        let word = tokio::select! {
            biased;
            () = hold.ended.cancelled() => return Some((respond::gone(), None)),
            () = stop.cancelled() => None,
            fragment = next(&mut queues) => fragment,
            () = tokio::time::sleep(KEEP_ALIVE) => Some(Bytes::from_static(b": still here\n\n")),
        };
        Some(match word {
            Some(word) => (word, Some((queues, stop, hold, counted))),
            None => (retry(), None),
        })
    });
    begun.chain(news)
}

async fn next(queues: &mut [mpsc::Receiver<Bytes>]) -> Option<Bytes> {
    future::poll_fn(|context| {
        queues.iter_mut().map(|queue| queue.poll_recv(context)).find(Poll::is_ready).unwrap_or(Poll::Pending)
    })
    .await
}

/// When to come back: not everybody at the same moment.
fn retry() -> Bytes {
    format!("retry: {}\n\n", rand::rng().random_range(300..1500)).into()
}
