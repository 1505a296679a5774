//! `parlor work`: jobs only.

use super::{block_on, open, process};
use crate::{
    base::{config::Config, db::Use},
    jobs,
};
use std::process::ExitCode;

pub fn run(config: &Config) -> anyhow::Result<ExitCode> {
    let opened = open(config, Use::Share)?;
    block_on(opened, async |options| {
        let app = process::build(config, options).await?;
        jobs::start_sweep(&app);
        jobs::start(&app);
        tracing::info!("working");
        process::asked_to_stop().await?;
        process::wind_down(&app).await;
        Ok(ExitCode::SUCCESS)
    })
}
