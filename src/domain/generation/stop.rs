//! Stopping an answer, and deleting a chat with one in it.

use super::finish::{Why, settle};
use crate::{
    app::App,
    base::{
        Error, Result,
        ids::{ChatId, MessageId},
    },
    domain::{accounts::Viewer, chats},
};

/// Stops an answer where it is; its text so far stays. Stopping one that has ended changes nothing. The worker, wherever
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

/// Deletes a chat; what is being written in it is stopped.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn delete_chat(app: &App, viewer: &Viewer, chat: ChatId) -> Result<()> {
    let mut tx = app.pools.http.begin().await?;
    let leaf = chats::find(&mut tx, viewer, chat).await?.leaf;
    let events = match leaf {
        Some(leaf) => settle(&mut tx, chat, leaf, Why::Stopped).await?,
        None => None,
    };
    if !chats::store::mark_deleted(&mut tx, viewer.id, chat).await? {
        return Err(Error::NotFound);
    }
    tx.commit().await?;
    if let Some(events) = events {
        app.feed.hub.deliver(chat, events);
    }
    Ok(())
}
