//! The line: what was sent while the answer before it was unfinished. It goes on by itself behind an answer that was
//! completed or stopped; behind another one it waits for a person, who sends or removes it.

use super::{
    Look,
    finish::{Why, settle},
    state::{MAX_RUNNING, State},
    store::{self, line as lines},
};
use crate::{
    app::App,
    base::{
        Error, Result,
        ids::{ChatId, MessageId},
        queue,
    },
    domain::{
        accounts::Viewer,
        chats,
        feed::{self, Event, Stands, What},
        limits,
    },
};
use sqlx::PgConnection;

/// Lets what is in line right behind `after` be made, in the transaction that ends that answer; returns the news.
///
/// # Errors
/// The database's.
pub async fn go_on(tx: &mut PgConnection, after: MessageId) -> Result<Vec<(MessageId, What)>> {
    let mut news = Vec::new();
    for (generation_id, message) in lines::release(tx, after).await? {
        queue::enqueue(tx, &Look::at(generation_id)).await?;
        news.push((message, What::State(Stands::Queued)));
    }
    Ok(news)
}

/// The same for a line that was left standing: by a process of the version before, which knows of no line.
///
/// # Errors
/// The database's.
pub async fn catch_up(app: &App, chat: ChatId, after: MessageId) -> Result<()> {
    let mut tx = app.pools.jobs.begin().await?;
    if feed::lock(&mut tx, chat).await?.is_none() {
        return Ok(());
    }
    if !lines::state_of(&mut tx, after).await?.is_none_or(State::lets_the_line_go_on) {
        return Ok(());
    }
    let news = go_on(&mut tx, after).await?;
    if news.is_empty() {
        return Ok(());
    }
    let events = feed::append(&mut tx, chat, &news).await?;
    tx.commit().await?;
    tracing::info!(%chat, "a line that was left standing goes on");
    app.feed.hub.deliver(chat, events);
    Ok(())
}

/// Sends what is held in line although the answer before it did not come. One that only waits to be tried again is
/// stopped by that, since a path has one running answer. Sending what is no longer in line changes nothing.
///
/// # Errors
/// [`Error::Conflict`] while the answer before it is in the making or in line itself, or when too many are being made;
/// [`Error::NotFound`].
pub async fn send_now(app: &App, viewer: &Viewer, message: MessageId) -> Result<ChatId> {
    let mut tx = app.pools.http.begin().await?;
    let place =
        chats::store::place(&mut tx, viewer.id, message).await?.filter(|p| p.by_model).ok_or(Error::NotFound)?;
    feed::lock(&mut tx, place.chat).await?.ok_or(Error::NotFound)?;
    let standing = store::standing(&mut tx, message).await?.ok_or(Error::NotFound)?;
    let (State::Lined, Some(after)) = (State::parse(&standing.state), standing.after) else { return Ok(place.chat) };
    let before = lines::state_of(&mut tx, after).await?;
    let events = match before {
        Some(State::Lined) => {
            return Err(Error::Conflict(
                "The message before this one is in line too. Send or remove that one first.".into(),
            ));
        }
        Some(State::Queued | State::Streaming) => {
            return Err(Error::Conflict(
                "This message is sent by itself as soon as the answer before it has ended.".into(),
            ));
        }
        // its end lets the line go on
        Some(State::Waiting) => settle(&mut tx, place.chat, after, Why::Stopped).await?.unwrap_or_default(),
        _ => {
            if store::load(&mut tx, place.chat, None).await?.running >= MAX_RUNNING {
                return Err(too_many_running());
            }
            let news = go_on(&mut tx, after).await?;
            feed::append(&mut tx, place.chat, &news).await?
        }
    };
    tx.commit().await?;
    app.feed.hub.deliver(place.chat, events);
    Ok(place.chat)
}

/// Takes a question that is in line out of the chat, with its answer and what is in line behind it. The chat's head is
/// locked; returns the news.
///
/// # Errors
/// The database's.
pub async fn take_out(tx: &mut PgConnection, viewer: &Viewer, chat: ChatId, question: MessageId) -> Result<Vec<Event>> {
    let gone = lines::below(tx, chat, question).await?;
    let parent = chats::store::place(tx, viewer.id, question).await?.and_then(|p| p.parent);
    let leaf = chats::find(tx, viewer, chat).await?.leaf;
    if let Some(parent) = parent.filter(|_| leaf.is_some_and(|leaf| gone.iter().any(|(id, _)| *id == leaf))) {
        chats::store::set_leaf(tx, chat, parent).await?;
    }
    chats::store::remove(tx, chat, question).await?;
    let answers: Vec<_> = gone.iter().filter(|(_, state)| state.is_some()).map(|(id, _)| *id).collect();
    limits::give_back(tx, viewer.id, &answers).await?;
    let news: Vec<_> = answers.into_iter().map(|id| (id, What::Removed)).collect();
    feed::append(tx, chat, &news).await
}

/// What is said when a chat has as many answers in the making as it may.
pub fn too_many_running() -> Error {
    Error::Conflict(format!(
        "{MAX_RUNNING} answers are being made in this chat already. Wait for one to end, or stop one."
    ))
}
