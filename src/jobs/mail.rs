//! Sending letters: what is due is claimed, put into words, and handed over.

use crate::{
    app::App,
    base::Error,
    domain::{accounts::recovery, mail},
    views,
};
use std::{sync::Arc, time::Duration};
use tokio::sync::Semaphore;

/// How often what is due is looked for, even if no bell rang.
const LOOK: Duration = Duration::from_secs(15);
/// Letters on their way at once, in one process. A slow server holds up no more than these.
const AT_ONCE: usize = 4;

/// Who sends, in this process.
#[derive(Clone)]
pub struct Senders(Arc<Semaphore>);

impl Senders {
    pub fn new() -> Self {
        Self(Arc::new(Semaphore::new(AT_ONCE)))
    }

    /// Grants wishes, and sends what is due, if this process is not as busy with that as it may be: whoever is looks again.
    pub fn look(&self, app: &App) {
        let (app, senders) = (app.clone(), self.0.clone());
        app.tasks.clone().spawn(async move {
            said(recovery::grant_wishes(&app).await);
            let Ok(_permit) = senders.try_acquire_owned() else { return };
            while !app.stopping.begun.is_cancelled() {
                match mail::claim(&app).await {
                    Ok(Some(claim)) => said(mail::deliver(&app, &claim, &views::mail::write(&claim.letter)).await),
                    Ok(None) => return,
                    Err(error) => return said(Err(error)),
                }
            }
        });
    }
}

/// Looks from time to time: a call that was lost costs only time.
pub async fn look_often(app: App, senders: Senders) {
    let mut timer = tokio::time::interval(LOOK);
    loop {
        tokio::select! {
            () = app.stopping.begun.cancelled() => return,
            _ = timer.tick() => senders.look(&app),
        }
    }
}

fn said(result: Result<(), Error>) {
    if let Err(error) = result {
        tracing::warn!(%error, "the mail could not be looked after");
    }
}
