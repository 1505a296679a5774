//! The SQL of what is unfinished in all chats.

use crate::{
    base::{Result, ids::GenerationId},
    domain::generation::{State, overview::Unfinished},
};
use sqlx::PgPool;

/// At most `limit` of each state. Every part of it goes by an index of what is unfinished, never over what has ended.
pub async fn unfinished(db: &PgPool, limit: i64) -> Result<Vec<Unfinished>> {
    let rows = sqlx::query!(
        r#"with listed as (
               (select id, 1 as place, coalesce(started_at, created_at) as since from generations
                where state = 'streaming' order by since, id limit $1)
               union all
               (select id, 2, next_attempt_at from generations where state = 'queued' order by next_attempt_at, id limit $1)
               union all
               (select id, 3, created_at from generations where state = 'waiting' order by next_attempt_at, id limit $1)
               union all
               (select id, 4, created_at from generations where state = 'lined'
                order by created_at, id limit $1)),
           counted as (
               select state, count(*) as total from generations
               where state in ('lined', 'queued', 'streaming', 'waiting') group by state)
           select g.id as "id: GenerationId", g.state, c.total as "total!", u.email, g.model,
               g.prefix > 0 as "continues!", g.attempt, g.retries, l.since as "since!",
               greatest(extract(epoch from now() - l.since), 0)::float8 as "age!",
               case when g.state = 'waiting' then extract(epoch from g.next_attempt_at - now())::float8 end as due_in,
               case when g.state = 'waiting' then g.reason end as reason, b.state as "before?"
           from listed l join generations g on g.id = l.id join counted c on c.state = g.state
           join users u on u.id = g.user_id
           left join generations b on b.message_id = g.after_id and g.state = 'lined'
           order by l.place, case when g.state = 'waiting' then g.next_attempt_at else l.since end, g.id"#,
        limit
    )
    .fetch_all(db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|r| Unfinished {
            id: r.id,
            state: State::parse(&r.state),
            total: r.total,
            email: r.email,
            model: r.model,
            continues: r.continues,
            attempt: r.attempt,
            retries: r.retries,
            since: r.since,
            age: r.age,
            due_in: r.due_in,
            reason: r.reason,
            before: r.before.as_deref().map(State::parse),
        })
        .collect())
}
