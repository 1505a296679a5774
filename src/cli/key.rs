//! `parlor key`: API keys from the command line.

use super::{block_on, open, process};
use crate::{
    app::App,
    base::{Error, config::Config, db::Use},
    domain::programs::{self, Scope, Wish},
};
use clap::Subcommand;
use std::process::ExitCode;

#[derive(Subcommand)]
pub enum Command {
    /// Make an API key for an account, and print it and nothing else
    New {
        email: String,
        /// What it is for
        #[arg(long, default_value = "command line")]
        name: String,
        /// What it may do; may be given several times [default: chats:read, chats:write, models]
        #[arg(long = "scope", value_name = "SCOPE", value_parser = SCOPES)]
        scopes: Vec<String>,
        /// The days that it is good for; without, until it is revoked
        #[arg(long, value_name = "DAYS")]
        expires: Option<u32>,
    },
}

const SCOPES: [&str; 5] = ["chats:read", "chats:write", "models", "keys", "admin"];

pub fn run(config: &Config, command: &Command) -> anyhow::Result<ExitCode> {
    let opened = open(config, Use::Share)?;
    block_on(opened, async |options| {
        let app = process::build(config, options).await?;
        let result = act(&app, command).await;
        app.stopping.begun.cancel();
        app.stopping.over.cancel();
        app.pools.close().await;
        result.map(|()| ExitCode::SUCCESS)
    })
}

async fn act(app: &App, command: &Command) -> anyhow::Result<()> {
    let Command::New { email, name, scopes, expires } = command;
    let usual = || Scope::USUAL.into_iter().map(|scope| scope.name().to_owned()).collect();
    let scopes = if scopes.is_empty() { usual() } else { scopes.clone() };
    let wish = Wish { name: name.clone(), scopes, expires_in_days: *expires };
    let made = programs::make_for(app, email, &wish).await.map_err(explain)?;
    println!("{}", made.secret);
    Ok(())
}

fn explain(error: Error) -> anyhow::Error {
    match error {
        Error::Invalid(fields) => {
            let words: Vec<_> = fields.into_iter().map(|f| format!("{}: {}", f.field, f.message)).collect();
            anyhow::anyhow!(words.join("; "))
        }
        Error::NotFound => anyhow::anyhow!("there is no account with this address, or it is disabled"),
        Error::Conflict(sentence) => anyhow::anyhow!(sentence),
        other => other.into(),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn all_scopes_can_be_given() {
        assert_eq!(super::SCOPES, crate::domain::programs::Scope::ALL.map(crate::domain::programs::Scope::name));
    }
}
