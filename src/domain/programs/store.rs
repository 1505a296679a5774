//! The SQL of programs: families of tokens, and keys. The clock is the database's.

use super::{
    Scopes,
    keys::{Found, Key, read_scopes},
};
use crate::base::ids::{FamilyId, KeyId, UserId};
use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;

/// A family that was begun.
pub struct Begun {
    pub family: FamilyId,
    /// Seconds since 1970.
    pub now: i64,
}

pub async fn begin(db: &PgPool, user: UserId, mark: &[u8], hash: &[u8], days: u32) -> sqlx::Result<Begun> {
    sqlx::query_as!(
        Begun,
        r#"with family as (insert into token_families (user_id, password_mark) values ($1, $2) returning id),
             token as (insert into refresh_tokens (hash, family_id, expires_at)
                       select $3, id, now() + make_interval(days => $4) from family)
           select id as "family!: FamilyId", extract(epoch from now())::bigint as "now!" from family"#,
        user.0,
        mark,
        hash,
        days.cast_signed()
    )
    .fetch_one(db)
    .await
}

/// A family whose token was turned.
pub struct Turned {
    pub family: FamilyId,
    pub user: UserId,
    pub mark: Vec<u8>,
    /// Seconds since 1970.
    pub now: i64,
}

/// Uses a refresh token up and puts another one in its place: one statement, so of two at once one finds nothing.
pub async fn rotate(db: &PgPool, old: &[u8], new: &[u8], days: u32) -> sqlx::Result<Option<Turned>> {
    sqlx::query_as!(
        Turned,
        r#"with used as (
             update refresh_tokens t set used_at = now() from token_families f
             where t.hash = $1 and t.used_at is null and t.expires_at > now()
               and f.id = t.family_id and f.ended_at is null
             returning t.family_id, f.user_id, f.password_mark),
             fresh as (insert into refresh_tokens (hash, family_id, expires_at)
                       select $2, family_id, now() + make_interval(days => $3) from used)
           select family_id as "family!: FamilyId", user_id as "user!: UserId", password_mark as "mark!",
                  extract(epoch from now())::bigint as "now!" from used"#,
        old,
        new,
        days.cast_signed()
    )
    .fetch_optional(db)
    .await
}

/// Ends the family of a refresh token that had been used before; whose it was.
pub async fn end_reused(conn: &mut PgConnection, hash: &[u8]) -> sqlx::Result<Option<(UserId, String)>> {
    let ended = sqlx::query!(
        r#"update token_families f set ended_at = now(), ended_by = 'reuse' from refresh_tokens t, users u
           where t.hash = $1 and t.used_at is not null and f.id = t.family_id and f.ended_at is null and u.id = f.user_id
           returning u.id as "id: UserId", u.email"#,
        hash
    );
    Ok(ended.fetch_optional(conn).await?.map(|row| (row.id, row.email)))
}

pub async fn end(db: &PgPool, hash: &[u8]) -> sqlx::Result<()> {
    sqlx::query!(
        "update token_families f set ended_at = now(), ended_by = 'logout' from refresh_tokens t
         where t.hash = $1 and f.id = t.family_id and f.ended_at is null",
        hash
    )
    .execute(db)
    .await?;
    Ok(())
}

/// The mark of a family that goes on, unless it is after `until` (seconds since 1970) already.
pub async fn family(db: &PgPool, id: FamilyId, user: UserId, until: i64) -> sqlx::Result<Option<Vec<u8>>> {
    sqlx::query_scalar!(
        "select password_mark from token_families
         where id = $1 and user_id = $2 and ended_at is null and extract(epoch from now()) < $3::bigint",
        id.0,
        user.0,
        until
    )
    .fetch_optional(db)
    .await
}

/// Those that go on, of accounts that are not disabled: each with its mark, and what the mark is made of now.
pub async fn alive(db: &PgPool, ids: &[FamilyId]) -> sqlx::Result<Vec<(FamilyId, Vec<u8>, String)>> {
    let ids: Vec<_> = ids.iter().map(|id| id.0).collect();
    let rows = sqlx::query!(
        r#"select f.id as "id: FamilyId", f.password_mark, coalesce(u.password_mark, u.password_hash) as "now!"
           from token_families f join users u on u.id = f.user_id
           where f.id = any($1) and f.ended_at is null and u.disabled_at is null"#,
        &ids
    );
    Ok(rows.fetch_all(db).await?.into_iter().map(|row| (row.id, row.password_mark, row.now)).collect())
}

/// Which of these are good no longer.
pub async fn ended_keys(db: &PgPool, ids: &[KeyId]) -> sqlx::Result<Vec<KeyId>> {
    let ids: Vec<_> = ids.iter().map(|id| id.0).collect();
    sqlx::query_scalar!(
        r#"select asked.id as "id!: KeyId" from unnest($1::uuid[]) as asked (id)
           where not exists (select 1 from api_keys k join users u on u.id = k.user_id
                             where k.id = asked.id and (k.expires_at is null or k.expires_at > now()) and u.disabled_at is null)"#,
        &ids
    )
    .fetch_all(db)
    .await
}

