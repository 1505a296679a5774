//! The SQL of the line: answers that wait for the one before them. The chat's head is locked in all of it.

use super::super::state::State;
use crate::base::{
    Result,
    ids::{ChatId, GenerationId, MessageId},
};
use sqlx::{PgConnection, PgPool};

/// Whether `parent` is the leaf of the shown path, or the answer that an unfinished end of that path hangs on: whoever
/// sends after it has not seen the newest turns yet.
pub async fn is_at_end(conn: &mut PgConnection, chat: ChatId, leaf: MessageId, parent: MessageId) -> Result<bool> {
    Ok(sqlx::query_scalar!(
        r#"with recursive tail as (
               select $2::uuid as answer
               union all
               select q.parent_id from tail t
               join generations g on g.message_id = t.answer and g.state in ('lined', 'queued', 'streaming', 'waiting')
               join messages a on a.chat_id = $1 and a.id = t.answer
               join messages q on q.chat_id = $1 and q.id = a.parent_id)
           select exists (select 1 from tail where answer = $3) as "exists!""#,
        chat.0,
        leaf.0,
        parent.0
    )
    .fetch_one(conn)
    .await?)
}

/// The last answer in the line behind `answer`, or that one itself.
pub async fn last(conn: &mut PgConnection, chat: ChatId, answer: MessageId) -> Result<MessageId> {
    Ok(sqlx::query_scalar!(
        r#"with recursive line as (
               select $2::uuid as answer, 0 as place
               union all
               select g.message_id, l.place + 1 from line l
               join generations g on g.chat_id = $1 and g.after_id = l.answer and g.state = 'lined')
           select answer as "answer!: MessageId" from line order by place desc, answer desc limit 1"#,
        chat.0,
        answer.0
    )
    .fetch_one(conn)
    .await?)
}

/// Takes what is in line right behind `after` out of it, to be made now.
pub async fn release(conn: &mut PgConnection, after: MessageId) -> Result<Vec<(GenerationId, MessageId)>> {
    let rows = sqlx::query!(
        "update generations set state = 'queued', next_attempt_at = now(), rung_at = now()
         where after_id = $1 and state = 'lined' returning id, message_id",
        after.0
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|r| (GenerationId(r.id), MessageId(r.message_id))).collect())
}

/// The state of an answer; nothing if it is gone.
pub async fn state_of(conn: &mut PgConnection, answer: MessageId) -> Result<Option<State>> {
    let state = sqlx::query_scalar!("select state from generations where message_id = $1", answer.0);
    Ok(state.fetch_optional(conn).await?.as_deref().map(State::parse))
}

/// Lines that nothing holds: the answer before them let them go on, or is gone. With that answer.
pub async fn left_standing(db: &PgPool, limit: i64) -> Result<Vec<(ChatId, MessageId)>> {
    let rows = sqlx::query!(
        r#"select g.chat_id, g.after_id as "after_id!" from generations g
           left join generations p on p.message_id = g.after_id
           where g.state = 'lined' and (p.id is null or p.state in ('completed', 'stopped')) limit $1"#,
        limit
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(|r| (ChatId(r.chat_id), MessageId(r.after_id))).collect())
}

/// Moves the line that stands behind one answer behind another, its questions with it.
pub async fn follow(conn: &mut PgConnection, chat: ChatId, from: MessageId, to: MessageId) -> Result<()> {
    sqlx::query!(
        "with moved as (
             update generations set after_id = $3 where chat_id = $1 and after_id = $2 and state = 'lined'
             returning message_id)
         update messages q set parent_id = $3 from moved, messages a
         where a.chat_id = $1 and a.id = moved.message_id and q.chat_id = $1 and q.id = a.parent_id",
        chat.0,
        from.0,
        to.0
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A message and all that follows it: each with its state, of an answer.
pub async fn below(
    conn: &mut PgConnection,
    chat: ChatId,
    message: MessageId,
) -> Result<Vec<(MessageId, Option<State>)>> {
    let ids: Vec<_> = super::tree::edges(conn, chat).await?.below(message).into_iter().map(|id| id.0).collect();
    let rows = sqlx::query!(
        r#"select b.id as "id!: MessageId", g.state as "state?"
           from unnest($1::uuid[]) with ordinality as b (id, n) left join generations g on g.message_id = b.id
           order by b.n"#,
        &ids
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|r| (r.id, r.state.as_deref().map(State::parse))).collect())
}
