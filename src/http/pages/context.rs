//! What the next message of a chat is sent with.

use crate::{
    base::{ids::ChatId, money::money},
    domain::generation::{self, Outlook},
    http::{
        Web,
        auth::Me,
        extract::{Asked, Id},
        present,
        respond::Failure,
        routes::{Access, Routes},
    },
    views::ContextPage,
};
use axum::{extract::State, response::Html};
use serde::Deserialize;

pub fn routes(routes: Routes) -> Routes {
    routes.get("/chats/{id}/context", Access::Member, show)
}

#[derive(Deserialize)]
struct For {
    model: Option<String>,
}

async fn show(
    State(web): State<Web>,
    Me(viewer): Me,
    Id(chat): Id<ChatId>,
    Asked(asked): Asked<For>,
) -> Result<Html<String>, Failure> {
    let Outlook { model, window, max_output, sent, messages, first, tokens, counted, most, cost } =
        generation::outlook(&web.app, &viewer, chat, asked.model.as_deref()).await?;
    let currency = &web.app.config.catalog.currency;
    let page = ContextPage {
        me: present::me(&viewer),
        days: present::days(&web.app, &viewer, Some(chat)).await?,
        chat,
        model,
        window,
        max_output,
        sent,
        messages,
        first: first.filter(|_| sent < messages),
        tokens,
        counted,
        most: most.map(|most| money(most, currency)),
        cost: (cost > 0).then(|| money(cost, currency)),
    };
    Ok(Html(page.render()))
}
