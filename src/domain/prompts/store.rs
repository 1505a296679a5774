//! The SQL of prompt templates. A viewer uses one's own and the shared; administrators also change the shared.

use super::{Prompt, Typed};
use crate::base::ids::{PromptId, UserId};
use sqlx::{PgConnection, PgPool};

pub async fn list(db: &PgPool, user: UserId, administrator: bool) -> sqlx::Result<Vec<Prompt>> {
    sqlx::query_as!(
        Prompt,
        r#"select id as "id: PromptId", name, text, shared, (user_id = $1 or $2) as "mine!"
           from prompts where user_id = $1 or shared order by lower(name), id limit 1000"#,
        user.0,
        administrator
    )
    .fetch_all(db)
    .await
}

pub async fn find(db: &PgPool, user: UserId, administrator: bool, id: PromptId) -> sqlx::Result<Option<Prompt>> {
    sqlx::query_as!(
        Prompt,
        r#"select id as "id: PromptId", name, text, shared, (user_id = $1 or $2) as "mine!"
           from prompts where id = $3 and (user_id = $1 or shared)"#,
        user.0,
        administrator,
        id.0
    )
    .fetch_optional(db)
    .await
}

pub async fn count(db: &PgPool, user: UserId) -> sqlx::Result<i64> {
    sqlx::query_scalar!(r#"select count(*) as "count!" from prompts where user_id = $1"#, user.0).fetch_one(db).await
}

pub async fn insert(db: &PgPool, user: UserId, prompt: &Typed) -> sqlx::Result<PromptId> {
    sqlx::query_scalar!(
        r#"insert into prompts (user_id, name, text, shared) values ($1, $2, $3, $4) returning id as "id: PromptId""#,
        user.0,
        prompt.name,
        prompt.text,
        prompt.shared
    )
    .fetch_one(db)
    .await
}

/// Whose a prompt is that was changed, and what it is called.
pub struct Owner {
    pub id: UserId,
    pub email: String,
    pub prompt: String,
}

pub async fn update(
    conn: &mut PgConnection,
    user: UserId,
    administrator: bool,
    id: PromptId,
    prompt: &Typed,
) -> sqlx::Result<Option<Owner>> {
    sqlx::query_as!(
        Owner,
        r#"update prompts p set name = $4, text = $5, shared = $6, changed_at = now() from users u
           where p.id = $3 and (p.user_id = $1 or (p.shared and $2)) and u.id = p.user_id
           returning u.id as "id: UserId", u.email, p.name as prompt"#,
        user.0,
        administrator,
        id.0,
        prompt.name,
        prompt.text,
        prompt.shared
    )
    .fetch_optional(conn)
    .await
}

pub async fn delete(
    conn: &mut PgConnection,
    user: UserId,
    administrator: bool,
    id: PromptId,
) -> sqlx::Result<Option<Owner>> {
    sqlx::query_as!(
        Owner,
        r#"delete from prompts p using users u
           where p.id = $3 and (p.user_id = $1 or (p.shared and $2)) and u.id = p.user_id
           returning u.id as "id: UserId", u.email, p.name as prompt"#,
        user.0,
        administrator,
        id.0
    )
    .fetch_optional(conn)
    .await
}
