//! The database: three pools, migrations, and the private PostgreSQL when none is configured. What must not live here:
//! a statement about the product.

pub mod migrate;
mod pooler;
pub mod private;

use super::{Error, Result, config, crypto};
use anyhow::{Context, bail};
use sqlx::{
    ConnectOptions, Connection, Executor, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use std::{io::ErrorKind, path::Path, str::FromStr, sync::Arc, time::Duration};

/// How long a connection rests until it is tried before it is used.
const RESTED: Duration = Duration::from_millis(100);
/// It has so long to show that it is alive; then it is given up, and the next one tried.
const ALIVE: Duration = Duration::from_secs(1);

/// The server ends a statement sooner (`database.statement_timeout`): from a connection that has said nothing for so long,
/// nothing will come.
pub const NO_ANSWER: Duration = Duration::from_secs(15);

/// Every statement goes by keys, so one plan fits all its values; and it does so by index, row by row, also if the plan was
/// made (and kept) when the tables were almost empty, and looked cheaper to read whole. What reads much at once is a
/// function of the database that says otherwise for itself.
const BY_KEYS: &str = "set plan_cache_mode = force_generic_plan; set enable_seqscan = off; set enable_hashjoin = off;
    set enable_mergejoin = off; set jit = off";

/// What is asked of the database by somebody whom nothing else ends: a connection can die without a word, and would be
/// waited for for ever. It stays out of its pool for as long as its wire is dead.
///
/// # Errors
/// Those of `work`; [`Error::Unavailable`] when it took longer than `most`.
pub async fn answered<T>(most: Duration, work: impl Future<Output = Result<T>>) -> Result<T> {
    let late = |_| Err(Error::Unavailable("the database gives no answer".to_owned()));
    tokio::time::timeout(most, work).await.unwrap_or_else(late)
}

/// Three pools on one database, so that a flood of pages cannot starve leases, and neither the bells.
#[derive(Clone, Debug)]
pub struct Pools {
    /// Names this process among those that ring (`parlor.sender` on each connection).
    pub sender: Arc<str>,
    /// For requests of people and programs.
    pub http: PgPool,
    /// For jobs, leases, sweeps and the feed's writer.
    pub jobs: PgPool,
    /// For LISTEN and for the queue's own statements.
    pub listen: PgPool,
}

impl Pools {
    /// Connects, and says in a sentence why if that fails.
    ///
    /// # Errors
    /// An address that cannot be parsed, a server that is not there, a password that is wrong, a version under 15,
    /// a pooler that hands connections round.
    pub async fn connect(options: PgConnectOptions, config: &config::Database) -> anyhow::Result<Self> {
        let timeout = Duration::from_secs(config.acquire_timeout);
        let options = options
            .application_name("parlor")
            .log_slow_statements(tracing::log::LevelFilter::Warn, Duration::from_secs(2));
        let sender: Arc<str> = crypto::random_hex()[..8].into();
        // said on each connection, not at its start: poolers refuse what they do not know there
        let limits: Arc<str> = format!(
            "set statement_timeout = '{}s'; set idle_in_transaction_session_timeout = '5s'; {BY_KEYS};
             set parlor.sender = '{sender}'",
            config.statement_timeout
        )
        .into();
        let pool = |size, acquire: Duration| {
            let limits = limits.clone();
            PgPoolOptions::new()
                .after_connect(move |conn, _| {
                    let limits = limits.clone();
                    Box::pin(async move { conn.execute(&*limits).await.map(drop) })
                })
                .before_acquire(|conn, meta| {
                    // one that has rested may be dead since: after an outage each of them would cost somebody an error
                    Box::pin(async move {
                        if meta.idle_for < RESTED {
                            return Ok(true);
                        }
                        let alive = tokio::time::timeout(ALIVE, conn.ping()).await;
                        alive.unwrap_or_else(|_| Err(sqlx::Error::Io(ErrorKind::TimedOut.into()))).map(|()| true)
                    })
                })
                .max_connections(size)
                .min_connections(1)
                .acquire_timeout(acquire)
                .idle_timeout(Duration::from_mins(2))
                .test_before_acquire(false)
        };
        // one connection by itself first: a pool would try again until its timeout and forget the reason
        let connect = async || {
            tokio::time::timeout(timeout, options.connect())
                .await
                .unwrap_or(Err(sqlx::Error::PoolTimedOut))
                .map_err(|e| anyhow::anyhow!("{}", explain(&e, &options)))
        };
        let (mut first, mut second) = (connect().await?, connect().await?);
        pooler::refuse_transaction_mode(&mut first, &mut second).await?;
        let version: i32 =
            sqlx::query_scalar("select current_setting('server_version_num')::int").fetch_one(&mut first).await?;
        futures::try_join!(first.close(), second.close())?;
        if version < 150_000 {
            bail!("PostgreSQL {} is too old: Parlor needs 15 or newer", version / 10_000);
        }
        Ok(Self {
            sender,
            http: pool(config.http_connections, timeout).connect_lazy_with(options.clone()),
            jobs: pool(config.jobs_connections, timeout).connect_lazy_with(options.clone()),
            // the queue's library wants to wait long for a connection rather than lose an acknowledgement
            listen: pool(config.listen_connections, Duration::from_secs(30)).connect_lazy_with(options),
        })
    }

    /// The server's version, in its own words.
    ///
    /// # Errors
    /// The database's.
    pub async fn version(&self) -> sqlx::Result<String> {
        sqlx::query_scalar("select current_setting('server_version')").fetch_one(&self.http).await
    }

    /// Whether the server has an extension that could be created.
    ///
    /// # Errors
    /// The database's.
    pub async fn has_extension(&self, name: &str) -> sqlx::Result<bool> {
        sqlx::query_scalar("select exists (select 1 from pg_available_extensions where name = $1)")
            .bind(name)
            .fetch_one(&self.http)
            .await
    }

    /// Writes out what is in memory, so that a stop soon after has little to do. Of no consequence if it fails.
    pub async fn checkpoint(&self) {
        if let Err(error) = sqlx::query("checkpoint").execute(&self.jobs).await {
            tracing::debug!(%error, "no checkpoint before the stop");
        }
    }

    /// Closes all connections.
    pub async fn close(&self) {
        futures::join!(self.http.close(), self.jobs.close(), self.listen.close());
    }
}

/// Reads `DATABASE_URL`.
///
/// # Errors
/// Not a PostgreSQL address.
pub fn parse_url(url: &str) -> anyhow::Result<PgConnectOptions> {
    if !(url.starts_with("postgres://") || url.starts_with("postgresql://")) {
        bail!("DATABASE_URL must look like postgres://user:password@host:5432/database");
    }
    // the error of the parser may repeat the address, and with it the password
    PgConnectOptions::from_str(url)
        .ok()
        // every PostgreSQL that we take is exact by itself, and poolers refuse the word
        .map(|options| options.extra_float_digits(None))
        .context("DATABASE_URL cannot be understood; it must look like postgres://user:password@host:5432/database")
}

fn explain(error: &sqlx::Error, options: &PgConnectOptions) -> String {
    let socket = options.get_socket().map(|s: &std::path::PathBuf| s.display().to_string());
    let place = socket.unwrap_or_else(|| format!("{}:{}", options.get_host(), options.get_port()));
    match error {
        sqlx::Error::Database(e) => match e.code().as_deref() {
            Some("28P01" | "28000") => format!(
                "PostgreSQL at {place} refused the user `{}`: wrong password or no access; check DATABASE_URL",
                options.get_username()
            ),
            Some("3D000") => format!(
                "PostgreSQL at {place} has no database `{}`; make it with `createdb`, or correct DATABASE_URL",
                options.get_database().unwrap_or_default()
            ),
            _ => format!("PostgreSQL at {place} refused: {}", e.message()),
        },
        sqlx::Error::Io(e) => {
            format!("PostgreSQL at {place} cannot be reached ({e}); is it running, and is DATABASE_URL right?")
        }
        sqlx::Error::PoolTimedOut => {
            format!("PostgreSQL at {place} did not answer in time; is it running, and is DATABASE_URL right?")
        }
        other => format!("PostgreSQL at {place}: {other}"),
    }
}

/// A database to work with, and the private PostgreSQL behind it if this process started one.
pub struct Opened {
    pub options: PgConnectOptions,
    pub server: Option<private::Server>,
}

/// Whether a process wants the private PostgreSQL for itself or shares a running one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// `serve`: a second one on the same private PostgreSQL says so and exits.
    Own,
    /// Every other command: uses the running one's, or starts it for as long as it lasts.
    Share,
}

/// Finds the configured database, or starts (or joins) the private one in the data folder.
///
/// # Errors
/// Each way it can fail, in a sentence.
pub fn open(config: &config::Database, data_dir: &Path, how: Use) -> anyhow::Result<Opened> {
    if !config.url.expose().is_empty() {
        return Ok(Opened { options: parse_url(config.url.expose())?, server: None });
    }
    let (options, server) = private::open(data_dir, &config.pg_bin, how)?;
    Ok(Opened { options, server })
}

#[cfg(test)]
mod tests {
    use super::parse_url;

    #[test]
    fn a_wrong_address_does_not_repeat_the_password() {
        for url in ["mysql://u:geheim@h/d", "postgres://u:geheim@h:port/d"] {
            let error = format!("{:#}", parse_url(url).unwrap_err());
            assert!(!error.contains("geheim") && error.contains("DATABASE_URL"), "{error}");
        }
    }
}
