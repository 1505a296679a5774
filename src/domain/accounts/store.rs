//! The SQL of accounts.

pub mod sessions;

use super::{Now, Theme, User};
use crate::base::{
    config::Hidden,
    ids::{SessionId, UserId},
};
use sqlx::{PgConnection, PgExecutor, PgPool};

struct Row {
    id: UserId,
    email: String,
    name: String,
    role: String,
    theme: String,
    serif: bool,
    password_hash: String,
    password_mark: Option<String>,
}

impl From<Row> for User {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            email: row.email,
            name: row.name,
            administrator: row.role == "administrator",
            theme: Theme::parse(&row.theme).unwrap_or_default(),
            serif: row.serif,
            password_hash: row.password_hash.into(),
            first_hash: row.password_mark.map(Hidden::from),
            now: Now::default(),
        }
    }
}

/// An account that is not disabled, with its sessions: what every request of somebody who is signed in asks.
///
/// # Errors
/// The database's.
pub async fn get(db: &PgPool, id: UserId) -> sqlx::Result<Option<User>> {
    let row = sqlx::query!(
        r#"select id as "id: UserId", email, name, role, theme, serif, password_hash, password_mark, delete_at, sessions_ended_at,
               array(select s.id from sessions s where s.user_id = u.id) as "sessions!: Vec<SessionId>"
           from users u where id = $1 and disabled_at is null"#,
        id.0
    );
    Ok(row.fetch_optional(db).await?.map(|row| {
        let now = Now { sessions: row.sessions, sessions_ended_at: row.sessions_ended_at, delete_at: row.delete_at };
        let (id, email, name, role, theme, serif) = (row.id, row.email, row.name, row.role, row.theme, row.serif);
        let (password_hash, password_mark) = (row.password_hash, row.password_mark);
        User { now, ..Row { id, email, name, role, theme, serif, password_hash, password_mark }.into() }
    }))
}

/// The address of an account, disabled or not.
///
/// # Errors
/// The database's.
pub async fn email_of(conn: &mut PgConnection, id: UserId) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar!("select email from users where id = $1", id.0).fetch_optional(conn).await
}

/// Who looks after this house, and where letters reach them.
///
/// # Errors
/// The database's.
pub async fn administrators(conn: &mut PgConnection) -> sqlx::Result<Vec<(UserId, String)>> {
    let rows = sqlx::query!(
        r#"select id as "id: UserId", email from users where role = 'administrator' and disabled_at is null order by id"#
    );
    Ok(rows.fetch_all(conn).await?.into_iter().map(|row| (row.id, row.email)).collect())
}

/// The account of an address that is not disabled.
pub async fn by_email(db: &PgPool, email_key: &str) -> sqlx::Result<Option<User>> {
    let row = sqlx::query_as!(
        Row,
        r#"select id as "id: UserId", email, name, role, theme, serif, password_hash, password_mark from users
           where email_key = $1 and disabled_at is null"#,
        email_key
    );
    Ok(row.fetch_optional(db).await?.map(User::from))
}

pub async fn all(db: &PgPool) -> sqlx::Result<Vec<User>> {
    let rows = sqlx::query_as!(
        Row,
        r#"select id as "id: UserId", email, name, role, theme, serif, password_hash, password_mark from users order by created_at"#
    );
    Ok(rows.fetch_all(db).await?.into_iter().map(User::from).collect())
}

pub async fn insert(
    conn: &mut PgConnection,
    email: &str,
    email_key: &str,
    name: &str,
    password_hash: &str,
    administrator: bool,
) -> sqlx::Result<User> {
    let role = if administrator { "administrator" } else { "member" };
    let row = sqlx::query_as!(
        Row,
        r#"insert into users (email, email_key, name, password_hash, role) values ($1, $2, $3, $4, $5)
           returning id as "id: UserId", email, name, role, theme, serif, password_hash, password_mark"#,
        email,
        email_key,
        name,
        password_hash,
        role
    );
    row.fetch_one(conn).await.map(User::from)
}

/// Takes another password's hash, unless somebody else did so meanwhile.
pub async fn replace_hash(db: impl PgExecutor<'_>, id: UserId, old: &str, new: &str) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "update users set password_hash = $3, password_mark = null where id = $1 and password_hash = $2",
        id.0,
        old,
        new
    );
    Ok(done.execute(db).await?.rows_affected() == 1)
}

/// Takes another hash of the same password, unless somebody else did so meanwhile: what hangs on the password stays.
pub async fn renew_hash(db: impl PgExecutor<'_>, id: UserId, old: &str, new: &str) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "update users set password_hash = $3, password_mark = coalesce(password_mark, password_hash)
         where id = $1 and password_hash = $2",
        id.0,
        old,
        new
    );
    Ok(done.execute(db).await?.rows_affected() == 1)
}

