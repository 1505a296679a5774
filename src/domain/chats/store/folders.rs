//! The SQL of folders. Their chats come by the index `chats_of_folder`.

use crate::{
    base::{
        Error, Result,
        error::OnConstraint,
        ids::{ChatId, FolderId, UserId},
    },
    domain::chats::{Cursor, Listed, folders::Folder},
};
use sqlx::{PgConnection, PgPool};
use time::macros::datetime;

pub async fn all(conn: &mut PgConnection, user: UserId) -> sqlx::Result<Vec<Folder>> {
    sqlx::query_as!(
        Folder,
        r#"select id as "id: FolderId", name, opened from folders where user_id = $1 order by lower(name), id"#,
        user.0
    )
    .fetch_all(conn)
    .await
}

pub async fn find(db: &PgPool, user: UserId, id: FolderId) -> sqlx::Result<Option<Folder>> {
    sqlx::query_as!(
        Folder,
        r#"select id as "id: FolderId", name, opened from folders where id = $1 and user_id = $2"#,
        id.0,
        user.0
    )
    .fetch_optional(db)
    .await
}

/// The newest chats of each folder that is opened.
pub async fn shelves(conn: &mut PgConnection, user: UserId, limit: i64) -> sqlx::Result<Vec<(FolderId, Listed)>> {
    let rows = sqlx::query!(
        r#"select f.id as "folder: FolderId", c.id as "id: ChatId", c.title, c.active_at, exists (
               select 1 from generations g where g.chat_id = c.id and g.state in ('queued', 'streaming', 'waiting')
           ) as "answering!"
           from folders f cross join lateral (
               select id, title, active_at from chats
               where folder_id = f.id and user_id = $1 and deleted_at is null and archived_at is null
                   and pinned_at is null
               order by active_at desc, id limit $2) c
           where f.user_id = $1 and f.opened
           order by f.id, c.active_at desc, c.id"#,
        user.0,
        limit
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|r| {
            let (id, title, active_at, answering) = (r.id, r.title, r.active_at, r.answering);
            (r.folder, Listed { id, title, active_at, answering, pinned: false })
        })
        .collect())
}

/// The chats of a folder after an entry, also those that are pinned.
pub async fn chats(
    db: &PgPool,
    user: UserId,
    id: FolderId,
    after: Option<Cursor>,
    limit: i64,
) -> sqlx::Result<Vec<Listed>> {
    let (at, entry) = after.map_or((datetime!(9999-01-01 0:00 UTC), uuid::Uuid::nil()), |c| (c.at, c.id.0));
    sqlx::query_as!(
        Listed,
        r#"select c.id as "id: ChatId", c.title, c.active_at, false as "pinned!", exists (
               select 1 from generations g where g.chat_id = c.id and g.state in ('queued', 'streaming', 'waiting')
           ) as "answering!"
           from chats c
           where c.folder_id = $1 and c.user_id = $2 and c.deleted_at is null and c.archived_at is null
               and c.active_at <= $3 and (c.active_at < $3 or c.id > $4)
           order by c.active_at desc, c.id limit $5"#,
        id.0,
        user.0,
        at,
        entry,
        limit
    )
    .fetch_all(db)
    .await
}

/// One after the other: so that nobody makes more folders than one may have.
pub async fn lock(conn: &mut PgConnection, user: UserId) -> sqlx::Result<()> {
    sqlx::query!("select id from users where id = $1 for no key update", user.0).fetch_optional(conn).await?;
    Ok(())
}

pub async fn count(conn: &mut PgConnection, user: UserId) -> sqlx::Result<i64> {
    sqlx::query_scalar!(r#"select count(*) as "count!" from folders where user_id = $1"#, user.0).fetch_one(conn).await
}

pub async fn insert(conn: &mut PgConnection, user: UserId, name: &str) -> sqlx::Result<FolderId> {
    sqlx::query_scalar!(
        r#"insert into folders (user_id, name) values ($1, $2) returning id as "id: FolderId""#,
        user.0,
        name
    )
    .fetch_one(conn)
    .await
}

/// Without a name it keeps the one it has.
pub async fn change(
    conn: &mut PgConnection,
    user: UserId,
    id: FolderId,
    name: Option<&str>,
    opened: bool,
) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "update folders set name = coalesce($3, name), opened = $4 where id = $1 and user_id = $2",
        id.0,
        user.0,
        name,
        opened
    );
    Ok(done.execute(conn).await?.rows_affected() == 1)
}

pub async fn delete(conn: &mut PgConnection, user: UserId, id: FolderId) -> sqlx::Result<bool> {
    let done = sqlx::query!("delete from folders where id = $1 and user_id = $2", id.0, user.0);
    Ok(done.execute(conn).await?.rows_affected() == 1)
}

/// The folder of a viewer's chat; the outer nothing: there is no such chat.
pub async fn of(db: &PgPool, user: UserId, chat: ChatId) -> sqlx::Result<Option<Option<FolderId>>> {
    sqlx::query_scalar!(
        r#"select folder_id as "folder: FolderId" from chats where id = $1 and user_id = $2 and deleted_at is null"#,
        chat.0,
        user.0
    )
    .fetch_optional(db)
    .await
}

pub async fn put(conn: &mut PgConnection, user: UserId, chat: ChatId, folder: Option<FolderId>) -> Result<bool> {
    let done = sqlx::query!(
        "update chats set folder_id = $3
         where id = $1 and user_id = $2 and deleted_at is null
             and ($3::uuid is null or exists (select 1 from folders where id = $3 and user_id = $2))",
        chat.0,
        user.0,
        folder.map(|folder| folder.0)
    );
    // it is being deleted at this moment
    let done = done.execute(conn).await.on_constraint("chats_folder_id_fkey", || Error::NotFound)?;
    Ok(done.rows_affected() == 1)
}
