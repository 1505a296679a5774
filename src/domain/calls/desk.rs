//! Where calls are taken and written down, many at a time: while one statement is under way the next ones gather, so that a busy
//! gateway costs the database little and an idle one makes nobody wait. What must not live here: what is called.

use super::store;
use crate::{
    app::App,
    base::{
        Error, Result,
        db::answered,
        error::Allowance,
        ids::{CallId, UserId},
    },
    domain::{
        accounts::Viewer,
        ledger,
        limits::{self, Asks, Granted},
    },
};
use std::{
    collections::HashSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{mpsc, oneshot},
    time::{interval, sleep},
};

/// Calls that one statement takes or writes down.
const MANY: usize = 500;
/// Calls that wait to be taken; who comes beyond waits to wait.
const QUEUE: usize = 1000;
/// The pause between two statements that take, when several waited for the first: so that more wait for the second.
const GATHER: Duration = Duration::from_millis(1);
/// The shortest pause between two statements that write down.
const PAUSE: Duration = Duration::from_millis(20);
/// Who was not counted by then is told to come again.
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
    asks: mpsc::Sender<Waiting>,
    notes: mpsc::UnboundedSender<Note>,
    /// Calls under way for which something is reserved.
    reserved: Mutex<HashSet<CallId>>,
}

struct Waiting {
    user: UserId,
    administrator: bool,
    answer: oneshot::Sender<Result<Taken>>,
}

/// A call that may be made.
#[derive(Debug, Clone)]
pub struct Taken {
    pub allowance: Option<Allowance>,
    /// In micro-units, if a budget is to be held against it: one's own (0: none) beside those of one's groups.
    pub budget: Option<i64>,
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
        let (asks, asked) = mpsc::channel(QUEUE);
        let (notes, noted) = mpsc::unbounded_channel();
        let desk = Self(Arc::new(Inner { asks, notes, reserved: Mutex::default() }));
        app.tasks.spawn(take_all(app.clone(), asked));
        app.tasks.spawn(note_all(app.clone(), noted));
        app.tasks.spawn(keep_reserved(app.clone(), desk.clone()));
        desk
    }

    /// Takes one call of what somebody has.
    ///
    /// # Errors
    /// [`Error::Limited`] when there is nothing left.
    pub async fn take(&self, viewer: &Viewer) -> Result<Taken> {
        let (answer, answered) = oneshot::channel();
        let waiting = Waiting { user: viewer.id, administrator: viewer.administrator, answer };
        let closed = || Error::Unavailable("the process is ending".to_owned());
        self.0.asks.send(waiting).await.map_err(|_| closed())?;
        answered.await.map_err(|_| closed())?
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

async fn take_all(app: App, mut asked: mpsc::Receiver<Waiting>) {
    let mut waiting = Vec::new();
    loop {
        tokio::select! {
            () = app.stopping.over.cancelled() => return,
            n = asked.recv_many(&mut waiting, MANY) => if n == 0 { return },
        }
        // whoever has left needs none
        waiting.retain(|one| !one.answer.is_closed());
        let mut people: Vec<Asks> = Vec::new();
        for Waiting { user, administrator, .. } in &waiting {
            match people.iter_mut().find(|asks| asks.user == *user) {
                Some(asks) => asks.wanted += 1,
                None => people.push(Asks { user: *user, administrator: *administrator, wanted: 1 }),
            }
        }
        if people.is_empty() {
            continue;
        }
        let busy = waiting.len() > 1;
        let granted = answered(PATIENCE, limits::take_calls(&app, &people)).await;
        match granted {
            Ok(granted) => hand_out(waiting.drain(..), &granted),
            Err(error) => {
                tracing::warn!(%error, "calls could not be counted");
                for one in waiting.drain(..) {
                    let _ = one.answer.send(Err(Error::Unavailable("calls could not be counted".to_owned())));
                }
            }
        }
        if busy {
            sleep(GATHER).await;
        }
    }
}

/// In the order in which they came.
fn hand_out(waiting: impl Iterator<Item = Waiting>, granted: &[Granted]) {
    let mut given = vec![0; granted.len()];
    for Waiting { user, answer, .. } in waiting {
        let Some(place) = granted.iter().position(|granted| granted.user == user) else { continue };
        let (granted, given) = (&granted[place], &mut given[place]);
        let result = if *given < granted.taken {
            *given += 1;
            let budget = granted.is_counted().then_some(granted.own);
            Ok(Taken { allowance: granted.allowance(*given), budget })
        } else {
            Err(granted.refusal())
        };
        let _ = answer.send(result); // they have left, and their call counts
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
            n = noted.recv_many(&mut notes, MANY) => if n == 0 { return },
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
