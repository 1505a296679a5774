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

/// Lets only one transaction at a time begin a chat with this key. (Forms of a chat that exists are kept apart by its
/// head's lock.)
pub async fn lock(tx: &mut PgConnection, user: UserId, key: Uuid) -> Result<()> {
    sqlx::query!("select pg_advisory_xact_lock(hashtextextended($1, 0))", format!("{user}{key}")).execute(tx).await?;
    Ok(())
}

/// What the same form with the same body began, if it was sent before. Under a lock: see [`lock`].
pub async fn taken(tx: &mut PgConnection, user: UserId, key: Uuid, body_hash: &[u8]) -> Result<Option<Sent>> {
    let row = sqlx::query!(
        r#"select chat_id as "chat: ChatId", message_id as "answer: MessageId", body_hash from sends
           where user_id = $1 and key = $2"#,
        user.0,
        key
    )
    .fetch_optional(&mut *tx)
    .await?;
    Ok(row.filter(|r| r.body_hash == body_hash).map(|r| Sent { chat: r.chat, answer: r.answer, allowance: None }))
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
