//! The feed: the ordered log of a chat, and the only way anything reaches a screen by itself. It stores data, never
//! HTML. Acts append inside their transaction ([`append`]); the pieces of answers go through the [`Writer`]'s group
//! commit; readers follow through a [`Subscription`], which reads the log from a position and then goes on live.
//! What must not live here: how an event looks, and who may read.

mod bells;
mod hub;
mod listener;
mod pending;
pub mod store;
mod writer;

pub use bells::ListBell;
pub use hub::{EndWatch, Hub, Lagged, Subscription};
pub use store::{append, lock, ring_list, try_append};
pub use writer::{Lost, Stream, Writer};

use crate::base::{config, config::seconds, db::Pools, ids::MessageId};
use serde::{Deserialize, Serialize};
use std::{sync::Arc, time::Duration};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// One entry of a chat's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its number in the chat: 1, 2, 3, … without gaps.
    pub seq: i64,
    /// The answer it is about; of [`What::Title`], the chat's own id.
    pub message_id: MessageId,
    pub what: What,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// A question was asked and its answer begun; a sibling of an earlier answer has no question of its own.
    Turn { question: Option<MessageId>, parent: Option<MessageId>, asked: Option<Arc<Asked>> },
    /// The answer is made, or waits.
    State(Stands),
    /// More of the answer; `offset` bytes were before it.
    Text { offset: usize, text: Arc<str> },
    /// More of the reasoning; `offset` bytes were before it.
    Reasoning { offset: usize, text: Arc<str> },
    /// The end of the answer: exactly one. How it ended, if it ended by itself; else that is to be looked up.
    End(Option<Arc<Ended>>),
    /// The answer was taken out of the line, with its question, before it was begun.
    Removed,
    /// Another path is shown, or what is on it was changed: it is to be read anew. Names a message of it.
    Path,
    /// The chat has another title: of the chat itself, under its own id.
    Title,
    /// Made by a newer version; passed over.
    Unknown,
}

/// What was asked, and of which model. Told with a turn of few words alone, that nothing else belongs to; of others it is
/// to be looked up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    pub text: String,
    /// As in the catalog.
    pub model: String,
}

/// How an answer ended: what whoever followed it to its last word lacks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// By its name.
    pub state: String,
    /// Why, in a sentence for the person.
    pub reason: Option<String>,
    /// Whose answer it is, as in the catalog: another model may have answered than the one that was asked.
    pub model: String,
    /// Of the answer, if the provider told.
    pub tokens: Option<i64>,
}

/// Where an answer stands that has not ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stands {
    /// For a worker.
    Queued,
    /// In the making.
    Streaming,
    /// For a time to be tried again.
    Waiting,
}

#[derive(Serialize, Deserialize)]
struct TurnBody {
    question: Option<MessageId>,
    parent: Option<MessageId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    asked: Option<Asked>,
}

/// `streaming` alone is what the first version wrote and reads.
#[derive(Serialize, Deserialize)]
struct StateBody {
    streaming: bool,
    #[serde(default)]
    state: Option<Stands>,
}

fn json(body: &impl Serialize) -> String {
    serde_json::to_string(body).expect("ids, flags and texts are JSON")
}

impl What {
    /// The columns `kind`, `offset_at`, `body`.
    fn to_row(&self) -> (&'static str, Option<i32>, String) {
        let at = |offset: &usize| Some(i32::try_from(*offset).unwrap_or(i32::MAX));
        match self {
            Self::Turn { question, parent, asked } => {
                let asked = asked.as_deref().cloned();
                ("turn", None, json(&TurnBody { question: *question, parent: *parent, asked }))
            }
            Self::State(stands) => {
                let body = StateBody { streaming: *stands == Stands::Streaming, state: Some(*stands) };
                ("state", None, json(&body))
            }
            Self::Text { offset, text } => ("text", at(offset), text.to_string()),
            Self::Reasoning { offset, text } => ("reasoning", at(offset), text.to_string()),
            Self::Removed => ("removed", None, "{}".to_owned()),
            Self::Path => ("path", None, "{}".to_owned()),
            Self::Title => ("title", None, "{}".to_owned()),
            Self::End(Some(ended)) => ("end", None, json(&**ended)),
            Self::End(None) | Self::Unknown => ("end", None, "{}".to_owned()),
        }
    }

    fn from_row(kind: &str, offset: Option<i32>, body: String) -> Self {
        let offset = usize::try_from(offset.unwrap_or_default()).unwrap_or_default();
        match kind {
            "text" => Self::Text { offset, text: body.into() },
            "reasoning" => Self::Reasoning { offset, text: body.into() },
            "end" => Self::End(serde_json::from_str(&body).ok().map(Arc::new)),
            "removed" => Self::Removed,
            "path" => Self::Path,
            "title" => Self::Title,
            "turn" => serde_json::from_str(&body).map_or(Self::Unknown, |TurnBody { question, parent, asked }| {
                Self::Turn { question, parent, asked: asked.map(Arc::new) }
            }),
            "state" => serde_json::from_str(&body).map_or(Self::Unknown, |StateBody { streaming, state }| {
                Self::State(state.unwrap_or(if streaming { Stands::Streaming } else { Stands::Queued }))
            }),
            _ => Self::Unknown,
        }
    }
}

/// The feed of one process: what it writes and what it watches.
#[derive(Clone)]
pub struct Feed {
    pub hub: Arc<Hub>,
    pub writer: Writer,
}

impl Feed {
    /// Starts the writer, the reader of other processes' news, and the listener for their bells. They end with `stop`.
    #[must_use]
    pub fn start(pools: &Pools, config: &config::Feed, tasks: &TaskTracker, stop: &CancellationToken) -> Self {
        let hub = Arc::new(Hub::new(pools.http.clone()));
        let writer = Writer::start(
            pools.jobs.clone(),
            hub.clone(),
            pools.sender.clone(),
            Duration::from_millis(config.gather_ms),
            tasks,
            stop,
        );
        tasks.spawn(hub::read_news(hub.clone(), seconds(config.ring), stop.clone()));
        tasks.spawn(listener::listen(pools.listen.clone(), hub.clone(), pools.sender.clone(), stop.clone()));
        Self { hub, writer }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_and_back() {
        let id = MessageId(uuid::Uuid::from_u128(7));
        for what in [
            What::Turn { question: Some(id), parent: None, asked: None },
            What::Turn { question: None, parent: Some(id), asked: None },
            What::Turn {
                question: Some(id),
                parent: None,
                asked: Some(Arc::new(Asked { text: "\"Why?\"".into(), model: "a/b".into() })),
            },
            What::State(Stands::Streaming),
            What::State(Stands::Waiting),
            What::Removed,
            What::Path,
            What::Title,
            What::Text { offset: 12, text: "a\"b\n".into() },
            What::Reasoning { offset: 0, text: "hm".into() },
            What::End(None),
            What::End(Some(Arc::new(Ended {
                state: "completed".into(),
                reason: Some("It is long enough.".into()),
                model: "a/b".into(),
                tokens: Some(7),
            }))),
        ] {
            let (kind, offset, body) = what.to_row();
            assert_eq!(What::from_row(kind, offset, body), what);
        }
        // of the version before, and for it
        for (streaming, stands) in [(true, Stands::Streaming), (false, Stands::Queued)] {
            let old = format!("{{\"streaming\":{streaming}}}");
            assert_eq!(What::from_row("state", None, old), What::State(stands));
        }
        assert!(What::State(Stands::Waiting).to_row().2.contains("\"streaming\":false"));
        assert_eq!(What::from_row("of a newer version", None, "{}".into()), What::Unknown);
    }
}
