//! Group commit: the pieces of all answers that this process makes go into one statement at a time. While a commit is
//! under way the next batch gathers, so that an idle stream is written at once and busy ones batch by themselves.
//! Nothing is handed to a reader before it is committed.

use super::{
    Event, What,
    hub::Hub,
    store::{self, Delta, Fate},
};
use crate::base::ids::{ChatId, GenerationId, MessageId};
use sqlx::PgPool;
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

/// Text that is not committed yet; `at` bytes of its kind were before it.
#[derive(Default)]
struct Tail {
    at: usize,
    text: String,
}

struct Pending {
    stream: Stream,
    text: Tail,
    reasoning: Tail,
    in_flight: bool,
    lost: bool,
}

impl Pending {
    fn is_of(&self, stream: &Stream) -> bool {
        self.stream == *stream
    }

    fn waiting(&self) -> usize {
        self.text.text.len() + self.reasoning.text.len()
    }

    fn tail(&mut self, what: &What) -> &mut Tail {
        if matches!(what, What::Reasoning { .. }) { &mut self.reasoning } else { &mut self.text }
    }
}

struct Inner {
    db: PgPool,
    hub: Arc<Hub>,
    sender: String,
    gather: Duration,
    streams: Mutex<HashMap<GenerationId, Pending>>,
    wake: Notify,
    done: Notify,
}

/// The one writer of this process.
#[derive(Clone)]
pub struct Writer(Arc<Inner>);

impl Writer {
    pub(super) fn start(
        db: PgPool,
        hub: Arc<Hub>,
        sender: String,
        gather: Duration,
        tasks: &TaskTracker,
        stop: &CancellationToken,
    ) -> Self {
        let (streams, wake, done) = (Mutex::default(), Notify::new(), Notify::new());
        let inner = Arc::new(Inner { db, hub, sender, gather, streams, wake, done });
        let stop = stop.clone();
        let ours = inner.clone();
        tasks.spawn(async move {
            tokio::select! { () = ours.run() => {}, () = stop.cancelled() => {} }
        });
        Self(inner)
    }

    /// Begins an attempt. Pieces may be pushed until it is ended. An earlier attempt at the same answer, whose lease
    /// was lost while this process slept, is fenced off by it.
    pub fn begin(&self, stream: Stream) {
        let pending =
            Pending { stream, text: Tail::default(), reasoning: Tail::default(), in_flight: false, lost: false };
        self.0.streams().insert(stream.generation, pending);
    }

    /// Adds a piece. Waits while too much of this answer is not committed yet.
    ///
    /// # Errors
    /// [`Lost`] when the attempt is fenced off.
    pub async fn push(&self, stream: &Stream, piece: &str, reasoning: bool) -> Result<(), Lost> {
        loop {
            let room = self.0.done.notified();
            {
                let mut streams = self.0.streams();
                let Some(pending) = streams.get_mut(&stream.generation).filter(|p| p.is_of(stream) && !p.lost) else {
                    return Err(Lost);
                };
                if pending.waiting() < MAX_WAITING {
                    let tail = if reasoning { &mut pending.reasoning } else { &mut pending.text };
                    tail.text.push_str(piece);
                    self.0.wake.notify_one();
                    return Ok(());
                }
            }
            room.await;
        }
    }

    /// Waits until everything pushed is committed, and ends the attempt.
    ///
    /// # Errors
    /// [`Lost`] when the attempt is fenced off.
    pub async fn end(&self, stream: &Stream) -> Result<(), Lost> {
        loop {
            let change = self.0.done.notified();
            {
                let mut streams = self.0.streams();
                let Some(pending) = streams.get(&stream.generation).filter(|p| p.is_of(stream)) else {
                    return Err(Lost);
                };
                if pending.lost {
                    streams.remove(&stream.generation);
                    return Err(Lost);
                }
                if !pending.in_flight && pending.waiting() == 0 {
                    streams.remove(&stream.generation);
                    return Ok(());
                }
            }
            change.await;
        }
    }

    /// Ends the attempt; what is not committed is forgotten.
    pub fn abandon(&self, stream: &Stream) {
        let mut streams = self.0.streams();
        if streams.get(&stream.generation).is_some_and(|p| p.is_of(stream)) {
            streams.remove(&stream.generation);
        }
    }
}

