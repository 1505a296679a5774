//! The SQL of chats and messages.

pub mod folders;
pub mod list;
pub mod search;

use super::{Chat, way::Way};
use crate::base::{
    Error, Result,
    error::OnConstraint,
    ids::{ChatId, MessageId, UserId},
};
use sqlx::{PgConnection, PgPool};

pub async fn find(conn: &mut PgConnection, user: UserId, id: ChatId) -> sqlx::Result<Option<Chat>> {
    sqlx::query_as!(
        Chat,
        r#"select id as "id: ChatId", title, model, leaf_id as "leaf: MessageId", pinned_at is not null as "pinned!",
               archived_at is not null as "archived!" from chats
           where id = $1 and user_id = $2 and deleted_at is null"#,
        id.0,
        user.0
    )
    .fetch_optional(conn)
    .await
}

/// Locks the head of a viewer's chat, which is its mutex; returns the position of its log.
pub async fn lock(conn: &mut PgConnection, user: UserId, id: ChatId) -> sqlx::Result<Option<i64>> {
    sqlx::query_scalar!(
        "select h.seq from chats c join feed_heads h on h.chat_id = c.id
         where c.id = $1 and c.user_id = $2 and c.deleted_at is null for no key update of h",
        id.0,
        user.0
    )
    .fetch_optional(conn)
    .await
}

pub async fn insert(conn: &mut PgConnection, user: UserId, title: &str) -> sqlx::Result<ChatId> {
    sqlx::query_scalar!(
        r#"insert into chats (user_id, title) values ($1, $2) returning id as "id: ChatId""#,
        user.0,
        title
    )
    .fetch_one(conn)
    .await
}

/// A chat like another one of the same person, in its folder, with nothing said in it.
pub async fn copy(conn: &mut PgConnection, origin: ChatId) -> sqlx::Result<ChatId> {
    sqlx::query_scalar!(
        r#"insert into chats (user_id, title, titled_by, model, system_prompt, temperature, folder_id)
           select user_id, title, titled_by, model, system_prompt, temperature, folder_id from chats where id = $1
           returning id as "id: ChatId""#,
        origin.0
    )
    .fetch_one(conn)
    .await
}

/// The chat's head is locked.
pub async fn rename(conn: &mut PgConnection, id: ChatId, title: &str) -> sqlx::Result<()> {
    sqlx::query!("update chats set title = $2, titled_by = 'person' where id = $1", id.0, title).execute(conn).await?;
    Ok(())
}

/// The first words of a chat are its title, unless somebody gave it one.
pub async fn title_by_words(conn: &mut PgConnection, id: ChatId, title: &str) -> sqlx::Result<()> {
    sqlx::query!("update chats set title = $2 where id = $1 and titled_by = 'words'", id.0, title)
        .execute(conn)
        .await?;
    Ok(())
}

pub async fn title(db: &PgPool, id: ChatId) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar!("select title from chats where id = $1", id.0).fetch_optional(db).await
}

pub async fn way(conn: &mut PgConnection, user: UserId, id: ChatId) -> sqlx::Result<Option<Way>> {
    sqlx::query_as!(
        Way,
        "select title, system_prompt as system, model, temperature from chats
         where id = $1 and user_id = $2 and deleted_at is null",
        id.0,
        user.0
    )
    .fetch_optional(conn)
    .await
}

pub async fn set_way(conn: &mut PgConnection, user: UserId, id: ChatId, way: &Way) -> sqlx::Result<()> {
    sqlx::query!(
        "update chats set system_prompt = $3, model = $4, temperature = $5 where id = $1 and user_id = $2",
        id.0,
        user.0,
        way.system,
        way.model,
        way.temperature
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Hides a chat; it is removed a day later.
pub async fn mark_deleted(conn: &mut PgConnection, user: UserId, id: ChatId) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "update chats set deleted_at = now() where id = $1 and user_id = $2 and deleted_at is null",
        id.0,
        user.0
    );
    Ok(done.execute(conn).await?.rows_affected() == 1)
}

/// The title of a chat that was deleted within the last minute.
pub async fn just_deleted(db: &PgPool, user: UserId, id: ChatId) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar!(
        "select title from chats where id = $1 and user_id = $2 and deleted_at > now() - interval '1 minute'",
        id.0,
        user.0
    )
    .fetch_optional(db)
    .await
}

/// The title of a chat that was put into the archive within the last minute.
pub async fn just_archived(db: &PgPool, user: UserId, id: ChatId) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar!(
        "select title from chats
         where id = $1 and user_id = $2 and deleted_at is null and archived_at > now() - interval '1 minute'",
        id.0,
        user.0
    )
    .fetch_optional(db)
    .await
}

pub async fn restore(conn: &mut PgConnection, user: UserId, id: ChatId) -> sqlx::Result<bool> {
    let done = sqlx::query!("update chats set deleted_at = null where id = $1 and user_id = $2", id.0, user.0);
    Ok(done.execute(conn).await?.rows_affected() == 1)
}

/// What is put into a tree.
pub struct NewMessage<'a> {
    pub parent: Option<MessageId>,
    pub by_model: bool,
    pub text: &'a str,
    pub html: Option<&'a str>,
}

