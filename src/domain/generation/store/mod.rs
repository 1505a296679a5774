//! The SQL of generations.

pub mod dead;
pub mod figures;
pub mod line;
pub mod overview;
pub mod rate;
pub mod sends;
pub mod stop;
pub mod thread;
pub mod title;
pub mod tree;

use super::state::State;
use crate::{
    base::{
        Error, Result,
        error::OnConstraint as _,
        ids::{ChatId, FileId, GenerationId, MessageId, UserId},
    },
    outside::llm::Usage,
};
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

/// A claimed generation: what its worker needs.
#[derive(Debug, Clone)]
pub struct Claimed {
    pub id: GenerationId,
    pub chat: ChatId,
    pub message: MessageId,
    pub model: String,
    pub epoch: i32,
    pub attempt: i32,
    /// How often it has waited to be tried again.
    pub retries: i32,
    /// Bytes of text that it begins with.
    pub prefix: i32,
    pub from_seq: i64,
    /// The position of the log with which it was claimed.
    pub seq: i64,
}

impl Claimed {
    /// One that was claimed when it was accepted.
    pub fn at_once(id: GenerationId, chat: ChatId, message: MessageId, model: String, from_seq: i64, seq: i64) -> Self {
        Self { id, chat, message, model, epoch: 1, attempt: 1, retries: 0, prefix: 0, from_seq, seq }
    }
}

/// An answer that is to be begun, with its question if that is new too.
pub struct New<'a> {
    pub chat: ChatId,
    pub user: UserId,
    pub question: Question<'a>,
    /// Among the answers to the question.
    pub place: i32,
    /// It becomes the end of the shown path; a chat in the archive comes back to the list.
    pub show: bool,
    pub model: &'a str,
    pub from_seq: i64,
    /// In line behind this answer.
    pub after: Option<MessageId>,
    /// Bytes of text that it begins with.
    pub prefix: usize,
    /// Claimed at once, for so many seconds.
    pub lease: Option<f64>,
    pub form: Option<Form>,
}

/// The form that it came by: kept, so that sending it again gives this answer again. With another body than before it is a
/// new message, and the key is of that one from now on.
#[derive(Clone, Copy)]
pub struct Form {
    pub key: Uuid,
    pub body_hash: [u8; 32],
}

/// What is answered.
#[derive(Clone, Copy)]
pub enum Question<'a> {
    /// It is there.
    Stands(MessageId),
    /// It comes with the answer.
    Asked { parent: Option<MessageId>, place: i32, text: &'a str, html: &'a str, files: &'a [FileId] },
}

/// What was begun.
pub struct Entered {
    pub question: MessageId,
    pub answer: MessageId,
    pub generation: GenerationId,
}

/// What a model is told.
pub struct Conversation {
    /// The person's own instructions.
    pub instructions: String,
    /// The chat's.
    pub system: String,
    pub temperature: Option<f64>,
    /// The newest messages of the path to the answer, oldest first, without answers that have no text: who said each, and what.
    pub by_model: Vec<bool>,
    pub texts: Vec<String>,
    pub ids: Vec<MessageId>,
    /// The chat has files; perhaps not these messages.
    pub files: bool,
}

/// What a model is told after `leaf`, of at most `limit` messages with that one.
pub async fn conversation(
    conn: &mut PgConnection,
    chat: ChatId,
    leaf: MessageId,
    limit: i32,
) -> sqlx::Result<Conversation> {
    sqlx::query_as!(
        Conversation,
        r#"with recursive path as (
               select id, parent_id, author, text, 1 as depth from messages where chat_id = $1 and id = $2
               union all
               select m.*, p.depth + 1 from path p cross join lateral (
                   select m.id, m.parent_id, m.author, m.text from messages m
                   where m.chat_id = $1 and m.id = p.parent_id limit 1) m
               where p.depth < $3)
           select u.instructions, c.system_prompt as system, coalesce(c.temperature, u.temperature) as temperature,
               array(select author = 'model' from path where text <> '' or author <> 'model' order by depth desc) as "by_model!",
               array(select text from path where text <> '' or author <> 'model' order by depth desc) as "texts!",
               array(select id from path where text <> '' or author <> 'model' order by depth desc) as "ids!: Vec<MessageId>",
               exists (select from attachments where chat_id = $1) as "files!"
           from chats c join users u on u.id = c.user_id where c.id = $1"#,
        chat.0,
        leaf.0,
        limit
    )
    .fetch_one(conn)
    .await
}

