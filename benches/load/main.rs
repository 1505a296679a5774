//! The load harness: what the durable path costs, measured from outside. `benches/README.md` tells how to read it.
//! It starts itself again as the fake provider and as the pass-through, so that each one's CPU is its own.

mod client;
mod loads;
mod measure;
mod passthrough;
mod process;
mod provider;
mod report;
mod shape;
mod wave;
mod world;

use clap::{Parser, Subcommand};
use loads::Many;
use process::Cores;
use report::Report;
use shape::Shape;
use std::{path::PathBuf, process::ExitCode, time::Duration};
use world::World;

/// Measures a release build of Parlor with a PostgreSQL, a provider and a pass-through of its own.
#[derive(Parser)]
struct Args {
    #[command(subcommand)]
    load: Load,
    /// What is measured.
    #[arg(long, global = true, default_value = env!("CARGO_BIN_EXE_parlor"))]
    program: PathBuf,
    /// Cores of Parlor, PostgreSQL and the pass-through, as taskset takes them; empty: any.
    #[arg(long, global = true, default_value = "0")]
    measured: String,
    /// Cores of the provider and the load; empty: any.
    #[arg(long, global = true, default_value = "1")]
    load_on: String,
    /// Prints PostgreSQL's statements at the end. Costs a little.
    #[arg(long, global = true)]
    statements: bool,
    /// What `cargo bench` says; means nothing.
    #[arg(long, global = true, hide = true)]
    bench: bool,
}

#[derive(Subcommand, Clone)]
enum Load {
    /// One answer at a time: added time to first token.
    One {
        #[arg(long, default_value_t = 100)]
        answers: usize,
    },
    /// Paced answers at once: CPU beside the pass-through.
    Paced {
        #[arg(long, default_value_t = 20)]
        at_once: usize,
        #[arg(long, default_value_t = 200)]
        chunks: usize,
        /// Milliseconds between two chunks.
        #[arg(long, default_value_t = 20)]
        pace: u64,
        #[arg(long, default_value_t = 5)]
        rounds: usize,
        /// Seconds over which they begin.
        #[arg(long, default_value_t = 0)]
        spread: u64,
    },
    /// Many answers at once, fast.
    Flood {
        #[arg(long, default_value_t = 200)]
        at_once: usize,
        #[arg(long, default_value_t = 200)]
        chunks: usize,
        #[arg(long, default_value_t = 5)]
        pace: u64,
    },
    /// Memory at rest and with idle readers.
    Idle {
        #[arg(long, default_value_t = 500)]
        readers: usize,
    },
    /// Time to ready.
    Ready,
    /// Requests and bytes of a first visit.
    Visit,
    /// Cost per chunk of short and long answers.
    Length,
    /// 100 and 100,000 stored chats.
    Stored,
    /// The same load for long, beside a transaction that stays open; not part of `all`.
    Steady {
        #[arg(long, default_value_t = 20)]
        at_once: usize,
        /// With the transaction open; a quarter of that follows.
        #[arg(long, default_value_t = 20)]
        minutes: u64,
    },
    /// A provider that fails, and another one that answers instead.
    Failover {
        #[arg(long, default_value_t = 300)]
        answers: usize,
        /// Seconds over which they are asked for.
        #[arg(long, default_value_t = 60)]
        seconds: u64,
    },
    /// Calls of programs, whole and streaming, beside the pass-through.
    Gateway {
        /// Seconds of whole answers, a round.
        #[arg(long, default_value_t = 8)]
        seconds: u64,
        #[arg(long, default_value_t = 32)]
        connections: usize,
        #[arg(long, default_value_t = 500)]
        streams: usize,
        #[arg(long, default_value_t = 3)]
        rounds: usize,
    },
    /// All of these with their defaults.
    All,
    #[command(hide = true)]
    Provider { models: Vec<String> },
    #[command(hide = true)]
    Passthrough { provider: String },
}

fn main() -> ExitCode {
    rustls::crypto::ring::default_provider().install_default().expect("nothing else installed one before");
    let args = Args::parse();
    match run(args) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: Args) -> anyhow::Result<bool> {
    let role = matches!(args.load, Load::Provider { .. } | Load::Passthrough { .. });
    if !role {
        process::pin(&args.load_on)?;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async move {
        match args.load {
            Load::Provider { models } => provider::serve(models).await.map(|()| true),
            Load::Passthrough { provider } => passthrough::serve(&provider).await.map(|()| true),
            _ => measure(&args).await,
        }
    })
}

