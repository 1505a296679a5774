//! The SQL of the tree: siblings, what follows a message, copies of a path. The chat's head is locked in all that writes.

use crate::{
    base::{
        Result,
        ids::{ChatId, MessageId, UserId},
    },
    domain::generation::edges::{Edge, Edges},
};
use sqlx::{PgConnection, PgPool};

/// The shape of a chat's tree.
pub async fn edges(conn: &mut PgConnection, chat: ChatId) -> Result<Edges> {
    let rows = sqlx::query_as!(
        Edge,
        r#"select id as "id: MessageId", parent_id as "parent: MessageId", place, removed_at is not null as "removed!"
           from messages where chat_id = $1"#,
        chat.0
    );
    Ok(rows.fetch_all(conn).await?.into_iter().collect())
}

/// The other messages at the place of one, in their order.
pub async fn others(
    conn: &mut PgConnection,
    chat: ChatId,
    message: MessageId,
    parent: Option<MessageId>,
) -> Result<Vec<MessageId>> {
    Ok(sqlx::query_scalar!(
        r#"select id as "id: MessageId" from messages
           where chat_id = $1 and (parent_id = $3 or ($3::uuid is null and parent_id is null)) and id <> $2
             and removed_at is null order by place, id"#,
        chat.0,
        message.0,
        parent.map(|p| p.0)
    )
    .fetch_all(conn)
    .await?)
}

/// What follows each of these messages, where that is more than one, in its order; with `roots`, also what begins the chat.
/// Nothing in it is older than `since`, so that not every month is asked.
pub async fn families(
    conn: &mut PgConnection,
    chat: ChatId,
    parents: &[MessageId],
    roots: bool,
    since: MessageId,
) -> Result<Vec<Vec<MessageId>>> {
    let parents: Vec<_> = parents.iter().map(|id| id.0).collect();
    let rows = sqlx::query_scalar!(
        r#"select array_agg(id order by place, id) as "ids!: Vec<MessageId>" from messages
           where chat_id = $1 and id >= $4 and (parent_id = any($2) or ($3 and parent_id is null)) and removed_at is null
           group by parent_id having count(*) > 1"#,
        chat.0,
        &parents,
        roots,
        since.0
    );
    Ok(rows.fetch_all(conn).await?)
}

/// Whether a message can be built on.
pub async fn stands(conn: &mut PgConnection, chat: ChatId, message: MessageId) -> Result<bool> {
    Ok(sqlx::query_scalar!(
        r#"select exists (select 1 from messages where chat_id = $1 and id = $2 and removed_at is null) as "stands!""#,
        chat.0,
        message.0
    )
    .fetch_one(conn)
    .await?)
}

/// Says anew what was not said yet.
pub async fn reword(conn: &mut PgConnection, chat: ChatId, message: MessageId, text: &str, html: &str) -> Result<()> {
    sqlx::query!(
        "update messages set text = $3, html = $4 where chat_id = $1 and id = $2",
        chat.0,
        message.0,
        text,
        html
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Hides messages, all at the same instant.
pub async fn hide(conn: &mut PgConnection, chat: ChatId, messages: &[MessageId]) -> Result<()> {
    let ids: Vec<_> = messages.iter().map(|id| id.0).collect();
    sqlx::query!(
        "update messages set removed_at = now() where chat_id = $1 and id = any($2) and removed_at is null",
        chat.0,
        &ids
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A removed message in a viewer's chat: that chat, and what it followed.
pub async fn removed(
    conn: &mut PgConnection,
    user: UserId,
    message: MessageId,
) -> Result<Option<(ChatId, Option<MessageId>)>> {
    let row = sqlx::query!(
        r#"select m.chat_id as "chat: ChatId", m.parent_id as "parent: MessageId"
           from messages m join chats c on c.id = m.chat_id
           where m.id = $1 and m.removed_at is not null and c.user_id = $2 and c.deleted_at is null"#,
        message.0,
        user.0
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|r| (r.chat, r.parent)))
}

/// Shows again what was hidden together with a message.
pub async fn bring_back(conn: &mut PgConnection, chat: ChatId, message: MessageId) -> Result<()> {
    sqlx::query!(
        "update messages set removed_at = null where chat_id = $1
         and removed_at = (select removed_at from messages where chat_id = $1 and id = $2)",
        chat.0,
        message.0
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Copies the path that ends with `leaf` into another chat of the same person, which is empty, with how each answer came
/// about; returns the copy of the leaf. Nothing on the path is still in the making.
pub async fn copy_path(conn: &mut PgConnection, from: ChatId, leaf: MessageId, to: ChatId) -> Result<MessageId> {
    Ok(sqlx::query_scalar!(
        r#"with recursive path as (
               select m.*, 1 as depth from messages m where m.chat_id = $1 and m.id = $2
               union all
               select m.*, p.depth + 1 from path p cross join lateral (
                   select * from messages m where m.chat_id = $1 and m.id = p.parent_id limit 1) m),
           renamed as materialized (select id, uuid7() as new_id from path),
           copied as (
               insert into messages (id, chat_id, parent_id, author, text, reasoning, html, created_at, said_at, model)
               select own.new_id, $3, above.new_id, p.author, p.text, p.reasoning, p.html, p.created_at, p.said_at, p.model
               from path p join renamed own on own.id = p.id left join renamed above on above.id = p.parent_id),
           answered as (
               insert into generations (message_id, chat_id, user_id, model, state, reason, from_seq, prompt_tokens,
                   cached_tokens, completion_tokens, reasoning_tokens, created_at, started_at, first_token_at, answer_at, ended_at)
               select own.new_id, $3, g.user_id, g.model, g.state, g.reason, 0, g.prompt_tokens,
                   g.cached_tokens, g.completion_tokens, g.reasoning_tokens, g.created_at, g.started_at, g.first_token_at, g.answer_at, g.ended_at
               from renamed own join generations g on g.message_id = own.id),
           attached as (
               insert into attachments (chat_id, message_id, place, file_id)
               select $3, own.new_id, a.place, a.file_id
               from renamed own join attachments a on a.chat_id = $1 and a.message_id = own.id)
           select new_id as "id!: MessageId" from renamed where id = $2"#,
        from.0,
        leaf.0,
        to.0
    )
    .fetch_one(conn)
    .await?)
}

/// Removes for good what was deleted over a day ago.
pub async fn purge(db: &PgPool) -> Result<()> {
    sqlx::query!("delete from messages where removed_at < now() - interval '1 day'").execute(db).await?;
    Ok(())
}
