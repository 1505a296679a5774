//! The SQL of importing.

use crate::{
    base::ids::{ChatId, ImportId, MessageId, UserId},
    domain::export::form::{Author, ChatForm, MessageForm},
};
use sqlx::{PgConnection, PgPool};

/// How far a file is.
pub struct Progress {
    pub name: String,
    pub total: i32,
    pub done: i32,
    /// Chats that could not be read.
    pub left_out: i32,
    /// The last chat made, if it is still there.
    pub chat: Option<ChatId>,
    pub ended: bool,
}

pub async fn newest(db: &PgPool, user: UserId, limit: i64) -> sqlx::Result<Vec<Progress>> {
    sqlx::query_as!(
        Progress,
        r#"select i.name, i.total, i.done, i.left_out, c.id as "chat?: ChatId", i.ended_at is not null as "ended!"
           from imports i left join chats c on c.id = i.chat_id and c.deleted_at is null
           where i.user_id = $1 order by i.id desc limit $2"#,
        user.0,
        limit
    )
    .fetch_all(db)
    .await
}

pub async fn unfinished(conn: &mut PgConnection, user: UserId) -> sqlx::Result<i64> {
    sqlx::query_scalar!(r#"select count(*) as "count!" from imports where user_id = $1 and ended_at is null"#, user.0)
        .fetch_one(conn)
        .await
}

pub async fn insert(
    conn: &mut PgConnection,
    user: UserId,
    name: &str,
    body: &str,
    total: i32,
    left_out: i32,
) -> sqlx::Result<ImportId> {
    sqlx::query_scalar!(
        r#"insert into imports (user_id, name, body, total, left_out) values ($1, $2, $3, $4, $5) returning id as "id: ImportId""#,
        user.0,
        name,
        body,
        total,
        left_out
    )
    .fetch_one(conn)
    .await
}

pub async fn body(db: &PgPool, id: ImportId) -> sqlx::Result<Option<String>> {
    let found = sqlx::query_scalar!("select body from imports where id = $1 and ended_at is null", id.0);
    Ok(found.fetch_optional(db).await?.flatten())
}

/// Files that nobody seems to work on.
pub async fn forgotten(conn: &mut PgConnection) -> sqlx::Result<Vec<ImportId>> {
    sqlx::query_scalar!(
        r#"select id as "id: ImportId" from imports
           where ended_at is null and created_at < now() - interval '1 minute' limit 100"#
    )
    .fetch_all(conn)
    .await
}

/// How many chats of a file are made.
pub async fn done(db: &PgPool, id: ImportId) -> sqlx::Result<Option<i32>> {
    sqlx::query_scalar!("select done from imports where id = $1", id.0).fetch_optional(db).await
}

/// Lets one at a time work on a file; whose it is, and how many of its chats are made. Nothing when its account is disabled,
/// or goes: that waits until the chat is made.
pub async fn lock(conn: &mut PgConnection, id: ImportId) -> sqlx::Result<Option<(UserId, i32)>> {
    let row = sqlx::query!(
        r#"select i.user_id as "user: UserId", i.done from imports i join users u on u.id = i.user_id
           where i.id = $1 and i.ended_at is null and u.disabled_at is null for update of i for share of u"#,
        id.0
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| (row.user, row.done)))
}

pub async fn chat(conn: &mut PgConnection, user: UserId, title: &str, form: &ChatForm) -> sqlx::Result<ChatId> {
    sqlx::query_scalar!(
        r#"insert into chats (user_id, title, model, system_prompt, temperature, created_at)
           values ($1, $2, $3, $4, $5, least($6, now())) returning id as "id: ChatId""#,
        user.0,
        title,
        form.model,
        form.system_prompt,
        form.temperature,
        form.created_at
    )
    .fetch_one(conn)
    .await
}

pub async fn message(
    conn: &mut PgConnection,
    chat: ChatId,
    parent: Option<MessageId>,
    form: &MessageForm,
    html: Option<&str>,
) -> sqlx::Result<MessageId> {
    sqlx::query_scalar!(
        r#"insert into messages (chat_id, parent_id, place, author, text, reasoning, html, said_at, model)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9) returning id as "id: MessageId""#,
        chat.0,
        parent.map(|parent| parent.0),
        form.order,
        if form.author == Author::Model { "model" } else { "person" },
        form.text,
        form.reasoning,
        html,
        form.at,
        form.model.as_deref().filter(|_| form.state.is_none())
    )
    .fetch_one(conn)
    .await
}

/// The HTML of an imported answer, which needed its name.
pub async fn html(conn: &mut PgConnection, chat: ChatId, id: MessageId, html: &str) -> sqlx::Result<()> {
    sqlx::query!("update messages set html = $3 where chat_id = $1 and id = $2", chat.0, id.0, html)
        .execute(conn)
        .await?;
    Ok(())
}

/// How the making of an imported answer ended.
pub async fn answer(
    conn: &mut PgConnection,
    chat: ChatId,
    id: MessageId,
    user: UserId,
    form: &MessageForm,
    (state, reason): (&str, Option<&str>),
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into generations (message_id, chat_id, user_id, model, state, reason, completion_tokens,
             first_token_at, answer_at, from_seq, ended_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8::timestamptz, $8::timestamptz + make_interval(secs => $9), 0, now())",
        id.0,
        chat.0,
        user.0,
        form.model.as_deref().unwrap_or_default(),
        state,
        reason,
        form.tokens,
        form.thought.map(|_| form.at),
        form.thought
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Ends a chat: its path is shown, and it is counted.
pub async fn close(
    conn: &mut PgConnection,
    id: ImportId,
    done: i32,
    chat: ChatId,
    leaf: Option<MessageId>,
) -> sqlx::Result<()> {
    sqlx::query!("update chats set leaf_id = $2 where id = $1", chat.0, leaf.map(|leaf| leaf.0))
        .execute(&mut *conn)
        .await?;
    sqlx::query!("update imports set done = $2, chat_id = $3 where id = $1", id.0, done, chat.0).execute(conn).await?;
    Ok(())
}

/// All of it is made: the file is let go.
pub async fn end(db: &PgPool, id: ImportId) -> sqlx::Result<()> {
    sqlx::query!("update imports set ended_at = now(), body = null where id = $1 and done = total", id.0)
        .execute(db)
        .await?;
    Ok(())
}
