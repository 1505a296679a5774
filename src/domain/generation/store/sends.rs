//! The SQL of forms that were sent: their keys make a resubmission harmless.

use crate::{
    base::{
        Error, Result,
        ids::{ChatId, MessageId, UserId},
    },
    domain::generation::{Key, Sent, store::Load},
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
///
/// # Errors
/// [`Error::Conflict`] for another body under a strict key.
pub async fn taken(tx: &mut PgConnection, user: UserId, key: Key, body_hash: &[u8]) -> Result<Option<Sent>> {
    let row = sqlx::query!(
        r#"select chat_id as "chat: ChatId", message_id as "answer: MessageId", body_hash from sends
           where user_id = $1 and key = $2"#,
        user.0,
        key.id
    )
    .fetch_optional(&mut *tx)
    .await?;
    if key.strict && row.as_ref().is_some_and(|row| row.body_hash != body_hash) {
        let sentence = "This key was used for another message. Send each with a key of its own.";
        return Err(Error::Conflict(sentence.to_owned()));
    }
    Ok(row.filter(|r| r.body_hash == body_hash).map(|r| Sent { chat: r.chat, answer: r.answer, allowance: None }))
}

/// How a chat stands to which somebody sends, under its head's lock.
pub struct Stand {
    /// The feed's position.
    pub seq: i64,
    pub leaf: Option<MessageId>,
    /// Of what is to follow the leaf, among its siblings.
    pub place: i32,
    /// What the same form with the same body began, if it was sent before.
    pub taken: Option<Sent>,
    /// Of the leaf.
    pub load: Load,
}

/// Locks the head of a viewer's chat, and reads how it stands then; nothing if it is not theirs.
pub async fn stand(
    tx: &mut PgConnection,
    user: UserId,
    chat: ChatId,
    key: Option<Uuid>,
    body_hash: &[u8],
) -> Result<Option<Stand>> {
    let row = sqlx::query!(
        r#"select seq as "seq!", leaf as "leaf: MessageId", leaf_state, place as "place!", running as "running!",
               lined as "lined!", sent_chat as "chat: ChatId", sent_answer as "answer: MessageId"
           from stand_to_send($1, $2, $3, $4)"#,
        user.0,
        chat.0,
        key,
        body_hash
    )
    .fetch_optional(tx)
    .await?;
    Ok(row.map(|row| Stand {
        seq: row.seq,
        leaf: row.leaf,
        place: row.place,
        taken: row.chat.zip(row.answer).map(|(chat, answer)| Sent { chat, answer, allowance: None }),
        load: Load { running: row.running, lined: row.lined, state: row.leaf_state },
    }))
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