/// Makes an account of either role an administrator's; whose it is.
pub async fn promote(conn: &mut PgConnection, email_key: &str) -> sqlx::Result<Option<(UserId, String)>> {
    let row = sqlx::query!(
        r#"update users set role = 'administrator' where email_key = $1 returning id as "id: UserId", email"#,
        email_key
    );
    Ok(row.fetch_optional(conn).await?.map(|row| (row.id, row.email)))
}

/// The role of an address's account, disabled or not.
pub async fn role_of(conn: &mut PgConnection, email_key: &str) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar!("select role from users where email_key = $1", email_key).fetch_optional(conn).await
}

/// Whether there is an administrator.
///
/// # Errors
/// The database's.
pub async fn has_administrator(db: impl PgExecutor<'_>) -> sqlx::Result<bool> {
    sqlx::query_scalar!(r#"select exists (select 1 from users where role = 'administrator') as "exists!""#)
        .fetch_one(db)
        .await
}

/// Lets only one transaction at a time make the first administrator.
pub async fn lock_administrators(conn: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query!("select pg_advisory_xact_lock(hashtext('first administrator'))").execute(conn).await?;
    Ok(())
}

/// The account of an address, as long as it is not disabled, for a transaction.
pub async fn owner(conn: &mut PgConnection, id: UserId) -> sqlx::Result<Option<User>> {
    let row = sqlx::query_as!(
        Row,
        r#"select id as "id: UserId", email, name, role, theme, serif, password_hash, password_mark from users
           where id = $1 and disabled_at is null for no key update"#,
        id.0
    );
    Ok(row.fetch_optional(conn).await?.map(User::from))
}

/// Sets a hash, if the account has this address still and is not disabled.
pub async fn set_hash(conn: &mut PgConnection, id: UserId, email_key: &str, hash: &str) -> sqlx::Result<Option<User>> {
    let row = sqlx::query_as!(
        Row,
        r#"update users set password_hash = $3, password_mark = null
           where id = $1 and email_key = $2 and disabled_at is null
           returning id as "id: UserId", email, name, role, theme, serif, password_hash, password_mark"#,
        id.0,
        email_key,
        hash
    );
    Ok(row.fetch_optional(conn).await?.map(User::from))
}

pub async fn set_email(conn: &mut PgConnection, id: UserId, email: &str, email_key: &str) -> sqlx::Result<()> {
    sqlx::query!("update users set email = $2, email_key = $3 where id = $1", id.0, email, email_key)
        .execute(conn)
        .await?;
    Ok(())
}

/// Whether an address has an account, disabled or not.
///
/// # Errors
/// The database's.
pub async fn is_taken(db: impl PgExecutor<'_>, email_key: &str) -> sqlx::Result<bool> {
    sqlx::query_scalar!(r#"select exists (select 1 from users where email_key = $1) as "exists!""#, email_key)
        .fetch_one(db)
        .await
}

/// Leaves a wish for a new password.
pub async fn wish(conn: &mut PgConnection, email_key: &str) -> sqlx::Result<()> {
    sqlx::query!("insert into reset_wishes (email_key) values ($1)", email_key).execute(conn).await?;
    Ok(())
}

/// Takes the oldest wish: its address's account, if there is one that is not disabled. Nothing when there is no wish.
pub async fn take_wish(conn: &mut PgConnection) -> sqlx::Result<Option<Option<User>>> {
    let wish = sqlx::query_scalar!(
        "delete from reset_wishes where id = (
             select id from reset_wishes order by id limit 1 for update skip locked)
         returning email_key"
    );
    let Some(email_key) = wish.fetch_optional(&mut *conn).await? else { return Ok(None) };
    // held: of two wishes for one account that are granted at the same moment, the second counts the first one's letter
    let row = sqlx::query_as!(
        Row,
        r#"select id as "id: UserId", email, name, role, theme, serif, password_hash, password_mark from users
           where email_key = $1 and disabled_at is null for no key update"#,
        email_key
    );
    Ok(Some(row.fetch_optional(conn).await?.map(User::from)))
}

/// The names of an account's API keys that work, and how each begins.
///
/// # Errors
/// The database's.
pub async fn key_names(conn: &mut PgConnection, id: UserId) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar!(
        r#"select name || ' (' || prefix || '…)' as "name!" from api_keys
           where user_id = $1 and (expires_at is null or expires_at > now()) order by id"#,
        id.0
    )
    .fetch_all(conn)
    .await
}
