//! One answer at a time: how much later the first content comes than from the provider itself.

use crate::{
    client::{find, is_over},
    measure::{median, percentile},
    report::{Report, round},
    shape::{FIRST, Shape},
    wave::{Taken, Talk},
    world::World,
};
use std::time::Duration;
use tokio::time::Instant;

/// Twenty chunks, as a provider may send them.
pub const SHAPE: Shape = Shape::new(20, 10, 50);

/// Alternates: a new chat, a question in its open page, the same through the pass-through.
pub async fn one(world: &World, report: &mut Report, count: usize) -> anyhow::Result<()> {
    let (mut new, mut open, mut bare) = (Vec::new(), Taken::default(), Taken::default());
    for n in 0..count {
        let (mut talk, waited) = match new_chat(world, n % world.visitors.len()).await {
            Ok(chat) => chat,
            Err(error) => {
                report.wrong(format!("a new chat: {error:#}"));
                continue;
            }
        };
        new.push(waited);
        open.add(world.wave(std::slice::from_mut(&mut talk), &SHAPE, Duration::ZERO).await?);
        bare.add(world.yardstick(1, &SHAPE, Duration::ZERO).await?);
    }
    open.errors.iter().chain(&bare.errors).for_each(|e| report.wrong(e));
    report.aim("added time to first token, one at a time, p50", median(&open.first), "ms", 15.);
    report.say("… p99", format!("{} ms", round(percentile(&open.first, 0.99))));
    let pair = |values: &[f64]| format!("{} / {} ms", round(median(values)), round(percentile(values, 0.99)));
    report.say("of it after the provider sent the first chunk, p50 / p99", pair(&open.way));
    report.say("the same in a new chat, its page loaded meanwhile, p50 / p99", pair(&new));
    report.say("the same through the pass-through, p50 / p99", pair(&bare.first));
    Ok(())
}

/// From the form of a new chat to the first content, on its page or in its feed; in milliseconds, without the
/// provider's own.
async fn new_chat(world: &World, visitor: usize) -> anyhow::Result<(Talk, f64)> {
    let (question, tag) = world.question();
    let who = &world.visitors[visitor];
    let asked = Instant::now();
    let chat = who.begin(&format!("openai/{}", SHAPE.name()), &question).await?;
    let (page, mut feed) = who.open(&chat).await?;
    let page_at = Instant::now();
    let first =
        if find(page.as_bytes(), FIRST.as_bytes()).is_some() { page_at } else { feed.until(FIRST.as_bytes()).await? };
    if !is_over(&page) {
        feed.over().await?;
    }
    let sent = world.sent(&tag).await?;
    let delay = Duration::from_nanos(u64::try_from(sent.first - sent.received)?);
    world.check(visitor, &chat, &SHAPE, &tag).await?;
    Ok((Talk { visitor, chat, feed }, ((first - asked).as_secs_f64() - delay.as_secs_f64()) * 1e3))
}
