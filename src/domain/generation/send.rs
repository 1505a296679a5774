//! Accepting a message: one transaction that holds the messages, the generation, the feed's event and the job, or
//! nothing of it.

use super::{
    Look,
    line::too_many_running,
    run,
    state::{MAX_LINED, MAX_RUNNING, State},
    store::{self, Claimed, line, sends, tree},
};
use crate::{
    app::App,
    base::{
        Error, Result, crypto,
        error::Allowance,
        ids::{ChatId, GenerationId, MessageId, UserId},
        metrics::metrics,
        queue,
    },
    domain::{
        accounts::Viewer,
        catalog,
        chats::{self, store::NewMessage},
        feed::{self, Stands, What},
        limits::{self, Purse},
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
    /// How many more may be sent, if anything limits that; nothing for what was sent before.
    pub allowance: Option<Allowance>,
}

/// How many characters a viewer's message may have.
#[must_use]
pub fn max_chars(app: &App, viewer: &Viewer) -> usize {
    if viewer.administrator { app.config.chats.max_message_chars_admin } else { app.config.chats.max_message_chars }
}

/// Takes a message into a chat, or into a new one, and begins its answer: at once, or, if the answer that it follows is
/// unfinished, in line behind that one.
///
/// # Errors
/// [`Error::Invalid`] for an empty or too long message, a model that is not there, or a parent of another chat;
/// [`Error::Conflict`] when too many answers of this chat are being made or in line; [`Error::Limited`]; [`Error::NotFound`].
pub async fn send(app: &App, viewer: &Viewer, chat: Option<ChatId>, draft: &Draft) -> Result<Sent> {
    let text = check(&draft.content, max_chars(app, viewer))?;
    let mut tx = app.pools.http.begin().await?;
    catalog::require(app, &mut tx, &draft.model).await?;
    // the key is of this form: the same words in another chat, or to another model, are another message
    let body = format!("{chat:?}\n{:?}\n{}\n{text}", draft.parent, draft.model);
    let body_hash = crypto::sha256(body.as_bytes());
    let is_new = chat.is_none();
    let (chat, from, leaf) = if let Some(id) = chat {
        let from = chats::store::lock(&mut tx, viewer.id, id).await?.ok_or(Error::NotFound)?;
        // the leaf as it is under the lock: somebody else may have sent meanwhile
        (id, from, chats::find(&mut tx, viewer, id).await?.leaf)
    } else {
        if let Some(key) = draft.key {
            sends::lock(&mut tx, viewer.id, key).await?;
        }
        let id = chats::store::insert(&mut tx, viewer.id, &chats::title_from(&text)).await?;
        feed::store::open(&mut tx, id).await?;
        (id, feed::lock(&mut tx, id).await?.ok_or(Error::NotFound)?, None)
    };
    if let Some(key) = draft.key
        && let Some(before) = sends::taken(&mut tx, viewer.id, key, &body_hash).await?
    {
        return Ok(before); // the transaction, with the new chat in it, is rolled back
    }
    let (parent, after) = if is_new { (draft.parent, None) } else { place(&mut tx, chat, leaf, draft.parent).await? };
    let html = markdown::plain(&text);
    let question = NewMessage { parent, by_model: false, text: &text, html: Some(&html), first: is_new };
    let question = chats::store::add(&mut tx, chat, &question).await?;
    let permit = if after.is_none() { run::permit(app) } else { None };
    let lease = permit.is_some().then_some(app.config.generation.lease);
    let beginning = Beginning {
        chat,
        user: viewer.id,
        purse: Some(Purse::of(app, viewer)),
        question,
        model: &draft.model,
        from,
        after,
        prefix: 0,
        first: true,
        lease,
    };
    let (sent, id) = begin(&mut tx, &beginning).await?;
    chats::store::show(&mut tx, chat, sent.answer, &draft.model).await?;
    if let Some(key) = draft.key {
        sends::remember(&mut tx, viewer.id, key, &body_hash, &sent).await?;
    }
    let mut news = vec![(sent.answer, What::Turn { question: Some(question), parent })];
    if permit.is_some() {
        news.push((sent.answer, What::State(Stands::Streaming)));
    }
    let events = feed::append(&mut tx, chat, &news).await?;
    tx.commit().await?;
    let seq = events.last().map_or(from, |event| event.seq);
    app.feed.hub.deliver(chat, events);
    if let Some(permit) = permit {
        let (message, model) = (sent.answer, draft.model.clone());
        run::start(app, Claimed::at_once(id, chat, message, model, from, seq), permit);
    }
    metrics().messages.increment(1);
    Ok(sent)
}

/// What the next message follows, and which answer it is in line behind. It follows the given one; or the end of the shown
/// path, if that only has grown since the page was read; or what is in line already. The chat's head is locked.
async fn place(
    tx: &mut PgConnection,
    chat: ChatId,
    leaf: Option<MessageId>,
    given: Option<MessageId>,
) -> Result<(Option<MessageId>, Option<MessageId>)> {
    let parent = match (given, leaf) {
        (Some(given), Some(leaf)) if given == leaf || line::is_at_end(tx, chat, leaf, given).await? => Some(leaf),
        (Some(given), _) if !tree::stands(tx, chat, given).await? => {
            return Err(Error::invalid(
                "parent",
                "The message that this one answers is no longer there. Reload the page.",
            ));
        }
        (given, leaf) => given.or(leaf),
    };
    let Some(parent) = parent else { return Ok((None, None)) };
    let load = store::load(tx, chat, Some(parent)).await?;
    let unfinished = load.state.as_deref().is_some_and(|state| !State::parse(state).is_over());
    if !unfinished {
        return if load.running < MAX_RUNNING { Ok((Some(parent), None)) } else { Err(too_many_running()) };
    }
    if load.lined >= MAX_LINED {
        return Err(Error::Conflict(format!(
            "{MAX_LINED} messages are waiting in line already. Send this one when one of them has its answer."
        )));
    }
    let last = line::last(tx, chat, parent).await?;
    Ok((Some(last), Some(last)))
}

/// What an answer begins with.
pub(super) struct Beginning<'a> {
    pub chat: ChatId,
    pub user: UserId,
    /// Whose it is to pay for it; nobody's what an administrator sets going again.
    pub purse: Option<Purse>,
    pub question: MessageId,
    pub model: &'a str,
    /// The feed's position.
    pub from: i64,
    /// In line behind this answer.
    pub after: Option<MessageId>,
    /// Bytes of text taken over.
    pub prefix: usize,
    /// The question has no answer yet.
    pub first: bool,
    /// Claimed by this process at once, for so many seconds.
    pub lease: Option<f64>,
}

