//! `/ws`: programs, and pages of our own, that say something and hear the answers on one connection. The same acts and the same
//! log as everywhere: what was missed is asked for by its number. A program that does not read is waited for, and its answers wait
//! in the log. What must not live here: what a message or an answer is.

use super::{
    Web,
    auth::{Here, Me},
    bearer,
    ended::{Hold, Pass},
    guard::is_from_here,
    program::{self, About},
    respond::{Failure, problem::Refusal},
    routes::{Access, Routes},
};
use crate::{
    base::{
        Error,
        ids::{ChatId, MessageId},
    },
    domain::{
        accounts::{self, Viewer},
        chats,
        generation::{self, Draft, Follow, Key, Word},
        programs::{Caller, Scope},
    },
};
use axum::{
    extract::{
        FromRequestParts as _, Request, State,
        ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code},
    },
    http::header,
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
    time::Instant,
};

/// How often a silent program is asked whether it lives, and for how long it may be silent.
const PING: Duration = Duration::from_secs(20);
const SILENT: Duration = Duration::from_mins(1);
/// Words of all answers together that may wait for the program.
const QUEUE: usize = 16;
/// Answers that one connection follows at a time.
const MOST: usize = 32;
/// Of what a program sends.
const LONGEST: usize = 1024 * 1024;

pub fn routes(routes: Routes) -> Routes {
    routes.get("/ws", Access::Anyone, open)
}

/// What a program says.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "lowercase", rename_all_fields = "camelCase", deny_unknown_fields)]
enum Said {
    Message {
        conversation_id: Option<ChatId>,
        content: String,
        parent_id: Option<MessageId>,
        model: Option<String>,
        /// A UUID: said again with it, it is said once.
        key: Option<uuid::Uuid>,
    },
    Regenerate {
        message_id: MessageId,
        model: Option<String>,
    },
    Stop {
        conversation_id: ChatId,
    },
    /// Goes on with an answer after a number; without one, from its beginning.
    Follow {
        message_id: MessageId,
        after: Option<i64>,
    },
}

/// A bearer, or a cookie of a page of ours: a page of another origin sends the cookie too, but not our `Origin`.
async fn open(State(web): State<Web>, request: Request) -> Result<Response, Failure> {
    let (mut parts, _) = request.into_parts();
    let (caller, pass) = if parts.headers.contains_key(header::AUTHORIZATION) {
        let caller = match bearer::caller(&web, &parts.headers, &parts.extensions, false).await {
            Ok(caller) => caller,
            Err(refusal) => return Ok(refusal),
        };
        let pass = Pass::of(&caller);
        (caller, pass)
    } else {
        let Me(viewer) = Me::from_request_parts(&mut parts, &web).await?;
        if !is_from_here(&parts.headers) {
            return Err(Error::Forbidden.into());
        }
        let Here(session) = Here::from_request_parts(&mut parts, &web).await?;
        (Caller::in_person(viewer), Some(Pass::Session(session)))
    };
    for scope in [Scope::ChatsRead, Scope::ChatsWrite] {
        if !caller.scopes.has(scope) {
            return Ok(Refusal::no_scope(scope).into_response());
        }
    }
    let upgrade = match WebSocketUpgrade::from_request_parts(&mut parts, &web).await {
        Ok(upgrade) => upgrade.max_message_size(LONGEST).max_frame_size(LONGEST).read_buffer_size(8 * 1024),
        Err(rejection) => return Ok(rejection.into_response()),
    };
    let hold = pass.map(|pass| web.feeds.hold(pass));
    Ok(upgrade.on_upgrade(move |socket| Line::new(web, caller, hold).serve(socket)))
}

/// One connection.
struct Line {
    web: Web,
    caller: Caller,
    hold: Option<Hold>,
    words: mpsc::Sender<Value>,
    heard: mpsc::Receiver<Value>,
    following: Arc<Semaphore>,
}

impl Line {
    fn new(web: Web, caller: Caller, hold: Option<Hold>) -> Self {
        let (words, heard) = mpsc::channel(QUEUE);
        Self { web, caller, hold, words, heard, following: Arc::new(Semaphore::new(MOST)) }
    }

    /// Until the program leaves, is silent for too long, or may not any more; or this process ends.
    async fn serve(mut self, mut socket: WebSocket) {
        let ended = self.hold.as_ref().map(|hold| hold.ended.clone()).unwrap_or_default();
        let stop = self.web.app.stopping.begun.clone();
        let (mut lively, mut ping) = (Instant::now(), tokio::time::interval(PING));
        let (code, reason) = loop {
            let word = tokio::select! {
                biased;
                () = ended.cancelled() => break (close_code::POLICY, "signed out"),
                () = stop.cancelled() => break (close_code::RESTART, "the server restarts: come back"),
                Some(word) = self.heard.recv() => Message::text(word.to_string()),
                came = socket.recv() => {
                    lively = Instant::now();
                    match came {
                        Some(Ok(Message::Text(text))) => match self.hear(&text).await {
                            Ok(()) => continue,
                            Err(error) => Message::text(error.to_string()),
                        },
                        Some(Ok(Message::Binary(_))) => Message::text(wrong("Send text, not bytes.").to_string()),
                        Some(Ok(Message::Ping(_) | Message::Pong(_))) => continue,
                        Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                    }
                }
                _ = ping.tick() => {
                    if lively.elapsed() > SILENT {
                        return;
                    }
                    Message::Ping(bytes::Bytes::new())
                }
            };
            // a program that does not read: whoever waits longer than it may be silent leaves
            match tokio::time::timeout(SILENT, socket.send(word)).await {
                Ok(Ok(())) => {}
                _ => return,
            }
        };
        let frame = CloseFrame { code, reason: reason.into() };
        let _ = tokio::time::timeout(Duration::from_secs(1), socket.send(Message::Close(Some(frame)))).await;
    }

