//! The job queue: the only file that knows apalis. A job is a small message "look at this"; whoever handles it reads
//! the truth from its own table, because a job may be delivered twice, late, or by two workers at once.
//! What must not live here: what any job does.

use super::{Error, Result, presence};
use apalis::layers::WorkerBuilderExt as _;
use apalis::prelude::{Monitor, TaskId, WorkerBuilder, WorkerFactoryFn};
use apalis_sql::{
    Config,
    postgres::{PgListen, PostgresStorage},
};
use serde::{Serialize, de::DeserializeOwned};
use sqlx::{PgConnection, PgPool};
use std::{future::Future, time::Duration};
use tokio_util::sync::CancellationToken;

/// A payload, and the queue it travels in. Unknown fields must be accepted: during an upgrade newer processes enqueue
/// for older workers.
pub trait Job: Serialize + DeserializeOwned + Send + Sync + Unpin + 'static {
    /// The queue's name, stored with each job.
    const QUEUE: &'static str;
}

/// Enqueues inside the caller's transaction: the job exists if and only if that commits, and workers are rung then.
///
/// # Errors
/// The database's.
pub async fn enqueue<J: Job>(conn: &mut PgConnection, job: &J) -> Result<()> {
    enqueue_in(conn, job, Duration::ZERO).await
}

/// The same, to be handed out after `delay`.
///
/// # Errors
/// The database's.
pub async fn enqueue_in<J: Job>(conn: &mut PgConnection, job: &J, delay: Duration) -> Result<()> {
    let payload = serde_json::to_value(job).map_err(Error::internal)?;
    sqlx::query!(
        "with job as (
             insert into apalis.jobs (job, id, job_type, status, attempts, max_attempts, run_at, priority)
             values ($1, $2, $3, 'Pending', 0, 1, now() + make_interval(secs => $4), 0))
         select case when $4 <= 0 then pg_notify('apalis::job', $3) end",
        payload,
        TaskId::new().to_string(),
        J::QUEUE,
        delay.as_secs_f64()
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The queues that a process works on, each with who takes its jobs.
pub struct Queues {
    pool: PgPool,
    poll: Duration,
    takers: Vec<Taker>,
}

type Taker = Box<dyn Fn(Monitor, &mut PgListen, &Queues) -> Monitor + Send + Sync>;

impl Queues {
    /// None yet. `poll`: how often they are looked at although nothing rang.
    #[must_use]
    pub fn new(pool: PgPool, poll: Duration) -> Self {
        Self { pool, poll, takers: Vec::new() }
    }

    /// Hands each job of `J` to `handler`, which must return soon (it shares a task with the worker's heartbeat).
    #[must_use]
    pub fn with<J, F, Fut>(mut self, handler: F) -> Self
    where
        J: Job,
        F: Fn(J) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        self.takers.push(Box::new(move |monitor, listener, queues| {
            let config = Config::new(J::QUEUE)
                .set_poll_interval(queues.poll)
                .set_buffer_size(64)
                .set_keep_alive(Duration::from_secs(5))
                .set_reenqueue_orphaned_after(Duration::from_secs(30));
            let mut storage = PostgresStorage::<J>::new_with_config(queues.pool.clone(), config);
            listener.subscribe_with(&mut storage);
            let handler = handler.clone();
            let worker = WorkerBuilder::new(worker_name()).catch_panic().backend(storage).build_fn(move |job: J| {
                let handled = handler(job);
                async move {
                    handled.await;
                    Ok::<(), apalis::prelude::Error>(())
                }
            });
            monitor.register(worker)
        }));
        self
    }

    /// Works until `stop`. One connection hears the bells of all queues; when it is lost, everything is built anew.
    pub async fn work(self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            match PgListen::new(self.pool.clone()).await {
                Ok(mut listener) => {
                    let monitor =
                        self.takers.iter().fold(Monitor::new(), |all, taker| taker(all, &mut listener, &self));
                    let ended = CancellationToken::new();
                    let both = (stop.clone(), ended.clone());
                    let signal = async move {
                        tokio::select! { () = both.0.cancelled() => {}, () = both.1.cancelled() => {} }
                        Ok(())
                    };
                    let monitor = monitor.shutdown_timeout(Duration::from_secs(2)).run_with_signal(signal);
                    let listening = async {
                        tokio::select! {
                            result = listener.listen() => tracing::warn!(?result, "the queues' bell was lost"),
                            () = stop.cancelled() => {}
                        }
                        ended.cancel();
                    };
                    let (result, ()) = futures::join!(monitor, listening);
                    if let Err(error) = result {
                        tracing::warn!(%error, "the queues' workers ended");
                    }
                }
                Err(error) => tracing::warn!(%error, "the queues cannot be reached"),
            }
            if !stop.is_cancelled() {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
    }
}

/// Unique per process and rebuilding: a worker of the same name would be taken for the same one.
fn worker_name() -> String {
    format!("{}-{}-{}", presence::host(), std::process::id(), TaskId::new())
}

/// Removes jobs that ended over a day ago and workers not seen for a day.
///
/// # Errors
/// The database's.
pub async fn tidy(db: &PgPool) -> Result<()> {
    sqlx::query!("delete from apalis.jobs where status in ('Done', 'Killed') and done_at < now() - interval '1 day'")
        .execute(db)
        .await?;
    sqlx::query!("delete from apalis.workers where last_seen < now() - interval '1 day'").execute(db).await?;
    Ok(())
}

/// Removes the jobs that look at these, named in their payloads by this field.
///
/// # Errors
/// The database's.
pub async fn forget(conn: &mut PgConnection, field: &str, ids: &[uuid::Uuid]) -> Result<()> {
    let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
    sqlx::query!("delete from apalis.jobs where job->>$1 = any($2)", field, &ids).execute(conn).await?;
    Ok(())
}

/// Whether the queue's tables can be asked.
///
/// # Errors
/// They cannot.
pub async fn check(db: &PgPool) -> Result<()> {
    sqlx::query!("select 1 as one from apalis.jobs limit 1").fetch_optional(db).await?;
    Ok(())
}

/// How the queue stands, for all processes.
#[derive(Debug, Clone, Default)]
pub struct Standing {
    /// Jobs that are due and that nobody has taken.
    pub pending: i64,
    /// For how many seconds the oldest of them is due.
    pub oldest: f64,
    /// Jobs whose handler broke down, to be handed out again, or not.
    pub failed: i64,
    pub killed: i64,
    /// Workers of one queue seen in the last 30 s: a process has one for each.
    pub workers: i64,
}

/// Whether workers take jobs at all, in one statement that does not read what is done.
///
/// # Errors
/// The database's.
pub async fn standing(db: &PgPool) -> Result<Standing> {
    Ok(sqlx::query_as!(
        Standing,
        r#"select j.pending as "pending!", j.oldest as "oldest!", j.failed as "failed!",
               (select count(*) from apalis.jobs where status = 'Killed') as "killed!",
               (select coalesce(max(w.n), 0) from (select count(*) as n from apalis.workers
                    where last_seen > now() - interval '30 s' group by worker_type) w) as "workers!"
           from (select count(*) filter (where status = 'Pending' and run_at <= now()) as pending,
                     greatest(coalesce(extract(epoch from now() - min(run_at) filter (where status = 'Pending')), 0), 0)::float8
                         as oldest,
                     count(*) filter (where status = 'Failed') as failed
                 from apalis.jobs where status in ('Pending', 'Failed')) j"#
    )
    .fetch_one(db)
    .await?)
}