/// Puts question, answer and generation into the tables, each behind its siblings, in one statement. The chat's head is
/// locked.
///
/// # Errors
/// [`Error::Invalid`] when what the question follows is not in this chat.
pub async fn enter(conn: &mut PgConnection, new: &New<'_>) -> Result<Entered> {
    let (parent, place, text, html, stands) = match new.question {
        Question::Stands(id) => (None, 0, None, None, Some(id)),
        Question::Asked { parent, place, text, html, .. } => (parent, place, Some(text), Some(html), None),
    };
    let form = new.form.as_ref();
    sqlx::query_as!(
        Entered,
        r#"with asked as (
               insert into messages (chat_id, parent_id, author, text, html, place)
               select $1, $2, 'person', $3, $4, $5 where $3::text is not null returning id),
           question as (select id from asked union all select $6 where $6::uuid is not null),
           answer as (
               insert into messages (chat_id, parent_id, author, place)
               select $1, q.id, 'model', $7 from question q returning id, parent_id),
           made as (
               insert into generations (chat_id, message_id, user_id, model, from_seq, after_id, prefix, state,
                   epoch, attempt, lease_until, started_at)
               select $1, a.id, $8, $9, $10, $11, $12, case when $11::uuid is not null then 'lined'
                       when $13::float8 is not null then 'streaming' else 'queued' end,
                   ($13 is not null)::int, ($13 is not null)::int, now() + make_interval(secs => $13),
                   case when $13 is not null then now() end
               from answer a returning id),
           shown as (
               update chats c set leaf_id = a.id, model = $9, active_at = now(), archived_at = null
               from answer a where c.id = $1 and $14),
           remembered as (
               insert into sends (user_id, key, body_hash, chat_id, message_id)
               select $8, $15, $16, $1, a.id from answer a where $15::uuid is not null
               on conflict (user_id, key) do update set body_hash = excluded.body_hash, chat_id = excluded.chat_id,
                   message_id = excluded.message_id, at = now())
           select a.parent_id as "question!: MessageId", a.id as "answer!: MessageId", m.id as "generation!: GenerationId"
           from answer a, made m"#,
        new.chat.0,
        parent.map(|p| p.0),
        text,
        html,
        place,
        stands.map(|id| id.0),
        new.place,
        new.user.0,
        new.model,
        new.from_seq,
        new.after.map(|a| a.0),
        i32::try_from(new.prefix).unwrap_or(i32::MAX),
        new.lease,
        new.show,
        form.map(|form| form.key),
        form.map(|form| &form.body_hash[..])
    )
    .fetch_one(conn)
    .await
    .on_constraint("messages_parent", || {
        Error::invalid("parent", "The message that this one answers is no longer there. Reload the page.")
    })
}

