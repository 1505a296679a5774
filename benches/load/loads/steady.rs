//! The same load for a long time, while somebody else's transaction stays open and holds every dead row back; and
//! what is left of that after it ended.

use crate::{
    measure::{family_memory, median, memory, percentile},
    report::{Report, round},
    shape::Shape,
    wave::Taken,
    world::World,
};
use anyhow::Context;
use sqlx::{Connection, PgConnection};
use std::time::Duration;
use tokio::time::Instant;

/// A second of talk.
pub const SHAPE: Shape = Shape::new(50, 20, 0);

/// What one minute looked like.
struct Minute {
    /// Of both processes and of PostgreSQL, in megabytes.
    program: f64,
    postgres: f64,
    first: Vec<f64>,
    /// Milliseconds of one claim.
    claim: f64,
    dead: i64,
    jobs: i64,
}

/// So many minutes with the transaction, and a quarter of that after it; answers are made by a process of their own, so
/// that each goes through the queue.
pub async fn steady(world: &mut World, report: &mut Report, at_once: usize, minutes: u64) -> anyhow::Result<()> {
    world.split().await?;
    let mut other = PgConnection::connect(world.database()).await?;
    minute(world, report, at_once).await?; // plans and pools are made
    let before = minute(world, report, at_once).await?;
    sqlx::raw_sql("begin isolation level repeatable read; select count(*) from generations")
        .execute(&mut other)
        .await?;
    let mut held = None;
    for n in 1..=minutes {
        let now = minute(world, report, at_once).await?;
        tell(report, &format!("minute {n}, transaction open"), &now);
        held = Some(now);
    }
    other.close().await?;
    let mut after = None;
    for n in 1..=(minutes / 4).max(2) {
        let now = minute(world, report, at_once).await?;
        tell(report, &format!("minute {n} after it"), &now);
        after = Some(now);
    }
    let (held, after) = held.zip(after).context("no minute was measured")?;
    tell(report, "steady: the minute before the transaction", &before);
    tell(report, "steady: its last minute", &held);
    tell(report, "steady: the last minute after it", &after);
    report.aim("steady: memory of the program, last minute by first", after.program / before.program, "×", 1.1);
    report.aim("steady: time of a claim, last minute by first", after.claim / before.claim, "×", 1.25);
    Ok(())
}

fn tell(report: &mut Report, when: &str, minute: &Minute) {
    report.say(
        format!("{when}: memory of program / PostgreSQL; time of a claim; first token p50 / p99; dead rows; jobs"),
        format!(
            "{} / {} MB; {} ms; {} / {} ms; {}; {}",
            round(minute.program),
            round(minute.postgres),
            round(minute.claim),
            round(median(&minute.first)),
            round(percentile(&minute.first, 0.99)),
            minute.dead,
            minute.jobs,
        ),
    );
}

async fn minute(world: &mut World, report: &mut Report, at_once: usize) -> anyhow::Result<Minute> {
    let over = Instant::now() + Duration::from_mins(1);
    let (calls, spent) = world.claims().await?;
    let mut talks = world.talks(at_once).await?;
    let mut all = Taken::default();
    while Instant::now() < over {
        all.add(world.wave(&mut talks, &SHAPE, Duration::ZERO).await?);
    }
    all.errors.iter().for_each(|e| report.wrong(e));
    let (later, spent_later) = world.claims().await?;
    let (dead, jobs) = world.rows().await?;
    let mut program = 0.;
    for pid in world.program_pids() {
        program += memory(pid)?.rss;
    }
    Ok(Minute {
        program,
        postgres: family_memory(world.postgres_pid()),
        first: all.first,
        claim: (spent_later - spent) / (later - calls).max(1) as f64,
        dead,
        jobs,
    })
}
