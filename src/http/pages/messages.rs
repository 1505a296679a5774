//! Sending a message, asking again, going on, stopping, and what can be done in line. A plain form is answered by a redirect, htmx by fragments.

use super::chats::{chat_page, home_page};
use crate::{
    base::{
        Error,
        ids::{ChatId, FileId, MessageId},
    },
    domain::{
        accounts::Viewer,
        generation::{self, Draft, Spot, Taken},
    },
    http::{
        Web,
        auth::Me,
        extract::{Fields, Id, optional, wrong_field},
        present::{self, Composing},
        respond::{self, Failure},
        routes::{Access, Routes},
    },
    views::{self, Turn},
};
use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{Html, IntoResponse, Redirect, Response},
};
use serde::Deserialize;

pub fn routes(routes: Routes) -> Routes {
    routes
        .post("/chats", Access::Member, begin)
        .post("/chats/{id}/messages", Access::Member, send)
        .post("/messages/{id}/regenerations", Access::Member, regenerate)
        .post("/messages/{id}/continuations", Access::Member, go_on)
        .post("/messages/{id}/stop", Access::Member, stop)
        .post("/messages/{id}/send", Access::Member, send_now)
}

#[derive(Default)]
struct MessageForm {
    content: String,
    model: String,
    parent: String,
    key: String,
    files: Vec<FileId>,
}

impl MessageForm {
    /// The fields as they were sent; the one of files as often as there are some.
    fn sent(fields: Vec<(String, String)>) -> Result<Self, Error> {
        let mut form = Self::default();
        for (name, value) in fields {
            match name.as_str() {
                "content" => form.content = value,
                "model" => form.model = value,
                "parent" => form.parent = value,
                "key" => form.key = value,
                "file" => form.files.extend(optional::<FileId>("file", &value)?),
                other => return Err(wrong_field(other)),
            }
        }
        Ok(form)
    }

    fn draft(&self) -> Result<Draft, Error> {
        Ok(Draft {
            content: self.content.clone(),
            model: self.model.clone(),
            is_chats_model: false,
            parent: optional("parent", &self.parent)?,
            files: self.files.clone(),
            key: optional("key", &self.key)?,
        })
    }

    /// The composer with what was typed, and what is wrong with it.
    fn back(self, error: &Error) -> Composing {
        Composing {
            text: self.content,
            files: self.files,
            model: Some(self.model),
            error: Some(respond::sentence(error)),
            allowance: match error {
                Error::Limited { allowance, .. } => *allowance,
                _ => None,
            },
            ..Composing::default()
        }
    }
}

/// Errors that belong into the form; the rest have pages of their own.
fn is_of_the_form(error: &Error) -> bool {
    matches!(error, Error::Invalid(_) | Error::Conflict(_) | Error::Limited { .. })
}

async fn begin(
    State(web): State<Web>,
    Me(viewer): Me,
    Fields(fields): Fields<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let form = MessageForm::sent(fields)?;
    let result = match form.draft() {
        Ok(draft) => generation::send(&web.app, &viewer, None, &draft).await.map(|taken| taken.sent),
        Err(error) => Err(error),
    };
    match result {
        Ok(sent) => Ok(begun(&sent)),
        Err(error) if is_of_the_form(&error) => {
            let page = home_page(&web, &viewer, form.back(&error)).await?;
            Ok(respond::refused(&error, page))
        }
        Err(error) => Err(error.into()),
    }
}

