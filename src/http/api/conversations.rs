//! Chats, which programs call conversations.

use super::{
    body::Body,
    messages::{self, MessageBody, Turn},
    paging::{Listed, Paging},
    problem,
    tags::{self, Tagged},
    time,
};
use crate::{
    base::ids::{ChatId, MessageId},
    domain::{
        chats::{
            self, Place,
            way::{self, Typed, Way},
        },
        generation::{self, Spot},
        programs::{Caller, Scope},
    },
    http::{
        Web,
        extract::Id,
        respond::{Failure, counted},
        routes::{Access, Routes},
    },
};
use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

pub fn routes(routes: Routes) -> Routes {
    let (read, write) = (Access::Bearer(Some(Scope::ChatsRead)), Access::Bearer(Some(Scope::ChatsWrite)));
    routes
        .get("/api/conversations", read, list)
        .post("/api/conversations", write, create)
        .get("/api/conversations/{id}", read, show)
        .patch("/api/conversations/{id}", write, change)
        .delete("/api/conversations/{id}", write, delete)
        .get("/api/conversations/{id}/messages", read, path)
        .post("/api/conversations/{id}/messages", write, say)
}

/// A conversation in a list.
#[derive(Serialize, ToSchema)]
pub struct ConversationLine {
    id: ChatId,
    title: String,
    pinned: bool,
    /// An answer is being made, or waits.
    answering: bool,
    /// When something was last said in it.
    #[schema(format = DateTime)]
    active_at: String,
}

/// A conversation.
#[derive(Serialize, ToSchema)]
pub struct Conversation {
    id: ChatId,
    title: String,
    /// `provider/name` of the model that the next message is for, unless it names another.
    model: Option<String>,
    /// What the model is told before everything else.
    system: String,
    /// From 0 to 2.
    temperature: Option<f64>,
    pinned: bool,
    archived: bool,
    /// The last message of the path that is shown.
    leaf_id: Option<MessageId>,
}

async fn find(web: &Web, caller: &Caller, id: ChatId) -> Result<Conversation, Failure> {
    let Way { title, system, model, temperature } = way::way(&web.app, &caller.viewer, id).await?;
    let chat = chats::find(&mut *web.app.pools.http.acquire().await?, &caller.viewer, id).await?;
    let (pinned, archived, leaf_id) = (chat.pinned, chat.archived, chat.leaf);
    Ok(Conversation { id, title, model: model.or(chat.model), system, temperature, pinned, archived, leaf_id })
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// Those of the archive instead.
    #[serde(default)]
    archived: bool,
    /// Where the page before ended: its `next_cursor`.
    cursor: Option<String>,
}

/// Conversations, the last active first, 50 at a time.
#[utoipa::path(get, path = "/api/conversations", tag = "conversations", params(Which), security(("bearer" = ["chats:read"])),
    responses((status = 200, body = Listed<ConversationLine>), problem::Common, problem::Wrong))]
async fn list(
    State(web): State<Web>,
    caller: Caller,
    Paging(which): Paging<Which>,
) -> Result<Json<Listed<ConversationLine>>, Failure> {
    let after = which.cursor.as_deref().map(super::paging::cursor).transpose()?;
    let page = chats::all(&web.app, &caller.viewer, which.archived, after).await?;
    let line = |chat: chats::Listed| ConversationLine {
        id: chat.id,
        title: chat.title,
        pinned: chat.pinned,
        answering: chat.answering,
        active_at: time(chat.active_at),
    };
    let next_cursor = page.older.map(|cursor| cursor.to_string());
    Ok(Json(Listed { data: page.chats.into_iter().map(line).collect(), next_cursor }))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewConversation {
    /// At most 120 characters. Without one, it gets one when something was said.
    title: Option<String>,
    #[schema(max_length = 4000)]
    system: Option<String>,
    /// `provider/name`, as `GET /api/models` lists it.
    model: Option<String>,
    #[schema(minimum = 0, maximum = 2)]
    temperature: Option<f64>,
}

/// Begins a conversation in which nothing is said yet.
#[utoipa::path(post, path = "/api/conversations", tag = "conversations", request_body = NewConversation,
    security(("bearer" = ["chats:write"])),
    responses((status = 201, body = Conversation), problem::Common, problem::Body))]
async fn create(State(web): State<Web>, caller: Caller, Body(new): Body<NewConversation>) -> Result<Response, Failure> {
    let title = new.title.as_deref().unwrap_or_default();
    let typed = typed(Way::default(), new.system, new.model, new.temperature);
    let id = chats::create(&web.app, &caller.viewer, title, &typed).await?;
    Ok((StatusCode::CREATED, Json(find(&web, &caller, id).await?)).into_response())
}

fn typed(before: Way, system: Option<String>, model: Option<String>, temperature: Option<f64>) -> Typed {
    let temperature = temperature.or(before.temperature).map(|t| t.to_string()).unwrap_or_default();
    Typed { system: system.unwrap_or(before.system), model: model.or(before.model).unwrap_or_default(), temperature }
}

/// A conversation, without what is said in it.
#[utoipa::path(get, path = "/api/conversations/{id}", tag = "conversations", params(problem::ById, tags::IfNoneMatch),
    security(("bearer" = ["chats:read"])),
    responses((status = 200, body = Conversation, headers(("etag" = String))), tags::NotModified, problem::Common, problem::NotThere))]
