//! The SQL of dead letters: answers that were given up.

use crate::{
    base::{
        Result,
        ids::{ChatId, GenerationId, MessageId, UserId},
    },
    domain::generation::DeadLetter,
};
use sqlx::{PgConnection, PgPool};

/// The newest first. Those in deleted chats are nobody's concern any more.
pub async fn list(db: &PgPool, limit: i64) -> Result<Vec<DeadLetter>> {
    Ok(sqlx::query_as!(
        DeadLetter,
        r#"select g.id as "id: GenerationId", u.email, g.model, g.prefix > 0 as "continues!", g.attempt, g.retries,
               coalesce(g.reason, '') as "reason!", g.dead_at as "at!",
               greatest(extract(epoch from now() - g.dead_at), 0)::float8 as "age!", count(*) over () as "total!"
           from generations g join users u on u.id = g.user_id join chats c on c.id = g.chat_id
           where g.dead_at is not null and c.deleted_at is null order by g.dead_at desc, g.id limit $1"#,
        limit
    )
    .fetch_all(db)
    .await?)
}

/// Where a dead letter lies, and whose it is.
pub struct Letter {
    pub chat: ChatId,
    pub owner: UserId,
    pub email: String,
    pub answer: MessageId,
    pub question: Option<MessageId>,
    pub leaf: Option<MessageId>,
    pub model: String,
    pub prefix: i32,
}

pub async fn find(conn: &mut PgConnection, id: GenerationId) -> Result<Option<Letter>> {
    Ok(sqlx::query_as!(
        Letter,
        r#"select g.chat_id as "chat: ChatId", c.user_id as "owner: UserId", u.email, g.message_id as "answer: MessageId",
               m.parent_id as "question: MessageId", c.leaf_id as "leaf: MessageId", g.model, g.prefix
           from generations g join messages m on m.id = g.message_id join chats c on c.id = g.chat_id
           join users u on u.id = c.user_id
           where g.id = $1 and g.dead_at is not null and c.deleted_at is null"#,
        id.0
    )
    .fetch_optional(conn)
    .await?)
}

/// No longer a dead letter. Says whether it was one.
pub async fn lay_to_rest(conn: &mut PgConnection, answer: MessageId) -> Result<bool> {
    let done =
        sqlx::query!("update generations set dead_at = null where message_id = $1 and dead_at is not null", answer.0);
    Ok(done.execute(conn).await?.rows_affected() == 1)
}
