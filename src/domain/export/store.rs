//! The SQL of taking a chat away.

use super::{Head, Node};
use crate::base::ids::{ChatId, MessageId, UserId};
use sqlx::PgConnection;

pub async fn head(conn: &mut PgConnection, user: UserId, chat: ChatId) -> sqlx::Result<Option<Head>> {
    sqlx::query_as!(
        Head,
        r#"select id as "id: ChatId", title, model, system_prompt as system, temperature, leaf_id as "leaf: MessageId",
               created_at
           from chats where id = $1 and user_id = $2 and deleted_at is null"#,
        chat.0,
        user.0
    )
    .fetch_optional(conn)
    .await
}

/// The whole tree without its texts.
pub async fn nodes(conn: &mut PgConnection, chat: ChatId) -> sqlx::Result<Vec<Node>> {
    sqlx::query_as!(
        Node,
        r#"select id as "id: MessageId", parent_id as "parent: MessageId", place,
               octet_length(text)::bigint + octet_length(reasoning) + coalesce(octet_length(html), 0)
                   + (select coalesce(sum(f.view_size), 0) from attachments a join files f on f.id = a.file_id
                      where a.message_id = messages.id) as "size!"
           from messages where chat_id = $1 and removed_at is null"#,
        chat.0
    )
    .fetch_all(conn)
    .await
}
