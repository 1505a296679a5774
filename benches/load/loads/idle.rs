//! Doing nothing: memory of a program that waits, of readers of quiet chats, and the time to be ready.

use crate::{
    client::Feed,
    loads::stored::fill,
    measure::{family_memory, median, memory},
    report::{Report, round},
    world::World,
};
use futures::future::join_all;
use std::time::Duration;

/// Memory after many have signed up, after a start and a first visit, then with readers of quiet chats, each somebody else.
pub async fn idle(world: &mut World, report: &mut Report, readers: usize) -> anyhow::Result<()> {
    world.people(readers).await?;
    tokio::time::sleep(Duration::from_secs(5)).await;
    let signed_up = memory(world.parlor_pid())?;
    report.aim(format!("memory of the program after {readers} have signed up (RSS)"), signed_up.rss, "MB", 60.);
    world.restart().await?;
    world.visitors[0].page("/").await?;
    tokio::time::sleep(Duration::from_secs(5)).await;
    let before = memory(world.parlor_pid())?;
    let server = family_memory(world.postgres_pid());
    report.aim("memory of the program, idle (RSS)", before.rss, "MB", 60.);
    report.say(
        "the same, shared pages divided (PSS); PostgreSQL (PSS)",
        format!("{} MB; {} MB", round(before.pss), round(server)),
    );
    let mut chats = Vec::new();
    for visitor in 0..readers {
        chats.extend(fill(world, visitor, 1).await?.into_iter().map(|chat| (visitor, chat)));
    }
    let mut feeds = Vec::new();
    for some in chats.chunks(32) {
        let open = some.iter().map(|(visitor, chat)| follow(world, *visitor, chat));
        for feed in join_all(open).await {
            feeds.push(feed?);
        }
    }
    tokio::time::sleep(Duration::from_secs(12)).await;
    let cpu = world.cpu()?;
    tokio::time::sleep(Duration::from_secs(10)).await;
    let (later, after) = (world.cpu()?, memory(world.parlor_pid())?);
    let each = (after.rss - before.rss) * 1e3 / readers.max(1) as f64;
    report.say(
        format!("memory of the program per idle reader, of {readers}, each somebody else in a chat of their own"),
        format!("{} kB", round(each)),
    );
    let (program, postgres) = ((later.parlor - cpu.parlor) * 100., (later.postgres - cpu.postgres) * 100.);
    report.say(
        format!("CPU of program / PostgreSQL with these {readers} idle readers"),
        format!("{} / {} ms per second", round(program), round(postgres)),
    );
    Ok(())
}

async fn follow(world: &World, visitor: usize, chat: &str) -> anyhow::Result<Feed> {
    let mut feed = Feed::at(&world.visitors[visitor], chat, "0", "").await?;
    feed.more().await?;
    Ok(feed)
}

/// From the start of the program to its first good word about itself; the database is there and migrated.
pub async fn ready(world: &mut World, report: &mut Report) -> anyhow::Result<()> {
    let mut times = Vec::new();
    for _ in 0..5 {
        times.push(world.restart().await?.as_secs_f64());
    }
    report.aim("ready with an existing database, median of 5", median(&times), "s", 1.);
    Ok(())
}
