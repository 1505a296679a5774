//! What happens in a round, drawn from the seed: which fault, when, for how long, to whom. Pure.

use rand::{Rng, SeedableRng, rngs::StdRng};
use std::time::Duration;

/// Which process: two that serve the web, two that work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    Web(usize),
    Worker(usize),
}

impl Who {
    pub const ALL: [Self; 4] = [Self::Web(0), Self::Web(1), Self::Worker(0), Self::Worker(1)];

    pub fn index(self) -> usize {
        match self {
            Self::Web(n) => n,
            Self::Worker(n) => 2 + n,
        }
    }
}

/// Which wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wire {
    /// A process and PostgreSQL.
    Database(Who),
    /// Browsers and a web process.
    Browser(usize),
    /// A worker and its provider.
    Provider(usize),
}

/// What is done to a wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Harm {
    Cut,
    HalfClosedUp,
    HalfClosedDown,
    Frozen(Duration),
    FrozenUp(Duration),
    FrozenDown(Duration),
    /// Silent for ever, without an end; new connections pass.
    Stranded,
    Refusing(Duration),
    Slow(Duration, Duration),
    /// Cut after so many bytes towards the upstream.
    CutAfterUp(usize, Duration),
    /// Cut after so many bytes from the upstream.
    CutAfterDown(usize, Duration),
}

/// One fault. Durations: until it is undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// SIGKILL, and a new process after a while.
    Kill(Who, Duration),
    /// SIGSTOP, then SIGCONT.
    Stop(Who, Duration),
    /// SIGTERM, and a new process when it has ended.
    Term(Who),
    /// PostgreSQL's immediate stop, and a start after a while.
    Postgres(Duration),
    /// Everything is killed at once, PostgreSQL too.
    All(Duration),
    Wire(Wire, Harm),
}

impl Fault {
    /// For the summary.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Kill(Who::Web(_), _) => "kill -9 of a web process",
            Self::Kill(Who::Worker(_), _) => "kill -9 of a worker",
            Self::Stop(Who::Web(_), _) => "SIGSTOP and SIGCONT of a web process",
            Self::Stop(Who::Worker(_), _) => "SIGSTOP and SIGCONT of a worker",
            Self::Term(Who::Web(_)) => "SIGTERM of a web process",
            Self::Term(Who::Worker(_)) => "SIGTERM of a worker",
            Self::Postgres(_) => "immediate stop of PostgreSQL",
            Self::All(_) => "everything at once",
            Self::Wire(Wire::Database(_), _) => "wires to PostgreSQL",
            Self::Wire(Wire::Browser(_), _) => "wires to browsers",
            Self::Wire(Wire::Provider(_), _) => "wires to the provider",
        }
    }
}

/// The faults of one round, each with when it happens, and how long the load lasts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    pub lasts: Duration,
    pub faults: Vec<(Duration, Fault)>,
}

/// The plan of a round. `lease`: of the workers, so that some stops last longer than it and some do not.
pub fn plan(seed: u64, round: u64, lease: Duration) -> Plan {
    let mut rng = rng(seed, round, 0);
    let lasts = millis(&mut rng, 3000, 6000);
    let faults = (0..rng.random_range(1..=4))
        .map(|_| (rng.random_range(Duration::from_millis(300)..lasts), fault(&mut rng, lease)))
        .collect::<Vec<_>>();
    let mut plan = Plan { lasts, faults };
    plan.faults.sort_by_key(|(at, _)| *at);
    plan
}

/// Chance, the same for the same seed, round and whoever draws.
pub fn rng(seed: u64, round: u64, who: u64) -> StdRng {
    StdRng::seed_from_u64(seed.wrapping_mul(1_000_003).wrapping_add(round).wrapping_mul(1009).wrapping_add(who))
}

fn millis(rng: &mut StdRng, from: u64, to: u64) -> Duration {
    Duration::from_millis(rng.random_range(from..to))
}

fn fault(rng: &mut StdRng, lease: Duration) -> Fault {
    let anyone = Who::ALL[rng.random_range(0..4)];
    let worker = Who::Worker(rng.random_range(0..2));
    let somebody = if rng.random_bool(0.5) { worker } else { anyone };
    match rng.random_range(0..100) {
        0..=19 => Fault::Kill(somebody, millis(rng, 0, 2500)),
        20..=34 => {
            // shorter than the lease, longer, or just about
            let around = lease.mul_f64(rng.random_range(0.1..1.4));
            Fault::Stop(somebody, around.max(Duration::from_millis(200)))
        }
        35..=44 => Fault::Term(somebody),
        45..=57 => Fault::Postgres(millis(rng, 0, 2500)),
        58..=61 => Fault::All(millis(rng, 0, 1500)),
        62..=79 => Fault::Wire(Wire::Database(somebody), harm(rng)),
        80..=91 => Fault::Wire(Wire::Browser(rng.random_range(0..2)), harm(rng)),
        _ => Fault::Wire(Wire::Provider(rng.random_range(0..2)), harm(rng)),
    }
}

fn harm(rng: &mut StdRng) -> Harm {
    let long = millis(rng, 300, 4000);
    match rng.random_range(0..12) {
        0..=1 => Harm::Cut,
        2 => Harm::HalfClosedUp,
        3 => Harm::HalfClosedDown,
        4 => Harm::Frozen(long),
        5 => Harm::FrozenUp(long),
        6 => Harm::FrozenDown(long),
        7 => Harm::Refusing(long),
        8 => Harm::Slow(millis(rng, 20, 400), long),
        9 => Harm::CutAfterUp(rng.random_range(1..20_000), long),
        10 => Harm::Stranded,
        _ => Harm::CutAfterDown(rng.random_range(1..20_000), long),
    }
}
