//! What a page shows of a chat: the path, with the state of each answer and the text so far of a running one, and the
//! position of the feed it is true for, all from one snapshot.

use super::{
    rate::Rating,
    state::State,
    store::{
        self, rate,
        thread::{add_running_texts, by_id, path},
        tree,
    },
};
use crate::{
    app::App,
    base::{
        Error, Result,
        ids::{ChatId, MessageId},
    },
    domain::{
        accounts::Viewer,
        chats::{self, Chat},
        feed,
        files::Attached,
    },
};
use sqlx::{Connection as _, PgConnection};
use time::OffsetDateTime;
use tokio::time::Instant;

/// A message as it stands.
#[derive(Debug, Clone)]
pub struct Shown {
    pub id: MessageId,
    pub chat: ChatId,
    pub parent: Option<MessageId>,
    pub by_model: bool,
    /// Of a running answer: the text so far.
    pub text: String,
    pub reasoning: String,
    /// Rendered and stored; nothing while the answer runs.
    pub html: Option<String>,
    /// Nothing for a person's message.
    pub state: Option<State>,
    /// The answer that it is, or was, in line behind, and where that one stands.
    pub after: Option<MessageId>,
    pub before: Option<State>,
    /// Of a waiting one: when it is tried again, by this process's steady clock.
    pub due: Option<Instant>,
    pub reason: Option<String>,
    pub model: String,
    pub tokens: Option<i64>,
    /// Between the first token of any kind and the first of the text.
    pub thought: Option<f64>,
    pub created_at: OffsetDateTime,
    /// What a person sent along.
    pub images: Vec<Attached>,
    /// The others in its place, if it has any. Looked up for pages, and for what came beside others.
    pub siblings: Option<Siblings>,
    /// It did not come first in its place.
    pub beside: bool,
    /// What the viewer thinks of it; looked up for pages alone, since the feed knows no viewer.
    pub rating: Option<Rating>,
}

/// Messages said in the same place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Siblings {
    /// Of this one, from 1.
    pub place: usize,
    pub count: usize,
    pub previous: Option<MessageId>,
    pub next: Option<MessageId>,
}

/// What was asked and the answer to it, as both are when it is begun.
#[derive(Debug, Clone)]
pub struct Turn {
    pub question: Shown,
    pub answer: Shown,
}

impl Turn {
    /// One that was begun just now, with a question of words alone.
    #[must_use]
    pub fn begun(
        chat: ChatId,
        (question, answer): (MessageId, MessageId),
        parent: Option<MessageId>,
        (text, html): (String, String),
        model: &str,
    ) -> Self {
        let question = Shown { text, html: Some(html), ..Shown::fresh(chat, question, parent) };
        let mut answer = Shown::fresh(chat, answer, Some(question.id));
        (answer.by_model, answer.model, answer.state) = (true, model.to_owned(), Some(State::Queued));
        Self { question, answer }
    }
}

impl Shown {
    /// A message that has just come.
    fn fresh(chat: ChatId, id: MessageId, parent: Option<MessageId>) -> Self {
        Self {
            id,
            chat,
            parent,
            by_model: false,
            text: String::new(),
            reasoning: String::new(),
            html: None,
            state: None,
            after: None,
            before: None,
            due: None,
            reason: None,
            model: String::new(),
            tokens: None,
            thought: None,
            created_at: id.minted_at(),
            images: Vec::new(),
            siblings: None,
            beside: false,
            rating: None,
        }
    }

    /// The answer as it was when it was begun, whatever has become of it since: what follows in the feed builds on that.
    #[must_use]
    pub fn as_begun(self) -> Self {
        Self {
            text: String::new(),
            reasoning: String::new(),
            html: None,
            state: Some(if self.after.is_some() { State::Lined } else { State::Queued }),
            due: None,
            reason: None,
            tokens: None,
            thought: None,
            ..self
        }
    }
}

/// A chat's shown path.
pub struct Thread {
    pub chat: Chat,
    /// From the oldest shown to the leaf.
    pub messages: Vec<Shown>,
    /// There are older ones before the first.
    pub earlier: bool,
    /// The feed's position: everything up to it is in here.
    pub after: i64,
}

