//! The feed's SQL.

use super::{Event, What};
use crate::base::{
    Result,
    ids::{ChatId, GenerationId, MessageId, UserId},
    metrics::metrics,
};
use sqlx::{PgConnection, PgPool};
use std::collections::HashMap;
use time::OffsetDateTime;

/// Begins the log of a new chat.
///
/// # Errors
/// The database's.
pub async fn open(conn: &mut PgConnection, chat: ChatId) -> Result<()> {
    sqlx::query!("insert into feed_heads (chat_id) values ($1)", chat.0).execute(conn).await?;
    Ok(())
}

/// Takes the chat's mutex until the transaction ends. Whoever changes a generation's state or epoch does this first.
/// Returns the position of the log, or nothing if the chat is gone.
///
/// # Errors
/// The database's.
pub async fn lock(conn: &mut PgConnection, chat: ChatId) -> Result<Option<i64>> {
    Ok(sqlx::query_scalar!("select seq from feed_heads where chat_id = $1 for no key update", chat.0)
        .fetch_optional(conn)
        .await?)
}

/// Appends to the log, as the last step of an act's transaction; rings every process at its commit, for those who follow
/// the chat and for its owner's list (a `seq` of 0 says that the id is a person's; programs that know of no list pass it
/// over). In this process the caller hands the events out himself, when they are committed; if he cannot tell whether they
/// are, they are found at the next look.
///
/// # Errors
/// The database's.
pub async fn append(conn: &mut PgConnection, chat: ChatId, events: &[(MessageId, What)]) -> Result<Vec<Event>> {
    try_append(conn, chat, events).await?.ok_or_else(|| sqlx::Error::RowNotFound.into())
}

/// The same for a chat that may be gone: then nothing.
///
/// # Errors
/// The database's.
pub async fn try_append(
    conn: &mut PgConnection,
    chat: ChatId,
    events: &[(MessageId, What)],
) -> Result<Option<Vec<Event>>> {
    let count = i64::try_from(events.len()).expect("a handful of events");
    let mut messages = Vec::new();
    let mut kinds = Vec::new();
    let mut offsets = Vec::new();
    let mut bodies = Vec::new();
    for (message, what) in events {
        let (kind, offset, body) = what.to_row();
        messages.push(message.0);
        kinds.push(kind.to_owned());
        offsets.push(offset);
        bodies.push(body);
    }
    let last = sqlx::query_scalar!(
        r#"with head as (
               update feed_heads set seq = seq + $2 where chat_id = $1 returning seq, seq - $2 as base),
           written as (
               insert into feed_events (chat_id, seq, message_id, kind, offset_at, body)
               select $1, head.base + e.n, e.message_id, e.kind, e.offset_at, e.body
               from unnest($3::uuid[], $4::text[], $5::int[], $6::text[])
                    with ordinality as e (message_id, kind, offset_at, body, n), head),
           rung as (select pg_notify('parlor_feed', coalesce(current_setting('parlor.sender', true), '-') || '|' || $1::text || ':' || head.seq || coalesce(
                   (select ',' || c.user_id || ':0' from chats c where c.id = $1), '')) from head)
           select head.seq as "seq!" from head left join rung on true"#,
        chat.0,
        count,
        &messages,
        &kinds,
        &offsets as &[Option<i32>],
        &bodies
    )
    .fetch_optional(conn)
    .await?;
    let event =
        |((message_id, what), seq): (&(MessageId, What), _)| Event { seq, message_id: *message_id, what: what.clone() };
    Ok(last.map(|last| events.iter().zip(last - count + 1..).map(event).collect()))
}

/// Rings, at the commit, for a person's list: something of it changed that no chat's log tells.
///
/// # Errors
/// The database's.
pub async fn ring_list(conn: &mut PgConnection, owner: UserId) -> Result<()> {
    sqlx::query!("select pg_notify('parlor_feed', '-|' || $1::uuid || ':0')", owner.0).execute(conn).await?;
    Ok(())
}

/// Up to `limit` events after a position.
///
/// # Errors
/// The database's.
pub async fn read(db: &PgPool, chat: ChatId, after: i64, limit: i64) -> Result<Vec<Event>> {
    let rows = sqlx::query!(
        "select seq, message_id, kind, offset_at, body from feed_events
         where chat_id = $1 and seq > $2 order by seq limit $3",
        chat.0,
        after,
        limit
    )
    .fetch_all(db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|r| Event {
            seq: r.seq,
            message_id: MessageId(r.message_id),
            what: What::from_row(&r.kind, r.offset_at, r.body),
        })
        .collect())
}