/// The place behind all siblings of a message that is to follow this one.
pub async fn next_place(conn: &mut PgConnection, chat: ChatId, parent: MessageId) -> sqlx::Result<i32> {
    sqlx::query_scalar!(r#"select next_place($1, $2) as "place!""#, chat.0, parent.0).fetch_one(conn).await
}

/// Where a chat stands: how many of its answers have not ended, and the state of one of them.
pub struct Load {
    pub running: i64,
    pub lined: i64,
    pub state: Option<String>,
}

/// The chat's head is locked.
pub async fn load(conn: &mut PgConnection, chat: ChatId, answer: Option<MessageId>) -> sqlx::Result<Load> {
    sqlx::query_as!(
        Load,
        r#"select count(*) filter (where state <> 'lined') as "running!", count(*) filter (where state = 'lined') as "lined!",
                  (select state from generations where message_id = $2) as state
           from generations where chat_id = $1 and state in ('lined', 'queued', 'streaming', 'waiting')"#,
        chat.0,
        answer.map(|a| a.0)
    )
    .fetch_one(conn)
    .await
}

/// The answers of this chat that have not ended, those in line included.
pub async fn unfinished(conn: &mut PgConnection, chat: ChatId) -> sqlx::Result<Vec<MessageId>> {
    sqlx::query_scalar!(
        r#"select message_id as "id: MessageId" from generations
           where chat_id = $1 and state in ('lined', 'queued', 'streaming', 'waiting') order by message_id"#,
        chat.0
    )
    .fetch_all(conn)
    .await
}

/// Locks the head of a generation's chat. Nothing if the chat is gone.
pub async fn lock_chat_of(conn: &mut PgConnection, id: GenerationId) -> sqlx::Result<Option<i64>> {
    sqlx::query_scalar!(
        "select h.seq from generations g join feed_heads h on h.chat_id = g.chat_id where g.id = $1
         for no key update of h",
        id.0
    )
    .fetch_optional(conn)
    .await
}

/// Takes a generation that waits and is due. The chat's head is locked.
pub async fn claim(conn: &mut PgConnection, id: GenerationId, lease: f64) -> sqlx::Result<Option<Claimed>> {
    sqlx::query_as!(
        Claimed,
        r#"update generations set state = 'streaming', model = coalesce(asked_model, model), epoch = epoch + 1, attempt = attempt + 1,
               lease_until = now() + make_interval(secs => $2), started_at = coalesce(started_at, now())
           where id = $1 and state in ('queued', 'waiting') and next_attempt_at <= now()
           returning id as "id: GenerationId", chat_id as "chat: ChatId", message_id as "message: MessageId",
               model, epoch, attempt, retries, prefix, from_seq, from_seq as "seq!""#,
        id.0,
        lease
    )
    .fetch_optional(conn)
    .await
}

/// Renews the leases of all given attempts in one statement; returns those that are still ours. They are locked in the
/// order of their ids, as the feed's batches do it, so that neither waits for the other and is waited for.
pub async fn renew(db: &PgPool, attempts: &[(GenerationId, i32)], lease: f64) -> sqlx::Result<Vec<GenerationId>> {
    let (ids, epochs): (Vec<_>, Vec<_>) = attempts.iter().map(|(id, epoch)| (id.0, *epoch)).unzip();
    sqlx::query_scalar!(
        r#"with locked as (
               select g.id from generations g join unnest($1::uuid[], $2::int[]) as mine (id, epoch) on g.id = mine.id
               where g.epoch = mine.epoch and g.state = 'streaming' order by g.id for no key update of g)
           update generations g set lease_until = now() + make_interval(secs => $3) from locked where g.id = locked.id
           returning g.id as "id: GenerationId""#,
        &ids,
        &epochs,
        lease
    )
    .fetch_all(db)
    .await
}

/// What an answer ends with.
pub struct End<'a> {
    pub state: State,
    pub reason: Option<&'a str>,
    pub dead: bool,
    pub usage: Option<Usage>,
    pub text: &'a str,
    pub reasoning: &'a str,
    pub html: &'a str,
}

/// Ends an attempt, if it is streaming, with its text. Says whether it was, and whether anything is in line right behind it.
/// The chat's head is locked.
pub async fn end(conn: &mut PgConnection, claimed: &Claimed, end: &End<'_>) -> sqlx::Result<(bool, bool)> {
    let usage = end.usage;
    let row = sqlx::query!(
        r#"with ended as (
               update generations set state = $3, reason = $4, ended_at = now(), lease_until = null,
                   dead_at = case when $5::boolean then now() end,
                   prompt_tokens = $6, cached_tokens = $7, completion_tokens = $8, reasoning_tokens = $9
               where id = $1 and epoch = $2 and state = 'streaming' returning id),
           said as (
               update messages set text = $12, reasoning = $13, html = $14
               where chat_id = $10 and id = $11 and exists (select 1 from ended))
           select exists (select 1 from ended) as "ended!",
               exists (select 1 from generations where after_id = $11 and state = 'lined') as "lined!""#,
        claimed.id.0,
        claimed.epoch,
        end.state.name(),
        end.reason,
        end.dead,
        usage.map(|u| u.prompt),
        usage.map(|u| u.cached),
        usage.map(|u| u.completion),
        usage.map(|u| u.reasoning),
        claimed.chat.0,
        claimed.message.0,
        end.text,
        end.reasoning,
        end.html
    )
    .fetch_one(conn)
    .await?;
    Ok((row.ended, row.lined))
}

