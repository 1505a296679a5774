//! The SQL of the keys of providers. Counting is in functions of the database (migrations/0027_provider_keys.sql).

use super::KeyState;
use crate::{
    base::ids::ProviderKeyId,
    outside::llm::{Key, Standing},
};
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

fn raw(ids: &[ProviderKeyId]) -> Vec<Uuid> {
    ids.iter().map(|id| id.0).collect()
}

pub async fn enter(conn: &mut PgConnection, provider: &str, key: &Key) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into provider_keys (id, provider, hint, requests_per_minute, tokens_per_minute) values ($1, $2, $3, $4, $5)
         on conflict (id) do update set requests_per_minute = excluded.requests_per_minute,
             tokens_per_minute = excluded.tokens_per_minute, seen_at = now()",
        key.id.0,
        provider,
        key.hint(),
        key.requests_per_minute,
        key.tokens_per_minute
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub async fn standings(conn: &mut PgConnection, ids: &[ProviderKeyId], wanted: i64) -> sqlx::Result<Vec<Standing>> {
    sqlx::query_as!(
        Standing,
        r#"select id as "id!: ProviderKeyId", requests as "requests!", tokens as "tokens!", free_in as "free_in!",
                  resting_in as "resting_in!", set_aside as "set_aside!" from key_standings($1, $2, false)"#,
        &raw(ids),
        wanted
    )
    .fetch_all(conn)
    .await
}

/// Takes one request of a key if it has room: where it is counted then. And how all stand after that.
pub async fn take(
    conn: &mut PgConnection,
    ids: &[ProviderKeyId],
    key: ProviderKeyId,
    wanted: i64,
) -> sqlx::Result<(Option<i64>, Vec<Standing>)> {
    let rows = sqlx::query!(
        r#"select taken, id as "id!: ProviderKeyId", requests as "requests!", tokens as "tokens!", free_in as "free_in!",
                  resting_in as "resting_in!", set_aside as "set_aside!" from take_key($1, $2, $3)"#,
        &raw(ids),
        key.0,
        wanted
    )
    .fetch_all(conn)
    .await?;
    let taken = rows.first().and_then(|row| row.taken);
    let standings = rows.into_iter().map(|row| Standing {
        id: row.id,
        requests: row.requests,
        tokens: row.tokens,
        free_in: row.free_in,
        resting_in: row.resting_in,
        set_aside: row.set_aside,
    });
    Ok((taken, standings.collect()))
}

pub async fn rest(db: &PgPool, key: ProviderKeyId, seconds: f64, reason: &str) -> sqlx::Result<()> {
    sqlx::query!(
        "update provider_keys set resting_until = greatest(resting_until, now() + make_interval(secs => $2)), reason = $3
         where id = $1",
        key.0,
        seconds,
        reason
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Whether it was not set aside before.
pub async fn set_aside(conn: &mut PgConnection, key: ProviderKeyId, reason: &str) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "update provider_keys set set_aside_at = now(), reason = $2 where id = $1 and set_aside_at is null",
        key.0,
        reason
    );
    Ok(done.execute(conn).await?.rows_affected() == 1)
}

/// The provider and the hint of the key.
pub async fn use_again(conn: &mut PgConnection, key: ProviderKeyId) -> sqlx::Result<Option<(String, String)>> {
    let row = sqlx::query!(
        "update provider_keys set set_aside_at = null, resting_until = null, reason = '' where id = $1
         returning provider, hint",
        key.0
    );
    Ok(row.fetch_optional(conn).await?.map(|row| (row.provider, row.hint)))
}

pub async fn settle(db: &PgPool, key: ProviderKeyId, second: i64, more: i64) -> sqlx::Result<()> {
    sqlx::query!(
        "update key_uses set tokens = greatest(tokens + $3, 0) where key_id = $1 and second = $2",
        key.0,
        second,
        more
    )
    .execute(db)
    .await?;
    Ok(())
}

pub async fn states(conn: &mut PgConnection, ids: &[ProviderKeyId]) -> sqlx::Result<Vec<KeyState>> {
    sqlx::query_as!(
        KeyState,
        r#"select k.id as "id: ProviderKeyId", k.hint, s.requests as "requests!", s.tokens as "tokens!",
                  k.requests_per_minute, k.tokens_per_minute, s.free_in as "free_in!", s.resting_in as "resting_in!",
                  k.set_aside_at, k.reason
           from key_standings($1, 0, true) s join provider_keys k on k.id = s.id"#,
        &raw(ids)
    )
    .fetch_all(conn)
    .await
}

pub async fn care(conn: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query!("delete from provider_keys where seen_at < now() - interval '30 days'").execute(&mut *conn).await?;
    sqlx::query!("delete from key_uses where second < extract(epoch from now())::bigint - 120").execute(conn).await?;
    Ok(())
}
