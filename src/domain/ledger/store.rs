//! The SQL of the ledger. Writing is a function of the database (migrations/0028_ledger.sql): one round trip.

use super::{By, Call, Entry, Health, Line, Purpose, Sum};
use crate::{
    base::{
        ids::{CallId, ChatId, MessageId, UserId},
        month::Month,
    },
    outside::llm::Usage,
};
use sqlx::{PgConnection, PgPool};
use std::time::Duration;

/// Writes a request down. In the transaction of an answer's end it is the last thing: it locks what its person has used today.
///
/// # Errors
/// The database's.
pub async fn note(conn: &mut PgConnection, entry: &Entry) -> sqlx::Result<()> {
    let purpose = match entry.purpose {
        Purpose::Answer => "answer",
        Purpose::Title => "title",
    };
    sqlx::query!(
        "select note_usage($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
        entry.generation.0,
        purpose,
        entry.provider,
        entry.model,
        entry.key.map(|key| key.0),
        entry.outcome,
        entry.usage.prompt,
        entry.usage.cached,
        entry.usage.completion,
        entry.usage.reasoning,
        entry.estimated,
        entry.cost,
        entry.first_token.map(milliseconds),
        entry.tokens_per_second.map(figure)
    )
    .fetch_one(conn)
    .await?;
    Ok(())
}

/// Writes calls down, and gives back what was reserved for those that are over.
///
/// # Errors
/// The database's.
pub async fn note_calls(db: &PgPool, calls: &[&Call], over: &[CallId]) -> sqlx::Result<()> {
    let over: Vec<_> = over.iter().map(|call| call.0).collect();
    let tokens = |of: fn(&Usage) -> i64| column(calls, |call| of(&call.usage));
    sqlx::query!(
        "select note_calls($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
        &column(calls, |call| call.id.0),
        &column(calls, |call| call.who.0),
        &column(calls, |call| call.provider.as_str()) as _,
        &column(calls, |call| call.model.as_str()) as _,
        &column(calls, |call| call.key.map(|key| key.0)) as _,
        &column(calls, |call| call.outcome) as _,
        &tokens(|used| used.prompt),
        &tokens(|used| used.cached),
        &tokens(|used| used.completion),
        &tokens(|used| used.reasoning),
        &column(calls, |call| call.estimated),
        &column(calls, |call| call.cost) as _,
        &column(calls, |call| call.first_token.map(milliseconds)) as _,
        &column(calls, |call| call.tokens_per_second.map(figure)) as _,
        &over
    )
    .execute(db)
    .await?;
    Ok(())
}

fn column<'c, T>(calls: &[&'c Call], of: impl Fn(&'c Call) -> T) -> Vec<T> {
    calls.iter().map(|call| of(call)).collect()
}

fn milliseconds(took: Duration) -> i32 {
    i32::try_from(took.as_millis()).unwrap_or(i32::MAX)
}

#[expect(clippy::cast_possible_truncation, reason = "a figure of two digits")]
fn figure(pace: f64) -> f32 {
    pace as f32
}

pub async fn sums(db: &PgPool, user: Option<UserId>, month: Month, by: By) -> sqlx::Result<Vec<Sum>> {
    let by = match by {
        By::Day => "day",
        By::Model => "model",
        By::Person => "person",
        By::Provider => "provider",
    };
    sqlx::query_as!(
        Sum,
        r#"select case $4 when 'day' then d.day::text when 'model' then d.provider || '/' || d.model
                          when 'provider' then d.provider else coalesce(u.email, '') end as "name!",
                  sum(d.requests)::bigint as "requests!", sum(d.failed)::bigint as "failed!",
                  sum(d.prompt_tokens)::bigint as "prompt!", sum(d.cached_tokens)::bigint as "cached!",
                  sum(d.completion_tokens)::bigint as "completion!", sum(d.reasoning_tokens)::bigint as "reasoning!",
                  sum(d.cost)::bigint as "cost!", sum(d.unpriced)::bigint as "unpriced!"
           from usage_days d left join users u on u.id = d.user_id and $4 = 'person'
           where d.day >= $1 and d.day < $2 and ($3::uuid is null or d.user_id = $3)
           group by 1
           order by case when $4 = 'day' then min(d.day) end, sum(d.cost) desc, sum(d.completion_tokens) desc, 1"#,
        month.first(),
        month.next().first(),
        user.map(|user| user.0),
        by
    )
    .fetch_all(db)
    .await
}

