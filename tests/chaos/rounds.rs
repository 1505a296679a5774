//! A run: round after round of talk and faults, then rest and a look; and the summary.

use super::{
    Asked,
    checks::Checks,
    ground::Ground,
    people::{Person, Town},
    plan::{Plan, plan},
    process::Settings,
    provider,
    record::Record,
    rolling,
    watch::watch,
};
use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::time::{Instant, sleep, sleep_until};

const PEOPLE: u64 = 3;
const CHATS: usize = 2;

/// Lease, renewal and sweep in force.
#[derive(Clone, Copy)]
pub struct Times {
    pub lease: Duration,
    pub sweep: Duration,
    /// The longest that a stopped process may take.
    pub grace: Duration,
}

impl Times {
    pub fn of(asked: &Asked) -> Self {
        let seconds = Duration::from_secs;
        if asked.real_lease || asked.rolling {
            Self { lease: seconds(15), sweep: seconds(4), grace: seconds(8) }
        } else {
            Self { lease: seconds(3), sweep: seconds(1), grace: seconds(3) }
        }
    }

    /// After everything was put right: one lease of waiting before the first sweep, one sweep, an answer from its
    /// beginning to its end, and what a busy machine takes.
    pub fn rest(self) -> Duration {
        self.lease * 2 + self.sweep * 2 + Duration::from_secs(45)
    }
}

