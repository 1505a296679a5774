//! Accepting a message: one transaction that holds the messages, the generation, the feed's event and the job, or
//! nothing of it.

use super::{
    Look,
    store::{self, sends},
};
use crate::{
    app::App,
    base::{
        Error, Result, crypto,
        ids::{ChatId, MessageId},
        queue,
    },
    domain::{
        accounts::Viewer,
        catalog,
        chats::{self, store::NewMessage},
        feed::{self, What},
    },
    markdown,
};
use sqlx::PgConnection;
use uuid::Uuid;

/// What somebody wants to send.
#[derive(Debug, Clone)]
pub struct Draft {
    pub content: String,
    /// `provider/name`, as in the catalog.
    pub model: String,
    /// The message it follows; without one, the end of the shown path.
    pub parent: Option<MessageId>,
    /// Made with the form: sending the same again gives the first answer again.
    pub key: Option<Uuid>,
}

/// What was accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    pub chat: ChatId,
    /// The answer that is begun.
    pub answer: MessageId,
}

/// How many characters a viewer's message may have.
#[must_use]
pub fn max_chars(app: &App, viewer: &Viewer) -> usize {
    if viewer.administrator { app.config.chats.max_message_chars_admin } else { app.config.chats.max_message_chars }
}

/// Takes a message into a chat, or into a new one, and begins its answer.
///
/// # Errors
/// [`Error::Invalid`] for an empty or too long message, a model that is not there, or a parent of another chat;
/// [`Error::Conflict`] while an answer of this chat is running; [`Error::NotFound`].
pub async fn send(app: &App, viewer: &Viewer, chat: Option<ChatId>, draft: &Draft) -> Result<Sent> {
    let text = check(app, viewer, &draft.content)?;
    let mut tx = app.pools.http.begin().await?;
    catalog::require(app, &mut tx, &draft.model).await?;
    let shown = match chat {
        Some(id) => Some(chats::find(&mut tx, viewer, id).await?),
        None => None,
    };
    // the key is of this form: the same words in another chat, or to another model, are another message
    let body = format!("{chat:?}\n{:?}\n{}\n{text}", draft.parent, draft.model);
    let body_hash = crypto::sha256(body.as_bytes());
    let chat = if let Some(chat) = &shown {
        chat.id
    } else {
        let id = chats::store::insert(&mut tx, viewer.id, &chats::title_from(&text)).await?;
        feed::store::open(&mut tx, id).await?;
        id
    };
    let from = feed::lock(&mut tx, chat).await?.ok_or(Error::NotFound)?;
    if let Some(key) = draft.key
        && let Some(before) = sends::taken(&mut tx, viewer.id, key, &body_hash).await?
    {
        return Ok(before); // the transaction, with the new chat in it, is rolled back
    }
    if store::is_answering(&mut tx, chat).await? {
        return Err(Error::Conflict("An answer is still being written. Wait for its end, or stop it first.".into()));
    }
    let parent = draft.parent.or(shown.and_then(|c| c.leaf));
    let html = markdown::plain(&text);
    let question = NewMessage { parent, by_model: false, text: &text, html: Some(&html) };
    let question = chats::store::add(&mut tx, chat, &question).await?;
    let sent = begin(&mut tx, viewer, chat, question, &draft.model, from).await?;
    if let Some(key) = draft.key {
        sends::remember(&mut tx, viewer.id, key, &body_hash, &sent).await?;
    }
    let turn = What::Turn { question: Some(question), parent };
    let events = feed::append(&mut tx, chat, &[(sent.answer, turn)]).await?;
    tx.commit().await?;
    app.feed.hub.deliver(chat, events);
    Ok(sent)
}

/// Asks again: another answer beside an earlier one, by the same or another model.
///
/// # Errors
/// As [`send`].
pub async fn regenerate(
    app: &App,
    viewer: &Viewer,
    answer: MessageId,
    model: Option<&str>,
    key: Option<Uuid>,
) -> Result<Sent> {
    let mut tx = app.pools.http.begin().await?;
    let place = chats::store::place(&mut tx, viewer.id, answer).await?.ok_or(Error::NotFound)?;
    let question = place.parent.filter(|_| place.by_model).ok_or(Error::NotFound)?;
    let from = feed::lock(&mut tx, place.chat).await?.ok_or(Error::NotFound)?;
    let body_hash = crypto::sha256(format!("again\n{answer}\n{model:?}").as_bytes());
    if let Some(key) = key
        && let Some(before) = sends::taken(&mut tx, viewer.id, key, &body_hash).await?
    {
        return Ok(before);
    }
    if store::is_answering(&mut tx, place.chat).await? {
        return Err(Error::Conflict("An answer is still being written. Wait for its end, or stop it first.".into()));
    }
    let chat = chats::find(&mut tx, viewer, place.chat).await?;
    let model = model.filter(|m| !m.is_empty()).map(str::to_owned).or(chat.model).unwrap_or_default();
    catalog::require(app, &mut tx, &model).await?;
    let sent = begin(&mut tx, viewer, place.chat, question, &model, from).await?;
    if let Some(key) = key {
        sends::remember(&mut tx, viewer.id, key, &body_hash, &sent).await?;
    }
    let turn = What::Turn { question: None, parent: Some(question) };
    let events = feed::append(&mut tx, place.chat, &[(sent.answer, turn)]).await?;
    tx.commit().await?;
    app.feed.hub.deliver(place.chat, events);
    Ok(sent)
}

/// The answer's message, its generation and its job.
async fn begin(
    tx: &mut PgConnection,
    viewer: &Viewer,
    chat: ChatId,
    question: MessageId,
    model: &str,
    from: i64,
) -> Result<Sent> {
    let answer = NewMessage { parent: Some(question), by_model: true, text: "", html: None };
    let answer = chats::store::add(tx, chat, &answer).await?;
    let generation_id = store::insert(tx, chat, answer, viewer.id, model, from).await?;
    chats::store::show(tx, chat, answer, model).await?;
    queue::enqueue(tx, &Look { generation_id }).await?;
    Ok(Sent { chat, answer })
}

fn check(app: &App, viewer: &Viewer, content: &str) -> Result<String> {
    let text = content.replace("\r\n", "\n").replace('\0', "\u{fffd}");
    let text = text.trim_end().trim_start_matches('\n').to_owned();
    if text.trim().is_empty() {
        return Err(Error::invalid("content", "Write something first."));
    }
    let (length, most) = (text.chars().count(), max_chars(app, viewer));
    if length > most {
        let message = format!(
            "This message has {length} characters; at most {most} can be sent. Shorten it, or send it in parts."
        );
        return Err(Error::invalid("content", message));
    }
    Ok(text)
}

/// Forgets the keys of forms sent over a day ago.
///
/// # Errors
/// The database's.
pub async fn forget_keys(app: &App) -> Result<()> {
    sends::forget(&app.pools.jobs).await
}
