//! What `serve` and `work` share: building the app, signals, and the orderly end.

use crate::{
    MIGRATOR,
    app::App,
    base::{
        config::{Config, seconds},
        crypto::Secret,
        db::{Pools, migrate},
    },
    domain::providers,
};
use sqlx::postgres::PgConnectOptions;
use std::time::Duration;
use tokio::{
    runtime::Runtime,
    signal::unix::{Signal, SignalKind, signal},
    time::Instant,
};

/// Migrates, connects, and builds the app.
///
/// # Errors
/// Each in a sentence.
pub async fn build(config: &Config, options: PgConnectOptions) -> anyhow::Result<App> {
    let pools = Pools::connect(options.clone(), &config.database).await?;
    migrate::run(&MIGRATOR, &options).await?;
    let data_dir = config.data_dir()?;
    if config.secret.expose().is_empty() {
        std::fs::create_dir_all(&data_dir)
            .map_err(|e| anyhow::anyhow!("the data folder {} cannot be made: {e}", data_dir.display()))?;
    }
    let secret = Secret::load(config.secret.expose(), &data_dir)?;
    let app = App::build(config.clone(), pools, secret).await?;
    providers::kept::load(&app).await?;
    Ok(app)
}

/// Says at the start what becomes of letters when there is no server for them.
pub fn say_where_mail_goes(app: &App) {
    if let Some(folder) = app.mailer.folder() {
        tracing::warn!("SMTP_URL is not set: letters are written to {} and shown on /admin/outbox", folder.display());
    }
}

/// The signals that ask a process to end. Made first of all, so that one that comes while the private
/// PostgreSQL starts ends that in order too.
pub struct Signals {
    term: Signal,
    int: Signal,
}

impl Signals {
    /// # Errors
    /// Signals cannot be had.
    pub fn listen(runtime: &Runtime) -> anyhow::Result<Self> {
        let _here = runtime.enter();
        Ok(Self { term: signal(SignalKind::terminate())?, int: signal(SignalKind::interrupt())? })
    }

    /// Waits for SIGTERM or SIGINT.
    pub async fn asked_to_stop(&mut self) {
        tokio::select! { _ = self.term.recv() => {}, _ = self.int.recv() => {} }
    }
}

/// How long requests that are under way may take to their end; none that has to wait longer for its database or its
/// guest holds up the process.
const REQUESTS: Duration = Duration::from_secs(3);

/// Ends in order: no new claims; `requests` that are under way are answered, and running answers get their grace; what is
/// left is handed over; then the background tasks. A second signal ends at once.
pub async fn wind_down(app: &App, signals: &mut Signals, requests: impl Future<Output = ()>) {
    tracing::info!("stopping");
    app.stopping.begun.cancel();
    if app.config.database.url.expose().is_empty() {
        // while answers have their grace: then the private PostgreSQL itself ends fast
        let pools = app.pools.clone();
        tokio::spawn(async move { pools.checkpoint().await });
    }
    let orderly = async {
        let requests = tokio::time::timeout(REQUESTS, requests);
        let (_, ()) = futures::join!(requests, runs_end(app));
        app.stopping.over.cancel();
        app.tasks.close();
        let _ = tokio::time::timeout(Duration::from_millis(300), app.tasks.wait()).await;
    };
    tokio::select! {
        () = orderly => {}
        () = signals.asked_to_stop() => tracing::warn!("stopping at once"),
    }
    let _ = tokio::time::timeout(Duration::from_millis(300), app.pools.close()).await;
    tracing::info!("stopped");
}

async fn runs_end(app: &App) {
    let deadline = Instant::now() + seconds(app.config.shutdown.grace);
    wait_for_runs(app, deadline).await;
    app.stopping.hand_over.cancel();
    wait_for_runs(app, Instant::now() + Duration::from_millis(500)).await;
}

async fn wait_for_runs(app: &App, deadline: Instant) {
    while !app.running.runs().is_empty() && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
