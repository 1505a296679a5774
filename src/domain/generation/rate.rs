//! What a person thinks of an answer: liked or disliked, with a note if they like. Each person's own; it changes nothing
//! of the answer and is no event of the feed.

use super::{
    state::State,
    store::{line as lines, rate as store},
    tree::Done,
};
use crate::{
    app::App,
    base::{Error, Result, ids::MessageId},
    domain::{accounts::Viewer, chats},
};

/// Characters of a note at most.
pub const MAX_NOTE: usize = 1000;

/// What somebody thinks of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rating {
    /// Or disliked.
    pub liked: bool,
    /// May be empty.
    pub note: String,
}

/// Likes or dislikes an answer, or takes that back with nothing. A note that is not given stays, unless the mind has
/// changed.
///
/// # Errors
/// [`Error::Conflict`] for what is no answer, or not over; [`Error::Invalid`] for a note that is too long;
/// [`Error::NotFound`].
pub async fn rate(
    app: &App,
    viewer: &Viewer,
    message: MessageId,
    liked: Option<bool>,
    note: Option<&str>,
) -> Result<Done> {
    let note = note.map(|note| note.replace("\r\n", "\n").replace('\0', "\u{fffd}").trim().to_owned());
    let length = note.as_deref().map_or(0, |note| note.chars().count());
    if length > MAX_NOTE {
        let sentence = format!("This note has {length} characters; at most {MAX_NOTE} can be kept. Shorten it.");
        return Err(Error::invalid("note", sentence));
    }
    let mut tx = app.pools.http.begin().await?;
    let place = chats::store::place(&mut tx, viewer.id, message).await?.ok_or(Error::NotFound)?;
    if !place.by_model {
        return Err(Error::Conflict("Only answers can be liked or disliked.".into()));
    }
    if !lines::state_of(&mut tx, message).await?.is_none_or(State::is_over) {
        return Err(Error::Conflict("This answer is not over yet. Wait for its end first.".into()));
    }
    match liked {
        Some(liked) => store::set(&mut tx, place.chat, message, viewer.id, liked, note.as_deref()).await?,
        None => store::take_back(&mut tx, place.chat, message, viewer.id).await?,
    }
    tx.commit().await?;
    Ok(Done::at(place.chat, message))
}

/// What the viewer thinks of a message in one of their chats, if they said.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn rating(app: &App, viewer: &Viewer, message: MessageId) -> Result<(Done, Option<Rating>)> {
    let mut conn = app.pools.http.acquire().await?;
    let chat = chats::store::place(&mut conn, viewer.id, message).await?.ok_or(Error::NotFound)?.chat;
    let rating = store::of(&mut conn, viewer.id, chat, &[message]).await?.remove(&message);
    Ok((Done::at(chat, message), rating))
}
