//! The SQL of files.

use super::{Attached, Kept};
use crate::base::ids::{ChatId, FileId, MessageId, UserId};
use sqlx::{PgConnection, PgExecutor, PgPool};

/// Bytes of all files of somebody.
pub async fn bytes_of(conn: &mut PgConnection, user: UserId) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"select coalesce(sum(size + view_size), 0)::bigint as "bytes!" from files where user_id = $1"#,
        user.0
    )
    .fetch_one(conn)
    .await
}

/// Counts an upload of somebody who may send so many in an hour (0: no limit); else the seconds until there is room. One at
/// a time, until the transaction ends.
pub async fn take_upload(conn: &mut PgConnection, user: UserId, most: i32) -> sqlx::Result<Option<f64>> {
    let key = format!("uploads of {user}");
    sqlx::query!("select pg_advisory_xact_lock(hashtextextended($1, 0))", key).execute(&mut *conn).await?;
    let row = sqlx::query!(
        r#"select count(*) as "count!", extract(epoch from min(at) + interval '1 hour' - clock_timestamp())::float8 as again_in
           from taken_uploads where user_id = $1 and at > clock_timestamp() - interval '1 hour'"#,
        user.0
    )
    .fetch_one(&mut *conn)
    .await?;
    if most > 0 && row.count >= i64::from(most) {
        return Ok(Some(row.again_in.unwrap_or(1.).max(1.)));
    }
    sqlx::query!("insert into taken_uploads (user_id) values ($1)", user.0).execute(conn).await?;
    Ok(None)
}

pub async fn forget_uploads(db: &PgPool) -> sqlx::Result<()> {
    sqlx::query!("delete from taken_uploads where at < now() - interval '1 hour'").execute(db).await?;
    Ok(())
}

/// Of one person, one file at a time is entered; until the transaction ends.
pub async fn lock(conn: &mut PgConnection, user: UserId) -> sqlx::Result<()> {
    let key = format!("files of {user}");
    sqlx::query!("select pg_advisory_xact_lock(hashtextextended($1, 0))", key).execute(conn).await?;
    Ok(())
}

/// A file that is on the disk.
pub struct New<'a> {
    pub user: UserId,
    pub blob: &'a str,
    pub name: &'a str,
    pub media_type: &'a str,
    pub size: i64,
    pub view_type: &'a str,
    pub view_size: i32,
    pub width: i32,
    pub height: i32,
}

pub async fn insert(conn: &mut PgConnection, new: &New<'_>) -> sqlx::Result<FileId> {
    sqlx::query_scalar!(
        r#"insert into files (user_id, blob, name, media_type, size, view_type, view_size, width, height)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9) returning id as "id: FileId""#,
        new.user.0,
        new.blob,
        new.name,
        new.media_type,
        new.size,
        new.view_type,
        new.view_size,
        new.width,
        new.height
    )
    .fetch_one(conn)
    .await
}

/// Those of these files that are this person's, in the order asked for.
pub async fn of(conn: &mut PgConnection, user: UserId, ids: &[FileId]) -> sqlx::Result<Vec<Attached>> {
    let raw: Vec<_> = ids.iter().map(|id| id.0).collect();
    let rows = sqlx::query!(
        r#"select id as "id: FileId", name, width, height from files
           where user_id = $1 and id = any($2) order by array_position($2, id)"#,
        user.0,
        &raw
    );
    let number = |n: i32| n.unsigned_abs();
    let rows = rows.fetch_all(conn).await?.into_iter();
    Ok(rows.map(|r| Attached { id: r.id, name: r.name, width: number(r.width), height: number(r.height) }).collect())
}

/// The oldest file of a person that came after this one.
pub async fn next(db: &PgPool, user: UserId, after: Option<FileId>) -> sqlx::Result<Option<FileId>> {
    sqlx::query_scalar!(
        r#"select id as "id: FileId" from files
           where user_id = $1 and ($2::uuid is null or id > $2) order by id limit 1"#,
        user.0,
        after.map(|id| id.0)
    )
    .fetch_optional(db)
    .await
}

