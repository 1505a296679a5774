//! Messages, and answers as they come.

use super::{body::Body, problem, time};
use crate::{
    base::{
        Error,
        crypto::sha256,
        ids::{ChatId, FileId, MessageId},
    },
    domain::{
        chats,
        generation::{self, Draft, Key, Reworded, Shown},
        programs::{Caller, Scope},
    },
    http::{
        Web,
        extract::Id,
        program,
        respond::{Failure, counted},
        routes::{Access, Routes},
    },
};
use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

pub fn routes(routes: Routes) -> Routes {
    let (read, write) = (Access::Bearer(Some(Scope::ChatsRead)), Access::Bearer(Some(Scope::ChatsWrite)));
    routes
        .get("/api/messages/{id}", read, show)
        .patch("/api/messages/{id}", write, edit)
        .delete("/api/messages/{id}", write, delete)
        .post("/api/messages/{id}/regenerate", write, regenerate)
        .post("/api/messages/{id}/stop", write, stop)
}

/// Who said something.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Author {
    User,
    Assistant,
}

/// A file of a message.
#[derive(Serialize, ToSchema)]
pub struct AttachedFile {
    id: FileId,
    name: String,
}

/// A message.
#[derive(Serialize, ToSchema)]
pub struct Message {
    pub id: MessageId,
    pub conversation_id: ChatId,
    /// What it follows; null at the beginning.
    pub parent_id: Option<MessageId>,
    pub role: Author,
    /// Of an answer that is being made: what it has so far.
    pub content: String,
    /// What was thought before, if the model tells.
    pub reasoning: String,
    /// Of an answer: `lined`, `queued`, `streaming`, `waiting`, `completed`, `stopped`, `interrupted` or `failed`.
    pub state: Option<&'static str>,
    /// Why it ended or waits, for people.
    pub reason: Option<String>,
    /// `provider/name` of the model that answered.
    pub model: Option<String>,
    pub files: Vec<AttachedFile>,
    #[schema(format = DateTime)]
    pub created_at: String,
}

pub fn told(shown: Shown) -> Message {
    let file = |file: crate::domain::files::Attached| AttachedFile { id: file.id, name: file.name };
    Message {
        id: shown.id,
        conversation_id: shown.chat,
        parent_id: shown.parent,
        role: if shown.by_model { Author::Assistant } else { Author::User },
        content: shown.text,
        reasoning: shown.reasoning,
        state: shown.state.map(generation::State::name),
        reason: shown.reason,
        model: Some(shown.model).filter(|model| !model.is_empty()),
        files: shown.images.into_iter().map(file).collect(),
        created_at: time(shown.created_at),
    }
}

/// What was said, and the answer that is begun.
#[derive(Serialize, ToSchema)]
pub struct Turn {
    pub message: Message,
    pub answer: Message,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MessageBody {
    /// Markdown.
    #[schema(max_length = 100_000)]
    pub content: String,
    /// `provider/name`; without it, that of the conversation.
    pub model: Option<String>,
    /// What it follows; without it, the end of the path that is shown.
    pub parent_id: Option<MessageId>,
    /// Files that go along: see `POST /api/upload`.
    #[serde(default)]
    #[schema(max_items = 10)]
    pub files: Vec<FileId>,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "for the document alone")]
pub struct Keyed {
    /// Sent again with the same key, the same message is said once. Another one under it is refused. Kept for a day.
    #[param(rename = "Idempotency-Key", max_length = 255)]
    idempotency_key: Option<String>,
    /// With `Accept: text/event-stream`: the `id` of the last event that came.
    #[param(rename = "Last-Event-ID")]
    last_event_id: Option<i64>,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "for the document alone")]
pub struct Resumed {
    /// With `Accept: text/event-stream`: the `id` of the last event that came.
    #[param(rename = "Last-Event-ID")]
    last_event_id: Option<i64>,
}

/// The key that a request is sent under.
pub fn key(headers: &HeaderMap) -> Result<Option<Key>, Error> {
    let Some(key) = headers.get("idempotency-key") else { return Ok(None) };
    if key.is_empty() || key.len() > 255 {
        return Err(Error::invalid("Idempotency-Key", "A key has 1 to 255 characters."));
    }
    let hash = sha256(key.as_bytes());
    let half = hash[..16].try_into().expect("a half of 32 bytes");
    Ok(Some(Key { id: uuid::Builder::from_custom_bytes(half).into_uuid(), strict: true }))
}

pub async fn draft(
    web: &Web,
    caller: &Caller,
    chat: ChatId,
    said: MessageBody,
    headers: &HeaderMap,
) -> Result<Draft, Failure> {
    let is_chats_model = said.model.is_none();
    let model = match said.model.clone() {
        Some(model) => model,
        None => chats::model_of(&web.app, &caller.viewer, chat).await?,
    };
    let key = key(headers)?;
    let MessageBody { content, parent_id: parent, files, .. } = said;
    Ok(Draft { content, model, is_chats_model, parent, files, key })
}

pub fn wants_events(headers: &HeaderMap) -> bool {
    let accepted = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    accepted.split(',').any(|kind| kind.split(';').next().unwrap_or_default().trim() == "text/event-stream")
}