const ONE_SNAPSHOT: &str = "begin isolation level repeatable read, read only";

/// How many messages a page shows at first.
const PAGE: i32 = 40;

/// Which part of which path is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spot {
    /// The end of the shown path.
    Newest,
    /// The end of the path to this message.
    Leaf(MessageId),
    /// What stands before this message, which is on the page already.
    Before(MessageId),
    /// Around this message: on the shown path if it is there, else on the newest through it.
    At(MessageId),
}

/// Part of a path.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn thread(app: &App, viewer: &Viewer, chat: ChatId, spot: Spot) -> Result<Thread> {
    let mut tx = app.pools.http.begin_with(ONE_SNAPSHOT).await?;
    let found = chats::find(&mut tx, viewer, chat).await?;
    let (_, after) = feed::store::bounds(&mut tx, chat).await?.ok_or(Error::NotFound)?;
    let end = match spot {
        Spot::Newest => {
            let Some(leaf) = found.leaf else {
                tx.rollback().await?;
                // nothing is said in it yet
                return Ok(Thread { chat: found, messages: Vec::new(), earlier: false, after });
            };
            leaf
        }
        Spot::Leaf(message) | Spot::Before(message) => message,
        Spot::At(message) => around(&mut tx, &found, message).await?,
    };
    let on_the_page = matches!(spot, Spot::Before(_));
    let mut messages = path(&mut tx, chat, end, PAGE + 1 + i32::from(on_the_page)).await?;
    if on_the_page {
        messages.pop();
    }
    let most = usize::try_from(PAGE).expect("a small number");
    let earlier = messages.len() > most;
    if earlier {
        messages.drain(..messages.len() - most);
    }
    if messages.is_empty() && !on_the_page {
        return Err(Error::NotFound);
    }
    add_running_texts(&mut tx, &mut messages).await?;
    let mut messages: Vec<_> = messages.into_iter().map(|(m, _)| m).collect();
    add_siblings(&mut tx, chat, &mut messages).await?;
    let answers: Vec<_> = messages.iter().filter(|m| m.by_model).map(|m| m.id).collect();
    let mut ratings = rate::of(&mut tx, viewer.id, chat, &answers).await?;
    for message in &mut messages {
        message.rating = ratings.remove(&message.id);
    }
    tx.rollback().await?;
    Ok(Thread { chat: found, messages, earlier, after })
}

/// The end of a page that has this message on it.
async fn around(tx: &mut PgConnection, chat: &Chat, message: MessageId) -> Result<MessageId> {
    let shown = chat.leaf.ok_or(Error::NotFound)?;
    let edges = tree::edges(tx, chat.id).await?;
    let page = usize::try_from(PAGE).expect("a small number");
    let there = || edges.page_end(edges.newest_below(message), message, page);
    edges.page_end(shown, message, page).or_else(there).ok_or(Error::NotFound)
}

/// Says of each message which others are said in its place.
async fn add_siblings(tx: &mut PgConnection, chat: ChatId, messages: &mut [Shown]) -> Result<()> {
    let parents: Vec<_> = messages.iter().filter_map(|m| m.parent).collect();
    let roots = messages.iter().any(|m| m.parent.is_none());
    let Some(oldest) = messages.iter().map(|m| m.id).chain(parents.iter().copied()).min() else { return Ok(()) };
    let families = tree::families(tx, chat, &parents, roots, oldest.long_before()).await?;
    for message in messages {
        let family = families.iter().find_map(|ids| Some((ids, ids.iter().position(|id| *id == message.id)?)));
        message.siblings = family.map(|(ids, at)| Siblings {
            place: at + 1,
            count: ids.len(),
            previous: at.checked_sub(1).map(|before| ids[before]),
            next: ids.get(at + 1).copied(),
        });
    }
    Ok(())
}