/// How many families go on.
pub async fn families(db: &PgPool, user: UserId) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"select count(*) as "count!" from token_families f
           where user_id = $1 and ended_at is null and exists (
               select 1 from refresh_tokens t where t.family_id = f.id and t.used_at is null and t.expires_at > now())"#,
        user.0
    )
    .fetch_one(db)
    .await
}

struct Row {
    id: KeyId,
    name: String,
    prefix: String,
    scopes: Vec<String>,
    created_at: OffsetDateTime,
    expires_at: Option<OffsetDateTime>,
    used_at: Option<OffsetDateTime>,
    expired: bool,
}

impl From<Row> for Key {
    fn from(row: Row) -> Self {
        let Row { id, name, prefix, scopes, created_at, expires_at, used_at, expired } = row;
        Self { id, name, prefix, scopes: read_scopes(&scopes), created_at, expires_at, used_at, expired }
    }
}

pub async fn keys(db: &PgPool, user: UserId) -> sqlx::Result<Vec<Key>> {
    let rows = sqlx::query_as!(
        Row,
        r#"select id as "id: KeyId", name, prefix, scopes, created_at, expires_at, used_at,
                  coalesce(expires_at <= now(), false) as "expired!"
           from api_keys where user_id = $1 order by id desc"#,
        user.0
    );
    Ok(rows.fetch_all(db).await?.into_iter().map(Key::from).collect())
}

/// How many keys somebody has; nobody else counts or makes one of theirs until the transaction ends.
pub async fn count_locked(conn: &mut PgConnection, user: UserId) -> sqlx::Result<i64> {
    sqlx::query!("select 1 as one from users where id = $1 for no key update", user.0)
        .fetch_optional(&mut *conn)
        .await?;
    sqlx::query_scalar!(r#"select count(*) as "count!" from api_keys where user_id = $1"#, user.0).fetch_one(conn).await
}

/// A key that is to be.
pub struct NewKey<'a> {
    pub name: &'a str,
    pub prefix: &'a str,
    pub hash: &'a [u8],
    pub scopes: Scopes,
    pub days: Option<u32>,
    /// The key that it is made with.
    pub by: Option<KeyId>,
}

pub async fn insert_key(conn: &mut PgConnection, user: UserId, new: &NewKey<'_>) -> sqlx::Result<Key> {
    let NewKey { name, prefix, hash, days, by, .. } = *new;
    let scopes: Vec<String> = new.scopes.names().into_iter().map(str::to_owned).collect();
    let row = sqlx::query_as!(
        Row,
        r#"insert into api_keys (user_id, name, prefix, hash, scopes, expires_at, made_by)
           values ($1, $2, $3, $4, $5,
                   least(now() + make_interval(days => $6), (select expires_at from api_keys where id = $7)), $7)
           returning id as "id: KeyId", name, prefix, scopes, created_at, expires_at, used_at, false as "expired!""#,
        user.0,
        name,
        prefix,
        hash,
        &scopes,
        days.map(u32::cast_signed),
        by.map(|id| id.0)
    );
    row.fetch_one(conn).await.map(Key::from)
}

pub async fn delete_key(conn: &mut PgConnection, user: UserId, id: KeyId) -> sqlx::Result<Option<(String, String)>> {
    let gone = sqlx::query!("delete from api_keys where id = $1 and user_id = $2 returning name, prefix", id.0, user.0);
    Ok(gone.fetch_optional(conn).await?.map(|row| (row.name, row.prefix)))
}

/// The key with that hash, if it is not too old.
pub async fn key(db: &PgPool, hash: &[u8]) -> sqlx::Result<Option<Found>> {
    let row = sqlx::query!(
        r#"select id as "id: KeyId", user_id as "user: UserId", scopes,
                  coalesce(used_at < now() - interval '1 minute', true) as "used_long_ago!"
           from api_keys where hash = $1 and (expires_at is null or expires_at > now())"#,
        hash
    );
    let row = row.fetch_optional(db).await?;
    Ok(row.map(|row| Found {
        id: row.id,
        user: row.user,
        scopes: read_scopes(&row.scopes),
        used_long_ago: row.used_long_ago,
    }))
}

/// Of many uses at once, one writes.
pub async fn mark_used(db: &PgPool, id: KeyId) -> sqlx::Result<()> {
    sqlx::query!(
        "update api_keys set used_at = now()
         where id = $1 and (used_at is null or used_at < now() - interval '1 minute')",
        id.0
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Tokens that are too old, and families that ended a day ago or have none left.
pub async fn tidy(db: &PgPool) -> sqlx::Result<()> {
    sqlx::query!("delete from refresh_tokens where expires_at < now()").execute(db).await?;
    sqlx::query!(
        "delete from token_families f where ended_at < now() - interval '1 day'
         or not exists (select 1 from refresh_tokens t where t.family_id = f.id)"
    )
    .execute(db)
    .await?;
    Ok(())
}
