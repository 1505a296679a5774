//! The SQL of what people think of answers.

use crate::{
    base::{
        Result,
        ids::{ChatId, MessageId, UserId},
    },
    domain::generation::Rating,
};
use sqlx::PgConnection;
use std::collections::HashMap;

/// What a person thinks of these messages of a chat.
pub async fn of(
    conn: &mut PgConnection,
    user: UserId,
    chat: ChatId,
    messages: &[MessageId],
) -> Result<HashMap<MessageId, Rating>> {
    let raw: Vec<_> = messages.iter().map(|id| id.0).collect();
    let rows = sqlx::query!(
        r#"select message_id as "id: MessageId", liked, note from ratings
           where chat_id = $1 and message_id = any($2) and user_id = $3"#,
        chat.0,
        &raw,
        user.0
    );
    let rows = rows.fetch_all(conn).await?;
    Ok(rows.into_iter().map(|row| (row.id, Rating { liked: row.liked, note: row.note })).collect())
}

/// Without a note the one before stays, unless it was about the contrary.
pub async fn set(
    conn: &mut PgConnection,
    chat: ChatId,
    message: MessageId,
    user: UserId,
    liked: bool,
    note: Option<&str>,
) -> Result<()> {
    sqlx::query!(
        "insert into ratings (chat_id, message_id, user_id, liked, note) values ($1, $2, $3, $4, coalesce($5, ''))
         on conflict (chat_id, message_id, user_id) do update set liked = excluded.liked, at = now(),
             note = case when $5::text is null and ratings.liked = excluded.liked then ratings.note else excluded.note end",
        chat.0,
        message.0,
        user.0,
        liked,
        note
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub async fn take_back(conn: &mut PgConnection, chat: ChatId, message: MessageId, user: UserId) -> Result<()> {
    sqlx::query!(
        "delete from ratings where chat_id = $1 and message_id = $2 and user_id = $3",
        chat.0,
        message.0,
        user.0
    )
    .execute(conn)
    .await?;
    Ok(())
}
