//! The SQL of the administrators' list of accounts.

use crate::base::ids::UserId;
use sqlx::PgPool;
use time::OffsetDateTime;
use uuid::Uuid;

/// An account as administrators see it: never what is said in it.
#[derive(Debug, Clone)]
pub struct Person {
    pub id: UserId,
    pub email: String,
    pub name: String,
    pub administrator: bool,
    pub disabled: bool,
    pub created: OffsetDateTime,
    /// Chats that are not deleted.
    pub chats: i64,
    /// When they last wrote something.
    pub active: Option<OffsetDateTime>,
}

/// # Errors
/// The database's.
pub async fn find(db: &PgPool, words: &str, before: Option<Uuid>, most: i64) -> sqlx::Result<Vec<Person>> {
    sqlx::query_as!(
        Person,
        r#"select u.id as "id: UserId", u.email, u.name, u.role = 'administrator' as "administrator!",
               u.disabled_at is not null as "disabled!", u.created_at as created,
               c.chats as "chats!", c.active
           from users u, lateral (select count(*) as chats, max(active_at) as active from chats
               where user_id = u.id and deleted_at is null) c
           where ($1 = '' or position(lower($1) in u.email_key) > 0 or position(lower($1) in lower(u.name)) > 0)
             and ($2::uuid is null or u.id < $2)
           order by u.id desc limit $3"#,
        words,
        before,
        most
    )
    .fetch_all(db)
    .await
}

/// # Errors
/// The database's.
pub async fn one(db: &PgPool, id: UserId) -> sqlx::Result<Option<Person>> {
    sqlx::query_as!(
        Person,
        r#"select u.id as "id: UserId", u.email, u.name, u.role = 'administrator' as "administrator!",
               u.disabled_at is not null as "disabled!", u.created_at as created,
               c.chats as "chats!", c.active
           from users u, lateral (select count(*) as chats, max(active_at) as active from chats
               where user_id = u.id and deleted_at is null) c
           where u.id = $1"#,
        id.0
    )
    .fetch_optional(db)
    .await
}
