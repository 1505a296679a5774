//! `parlor config`: the settings in force, secrets hidden.

use crate::base::config::Config;
use std::process::ExitCode;

pub fn print(config: &Config) -> anyhow::Result<ExitCode> {
    print!("{}", toml::to_string_pretty(config)?);
    Ok(ExitCode::SUCCESS)
}
