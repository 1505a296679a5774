//! The SQL of generations.

pub mod sends;
pub mod thread;

use super::state::State;
use crate::{
    base::{
        Result,
        ids::{ChatId, GenerationId, MessageId, UserId},
    },
    outside::llm::Usage,
};
use sqlx::{PgConnection, PgPool};

/// A claimed generation: what its worker needs.
#[derive(Debug, Clone)]
pub struct Claimed {
    pub id: GenerationId,
    pub chat: ChatId,
    pub message: MessageId,
    pub model: String,
    pub epoch: i32,
    pub attempt: i32,
}

pub async fn insert(
    conn: &mut PgConnection,
    chat: ChatId,
    message: MessageId,
    user: UserId,
    model: &str,
    from_seq: i64,
) -> sqlx::Result<GenerationId> {
    sqlx::query_scalar!(
        r#"insert into generations (chat_id, message_id, user_id, model, from_seq) values ($1, $2, $3, $4, $5)
           returning id as "id: GenerationId""#,
        chat.0,
        message.0,
        user.0,
        model,
        from_seq
    )
    .fetch_one(conn)
    .await
}

/// Whether an answer of this chat is in the making.
pub async fn is_answering(conn: &mut PgConnection, chat: ChatId) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"select exists (select 1 from generations where chat_id = $1 and state in ('queued', 'streaming', 'waiting'))
           as "exists!""#,
        chat.0
    )
    .fetch_one(conn)
    .await
}

/// The answers of this chat that are in the making.
pub async fn running(conn: &mut PgConnection, chat: ChatId) -> sqlx::Result<Vec<MessageId>> {
    sqlx::query_scalar!(
        r#"select message_id as "id: MessageId" from generations
           where chat_id = $1 and state in ('queued', 'streaming', 'waiting') order by message_id"#,
        chat.0
    )
    .fetch_all(conn)
    .await
}

pub async fn chat_of(db: &PgPool, id: GenerationId) -> sqlx::Result<Option<ChatId>> {
    sqlx::query_scalar!(r#"select chat_id as "id: ChatId" from generations where id = $1"#, id.0)
        .fetch_optional(db)
        .await
}

/// Takes a queued generation that is due. The chat's head is locked.
pub async fn claim(conn: &mut PgConnection, id: GenerationId, lease: f64) -> sqlx::Result<Option<Claimed>> {
    sqlx::query_as!(
        Claimed,
        r#"update generations set state = 'streaming', epoch = epoch + 1, attempt = attempt + 1,
               lease_until = now() + make_interval(secs => $2), started_at = coalesce(started_at, now())
           where id = $1 and state = 'queued' and next_attempt_at <= now()
           returning id as "id: GenerationId", chat_id as "chat: ChatId", message_id as "message: MessageId",
               model, epoch, attempt"#,
        id.0,
        lease
    )
    .fetch_optional(conn)
    .await
}

/// Renews the leases of all given attempts in one statement; returns those that are still ours.
pub async fn renew(db: &PgPool, attempts: &[(GenerationId, i32)], lease: f64) -> sqlx::Result<Vec<GenerationId>> {
    let (ids, epochs): (Vec<_>, Vec<_>) = attempts.iter().map(|(id, epoch)| (id.0, *epoch)).unzip();
    sqlx::query_scalar!(
        r#"update generations g set lease_until = now() + make_interval(secs => $3)
           from unnest($1::uuid[], $2::int[]) as mine (id, epoch)
           where g.id = mine.id and g.epoch = mine.epoch and g.state = 'streaming'
           returning g.id as "id: GenerationId""#,
        &ids,
        &epochs,
        lease
    )
    .fetch_all(db)
    .await
}

/// Ends a generation that is streaming under this epoch. Says whether it was. The chat's head is locked.
pub async fn end(
    conn: &mut PgConnection,
    id: GenerationId,
    epoch: i32,
    state: State,
    reason: Option<&str>,
    usage: Option<Usage>,
) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "update generations set state = $3, reason = $4, ended_at = now(), lease_until = null,
             prompt_tokens = $5, cached_tokens = $6, completion_tokens = $7, reasoning_tokens = $8
         where id = $1 and epoch = $2 and state = 'streaming'",
        id.0,
        epoch,
        state.name(),
        reason,
        usage.map(|u| u.prompt),
        usage.map(|u| u.cached),
        usage.map(|u| u.completion),
        usage.map(|u| u.reasoning)
    );
    Ok(done.execute(conn).await?.rows_affected() == 1)
}

/// What is known of a generation under the chat's lock.
pub struct Standing {
    pub id: GenerationId,
    pub chat: ChatId,
    pub message: MessageId,
    pub state: String,
    pub epoch: i32,
    pub attempt: i32,
    pub from_seq: i64,
    /// A worker is taken for alive.
    pub leased: bool,
}

/// The generation of a message. The chat's head is locked.
pub async fn standing(conn: &mut PgConnection, message: MessageId) -> sqlx::Result<Option<Standing>> {
    sqlx::query_as!(
        Standing,
        r#"select id as "id: GenerationId", chat_id as "chat: ChatId", message_id as "message: MessageId", state,
               epoch, attempt, from_seq, coalesce(lease_until > now(), false) as "leased!"
           from generations where message_id = $1"#,
        message.0
    )
    .fetch_optional(conn)
    .await
}

/// Ends a generation whatever its epoch. The chat's head is locked and the state was read under it.
pub async fn force(conn: &mut PgConnection, id: GenerationId, state: State, reason: Option<&str>) -> sqlx::Result<()> {
    sqlx::query!(
        "update generations set state = $2, reason = $3, lease_until = null, ended_at = now() where id = $1",
        id.0,
        state.name(),
        reason
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Puts a generation that has said nothing back into the line. The chat's head is locked.
pub async fn requeue(conn: &mut PgConnection, id: GenerationId) -> sqlx::Result<()> {
    sqlx::query!(
        "update generations set state = 'queued', lease_until = null, next_attempt_at = now(), rung_at = now() where id = $1",
        id.0
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

/// Queued generations that nobody took up for a while, to be rung for again; marks them as rung.
pub async fn overdue(conn: &mut PgConnection, limit: i64) -> Result<Vec<GenerationId>> {
    Ok(sqlx::query_scalar!(
        r#"update generations set rung_at = now() where id in (
               select g.id from generations g
               where g.state = 'queued' and g.next_attempt_at <= now() and g.rung_at < now() - interval '10 s'
                 and not exists (select 1 from apalis.jobs j where j.job_type = 'generate' and j.status = 'Pending'
                                 and j.job->>'generation_id' = g.id::text)
               order by g.next_attempt_at limit $1 for update skip locked)
           returning id as "id: GenerationId""#,
        limit
    )
    .fetch_all(conn)
    .await?)
}

/// The queued generation that is due for the longest time.
pub async fn next_due(db: &PgPool) -> sqlx::Result<Option<GenerationId>> {
    sqlx::query_scalar!(
        r#"select id as "id: GenerationId" from generations where state = 'queued' and next_attempt_at <= now()
           order by next_attempt_at limit 1"#
    )
    .fetch_optional(db)
    .await
}