async fn show(
    State(web): State<Web>,
    caller: Caller,
    Id(id): Id<ChatId>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    Ok(Tagged::of(&find(&web, &caller, id).await?).answer(&headers))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConversationChange {
    /// At most 120 characters.
    #[schema(min_length = 1)]
    title: Option<String>,
    #[schema(max_length = 4000)]
    system: Option<String>,
    model: Option<String>,
    #[schema(minimum = 0, maximum = 2)]
    temperature: Option<f64>,
    /// On top of the list.
    pinned: Option<bool>,
    /// Put away; its next message brings it back.
    archived: Option<bool>,
}

/// Changes what is named; the rest stays. With `If-Match`, only what was not changed meanwhile.
#[utoipa::path(patch, path = "/api/conversations/{id}", tag = "conversations", params(problem::ById, tags::IfMatch),
    request_body = ConversationChange, security(("bearer" = ["chats:write"])),
    responses((status = 200, body = Conversation, headers(("etag" = String))), tags::Changed, problem::Common, problem::NotThere, problem::Body))]
async fn change(
    State(web): State<Web>,
    caller: Caller,
    Id(id): Id<ChatId>,
    headers: HeaderMap,
    Body(change): Body<ConversationChange>,
) -> Result<Response, Failure> {
    let before = find(&web, &caller, id).await?;
    if let Some(refusal) = Tagged::of(&before).refuses(&headers) {
        return Ok(refusal.into_response());
    }
    let (app, viewer) = (&web.app, &caller.viewer);
    if let Some(title) = &change.title {
        chats::rename(app, viewer, id, title).await?;
    }
    if change.system.is_some() || change.model.is_some() || change.temperature.is_some() {
        let before = way::way(app, viewer, id).await?;
        way::set_way(app, viewer, id, &typed(before, change.system, change.model, change.temperature)).await?;
    }
    // what is put on top is in the list
    let archived = change.archived.unwrap_or(before.archived && change.pinned != Some(true));
    let place = match (archived, change.pinned.unwrap_or(before.pinned)) {
        (true, _) => Place::Archived,
        (false, true) => Place::Pinned,
        (false, false) => Place::Listed,
    };
    if change.archived.is_some() || change.pinned.is_some() {
        chats::put(app, viewer, id, place).await?;
    }
    Ok(Tagged::of(&find(&web, &caller, id).await?).answer(&HeaderMap::new()))
}

/// Deletes a conversation. For a while its owner can bring it back on its page.
#[utoipa::path(delete, path = "/api/conversations/{id}", tag = "conversations", params(problem::ById, tags::IfMatch),
    security(("bearer" = ["chats:write"])),
    responses((status = 204), tags::Changed, problem::Common, problem::NotThere))]
async fn delete(
    State(web): State<Web>,
    caller: Caller,
    Id(id): Id<ChatId>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    if let Some(refusal) = Tagged::of(&find(&web, &caller, id).await?).refuses(&headers) {
        return Ok(refusal.into_response());
    }
    generation::delete_chat(&web.app, &caller.viewer, id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Path {
    /// The last message of another path than the one that is shown.
    leaf: Option<MessageId>,
    /// Where the page before ended: its `next_cursor`.
    cursor: Option<MessageId>,
}

/// The path of messages that is shown, 40 at a time from its end; within a page the oldest first.
#[utoipa::path(get, path = "/api/conversations/{id}/messages", tag = "messages", params(problem::ById, Path),
    security(("bearer" = ["chats:read"])),
    responses((status = 200, body = Listed<messages::Message>), problem::Common, problem::NotThere, problem::Wrong))]
async fn path(
    State(web): State<Web>,
    caller: Caller,
    Id(id): Id<ChatId>,
    Paging(path): Paging<Path>,
) -> Result<Json<Listed<messages::Message>>, Failure> {
    let spot = match (path.cursor, path.leaf) {
        (Some(before), _) => Spot::Before(before),
        (None, Some(leaf)) => Spot::Leaf(leaf),
        (None, None) => Spot::Newest,
    };
    let thread = generation::thread(&web.app, &caller.viewer, id, spot).await?;
    let next_cursor = thread.messages.first().filter(|_| thread.earlier).map(|message| message.id.to_string());
    Ok(Json(Listed { data: thread.messages.into_iter().map(messages::told).collect(), next_cursor }))
}

/// Says something, and begins the answer: at once, or in line behind one that is unfinished. With `Accept: text/event-stream`
/// the answer itself comes, as events; sending the same again with its `Idempotency-Key` and `Last-Event-ID` goes on with it.
#[utoipa::path(post, path = "/api/conversations/{id}/messages", tag = "messages", params(problem::ById, messages::Keyed),
    request_body = MessageBody, security(("bearer" = ["chats:write"])),
    responses((status = 201, body = Turn), (status = 200, content_type = "text/event-stream", body = String),
        problem::Common, problem::NotThere, problem::Body, problem::Conflict, problem::Limited))]
async fn say(
    State(web): State<Web>,
    caller: Caller,
    Id(id): Id<ChatId>,
    headers: HeaderMap,
    Body(said): Body<MessageBody>,
) -> Result<Response, Failure> {
    messages::check_last_seen(&web, &caller, id, &headers).await?;
    let draft = messages::draft(&web, &caller, id, said, &headers).await?;
    let sent = generation::send(&web.app, &caller.viewer, Some(id), &draft).await?.sent;
    if messages::wants_events(&headers) {
        let events = messages::events(&web, &caller, sent.answer, &headers).await?;
        return Ok(counted(events, sent.allowance));
    }
    let turn = generation::turn(&web.app, id, sent.answer).await?;
    let turn = Turn { message: messages::told(turn.question), answer: messages::told(turn.answer) };
    Ok(counted((StatusCode::CREATED, Json(turn)), sent.allowance))
}
