//! The SQL of accounts.

use super::{Theme, User};
use crate::base::ids::UserId;
use sqlx::{PgConnection, PgExecutor, PgPool};

struct Row {
    id: UserId,
    email: String,
    name: String,
    role: String,
    theme: String,
    password_hash: String,
}

impl From<Row> for User {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            email: row.email,
            name: row.name,
            administrator: row.role == "administrator",
            theme: Theme::parse(&row.theme).unwrap_or_default(),
            password_hash: row.password_hash,
        }
    }
}

/// An account that is not disabled.
///
/// # Errors
/// The database's.
pub async fn get(db: &PgPool, id: UserId) -> sqlx::Result<Option<User>> {
    let row = sqlx::query_as!(
        Row,
        r#"select id as "id: UserId", email, name, role, theme, password_hash from users where id = $1 and disabled_at is null"#,
        id.0
    );
    Ok(row.fetch_optional(db).await?.map(User::from))
}

/// The account of an address that is not disabled.
pub async fn by_email(db: &PgPool, email_key: &str) -> sqlx::Result<Option<User>> {
    let row = sqlx::query_as!(
        Row,
        r#"select id as "id: UserId", email, name, role, theme, password_hash from users
           where email_key = $1 and disabled_at is null"#,
        email_key
    );
    Ok(row.fetch_optional(db).await?.map(User::from))
}

pub async fn all(db: &PgPool) -> sqlx::Result<Vec<User>> {
    let rows = sqlx::query_as!(
        Row,
        r#"select id as "id: UserId", email, name, role, theme, password_hash from users order by created_at"#
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
           returning id as "id: UserId", email, name, role, theme, password_hash"#,
        email,
        email_key,
        name,
        password_hash,
        role
    );
    row.fetch_one(conn).await.map(User::from)
}

/// Replaces a hash, unless somebody else did so meanwhile.
pub async fn replace_hash(db: &PgPool, id: UserId, old: &str, new: &str) -> sqlx::Result<bool> {
    let done = sqlx::query!("update users set password_hash = $3 where id = $1 and password_hash = $2", id.0, old, new);
    Ok(done.execute(db).await?.rows_affected() == 1)
}

pub async fn promote(db: &PgPool, email_key: &str) -> sqlx::Result<bool> {
    let done = sqlx::query!("update users set role = 'administrator' where email_key = $1", email_key);
    Ok(done.execute(db).await?.rows_affected() == 1)
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