/// Messages by id as they stand, in the order asked for. For the feed of a chat, whose reader was let in before.
///
/// # Errors
/// The database's.
pub async fn shown(app: &App, chat: ChatId, ids: &[MessageId]) -> Result<Vec<Shown>> {
    let mut conn = app.pools.http.acquire().await?;
    let mut messages = by_id(&mut conn, chat, ids).await?;
    if messages.iter().any(|(m, _)| m.state.is_some_and(State::is_running)) {
        let mut tx = conn.begin_with(ONE_SNAPSHOT).await?;
        messages = by_id(&mut tx, chat, ids).await?;
        add_running_texts(&mut tx, &mut messages).await?;
        tx.rollback().await?;
    }
    let mut messages: Vec<_> = messages.into_iter().map(|(m, _)| m).collect();
    if messages.iter().any(|m| m.beside) {
        add_siblings(&mut conn, chat, &mut messages).await?;
    }
    Ok(messages)
}

/// A message of one of the viewer's chats, as it stands.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn message(app: &App, viewer: &Viewer, id: MessageId) -> Result<Shown> {
    let place = chats::store::place(&mut *app.pools.http.acquire().await?, viewer.id, id).await?;
    let chat = place.ok_or(Error::NotFound)?.chat;
    shown(app, chat, &[id]).await?.into_iter().next().ok_or(Error::NotFound)
}

/// An answer of one of the viewer's chats: where it stands, where its first event can be in the log, and the log's bounds; from
/// one snapshot.
pub(super) async fn begun(app: &App, viewer: &Viewer, answer: MessageId) -> Result<(Shown, i64, (i64, i64))> {
    let mut tx = app.pools.http.begin_with(ONE_SNAPSHOT).await?;
    let place = chats::store::place(&mut tx, viewer.id, answer).await?.filter(|place| place.by_model);
    let chat = place.ok_or(Error::NotFound)?.chat;
    let bounds = feed::store::bounds(&mut tx, chat).await?.ok_or(Error::NotFound)?;
    let found = by_id(&mut tx, chat, &[answer]).await?.into_iter().next();
    tx.rollback().await?;
    let (shown, from) = found.ok_or(Error::NotFound)?;
    Ok((shown, from, bounds))
}

/// The unfinished answers of a chat as they stand, and the feed's position that is true for them.
///
/// # Errors
/// The database's, or [`Error::NotFound`].
pub async fn unfinished(app: &App, chat: ChatId) -> Result<(Vec<Shown>, i64)> {
    let mut tx = app.pools.http.begin_with(ONE_SNAPSHOT).await?;
    let (_, after) = feed::store::bounds(&mut tx, chat).await?.ok_or(Error::NotFound)?;
    let ids = store::unfinished(&mut tx, chat).await?;
    let mut messages = by_id(&mut tx, chat, &ids).await?;
    add_running_texts(&mut tx, &mut messages).await?;
    let mut messages: Vec<_> = messages.into_iter().map(|(m, _)| m).collect();
    if messages.iter().any(|m| m.beside) {
        add_siblings(&mut tx, chat, &mut messages).await?;
    }
    tx.rollback().await?;
    Ok((messages, after))
}

/// A turn as it was begun, whatever has become of its answer since.
///
/// # Errors
/// [`Error::NotFound`] when either is gone.
pub async fn turn(app: &App, chat: ChatId, answer: MessageId) -> Result<Turn> {
    let mut conn = app.pools.http.acquire().await?;
    let both: Vec<_> = path(&mut conn, chat, answer, 2).await?.into_iter().map(|(m, _)| m).collect();
    let [question, answer] = <[Shown; 2]>::try_from(both).map_err(|_| Error::NotFound)?;
    Ok(Turn { question, answer: answer.as_begun() })
}

/// Whether a chat is the viewer's; its feed's bounds if so.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn owned(app: &App, viewer: &Viewer, chat: ChatId) -> Result<(i64, i64)> {
    let mut conn = app.pools.http.acquire().await?;
    chats::find(&mut conn, viewer, chat).await?;
    feed::store::bounds(&mut conn, chat).await?.ok_or(Error::NotFound)
}
