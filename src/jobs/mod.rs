//! ENTRANCE for work: the queues, one short handler each, and the schedules, all listed here.
//! What must not live here: what a job does; that is an act of the product.

mod mail;

use crate::{
    app::App,
    base::{
        presence,
        queue::{self, Queues},
        sessions,
    },
    domain::{
        catalog, chats,
        export::Told,
        feed,
        files::{self, Attached},
        generation::{self, Look},
        import::{self, Bring},
        limits, mail as letters, people, programs, providers,
        takeout::{self, Face},
        tokens, tries,
    },
    views::{
        Image,
        export::{self as look, Passage},
    },
};
use std::{sync::atomic::Ordering, time::Duration};

/// Starts everything that a process with jobs does: the queues, the leases, the schedules.
pub fn start(app: &App) {
    app.running.here.store(true, Ordering::Relaxed);
    let senders = mail::Senders::new();
    let queues = Queues::new(app.pools.listen.clone(), Duration::from_millis(app.config.queue.poll_ms));
    // each returns at once: the row is the truth, the job only called
    let (generate, bring, send, ringing) = (app.clone(), app.clone(), app.clone(), senders.clone());
    let queues = queues
        .with(move |job: Look| {
            if job.title {
                generation::title(&generate, job.generation_id);
            } else {
                generation::look(&generate, job.generation_id);
            }
            std::future::ready(())
        })
        .with(move |job: Bring| {
            import::take_up(&bring, job.import_id);
            std::future::ready(())
        })
        .with(move |_: letters::Look| {
            ringing.look(&send);
            std::future::ready(())
        });
    app.tasks.spawn(queues.work(app.stopping.begun.clone()));
    app.tasks.spawn(mail::look_often(app.clone(), senders));
    app.tasks.spawn(takeouts(app.clone()));
    app.tasks.spawn(generation::renew_leases(app.clone()));
    app.tasks.spawn(catalog::keep_fresh(app.clone()));
    app.tasks.spawn(hourly(app.clone()));
}

/// How a chat looks in a file of somebody's data.
const FACE: Face = Face { heading: look::heading, passage };

fn image(file: &Attached) -> Image {
    Image { id: file.id, name: file.name.clone(), width: file.width, height: file.height }
}

fn passage(Told { shown, .. }: &Told) -> String {
    look::passage(&Passage {
        mine: !shown.by_model,
        model: &shown.model,
        text: &shown.text,
        images: shown.images.iter().map(image).collect(),
        at: shown.created_at,
        reason: shown.reason.as_deref(),
    })
}

/// Makes the files of data that were asked for, and those whose worker is gone. They are too rare for a queue of their own,
/// which would hold a connection.
async fn takeouts(app: App) {
    loop {
        tokio::select! {
            () = app.stopping.begun.cancelled() => return,
            () = tokio::time::sleep(Duration::from_secs(1)) => {}
        }
        if let Err(error) = takeout::care(&app, FACE).await {
            tracing::warn!(%error, "files of data could not be looked after; trying again");
        }
    }
}

/// Starts what every process does, also one without jobs: settling what has lost its worker, letting accounts go,
/// and seeing which providers there are.
pub fn start_sweep(app: &App) {
    app.tasks.spawn(generation::sweep(app.clone()));
    app.tasks.spawn(people::look_after(app.clone()));
    app.tasks.spawn(providers::kept::watch(app.clone()));
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
            ("files", files::care(&app).await),
            ("the queue", queue::tidy(&app.pools.jobs).await),
            ("the feed", feed::store::trim(&app.pools.jobs).await),
            ("keys of forms", generation::forget_keys(&app).await),
            ("keys of providers", providers::care(&app).await),
            ("limits", limits::care(&app).await),
            ("tries of passwords", tries::care(&app).await),
            ("imports", import::care(&app).await),
            ("letters", letters::care(&app).await),
            ("tokens", tokens::tidy(&app.pools.jobs).await),
            ("sessions", sessions::tidy(&app.pools.jobs).await),
            ("files of data", takeout::tidy(&app).await),
            ("tokens of programs", programs::tidy(&app).await),
            ("the cache", app.cache.tidy().await),
            ("the list of processes", presence::tidy(&app.pools.jobs).await),
        ];
        for (what, result) in results {
            if let Err(error) = result {
                tracing::warn!(%error, "the hourly care for {what} was not possible");
            }
        }
    }
}
