//! The tree in a person's hands: which path is shown, what is said anew, what is removed and brought back, and a path that
//! goes on in a chat of its own. Nothing that was said is overwritten.

use super::{
    finish::{Why, render, settle},
    line,
    send::{Beginning, Key, begin, check},
    state::{MAX_RUNNING, State},
    store::{self, Question, line as lines, sends, tree},
};
use crate::{
    app::App,
    base::{
        Error, Result, crypto,
        error::Allowance,
        ids::{ChatId, FileId, MessageId},
    },
    domain::{
        accounts::Viewer,
        catalog,
        chats::{self, store::NewMessage, store::Place},
        feed::{self, Event, What},
        files::{self, Attached},
        ledger,
        limits::{self, Purse},
    },
    markdown,
};
use sqlx::PgConnection;

/// Characters that an answer may have after a person has edited it.
const MAX_ANSWER_CHARS: usize = 200_000;

/// What was made of an act on a message: where to look now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Done {
    pub chat: ChatId,
    /// The message to look at.
    pub message: MessageId,
    /// See [`Sent`](super::Sent); nothing for what asks no model.
    pub allowance: Option<Allowance>,
}

impl Done {
    pub(super) fn at(chat: ChatId, message: MessageId) -> Self {
        Self { chat, message, allowance: None }
    }
}

/// A message that somebody wants to say otherwise.
#[derive(Debug, Clone)]
pub struct Original {
    pub chat: ChatId,
    pub by_model: bool,
    pub text: String,
    /// It was not sent yet: it is said otherwise where it stands.
    pub in_line: bool,
    /// What goes along with it; then it may be without a word.
    pub images: Vec<Attached>,
    /// Characters that it may have.
    pub max_chars: usize,
}

/// Makes the path through a message the shown one, on every device.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn show(app: &App, viewer: &Viewer, message: MessageId) -> Result<Done> {
    let mut tx = app.pools.http.begin().await?;
    let (place, _) = locked(&mut tx, viewer, message).await?;
    let leaf = tree::edges(&mut tx, place.chat).await?.newest_below(message);
    chats::store::set_leaf(&mut tx, place.chat, leaf).await?;
    let events = feed::append(&mut tx, place.chat, &[(message, What::Path)]).await?;
    tx.commit().await?;
    app.feed.hub.deliver(place.chat, events);
    Ok(Done::at(place.chat, message))
}

/// What is to be edited.
///
/// # Errors
/// [`Error::Conflict`] for an answer that is not over; [`Error::NotFound`].
pub async fn original(app: &App, viewer: &Viewer, message: MessageId) -> Result<Original> {
    let mut tx = app.pools.http.begin().await?;
    let place = chats::store::place(&mut tx, viewer.id, message).await?.ok_or(Error::NotFound)?;
    read_original(app, viewer, &mut tx, &place, message).await
}

async fn read_original(
    app: &App,
    viewer: &Viewer,
    tx: &mut PgConnection,
    place: &Place,
    message: MessageId,
) -> Result<Original> {
    if place.by_model && !lines::state_of(tx, message).await?.is_none_or(State::is_over) {
        return Err(Error::Conflict("This answer is not over yet. Wait for its end, or stop it first.".into()));
    }
    let in_line = !place.by_model && is_in_line(tx, place.chat, message).await?;
    let text = chats::store::text(tx, place.chat, message).await?.ok_or(Error::NotFound)?;
    let chars = super::max_chars(app, viewer);
    let max_chars = if place.by_model { chars.max(MAX_ANSWER_CHARS) } else { chars };
    let images = if place.by_model { Vec::new() } else { files::of_message(tx, place.chat, message).await? };
    Ok(Original { chat: place.chat, by_model: place.by_model, text, in_line, images, max_chars })
}

/// A question that waits to be asked.
async fn is_in_line(tx: &mut PgConnection, chat: ChatId, question: MessageId) -> Result<bool> {
    let below = lines::below(tx, chat, question).await?;
    Ok(below.len() > 1 && below.iter().all(|(_, state)| state.is_none_or(|s| s == State::Lined)))
}

/// What somebody says instead.
pub struct Reworded<'a> {
    pub content: &'a str,
    /// The images that go along; nothing: those of before.
    pub files: Option<Vec<FileId>>,
    pub key: Option<Key>,
    /// The question is asked.
    pub ask: bool,
}

