//! Calls of programs through the gateway, beside the pass-through: as many whole answers as it gives, one at a time, and many
//! that stream. A program has one key, whose person has a limit of calls that is never reached.

use crate::{
    client::find,
    measure::{median, percentile},
    report::{Report, round},
    shape::Shape,
    wave::{Taken, Way},
    world::World,
};
use anyhow::ensure;
use futures::future::try_join_all;
use serde_json::json;
use std::time::Duration;
use tokio::time::Instant;

/// A short answer, which comes at once if it is not to stream.
pub const SHAPE: Shape = Shape::new(20, 0, 0);
const STREAM: Shape = Shape::new(200, 20, 0);

/// How much of it.
pub struct Calls {
    pub seconds: u64,
    pub connections: usize,
    pub streams: usize,
    pub rounds: usize,
}

/// Alternates gateway and yardstick.
pub async fn gateway(world: &mut World, report: &mut Report, calls: &Calls) -> anyhow::Result<()> {
    let (ours, bare) = (Way::gateway(world).await?, Way::bare(world));
    let second = Duration::from_secs(1);
    for way in [&ours, &bare] {
        whole(world, way, 4, second).await?;
    }
    let (mut rates, mut ratios, mut added) = (Vec::new(), Vec::new(), Vec::new());
    let time = second * u32::try_from(calls.seconds)?;
    for _ in 0..calls.rounds {
        let mine = whole(world, &ours, calls.connections, time).await?.len() as f64 / time.as_secs_f64();
        let theirs = whole(world, &bare, calls.connections, time).await?.len() as f64 / time.as_secs_f64();
        rates.push((mine, theirs));
        ratios.push(mine / theirs);
        let (mine, theirs) = (whole(world, &ours, 1, second * 2).await?, whole(world, &bare, 1, second * 2).await?);
        added.push((median(&mine) - median(&theirs), percentile(&mine, 0.99), percentile(&theirs, 0.99)));
    }
    let all = |of: fn(&(f64, f64)) -> f64| rates.iter().map(of).collect::<Vec<_>>();
    report.say(
        format!("whole answers by {} connections, requests/s; pass-through", calls.connections),
        format!("{}; {}", round(median(&all(|r| r.0))), round(median(&all(|r| r.1)))),
    );
    report.say("the same in units of the pass-through (target: at least 0.5)", format!("{} ×", round(median(&ratios))));
    let added_p50: Vec<_> = added.iter().map(|a| a.0).collect();
    report.aim("one at a time, added time, p50", median(&added_p50), "ms", 1.);
    let tail = |of: fn(&(f64, f64, f64)) -> f64| median(&added.iter().map(of).collect::<Vec<_>>());
    report.say("p99 of all of it; pass-through", format!("{}; {} ms", round(tail(|a| a.1)), round(tail(|a| a.2))));
    streams(world, report, calls, (&ours, &bare)).await
}

async fn streams(world: &World, report: &mut Report, calls: &Calls, (ours, bare): (&Way, &Way)) -> anyhow::Result<()> {
    let spread = Duration::from_secs(10);
    for way in [ours, bare] {
        world.streams(way, calls.streams, &STREAM, Duration::ZERO).await?;
    }
    let (mut mine, mut theirs, mut ratios, mut memory) = (Taken::default(), Taken::default(), Vec::new(), Vec::new());
    for _ in 0..calls.rounds {
        let (one, other) = (
            world.streams(ours, calls.streams, &STREAM, spread).await?,
            world.streams(bare, calls.streams, &STREAM, spread).await?,
        );
        ratios.push(one.per_chunk(&STREAM) / other.per_chunk(&STREAM).max(1e-9));
        mine.add(one);
        theirs.add(other);
    }
    // all at the same instant, which is when memory is at its most
    for way in [ours, bare] {
        let most = world.streams(way, calls.streams * 2, &STREAM, Duration::ZERO).await?;
        most.errors.iter().for_each(|error| report.wrong(error));
        memory.push(most.memory * 1e3 / (calls.streams * 2) as f64);
    }
    mine.errors.iter().chain(&theirs.errors).for_each(|error| report.wrong(error));
    let name = format!("{} streams over 10 s, 200 chunks, 20 ms", calls.streams);
    report.aim(format!("{name}: CPU in units of the pass-through"), median(&ratios), "×", 1.5);
    let ((program, postgres), (yard, _)) = (mine.per_thousand(), theirs.per_thousand());
    report.say(
        format!("{name}: CPU-seconds per 1,000, program / PostgreSQL / pass-through"),
        format!("{} / {} / {}", round(program), round(postgres), round(yard)),
    );
    let first = |t: &Taken| format!("{} / {} ms", round(median(&t.first)), round(percentile(&t.first, 0.99)));
    report.say(
        format!("{name}: added time to first token p50 / p99; pass-through"),
        format!("{}; {}", first(&mine), first(&theirs)),
    );
    let what = format!("{} streams at once: memory of the program for each; pass-through", calls.streams * 2);
    report.say(what, format!("{}; {} kB", round(memory[0]), round(memory[1])));
    Ok(())
}

/// Whole answers by so many connections, one after the other on each, for a time; the milliseconds of each.
async fn whole(world: &World, way: &Way, connections: usize, time: Duration) -> anyhow::Result<Vec<f64>> {
    let until = Instant::now() + time;
    let each = (0..connections).map(|_| async move {
        let mut took = Vec::new();
        while Instant::now() < until {
            let (question, tag) = world.question();
            let model = format!("{}{}", way.prefix, SHAPE.name());
            let ask = json!({ "model": model, "messages": [{ "role": "user", "content": question }] });
            let asked = Instant::now();
            let answer = way.post(&world.visitors[0].http, ask.to_string()).send().await?;
            ensure!(answer.status().is_success(), "{}: {}", way.url, answer.status());
            let body = answer.bytes().await?;
            took.push(asked.elapsed().as_secs_f64() * 1e3);
            ensure!(find(&body, tag.as_bytes()).is_some(), "{}: not the answer to {tag}", way.url);
        }
        anyhow::Ok(took)
    });
    Ok(try_join_all(each).await?.concat())
}