async fn measure(args: &Args) -> anyhow::Result<bool> {
    let cores = Cores { measured: args.measured.clone(), load: args.load_on.clone() };
    let mut shapes = vec![wave::OPENING, loads::ONE, Shape::new(200, 20, 0), Shape::new(800, 20, 0)];
    shapes.extend([Shape::new(200, 5, 0), Shape::new(200, 4, 0), Shape::new(5000, 4, 0), loads::STEADY, loads::CALL]);
    let chosen = match args.load {
        Load::Paced { chunks, pace, .. } | Load::Flood { chunks, pace, .. } => Some(Shape::new(chunks, pace, 0)),
        _ => None,
    };
    shapes.extend(chosen.filter(|s| !shapes.contains(s)));
    // a claim's time is told by them
    let statements = args.statements || matches!(args.load, Load::Steady { .. });
    let mut world = World::build(&args.program, &cores, statements, &shapes).await?;
    let mut report = Report::default();
    let loads = if matches!(args.load, Load::All) { every() } else { vec![args.load.clone()] };
    for load in loads {
        if let Err(error) = carry_out(&load, &mut world, &mut report).await {
            report.wrong(format!("{error:#}"));
        }
    }
    if args.statements {
        world.statements().await?;
    }
    // how it is set up here
    let expected = |warning: &String| {
        ["PUBLIC_URL", "SMTP_URL", "\"provider\":\"failing\""].iter().any(|words| warning.contains(words))
    };
    for warning in world.warnings().iter().filter(|warning| !expected(warning)).take(20) {
        report.wrong(format!("Parlor warned: {warning}"));
    }
    let place = format!(
        "{}, {} cores; measured on core {}, load on core {}",
        measure::processor(),
        cores_here(),
        cores.measured,
        cores.load
    );
    println!("\n{place}");
    report.print();
    Ok(report.is_clean())
}

fn cores_here() -> usize {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    info.lines().filter(|l| l.starts_with("processor")).count()
}

fn every() -> Vec<Load> {
    vec![
        Load::Visit,
        Load::Ready,
        Load::Idle { readers: 500 },
        Load::One { answers: 100 },
        Load::Paced { at_once: 20, chunks: 200, pace: 20, rounds: 5, spread: 0 },
        Load::Flood { at_once: 200, chunks: 200, pace: 5 },
        Load::Paced { at_once: 500, chunks: 800, pace: 20, rounds: 1, spread: 10 },
        Load::Length,
        Load::Stored,
        Load::Failover { answers: 300, seconds: 60 },
        Load::Gateway { seconds: 8, connections: 32, streams: 500, rounds: 3 },
    ]
}

async fn carry_out(load: &Load, world: &mut World, report: &mut Report) -> anyhow::Result<()> {
    match *load {
        Load::One { answers } => loads::one(world, report, answers).await,
        Load::Paced { at_once, chunks, pace, rounds, spread } => {
            let (shape, spread) = (Shape::new(chunks, pace, 0), Duration::from_secs(spread));
            let most = match at_once {
                20 => Some(2.),
                // so many at once only if the first still runs when the last begins
                500 if shape.lasts() > spread => Some(2.5),
                _ => None,
            };
            loads::many(world, report, &Many { count: at_once, shape, spread, rounds, most }).await
        }
        Load::Flood { at_once, chunks, pace } => {
            let shape = Shape::new(chunks, pace, 0);
            let load = Many { count: at_once, shape, spread: Duration::ZERO, rounds: 1, most: None };
            loads::many(world, report, &load).await
        }
        Load::Idle { readers } => loads::idle(world, report, readers).await,
        Load::Ready => loads::ready(world, report).await,
        Load::Visit => loads::visit(world, report).await,
        Load::Length => loads::length(world, report).await,
        Load::Stored => loads::stored(world, report).await,
        Load::Failover { answers, seconds } => {
            loads::failover(world, report, answers, Duration::from_secs(seconds)).await
        }
        Load::Gateway { seconds, connections, streams, rounds } => {
            loads::gateway(world, report, &loads::Calls { seconds, connections, streams, rounds }).await
        }
        Load::Steady { at_once, minutes } => loads::steady(world, report, at_once, minutes).await,
        Load::All | Load::Provider { .. } | Load::Passthrough { .. } => Ok(()),
    }
}