/// Says a message otherwise: beside it, with what follows it left where it is; one that waits in line, where it stands.
/// A question is asked if `ask`, of the model that the chat asked last.
///
/// # Errors
/// [`Error::Invalid`] for an empty or too long text; [`Error::Conflict`] for an answer that is not over, or when too many
/// are being made; [`Error::Limited`]; [`Error::NotFound`].
pub async fn edit(
    app: &App,
    viewer: &Viewer,
    message: MessageId,
    Reworded { content, files, key, ask }: &Reworded<'_>,
) -> Result<Done> {
    let mut tx = app.pools.http.begin().await?;
    let (place, from) = locked(&mut tx, viewer, message).await?;
    let original = read_original(app, viewer, &mut tx, &place, message).await?;
    let before: Vec<_> = original.images.iter().map(|image| image.id).collect();
    let files = if original.by_model { Vec::new() } else { files::checked(files.as_ref().unwrap_or(&before))? };
    let text = check(content, original.max_chars, !files.is_empty())?;
    let (key, ask) = (*key, *ask);
    let body_hash = crypto::sha256(format!("edit\n{message}\n{ask}\n{files:?}\n{text}").as_bytes());
    if let Some(key) = key
        && let Some(before) = sends::taken(&mut tx, viewer.id, key, &body_hash).await?
    {
        return Ok(Done::at(before.chat, before.answer));
    }
    let chat = place.chat;
    let mut allowance = None;
    let (sent, news) = if original.in_line {
        tree::reword(&mut tx, chat, message, &text, &markdown::plain(&text)).await?;
        files::replace(&mut tx, viewer.id, (chat, message), &files).await?;
        (message, (message, What::Path))
    } else if original.by_model {
        let html = render(&text, message).await;
        let new = NewMessage { parent: place.parent, by_model: true, text: &text, html: Some(&html) };
        let new = chats::store::add(&mut tx, chat, &new).await?;
        chats::store::set_leaf(&mut tx, chat, new).await?;
        (new, (new, What::Path))
    } else {
        let html = markdown::plain(&text);
        let new = NewMessage { parent: place.parent, by_model: false, text: &text, html: Some(&html) };
        let new = chats::store::add(&mut tx, chat, &new).await?;
        files::attach(&mut tx, viewer.id, (chat, new), &files).await?;
        if ask {
            let asked = ask_for(app, viewer, &mut tx, chat, new, from).await?;
            allowance = asked.allowance;
            (new, (asked.answer, What::Turn { question: None, parent: Some(new), asked: None }))
        } else {
            chats::store::set_leaf(&mut tx, chat, new).await?;
            (new, (new, What::Path))
        }
    };
    if let Some(key) = key {
        sends::remember(&mut tx, viewer.id, key.id, &body_hash, &super::Sent { chat, answer: sent, allowance }).await?;
    }
    let events = feed::append(&mut tx, chat, &[news]).await?;
    tx.commit().await?;
    app.feed.hub.deliver(chat, events);
    Ok(Done { chat, message: sent, allowance })
}

/// Begins the first answer to a question that is new in the tree, and shows it.
async fn ask_for(
    app: &App,
    viewer: &Viewer,
    tx: &mut PgConnection,
    chat: ChatId,
    question: MessageId,
    from: i64,
) -> Result<super::Sent> {
    let model = chats::find(tx, viewer, chat).await?.model.unwrap_or_default();
    catalog::require(app, tx, viewer, &model).await?;
    if store::load(tx, chat, None).await?.running >= MAX_RUNNING {
        return Err(line::too_many_running());
    }
    let purse = Purse::paying(app, tx, viewer, &model).await?;
    let beginning = Beginning {
        chat,
        user: viewer.id,
        purse: Some(&purse),
        question: Question::Stands(question),
        model: &model,
        from,
        after: None,
        prefix: 0,
        place: 0,
        show: true,
        lease: None,
        form: None,
    };
    Ok(begin(tx, &beginning).await?.sent)
}

/// What an answer that the viewer was let in to has cost, in micro-units; nothing if no price was known.
///
/// # Errors
/// The database's.
pub async fn cost(app: &App, original: &Original, answer: MessageId) -> Result<Option<i64>> {
    if !original.by_model {
        return Ok(None);
    }
    Ok(ledger::cost_of_answer(&mut *app.pools.http.acquire().await?, answer).await?)
}