    /// Does what was said.
    async fn hear(&self, text: &str) -> Result<(), Value> {
        let said = serde_json::from_str(text).map_err(|error| {
            let words = error.to_string();
            let field = words.split('`').nth(1).filter(|_| error.is_data()).map(|field| format!(" See `{field}`."));
            wrong(&format!("This is no message that is understood here.{}", field.unwrap_or_default()))
        })?;
        let app = &self.web.app;
        let done = async {
            // as they are now: another role, or none any more
            let user = accounts::get(&app.pools.http, self.caller.viewer.id).await?.ok_or(Error::Unauthenticated)?;
            let viewer = &Viewer::from(&user);
            // before anything is said that could not be heard
            let permit = self.following.clone().try_acquire_owned();
            let full = |_| Error::Conflict(format!("{MOST} answers are followed here already."));
            let (permit, answer) = match said {
                Said::Message { conversation_id, content, parent_id, model, key } => {
                    let is_chats_model = model.is_none();
                    let model = match (model, conversation_id) {
                        (Some(model), _) => model,
                        (None, Some(chat)) => chats::model_of(app, viewer, chat).await?,
                        (None, None) => return Err(Error::invalid("model", "Name a model.")),
                    };
                    let key = key.map(|id| Key { id, strict: true });
                    let (permit, parent) = (permit.map_err(full)?, parent_id);
                    let draft = Draft { content, model, is_chats_model, parent, files: Vec::new(), key };
                    (permit, generation::send(app, viewer, conversation_id, &draft).await?.sent.answer)
                }
                Said::Regenerate { message_id, model } => {
                    let permit = permit.map_err(full)?;
                    (permit, generation::regenerate(app, viewer, message_id, model.as_deref(), None).await?.answer)
                }
                Said::Stop { conversation_id } => {
                    generation::stop_all(app, viewer, conversation_id).await?;
                    return Ok(None);
                }
                Said::Follow { message_id, after } => {
                    let follow = generation::follow(app, viewer, message_id, after).await?;
                    return Ok(Some((permit.map_err(full)?, follow)));
                }
            };
            Ok(Some((permit, generation::follow(app, viewer, answer, None).await?)))
        };
        if let Some((permit, follow)) = done.await.map_err(|error: Error| told(&error))? {
            self.tell(permit, follow);
        }
        Ok(())
    }

    /// Sends the words of an answer as they come.
    fn tell(&self, permit: OwnedSemaphorePermit, follow: Follow) {
        let about = About { chat: follow.chat, answer: follow.answer };
        let (mut words, out) = (program::words(follow), self.words.clone());
        tokio::spawn(async move {
            let _permit = permit;
            let mut done = false;
            loop {
                let batch = tokio::select! { batch = words.recv() => batch, () = out.closed() => return };
                let Some(batch) = batch else { break };
                let numbers: Vec<_> = batch.iter().map(|(seq, _)| *seq).collect();
                for (place, (seq, word)) in batch.into_iter().enumerate() {
                    done = matches!(word, Word::Done(_));
                    // of those that share a number the last has it: whoever heard it heard all
                    let seq = if numbers.get(place + 1) == Some(&seq) { seq - 1 } else { seq };
                    if out.send(program::message(seq, &word, about)).await.is_err() {
                        return;
                    }
                }
            }
            if !done {
                let lost = json!({ "type": "error", "error": "Too slow: follow it again after the last number.",
                    "conversationId": about.chat, "messageId": about.answer });
                let _ = out.send(lost).await; // the program has left
            }
        });
    }
}

fn wrong(sentence: &str) -> Value {
    json!({ "type": "error", "error": sentence })
}

/// An act's error, in a sentence for people.
fn told(error: &Error) -> Value {
    if let Error::Internal(cause) = error {
        tracing::error!("{cause:#}");
    }
    let sentence = match error {
        Error::NotFound => "There is no such thing here.".to_owned(),
        Error::Unavailable(_) => "The database does not answer for the moment. Try again.".to_owned(),
        Error::Unauthenticated | Error::Forbidden | Error::Internal(_) => "Something went wrong. Try again.".to_owned(),
        error => super::respond::sentence(error),
    };
    wrong(&sentence)
}

#[cfg(test)]
mod tests {
    use super::Said;

    #[test]
    fn what_is_understood() {
        let id = "01890a5d-ac96-774b-bcce-b302099a8057";
        for (text, fine) in [
            (format!(r#"{{"type":"message","conversationId":"{id}","content":"hi"}}"#), true),
            (format!(r#"{{"type":"message","content":"hi","model":"a/b","parentId":"{id}"}}"#), true),
            (format!(r#"{{"type":"stop","conversationId":"{id}"}}"#), true),
            (format!(r#"{{"type":"follow","messageId":"{id}","after":7}}"#), true),
            (format!(r#"{{"type":"regenerate","messageId":"{id}"}}"#), true),
            (r#"{"type":"message","content":"hi","role":"system"}"#.to_owned(), false),
            (r#"{"type":"delete"}"#.to_owned(), false),
            (r#"{"type":"stop"}"#.to_owned(), false),
            ("hi".to_owned(), false),
        ] {
            assert_eq!(serde_json::from_str::<Said>(&text).is_ok(), fine, "{text}");
        }
    }
}
