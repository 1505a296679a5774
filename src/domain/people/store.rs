//! The SQL of what is done to accounts as a whole.

pub mod find;

use crate::base::ids::UserId;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

/// How an account stands.
pub struct Standing {
    pub id: UserId,
    pub email: String,
    pub administrator: bool,
    pub disabled: bool,
    /// It is to be deleted, and its owner can undo that no more.
    pub leaves: bool,
}

/// The same lock as that of making the first administrator.
pub async fn one_at_a_time(conn: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query!("select pg_advisory_xact_lock(hashtext('first administrator'))").execute(conn).await?;
    Ok(())
}

pub async fn may_manage(conn: &mut PgConnection, id: UserId) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"select exists (select 1 from users where id = $1 and role = 'administrator' and disabled_at is null) as "may!""#,
        id.0
    )
    .fetch_one(conn)
    .await
}

/// Holds the row.
pub async fn standing(conn: &mut PgConnection, id: UserId) -> sqlx::Result<Option<Standing>> {
    sqlx::query_as!(
        Standing,
        r#"select id as "id: UserId", email, role = 'administrator' as "administrator!",
               disabled_at is not null as "disabled!", coalesce(delete_at <= now(), false) as "leaves!"
           from users where id = $1 for no key update"#,
        id.0
    )
    .fetch_optional(conn)
    .await
}

/// Whether there is another administrator, who also stays.
pub async fn has_other_administrator(conn: &mut PgConnection, but: UserId) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"select exists (select 1 from users where role = 'administrator' and id <> $1 and disabled_at is null
                              and delete_at is null) as "is!""#,
        but.0
    )
    .fetch_one(conn)
    .await
}

pub async fn of_address(db: &PgPool, email_key: &str) -> sqlx::Result<Option<UserId>> {
    sqlx::query_scalar!(r#"select id as "id: UserId" from users where email_key = $1"#, email_key)
        .fetch_optional(db)
        .await
}

pub async fn set_disabled(conn: &mut PgConnection, id: UserId, disabled: bool) -> sqlx::Result<()> {
    sqlx::query!(
        "update users set disabled_at = case when $2 then coalesce(disabled_at, now()) end where id = $1",
        id.0,
        disabled
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub async fn set_role(conn: &mut PgConnection, id: UserId, administrator: bool) -> sqlx::Result<()> {
    let role = if administrator { "administrator" } else { "member" };
    sqlx::query!("update users set role = $2 where id = $1", id.0, role).execute(conn).await?;
    Ok(())
}

/// In so many seconds; one that leaves sooner is left at that.
pub async fn set_leaving(conn: &mut PgConnection, id: UserId, seconds: f64) -> sqlx::Result<()> {
    sqlx::query!(
        "update users set delete_at = least(delete_at, now() + make_interval(secs => $2)) where id = $1",
        id.0,
        seconds
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Says whether it was in time, and there was something to undo.
pub async fn set_staying(conn: &mut PgConnection, id: UserId) -> sqlx::Result<bool> {
    let done = sqlx::query!("update users set delete_at = null where id = $1 and delete_at > now()", id.0);
    Ok(done.execute(conn).await?.rows_affected() == 1)
}

/// Accounts whose time has come.
pub async fn due(db: &PgPool, limit: i64) -> sqlx::Result<Vec<UserId>> {
    sqlx::query_scalar!(
        r#"select id as "id: UserId" from users where delete_at <= now() order by delete_at limit $1"#,
        limit
    )
    .fetch_all(db)
    .await
}

/// Closes an account whose time has come; says whether it is there, and it has.
pub async fn close(conn: &mut PgConnection, id: UserId) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "update users set disabled_at = coalesce(disabled_at, now()) where id = $1 and delete_at <= now()",
        id.0
    );
    Ok(done.execute(conn).await?.rows_affected() == 1)
}

/// Some of an account's chats, held, and the generations in them.
pub async fn some_chats(conn: &mut PgConnection, user: UserId, limit: i64) -> sqlx::Result<(Vec<Uuid>, Vec<Uuid>)> {
    let chats =
        sqlx::query_scalar!("select id from chats where user_id = $1 order by id limit $2 for update", user.0, limit)
            .fetch_all(&mut *conn)
            .await?;
    let answers = sqlx::query_scalar!("select id from generations where chat_id = any($1)", &chats);
    let answers = answers.fetch_all(conn).await?;
    Ok((chats, answers))
}

/// With their messages, generations, ratings and feeds.
pub async fn remove_chats(conn: &mut PgConnection, chats: &[Uuid]) -> sqlx::Result<()> {
    sqlx::query!("delete from feed_events where chat_id = any($1)", chats).execute(&mut *conn).await?;
    sqlx::query!("delete from chats where id = any($1)", chats).execute(conn).await?;
    Ok(())
}

/// What else is the account's own and may be large; the imports among it, which have jobs. The rest goes with the row of the
/// account.
pub async fn remove_belongings(conn: &mut PgConnection, user: UserId) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query!("delete from takeouts where user_id = $1", user.0).execute(&mut *conn).await?;
    sqlx::query_scalar!("delete from imports where user_id = $1 returning id", user.0).fetch_all(conn).await
}

/// The row of the account, and what hangs on it.
pub async fn remove(conn: &mut PgConnection, user: UserId) -> sqlx::Result<bool> {
    let done = sqlx::query!("delete from users where id = $1 and delete_at <= now()", user.0);
    Ok(done.execute(conn).await?.rows_affected() == 1)
}
