//! ENTRANCE for work: the queues, one short handler each, and the schedules, all listed here.
//! What must not live here: what a job does; that is an act of the product.

use crate::{
    app::App,
    base::{queue, sessions},
    domain::{
        catalog, chats, feed,
        generation::{self, Look},
        import::{self, Bring},
    },
};
use std::{sync::atomic::Ordering, time::Duration};

/// Starts everything that a process with jobs does: the queues, the leases, the schedules.
pub fn start(app: &App) {
    app.running.here.store(true, Ordering::Relaxed);
    let ours = app.clone();
    app.tasks.spawn(queue::work(
        app.pools.listen.clone(),
        Duration::from_millis(app.config.queue.poll_ms),
        app.stopping.begun.clone(),
        move |job: Look| {
            // returns at once: the row is the truth, the job only called
            if job.title {
                generation::title(&ours, job.generation_id);
            } else {
                generation::look(&ours, job.generation_id);
            }
            std::future::ready(())
        },
    ));
    let ours = app.clone();
    app.tasks.spawn(queue::work(
        app.pools.listen.clone(),
        Duration::from_millis(app.config.queue.poll_ms),
        app.stopping.begun.clone(),
        move |job: Bring| {
            import::take_up(&ours, job.import_id);
            std::future::ready(())
        },
    ));
    app.tasks.spawn(generation::renew_leases(app.clone()));
    app.tasks.spawn(catalog::keep_fresh(app.clone()));
    app.tasks.spawn(hourly(app.clone()));
}

/// Starts what every process does, also one without jobs: settling what has lost its worker.
pub fn start_sweep(app: &App) {
    app.tasks.spawn(generation::sweep(app.clone()));
}

/// What is due every hour. Several processes may do it at once: each step is harmless when done twice.
async fn hourly(app: App) {
    let mut timer = tokio::time::interval(Duration::from_hours(1));
    loop {
        tokio::select! {
            () = app.stopping.begun.cancelled() => return,
            _ = timer.tick() => {}
        }
        let results = [
            ("partitions", chats::prepare_partitions(&app).await),
            ("deleted chats", chats::purge(&app).await),
            ("deleted messages", generation::purge(&app).await),
            ("the queue", queue::tidy(&app.pools.jobs).await),
            ("the feed", feed::store::trim(&app.pools.jobs).await),
            ("keys of forms", generation::forget_keys(&app).await),
            ("imports", import::care(&app).await),
            ("sessions", sessions::tidy(&app.pools.jobs).await),
        ];
        for (what, result) in results {
            if let Err(error) = result {
                tracing::warn!(%error, "the hourly care for {what} was not possible");
            }
        }
    }
}
