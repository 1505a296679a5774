//! The page held open, for browsers without JavaScript: a chat's page up to the running answer, then its blocks as they
//! are finished, then the rest of the page.

use super::chats::chat_page;
use crate::{
    domain::{
        accounts::Viewer,
        feed::{Stands, Subscription, What},
        generation::{self, Shown, State, Thread},
    },
    http::{Web, ended::Hold, present::Composing, respond::Failure},
    markdown,
    views::{LIVE_MARK, live_end, text},
};
use axum::{
    body::{Body, Bytes},
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use std::{convert::Infallible, time::Duration};
use tokio::{sync::mpsc, time::Instant};

/// White space is sent so often, so that nobody between closes the connection.
const KEEP_ALIVE: Duration = Duration::from_secs(10);
/// Then the page ends and leads to itself.
const LONGEST: Duration = Duration::from_mins(10);

/// The page, held open until the answer in it ends.
///
/// # Errors
/// As the page itself.
pub async fn hold_open(
    web: &Web,
    viewer: &Viewer,
    mut thread: Thread,
    running: Shown,
    hold: Hold,
) -> Result<Response, Failure> {
    let mut stream = markdown::Stream::new(&running.id.to_string());
    stream.push(&running.text, Duration::ZERO);
    if let Some(shown) = thread.messages.iter_mut().find(|m| m.id == running.id) {
        shown.html = Some(stream.settled());
    }
    let page = chat_page(web, viewer, &thread, Composing::default(), true).await?.render();
    let (before, after) = page.split_once(LIVE_MARK).unwrap_or((&page, ""));
    let (before, after) = (Bytes::from(before.to_owned()), Bytes::from(after.to_owned()));
    let events = web.app.feed.hub.subscribe(thread.chat.id, thread.after).await?;
    let (sender, queue) = mpsc::channel(16);
    let held = Held { web: web.clone(), running, stream, events, sender, hold };
    web.app.tasks.spawn(async move {
        if held.sender.send(before).await.is_ok() {
            held.run(after).await;
        }
    });
    let body = tokio_stream::wrappers::ReceiverStream::new(queue);
    let mut response = Body::from_stream(futures::StreamExt::map(body, Ok::<_, Infallible>)).into_response();
    let out = response.headers_mut();
    out.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    out.insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(response)
}

struct Held {
    web: Web,
    running: Shown,
    stream: markdown::Stream,
    events: Subscription,
    sender: mpsc::Sender<Bytes>,
    hold: Hold,
}

/// What is said of an answer that is over, or put off.
fn how_it_ended(answer: Shown) -> String {
    let plain = match answer.state {
        Some(State::Completed) => text::HELD_COMPLETE,
        Some(State::Stopped) => text::HELD_STOPPED,
        Some(State::Waiting) => text::HELD_WAITS,
        _ => text::HELD_OVER,
    };
    answer.reason.unwrap_or_else(|| plain.to_owned())
}

/// Why the page is no longer held open.
enum End {
    /// The answer is over, or waits to be tried again.
    Over,
    /// It goes on, but this page does not.
    Later,
    /// Nobody reads it any more.
    Gone,
    /// The session has ended.
    Ended,
}

impl Held {
    async fn run(mut self, after: Bytes) {
        let sentence = match self.follow().await {
            End::Gone => return,
            End::Over => {
                let shown =
                    generation::shown(&self.web.app, self.running.chat, &[self.running.id]).await.unwrap_or_default();
                let rest = self.stream.settled_rest();
                let _ = self.sender.send(rest.into()).await;
                shown.into_iter().next().map_or_else(|| text::HELD_OVER.to_owned(), how_it_ended)
            }
            End::Later => text::HELD_LATER.to_owned(),
            End::Ended => text::SESSION_ENDED.to_owned(),
        };
        let end = live_end(&sentence, &format!("/chats/{}", self.running.chat));
        let _ = self.sender.send(end.into()).await;
        let _ = self.sender.send(after).await;
    }

    async fn follow(&mut self) -> End {
        let began = Instant::now();
        loop {
            let batch = tokio::select! {
                biased;
                () = self.hold.ended.cancelled() => return End::Ended,
                batch = self.events.next() => match batch {
                    Ok(Ok(batch)) => batch,
                    _ => return End::Later,
                },
                () = tokio::time::sleep(KEEP_ALIVE) => Vec::new(),
                () = self.web.app.stopping.begun.cancelled() => return End::Later,
            };
            let quiet = batch.is_empty();
            for event in batch.into_iter().filter(|e| e.message_id == self.running.id) {
                match event.what {
                    What::Text { offset, text } => {
                        let known = self.stream.text().len().saturating_sub(offset);
                        self.stream.push(text.get(known..).unwrap_or_default(), began.elapsed());
                    }
                    What::End(_) | What::State(Stands::Waiting) => return End::Over,
                    _ => {}
                }
            }
            let settled = if quiet { " ".to_owned() } else { self.stream.settled() };
            if !settled.is_empty() && self.sender.send(settled.into()).await.is_err() {
                return End::Gone;
            }
            if began.elapsed() > LONGEST {
                return End::Later;
            }
        }
    }
}
