//! The SQL of taking one's data along.

use crate::base::ids::{ChatId, TakeoutId, UserId};
use serde_json::Value;
use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;

/// A file of one's data, and how far it is.
#[derive(Debug, Clone)]
pub struct Takeout {
    pub id: TakeoutId,
    /// Chats that go in, and that are in.
    pub total: i32,
    pub done: i32,
    /// Bytes.
    pub size: i64,
    pub ended: Option<OffsetDateTime>,
    pub failed: bool,
}

/// An attempt at making one.
#[derive(Debug, Clone, Copy)]
pub struct Claimed {
    pub id: TakeoutId,
    pub user: UserId,
    pub epoch: i32,
}

/// The newest one of an account, for a day after it was made.
pub async fn newest(db: &PgPool, user: UserId) -> sqlx::Result<Option<Takeout>> {
    sqlx::query_as!(
        Takeout,
        r#"select id as "id: TakeoutId", total, done, size, ended_at as ended, failed from takeouts
           where user_id = $1 and (ended_at is null or ended_at > now() - interval '1 day') order by id desc limit 1"#,
        user.0
    )
    .fetch_optional(db)
    .await
}

/// Makes room for a new one and asks for it; not while one is in the making.
pub async fn insert(conn: &mut PgConnection, user: UserId) -> sqlx::Result<bool> {
    sqlx::query!("delete from takeouts where user_id = $1 and ended_at is not null", user.0)
        .execute(&mut *conn)
        .await?;
    let done = sqlx::query!(
        "insert into takeouts (user_id, total)
         values ($1, (select count(*) from chats where user_id = $1 and deleted_at is null)) on conflict do nothing",
        user.0
    );
    Ok(done.execute(conn).await?.rows_affected() == 1)
}

/// Takes one up that nobody works on, from its beginning.
pub async fn claim(db: &PgPool, id: TakeoutId, lease: f64) -> sqlx::Result<Option<Claimed>> {
    let mut tx = db.begin().await?;
    let claimed = sqlx::query_as!(
        Claimed,
        r#"update takeouts set epoch = epoch + 1, done = 0, size = 0, lease_until = now() + make_interval(secs => $2)
           where id = $1 and ended_at is null and lease_until <= now()
           returning id as "id: TakeoutId", user_id as "user: UserId", epoch"#,
        id.0,
        lease
    )
    .fetch_optional(&mut *tx)
    .await?;
    sqlx::query!("delete from takeout_parts where takeout_id = $1 and $2", id.0, claimed.is_some())
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    Ok(claimed)
}

/// Keeps a part, or with none just renews the lease. Says whether the attempt is still this worker's.
pub async fn keep(
    db: &PgPool,
    claimed: &Claimed,
    done: i32,
    part: Option<(i32, &[u8])>,
    lease: f64,
) -> sqlx::Result<bool> {
    let (number, body) = part.unzip();
    sqlx::query_scalar!(
        r#"with mine as (
               update takeouts set done = $3, size = size + coalesce(octet_length($5::bytea), 0),
                   lease_until = now() + make_interval(secs => $6)
               where id = $1 and epoch = $2 and ended_at is null returning id),
           part as (
               insert into takeout_parts (takeout_id, number, body) select id, $4, $5 from mine where $5 is not null)
           select exists (select 1 from mine) as "mine!""#,
        claimed.id.0,
        claimed.epoch,
        done,
        number,
        body,
        lease
    )
    .fetch_one(db)
    .await
}