/// Another model answers instead of the one that was asked for.
pub async fn goes_to(conn: &mut PgConnection, id: GenerationId, epoch: i32, model: &str) -> sqlx::Result<()> {
    sqlx::query!(
        "update generations set asked_model = coalesce(asked_model, model), model = $3 where id = $1 and epoch = $2",
        id.0,
        epoch,
        model
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Puts off a generation that is streaming under this epoch and has said nothing: it waits for so many seconds, and its
/// lost workers are forgotten. Says whether it was. The chat's head is locked.
pub async fn put_off(
    conn: &mut PgConnection,
    (id, epoch): (GenerationId, i32),
    seconds: f64,
    reason: &str,
    counts: bool,
) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "update generations set state = 'waiting', model = coalesce(asked_model, model), reason = $4, retries = retries + $5::boolean::integer, attempt = 0, lease_until = null,
             next_attempt_at = now() + make_interval(secs => $3), rung_at = now() + make_interval(secs => $3)
         where id = $1 and epoch = $2 and state = 'streaming'",
        id.0,
        epoch,
        seconds,
        reason,
        counts
    );
    Ok(done.execute(conn).await?.rows_affected() == 1)
}

/// What is known of a generation under the chat's lock.
pub struct Standing {
    pub id: GenerationId,
    pub state: String,
    /// The answer that it is, or was, in line behind.
    pub after: Option<MessageId>,
    pub epoch: i32,
    pub attempt: i32,
    pub prefix: i32,
    pub from_seq: i64,
    /// A worker is taken for alive.
    pub leased: bool,
}

/// The generation of a message. The chat's head is locked.
pub async fn standing(conn: &mut PgConnection, message: MessageId) -> sqlx::Result<Option<Standing>> {
    sqlx::query_as!(
        Standing,
        r#"select id as "id: GenerationId", state, after_id as "after: MessageId", epoch, attempt, prefix, from_seq, coalesce(lease_until > now(), false) as "leased!"
           from generations where message_id = $1"#,
        message.0
    )
    .fetch_optional(conn)
    .await
}

/// Ends a generation whatever its epoch. The chat's head is locked and the state was read under it.
pub async fn force(
    conn: &mut PgConnection,
    id: GenerationId,
    state: State,
    reason: Option<&str>,
    dead: bool,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update generations set state = $2, reason = $3, lease_until = null, ended_at = now(),
             dead_at = case when $4::boolean then now() end where id = $1",
        id.0,
        state.name(),
        reason,
        dead
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Puts a generation that has said nothing back among those that wait for a worker. One that was handed over in order
/// has not used up an attempt. The chat's head is locked.
pub async fn requeue(conn: &mut PgConnection, id: GenerationId, in_order: bool) -> sqlx::Result<()> {
    sqlx::query!(
        "update generations set state = 'queued', lease_until = null, next_attempt_at = now(), rung_at = now(),
             attempt = attempt - case when $2::boolean then 1 else 0 end where id = $1",
        id.0,
        in_order
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Messages whose worker has not renewed its lease.
pub async fn orphans(db: &PgPool, limit: i64) -> sqlx::Result<Vec<(ChatId, MessageId)>> {
    let rows = sqlx::query!(
        "select chat_id, message_id from generations where state = 'streaming' and lease_until < now()
         order by lease_until limit $1",
        limit
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(|r| (ChatId(r.chat_id), MessageId(r.message_id))).collect())
}

/// Generations that wait and are due, and that nobody took up for a while, to be rung for again; marks them as rung.
pub async fn overdue(conn: &mut PgConnection, limit: i64) -> Result<Vec<GenerationId>> {
    Ok(sqlx::query_scalar!(
        r#"update generations set rung_at = now() where id in (
               select g.id from generations g
               where g.state in ('queued', 'waiting') and g.next_attempt_at <= now() and g.rung_at < now() - interval '10 s'
                 and not exists (select 1 from apalis.jobs j where j.job_type = 'generate' and j.status = 'Pending'
                                 and j.job->>'generation_id' = g.id::text)
               order by g.next_attempt_at limit $1 for update skip locked)
           returning id as "id: GenerationId""#,
        limit
    )
    .fetch_all(conn)
    .await?)
}

/// The generation that is due for the longest time.
pub async fn next_due(db: &PgPool) -> sqlx::Result<Option<GenerationId>> {
    sqlx::query_scalar!(
        r#"select id as "id: GenerationId" from generations
           where state in ('queued', 'waiting') and next_attempt_at <= now() order by next_attempt_at limit 1"#
    )
    .fetch_optional(db)
    .await
}
