//! A provider that fails for a minute while people ask its model, and another one that answers instead.

use crate::{
    measure::{median, percentile},
    report::{Report, round},
    shape::Shape,
    world::World,
};
use std::time::Duration;

/// Twenty chunks.
pub const SHAPE: Shape = Shape::new(20, 10, 50);

/// So many answers evenly over a time, by the one that works; then the same by the one that fails, with two keys and a fallback.
pub async fn failover(world: &mut World, report: &mut Report, answers: usize, over: Duration) -> anyhow::Result<()> {
    let mut talks = world.talks(answers).await?;
    let well = world.wave(&mut talks, &SHAPE, over).await?;
    world.asks = "failing";
    let failing = world.wave(&mut talks, &SHAPE, over).await;
    world.asks = "openai";
    let failing = failing?;
    well.errors.iter().chain(&failing.errors).for_each(|e| report.wrong(e));
    let what = format!("{answers} answers over {} s", over.as_secs());
    let pair = |values: &[f64]| format!("{} / {} ms", round(median(values)), round(percentile(values, 0.99)));
    report.say(format!("{what}: added time to first token, p50 / p99"), pair(&well.first));
    report.say("the same of a model whose provider fails, by its fallback", pair(&failing.first));
    let errors = well.errors.len() + failing.errors.len();
    report.aim("answers that did not come, or another text", errors as f64, "", 0.);
    Ok(())
}