/// The news of many chats in one query: for each, what comes after the position given with it.
///
/// # Errors
/// The database's.
pub async fn news(db: &PgPool, chats: &[(ChatId, i64)]) -> Result<Vec<(ChatId, Event)>> {
    let (ids, positions): (Vec<_>, Vec<_>) = chats.iter().map(|(chat, seq)| (chat.0, *seq)).unzip();
    let rows = sqlx::query!(
        r#"select e.chat_id, e.seq, e.message_id, e.kind, e.offset_at, e.body,
               extract(epoch from now() - e.at)::float8 as "age!"
           from unnest($1::uuid[], $2::bigint[]) as w (chat_id, seq)
           join feed_heads h on h.chat_id = w.chat_id and h.seq > w.seq
           cross join lateral (select * from feed_events e where e.chat_id = w.chat_id and e.seq > w.seq
                               order by e.seq limit 500) e
           order by e.chat_id, e.seq"#,
        &ids,
        &positions
    )
    .fetch_all(db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|r| {
            metrics().lag_from_log.record(r.age);
            let what = What::from_row(&r.kind, r.offset_at, r.body);
            (ChatId(r.chat_id), Event { seq: r.seq, message_id: MessageId(r.message_id), what })
        })
        .collect())
}

/// The messages that something happened to after one position and up to another, each once, in the order of its first
/// event, with that event if it is a turn (else its state, which is of no use then). What changes the path comes before
/// anything else of its message.
///
/// # Errors
/// The database's.
pub async fn touched(db: &PgPool, chat: ChatId, after: i64, up_to: i64) -> Result<Vec<(MessageId, What)>> {
    let rows = sqlx::query!(
        r#"select message_id, kind, case when kind = 'turn' then body else '{}' end as "body!" from (
               select distinct on (message_id) message_id, seq, kind, body from feed_events
               where chat_id = $1 and seq > $2 and seq <= $3
               order by message_id, kind in ('path', 'removed') desc, seq) first
           order by seq"#,
        chat.0,
        after,
        up_to
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(|r| (MessageId(r.message_id), What::from_row(&r.kind, None, r.body))).collect())
}

/// The oldest kept and the newest position of a chat's log; nothing if the chat is gone.
///
/// # Errors
/// The database's.
pub async fn bounds(conn: &mut PgConnection, chat: ChatId) -> Result<Option<(i64, i64)>> {
    let row =
        sqlx::query!("select first_seq, seq from feed_heads where chat_id = $1", chat.0).fetch_optional(conn).await?;
    Ok(row.map(|r| (r.first_seq, r.seq)))
}

/// What an unfinished answer has so far: its text and its reasoning.
///
/// # Errors
/// The database's.
pub async fn text_so_far(
    conn: &mut PgConnection,
    chat: ChatId,
    message: MessageId,
    from: i64,
) -> Result<(String, String)> {
    let row = sqlx::query!(
        r#"select coalesce(string_agg(body, '' order by seq) filter (where kind = 'text'), '') as "text!",
                  coalesce(string_agg(body, '' order by seq) filter (where kind = 'reasoning'), '') as "reasoning!"
           from feed_events where chat_id = $1 and message_id = $2 and seq > $3"#,
        chat.0,
        message.0,
        from
    )
    .fetch_one(conn)
    .await?;
    Ok((row.text, row.reasoning))
}

/// How many bytes of each answer's text and reasoning are stored; answers of which nothing is stored are left out.
///
/// # Errors
/// The database's.
pub async fn stored_bytes(db: &PgPool, answers: &[(ChatId, MessageId)]) -> Result<HashMap<MessageId, (usize, usize)>> {
    let (chats, messages): (Vec<_>, Vec<_>) = answers.iter().map(|(chat, message)| (chat.0, message.0)).unzip();
    let rows = sqlx::query!(
        r#"select e.message_id as "message: MessageId",
                  coalesce(sum(octet_length(e.body)) filter (where e.kind = 'text'), 0) as "text!",
                  coalesce(sum(octet_length(e.body)) filter (where e.kind = 'reasoning'), 0) as "reasoning!"
           from (select distinct chat_id, message_id from unnest($1::uuid[], $2::uuid[]) as a (chat_id, message_id)) a
           join feed_events e on e.chat_id = a.chat_id and e.message_id = a.message_id
           group by e.message_id"#,
        &chats,
        &messages
    )
    .fetch_all(db)
    .await?;
    let bytes = |sum| usize::try_from(sum).unwrap_or_default();
    Ok(rows.into_iter().map(|r| (r.message, (bytes(r.text), bytes(r.reasoning)))).collect())
}

/// A connection as the server knows it.
#[derive(Debug, Clone)]
pub struct Backend {
    pub pid: i32,
    /// Another one may have its number later.
    pub since: OffsetDateTime,
}

/// The server's side of this connection.
///
/// # Errors
/// The database's.
pub async fn backend(conn: &mut PgConnection) -> Result<Backend> {
    Ok(sqlx::query_as!(
        Backend,
        r#"select pid as "pid!", backend_start as "since!" from pg_stat_activity where pid = pg_backend_pid()"#
    )
    .fetch_one(conn)
    .await?)
}