/// Removes a message with all that follows it; for a day it can be brought back. What is being made there is stopped. A turn
/// that waits in line is taken out of it for good.
///
/// # Errors
/// [`Error::Conflict`] for the only beginning of a chat; [`Error::NotFound`].
pub async fn delete(app: &App, viewer: &Viewer, message: MessageId) -> Result<Deleted> {
    let mut tx = app.pools.http.begin().await?;
    let (place, _) = locked(&mut tx, viewer, message).await?;
    let chat = place.chat;
    let question = if place.by_model { place.parent } else { Some(message) };
    if let Some(question) = question
        && is_in_line(&mut tx, chat, question).await?
    {
        let events = line::take_out(&mut tx, viewer, chat, question).await?;
        tx.commit().await?;
        app.feed.hub.deliver(chat, events);
        return Ok(Deleted { chat, undo: None });
    }
    let edges = tree::edges(&mut tx, chat).await?;
    let others = tree::others(&mut tx, chat, message, place.parent).await?;
    let next = match (others.last(), place.parent) {
        (Some(other), _) => edges.newest_below(*other),
        (None, Some(parent)) => parent,
        (None, None) => {
            let sentence = "Everything in this chat follows this message. Delete the chat instead.";
            return Err(Error::Conflict(sentence.into()));
        }
    };
    let gone = lines::below(&mut tx, chat, message).await?;
    let mut events: Vec<Event> = Vec::new();
    // from the end, so that no stop lets a line go on
    for (answer, _) in gone.iter().rev().filter(|(_, state)| state.is_some_and(|s| !s.is_over())) {
        events.extend(settle(&mut tx, chat, *answer, Why::Stopped).await?.unwrap_or_default());
    }
    let never_asked: Vec<_> = gone.iter().filter(|(_, s)| *s == Some(State::Lined)).map(|(id, _)| *id).collect();
    limits::give_back(&mut tx, viewer.id, &never_asked).await?;
    let ids: Vec<_> = gone.into_iter().map(|(id, _)| id).collect();
    tree::hide(&mut tx, chat, &ids).await?;
    if chats::find(&mut tx, viewer, chat).await?.leaf.is_none_or(|leaf| ids.contains(&leaf)) {
        chats::store::set_leaf(&mut tx, chat, next).await?;
    }
    events.extend(feed::append(&mut tx, chat, &[(message, What::Path)]).await?);
    tx.commit().await?;
    app.feed.hub.deliver(chat, events);
    Ok(Deleted { chat, undo: Some(message) })
}

/// What was removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deleted {
    pub chat: ChatId,
    /// Names what can be brought back.
    pub undo: Option<MessageId>,
}

/// Brings back what was removed together with a message, and shows it.
///
/// # Errors
/// [`Error::Conflict`] when what it followed was removed too; [`Error::NotFound`] for what is not removed, or gone for good.
pub async fn restore(app: &App, viewer: &Viewer, message: MessageId) -> Result<Done> {
    let mut tx = app.pools.http.begin().await?;
    let (chat, parent) = tree::removed(&mut tx, viewer.id, message).await?.ok_or(Error::NotFound)?;
    feed::lock(&mut tx, chat).await?.ok_or(Error::NotFound)?;
    if let Some(parent) = parent
        && !tree::stands(&mut tx, chat, parent).await?
    {
        return Err(Error::Conflict("What this message followed was deleted too. Bring that back first.".into()));
    }
    tree::bring_back(&mut tx, chat, message).await?;
    let leaf = tree::edges(&mut tx, chat).await?.newest_below(message);
    chats::store::set_leaf(&mut tx, chat, leaf).await?;
    let events = feed::append(&mut tx, chat, &[(message, What::Path)]).await?;
    tx.commit().await?;
    app.feed.hub.deliver(chat, events);
    Ok(Done::at(chat, message))
}

/// The model that a chat asked last.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn asked_last(app: &App, viewer: &Viewer, chat: ChatId) -> Result<Option<String>> {
    let mut conn = app.pools.http.acquire().await?;
    Ok(chats::find(&mut conn, viewer, chat).await?.model)
}

/// Whether something that was removed can be brought back by this name.
///
/// # Errors
/// The database's.
pub async fn can_restore(app: &App, viewer: &Viewer, message: MessageId) -> Result<bool> {
    let mut conn = app.pools.http.acquire().await?;
    Ok(tree::removed(&mut conn, viewer.id, message).await?.is_some())
}

/// Goes on from a message in a chat of its own, which begins with a copy of the path to it.
///
/// # Errors
/// [`Error::Conflict`] for an answer that is not over or a question in line; [`Error::NotFound`].
pub async fn fork(app: &App, viewer: &Viewer, message: MessageId) -> Result<Done> {
    let mut tx = app.pools.http.begin().await?;
    let (place, _) = locked(&mut tx, viewer, message).await?;
    if read_original(app, viewer, &mut tx, &place, message).await?.in_line {
        return Err(Error::Conflict("This message is still waiting in line. Send or remove it.".into()));
    }
    let chat = chats::store::copy(&mut tx, place.chat).await?;
    feed::store::open(&mut tx, chat).await?;
    let leaf = tree::copy_path(&mut tx, place.chat, message, chat).await?;
    chats::store::set_leaf(&mut tx, chat, leaf).await?;
    feed::ring_list(&mut tx, viewer.id).await?;
    tx.commit().await?;
    Ok(Done::at(chat, leaf))
}

/// Removes for good what was deleted over a day ago.
///
/// # Errors
/// The database's.
pub async fn purge(app: &App) -> Result<()> {
    tree::purge(&app.pools.jobs).await
}

/// Where a message of the viewer's stands, and the position of its chat's log, whose head is locked from now on.
async fn locked(tx: &mut PgConnection, viewer: &Viewer, message: MessageId) -> Result<(Place, i64)> {
    let place = chats::store::place(tx, viewer.id, message).await?.ok_or(Error::NotFound)?;
    let from = feed::lock(tx, place.chat).await?.ok_or(Error::NotFound)?;
    // as it is under the lock
    let place = chats::store::place(tx, viewer.id, message).await?.ok_or(Error::NotFound)?;
    Ok((place, from))
}
