//! The SQL of sessions. Ending one removes it from the session store, and its row goes with that: so a process of an older
//! version does not know it any more either.

use crate::base::ids::{SessionId, UserId};
use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;

/// A session as its owner sees it.
#[derive(Debug, Clone)]
pub struct Session {
    pub id: SessionId,
    pub device: String,
    pub address: Option<String>,
    pub remember: bool,
    pub began: OffsetDateTime,
    /// Exact to a minute.
    pub seen: OffsetDateTime,
}

pub struct New<'a> {
    pub user: UserId,
    pub store_id: &'a str,
    pub device: &'a str,
    pub address: Option<String>,
    pub remember: bool,
    pub began: OffsetDateTime,
}

/// Nothing if the session was ended meanwhile. Two requests of one session at the same moment get the same row.
pub async fn insert(db: &PgPool, new: &New<'_>) -> sqlx::Result<Option<SessionId>> {
    sqlx::query_scalar!(
        r#"insert into sessions (user_id, store_id, device, address, remember, began_at)
           select $1, s.id, $3, $4::text::inet, $5, $6 from tower_sessions.session s where s.id = $2
           on conflict (store_id) do update set seen_at = now()
           returning id as "id: SessionId""#,
        new.user.0,
        new.store_id,
        new.device,
        new.address,
        new.remember,
        new.began
    )
    .fetch_optional(db)
    .await
}

/// The older ones of an account that has more than so many.
pub async fn keep(db: &PgPool, user: UserId, most: i64) -> sqlx::Result<()> {
    sqlx::query!(
        "delete from tower_sessions.session where id in
             (select store_id from sessions where user_id = $1 order by seen_at desc, id desc offset $2)",
        user.0,
        most
    )
    .execute(db)
    .await?;
    Ok(())
}

pub async fn touch(db: &PgPool, id: SessionId, store_id: &str, address: Option<String>) -> sqlx::Result<()> {
    sqlx::query!(
        "update sessions set seen_at = now(), store_id = $2, address = coalesce($3::text::inet, address) where id = $1",
        id.0,
        store_id,
        address
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Those that are not over by themselves: idle, in seconds, at most `idle`, and `remembered` if so wished.
pub async fn of(db: &PgPool, user: UserId, idle: f64, remembered: f64) -> sqlx::Result<Vec<Session>> {
    sqlx::query_as!(
        Session,
        r#"select id as "id: SessionId", device, host(address) as address, remember, began_at as began, seen_at as seen
           from sessions
           where user_id = $1 and seen_at > now() - make_interval(secs => case when remember then $3::float8 else $2::float8 end)
           order by seen_at desc, id desc"#,
        user.0,
        idle,
        remembered
    )
    .fetch_all(db)
    .await
}

/// Says whether there was one.
pub async fn end(conn: &mut PgConnection, user: UserId, id: SessionId) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "delete from tower_sessions.session where id in (select store_id from sessions where user_id = $1 and id = $2)",
        user.0,
        id.0
    );
    Ok(done.execute(conn).await?.rows_affected() == 1)
}

/// All of an account, but this one, and the programs that signed in with its password; how many sessions there were.
pub async fn end_all(conn: &mut PgConnection, user: UserId, but: Option<SessionId>) -> sqlx::Result<u64> {
    sqlx::query!(
        "update token_families set ended_at = now(), ended_by = 'all' where user_id = $1 and ended_at is null",
        user.0
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!("update users set sessions_ended_at = now() where id = $1", user.0).execute(&mut *conn).await?;
    let done = sqlx::query!(
        "delete from tower_sessions.session where id in
             (select store_id from sessions where user_id = $1 and id is distinct from $2)",
        user.0,
        but.map(|id| id.0)
    );
    Ok(done.execute(conn).await?.rows_affected())
}

/// Which of these have ended, or belong to an account that is disabled.
pub async fn ended(db: &PgPool, ids: &[SessionId]) -> sqlx::Result<Vec<SessionId>> {
    let ids: Vec<_> = ids.iter().map(|id| id.0).collect();
    sqlx::query_scalar!(
        r#"select asked.id as "id!: SessionId" from unnest($1::uuid[]) as asked (id)
           where not exists (select 1 from sessions s join users u on u.id = s.user_id
                             where s.id = asked.id and u.disabled_at is null)"#,
        &ids
    )
    .fetch_all(db)
    .await
}
