//! `parlor migrate`: brings the database to this version, and ends.

use super::{block_on, open};
use crate::{
    MIGRATOR,
    base::{
        config::Config,
        db::{Pools, Use, migrate},
    },
};
use std::process::ExitCode;

pub fn run(config: &Config) -> anyhow::Result<ExitCode> {
    let opened = open(config, Use::Share)?;
    block_on(opened, async |options| {
        let pools = Pools::connect(options.clone(), &config.database).await?;
        migrate::run(&MIGRATOR, &options).await?;
        pools.close().await;
        println!("the database is at this version");
        Ok(ExitCode::SUCCESS)
    })
}
