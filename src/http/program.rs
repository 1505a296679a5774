//! An answer as programs hear it: as server-sent events of `/api`, or as messages of `/ws`. What must not live here: what is said
//! of an answer (domain/generation/follow.rs).

use super::{
    Web,
    ended::{Hold, Pass},
    respond,
};
use crate::{
    base::ids::{ChatId, MessageId},
    domain::{
        generation::{Follow, Word},
        programs::Caller,
    },
};
use axum::{body::Body, response::Response};
use bytes::Bytes;
use futures::stream;
use serde_json::{Value, json};
use std::{convert::Infallible, fmt::Write as _, time::Duration};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// How often something is sent when nothing happens.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Which answer it is.
#[derive(Clone, Copy)]
pub struct About {
    pub chat: ChatId,
    pub answer: MessageId,
}

/// A word as an event of `/api`.
fn data(word: &Word, about: About) -> Value {
    let (kind, data) = match word {
        Word::Token(text) => ("token", json!({ "content": text })),
        Word::Reasoning(text) => ("reasoning", json!({ "content": text })),
        Word::Stands(stands) => ("state", json!({ "state": stands })),
        Word::Used { prompt, completion } => ("usage", json!({ "prompt": prompt, "completion": completion })),
        Word::Fault(sentence) => ("error", json!({ "message": sentence })),
        Word::Done(state) => ("done", json!({ "messageId": about.answer, "state": state.name() })),
    };
    json!({ "type": kind, "data": data })
}

/// A word as a message of `/ws`.
pub fn message(seq: i64, word: &Word, about: About) -> Value {
    let mut message = match word {
        Word::Token(text) => json!({ "type": "token", "content": text }),
        Word::Reasoning(text) => json!({ "type": "reasoning", "content": text }),
        Word::Stands(stands) => json!({ "type": "state", "state": stands }),
        Word::Used { prompt, completion } => json!({ "type": "usage", "prompt": prompt, "completion": completion }),
        Word::Fault(sentence) => json!({ "type": "error", "error": sentence }),
        Word::Done(state) => json!({ "type": "message_complete", "state": state.name() }),
    };
    message["conversationId"] = json!(about.chat);
    message["messageId"] = json!(about.answer);
    message["seq"] = json!(seq);
    message
}

/// Words as server-sent events. Of those that share a number the last has it as its `id`: whoever saw it saw all.
fn written(words: &[(i64, Word)], about: About) -> Bytes {
    let mut text = String::new();
    for (place, (seq, word)) in words.iter().enumerate() {
        if words.get(place + 1).is_none_or(|(next, _)| next != seq) {
            let _ = writeln!(text, "id: {seq}"); // a String takes everything
        }
        let _ = write!(text, "data: {}\n\n", data(word, about));
    }
    text.into()
}

/// Batches of words that may wait for a program; when they do, the answer waits in the log.
const QUEUE: usize = 16;

/// The words of an answer as they come, until they are over or the receiver is dropped. A task of its own, since none of its
/// steps may be cut short.
pub fn words(follow: Follow) -> mpsc::Receiver<Vec<(i64, Word)>> {
    let (sender, receiver) = mpsc::channel(QUEUE);
    tokio::spawn(async move {
        let mut follow = follow;
        while !sender.is_closed() {
            match follow.next(sender.closed()).await {
                Ok(Some(words)) => {
                    if sender.send(words).await.is_err() {
                        return;
                    }
                }
                Ok(None) => return,
                Err(error) => {
                    tracing::warn!(%error, "an answer could not be followed");
                    return;
                }
            }
        }
    });
    receiver
}

/// An answer as it comes. It ends without its last word when the program is to come back by the last number.
pub fn events(web: &Web, caller: &Caller, follow: Follow) -> Response {
    let hold = Pass::of(caller).map(|pass| web.feeds.hold(pass));
    let ended = hold.as_ref().map(|hold| hold.ended.clone()).unwrap_or_default();
    let about = About { chat: follow.chat, answer: follow.answer };
    let open = Open { words: words(follow), about, ended, _hold: hold, stop: web.app.stopping.begun.clone() };
    let events = stream::unfold(open, |mut open| async move {
        let bytes = open.next().await?;
        Some((Ok::<_, Infallible>(bytes), open))
    });
    respond::events(Body::from_stream(events))
}

struct Open {
    words: mpsc::Receiver<Vec<(i64, Word)>>,
    about: About,
    /// Cancelled when what the program came in with has ended.
    ended: CancellationToken,
    _hold: Option<Hold>,
    stop: CancellationToken,
}

impl Open {
    async fn next(&mut self) -> Option<Bytes> {
        tokio::select! {
            biased;
            () = self.ended.cancelled() => None,
            () = self.stop.cancelled() => None,
            words = self.words.recv() => Some(written(&words?, self.about)),
            () = tokio::time::sleep(KEEP_ALIVE) => Some(Bytes::from_static(b": still here\n\n")),
        }
    }
}