async fn send(
    State(web): State<Web>,
    Me(viewer): Me,
    Id(chat): Id<ChatId>,
    headers: HeaderMap,
    Fields(fields): Fields<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let form = MessageForm::sent(fields)?;
    let result = match form.draft() {
        Ok(draft) => generation::send(&web.app, &viewer, Some(chat), &draft).await.map(|taken| (taken, draft)),
        Err(error) => Err(error),
    };
    let fragment = headers.contains_key("hx-request");
    match result {
        Ok((Taken { sent, turn }, draft)) if fragment => {
            match sent_fragment(&web, &viewer, &sent, turn, &draft).await {
                Ok(response) => Ok(respond::counted(response, sent.allowance)),
                // it is taken, whatever comes after: the page loads itself anew
                Err(_) => Ok(([("hx-redirect", format!("/chats/{}", sent.chat))], StatusCode::OK).into_response()),
            }
        }
        Ok((taken, _)) => Ok(begun(&taken.sent)),
        Err(error) if is_of_the_form(&error) => {
            // a whole page: not to be room in each of a thousand messages that are being taken
            Box::pin(refused(&web, &viewer, chat, form, &error, fragment)).await
        }
        Err(error) => Err(error.into()),
    }
}

/// The turn, for the page that sent it (its feed may bring it too: whichever comes first), and the form anew.
async fn sent_fragment(
    web: &Web,
    viewer: &Viewer,
    sent: &generation::Sent,
    turn: Option<generation::Turn>,
    draft: &Draft,
) -> Result<Response, Failure> {
    let generation::Turn { question, answer } = match turn {
        Some(turn) => turn,
        None => generation::turn(&web.app, sent.chat, sent.answer).await?,
    };
    let parent = question.parent;
    let composing = Composing {
        chat: Some(sent.chat),
        leaf: Some(sent.answer),
        model: Some(draft.model.clone()),
        allowance: sent.allowance,
        ..Composing::default()
    };
    let composer = present::composer(&web.app, viewer, composing).await?;
    let turn = Turn { question: present::message(&question), answer: present::message(&answer) };
    Ok(Html(views::feed::sent(parent, &turn, &composer)).into_response())
}

async fn refused(
    web: &Web,
    viewer: &Viewer,
    chat: ChatId,
    form: MessageForm,
    error: &Error,
    fragment: bool,
) -> Result<Response, Failure> {
    let thread = generation::thread(&web.app, viewer, chat, Spot::Newest).await?;
    let page = chat_page(web, viewer, &thread, form.back(error), false).await?;
    let html = if fragment { views::feed::refused(&page.composer) } else { page.render() };
    Ok(respond::refused(error, html))
}

/// To the chat where an answer was begun.
fn begun(sent: &generation::Sent) -> Response {
    respond::counted(Redirect::to(&format!("/chats/{}", sent.chat)), sent.allowance)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AgainForm {
    #[serde(default)]
    model: String,
    #[serde(default)]
    key: String,
}

async fn regenerate(
    State(web): State<Web>,
    Me(viewer): Me,
    Id(id): Id<MessageId>,
    Fields(form): Fields<AgainForm>,
) -> Result<Response, Failure> {
    let key = optional("key", &form.key)?;
    let sent = generation::regenerate(&web.app, &viewer, id, Some(&form.model), key).await?;
    Ok(begun(&sent))
}

async fn go_on(
    State(web): State<Web>,
    Me(viewer): Me,
    Id(id): Id<MessageId>,
    Fields(form): Fields<AgainForm>,
) -> Result<Response, Failure> {
    let key = optional("key", &form.key)?;
    let sent = generation::go_on(&web.app, &viewer, id, Some(&form.model), key).await?;
    Ok(begun(&sent))
}

async fn stop(
    State(web): State<Web>,
    Me(viewer): Me,
    Id(id): Id<MessageId>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    Ok(done(&headers, generation::stop(&web.app, &viewer, id).await?))
}

async fn send_now(
    State(web): State<Web>,
    Me(viewer): Me,
    Id(id): Id<MessageId>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    Ok(done(&headers, generation::send_now(&web.app, &viewer, id).await?))
}

/// The answer to a button whose effect the feed brings.
fn done(headers: &HeaderMap, chat: ChatId) -> Response {
    if headers.contains_key("hx-request") {
        return StatusCode::NO_CONTENT.into_response();
    }
    Redirect::to(&format!("/chats/{chat}")).into_response()
}
