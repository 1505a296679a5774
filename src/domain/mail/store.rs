//! The SQL of letters. A letter's state changes only under the epoch of whoever sends it.

use crate::base::ids::{LetterId, UserId};
use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;

/// How a letter stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// To be sent, or sent again.
    Queued,
    Sending,
    /// The server took it.
    Sent,
    /// There is no server: it lies in a file, and can be read.
    Written,
    /// Given up.
    Failed,
}

impl From<String> for State {
    fn from(name: String) -> Self {
        match name.as_str() {
            "queued" => Self::Queued,
            "sending" => Self::Sending,
            "sent" => Self::Sent,
            "written" => Self::Written,
            _ => Self::Failed,
        }
    }
}

/// A letter as administrators see it: not what it says.
#[derive(Debug, Clone)]
pub struct Entry {
    pub id: LetterId,
    pub kind: String,
    pub recipient: String,
    pub state: State,
    pub attempts: i32,
    pub last_error: String,
    pub created_at: OffsetDateTime,
    /// When it is tried again, if it waits for that.
    pub next_attempt_at: OffsetDateTime,
    /// It can still be sent, or read.
    pub whole: bool,
}

/// What the sender of a letter gets.
pub struct Claimed {
    pub id: LetterId,
    pub recipient: String,
    pub body: Option<Vec<u8>>,
    pub attempts: i32,
    pub epoch: i32,
}

pub async fn insert(
    conn: &mut PgConnection,
    kind: &str,
    to: &str,
    user: Option<UserId>,
    body: &[u8],
) -> sqlx::Result<LetterId> {
    sqlx::query_scalar!(
        r#"insert into mail (kind, recipient, user_id, body) values ($1, $2, $3, $4) returning id as "id: LetterId""#,
        kind,
        to,
        user.map(|user| user.0),
        body
    )
    .fetch_one(conn)
    .await
}

/// Longer than any server is waited for (`mail.timeout` is at most a minute).
pub async fn claim(db: &PgPool) -> sqlx::Result<Option<Claimed>> {
    sqlx::query_as!(
        Claimed,
        r#"update mail set state = 'sending', attempts = attempts + 1, epoch = epoch + 1,
                  lease_until = now() + interval '2 minutes'
           where id = (
               select id from mail
               where (state = 'queued' and next_attempt_at <= now()) or (state = 'sending' and lease_until < now())
               order by next_attempt_at limit 1 for update skip locked)
           returning id as "id: LetterId", recipient, body, attempts, epoch"#
    )
    .fetch_optional(db)
    .await
}

pub async fn sent(db: &PgPool, id: LetterId, epoch: i32) -> sqlx::Result<()> {
    sqlx::query!(
        "update mail set state = 'sent', body = null, last_error = '', settled_at = now()
         where id = $1 and epoch = $2 and state = 'sending'",
        id.0,
        epoch
    )
    .execute(db)
    .await?;
    Ok(())
}

pub async fn written(db: &PgPool, id: LetterId, epoch: i32) -> sqlx::Result<()> {
    sqlx::query!(
        "update mail set state = 'written', last_error = '', settled_at = now()
         where id = $1 and epoch = $2 and state = 'sending'",
        id.0,
        epoch
    )
    .execute(db)
    .await?;
    Ok(())
}

pub async fn fail(db: &PgPool, id: LetterId, epoch: i32, error: &str) -> sqlx::Result<()> {
    sqlx::query!(
        "update mail set state = 'failed', last_error = $3, settled_at = now()
         where id = $1 and epoch = $2 and state = 'sending'",
        id.0,
        epoch,
        error
    )
    .execute(db)
    .await?;
    Ok(())
}

pub async fn put_off(
    conn: &mut PgConnection,
    id: LetterId,
    epoch: i32,
    seconds: f64,
    error: &str,
) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "update mail set state = 'queued', next_attempt_at = now() + make_interval(secs => $3), last_error = $4
         where id = $1 and epoch = $2 and state = 'sending'",
        id.0,
        epoch,
        seconds,
        error
    );
    Ok(done.execute(conn).await?.rows_affected() == 1)
}

pub async fn requeue(conn: &mut PgConnection, id: LetterId) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "update mail set state = 'queued', attempts = 0, next_attempt_at = now(), settled_at = null
         where id = $1 and state = 'failed' and body is not null",
        id.0
    );
    Ok(done.execute(conn).await?.rows_affected() == 1)
}

pub async fn list(db: &PgPool, before: Option<LetterId>, most: i64) -> sqlx::Result<Vec<Entry>> {
    sqlx::query_as!(
        Entry,
        r#"select id as "id: LetterId", kind, recipient, state as "state: String", attempts, last_error, created_at,
                  next_attempt_at, body is not null as "whole!"
           from mail where $1::uuid is null or id < $1 order by id desc limit $2"#,
        before.map(|id| id.0),
        most
    )
    .fetch_all(db)
    .await
}

/// The entry, and the sealed letter.
pub async fn find(db: &PgPool, id: LetterId) -> sqlx::Result<Option<(Entry, Option<Vec<u8>>)>> {
    let row = sqlx::query!(
        r#"select id as "id: LetterId", kind, recipient, state, attempts, last_error, created_at, next_attempt_at, body
           from mail where id = $1"#,
        id.0
    );
    Ok(row.fetch_optional(db).await?.map(|row| {
        let entry = Entry {
            id: row.id,
            kind: row.kind,
            recipient: row.recipient,
            state: row.state.into(),
            attempts: row.attempts,
            last_error: row.last_error,
            created_at: row.created_at,
            next_attempt_at: row.next_attempt_at,
            whole: row.body.is_some(),
        };
        (entry, row.body)
    }))
}

pub async fn lately(conn: &mut PgConnection, user: UserId, kind: &str, seconds: f64) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"select count(*) as "count!" from mail
           where user_id = $1 and kind = $2 and created_at > now() - make_interval(secs => $3)"#,
        user.0,
        kind,
        seconds
    )
    .fetch_one(conn)
    .await
}

pub async fn forget(conn: &mut PgConnection, user: UserId, addresses: &[String]) -> sqlx::Result<Vec<LetterId>> {
    sqlx::query_scalar!(
        r#"delete from mail where user_id = $1 or recipient = any($2) returning id as "id: LetterId""#,
        user.0,
        addresses
    )
    .fetch_all(conn)
    .await
}

pub async fn forget_bodies(db: &PgPool, written: f64) -> sqlx::Result<()> {
    sqlx::query!(
        "update mail set body = null where body is not null and state <> 'sending' and created_at < now() - interval '1 day'
         and (state <> 'written' or created_at < now() - make_interval(secs => $1))",
        written
    )
    .execute(db)
    .await?;
    Ok(())
}

pub async fn purge(db: &PgPool) -> sqlx::Result<()> {
    sqlx::query!("delete from mail where id < uuid7_floor(now() - interval '90 days')").execute(db).await?;
    sqlx::query!("delete from reset_wishes where created_at < now() - interval '1 hour'").execute(db).await?;
    Ok(())
}
