//! What an operator's numbers take from the database, in one statement.

use crate::base::Result;
use sqlx::PgPool;

/// How things stand at one moment, for all processes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Figures {
    /// Chats with a message in the last 5 minutes.
    pub chats_active: i64,
    /// Unfinished answers by state: behind another one, waiting for a worker, being made, waiting to be tried again.
    pub lined: i64,
    pub queued: i64,
    pub running: i64,
    pub waiting: i64,
    /// Answers that were given up and not looked at, those in deleted chats apart: nobody can.
    pub dead: i64,
    /// Jobs that nobody has taken yet, and the age of the one that is due for the longest time, in seconds.
    pub jobs: i64,
    pub jobs_age: f64,
}

/// Counts. Every part of it goes by an index and reads what is unfinished or new, never the whole past.
///
/// # Errors
/// The database's.
pub async fn figures(db: &PgPool) -> Result<Figures> {
    Ok(sqlx::query_as!(
        Figures,
        r#"select g.lined as "lined!", g.queued as "queued!", g.running as "running!", g.waiting as "waiting!",
               (select count(*) from generations d join chats c on c.id = d.chat_id
                where d.dead_at is not null and c.deleted_at is null) as "dead!",
               (select count(distinct chat_id) from messages where id >= uuid7_floor(now() - interval '5 min'))
                   as "chats_active!",
               j.jobs as "jobs!", j.age as "jobs_age!"
           from (select count(*) filter (where state = 'lined') as lined, count(*) filter (where state = 'queued') as queued,
                     count(*) filter (where state = 'streaming') as running,
                     count(*) filter (where state = 'waiting') as waiting
                 from generations where state in ('lined', 'queued', 'streaming', 'waiting')) g,
                (select count(*) as jobs,
                     greatest(coalesce(extract(epoch from now() - min(run_at)), 0), 0)::float8 as age
                 from apalis.jobs where status = 'Pending') j"#
    )
    .fetch_one(db)
    .await?)
}
