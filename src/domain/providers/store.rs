//! The SQL of the keys of providers. Counting is in functions of the database (migrations/0027_provider_keys.sql).

use super::{
    KeyState,
    kept::{Kept, KeptKey, Said, Sealed},
};
use crate::{
    base::{config::ProviderKind, ids::ProviderKeyId},
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

/// The providers that administrators keep, by name, each with what may be seen of its keys.
pub async fn kept(conn: &mut PgConnection) -> sqlx::Result<Vec<Kept>> {
    let rows = sqlx::query!(
        "select name, kind, base_url, models, requests_per_minute, tokens_per_minute, enabled from providers order by name"
    );
    let rows = rows.fetch_all(&mut *conn).await?;
    let mut all: Vec<_> = rows
        .into_iter()
        .map(|row| Kept {
            said: Said {
                kind: ProviderKind::parse(&row.kind).unwrap_or(ProviderKind::Openai),
                base_url: row.base_url,
                models: row.models,
                requests_per_minute: row.requests_per_minute,
                tokens_per_minute: row.tokens_per_minute,
                enabled: row.enabled,
            },
            name: row.name,
            keys: Vec::new(),
            is_shadowed: false,
        })
        .collect();
    let keys = sqlx::query!(
        r#"select id as "id: ProviderKeyId", provider, hint, created_at from sealed_keys order by created_at, id"#
    );
    for key in keys.fetch_all(conn).await? {
        let own = all.iter_mut().filter(|kept| kept.name == key.provider);
        own.for_each(|kept| {
            kept.keys.push(KeptKey { id: key.id, hint: key.hint.clone(), created_at: key.created_at });
        });
    }
    Ok(all)
}

/// How often anything was changed, the providers as they are then, and their keys as they are stored, the oldest first.
pub async fn kept_with_keys(conn: &mut PgConnection) -> sqlx::Result<(i64, Vec<Kept>, Vec<Sealed>)> {
    // read first: what is changed meanwhile is read again
    let version = sqlx::query_scalar!("select version from provider_changes").fetch_one(&mut *conn).await?;
    let all = kept(&mut *conn).await?;
    let keys = sqlx::query_as!(Sealed, "select provider, sealed from sealed_keys order by created_at, id");
    Ok((version, all, keys.fetch_all(conn).await?))
}

pub async fn version(db: &PgPool) -> sqlx::Result<i64> {
    sqlx::query_scalar!("select version from provider_changes").fetch_one(db).await
}

pub async fn note_change(conn: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query!("update provider_changes set version = version + 1").execute(conn).await?;
    Ok(())
}

pub async fn insert_kept(conn: &mut PgConnection, name: &str, said: &Said) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into providers (name, kind, base_url, models, requests_per_minute, tokens_per_minute, enabled)
         values ($1, $2, $3, $4, $5, $6, $7)",
        name,
        said.kind.name(),
        said.base_url,
        &said.models,
        said.requests_per_minute,
        said.tokens_per_minute,
        said.enabled
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub async fn update_kept(conn: &mut PgConnection, name: &str, said: &Said) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "update providers set kind = $2, base_url = $3, models = $4, requests_per_minute = $5, tokens_per_minute = $6,
             enabled = $7 where name = $1",
        name,
        said.kind.name(),
        said.base_url,
        &said.models,
        said.requests_per_minute,
        said.tokens_per_minute,
        said.enabled
    );
    Ok(done.execute(conn).await?.rows_affected() == 1)
}

pub async fn insert_key(conn: &mut PgConnection, provider: &str, key: &Key, sealed: &[u8]) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into sealed_keys (id, provider, hint, sealed) values ($1, $2, $3, $4)",
        key.id.0,
        provider,
        key.hint(),
        sealed
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The provider and the hint of the key.
pub async fn remove_key(conn: &mut PgConnection, id: ProviderKeyId) -> sqlx::Result<Option<(String, String)>> {
    let row = sqlx::query!("delete from sealed_keys where id = $1 returning provider, hint", id.0);
    Ok(row.fetch_optional(conn).await?.map(|row| (row.provider, row.hint)))
}

/// All keys of a provider.
pub async fn remove_keys(conn: &mut PgConnection, provider: &str) -> sqlx::Result<Vec<ProviderKeyId>> {
    sqlx::query_scalar!(r#"delete from sealed_keys where provider = $1 returning id as "id: ProviderKeyId""#, provider)
        .fetch_all(conn)
        .await
}

/// How keys stand that nobody has any more.
pub async fn forget_standing(conn: &mut PgConnection, ids: &[ProviderKeyId]) -> sqlx::Result<()> {
    sqlx::query!("delete from provider_keys where id = any($1)", &raw(ids)).execute(conn).await?;
    Ok(())
}

pub async fn remove_kept(conn: &mut PgConnection, name: &str) -> sqlx::Result<bool> {
    let done = sqlx::query!("delete from providers where name = $1", name).execute(conn).await?;
    Ok(done.rows_affected() == 1)
}
