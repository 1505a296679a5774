//! What the next message of a chat will be sent with: how much of the conversation, what that may cost, and what the chat has
//! cost so far. For a person who looks; nothing here decides anything.

use super::{store::tree, told::told};
use crate::{
    app::App,
    base::{
        Error, Result,
        ids::{ChatId, MessageId},
    },
    domain::{
        accounts::Viewer,
        catalog::{self, Price},
        chats, ledger,
    },
    outside::llm::{Counter, Usage},
};

/// See the head of this file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outlook {
    /// What people call the model.
    pub model: String,
    /// So many tokens it takes, the answer among them; nothing if nobody knows.
    pub window: Option<u32>,
    /// So many of them are kept for the answer.
    pub max_output: u32,
    /// So many of the path's messages go along, the newest, and so many there are.
    pub sent: usize,
    pub messages: usize,
    /// Where that begins.
    pub first: Option<MessageId>,
    /// Of what goes along and what is told before it.
    pub tokens: i64,
    /// They were counted as the model does; else it is a guess.
    pub counted: bool,
    /// What asking these tokens and the longest answer cost, in micro-units, if a price is known.
    pub most: Option<i64>,
    /// What the chat has cost so far, in micro-units.
    pub cost: i64,
}

/// What the next message of the shown path will be sent with, to this model or to the one that was asked last.
///
/// # Errors
/// [`Error::NotFound`] for a chat that is not the viewer's, or a model of no provider.
pub async fn outlook(app: &App, viewer: &Viewer, chat: ChatId, model: Option<&str>) -> Result<Outlook> {
    let mut conn = app.pools.http.acquire().await?;
    let found = chats::find(&mut conn, viewer, chat).await?;
    let leaf = found.leaf.ok_or(Error::NotFound)?;
    let models = catalog::models(app, viewer).await?;
    let id = model.map(str::to_owned).or(found.model).unwrap_or_default();
    let (provider, name) = catalog::split(&id);
    let provider = app.provider(provider).ok_or(Error::NotFound)?;
    let facts = catalog::facts(app, &mut conn, &id).await?;
    let max_output = catalog::max_output(app, &facts);
    // the next message is one of those that may go along
    let limit = i32::try_from(app.config.context.max_messages).unwrap_or(i32::MAX) - 1;
    let told = told(&mut conn, (chat, leaf), limit, (name, &facts)).await?;
    let said = &told.messages;
    // an answer without a word is no message to a model
    let length = tree::edges(&mut conn, chat).await?.length(leaf);
    let looked_at = length.min(usize::try_from(limit).unwrap_or_default());
    let messages = length - looked_at.saturating_sub(said.len());
    let counter = provider.counter(name);
    let (sent, tokens) = counter.fit(&told.system, said, 0, catalog::room(&facts, max_output));
    let most = facts.price.map(|price| {
        Price::from(price).cost(&Usage { prompt: tokens, completion: max_output.into(), ..Usage::default() })
    });
    Ok(Outlook {
        model: models.iter().find(|model| model.id() == id).map_or(name, |model| model.label()).to_owned(),
        window: facts.context,
        max_output,
        sent,
        messages,
        first: told.ids.iter().rev().take(sent).next_back().copied(),
        tokens,
        counted: counter == Counter::O200k,
        most,
        cost: ledger::cost_of_chat(&mut conn, chat).await?,
    })
}
