//! Many answers at once: what they cost beside the pass-through, and whether a longer one costs more per chunk.

use crate::{
    measure::{median, percentile},
    report::{Report, round},
    shape::Shape,
    wave::Taken,
    world::World,
};
use std::time::Duration;

/// So many answers, of this shape, begun over this time, so often.
pub struct Many {
    pub count: usize,
    pub shape: Shape,
    pub spread: Duration,
    pub rounds: usize,
    /// The most that product and PostgreSQL may cost, in units of the pass-through.
    pub most: Option<f64>,
}

/// Alternates product and yardstick.
pub async fn many(world: &mut World, report: &mut Report, load: &Many) -> anyhow::Result<()> {
    let Many { count, shape, spread, rounds, .. } = load;
    let mut talks = world.talks(*count).await?;
    let (mut ours, mut bare, mut ratios) = (Taken::default(), Taken::default(), Vec::new());
    // what is made once, for the first answers of all, is no answer's memory
    let few = (*count).min(20);
    world.wave(&mut talks[..few], shape, Duration::ZERO).await?;
    world.yardstick(few, shape, Duration::ZERO).await?;
    // once unmeasured: connections that were never used have no plans yet
    let first = world.wave(&mut talks, shape, *spread).await?;
    (ours.errors, ours.memory) = (first.errors, first.memory);
    bare.memory = world.yardstick(*count, shape, *spread).await?.memory;
    for _ in 0..*rounds {
        let wave = world.wave(&mut talks, shape, *spread).await?;
        let yard = world.yardstick(*count, shape, *spread).await?;
        ratios.push(wave.per_chunk(shape) / yard.per_chunk(shape).max(1e-9));
        ours.add(wave);
        bare.add(yard);
        if !ours.errors.is_empty() {
            talks = world.talks(*count).await?; // one whose answer went wrong is no use for the next wave
        }
    }
    ours.errors.iter().chain(&bare.errors).for_each(|e| report.wrong(e));
    let name = name(load);
    tell(report, load, &ours, &bare);
    let what = format!("{name}: CPU in units of the pass-through, median of {rounds}");
    match load.most {
        Some(most) => report.aim(what, median(&ratios), "×", most),
        None => report.say(what, format!("{} ×", round(median(&ratios)))),
    }
    Ok(())
}

fn name(load: &Many) -> String {
    let Many { count, shape, spread, .. } = load;
    let over = if spread.is_zero() { "at once".to_owned() } else { format!("over {} s", spread.as_secs()) };
    format!("{count} {over}, {} chunks, {} ms", shape.chunks, shape.pace.as_millis())
}

fn tell(report: &mut Report, load: &Many, ours: &Taken, bare: &Taken) {
    let (name, answers, rounds) = (name(load), ours.answers.max(1), load.rounds.max(1) as f64);
    let good = ours.answers.saturating_sub(ours.errors.len());
    report.say(format!("{name}: complete, with the right text"), format!("{good} of {}", ours.answers));
    let ((program, postgres), (yard, _)) = (ours.per_thousand(), bare.per_thousand());
    report.say(
        format!("{name}: CPU-seconds per 1,000 answers, program / PostgreSQL / pass-through"),
        format!("{} / {} / {}", round(program), round(postgres), round(yard)),
    );
    let (cost, least) = (ours.per_chunk(&load.shape), bare.per_chunk(&load.shape));
    report.say(
        format!("{name}: CPU per chunk, program and PostgreSQL / pass-through"),
        format!("{} / {} µs", round(cost), round(least)),
    );
    let first = |t: &Taken| format!("{} / {} ms", round(median(&t.first)), round(percentile(&t.first, 0.99)));
    report.say(
        format!("{name}: added time to first token p50 / p99; pass-through"),
        format!("{}; {}", first(ours), first(bare)),
    );
    report.say(
        format!("{name}: from the first question to the last end; pass-through"),
        format!("{} s; {} s", round(ours.seconds / rounds), round(bare.seconds / rounds)),
    );
    let commits = round(ours.commits as f64 / answers as f64);
    let wal = ours.wal / i64::try_from(answers).unwrap_or(1);
    report.say(
        format!("{name}: per answer, bytes and events to the reader, commits, bytes of WAL"),
        format!("{}, {}, {commits}, {wal}", ours.bytes / answers, ours.events / answers),
    );
    if load.spread.is_zero() {
        let stream = |t: &Taken| format!("{} kB", round(t.memory * 1e3 / load.count.max(1) as f64));
        let what = format!("{name}: memory of the program per running answer; pass-through");
        report.say(what, format!("{}; {}", stream(ours), stream(bare)));
    }
    if ours.again > 0 {
        report.say(format!("{name}: readers that were cut and came back"), ours.again.to_string());
    }
}

/// What a chunk costs in short and in long answers, five at once and paced so that both last.
pub async fn length(world: &mut World, report: &mut Report) -> anyhow::Result<()> {
    let mut talks = world.talks(5).await?;
    let mut costs = Vec::new();
    for (chunks, waves) in [(200, 20), (5000, 1)] {
        let shape = Shape::new(chunks, 4, 0);
        let mut taken = Taken::default();
        for _ in 0..waves {
            taken.add(world.wave(&mut talks, &shape, Duration::ZERO).await?);
        }
        taken.errors.iter().for_each(|e| report.wrong(e));
        costs.push(taken.per_chunk(&shape));
    }
    report.say(
        "5 at once, 4 ms: CPU per chunk of answers of 200 / 5,000 chunks",
        format!("{} / {} µs", round(costs[0]), round(costs[1])),
    );
    Ok(())
}