/// Makes the house, runs, and prints the summary. Returns the number of violations.
pub async fn run(asked: Asked) -> anyhow::Result<usize> {
    let dir = tempfile::TempDir::with_prefix("parlor-chaos-")?;
    std::fs::set_permissions(dir.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
    println!("chaos: seed {}, logs in {}", asked.seed, dir.path().display());
    let record = Arc::new(Record::new(asked.seed));
    let done = in_folder(&asked, dir.path(), &record).await;
    if asked.keep || done.is_err() || record.violations() > 0 {
        println!("kept: {}", dir.keep().display());
    }
    done?;
    Ok(record.violations())
}

fn settings(asked: &Asked, dir: &Path, provider: std::net::SocketAddr) -> Settings {
    let times = Times::of(asked);
    let mut environment = vec![
        ("PARLOR_DATA", dir.join("data").display().to_string()),
        ("PARLOR_SECRET", "a secret for tests only, long enough".to_owned()),
        ("OPENAI_BASE_URL", format!("http://{provider}/v1")),
        ("OPENAI_API_KEY", "web".to_owned()),
        ("PARLOR__PROVIDERS__OPENAI__REQUESTS_PER_MINUTE", "0".to_owned()),
        // answers cost something, so that something is reserved
        ("PARLOR__PROVIDERS__OPENAI__PRICES__CHAOS-1__INPUT", "3".to_owned()),
        ("PARLOR__PROVIDERS__OPENAI__PRICES__CHAOS-1__OUTPUT", "15".to_owned()),
        ("PARLOR__LIMITS__BUDGET_PER_MONTH", "1000000".to_owned()),
        ("PORT", "0".to_owned()),
        ("RUST_LOG", "info,sqlx=warn".to_owned()),
        ("PARLOR__CATALOG__OLLAMA", String::new()),
        ("PARLOR__CATALOG__RETRY", "1".to_owned()),
        ("PARLOR__CHATS__TITLES", "false".to_owned()),
        // they send faster than anybody types
        ("PARLOR__LIMITS__MESSAGES_PER_MINUTE", "0".to_owned()),
        ("PARLOR__LIMITS__MESSAGES_PER_DAY", "0".to_owned()),
        ("PARLOR__LIMITS__ANONYMOUS_PER_HOUR", "0".to_owned()),
        // the provider stalls now and then, and nobody waits minutes for that here
        ("PARLOR__GENERATION__FIRST_TOKEN", "6".to_owned()),
        ("PARLOR__GENERATION__IDLE", "4".to_owned()),
        ("PARLOR__GENERATION__RETRY", "1,2".to_owned()),
    ];
    if !(asked.real_lease || asked.rolling) {
        environment.push(("PARLOR__GENERATION__LEASE", times.lease.as_secs().to_string()));
        environment.push(("PARLOR__GENERATION__RENEW", "1".to_owned()));
        environment.push(("PARLOR__GENERATION__SWEEP", times.sweep.as_secs().to_string()));
        environment.push(("PARLOR__SHUTDOWN__GRACE", times.grace.as_secs().to_string()));
    }
    let environment = environment.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    Settings { program: asked.program.clone(), dir: dir.to_owned(), environment }
}

async fn in_folder(asked: &Asked, dir: &Path, record: &Arc<Record>) -> anyhow::Result<()> {
    let (began, times) = (Instant::now(), Times::of(asked));
    let provider = provider::start(record.clone()).await?;
    let ground = Ground::start(dir, settings(asked, dir, provider), provider, record.clone()).await?;
    let ground = Arc::new(ground);
    let url = ground.postgres.lock().await.url();
    let (webs, healed) = (ground.addresses(), AtomicBool::new(true));
    let town = Arc::new(Town { record: record.clone(), webs, questions: AtomicU64::new(0), healed });
    let mut checks = Checks::new(url.clone());
    let watching = tokio::spawn(watch(url, ground.clone(), record.clone(), times));
    if asked.rolling {
        rolling::roll(&ground, &town, &mut checks, times).await?;
    } else {
        rounds(asked, &ground, &town, &mut checks, times).await?;
    }
    watching.abort();
    summary(record, &checks, began).await
}

async fn rounds(
    asked: &Asked,
    ground: &Arc<Ground>,
    town: &Arc<Town>,
    checks: &mut Checks,
    times: Times,
) -> anyhow::Result<()> {
    let mut people = Vec::new();
    for number in 0..PEOPLE {
        people.push(Person::arrives(town, number, CHATS).await?);
    }
    people[0].finds_a_model().await?;
    checks.group().await?;
    for round in 0..asked.rounds {
        town.record.round.store(round, Relaxed);
        let plan = plan(asked.seed, round, times.lease);
        people = one(round, &plan, ground, town, people, checks, times).await?;
        if round % 5 == 4 {
            // somebody goes, somebody new comes
            people.remove(0).goes().await;
            people.push(Person::arrives(town, PEOPLE + round, CHATS).await?);
        }
        town.record.count("rounds");
    }
    Ok(())
}

async fn one(
    round: u64,
    plan: &Plan,
    ground: &Arc<Ground>,
    town: &Arc<Town>,
    people: Vec<Person>,
    checks: &mut Checks,
    times: Times,
) -> anyhow::Result<Vec<Person>> {
    let began = Instant::now();
    let before = town.record.violations();
    town.healed.store(false, Relaxed);
    let talks = people.into_iter().map(|mut person| {
        let until = began + plan.lasts;
        tokio::spawn(async move {
            person.talks(round, until).await;
            person
        })
    });
    let talks: Vec<_> = talks.collect();
    let faults = plan.faults.iter().map(|(at, fault)| {
        let (at, fault, ground) = (began + *at, *fault, ground.clone());
        tokio::spawn(async move {
            sleep_until(at).await;
            ground.happens(fault).await
        })
    });
    for fault in faults.collect::<Vec<_>>() {
        fault.await??;
    }
    ground.heal().await?;
    town.healed.store(true, Relaxed);
    let mut people = Vec::new();
    for talk in talks {
        people.push(talk.await?);
    }
    let shaken = began.elapsed();
    let rested = checks.all_rest(&town.record, times.rest()).await?;
    checks.readers(&town.record, &people, Duration::from_secs(45)).await?;
    checks.tables(&town.record).await?;
    let names: Vec<_> = plan.faults.iter().map(|(_, fault)| format!("{fault:?}")).collect();
    let bad = town.record.violations() - before;
    let (shaken, rested) = (shaken.as_secs_f32(), rested.as_secs_f32());
    println!("round {round}: {shaken:.1} s of faults, {rested:.1} s to rest, {bad} violations; {}", names.join(", "));
    people.iter_mut().for_each(Person::leaves_full_rooms);
    sleep(Duration::from_millis(50)).await;
    Ok(people)
}

async fn summary(record: &Record, checks: &Checks, began: Instant) -> anyhow::Result<()> {
    println!("\n{:>8}  seconds", began.elapsed().as_secs());
    for (what, count) in record.counts() {
        println!("{count:>8}  {what}");
    }
    let requests = record.requests();
    println!("{:>8}  requests to the provider", requests.len());
    for (state, count) in checks.endings().await? {
        println!("{count:>8}  answers {state}");
    }
    println!("{:>8}  violations", record.violations());
    for violation in record.first_violations() {
        println!("{violation}");
    }
    Ok(())
}
