//! The SQL of what a page shows of a chat.

use crate::{
    base::{
        Result,
        config::seconds,
        ids::{ChatId, MessageId},
    },
    domain::{
        feed,
        files::Attached,
        generation::{Shown, State},
    },
};
use sqlx::{PgConnection, types::Json};
use time::OffsetDateTime;
use tokio::time::Instant;

struct Row {
    id: MessageId,
    parent: Option<MessageId>,
    author: String,
    text: String,
    reasoning: String,
    html: Option<String>,
    created_at: OffsetDateTime,
    place: i32,
    state: Option<String>,
    after: Option<MessageId>,
    before: Option<String>,
    due: Option<f64>,
    reason: Option<String>,
    model: Option<String>,
    completion_tokens: Option<i64>,
    from_seq: Option<i64>,
    thought: Option<f64>,
    images: Option<Json<Vec<Attached>>>,
}

impl Row {
    /// The message, and where its first event can be in the log.
    fn shown(self, chat: ChatId) -> (Shown, i64) {
        let state = self.state.as_deref().map(State::parse);
        let message = Shown {
            id: self.id,
            chat,
            parent: self.parent,
            by_model: self.author == "model",
            text: self.text,
            reasoning: self.reasoning,
            html: self.html,
            state,
            after: self.after,
            before: self.before.as_deref().map(State::parse),
            // seconds by the database's clock, so that nobody's clock matters
            due: self.due.filter(|_| state == Some(State::Waiting)).map(|due| Instant::now() + seconds(due)),
            reason: self.reason,
            model: self.model.unwrap_or_default(),
            tokens: self.completion_tokens,
            thought: self.thought,
            created_at: self.created_at,
            images: self.images.map(|images| images.0).unwrap_or_default(),
            siblings: None,
            beside: self.place > 0,
            rating: None,
        };
        (message, self.from_seq.unwrap_or_default())
    }
}

/// Messages by id, in the order asked for, each with where its first event can be in the log.
pub async fn by_id(conn: &mut PgConnection, chat: ChatId, ids: &[MessageId]) -> Result<Vec<(Shown, i64)>> {
    let raw: Vec<_> = ids.iter().map(|id| id.0).collect();
    let rows = sqlx::query_as!(
        Row,
        r#"select m.id as "id: MessageId", m.parent_id as "parent: MessageId", m.author, m.text, m.reasoning, m.html,
               coalesce(m.said_at, m.created_at) as "created_at!", m.place, g.state as "state?", g.after_id as "after?: MessageId",
               b.state as "before?", extract(epoch from g.next_attempt_at - now())::float8 as due, g.reason, coalesce(g.model, m.model) as model, g.completion_tokens, g.from_seq as "from_seq?",
               extract(epoch from g.answer_at - g.first_token_at)::float8 as thought,
               (select jsonb_agg(jsonb_build_object('id', f.id, 'name', f.name, 'width', f.width, 'height', f.height) order by a.place)
                from attachments a join files f on f.id = a.file_id where a.message_id = m.id) as "images: Json<Vec<Attached>>"
           from messages m left join generations g on g.message_id = m.id
           left join generations b on b.message_id = g.after_id
           where m.chat_id = $1 and m.id = any($2) order by array_position($2, m.id)"#,
        chat.0,
        &raw
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|r| r.shown(chat)).collect())
}

/// The path that ends with `leaf`, oldest first, at most `limit` messages. Each is looked up by its key in its own month
/// (`lateral`, `limit 1`): a join may be planned as one over all messages.
pub async fn path(conn: &mut PgConnection, chat: ChatId, leaf: MessageId, limit: i32) -> Result<Vec<(Shown, i64)>> {
    let rows = sqlx::query_as!(
        Row,
        r#"with recursive m as (
               select id, parent_id, author, text, reasoning, html, coalesce(said_at, created_at) as created_at, place, model, 1 as depth
               from messages where chat_id = $1 and id = $2 and removed_at is null
               union all
               select p.*, m.depth + 1 from m cross join lateral (
                   select p.id, p.parent_id, p.author, p.text, p.reasoning, p.html, coalesce(p.said_at, p.created_at), p.place, p.model
                   from messages p where p.chat_id = $1 and p.id = m.parent_id limit 1) p
               where m.depth < $3)
           select m.id as "id!: MessageId", m.parent_id as "parent: MessageId", m.author as "author!",
               m.text as "text!", m.reasoning as "reasoning!", m.html, m.created_at as "created_at!", m.place as "place!",
               g.state as "state?", g.after_id as "after?: MessageId",
               b.state as "before?", extract(epoch from g.next_attempt_at - now())::float8 as due, g.reason, coalesce(g.model, m.model) as model, g.completion_tokens, g.from_seq as "from_seq?",
               extract(epoch from g.answer_at - g.first_token_at)::float8 as thought,
               (select jsonb_agg(jsonb_build_object('id', f.id, 'name', f.name, 'width', f.width, 'height', f.height) order by a.place)
                from attachments a join files f on f.id = a.file_id where a.message_id = m.id) as "images: Json<Vec<Attached>>"
           from m
           left join generations g on g.message_id = m.id
           left join generations b on b.message_id = g.after_id
           order by m.depth desc"#,
        chat.0,
        leaf.0,
        limit
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|r| r.shown(chat)).collect())
}

/// Reads what running answers have so far from the log.
pub async fn add_running_texts(conn: &mut PgConnection, messages: &mut [(Shown, i64)]) -> Result<()> {
    for (message, from) in messages.iter_mut().filter(|(m, _)| m.state.is_some_and(State::is_running)) {
        (message.text, message.reasoning) = feed::store::text_so_far(conn, message.chat, message.id, *from).await?;
    }
    Ok(())
}