/// Where a person's file is, and what it is called.
pub async fn find(db: impl PgExecutor<'_>, user: UserId, id: FileId) -> sqlx::Result<Option<Kept>> {
    sqlx::query_as!(
        Kept,
        "select blob, name, media_type, view_type from files where id = $1 and user_id = $2",
        id.0,
        user.0
    )
    .fetch_optional(db)
    .await
}

/// Attaches a person's own files to a message; says how many of them there were.
pub async fn attach(
    conn: &mut PgConnection,
    user: UserId,
    (chat, message): (ChatId, MessageId),
    ids: &[FileId],
) -> sqlx::Result<u64> {
    let raw: Vec<_> = ids.iter().map(|id| id.0).collect();
    let done = sqlx::query!(
        "insert into attachments (chat_id, message_id, place, file_id)
         select $1, $2, array_position($3, id), id from files where id = any($3) and user_id = $4",
        chat.0,
        message.0,
        &raw,
        user.0
    );
    Ok(done.execute(conn).await?.rows_affected())
}

/// Takes what is attached to a message away from it.
pub async fn detach(conn: &mut PgConnection, chat: ChatId, message: MessageId) -> sqlx::Result<()> {
    sqlx::query!("delete from attachments where chat_id = $1 and message_id = $2", chat.0, message.0)
        .execute(conn)
        .await?;
    Ok(())
}

/// What is attached to a message, in its order.
pub async fn of_message(conn: &mut PgConnection, chat: ChatId, message: MessageId) -> sqlx::Result<Vec<Attached>> {
    let rows = sqlx::query!(
        r#"select f.id as "id: FileId", f.name, f.width, f.height from attachments a join files f on f.id = a.file_id
           where a.chat_id = $1 and a.message_id = $2 order by a.place"#,
        chat.0,
        message.0
    );
    let number = |n: i32| n.unsigned_abs();
    let rows = rows.fetch_all(conn).await?.into_iter();
    Ok(rows.map(|r| Attached { id: r.id, name: r.name, width: number(r.width), height: number(r.height) }).collect())
}

/// A file that a model is to see.
pub struct Seen {
    pub message: MessageId,
    pub blob: String,
    pub name: String,
    pub view_type: String,
    pub view_size: i32,
    pub width: i32,
    pub height: i32,
}

/// What is attached to the messages of a chat, by message, in its order.
pub async fn seen(conn: &mut PgConnection, chat: ChatId, messages: &[MessageId]) -> sqlx::Result<Vec<Seen>> {
    let raw: Vec<_> = messages.iter().map(|id| id.0).collect();
    sqlx::query_as!(
        Seen,
        r#"select a.message_id as "message: MessageId", f.blob, f.name, f.view_type, f.view_size, f.width, f.height
           from attachments a join files f on f.id = a.file_id
           where a.chat_id = $1 and a.message_id = any($2) order by a.message_id, a.place"#,
        chat.0,
        &raw
    )
    .fetch_all(conn)
    .await
}

/// Removes the rows of files that nobody has any more: of nobody, or without a message for a day. Returns their blobs.
pub async fn remove_unused(db: &PgPool, limit: i64) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar!(
        "delete from files where id in (
             select f.id from files f
             where (f.user_id is null or f.created_at < now() - interval '1 day')
               and not exists (select from attachments a where a.file_id = f.id)
             limit $1 for update skip locked)
         returning blob",
        limit
    )
    .fetch_all(db)
    .await
}

/// Removes the row of a file that belongs to no message. Returns its blob.
pub async fn remove_unattached(conn: &mut PgConnection, user: UserId, id: FileId) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar!(
        "delete from files f where id = $1 and user_id = $2 and not exists (select from attachments a where a.file_id = f.id)
         returning blob",
        id.0,
        user.0
    )
    .fetch_optional(conn)
    .await
}

/// Removes the rows of all files of a person, whose chats are gone. Returns their blobs.
pub async fn remove_of(conn: &mut PgConnection, user: UserId) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar!("delete from files where user_id = $1 returning blob", user.0).fetch_all(conn).await
}

/// Those of these blobs that have a row.
pub async fn known(db: &PgPool, blobs: &[String]) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar!("select blob from files where blob = any($1)", blobs).fetch_all(db).await
}
