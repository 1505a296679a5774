//! Group commit: the pieces of all answers that this process makes go into one statement at a time. The first piece of
//! an answer is written at once; those that follow gather for `feed.gather_ms`, and for longer when the database is
//! slow. Nothing is handed to a reader before it is committed.

use super::{
    Event, What,
    hub::Hub,
    pending::Pending,
    store::{self, Backend, Delta, Fate},
};
use crate::base::{
    Result,
    db::{NO_ANSWER, answered},
    ids::{ChatId, GenerationId, MessageId},
    metrics::metrics,
};
use sqlx::{PgPool, Postgres, pool::PoolConnection};
use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};
use tokio::{sync::Notify, time::Instant};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Bytes of one answer that may wait for the database before its provider is no longer read.
const MAX_WAITING: usize = 256 * 1024;
/// Bytes of one batch.
const MAX_BATCH: usize = 4 * 1024 * 1024;
/// Rows of one batch.
const MAX_ROWS: usize = 500;
/// Between two commits, however urgent.
const BREATH: Duration = Duration::from_millis(5);
/// A commit takes at most one part in so many of the time, and more gathers meanwhile.
const SHARE: u32 = 10;
/// Gathering never lasts longer, however slow the database is and however many answers are being made.
const MAX_GATHER: Duration = Duration::from_millis(400);
/// So much longer it lasts for each answer that is being made: with many of them, what a batch costs in all counts for more
/// than that each is shown a moment sooner. With 60 of them an answer grows five times a second, with 160 and more every
/// 0.4 s.
const EACH: Duration = Duration::from_millis(2);
/// So long before a batch of all answers is taken, those that read providers are called to bring what has come.
const CALL_AHEAD: Duration = Duration::from_millis(4);
/// A chat whose head is always held by somebody else is waited for after this long, by a statement of its own.
const PATIENCE: Duration = Duration::from_secs(1);

/// Whose pieces they are: one attempt at one answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stream {
    pub chat: ChatId,
    pub generation: GenerationId,
    pub epoch: i32,
    pub message: MessageId,
}

/// The attempt is no longer this worker's: it has to stop, and nothing of it was written since.
#[derive(Debug, PartialEq, Eq)]
pub struct Lost;

/// What waits to be written, and when it is to be.
#[derive(Default)]
struct Desk {
    streams: HashMap<GenerationId, Pending>,
    /// The first piece of some answer waits.
    urgent: bool,
    /// Something waits.
    waiting: bool,
}

struct Inner {
    db: PgPool,
    hub: Arc<Hub>,
    sender: Arc<str>,
    gather: Duration,
    desk: Mutex<Desk>,
    wake: Notify,
    done: Notify,
    call: Notify,
    tasks: TaskTracker,
}

/// The connection that batches go by.
struct Line {
    conn: PoolConnection<Postgres>,
    backend: Backend,
}

/// The one writer of this process.
#[derive(Clone)]
pub struct Writer(Arc<Inner>);

impl Writer {
    pub(super) fn start(
        db: PgPool,
        hub: Arc<Hub>,
        sender: Arc<str>,
        gather: Duration,
        tasks: &TaskTracker,
        stop: &CancellationToken,
    ) -> Self {
        let (desk, wake, done, call) = (Mutex::default(), Notify::new(), Notify::new(), Notify::new());
        let inner = Arc::new(Inner { db, hub, sender, gather, desk, wake, done, call, tasks: tasks.clone() });
        let stop = stop.clone();
        let ours = inner.clone();
        tasks.spawn(async move {
            tokio::select! { () = ours.run() => {}, () = stop.cancelled() => {} }
        });
        Self(inner)
    }

    /// Begins an attempt at an answer that has `prefix` bytes of text already. Pieces may be pushed until it is ended.
    /// An earlier attempt at the same answer, whose lease was lost while this process slept, is fenced off by it.
    pub fn begin(&self, stream: Stream, prefix: usize) {
        self.0.desk().streams.insert(stream.generation, Pending::new(stream, prefix));
    }

    /// Adds a piece. Waits while too much of this answer is not committed yet.
    ///
    /// # Errors
    /// [`Lost`] when the attempt is fenced off.
    pub async fn push(&self, stream: &Stream, piece: &str, reasoning: bool) -> Result<(), Lost> {
        loop {
            let room = self.0.done.notified();
            if self.0.take_in(stream, piece, reasoning)? {
                return Ok(());
            }
            room.await;
        }
    }

    /// Waits until a batch is about to be taken, but no longer than the longest gathering. Whoever has brought a first
    /// piece may leave the provider's connection alone until then: what comes meanwhile could not be written earlier, and
    /// is read at one go.
    pub async fn called(&self) {
        let _ = tokio::time::timeout(MAX_GATHER.max(self.0.gather), self.0.call.notified()).await;
    }

