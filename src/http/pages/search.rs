//! Finding: a page, and for the palette the same as a fragment, with the commands.

use crate::{
    base::{Error, ids::MessageId},
    domain::chats::{self, Found, FoundChat, FoundMessage, Listed, Piece},
    http::{
        Web,
        auth::{Me, encode},
        extract::{Asked, optional},
        present,
        respond::Failure,
        routes::{Access, Routes},
    },
    views::{self, Command, FoundLine, PaletteFound, SearchPage, Span},
};
use axum::{extract::State, http::HeaderMap, response::Html};
use serde::Deserialize;

/// How many chats, and how many messages, a page shows, and the palette.
const PAGE: usize = 30;
const PALETTE: usize = 8;

pub fn routes(routes: Routes) -> Routes {
    routes.get("/search", Access::Member, search)
}

#[derive(Deserialize)]
struct Query {
    #[serde(default)]
    q: String,
    #[serde(default)]
    before: String,
}

async fn search(
    State(web): State<Web>,
    Me(viewer): Me,
    headers: HeaderMap,
    Asked(asked): Asked<Query>,
) -> Result<Html<String>, Failure> {
    let before = optional::<MessageId>("before", &asked.before).map_err(|_| Error::NotFound)?;
    let palette = headers.contains_key("hx-request");
    let most = if palette { PALETTE } else { PAGE };
    let found = chats::search(&web.app, &viewer, &asked.q, before, most).await?;
    if palette {
        let nothing_asked = asked.q.trim().is_empty();
        let lines = if nothing_asked {
            chats::shelf(&web.app, &viewer).await?.chats.into_iter().take(PALETTE).map(listed_line).collect()
        } else {
            lines(found.chats, found.messages)
        };
        let commands = Command::named(&asked.q, viewer.administrator);
        let all = (!nothing_asked && !lines.is_empty()).then(|| format!("/search?q={}", encode(&asked.q)));
        return Ok(Html(PaletteFound { commands, lines, asked: !nothing_asked, all }.render()));
    }
    let Found { chats, messages, older } = found;
    let older = older.map(|id| format!("/search?q={}&before={id}", encode(&asked.q)));
    let days = present::days(&web.app, &viewer, None).await?;
    let lines = lines(chats, messages);
    Ok(Html(SearchPage { me: present::me(&viewer), days, q: asked.q, lines, older }.render()))
}

fn lines(chats: Vec<FoundChat>, messages: Vec<FoundMessage>) -> Vec<FoundLine> {
    chats.into_iter().map(chat_line).chain(messages.into_iter().map(message_line)).collect()
}

fn listed_line(chat: Listed) -> FoundLine {
    let title = vec![Piece { text: chat.title, hit: false }];
    chat_line(FoundChat { id: chat.id, title, at: chat.active_at })
}

fn chat_line(chat: FoundChat) -> FoundLine {
    let href = format!("/chats/{}", chat.id);
    FoundLine { href, title: spans(chat.title), snippet: Vec::new(), what: views::what(None), at: chat.at }
}

fn message_line(message: FoundMessage) -> FoundLine {
    let place = views::dom::message(message.id);
    let href = format!("/chats/{}?at={}#{place}", message.chat, message.id);
    let title = vec![Span { text: message.title, hit: false }];
    let what = views::what(Some(message.by_model));
    FoundLine { href, title, snippet: spans(message.snippet), what, at: message.at }
}

fn spans(pieces: Vec<Piece>) -> Vec<Span> {
    pieces.into_iter().map(|Piece { text, hit }| Span { text, hit }).collect()
}
