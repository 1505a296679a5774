//! Where calls are taken and written down, many at a time: while one statement is under way the next ones gather, so that a busy
//! gateway costs the database little and an idle one makes nobody wait. For somebody who makes many, some are taken ahead. What must not
//! live here: what is called.

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
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
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
/// The pause between two times that calls are written down. What a crash loses of the ledger is no older.
const PAUSE: Duration = Duration::from_millis(100);
/// At most so many are taken ahead.
const MORE: i32 = 500;
/// So long those are good, and what was found with them: whether somebody has a limit, and a budget.
const GOOD: Duration = Duration::from_secs(1);
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
    known: Mutex<Known>,
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

/// What was taken last for whom, and what of it is left over from before.
#[derive(Default)]
struct Known {
    last: HashMap<UserId, Ahead>,
    over: Vec<Ahead>,
}

impl Known {
    fn good(&mut self, user: UserId) -> Option<&mut Ahead> {
        self.last.get_mut(&user).filter(|ahead| ahead.is_good())
    }

    /// Forgets what is good no longer, or all of it; what is left of that.
    fn over(&mut self, all: bool) -> Vec<Ahead> {
        let old = self.last.extract_if(|_, ahead| all || !ahead.is_good()).map(|(_, ahead)| ahead);
        self.over.extend(old);
        let left = std::mem::take(&mut self.over).into_iter().filter(|ahead| ahead.left() > 0);
        left.collect()
    }
}

/// Calls that were taken for somebody, of which some may be left.
struct Ahead {
    granted: Granted,
    given: i32,
    taken_at: Instant,
}

impl Ahead {
    fn is_good(&self) -> bool {
        self.taken_at.elapsed() < GOOD
    }

    fn left(&self) -> i32 {
        self.granted.taken + self.granted.ahead - self.given
    }

    fn next(&mut self) -> Taken {
        self.given += 1;
        Taken::of(&self.granted, self.given)
    }
}

impl Taken {
    /// One of these, after which so many are given.
    fn of(granted: &Granted, given: i32) -> Self {
        Self { allowance: granted.allowance(given), budget: granted.is_counted().then_some(granted.own) }
    }
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
        let desk = Self(Arc::new(Inner { asks, notes, known: Mutex::default(), reserved: Mutex::default() }));
        app.tasks.spawn(take_all(app.clone(), desk.clone(), asked));
        app.tasks.spawn(give_back(app.clone(), desk.clone()));
        app.tasks.spawn(note_all(app.clone(), noted));
        app.tasks.spawn(keep_reserved(app.clone(), desk.clone()));
        desk
    }

    /// Takes one call of what somebody has.
    ///
    /// # Errors
    /// [`Error::Limited`] when there is nothing left.
    pub async fn take(&self, viewer: &Viewer) -> Result<Taken> {
        if let Some(taken) = self.take_known(viewer.id) {
            return Ok(taken);
        }
        let (answer, answered) = oneshot::channel();
        let waiting = Waiting { user: viewer.id, administrator: viewer.administrator, answer };
        let closed = || Error::Unavailable("the process is ending".to_owned());
        self.0.asks.send(waiting).await.map_err(|_| closed())?;
        answered.await.map_err(|_| closed())?
    }

    /// One that was taken ahead.
    fn take_known(&self, user: UserId) -> Option<Taken> {
        self.known().good(user).filter(|ahead| ahead.left() > 0).map(Ahead::next)
    }

    /// As many are taken ahead for somebody who wants so many at once: twice as many as they made of the last ones, if these are gone
    /// before their time.
    fn more(&self, user: UserId, wanted: i32) -> i32 {
        let made = self.known().good(user).map_or(0, |ahead| ahead.given);
        (made * 2).max(wanted - 1).min(MORE)
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

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn reserved_calls(&self) -> MutexGuard<'_, HashSet<CallId>> {
        self.0.reserved.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn take_all(app: App, desk: Desk, mut asked: mpsc::Receiver<Waiting>) {
    let mut waiting = Vec::new();
    loop {
        tokio::select! {
            () = app.stopping.over.cancelled() => return,
            n = asked.recv_many(&mut waiting, MANY) => if n == 0 { return },
        }
        let busy = waiting.len() > 1;
        // whoever has left needs none, and some may have been taken ahead meanwhile
        let mut people: Vec<Asks> = Vec::new();
        let mut rest = Vec::new();
        for one in waiting.drain(..).filter(|one| !one.answer.is_closed()) {
            if let Some(taken) = desk.take_known(one.user) {
                let _ = one.answer.send(Ok(taken)); // they have left, and their call counts
                continue;
            }
            match people.iter_mut().find(|asks| asks.user == one.user) {
                Some(asks) => asks.wanted += 1,
                None => people.push(Asks { user: one.user, administrator: one.administrator, wanted: 1, more: 0 }),
            }
            rest.push(one);
        }
        if people.is_empty() {
            continue;
        }
        people.iter_mut().for_each(|asks| asks.more = desk.more(asks.user, asks.wanted));
        match answered(PATIENCE, limits::take_calls(&app, &people)).await {
            Ok(granted) => desk.hand_out(rest, granted),
            Err(error) => {
                tracing::warn!(%error, "calls could not be counted");
                for one in rest {
                    let _ = one.answer.send(Err(Error::Unavailable("calls could not be counted".to_owned())));
                }
            }
        }
        if busy {
            sleep(GATHER).await;
        }
    }
}

impl Desk {
    /// In the order in which they came; what was taken ahead is kept.
    fn hand_out(&self, waiting: Vec<Waiting>, granted: Vec<Granted>) {
        let now = Instant::now();
        let mut all: Vec<_> = granted.into_iter().map(|granted| Ahead { granted, given: 0, taken_at: now }).collect();
        for Waiting { user, answer, .. } in waiting {
            let Some(ahead) = all.iter_mut().find(|ahead| ahead.granted.user == user) else { continue };
            let enough = ahead.given < ahead.granted.taken;
            let _ = answer.send(if enough { Ok(ahead.next()) } else { Err(ahead.granted.refusal()) });
        }
        let mut known = self.known();
        for ahead in all {
            let before = known.last.insert(ahead.granted.user, ahead);
            known.over.extend(before);
        }
    }
}

/// What was taken ahead and is not wanted is counted no more, also when the process ends.
async fn give_back(app: App, desk: Desk) {
    loop {
        let ends = tokio::select! {
            () = app.stopping.over.cancelled() => true,
            () = sleep(GOOD / 2) => false,
        };
        let over = desk.known().over(ends);
        for ahead in over {
            let given_back = answered(PATIENCE, limits::give_back_calls(&app, &ahead.granted, ahead.left())).await;
            if let Err(error) = given_back {
                tracing::warn!(%error, "calls that were not made count for an hour");
            }
        }
        if ends {
            return;
        }
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
