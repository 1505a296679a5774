//! Dead letters: answers that were given up, for administrators to look at, to have made after all, or to let rest.
//! For everybody else they do not exist.

use super::{
    again::Beside,
    send::Sent,
    store::{
        self,
        dead::{self as letters, Letter},
    },
};
use crate::{
    app::App,
    base::{Error, Result, ids::GenerationId},
    domain::{
        accounts::Viewer,
        audit::{self, Actor, Subject},
        catalog, chats, feed,
    },
};
use sqlx::PgConnection;
use time::OffsetDateTime;

/// An answer that was given up.
#[derive(Debug, Clone)]
pub struct DeadLetter {
    pub id: GenerationId,
    /// Whose question it was.
    pub email: String,
    /// `provider/name`.
    pub model: String,
    /// Goes on where another answer was cut.
    pub continues: bool,
    /// Claims since it was last put off.
    pub attempt: i32,
    /// How often it was put off.
    pub retries: i32,
    /// Why, as the person was told.
    pub reason: String,
    /// When it was given up.
    pub at: OffsetDateTime,
    /// The same in seconds.
    pub age: f64,
    /// How many there are in all.
    pub total: i64,
}

/// The newest dead letters, at most [`LISTED`](super::LISTED).
///
/// # Errors
/// [`Error::NotFound`] for whoever is no administrator.
pub async fn list(app: &App, viewer: &Viewer) -> Result<Vec<DeadLetter>> {
    only_administrators(viewer)?;
    letters::list(&app.pools.http, super::LISTED).await
}

/// Has it made after all: an answer beside it, on behalf of the chat's owner. It is shown if the owner still looks at
/// the one that was given up.
///
/// # Errors
/// [`Error::Conflict`] when too many answers are being made in that chat, [`Error::Invalid`] when the model is no longer
/// there, [`Error::NotFound`] also when it is no longer a dead letter.
pub async fn requeue(app: &App, viewer: &Viewer, id: GenerationId) -> Result<Sent> {
    only_administrators(viewer)?;
    let mut tx = app.pools.http.begin().await?;
    let chat = letters::find(&mut tx, id).await?.ok_or(Error::NotFound)?.chat;
    let from = feed::lock(&mut tx, chat).await?.ok_or(Error::NotFound)?;
    let letter = letters::find(&mut tx, id).await?.ok_or(Error::NotFound)?;
    let question = letter.question.ok_or(Error::NotFound)?;
    catalog::require_listed(app, &mut tx, &letter.model).await?;
    let told = chats::store::told(&mut tx, chat, letter.answer).await?.ok_or(Error::NotFound)?;
    // one that was to continue another answer still does
    let prefix = if letter.prefix > 0 { told.text } else { String::new() };
    let end = store::line::last(&mut tx, chat, letter.answer).await?;
    let show = letter.leaf == Some(end);
    let beside = Beside { answer: letter.answer, question, prefix: &prefix, show, purse: None, form: None };
    let (sent, events) = beside.begin(&mut tx, chat, letter.owner, &letter.model, from).await?;
    note(&mut tx, viewer, &letter, "answer.requeued").await?;
    tx.commit().await?;
    app.feed.hub.deliver(chat, events);
    Ok(sent)
}

/// Lets it rest: it stays as it is, and is no longer listed.
///
/// # Errors
/// [`Error::NotFound`] also when it is no longer a dead letter.
pub async fn drop(app: &App, viewer: &Viewer, id: GenerationId) -> Result<()> {
    only_administrators(viewer)?;
    let mut tx = app.pools.http.begin().await?;
    let letter = letters::find(&mut tx, id).await?.ok_or(Error::NotFound)?;
    // whoever requeues it at this moment holds the head: of two, one is told that it is gone
    feed::lock(&mut tx, letter.chat).await?.ok_or(Error::NotFound)?;
    if !letters::lay_to_rest(&mut tx, letter.answer).await? {
        return Err(Error::NotFound);
    }
    note(&mut tx, viewer, &letter, "answer.dropped").await?;
    tx.commit().await?;
    Ok(())
}

async fn note(tx: &mut PgConnection, viewer: &Viewer, letter: &Letter, action: &str) -> Result<()> {
    let owner = Subject { id: letter.owner, email: &letter.email };
    audit::note(tx, &Actor::from(viewer), action, Some(owner), &letter.model).await
}

fn only_administrators(viewer: &Viewer) -> Result<()> {
    if viewer.administrator { Ok(()) } else { Err(Error::NotFound) }
}
