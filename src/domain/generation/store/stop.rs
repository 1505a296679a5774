//! The SQL of whose unfinished answers are to be stopped.

use crate::base::ids::{ChatId, UserId};
use sqlx::PgPool;

/// The chats in which an account has answers that have not ended.
pub async fn chats_of(db: &PgPool, user: UserId) -> sqlx::Result<Vec<ChatId>> {
    sqlx::query_scalar!(
        r#"select distinct chat_id as "id: ChatId" from generations
           where user_id = $1 and state in ('lined', 'queued', 'streaming', 'waiting')"#,
        user.0
    )
    .fetch_all(db)
    .await
}

/// The same of all accounts that are disabled.
pub async fn chats_of_the_disabled(db: &PgPool, limit: i64) -> sqlx::Result<Vec<ChatId>> {
    sqlx::query_scalar!(
        r#"select distinct g.chat_id as "id: ChatId" from generations g join users u on u.id = g.user_id
           where u.disabled_at is not null and g.state in ('lined', 'queued', 'streaming', 'waiting') limit $1"#,
        limit
    )
    .fetch_all(db)
    .await
}