impl Inner {
    fn streams(&self) -> MutexGuard<'_, HashMap<GenerationId, Pending>> {
        self.streams.lock().expect("nothing panics while holding it")
    }

    async fn run(&self) {
        let mut last = Instant::now() - self.gather;
        let mut waiting = false;
        loop {
            if !waiting {
                self.wake.notified().await;
            }
            tokio::time::sleep_until(last + self.gather).await;
            last = Instant::now();
            let batch = self.take();
            if batch.is_empty() {
                waiting = false;
                continue;
            }
            waiting = match store::write(&self.db, &batch, &self.sender).await {
                Ok(fates) => self.settle(batch, &fates),
                Err(error) => {
                    tracing::warn!(%error, rows = batch.len(), "a batch of the feed was not written; trying again");
                    self.recover(batch).await;
                    true
                }
            };
            self.done.notify_waiters();
        }
    }

    /// Everything pending, as one batch: of each answer its reasoning, then its text.
    fn take(&self) -> Vec<Delta> {
        let mut batch = Vec::new();
        let mut bytes = 0;
        for pending in self.streams().values_mut().filter(|p| !p.lost && p.waiting() > 0) {
            if bytes > MAX_BATCH {
                self.wake.notify_one();
                break;
            }
            bytes += pending.waiting();
            pending.in_flight = true;
            let Stream { chat, generation, epoch, message } = pending.stream;
            for reasoning in [true, false] {
                let tail = if reasoning { &mut pending.reasoning } else { &mut pending.text };
                if tail.text.is_empty() {
                    continue;
                }
                let text: Arc<str> = std::mem::take(&mut tail.text).into();
                let offset = tail.at;
                tail.at += text.len();
                let what = if reasoning { What::Reasoning { offset, text } } else { What::Text { offset, text } };
                batch.push(Delta { chat, generation, epoch, message, what });
            }
        }
        batch
    }

    /// After a commit: hands out what was written, keeps what was busy, marks what was fenced. Says whether something
    /// is to be tried again.
    fn settle(&self, batch: Vec<Delta>, fates: &[Fate]) -> bool {
        let mut written: BTreeMap<ChatId, Vec<Event>> = BTreeMap::new();
        let mut busy = false;
        {
            let mut streams = self.streams();
            for (delta, fate) in batch.into_iter().zip(fates) {
                let pending = streams.get_mut(&delta.generation).filter(|p| p.stream.epoch == delta.epoch);
                match (fate, pending) {
                    (Fate::Written(seq), pending) => {
                        let event = Event { seq: *seq, message_id: delta.message, what: delta.what };
                        written.entry(delta.chat).or_default().push(event);
                        if let Some(p) = pending {
                            p.in_flight = false;
                        }
                    }
                    (Fate::Fenced, Some(pending)) => pending.lost = true,
                    (Fate::Busy, Some(pending)) => {
                        busy = true;
                        pending.in_flight = false;
                        put_back(pending.tail(&delta.what), &delta.what, 0);
                    }
                    (_, None) => {}
                }
            }
        }
        for (chat, mut events) in written {
            events.sort_by_key(|e| e.seq);
            self.hub.deliver(chat, events);
        }
        busy
    }

    /// After a commit of unknown outcome: asks what is stored and keeps only the rest. What was stored reaches the
    /// readers through the log.
    async fn recover(&self, batch: Vec<Delta>) {
        let mut stored: HashMap<GenerationId, (usize, usize)> = HashMap::new();
        for delta in &batch {
            while !stored.contains_key(&delta.generation) {
                match store::stored_bytes(&self.db, delta.chat, delta.message).await {
                    Ok(bytes) => {
                        stored.insert(delta.generation, bytes);
                    }
                    Err(_) => tokio::time::sleep(Duration::from_millis(200)).await,
                }
            }
        }
        let mut streams = self.streams();
        for delta in batch {
            let Some(pending) = streams.get_mut(&delta.generation).filter(|p| p.stream.epoch == delta.epoch) else {
                continue;
            };
            pending.in_flight = false;
            let (text, reasoning) = stored[&delta.generation];
            let kept = if matches!(delta.what, What::Reasoning { .. }) { reasoning } else { text };
            put_back(pending.tail(&delta.what), &delta.what, kept);
        }
        drop(streams);
        self.hub.ring_all();
    }
}

/// Puts a piece before what has come since, without its first bytes up to `stored`.
fn put_back(tail: &mut Tail, what: &What, stored: usize) {
    let (What::Text { offset, text } | What::Reasoning { offset, text }) = what else { return };
    let rest = text.get(stored.saturating_sub(*offset).min(text.len())..).unwrap_or_default();
    tail.at -= rest.len();
    tail.text.insert_str(0, rest);
}

#[cfg(test)]
mod tests {
    use super::{Tail, What, put_back};

    #[test]
    fn a_piece_is_put_back_without_what_is_stored() {
        for (stored, at, text) in [(0, 10, "abcdef"), (10, 10, "abcdef"), (12, 12, "cdef"), (14, 14, "ef")] {
            let mut tail = Tail { at: 14, text: "ef".into() };
            put_back(&mut tail, &What::Text { offset: 10, text: "abcd".into() }, stored);
            assert_eq!((tail.at, tail.text.as_str()), (at, text), "stored {stored}");
        }
    }
}
