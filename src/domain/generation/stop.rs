//! Stopping an answer, or all of an account that is closed, and deleting a chat with answers in it.

use super::{
    finish::{Why, settle},
    store,
};
use crate::{
    app::App,
    base::{
        Error, Result,
        ids::{ChatId, MessageId, UserId},
    },
    domain::{
        accounts::Viewer,
        chats,
        feed::{self, Event},
    },
};
use sqlx::PgConnection;

/// Stops an answer where it is, also one that waits or is in line; its text so far stays. Stopping one that has ended changes nothing. The worker, wherever
/// it is, hears of the end through the feed and closes the provider's connection.
///
/// # Errors
/// [`Error::NotFound`] for a message that is not an answer in one of the viewer's chats.
pub async fn stop(app: &App, viewer: &Viewer, message: MessageId) -> Result<ChatId> {
    let mut tx = app.pools.http.begin().await?;
    let place =
        chats::store::place(&mut tx, viewer.id, message).await?.filter(|p| p.by_model).ok_or(Error::NotFound)?;
    let events = settle(&mut tx, place.chat, message, Why::Stopped).await?;
    tx.commit().await?;
    if let Some(events) = events {
        app.feed.hub.deliver(place.chat, events);
    }
    Ok(place.chat)
}

/// Stops all unfinished answers of a chat.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn stop_all(app: &App, viewer: &Viewer, chat: ChatId) -> Result<()> {
    let mut tx = app.pools.http.begin().await?;
    chats::find(&mut tx, viewer, chat).await?;
    feed::lock(&mut tx, chat).await?.ok_or(Error::NotFound)?;
    let events = settle_all(&mut tx, chat).await?;
    tx.commit().await?;
    app.feed.hub.deliver(chat, events);
    Ok(())
}

/// From the end of each line, so that no stop lets one go on.
async fn settle_all(tx: &mut PgConnection, chat: ChatId) -> Result<Vec<Event>> {
    let mut events = Vec::new();
    for message in store::unfinished(tx, chat).await?.into_iter().rev() {
        events.extend(settle(tx, chat, message, Why::Stopped).await?.unwrap_or_default());
    }
    Ok(events)
}

/// Deletes a chat; every unfinished answer in it is stopped.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn delete_chat(app: &App, viewer: &Viewer, chat: ChatId) -> Result<()> {
    let mut tx = app.pools.http.begin().await?;
    chats::find(&mut tx, viewer, chat).await?;
    feed::lock(&mut tx, chat).await?.ok_or(Error::NotFound)?;
    let events = settle_all(&mut tx, chat).await?;
    if !chats::store::mark_deleted(&mut tx, viewer.id, chat).await? {
        return Err(Error::NotFound);
    }
    feed::ring_list(&mut tx, viewer.id).await?;
    tx.commit().await?;
    app.feed.hub.deliver(chat, events);
    Ok(())
}

/// Stops all unfinished answers of an account. Harmless when done twice; the sweep does it again for accounts that are
/// disabled, because a message may be accepted at the same moment.
///
/// # Errors
/// The database's.
pub async fn withdraw(app: &App, user: UserId) -> Result<()> {
    for chat in store::stop::chats_of(&app.pools.http, user).await? {
        withdraw_in(app, chat).await?;
    }
    Ok(())
}

/// Stops all unfinished answers of a chat.
pub(super) async fn withdraw_in(app: &App, chat: ChatId) -> Result<()> {
    let mut tx = app.pools.http.begin().await?;
    if feed::lock(&mut tx, chat).await?.is_none() {
        return Ok(());
    }
    let mut events = Vec::new();
    // from the end of each line, so that no stop lets one go on
    for message in store::unfinished(&mut tx, chat).await?.into_iter().rev() {
        events.extend(settle(&mut tx, chat, message, Why::Withdrawn).await?.unwrap_or_default());
    }
    tx.commit().await?;
    app.feed.hub.deliver(chat, events);
    Ok(())
}
