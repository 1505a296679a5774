//! The SQL of the list and the archive. Pages go on after an entry, never at a count, and by the index `chats_of_user`.

use crate::{
    base::ids::{ChatId, UserId},
    domain::chats::{Cursor, Listed, Place},
};
use sqlx::{PgConnection, PgPool};
use time::macros::datetime;

/// What is on top (at most 100), then the newest that are in no folder, down to an entry if one is given. And whether
/// there can be folders.
pub async fn shelf(
    conn: &mut PgConnection,
    user: UserId,
    upto: Option<Cursor>,
    limit: i64,
) -> sqlx::Result<(Vec<Listed>, bool)> {
    let (at, id) = upto.map_or((datetime!(1970-01-01 0:00 UTC), uuid::Uuid::max()), |c| (c.at, c.id.0));
    let rows = sqlx::query!(
        r#"select c.id as "id!: ChatId", c.title as "title!", c.active_at as "active_at!", c.pinned as "pinned!", exists (
               select 1 from generations g where g.chat_id = c.id and g.state in ('queued', 'streaming', 'waiting')
           ) as "answering!",
           exists (select 1 from folders where user_id = $1) as "folders!"
           from (
               (select id, title, active_at, true as pinned from chats
                where user_id = $1 and deleted_at is null and archived_at is null and pinned_at is not null
                order by active_at desc, id limit 100)
               union all
               (select id, title, active_at, false from chats
                where user_id = $1 and deleted_at is null and archived_at is null and pinned_at is null
                    and folder_id is null and active_at >= $3 and (active_at > $3 or id <= $4)
                order by active_at desc, id limit $2)) c
           order by c.pinned desc, c.active_at desc, c.id"#,
        user.0,
        limit,
        at,
        id
    )
    .fetch_all(conn)
    .await?;
    let folders = rows.first().is_none_or(|row| row.folders);
    let listed = rows.into_iter().map(|row| Listed {
        id: row.id,
        title: row.title,
        active_at: row.active_at,
        answering: row.answering,
        pinned: row.pinned,
    });
    Ok((listed.collect(), folders))
}

/// All of the list or of the archive, in folders or not, after an entry.
pub async fn all(
    db: &PgPool,
    user: UserId,
    archived: bool,
    after: Option<Cursor>,
    limit: i64,
) -> sqlx::Result<Vec<Listed>> {
    let (at, id) = after.map_or((datetime!(9999-01-01 0:00 UTC), uuid::Uuid::nil()), |c| (c.at, c.id.0));
    sqlx::query_as!(
        Listed,
        r#"select c.id as "id: ChatId", c.title, c.active_at, (c.pinned_at is not null) as "pinned!", exists (
               select 1 from generations g where g.chat_id = c.id and g.state in ('queued', 'streaming', 'waiting')
           ) as "answering!"
           from chats c
           where c.user_id = $1 and c.deleted_at is null and (c.archived_at is not null) = $2
               and c.active_at <= $3 and (c.active_at < $3 or c.id > $4)
           order by c.active_at desc, c.id limit $5"#,
        user.0,
        archived,
        at,
        id,
        limit
    )
    .fetch_all(db)
    .await
}

/// The list without what is on top, or the archive, after an entry.
pub async fn page(
    db: &PgPool,
    user: UserId,
    archived: bool,
    after: Option<Cursor>,
    limit: i64,
) -> sqlx::Result<Vec<Listed>> {
    // a time after all others, so that there is one statement, whose bounds the index knows
    let (at, id) = after.map_or((datetime!(9999-01-01 0:00 UTC), uuid::Uuid::nil()), |c| (c.at, c.id.0));
    sqlx::query_as!(
        Listed,
        r#"select c.id as "id: ChatId", c.title, c.active_at, false as "pinned!", exists (
               select 1 from generations g where g.chat_id = c.id and g.state in ('queued', 'streaming', 'waiting')
           ) as "answering!"
           from chats c
           where c.user_id = $1 and c.deleted_at is null and c.pinned_at is null and (c.archived_at is not null) = $2 and ($2 or c.folder_id is null)
               and c.active_at <= $3 and (c.active_at < $3 or c.id > $4)
           order by c.active_at desc, c.id limit $5"#,
        user.0,
        archived,
        at,
        id,
        limit
    )
    .fetch_all(db)
    .await
}

/// The entry of a chat that is in the list by the time of its last message: not on top, in no folder, not in the archive.
pub async fn entry(db: &PgPool, user: UserId, id: ChatId) -> sqlx::Result<Option<Cursor>> {
    sqlx::query_as!(
        Cursor,
        r#"select active_at as at, id as "id: ChatId" from chats
           where id = $1 and user_id = $2 and deleted_at is null and archived_at is null and pinned_at is null
               and folder_id is null"#,
        id.0,
        user.0
    )
    .fetch_optional(db)
    .await
}

pub async fn put(conn: &mut PgConnection, user: UserId, id: ChatId, place: Place) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "update chats set pinned_at = case when $3 then coalesce(pinned_at, now()) end,
             archived_at = case when $4 then coalesce(archived_at, now()) end
         where id = $1 and user_id = $2 and deleted_at is null",
        id.0,
        user.0,
        place == Place::Pinned,
        place == Place::Archived
    );
    Ok(done.execute(conn).await?.rows_affected() == 1)
}
