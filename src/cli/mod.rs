//! ROOF: the commands. Each reads the configuration, opens the database, and calls acts. Everything before the async
//! runtime happens on the main thread, because the private PostgreSQL ends with the thread that started it.

mod chat;
mod config;
mod doctor;
mod key;
mod migrate;
mod process;
mod serve;
mod terminal;
mod user;
mod work;

use crate::base::{
    config::Config,
    db::{self, Opened, Use},
    telemetry,
};
use clap::{Parser, Subcommand};
use sqlx::postgres::PgConnectOptions;
use std::{path::PathBuf, process::ExitCode};
use tokio::runtime::Runtime;

#[derive(Parser)]
#[command(name = "parlor", version, about = "A self-hosted home for talking with language models")]
struct Cli {
    /// A file of settings (TOML); see config/default.toml for all of them
    #[arg(long, env = "PARLOR_CONFIG", global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the web, and work on jobs too unless told otherwise
    Serve {
        /// Only the web: another process runs `parlor work`
        #[arg(long)]
        no_jobs: bool,
    },
    /// Work on jobs only
    Work,
    /// Bring the database to this version, and end
    Migrate,
    /// Print the settings in force, secrets hidden
    Config,
    /// Check configuration, database, mail and providers, and say what to do about each
    Doctor {
        /// Also send a test letter to this address
        #[arg(long, value_name = "ADDRESS")]
        mail: Option<String>,
    },
    /// Look after accounts from the command line
    #[command(subcommand)]
    User(user::Command),
    /// Make keys for programs
    #[command(subcommand)]
    Key(key::Command),
    /// Talk in the terminal, with any Parlor, by its API
    Chat(chat::Chat),
    /// Write conversations of any Parlor to the standard output
    Export(chat::Export),
    /// Bring conversations into any Parlor
    Import(chat::Import),
}

/// Runs the command line.
#[must_use]
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    match dispatch(cli) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("parlor: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(cli: Cli) -> anyhow::Result<ExitCode> {
    // these ask a Parlor, and are none
    match &cli.command {
        Command::Chat(chat) => return chat::chat(chat),
        Command::Export(export) => return chat::export(export),
        Command::Import(import) => return chat::import(import),
        _ => {}
    }
    let vars = std::env::vars_os().filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?)));
    let config = Config::load(cli.config.as_deref(), vars)?;
    match cli.command {
        Command::Config => config::print(&config),
        Command::Serve { no_jobs } => serve::run(&config, !no_jobs),
        Command::Work => work::run(&config),
        Command::Migrate => migrate::run(&config),
        Command::Doctor { mail } => doctor::run(&config, mail.as_deref()),
        Command::User(command) => user::run(&config, &command),
        Command::Key(command) => key::run(&config, &command),
        Command::Chat(_) | Command::Export(_) | Command::Import(_) => Ok(ExitCode::SUCCESS), // above
    }
}

/// Starts logging and opens the database, for a command; `how` says whether it may share the private PostgreSQL.
fn open(config: &Config, how: Use) -> anyhow::Result<Opened> {
    telemetry::start(&config.log)?;
    let data_dir = config.data_dir()?;
    db::open(&config.database, &data_dir, how)
}

/// Runs a command's async part on this thread's runtime, then ends the private PostgreSQL if it was ours.
fn block_on<T>(opened: Opened, work: impl AsyncFnOnce(PgConnectOptions) -> anyhow::Result<T>) -> anyhow::Result<T> {
    block_on_runtime(runtime()?, opened, work)
}

fn runtime() -> std::io::Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()
}

/// The same, for a command that had its runtime before, to hear signals while the database starts.
fn block_on_runtime<T>(
    runtime: Runtime,
    opened: Opened,
    work: impl AsyncFnOnce(PgConnectOptions) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let result = runtime.block_on(work(opened.options));
    runtime.shutdown_timeout(std::time::Duration::from_millis(300));
    if let Some(server) = opened.server {
        server.stop();
    }
    result
}
