//! Accepting a message: one transaction that holds the messages, the generation, the feed's event and the job, or
//! nothing of it.

use super::{
    Look, ask,
    line::too_many_running,
    run,
    state::{MAX_LINED, MAX_RUNNING, State},
    store::{
        self, Claimed, Entered, Form, Question, line,
        sends::{self, Stand},
        tree,
    },
    thread::Turn,
};
use crate::{
    app::App,
    base::{
        Error, Result, crypto,
        error::Allowance,
        ids::{ChatId, FileId, GenerationId, MessageId, UserId},
        metrics::metrics,
        queue,
    },
    domain::{
        accounts::Viewer,
        catalog, chats,
        feed::{self, Asked, Stands, What},
        files,
        limits::{self, Purse},
    },
    markdown,
    outside::llm::image_tokens,
};
use sqlx::PgConnection;
use std::{str::FromStr, sync::Arc};
use uuid::Uuid;

/// Bytes of a question at most that is told to readers with its turn, and not looked up by each process.
const TOLD: usize = 2048;

/// What somebody wants to send.
#[derive(Debug, Clone)]
pub struct Draft {
    pub content: String,
    /// `provider/name`, as in the catalog.
    pub model: String,
    /// It was not named, but is the one that the chat has.
    pub is_chats_model: bool,
    /// The message it follows; without one, the end of the shown path.
    pub parent: Option<MessageId>,
    /// Images that go along.
    pub files: Vec<FileId>,
    /// Made with the form: sending the same again gives the first answer again.
    pub key: Option<Key>,
}

/// What a message is named by before it has an id, so that sending it again is harmless; for a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    pub id: Uuid,
    /// Another message under the same key is refused. Else it is a new one, as pages want it.
    pub strict: bool,
}

impl FromStr for Key {
    type Err = uuid::Error;