/// Ends the server's side of a connection; says whether it is gone. What was committed on it is there then, and nothing
/// more will come of what was sent.
///
/// # Errors
/// The database's.
pub async fn is_ended(db: &PgPool, backend: &Backend) -> Result<bool> {
    let there = sqlx::query_scalar!(
        r#"select pg_terminate_backend(pid) as "told!" from pg_stat_activity where pid = $1 and backend_start = $2"#,
        backend.pid,
        backend.since
    )
    .fetch_optional(db)
    .await?;
    Ok(there.is_none())
}

/// One row of a batch of the writer.
#[derive(Clone)]
pub struct Delta {
    pub chat: ChatId,
    pub generation: GenerationId,
    pub epoch: i32,
    pub message: MessageId,
    pub what: What,
    /// The first of its kind in the attempt: its time is kept.
    pub first: bool,
}

/// What became of a row of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Stored under this number.
    Written(i64),
    /// The generation is no longer this worker's.
    Fenced,
    /// The chat's head was held by somebody else, or another row of the chat was fenced: to be tried again.
    Busy,
}

/// Writes a batch as one statement and one commit; tells the fate of each row. A chat whose head is held by somebody
/// else is passed over, or with `patient` waited for, half a second at most.
///
/// # Errors
/// The database's; whether the batch was stored is then unknown.
pub async fn write(conn: &mut PgConnection, batch: &[Delta], sender: &str, patient: bool) -> Result<Vec<Fate>> {
    let mut places: HashMap<ChatId, usize> = HashMap::with_capacity(batch.len());
    let (mut chats, mut counts) = (Vec::new(), Vec::new());
    let (mut chat_places, mut row_places) = (Vec::with_capacity(batch.len()), Vec::with_capacity(batch.len()));
    let (mut kinds, mut offsets) = (Vec::with_capacity(batch.len()), Vec::with_capacity(batch.len()));
    let mut bodies = Vec::with_capacity(batch.len());
    for delta in batch {
        let place = *places.entry(delta.chat).or_insert_with(|| {
            chats.push(delta.chat.0);
            counts.push(0i32);
            chats.len() - 1
        });
        counts[place] += 1;
        chat_places.push(i32::try_from(place + 1).expect("a batch is small"));
        row_places.push(counts[place]);
        let (kind, offset, body) = delta.what.to_row();
        kinds.push(kind.to_owned());
        offsets.push(offset.unwrap_or_default());
        bodies.push(body);
    }
    let row = sqlx::query!(
        r#"select bases as "bases!", coalesce(fenced, '{}') as "fenced!"
           from feed_write_batch($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"#,
        &chats,
        &counts,
        &chat_places,
        &row_places,
        &batch.iter().map(|d| d.generation.0).collect::<Vec<_>>(),
        &batch.iter().map(|d| d.epoch).collect::<Vec<_>>(),
        &batch.iter().map(|d| d.message.0).collect::<Vec<_>>(),
        &kinds,
        &offsets,
        &bodies,
        &batch.iter().map(|d| d.first).collect::<Vec<_>>(),
        sender,
        patient
    )
    .fetch_one(conn)
    .await?;
    let fate = |(at, delta): (usize, &Delta)| {
        let base = row.bases.get(places[&delta.chat]).copied().unwrap_or(-1);
        if row.fenced.iter().any(|n| usize::try_from(*n).is_ok_and(|n| n == at + 1)) {
            Fate::Fenced
        } else if base < 0 {
            Fate::Busy
        } else {
            Fate::Written(base + i64::from(row_places[at]))
        }
    };
    Ok(batch.iter().enumerate().map(fate).collect())
}

/// Removes what nobody needs to read any more: of each chat the events before the oldest one of an unfinished answer,
/// an hour after they were written, in batches.
///
/// # Errors
/// The database's.
pub async fn trim(db: &PgPool) -> Result<()> {
    loop {
        let trimmed = sqlx::query!(
            r#"with heads as (
                   select h.chat_id, least(
                       (select coalesce(min(g.from_seq), h.seq) from generations g
                        where g.chat_id = h.chat_id and g.state in ('queued', 'streaming', 'waiting')),
                       (select max(e.seq) from feed_events e
                        where e.chat_id = h.chat_id and e.at < now() - interval '1 hour')) as upto
                   from feed_heads h
                   where exists (select 1 from feed_events e where e.chat_id = h.chat_id and e.seq = h.first_seq
                                 and e.at < now() - interval '1 hour')
                   limit 100 for no key update of h skip locked),
               gone as (
                   delete from feed_events e using heads where e.chat_id = heads.chat_id and e.seq <= heads.upto
                   returning e.chat_id),
               moved as (
                   update feed_heads h set first_seq = heads.upto + 1 from heads
                   where h.chat_id = heads.chat_id and heads.upto >= h.first_seq returning h.chat_id)
               select (select count(*) from moved) as "moved!", (select count(*) from gone) as "gone!""#
        )
        .fetch_one(db)
        .await?;
        if trimmed.moved == 0 {
            return Ok(());
        }
    }
}
