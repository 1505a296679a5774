//! Finding what was said.

use super::{paging::Paging, problem, time};
use crate::{
    base::{
        Error,
        ids::{ChatId, MessageId},
    },
    domain::{
        chats::{self, MAX_QUERY, Piece},
        programs::{Caller, Scope},
    },
    http::{
        Web,
        respond::Failure,
        routes::{Access, Routes},
    },
};
use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// On a page.
const MOST: usize = 20;

pub fn routes(routes: Routes) -> Routes {
    routes.get("/api/search", Access::Bearer(Some(Scope::ChatsRead)), find)
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// The words.
    #[param(max_length = 200)]
    q: String,
    /// Where the page before ended: its `next_cursor`.
    cursor: Option<MessageId>,
}

/// What was found.
#[derive(Serialize, ToSchema)]
pub struct Found {
    /// On the first page: whose titles have the words.
    conversations: Vec<FoundConversation>,
    messages: Vec<FoundMessage>,
    next_cursor: Option<MessageId>,
}

#[derive(Serialize, ToSchema)]
pub struct FoundConversation {
    id: ChatId,
    title: String,
}

#[derive(Serialize, ToSchema)]
pub struct FoundMessage {
    id: MessageId,
    conversation_id: ChatId,
    /// Of the conversation.
    title: String,
    /// Some of the text around the words.
    snippet: String,
    #[schema(format = DateTime)]
    created_at: String,
}

/// Looks for words in titles and messages, the newest first, 20 at a time.
#[utoipa::path(get, path = "/api/search", tag = "search", params(Wanted), security(("bearer" = ["chats:read"])),
    responses((status = 200, body = Found), problem::Common, problem::Wrong))]
async fn find(State(web): State<Web>, caller: Caller, Paging(wanted): Paging<Wanted>) -> Result<Json<Found>, Failure> {
    if wanted.q.chars().count() > MAX_QUERY {
        return Err(Error::invalid("q", format!("A search has at most {MAX_QUERY} characters.")).into());
    }
    let found = chats::search(&web.app, &caller.viewer, &wanted.q, wanted.cursor, MOST).await?;
    let text = |pieces: &[Piece]| pieces.iter().map(|piece| piece.text.as_str()).collect::<String>();
    let conversations = found.chats.iter().map(|chat| FoundConversation { id: chat.id, title: text(&chat.title) });
    let messages = found.messages.iter().map(|message| FoundMessage {
        id: message.id,
        conversation_id: message.chat,
        title: message.title.clone(),
        snippet: text(&message.snippet),
        created_at: time(message.at),
    });
    Ok(Json(Found { conversations: conversations.collect(), messages: messages.collect(), next_cursor: found.older }))
}