/// Adds a message after its parent, behind its siblings. The chat's head is locked.
///
/// # Errors
/// [`Error::Invalid`] when the parent is not in this chat.
pub async fn add(conn: &mut PgConnection, chat: ChatId, message: &NewMessage<'_>) -> Result<MessageId> {
    sqlx::query_scalar!(
        r#"insert into messages (chat_id, parent_id, author, text, html, place)
           values ($1, $2, $3, $4, $5, next_place($1, $2))
           returning id as "id: MessageId""#,
        chat.0,
        message.parent.map(|p| p.0),
        if message.by_model { "model" } else { "person" },
        message.text,
        message.html
    )
    .fetch_one(conn)
    .await
    .on_constraint("messages_parent", || {
        Error::invalid("parent", "The message that this one answers is no longer there. Reload the page.")
    })
}

/// Makes a message the end of the shown path; a chat in the archive comes back to the list.
pub async fn show(conn: &mut PgConnection, chat: ChatId, leaf: MessageId, model: &str) -> sqlx::Result<()> {
    sqlx::query!(
        "update chats set leaf_id = $2, model = $3, active_at = now(), archived_at = null where id = $1",
        chat.0,
        leaf.0,
        model
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Writes the final text of an answer.
pub async fn finish(
    conn: &mut PgConnection,
    chat: ChatId,
    id: MessageId,
    text: &str,
    reasoning: &str,
    html: &str,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update messages set text = $3, reasoning = $4, html = $5 where chat_id = $1 and id = $2",
        chat.0,
        id.0,
        text,
        reasoning,
        html
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Makes a message that was there before the end of the shown path.
pub async fn set_leaf(conn: &mut PgConnection, chat: ChatId, leaf: MessageId) -> sqlx::Result<()> {
    sqlx::query!("update chats set leaf_id = $2 where id = $1", chat.0, leaf.0).execute(conn).await?;
    Ok(())
}

/// Removes a message with all that follows it. The chat's head is locked, and its leaf is elsewhere.
pub async fn remove(conn: &mut PgConnection, chat: ChatId, id: MessageId) -> sqlx::Result<()> {
    sqlx::query!("delete from messages where chat_id = $1 and id = $2", chat.0, id.0).execute(conn).await?;
    Ok(())
}

/// What a message says.
pub async fn text(conn: &mut PgConnection, chat: ChatId, id: MessageId) -> sqlx::Result<Option<String>> {
    let text = sqlx::query_scalar!("select text from messages where chat_id = $1 and id = $2", chat.0, id.0);
    text.fetch_optional(conn).await
}

/// What an answer says, and how its making stands.
pub struct Told {
    pub text: String,
    pub state: String,
    pub reason: Option<String>,
}

pub async fn told(conn: &mut PgConnection, chat: ChatId, id: MessageId) -> sqlx::Result<Option<Told>> {
    sqlx::query_as!(
        Told,
        "select m.text, g.state, g.reason from messages m join generations g on g.message_id = m.id
         where m.chat_id = $1 and m.id = $2",
        chat.0,
        id.0
    )
    .fetch_optional(conn)
    .await
}

/// Whose message it is, and what it follows.
pub struct Place {
    pub chat: ChatId,
    pub parent: Option<MessageId>,
    pub by_model: bool,
}

/// A message in one of a viewer's chats.
pub async fn place(conn: &mut PgConnection, user: UserId, id: MessageId) -> sqlx::Result<Option<Place>> {
    sqlx::query_as!(
        Place,
        r#"select m.chat_id as "chat: ChatId", m.parent_id as "parent: MessageId", m.author = 'model' as "by_model!"
           from messages m join chats c on c.id = m.chat_id
           where m.id = $1 and m.removed_at is null and c.user_id = $2 and c.deleted_at is null"#,
        id.0,
        user.0
    )
    .fetch_optional(conn)
    .await
}

/// Removes chats that were deleted over a day ago, with everything that hangs on them.
pub async fn purge(db: &PgPool, limit: i64) -> sqlx::Result<u64> {
    let mut tx = db.begin().await?;
    let gone = sqlx::query_scalar!(
        "select id from chats where deleted_at < now() - interval '1 day' limit $1 for update skip locked",
        limit
    )
    .fetch_all(&mut *tx)
    .await?;
    sqlx::query!("delete from feed_events where chat_id = any($1)", &gone).execute(&mut *tx).await?;
    sqlx::query!("delete from chats where id = any($1)", &gone).execute(&mut *tx).await?;
    tx.commit().await?;
    Ok(gone.len() as u64)
}

pub async fn make_partitions(db: &PgPool, ahead: i32) -> sqlx::Result<()> {
    sqlx::query!("select make_message_partitions($1)", ahead).fetch_one(db).await?;
    Ok(())
}

/// Whether a message came in a month that has no partition.
///
/// # Errors
/// The database's.
pub async fn default_partition_has_rows(db: &PgPool) -> sqlx::Result<bool> {
    sqlx::query_scalar!(r#"select exists (select 1 from messages_default) as "exists!""#).fetch_one(db).await
}
