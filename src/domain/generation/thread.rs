//! What a page shows of a chat: the path, with the state of each answer and the text so far of a running one, and the
//! position of the feed it is true for, all from one snapshot.

use super::{
    state::State,
    store::{
        self,
        thread::{add_running_texts, by_id, path},
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
    },
};
use sqlx::Connection as _;
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
}

impl Shown {
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

/// The newest messages of the path to `leaf` (or the shown one), or those before `before`.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn thread(
    app: &App,
    viewer: &Viewer,
    chat: ChatId,
    leaf: Option<MessageId>,
    before: Option<MessageId>,
) -> Result<Thread> {
    let mut tx = app.pools.http.begin_with(ONE_SNAPSHOT).await?;
    let found = chats::find(&mut tx, viewer, chat).await?;
    let (_, after) = feed::store::bounds(&mut tx, chat).await?.ok_or(Error::NotFound)?;
    let end = before.or(leaf).or(found.leaf).ok_or(Error::NotFound)?;
    let limit = PAGE + 1 + i32::from(before.is_some());
    let mut messages = path(&mut tx, chat, end, limit).await?;
    if before.is_some() {
        messages.pop(); // it is on the page already
    }
    let most = usize::try_from(PAGE).expect("a small number");
    let earlier = messages.len() > most;
    if earlier {
        messages.drain(..messages.len() - most);
    }
    if messages.is_empty() && before.is_none() {
        return Err(Error::NotFound);
    }
    add_running_texts(&mut tx, &mut messages).await?;
    tx.rollback().await?;
    let messages = messages.into_iter().map(|(m, _)| m).collect();
    Ok(Thread { chat: found, messages, earlier, after })
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
    Ok(messages.into_iter().map(|(m, _)| m).collect())
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
    tx.rollback().await?;
    Ok((messages.into_iter().map(|(m, _)| m).collect(), after))
}

/// Question and answer of a turn as it was begun, whatever has become of the answer since.
///
/// # Errors
/// [`Error::NotFound`] when either is gone.
pub async fn turn(app: &App, chat: ChatId, answer: MessageId) -> Result<(Shown, Shown)> {
    let mut conn = app.pools.http.acquire().await?;
    let both: Vec<_> = path(&mut conn, chat, answer, 2).await?.into_iter().map(|(m, _)| m).collect();
    let [question, answer] = <[Shown; 2]>::try_from(both).map_err(|_| Error::NotFound)?;
    Ok((question, answer.as_begun()))
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