    /// Ends the attempt, once nothing of it is being written. What is not written yet comes back: it belongs into the
    /// transaction of the end.
    ///
    /// # Errors
    /// [`Lost`] when the attempt is fenced off.
    pub async fn end(&self, stream: &Stream) -> Result<Vec<What>, Lost> {
        loop {
            let change = self.0.done.notified();
            {
                let mut desk = self.0.desk();
                let Some(pending) = desk.streams.get(&stream.generation).filter(|p| p.stream == *stream) else {
                    return Err(Lost);
                };
                if pending.lost {
                    desk.streams.remove(&stream.generation);
                    return Err(Lost);
                }
                if !pending.in_flight {
                    let rest = desk.streams.remove(&stream.generation).map(|mut pending| pending.take());
                    return Ok(rest.unwrap_or_default().into_iter().map(|delta| delta.what).collect());
                }
            }
            change.await;
        }
    }

    /// Ends the attempt; what is not committed is forgotten.
    pub fn abandon(&self, stream: &Stream) {
        let mut desk = self.0.desk();
        if desk.streams.get(&stream.generation).is_some_and(|p| p.stream == *stream) {
            desk.streams.remove(&stream.generation);
        }
    }
}

impl Inner {
    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().expect("nothing panics while holding it")
    }

    /// Says whether there was room for the piece.
    fn take_in(&self, stream: &Stream, piece: &str, reasoning: bool) -> Result<bool, Lost> {
        let mut desk = self.desk();
        let Desk { streams, urgent, waiting } = &mut *desk;
        let ours = streams.get_mut(&stream.generation).filter(|p| p.stream == *stream && !p.lost);
        let Some(pending) = ours else { return Err(Lost) };
        if pending.waiting() >= MAX_WAITING {
            return Ok(false);
        }
        pending.add(piece, reasoning);
        let rings = !*waiting || (pending.fresh && !*urgent);
        *waiting = true;
        *urgent |= pending.fresh;
        drop(desk);
        if rings {
            self.wake.notify_one();
        }
        Ok(true)
    }

    async fn run(self: &Arc<Self>) {
        let mut line = None;
        let mut began = Instant::now() - MAX_GATHER;
        // at least, after the last commit
        let mut pause = Duration::ZERO;
        loop {
            let (when, gather) = {
                let desk = self.desk();
                let busy = desk.waiting || !desk.streams.is_empty();
                let gather = self.gather_for(desk.streams.len()).max(pause);
                (busy.then(|| began + if desk.urgent { BREATH } else { gather }), gather)
            };
            match when {
                None => self.wake.notified().await,
                Some(when) if when > Instant::now() => {
                    tokio::select! { () = tokio::time::sleep_until(when) => {}, () = self.wake.notified() => {} }
                }
                Some(_) => {
                    let all = began + gather <= Instant::now();
                    if all {
                        self.call.notify_waiters();
                        tokio::time::sleep(CALL_AHEAD).await;
                        began = Instant::now();
                    }
                    for patient in self.take_held() {
                        let ours = self.clone();
                        self.tasks.spawn(async move { ours.write(&mut None, patient, true).await });
                    }
                    let batch = self.take(all);
                    if batch.is_empty() {
                        continue;
                    }
                    let took = Instant::now();
                    self.write(&mut line, batch, false).await;
                    pause = (took.elapsed() * SHARE).min(MAX_GATHER);
                    if !all {
                        // what is urgent has its breath too
                        tokio::time::sleep(BREATH.saturating_sub(took.elapsed())).await;
                    }
                }
            }
        }
    }

    /// How long pieces gather while so many answers are being made.
    fn gather_for(&self, streams: usize) -> Duration {
        let more = EACH * u32::try_from(streams).unwrap_or(u32::MAX).min(1000);
        (self.gather + more).min(MAX_GATHER).max(self.gather)
    }

    /// What is pending, as one batch: of each answer its reasoning, then its text. Not `all`: only of answers that
    /// nothing was written of yet.
    fn take(&self, all: bool) -> Vec<Delta> {
        let mut batch = Vec::new();
        let mut bytes = 0;
        let mut desk = self.desk();
        let Desk { streams, urgent, waiting } = &mut *desk;
        let mut full = false;
        for pending in streams.values_mut().filter(|p| p.is_ready() && (all || p.fresh)) {
            if bytes > MAX_BATCH || batch.len() >= MAX_ROWS {
                full = true;
                break;
            }
            bytes += pending.waiting();
            batch.extend(pending.take());
        }
        *urgent = full;
        *waiting = full || (!all && streams.values().any(Pending::is_ready));
        batch
    }

    /// What waits for the head of its chat for too long, each chat by itself.
    fn take_held(&self) -> Vec<Vec<Delta>> {
        let mut chats: BTreeMap<ChatId, Vec<Delta>> = BTreeMap::new();
        let mut desk = self.desk();
        for pending in desk.streams.values_mut().filter(|p| p.is_ready()) {
            if pending.held.is_some_and(|since| since.elapsed() > PATIENCE) {
                chats.entry(pending.stream.chat).or_default().extend(pending.take());
            }
        }
        chats.into_values().collect()
    }

    /// Writes a batch, hands out what was written, and puts back what was not. The writer keeps one connection.
    async fn write(self: &Arc<Self>, line: &mut Option<Line>, batch: Vec<Delta>, patient: bool) {
        let began = Instant::now();
        let result = match self.connected(line).await {
            Ok(conn) => answered(NO_ANSWER, store::write(conn, &batch, &self.sender, patient)).await,
            Err(error) => Err(error),
        };
        match result {
            Ok(fates) => {
                metrics().committed(batch.len(), began.elapsed());
                self.settle(batch, &fates);
            }
            Err(error) => {
                tracing::warn!(%error, rows = batch.len(), "a batch of the feed was not written; trying again");
                let line = line.take();
                let backend = line.as_ref().map(|line| line.backend.clone());
                drop(line.map(|line| line.conn.detach()));
                self.recover(batch, backend).await;
            }
        }
        self.done.notify_waiters();
        self.wake.notify_one();
    }

    async fn connected<'a>(&self, line: &'a mut Option<Line>) -> Result<&'a mut PoolConnection<Postgres>> {
        let line = if let Some(line) = line {
            line
        } else {
            let mut conn = self.db.acquire().await?;
            let backend = store::backend(&mut conn).await?;
            line.insert(Line { conn, backend })
        };
        Ok(&mut line.conn)
    }

    /// After a commit: hands out what was written, keeps what was busy, marks what was fenced.
    fn settle(&self, batch: Vec<Delta>, fates: &[Fate]) {
        let mut written: BTreeMap<ChatId, Vec<Event>> = BTreeMap::new();
        let mut arrived = Vec::new();
        {
            let mut desk = self.desk();
            let Desk { streams, waiting, .. } = &mut *desk;
            for (delta, fate) in batch.into_iter().zip(fates) {
                let pending = streams.get_mut(&delta.generation).filter(|p| p.stream.epoch == delta.epoch);
                match (fate, pending) {
                    (Fate::Written(seq), pending) => {
                        if let Some(pending) = pending {
                            arrived.extend(pending.written());
                            *waiting |= pending.waiting() > 0;
                        }
                        let event = Event { seq: *seq, message_id: delta.message, what: delta.what };
                        written.entry(delta.chat).or_default().push(event);
                    }
                    (Fate::Fenced, Some(pending)) => pending.lost = true,
                    (Fate::Busy, Some(pending)) => {
                        *waiting = true;
                        pending.put_back(&delta, 0);
                        pending.held.get_or_insert_with(Instant::now);
                    }
                    (_, None) => {}
                }
            }
        }
        for (chat, events) in written {
            self.hub.deliver(chat, events);
        }
        for since in arrived {
            metrics().lag_from_memory.record(since.elapsed());
        }
    }

    /// After a commit of unknown outcome: asks what is stored and keeps only the rest. What was stored reaches the
    /// readers through the log. Before that the server's side of the connection is ended: the batch may still be on its
    /// way, and would be written once more after the network is well again.
    async fn recover(&self, batch: Vec<Delta>, backend: Option<Backend>) {
        if let Some(backend) = backend {
            while !matches!(answered(NO_ANSWER, store::is_ended(&self.db, &backend)).await, Ok(true)) {
                tokio::time::sleep(BREATH * 4).await;
            }
        }
        let answers: Vec<_> = batch.iter().map(|delta| (delta.chat, delta.message)).collect();
        let stored = loop {
            match answered(NO_ANSWER, store::stored_bytes(&self.db, &answers)).await {
                Ok(stored) => break stored,
                Err(_) => tokio::time::sleep(MAX_GATHER).await,
            }
        };
        let mut desk = self.desk();
        let Desk { streams, waiting, .. } = &mut *desk;
        // the last piece first: each is put before what has come since
        for delta in batch.into_iter().rev() {
            let Some(pending) = streams.get_mut(&delta.generation).filter(|p| p.stream.epoch == delta.epoch) else {
                continue;
            };
            let (text, reasoning) = stored.get(&delta.message).copied().unwrap_or_default();
            let kept = if matches!(delta.what, What::Reasoning { .. }) { reasoning } else { text };
            pending.put_back(&delta, kept);
            *waiting |= pending.waiting() > 0;
        }
        drop(desk);
        self.hub.ring_all();
    }
}

#[cfg(test)]
mod tests;
