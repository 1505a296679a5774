//! What a page shows of a chat: the path, with the state of each answer and the text so far of a running one, and the
//! position of the feed it is true for, all from one snapshot.

use super::state::State;
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
use sqlx::PgConnection;
use time::OffsetDateTime;

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
    pub reason: Option<String>,
    pub model: String,
    pub tokens: Option<i64>,
    /// Between the first token of any kind and the first of the text.
    pub thought: Option<f64>,
    pub created_at: OffsetDateTime,
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

/// Messages by id as they stand, in the order asked for, and the feed's position that is true for them. For the feed
/// of a chat, whose reader was let in before.
///
/// # Errors
/// The database's.
pub async fn shown(app: &App, chat: ChatId, ids: &[MessageId]) -> Result<(Vec<Shown>, i64)> {
    let mut tx = app.pools.http.begin_with(ONE_SNAPSHOT).await?;
    let (_, after) = feed::store::bounds(&mut tx, chat).await?.ok_or(Error::NotFound)?;
    let mut messages = by_id(&mut tx, chat, ids).await?;
    add_running_texts(&mut tx, &mut messages).await?;
    tx.rollback().await?;
    Ok((messages.into_iter().map(|(m, _)| m).collect(), after))
}

/// The running answers of a chat as they stand, and the feed's position that is true for them.
///
/// # Errors
/// The database's, or [`Error::NotFound`].
pub async fn running(app: &App, chat: ChatId) -> Result<(Vec<Shown>, i64)> {
    let mut tx = app.pools.http.begin_with(ONE_SNAPSHOT).await?;
    let (_, after) = feed::store::bounds(&mut tx, chat).await?.ok_or(Error::NotFound)?;
    let ids = super::store::running(&mut tx, chat).await?;
    let mut messages = by_id(&mut tx, chat, &ids).await?;
    add_running_texts(&mut tx, &mut messages).await?;
    tx.rollback().await?;
    Ok((messages.into_iter().map(|(m, _)| m).collect(), after))
}

/// Question and answer of a turn as they stand, and the feed's position.
///
/// # Errors
/// [`Error::NotFound`] when either is gone.
pub async fn turn(app: &App, chat: ChatId, answer: MessageId) -> Result<(Shown, Shown, i64)> {
    let (mut both, _) = shown(app, chat, &[answer]).await?;
    let answer = both.pop().ok_or(Error::NotFound)?;
    let question = answer.parent.ok_or(Error::NotFound)?;
    let (both, after) = shown(app, chat, &[question, answer.id]).await?;
    let [question, answer] = <[Shown; 2]>::try_from(both).map_err(|_| Error::NotFound)?;
    Ok((question, answer, after))
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

struct Row {
    id: MessageId,
    parent: Option<MessageId>,
    author: String,
    text: String,
    reasoning: String,
    html: Option<String>,
    created_at: OffsetDateTime,
    state: Option<String>,
    reason: Option<String>,
    model: Option<String>,
    completion_tokens: Option<i64>,
    from_seq: Option<i64>,
    thought: Option<f64>,
}

impl Row {
    /// The message, and where its first event can be in the log.
    fn shown(self, chat: ChatId) -> (Shown, i64) {
        let message = Shown {
            id: self.id,
            chat,
            parent: self.parent,
            by_model: self.author == "model",
            text: self.text,
            reasoning: self.reasoning,
            html: self.html,
            state: self.state.as_deref().map(State::parse),
            reason: self.reason,
            model: self.model.unwrap_or_default(),
            tokens: self.completion_tokens,
            thought: self.thought,
            created_at: self.created_at,
        };
        (message, self.from_seq.unwrap_or_default())
    }
}

async fn by_id(conn: &mut PgConnection, chat: ChatId, ids: &[MessageId]) -> Result<Vec<(Shown, i64)>> {
    let raw: Vec<_> = ids.iter().map(|id| id.0).collect();
    let rows = sqlx::query_as!(
        Row,
        r#"select m.id as "id: MessageId", m.parent_id as "parent: MessageId", m.author, m.text, m.reasoning, m.html,
               m.created_at, g.state as "state?", g.reason, g.model as "model?", g.completion_tokens, g.from_seq as "from_seq?",
               extract(epoch from g.answer_at - g.first_token_at)::float8 as thought
           from messages m left join generations g on g.message_id = m.id
           where m.chat_id = $1 and m.id = any($2) order by array_position($2, m.id)"#,
        chat.0,
        &raw
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|r| r.shown(chat)).collect())
}

async fn path(conn: &mut PgConnection, chat: ChatId, leaf: MessageId, limit: i32) -> Result<Vec<(Shown, i64)>> {
    let rows = sqlx::query_as!(
        Row,
        r#"with recursive path as (
               select id, parent_id, 1 as depth from messages where chat_id = $1 and id = $2
               union all
               select m.id, m.parent_id, p.depth + 1
               from path p join messages m on m.chat_id = $1 and m.id = p.parent_id where p.depth < $3)
           select m.id as "id: MessageId", m.parent_id as "parent: MessageId", m.author, m.text, m.reasoning, m.html,
               m.created_at, g.state as "state?", g.reason, g.model as "model?", g.completion_tokens, g.from_seq as "from_seq?",
               extract(epoch from g.answer_at - g.first_token_at)::float8 as thought
           from path p join messages m on m.chat_id = $1 and m.id = p.id
           left join generations g on g.message_id = m.id
           order by p.depth desc"#,
        chat.0,
        leaf.0,
        limit
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|r| r.shown(chat)).collect())
}

async fn add_running_texts(conn: &mut PgConnection, messages: &mut [(Shown, i64)]) -> Result<()> {
    for (message, from) in messages.iter_mut().filter(|(m, _)| m.state.is_some_and(State::is_running)) {
        (message.text, message.reasoning) = feed::store::text_so_far(conn, message.chat, message.id, *from).await?;
    }
    Ok(())
}
