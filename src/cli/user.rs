//! `parlor user`: accounts from the command line, with passwords from standard input.

use super::{block_on, open, process};
use crate::{
    app::App,
    base::{Error, config::Config, db::Use},
    domain::{
        accounts::{self, Registering},
        audit::Actor,
        people,
    },
};
use anyhow::bail;
use clap::Subcommand;
use std::{io::IsTerminal, process::ExitCode};

#[derive(Subcommand)]
pub enum Command {
    /// Make an account; the password is read from standard input
    New {
        email: String,
        /// The name others see; by default what stands before the @
        #[arg(long)]
        name: Option<String>,
        /// Make it an administrator
        #[arg(long)]
        admin: bool,
    },
    /// Set another password, read from standard input; ends the account's sessions
    Password { email: String },
    /// Make an account an administrator
    Promote { email: String },
    /// Disable an account: its sessions, keys and answers end
    Disable { email: String },
    /// Let a disabled account sign in again
    Enable { email: String },
    /// List all accounts
    List,
}

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
    match command {
        Command::New { email, name, admin } => {
            let name = name.clone().unwrap_or_else(|| email.split('@').next().unwrap_or_default().to_owned());
            let form = Registering { email: email.clone(), name, password: password()? };
            let user = accounts::create(app, &form, *admin, &Actor::operator()).await.map_err(explain)?;
            let role = if user.administrator { "administrator" } else { "member" };
            println!("made the {role} {}", user.email);
        }
        Command::Password { email } => {
            accounts::set_password(app, email, &password()?).await.map_err(explain)?;
            println!("set the password of {email}");
        }
        Command::Promote { email } => {
            accounts::promote(app, email).await.map_err(explain)?;
            println!("{email} is an administrator");
        }
        Command::Disable { email } => {
            let user = people::of_address(app, email).await.map_err(explain)?;
            people::disable(app, &Actor::operator(), user).await.map_err(explain)?;
            println!("{email} is disabled");
        }
        Command::Enable { email } => {
            let user = people::of_address(app, email).await.map_err(explain)?;
            people::enable(app, &Actor::operator(), user).await.map_err(explain)?;
            println!("{email} may sign in again");
        }
        Command::List => {
            for user in accounts::all(app).await? {
                let role = if user.administrator { "administrator" } else { "member" };
                println!("{}\t{role}\t{}", user.email, user.name);
            }
        }
    }
    Ok(())
}

fn password() -> anyhow::Result<String> {
    if std::io::stdin().is_terminal() {
        eprintln!("Type the password and press Enter (it is shown; pipe it in to avoid that):");
    }
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    let password = line.trim_end_matches(['\r', '\n']).to_owned();
    if password.is_empty() {
        bail!(
            "no password came from standard input; for example: printf '%s\\n' 'a long sentence' | parlor user new EMAIL"
        );
    }
    Ok(password)
}

fn explain(error: Error) -> anyhow::Error {
    match error {
        Error::Invalid(fields) => {
            let words: Vec<_> = fields.into_iter().map(|f| format!("{}: {}", f.field, f.message)).collect();
            anyhow::anyhow!(words.join("; "))
        }
        Error::NotFound => anyhow::anyhow!("there is no account with this address"),
        Error::Conflict(sentence) => anyhow::anyhow!(sentence),
        other => other.into(),
    }
}