/// The answer's message, its generation, and its job unless it is in line or claimed.
pub(super) async fn begin(tx: &mut PgConnection, with: &Beginning<'_>) -> Result<(Sent, GenerationId)> {
    let Beginning { chat, user, purse, question, model, from: from_seq, after, prefix, first, lease } = *with;
    let answer = NewMessage { parent: Some(question), by_model: true, text: "", html: None, first };
    let message = chats::store::add(tx, chat, &answer).await?;
    let allowance = match purse {
        Some(purse) => limits::take(tx, &purse, message).await?,
        None => None,
    };
    let new = store::New { chat, message, user, model, from_seq, after, prefix, lease };
    let generation_id = store::insert(tx, &new).await?;
    if after.is_none() && lease.is_none() {
        queue::enqueue(tx, &Look::at(generation_id)).await?;
    }
    Ok((Sent { chat, answer: message, allowance }, generation_id))
}

/// The text as it is kept.
///
/// # Errors
/// [`Error::Invalid`] for an empty or too long one.
pub(super) fn check(content: &str, most: usize) -> Result<String> {
    let text = content.replace("\r\n", "\n").replace('\0', "\u{fffd}");
    let text = text.trim_end().trim_start_matches('\n').to_owned();
    if text.trim().is_empty() {
        return Err(Error::invalid("content", "Write something first."));
    }
    let length = text.chars().count();
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
