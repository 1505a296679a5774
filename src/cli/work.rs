//! `parlor work`: jobs only.

use super::{
    block_on_runtime, open,
    process::{self, Signals},
    runtime,
};
use crate::{
    app::App,
    base::{config::Config, db::Use, presence},
    http, jobs,
};
use anyhow::Context;
use std::{net::SocketAddr, process::ExitCode};
use tokio::net::TcpListener;

pub fn run(config: &Config) -> anyhow::Result<ExitCode> {
    let runtime = runtime()?;
    let mut signals = Signals::listen(&runtime)?;
    let opened = open(config, Use::Share)?;
    block_on_runtime(runtime, opened, async |options| {
        let app = tokio::select! {
            app = process::build(config, options) => app?,
            () = signals.asked_to_stop() => return Ok(ExitCode::SUCCESS),
        };
        offer_numbers(&app).await?;
        jobs::start_sweep(&app);
        jobs::start(&app);
        process::say_where_mail_goes(&app);
        app.tasks.spawn(presence::show(app.pools.jobs.clone(), "work", app.stopping.begun.clone()));
        tracing::info!("working");
        signals.asked_to_stop().await;
        process::wind_down(&app, &mut signals, std::future::ready(())).await;
        Ok(ExitCode::SUCCESS)
    })
}

/// `/metrics` on an address of its own, if one is set. It ends with the process.
async fn offer_numbers(app: &App) -> anyhow::Result<()> {
    let place = &app.config.metrics.listen;
    if place.is_empty() {
        return Ok(());
    }
    let listener = TcpListener::bind(place)
        .await
        .with_context(|| format!("metrics.listen: {place} cannot be listened on; is it taken by another worker?"))?;
    tracing::info!("numbers: http://{}/metrics", listener.local_addr()?);
    let router = http::numbers(app).into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(())
}