    fn from_str(text: &str) -> std::result::Result<Self, uuid::Error> {
        Ok(Self { id: text.parse()?, strict: false })
    }
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

/// A message that was taken.
#[derive(Debug, Clone)]
pub struct Taken {
    pub sent: Sent,
    /// Nothing for one that was sent before, that is in line, or has images: [`turn`](super::turn) looks it up.
    pub turn: Option<Turn>,
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
pub async fn send(app: &App, viewer: &Viewer, chat: Option<ChatId>, draft: &Draft) -> Result<Taken> {
    let files = files::checked(&draft.files)?;
    let text = check(&draft.content, max_chars(app, viewer), !files.is_empty())?;
    let mut tx = app.pools.http.begin().await?;
    // the key is of this form: the same words in another chat, or to another model, are another message
    let named = if draft.is_chats_model { "" } else { &draft.model };
    let body = format!("{chat:?}\n{:?}\n{named}\n{text}", draft.parent);
    let body = if files.is_empty() { body } else { format!("{body}\n{files:?}") };
    let body_hash = crypto::sha256(body.as_bytes());
    if let Some(key) = draft.key.filter(|key| key.strict) {
        // in whatever chat, and whatever has become of the model since
        sends::lock(&mut tx, viewer.id, key.id).await?;
        if let Some(before) = sends::taken(&mut tx, viewer.id, key, &body_hash).await? {
            return Ok(Taken { sent: before, turn: None });
        }
    }
    catalog::require(app, &mut tx, viewer, &draft.model).await?;
    if !files.is_empty() {
        require_sight(app, &mut tx, &draft.model).await?;
    }
    let (chat, from, shown, spot) = if let Some(id) = chat {
        // as it is under the lock: somebody else may have sent meanwhile
        let stand = sends::stand(&mut tx, viewer.id, id, draft.key.map(|key| key.id), &body_hash)
            .await?
            .ok_or(Error::NotFound)?;
        if let Some(before) = stand.taken {
            return Ok(Taken { sent: before, turn: None });
        }
        if stand.leaf.is_none() {
            chats::store::title_by_words(&mut tx, id, &chats::title_from(&text)).await?;
        }
        (id, stand.seq, stand.leaf, spot(&mut tx, id, stand, draft.parent).await?)
    } else {
        if let Some(key) = draft.key {
            sends::lock(&mut tx, viewer.id, key.id).await?;
            if let Some(before) = sends::taken(&mut tx, viewer.id, key, &body_hash).await? {
                return Ok(Taken { sent: before, turn: None });
            }
        }
        let id = chats::store::insert(&mut tx, viewer.id, &chats::title_from(&text)).await?;
        // nobody else knows of it yet: its head is locked by being new
        feed::store::open(&mut tx, id).await?;
        (id, 0, draft.parent, Spot { parent: draft.parent, place: 0, after: None })
    };
    let Spot { parent, place, after } = spot;
    let permit = if after.is_none() { run::permit(app) } else { None };
    let html = markdown::plain(&text);
    let purse = Purse::paying(app, &mut tx, viewer, &draft.model).await?;
    let beginning = Beginning {
        chat,
        user: viewer.id,
        purse: Some(&purse),
        question: Question::Asked { parent, place, text: &text, html: &html, files: &files },
        model: &draft.model,
        from,
        after,
        prefix: 0,
        place: 0,
        show: true,
        lease: permit.is_some().then_some(app.config.generation.lease),
        form: draft.key.map(|key| Form { key: key.id, body_hash }),
    };
    let Begun { sent, question, generation } = begin(&mut tx, &beginning).await?;
    // nothing else belongs to it that readers see
    let plain = after.is_none() && files.is_empty();
    let told = plain && place == 0 && text.len() <= TOLD;
    let asked = told.then(|| Arc::new(Asked { text: text.clone(), model: draft.model.clone() }));
    let mut news = vec![(sent.answer, What::Turn { question: Some(question), parent, asked })];
    if permit.is_some() {
        news.push((sent.answer, What::State(Stands::Streaming)));
    }
    if parent != shown {
        // it turns off the path that pages show
        news.push((sent.answer, What::Path));
    }
    let events = feed::append(&mut tx, chat, &news).await?;
    tx.commit().await?;
    let seq = events.last().map_or(from, |event| event.seq);
    app.feed.hub.deliver(chat, events);
    if let Some(permit) = permit {
        let (message, model) = (sent.answer, draft.model.clone());
        run::start(app, Claimed::at_once(generation, chat, message, model, from, seq), permit);
    }
    metrics().messages.increment(1);
    let turn = plain.then(|| {
        let mut turn = Turn::begun(chat, (question, sent.answer), parent, (text, html), &draft.model);
        turn.question.beside = place > 0;
        turn
    });
    Ok(Taken { sent, turn })
}

/// A model that is known not to see is sent no image.
async fn require_sight(app: &App, tx: &mut PgConnection, model: &str) -> Result<()> {
    let facts = catalog::facts(app, tx, model).await?;
    if facts.images == Some(false) {
        let name = facts.label.as_deref().unwrap_or(catalog::split(model).1);
        let sentence = format!("{name} cannot see images. Choose another model, or remove the image.");
        return Err(Error::invalid("model", sentence));
    }
    Ok(())
}

/// Where a message is put.
struct Spot {
    parent: Option<MessageId>,
    /// Among those that follow the same.
    place: i32,
    /// The answer that it is in line behind.
    after: Option<MessageId>,
}

/// Where the next message is put. It follows the given one; or the end of the shown path, if that only has grown since the
/// page was read; or what is in line already. The chat's head is locked.
async fn spot(tx: &mut PgConnection, chat: ChatId, stand: Stand, given: Option<MessageId>) -> Result<Spot> {
    let leaf = stand.leaf;
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
    let Some(parent) = parent else { return Ok(Spot { parent: None, place: stand.place, after: None }) };
    let (load, place) = if Some(parent) == leaf {
        (stand.load, stand.place)
    } else {
        (store::load(tx, chat, Some(parent)).await?, store::next_place(tx, chat, parent).await?)
    };
    let unfinished = load.state.as_deref().is_some_and(|state| !State::parse(state).is_over());
    if !unfinished {
        let spot = Spot { parent: Some(parent), place, after: None };
        return if load.running < MAX_RUNNING { Ok(spot) } else { Err(too_many_running()) };
    }
    if load.lined >= MAX_LINED {
        return Err(Error::Conflict(format!(
            "{MAX_LINED} messages are waiting in line already. Send this one when one of them has its answer."
        )));
    }
    let last = line::last(tx, chat, parent).await?;
    let place = if last == parent { place } else { store::next_place(tx, chat, last).await? };
    Ok(Spot { parent: Some(last), place, after: Some(last) })
}

/// What an answer begins with.
pub(super) struct Beginning<'a> {
    pub chat: ChatId,
    pub user: UserId,
    /// Whose it is to pay for it; nobody's what an administrator sets going again.
    pub purse: Option<&'a Purse>,
    pub question: Question<'a>,
    pub model: &'a str,
    /// The feed's position.
    pub from: i64,
    /// In line behind this answer.
    pub after: Option<MessageId>,
    /// Bytes of text taken over.
    pub prefix: usize,
    /// Among the answers to the question.
    pub place: i32,
    /// The answer becomes the end of the shown path.
    pub show: bool,
    /// Claimed by this process at once, for so many seconds.
    pub lease: Option<f64>,
    pub form: Option<Form>,
}

/// What was begun.
pub(super) struct Begun {
    pub sent: Sent,
    pub question: MessageId,
    pub generation: GenerationId,
}

/// The answer's message, its generation, and its job unless it is in line or claimed; the question's message if that is
/// new too.
pub(super) async fn begin(tx: &mut PgConnection, with: &Beginning<'_>) -> Result<Begun> {
    let Beginning { chat, user, purse, question, model, from: from_seq, after, prefix, place, show, lease, form } =
        *with;
    let new = store::New { chat, user, question, place, show, model, from_seq, after, prefix, lease, form };
    let Entered { question, answer, generation } = store::enter(tx, &new).await?;
    if let Question::Asked { files, .. } = new.question {
        files::attach(tx, user, (chat, question), files).await?;
    }
    let allowance = match purse {
        Some(purse) => {
            let allowance = limits::take(tx, purse, answer).await?;
            if let Some(due) = limits::due(tx, purse).await? {
                let tokens = most_tokens(tx, (chat, answer), prefix, (due.0.max_messages, model)).await?;
                limits::reserve(tx, purse, due, generation, tokens).await?;
            }
            allowance
        }
        None => None,
    };
    if after.is_none() && lease.is_none() {
        queue::enqueue(tx, &Look::at(generation)).await?;
    }
    Ok(Begun { sent: Sent { chat, answer, allowance }, question, generation })
}

/// The most that a model can count of what it will be asked: no token is less than a byte, and each message has a few for
/// its role.
async fn most_tokens(
    tx: &mut PgConnection,
    (chat, answer): (ChatId, MessageId),
    prefix: usize,
    (messages, model): (i32, &str),
) -> Result<i64> {
    const EACH: usize = 16;
    let told = store::conversation(tx, chat, answer, messages.saturating_add(1)).await?;
    let bytes = told.instructions.len() + told.system.len() + told.texts.iter().map(String::len).sum::<usize>();
    // an answer that is continued, and the word to go on
    let more = if prefix > 0 { prefix + ask::GO_ON.len() } else { 0 };
    let words = i64::try_from(bytes + more + (told.texts.len() + 4) * EACH).unwrap_or(i64::MAX / 2);
    if !told.files {
        return Ok(words);
    }
    let seen = files::seen(tx, chat, &told.ids).await?;
    let size = |n: i32| n.unsigned_abs();
    Ok(words + seen.iter().map(|image| image_tokens(model, size(image.width), size(image.height))).sum::<i64>())
}

/// The text as it is kept.
///
/// # Errors
/// [`Error::Invalid`] for an empty one, unless that may be, or a too long one.
pub(super) fn check(content: &str, most: usize, may_be_empty: bool) -> Result<String> {
    let text = content.replace("\r\n", "\n").replace('\0', "\u{fffd}");
    let text = text.trim_end().trim_start_matches('\n').to_owned();
    if text.trim().is_empty() && !may_be_empty {
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
