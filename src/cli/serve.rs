//! `parlor serve`: the web, and jobs unless told otherwise.

use super::{
    block_on_runtime, open,
    process::{self, Signals},
    runtime,
};
use crate::{
    app::App,
    base::{config::Config, db::Use, presence},
    domain::{
        accounts::{self, First},
        catalog,
    },
    http, jobs,
};
use anyhow::{Context, bail};
use std::{net::SocketAddr, process::ExitCode, time::Duration};
use tokio::net::TcpListener;

pub fn run(config: &Config, with_jobs: bool) -> anyhow::Result<ExitCode> {
    let runtime = runtime()?;
    let mut signals = Signals::listen(&runtime)?;
    let opened = open(config, Use::Own)?;
    block_on_runtime(runtime, opened, async |options| {
        // the port first: nothing is touched if another program has it
        let listener = listen(config).await?;
        let app = tokio::select! {
            app = process::build(config, options) => app?,
            () = signals.asked_to_stop() => return Ok(ExitCode::SUCCESS),
        };
        let address = listener.local_addr()?;
        let _ = app.listening.set(listening_url(address));
        first_administrator(&app).await?;
        tokio::task::spawn_blocking(accounts::password::warm_up);
        jobs::start_sweep(&app);
        let kind = if with_jobs { "serve" } else { "serve --no-jobs" };
        app.tasks.spawn(presence::show(app.pools.jobs.clone(), kind, app.stopping.begun.clone()));
        if with_jobs {
            jobs::start(&app);
            catalog::wait_for_first(&app, Duration::from_millis(700)).await;
        }
        let url = app.public_url();
        tracing::info!(%address, jobs = with_jobs, "ready: {url}");
        if config.server.public_url.is_empty() {
            tracing::warn!("PUBLIC_URL is not set: links use {url}, and cookies are made for http");
        }
        process::say_where_mail_goes(&app);
        let begun = app.stopping.begun.clone();
        let mut server = tokio::spawn(http::serve(listener, http::router(&app), config.server.clone(), begun));
        signals.asked_to_stop().await;
        process::wind_down(&app, &mut signals, async { drop((&mut server).await) }).await;
        Ok(ExitCode::SUCCESS)
    })
}

async fn listen(config: &Config) -> anyhow::Result<TcpListener> {
    let place = format!("{}:{}", config.server.host, config.server.port);
    match TcpListener::bind(&place).await {
        Ok(listener) => Ok(listener),
        Err(e) if e.kind() == std::io::ErrorKind::AddrInUse => {
            bail!("{place} is taken by another program; stop that one, or set PORT to another number")
        }
        Err(e) if e.kind() == std::io::ErrorKind::PermissionDenied => {
            bail!("{place} may not be used by this user; set PORT to 1024 or more")
        }
        Err(e) => Err(e).context(format!("{place} cannot be listened on; check HOST and PORT")),
    }
}

async fn first_administrator(app: &App) -> anyhow::Result<()> {
    let told = accounts::first_administrator(app).await.map_err(|e| match e {
        crate::base::Error::Invalid(fields) => {
            let words: Vec<_> = fields.into_iter().map(|f| format!("{}: {}", f.field, f.message)).collect();
            anyhow::anyhow!("ADMIN_EMAIL and ADMIN_PASSWORD cannot be used: {}", words.join(" "))
        }
        other => other.into(),
    })?;
    match told {
        First::Settled => {}
        First::Created => tracing::info!("the administrator of ADMIN_EMAIL was created"),
        First::AlreadyThere { administrator: true } => {
            tracing::info!("the administrator of ADMIN_EMAIL is already there");
        }
        First::AlreadyThere { administrator: false } => tracing::warn!(
            "ADMIN_EMAIL belongs to a member already; make it an administrator with `parlor user promote EMAIL`"
        ),
        First::Token(token) => tracing::info!(
            "there is no administrator yet; set one up here (once, within 7 days): {}/setup?token={token}",
            app.public_url()
        ),
    }
    Ok(())
}

/// Where people on this machine reach us.
fn listening_url(address: SocketAddr) -> String {
    let host = if address.ip().is_unspecified() { "127.0.0.1".to_owned() } else { address.ip().to_string() };
    let host = if host.contains(':') { format!("[{host}]") } else { host };
    format!("http://{host}:{}", address.port())
}
