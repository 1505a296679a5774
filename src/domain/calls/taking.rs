//! Where calls are taken of what somebody has, many by one statement: while one is under way the next ones gather, so that an idle
//! gateway makes nobody wait. For somebody who makes many, some are taken ahead, and given back if they are not made. What must not
//! live here: how they are counted (domain/limits).

use crate::{
    app::App,
    base::{Error, Result, db::answered, error::Allowance, ids::UserId},
    domain::{
        accounts::Viewer,
        limits::{self, Asks, Granted},
    },
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tokio::{
    sync::{mpsc, oneshot},
    time::sleep,
};

/// Calls that one statement takes.
const MANY: usize = 500;
/// Calls that wait to be taken; who comes beyond waits to wait.
const QUEUE: usize = 1000;
/// The pause between two statements, when several waited for the first: so that more wait for the second.
const GATHER: Duration = Duration::from_millis(1);
/// At most so many are taken ahead.
const MORE: i32 = 500;
/// So long those are good, and what was found with them: whether somebody has a limit, and a budget.
const GOOD: Duration = Duration::from_secs(1);
/// Who was not counted by then is told to come again.
const PATIENCE: Duration = Duration::from_secs(5);

/// See the head of this file.
pub struct Taking {
    asks: mpsc::Sender<Waiting>,
    known: Arc<Mutex<Known>>,
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

    /// One that was taken ahead.
    fn take(&mut self, user: UserId) -> Option<Taken> {
        self.good(user).filter(|ahead| ahead.left() > 0).map(Ahead::next)
    }

    /// As many are taken ahead for somebody who wants so many at once: twice as many as they made of the last ones, if these are gone
    /// before their time.
    fn more(&mut self, user: UserId, wanted: i32) -> i32 {
        let made = self.good(user).map_or(0, |ahead| ahead.given);
        (made * 2).max(wanted - 1).min(MORE)
    }

    /// Hands out what was granted, in the order in which they came; what was taken ahead is kept.
    fn hand_out(&mut self, waiting: Vec<Waiting>, granted: Vec<Granted>) {
        let now = Instant::now();
        let mut all: Vec<_> = granted.into_iter().map(|granted| Ahead { granted, given: 0, taken_at: now }).collect();
        for Waiting { user, answer, .. } in waiting {
            let Some(ahead) = all.iter_mut().find(|ahead| ahead.granted.user == user) else { continue };
            let enough = ahead.given < ahead.granted.taken;
            let _ = answer.send(if enough { Ok(ahead.next()) } else { Err(ahead.granted.refusal()) });
        }
        for ahead in all {
            let before = self.last.insert(ahead.granted.user, ahead);
            self.over.extend(before);
        }
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
        let granted = &self.granted;
        Taken { allowance: granted.allowance(self.given), budget: granted.is_counted().then_some(granted.own) }
    }
}

impl Taking {
    /// Works until the process ends.
    #[must_use]
    pub fn start(app: &App) -> Self {
        let (asks, asked) = mpsc::channel(QUEUE);
        let known = Arc::<Mutex<Known>>::default();
        app.tasks.spawn(take_all(app.clone(), known.clone(), asked));
        app.tasks.spawn(give_back(app.clone(), known.clone()));
        Self { asks, known }
    }

    /// Takes one call of what somebody has.
    ///
    /// # Errors
    /// [`Error::Limited`] when there is nothing left.
    pub async fn take(&self, viewer: &Viewer) -> Result<Taken> {
        if let Some(taken) = lock(&self.known).take(viewer.id) {
            return Ok(taken);
        }
        let (answer, answered) = oneshot::channel();
        let waiting = Waiting { user: viewer.id, administrator: viewer.administrator, answer };
        let closed = || Error::Unavailable("the process is ending".to_owned());
        self.asks.send(waiting).await.map_err(|_| closed())?;
        answered.await.map_err(|_| closed())?
    }
}

fn lock(known: &Mutex<Known>) -> MutexGuard<'_, Known> {
    known.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn take_all(app: App, known: Arc<Mutex<Known>>, mut asked: mpsc::Receiver<Waiting>) {
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
            if let Some(taken) = lock(&known).take(one.user) {
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
        for asks in &mut people {
            asks.more = lock(&known).more(asks.user, asks.wanted);
        }
        match answered(PATIENCE, limits::take_calls(&app, &people)).await {
            Ok(granted) => lock(&known).hand_out(rest, granted),
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

/// What was taken ahead and is not wanted is counted no more, also when the process ends.
async fn give_back(app: App, known: Arc<Mutex<Known>>) {
    loop {
        let ends = tokio::select! {
            () = app.stopping.over.cancelled() => true,
            () = sleep(GOOD / 2) => false,
        };
        let over = lock(&known).over(ends);
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
