//! `parlor work`: jobs only.

use super::{
    block_on_runtime, open,
    process::{self, Signals},
    runtime,
};
use crate::{
    base::{config::Config, db::Use},
    jobs,
};
use std::process::ExitCode;

pub fn run(config: &Config) -> anyhow::Result<ExitCode> {
    let runtime = runtime()?;
    let mut signals = Signals::listen(&runtime)?;
    let opened = open(config, Use::Share)?;
    block_on_runtime(runtime, opened, async |options| {
        let app = tokio::select! {
            app = process::build(config, options) => app?,
            () = signals.asked_to_stop() => return Ok(ExitCode::SUCCESS),
        };
        jobs::start_sweep(&app);
        jobs::start(&app);
        tracing::info!("working");
        signals.asked_to_stop().await;
        process::wind_down(&app, &mut signals).await;
        Ok(ExitCode::SUCCESS)
    })
}
