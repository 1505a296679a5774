//! Where calls are taken (taking.rs), and written down many at a time, so that a busy gateway costs the database little. What must not
//! live here: what is called.

use super::{
    store,
    taking::{Taken, Taking},
};
use crate::{
    app::App,
    base::{Result, db::answered, ids::CallId},
    domain::{accounts::Viewer, ledger},
};
use std::{
    collections::HashSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    sync::mpsc,
    time::{interval, sleep},
};

/// Calls that one statement writes down.
const MANY: usize = 500;
/// The pause between two times that calls are written down. What a crash loses of the ledger is no older.
const PAUSE: Duration = Duration::from_millis(100);
/// Then it is tried again.
const PATIENCE: Duration = Duration::from_secs(5);
/// When the database did not answer.
const AGAIN: Duration = Duration::from_secs(1);
/// Calls that are remembered while it does not; later ones are missing in the ledger.
const MOST: usize = 100_000;
/// How often a process says that its calls are under way; what was not heard of for four times as long is over.
const EVERY: Duration = Duration::from_secs(30);

/// See the head of this file.
#[derive(Clone)]
pub struct Desk(Arc<Inner>);

struct Inner {
    taking: Taking,
    notes: mpsc::UnboundedSender<Note>,
    /// Calls under way for which something is reserved.
    reserved: Mutex<HashSet<CallId>>,
}

/// Something to be written down.
struct Note {
    entry: Option<ledger::Call>,
    over: Option<CallId>,
}

impl Desk {
    /// A desk of this process, which works until the process ends.
    #[must_use]
    pub fn new(app: &App) -> Self {
        let (notes, noted) = mpsc::unbounded_channel();
        let desk = Self(Arc::new(Inner { taking: Taking::start(app), notes, reserved: Mutex::default() }));
        app.tasks.spawn(note_all(app.clone(), noted));
        app.tasks.spawn(keep_reserved(app.clone(), desk.clone()));
        desk
    }

    /// Takes one call of what somebody has.
    ///
    /// # Errors
    /// [`Error::Limited`](crate::base::Error::Limited) when there is nothing left.
    pub async fn take(&self, viewer: &Viewer) -> Result<Taken> {
        self.0.taking.take(viewer).await
    }

    /// Something is reserved for this call.
    pub fn reserved(&self, call: CallId) {
        self.reserved_calls().insert(call);
    }

    /// Writes a request to a provider down.
    pub fn note(&self, entry: ledger::Call) {
        let _ = self.0.notes.send(Note { entry: Some(entry), over: None }); // nobody listens any more: the process ends
    }

    /// Gives back what was reserved for this call.
    pub fn over(&self, call: CallId) {
        self.reserved_calls().remove(&call);
        let _ = self.0.notes.send(Note { entry: None, over: Some(call) });
    }

    fn reserved_calls(&self) -> MutexGuard<'_, HashSet<CallId>> {
        self.0.reserved.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn note_all(app: App, mut noted: mpsc::UnboundedReceiver<Note>) {
    let mut notes = Vec::new();
    loop {
        tokio::select! {
            () = app.stopping.over.cancelled() => {
                while let Ok(note) = noted.try_recv() {
                    notes.push(note);
                }
                let _ = write(&app, &mut notes).await;
                return;
            }
            n = noted.recv_many(&mut notes, MOST) => if n == 0 { return },
        }
        let pause = if write(&app, &mut notes).await { PAUSE } else { AGAIN };
        if notes.len() > MOST {
            let lost = notes.len() - MOST;
            tracing::error!(lost, "the database is away for so long that calls are missing in the ledger");
            notes.drain(..lost);
        }
        tokio::select! { () = app.stopping.over.cancelled() => {}, () = sleep(pause) => {} }
    }
}

/// Whether all is written; what could not be stays. One that can never be written keeps nobody else from it.
async fn write(app: &App, notes: &mut Vec<Note>) -> bool {
    let mut size = MANY;
    while !notes.is_empty() {
        let piece = &notes[..notes.len().min(size)];
        let entries: Vec<_> = piece.iter().filter_map(|note| note.entry.as_ref()).collect();
        let over: Vec<_> = piece.iter().filter_map(|note| note.over).collect();
        let length = piece.len();
        let noting = async { Ok(ledger::note_calls(&app.pools.jobs, &entries, &over).await?) };
        match answered(PATIENCE, noting).await {
            Ok(()) => {}
            Err(error) if error.is_passing() => {
                tracing::warn!(%error, "calls could not be written down; trying again");
                return false;
            }
            Err(_) if length > 1 => {
                size = 1;
                continue;
            }
            Err(error) => tracing::error!(%error, "a call is missing in the ledger"),
        }
        notes.drain(..length);
    }
    true
}

/// Says that calls are under way, and gives back what processes left reserved that are gone.
async fn keep_reserved(app: App, desk: Desk) {
    let mut timer = interval(EVERY);
    loop {
        tokio::select! {
            () = app.stopping.over.cancelled() => return,
            _ = timer.tick() => {}
        }
        let mine: Vec<_> = desk.reserved_calls().iter().copied().collect();
        let kept = async {
            store::still_under_way(&app.pools.jobs, &mine).await?;
            let lost = store::lost(&app.pools.jobs, (EVERY * 4).as_secs_f64()).await?;
            if !lost.is_empty() {
                ledger::note_calls(&app.pools.jobs, &[], &lost).await?;
            }
            Ok(())
        };
        if let Err(error) = answered(EVERY, kept).await {
            tracing::warn!(%error, "what is reserved for calls could not be looked after");
        }
    }
}
