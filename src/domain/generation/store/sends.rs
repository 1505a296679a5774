//! The SQL of forms that were sent: their keys make a resubmission harmless.

use crate::{
    base::{
        Result,
        ids::{ChatId, MessageId, UserId},
    },
    domain::generation::Sent,
};
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

/// What the same form with the same body began, if it was sent before. Two of them at the same moment: the lock on the
/// key lets the second one see what the first one did.
pub async fn taken(tx: &mut PgConnection, user: UserId, key: Uuid, body_hash: &[u8]) -> Result<Option<Sent>> {
    sqlx::query!("select pg_advisory_xact_lock(hashtextextended($1, 0))", format!("{}{key}", user))
        .execute(&mut *tx)
        .await?;
    let row = sqlx::query!(
        r#"select chat_id as "chat: ChatId", message_id as "answer: MessageId", body_hash from sends
           where user_id = $1 and key = $2"#,
        user.0,
        key
    )
    .fetch_optional(&mut *tx)
    .await?;
    Ok(row.filter(|r| r.body_hash == body_hash).map(|r| Sent { chat: r.chat, answer: r.answer }))
}

/// Keeps the key. With another body than before it is a new message, and the key is of that one from now on.
pub async fn remember(tx: &mut PgConnection, user: UserId, key: Uuid, body_hash: &[u8], sent: &Sent) -> Result<()> {
    sqlx::query!(
        "insert into sends (user_id, key, body_hash, chat_id, message_id) values ($1, $2, $3, $4, $5)
         on conflict (user_id, key) do update
         set body_hash = excluded.body_hash, chat_id = excluded.chat_id, message_id = excluded.message_id, at = now()",
        user.0,
        key,
        body_hash,
        sent.chat.0,
        sent.answer.0
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Forgets those of over a day ago.
pub async fn forget(db: &PgPool) -> Result<()> {
    sqlx::query!("delete from sends where at < now() - interval '1 day'").execute(db).await?;
    Ok(())
}
