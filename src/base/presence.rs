//! Which processes are at work: each says so every ten seconds, for the administrators' page. Nothing is decided by it;
//! leases are what tells that a worker is gone.

use super::Result;
use sqlx::PgPool;
use std::time::Duration;
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

const EVERY: Duration = Duration::from_secs(10);

/// A process as it was seen last.
#[derive(Debug, Clone)]
pub struct Process {
    /// How it was started, e.g. `work`.
    pub kind: String,
    pub host: String,
    pub pid: i32,
    /// Of the program.
    pub version: String,
    pub began: OffsetDateTime,
    /// Seconds since it last said so.
    pub silent: f64,
}

/// Says that this process is there until `stop`, and then that it is not.
pub async fn show(db: PgPool, kind: &'static str, stop: CancellationToken) {
    let id = Uuid::new_v4();
    let mut timer = tokio::time::interval(EVERY);
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            _ = timer.tick() => {}
        }
        if let Err(error) = seen(&db, id, kind).await {
            tracing::debug!(%error, "the list of processes could not be written");
        }
    }
    if let Err(error) = sqlx::query!("delete from processes where id = $1", id).execute(&db).await {
        tracing::debug!(%error, "the list of processes could not be written");
    }
}

async fn seen(db: &PgPool, id: Uuid, kind: &str) -> Result<()> {
    sqlx::query!(
        "insert into processes (id, kind, host, pid, version) values ($1, $2, $3, $4, $5)
         on conflict (id) do update set seen = now()",
        id,
        kind,
        host(),
        std::process::id().cast_signed(),
        env!("CARGO_PKG_VERSION")
    )
    .execute(db)
    .await?;
    Ok(())
}

/// The machine's name.
pub fn host() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default().trim().to_owned()
}

/// Those seen in the last hour, the newest first.
///
/// # Errors
/// The database's.
pub async fn processes(db: &PgPool) -> Result<Vec<Process>> {
    let processes = sqlx::query_as!(
        Process,
        r#"select kind, host, pid, version, began, extract(epoch from now() - seen)::float8 as "silent!" from processes
           where seen > now() - interval '1 hour' order by began desc"#
    );
    Ok(processes.fetch_all(db).await?)
}

/// Forgets those that have not been seen for a day.
///
/// # Errors
/// The database's.
pub async fn tidy(db: &PgPool) -> Result<()> {
    sqlx::query!("delete from processes where seen < now() - interval '1 day'").execute(db).await?;
    Ok(())
}