/// It is made, or given up.
pub async fn end(db: &PgPool, claimed: &Claimed, failed: bool) -> sqlx::Result<()> {
    sqlx::query!(
        "update takeouts set ended_at = now(), failed = $3 where id = $1 and epoch = $2 and ended_at is null",
        claimed.id.0,
        claimed.epoch,
        failed
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Gives an attempt back: another process goes on at once.
pub async fn release(db: &PgPool, claimed: &Claimed) -> sqlx::Result<()> {
    sqlx::query!(
        "update takeouts set lease_until = now(), epoch = epoch - 1 where id = $1 and epoch = $2 and ended_at is null",
        claimed.id.0,
        claimed.epoch
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Those that nobody works on.
pub async fn forgotten(db: &PgPool) -> sqlx::Result<Vec<TakeoutId>> {
    sqlx::query_scalar!(
        r#"select id as "id: TakeoutId" from takeouts
           where ended_at is null and lease_until <= now() order by id limit 20"#
    )
    .fetch_all(db)
    .await
}

/// Those made over a day ago go.
pub async fn tidy(db: &PgPool) -> sqlx::Result<()> {
    sqlx::query!("delete from takeouts where ended_at < now() - interval '1 day'").execute(db).await?;
    Ok(())
}

/// How large an account's finished file is, while it is kept.
pub async fn size(conn: &mut PgConnection, user: UserId, id: TakeoutId) -> sqlx::Result<Option<i64>> {
    sqlx::query_scalar!(
        "select size from takeouts
         where id = $1 and user_id = $2 and not failed and ended_at > now() - interval '1 day'",
        id.0,
        user.0
    )
    .fetch_optional(conn)
    .await
}

pub async fn part(db: &PgPool, id: TakeoutId, number: i32) -> sqlx::Result<Option<Vec<u8>>> {
    sqlx::query_scalar!("select body from takeout_parts where takeout_id = $1 and number = $2", id.0, number)
        .fetch_optional(db)
        .await
}

/// The next chat after one.
pub async fn next_chat(db: &PgPool, user: UserId, after: Option<ChatId>) -> sqlx::Result<Option<ChatId>> {
    sqlx::query_scalar!(
        r#"select id as "id: ChatId" from chats
           where user_id = $1 and deleted_at is null and ($2::uuid is null or id > $2) order by id limit 1"#,
        user.0,
        after.map(|id| id.0)
    )
    .fetch_optional(db)
    .await
}

/// What there is beside the chats: names of files, and what stands in them.
pub async fn shelves(db: &PgPool, user: UserId) -> sqlx::Result<[(&'static str, Value); 7]> {
    let of_account = sqlx::query!(
        r#"select
               jsonb_build_object('email', email, 'name', name, 'role', role, 'created_at', created_at) as "account!",
               jsonb_build_object('instructions', instructions, 'default_model', default_model,
                   'temperature', temperature, 'theme', theme, 'serif', serif, 'language', language) as "settings!"
           from users where id = $1"#,
        user.0
    )
    .fetch_one(db)
    .await?;
    let lists = sqlx::query!(
        r#"select
               (select coalesce(jsonb_agg(jsonb_build_object('name', name, 'text', text, 'shared', shared,
                    'created_at', created_at, 'changed_at', changed_at) order by id), '[]')
                from prompts where user_id = $1) as "prompts!",
               (select coalesce(jsonb_agg(jsonb_build_object('name', f.name, 'created_at', f.created_at, 'chats',
                    (select coalesce(jsonb_agg(c.title order by c.id), '[]') from chats c
                     where c.folder_id = f.id and c.deleted_at is null)) order by f.id), '[]')
                from folders f where f.user_id = $1) as "folders!",
               (select coalesce(jsonb_agg(jsonb_build_object('device', device, 'address', host(address),
                    'began_at', began_at, 'seen_at', seen_at) order by id), '[]')
                from sessions where user_id = $1) as "sessions!",
               (select coalesce(jsonb_agg(jsonb_build_object('at', at, 'action', action, 'by_you', actor_id is not distinct from $1,
                    'address', case when actor_id = $1 then host(address) end, 'details', details) order by id), '[]')
                from audit where actor_id = $1 or subject_id = $1) as "audit!",
               (select coalesce(jsonb_agg(jsonb_build_object('day', day, 'model', provider || '/' || model,
                    'requests', requests, 'prompt_tokens', prompt_tokens, 'completion_tokens', completion_tokens,
                    'cost_in_millionths', cost) order by day, provider, model), '[]')
                from usage_days where user_id = $1) as "usage!""#,
        user.0
    )
    .fetch_one(db)
    .await?;
    Ok([
        ("account.json", of_account.account),
        ("settings.json", of_account.settings),
        ("prompts.json", lists.prompts),
        ("folders.json", lists.folders),
        ("sessions.json", lists.sessions),
        ("audit.json", lists.audit),
        ("usage.json", lists.usage),
    ])
}

/// What somebody thinks of answers.
pub async fn ratings(db: &PgPool, user: UserId) -> sqlx::Result<Value> {
    sqlx::query_scalar!(
        r#"select coalesce(jsonb_agg(jsonb_build_object('chat', c.title, 'message', r.message_id, 'liked', r.liked,
               'note', r.note, 'at', r.at) order by r.at), '[]') as "ratings!"
           from ratings r join chats c on c.id = r.chat_id where r.user_id = $1 and c.deleted_at is null"#,
        user.0
    )
    .fetch_one(db)
    .await
}