pub async fn lines(db: &PgPool, user: Option<UserId>, month: Month) -> sqlx::Result<Vec<Line>> {
    let rows = sqlx::query!(
        r#"select d.*, coalesce(u.email, '') as "email!" from usage_days d left join users u on u.id = d.user_id
           where d.day >= $1 and d.day < $2 and ($3::uuid is null or d.user_id = $3)
           order by d.day, "email!", d.provider, d.model"#,
        month.first(),
        month.next().first(),
        user.map(|user| user.0)
    )
    .fetch_all(db)
    .await?;
    let lines = rows.into_iter().map(|row| Line {
        day: row.day,
        person: row.email,
        provider: row.provider,
        model: row.model,
        sum: Sum {
            name: String::new(),
            requests: row.requests,
            failed: row.failed,
            prompt: row.prompt_tokens,
            cached: row.cached_tokens,
            completion: row.completion_tokens,
            reasoning: row.reasoning_tokens,
            cost: row.cost,
            unpriced: row.unpriced,
        },
    });
    Ok(lines.collect())
}

/// What the answers of a chat have cost so far that are still in it, in micro-units of the currency. Each is looked up by its
/// key, since rows of the ledger are found by their answers.
pub async fn cost_of_chat(conn: &mut PgConnection, chat: ChatId) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"select coalesce(sum(u.cost), 0)::bigint as "cost!" from messages m
           join generations g on g.message_id = m.id join usage u on u.generation_id = g.id
           where m.chat_id = $1 and m.author = 'model'"#,
        chat.0
    )
    .fetch_one(conn)
    .await
}

/// What an answer has cost, with what was asked for it in vain; nothing if no price was known.
pub async fn cost_of_answer(conn: &mut PgConnection, answer: MessageId) -> sqlx::Result<Option<i64>> {
    sqlx::query_scalar!(
        r#"select sum(u.cost)::bigint as cost from generations g join usage u on u.generation_id = g.id
           where g.message_id = $1 and u.purpose = 'answer'"#,
        answer.0
    )
    .fetch_one(conn)
    .await
}

/// The tokens that were asked and answered with it; nothing before they are known.
///
/// # Errors
/// The database's.
pub async fn used_by_answer(conn: &mut PgConnection, answer: MessageId) -> sqlx::Result<Option<(i64, i64)>> {
    let row = sqlx::query!(
        r#"select sum(u.prompt_tokens)::bigint as prompt, sum(u.completion_tokens)::bigint as completion
           from generations g join usage u on u.generation_id = g.id where g.message_id = $1 and u.purpose = 'answer'"#,
        answer.0
    );
    let row = row.fetch_one(conn).await?;
    Ok(row.prompt.zip(row.completion))
}

pub async fn health(db: &PgPool) -> sqlx::Result<Vec<Health>> {
    sqlx::query_as!(
        Health,
        r#"select provider, count(*) as "requests!",
                  count(*) filter (where outcome not in ('complete', 'stopped')) as "failed!",
                  mode() within group (order by outcome) filter (where outcome not in ('complete', 'stopped')) as fault,
                  percentile_cont(0.5) within group (order by first_token_ms) as first_token,
                  percentile_cont(0.95) within group (order by first_token_ms) as first_token_late
           from usage where at > now() - interval '1 hour' group by provider order by provider"#
    )
    .fetch_all(db)
    .await
}
