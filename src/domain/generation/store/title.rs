//! The SQL of titles that models make.

use crate::base::ids::{ChatId, GenerationId};
use sqlx::{PgConnection, PgPool};

/// The first question of a chat and its answer.
pub struct FirstExchange {
    pub chat: ChatId,
    pub model: String,
    pub question: String,
    pub answer: String,
}

/// Nothing when the chat is gone or has been given a title.
pub async fn first_exchange(db: &PgPool, id: GenerationId) -> sqlx::Result<Option<FirstExchange>> {
    sqlx::query_as!(
        FirstExchange,
        r#"select c.id as "chat: ChatId", g.model, left(q.text, 4000) as "question!", left(a.text, 4000) as "answer!"
           from generations g
           join chats c on c.id = g.chat_id
           join users u on u.id = c.user_id and u.disabled_at is null
           join messages a on a.chat_id = g.chat_id and a.id = g.message_id
           join messages q on q.chat_id = g.chat_id and q.id = a.parent_id
           where g.id = $1 and g.state = 'completed' and c.deleted_at is null and c.titled_by = 'words'"#,
        id.0
    )
    .fetch_optional(db)
    .await
}

/// Gives a chat the title that its model made, unless it has been given one.
pub async fn give(conn: &mut PgConnection, chat: ChatId, title: &str) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "update chats set title = $2, titled_by = 'model'
         where id = $1 and deleted_at is null and titled_by = 'words'",
        chat.0,
        title
    );
    Ok(done.execute(conn).await?.rows_affected() == 1)
}