/// What a program says that it saw last; what is no number is one that no log has.
fn last_seen(headers: &HeaderMap) -> Option<i64> {
    headers.get("last-event-id").map(|id| id.to_str().ok().and_then(|id| id.parse().ok()).unwrap_or(-1))
}

/// Before anything is said: whether the log of a chat has what the program says that it saw.
pub async fn check_last_seen(web: &Web, caller: &Caller, chat: ChatId, headers: &HeaderMap) -> Result<(), Failure> {
    let Some(seen) = last_seen(headers).filter(|_| wants_events(headers)) else { return Ok(()) };
    let (first, last) = generation::owned(&web.app, &caller.viewer, chat).await?;
    if (first - 1..=last).contains(&seen) {
        return Ok(());
    }
    let sentence =
        "Last-Event-ID is no number of this conversation. Leave it out, and the answer comes from its beginning.";
    Err(Error::Conflict(sentence.to_owned()).into())
}

/// An answer as it comes, after the event that came last.
pub async fn events(web: &Web, caller: &Caller, answer: MessageId, headers: &HeaderMap) -> Result<Response, Failure> {
    let follow = generation::follow(&web.app, &caller.viewer, answer, last_seen(headers)).await?;
    Ok(program::events(web, caller, follow))
}

/// A message. With `Accept: text/event-stream`, an answer as it comes.
#[utoipa::path(get, path = "/api/messages/{id}", tag = "messages", params(problem::ById, Resumed),
    security(("bearer" = ["chats:read"])),
    responses((status = 200, content((Message = "application/json"), (String = "text/event-stream"))),
        problem::Common, problem::NotThere, problem::Conflict))]
async fn show(
    State(web): State<Web>,
    caller: Caller,
    Id(id): Id<MessageId>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    if wants_events(&headers) {
        return events(&web, &caller, id, &headers).await;
    }
    Ok(Json(told(generation::message(&web.app, &caller.viewer, id).await?)).into_response())
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MessageChange {
    #[schema(max_length = 100_000)]
    content: String,
    /// Whether a question is asked, of the model of the conversation.
    #[serde(default = "yes")]
    answer: bool,
}

fn yes() -> bool {
    true
}

/// Says a message otherwise: another one beside it. What was said stays, with what follows it.
#[utoipa::path(patch, path = "/api/messages/{id}", tag = "messages", params(problem::ById, Keyed), request_body = MessageChange,
    security(("bearer" = ["chats:write"])),
    responses((status = 200, body = Message), problem::Common, problem::NotThere, problem::Body, problem::Conflict, problem::Limited))]
async fn edit(
    State(web): State<Web>,
    caller: Caller,
    Id(id): Id<MessageId>,
    headers: HeaderMap,
    Body(change): Body<MessageChange>,
) -> Result<Response, Failure> {
    let reworded = Reworded { content: &change.content, files: None, key: key(&headers)?, ask: change.answer };
    let done = generation::edit(&web.app, &caller.viewer, id, &reworded).await?;
    let message = generation::message(&web.app, &caller.viewer, done.message).await?;
    Ok(counted(Json(told(message)), done.allowance))
}

/// Removes a message with all that follows it. For a day its owner can bring it back on its page.
#[utoipa::path(delete, path = "/api/messages/{id}", tag = "messages", params(problem::ById), security(("bearer" = ["chats:write"])),
    responses((status = 204), problem::Common, problem::NotThere, problem::Conflict))]
async fn delete(State(web): State<Web>, caller: Caller, Id(id): Id<MessageId>) -> Result<StatusCode, Failure> {
    generation::delete(&web.app, &caller.viewer, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Again {
    /// `provider/name`; without it, that of the conversation.
    model: Option<String>,
}

/// Asks for another answer beside this one.
#[utoipa::path(post, path = "/api/messages/{id}/regenerate", tag = "messages", params(problem::ById, Keyed), request_body = Again,
    security(("bearer" = ["chats:write"])),
    responses((status = 201, body = Message), (status = 200, content_type = "text/event-stream", body = String),
        problem::Common, problem::NotThere, problem::Body, problem::Conflict, problem::Limited))]
async fn regenerate(
    State(web): State<Web>,
    caller: Caller,
    Id(id): Id<MessageId>,
    headers: HeaderMap,
    Body(again): Body<Again>,
) -> Result<Response, Failure> {
    let sent = generation::regenerate(&web.app, &caller.viewer, id, again.model.as_deref(), key(&headers)?).await?;
    if wants_events(&headers) {
        return Ok(counted(events(&web, &caller, sent.answer, &headers).await?, sent.allowance));
    }
    let answer = generation::message(&web.app, &caller.viewer, sent.answer).await?;
    Ok(counted((StatusCode::CREATED, Json(told(answer))), sent.allowance))
}

/// Stops an answer where it is; what it has stays. One that has ended stays as it is.
#[utoipa::path(post, path = "/api/messages/{id}/stop", tag = "messages", params(problem::ById), security(("bearer" = ["chats:write"])),
    responses((status = 200, body = Message), problem::Common, problem::NotThere))]
async fn stop(State(web): State<Web>, caller: Caller, Id(id): Id<MessageId>) -> Result<Json<Message>, Failure> {
    generation::stop(&web.app, &caller.viewer, id).await?;
    Ok(Json(told(generation::message(&web.app, &caller.viewer, id).await?)))
}
