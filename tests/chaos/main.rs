//! Tries to break it: rounds of random faults under load, and after each a look at what must hold (N1 to N9).
//!
//! ```text
//! cargo test --test chaos -- --rounds 12 --seed 7          a short run
//!   --lease default                                        the real lease and sweep; else 3 s and 1 s, for more rounds an hour
//!   --rolling                                              a rolling restart under 50 running answers instead
//!   --program FILE                                         another build of the program
//!   --keep                                                 leaves the folder with the logs and the database
//! ```
//!
//! The plan of faults and the load are drawn from the seed; how the machine schedules them is not. Every violation is
//! printed with seed, round and chat; the run goes on, and ends with exit code 1.
#![allow(clippy::unwrap_used, clippy::missing_panics_doc)]

mod browser;
mod checks;
mod ground;
mod html;
mod laws;
mod live;
mod page;
mod people;
mod plan;
mod postgres;
mod process;
mod provider;
#[allow(dead_code, reason = "the stories use the rest")]
#[path = "../it/support/proxy.rs"]
mod proxy;
mod readers;
mod record;
mod rolling;
mod rounds;
mod script;
mod watch;

use std::{path::PathBuf, process::ExitCode};

/// What is asked of a run.
#[derive(Clone, Debug)]
pub struct Asked {
    pub rounds: u64,
    pub seed: u64,
    pub real_lease: bool,
    pub rolling: bool,
    pub program: PathBuf,
    pub keep: bool,
}

impl Asked {
    /// Nothing: a harness asks for the list of tests, of which there are none.
    fn read(mut arguments: impl Iterator<Item = String>) -> Option<Self> {
        let program = PathBuf::from(env!("CARGO_BIN_EXE_parlor"));
        let mut asked = Self { rounds: 0, seed: 1, real_lease: false, rolling: false, program, keep: false };
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().unwrap_or_else(|| panic!("{argument} wants a value"));
            match argument.as_str() {
                "--rounds" => asked.rounds = value().parse().expect("--rounds wants a number"),
                "--seed" => asked.seed = value().parse().expect("--seed wants a number"),
                "--lease" => asked.real_lease = value() == "default",
                "--rolling" => asked.rolling = true,
                "--program" => asked.program = PathBuf::from(value()),
                "--keep" => asked.keep = true,
                _ => return None,
            }
        }
        (asked.rounds > 0 || asked.rolling).then_some(asked)
    }
}

fn main() -> ExitCode {
    let Some(asked) = Asked::read(std::env::args().skip(1)) else {
        eprintln!("chaos: nothing asked for; try --rounds 12 --seed 7 (see the head of tests/chaos/main.rs)");
        return ExitCode::SUCCESS;
    };
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    match runtime.expect("a runtime").block_on(rounds::run(asked)) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("chaos: the run itself failed: {error:#}");
            ExitCode::FAILURE
        }
    }
}
