//! The sweep: in every process, again and again. Settles answers whose worker is gone, stops those of accounts that are
//! disabled, lets lines go on that were left standing, and rings for those that wait too long.

use super::{
    Look,
    finish::{Why, settle},
    line, stop, store,
};
use crate::{
    app::App,
    base::{
        Result,
        config::seconds,
        db::{NO_ANSWER, answered},
        metrics::metrics,
        queue,
    },
};
use tokio::time::Instant;

/// Sweeps until the process ends. After the database was out of reach it waits one lease first, so that workers which
/// are alive can renew theirs: an outage interrupts nobody.
pub async fn sweep(app: App) {
    let every = seconds(app.config.generation.sweep);
    let mut not_before = Instant::now();
    loop {
        tokio::select! {
            () = app.stopping.over.cancelled() => return,
            () = tokio::time::sleep(every) => {}
        }
        if Instant::now() < not_before {
            continue;
        }
        if let Err(error) = answered(NO_ANSWER, once(&app)).await {
            tracing::warn!(%error, "the sweep was not possible");
            not_before = Instant::now() + seconds(app.config.generation.lease);
        }
    }
}

async fn once(app: &App) -> Result<()> {
    for (chat, message) in store::orphans(&app.pools.jobs, 200).await? {
        let mut tx = app.pools.jobs.begin().await?;
        let events = settle(&mut tx, chat, message, Why::Orphaned).await?;
        tx.commit().await?;
        if let Some(events) = events {
            metrics().leases_expired.increment(1);
            tracing::info!(%chat, %message, "an answer whose worker is gone was settled");
            app.feed.hub.deliver(chat, events);
        }
    }
    for chat in store::stop::chats_of_the_disabled(&app.pools.jobs, 200).await? {
        stop::withdraw_in(app, chat).await?;
    }
    for (chat, after) in store::line::left_standing(&app.pools.jobs, 200).await? {
        line::catch_up(app, chat, after).await?;
    }
    let mut tx = app.pools.jobs.begin().await?;
    for generation_id in store::overdue(&mut tx, 200).await? {
        queue::enqueue(&mut tx, &Look::at(generation_id)).await?;
    }
    tx.commit().await?;
    Ok(())
}
