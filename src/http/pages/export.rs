//! Saving a chat, and the page for paper.

use crate::{
    base::{Result, ids::ChatId},
    domain::export::{self, Extent, Told},
    http::{
        Web,
        auth::Me,
        chat_file::{self, Form, Format, passage, send},
        extract::{Asked, Id},
        present,
        respond::Failure,
        routes::{Access, Routes},
    },
    views::export::{PrintMessage, PrintPage},
};
use axum::{
    extract::State,
    response::{Html, IntoResponse, Response},
};
use serde::Deserialize;

pub fn routes(routes: Routes) -> Routes {
    routes.get("/chats/{id}/export", Access::Member, save).get("/chats/{id}/print", Access::Member, print)
}

#[derive(Deserialize)]
struct Wish {
    #[serde(default)]
    format: Format,
}

async fn save(
    State(web): State<Web>,
    Me(viewer): Me,
    Id(id): Id<ChatId>,
    Asked(wish): Asked<Wish>,
) -> Result<Response, Failure> {
    chat_file::file(&web, &viewer, id, wish.format).await
}

/// The whole shown path, for paper; a page of the chat has only its newest messages.
async fn print(State(web): State<Web>, Me(viewer): Me, Id(id): Id<ChatId>) -> Result<Response, Failure> {
    let export = export::begin(&web.app, &viewer, id, Extent::Path).await?;
    let page = PrintPage { me: present::me(&viewer), id, title: export.head.title.clone() };
    let (begin, end) = page.halves();
    Ok(Html(send(web, export, Form { begin: Some(begin), write: on_paper, end: Some(end) })).into_response())
}

#[expect(clippy::unnecessary_wraps, reason = "a Write")]
fn on_paper(told: &Told, _first: bool) -> Result<String> {
    let html = told.shown.html.as_deref().unwrap_or_default();
    Ok(PrintMessage { passage: passage(told), html }.to_string())
}
