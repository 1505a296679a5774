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
mod tests {
    use super::*;
    use futures::FutureExt as _;
    use uuid::Uuid;

    /// Its database is asked for nothing.
    fn writer(gather: Duration) -> Writer {
        let db = PgPool::connect_lazy("postgres://nobody@localhost/nothing").unwrap();
        let hub = Arc::new(Hub::new(db.clone()));
        let (desk, wake, done, call) = (Mutex::default(), Notify::new(), Notify::new(), Notify::new());
        let tasks = TaskTracker::new();
        Writer(Arc::new(Inner { db, hub, sender: "me".into(), gather, desk, wake, done, call, tasks }))
    }

    /// The first attempt at an answer of a chat of its own.
    fn stream(n: u128) -> Stream {
        let id = Uuid::from_u128(n);
        Stream { chat: ChatId(id), generation: GenerationId(id), epoch: 1, message: MessageId(id) }
    }

    /// A writer to which these streams bring pieces.
    fn with<const N: usize>(streams: [Stream; N]) -> Writer {
        let writer = writer(Duration::from_millis(50));
        for stream in streams {
            writer.begin(stream, 0);
        }
        writer
    }

    impl Writer {
        fn brings(&self, stream: &Stream, piece: &str) {
            assert_eq!(self.0.take_in(stream, piece, false), Ok(true));
        }

        /// Its pieces are written.
        fn writes(&self, stream: &Stream, piece: &str) {
            self.brings(stream, piece);
            let batch = self.0.take(true);
            let fates: Vec<_> = batch.iter().map(|_| Fate::Written(1)).collect();
            self.0.settle(batch, &fates);
        }

        fn has_woken(&self) -> bool {
            self.0.wake.notified().now_or_never().is_some()
        }

        fn is_urgent(&self) -> bool {
            self.0.desk().urgent
        }

        fn waits(&self) -> bool {
            self.0.desk().waiting
        }

        /// What comes back at the end, if nothing is being written.
        fn ends(&self, stream: &Stream) -> Option<Result<Vec<What>, Lost>> {
            self.end(stream).now_or_never()
        }
    }

    fn text(offset: usize, text: &str) -> What {
        What::Text { offset, text: text.into() }
    }

    fn texts(batch: &[Delta]) -> Vec<&str> {
        let mut texts = Vec::new();
        for delta in batch {
            let What::Text { text, .. } = &delta.what else { panic!("{:?}", delta.what) };
            texts.push(&**text);
        }
        texts
    }

    #[tokio::test]
    async fn a_later_attempt_fences_off_the_one_before() {
        let (before, now) = (stream(1), Stream { epoch: 2, ..stream(1) });
        let writer = with([before]);
        writer.brings(&before, "once");
        writer.begin(now, 0);
        assert_eq!(writer.0.take_in(&before, "more", false), Err(Lost));
        assert_eq!(writer.ends(&before), Some(Err(Lost)));
        writer.abandon(&before);
        writer.brings(&now, "again");
        assert_eq!(writer.ends(&now), Some(Ok(vec![text(0, "again")])));
        assert_eq!(writer.0.take_in(&now, "more", false), Err(Lost), "it is over");
        writer.begin(now, 0);
        writer.abandon(&now);
        assert_eq!(writer.0.take_in(&now, "more", false), Err(Lost));
    }

    #[tokio::test]
    async fn an_attempt_that_the_database_knows_no_more_is_lost() {
        let one = stream(1);
        let writer = with([one]);
        writer.brings(&one, "a");
        let batch = writer.0.take(true);
        writer.0.settle(batch, &[Fate::Fenced]);
        assert_eq!(writer.0.take_in(&one, "b", false), Err(Lost));
        assert_eq!(writer.ends(&one), Some(Err(Lost)));
        assert!(writer.0.desk().streams.is_empty());
    }

    #[tokio::test]
    async fn what_was_taken_for_an_earlier_attempt_changes_nothing_of_a_later_one() {
        let (before, now) = (stream(1), Stream { epoch: 2, ..stream(1) });
        for fate in [Fate::Written(1), Fate::Fenced, Fate::Busy] {
            let writer = with([before]);
            writer.brings(&before, "before");
            let batch = writer.0.take(true);
            writer.begin(now, 0);
            writer.brings(&now, "now");
            writer.0.settle(batch, &[fate]);
            assert!(writer.0.desk().streams[&now.generation].fresh, "{fate:?}");
            assert_eq!(writer.ends(&now), Some(Ok(vec![text(0, "now")])), "{fate:?}");
        }
    }

    #[tokio::test]
    async fn the_end_waits_for_what_is_being_written() {
        let one = stream(1);
        let writer = with([one]);
        writer.brings(&one, "a");
        let batch = writer.0.take(true);
        writer.brings(&one, "b");
        assert_eq!(writer.ends(&one), None);
        writer.0.settle(batch, &[Fate::Written(1)]);
        assert_eq!(writer.ends(&one), Some(Ok(vec![text(1, "b")])));
    }

    #[tokio::test]
    async fn of_one_answer_only_so_much_may_wait() {
        let (one, other) = (stream(1), stream(2));
        let writer = with([one, other]);
        writer.brings(&one, &"x".repeat(256 * 1024 - 1));
        writer.brings(&one, "y");
        assert_eq!(writer.0.take_in(&one, "z", false), Ok(false));
        writer.brings(&other, "a");
    }

    /// The first piece of an answer wakes the writer at once, and so does the first that waits at all.
    #[tokio::test]
    async fn the_writer_is_woken_when_there_is_something_new_to_do() {
        let (one, other) = (stream(1), stream(2));
        let writer = with([one, other]);
        writer.brings(&one, "a");
        assert!(writer.has_woken() && writer.is_urgent());
        writer.brings(&one, "b");
        assert!(!writer.has_woken());
        writer.writes(&one, "c");
        assert!(!writer.waits() && !writer.is_urgent());
        writer.brings(&one, "d");
        assert!(writer.has_woken() && writer.waits() && !writer.is_urgent());
        writer.brings(&one, "e");
        assert!(!writer.has_woken());
        writer.brings(&other, "a");
        assert!(writer.has_woken() && writer.is_urgent());
    }

    #[tokio::test]
    async fn first_pieces_go_by_themselves() {
        let (one, other) = (stream(1), stream(2));
        let writer = with([one, other]);
        writer.writes(&one, "written");
        writer.brings(&one, "later");
        writer.brings(&other, "first");
        let first = writer.0.take(false);
        assert_eq!(texts(&first), ["first"]);
        assert!(writer.waits() && !writer.is_urgent());
        assert_eq!(texts(&writer.0.take(true)), ["later"]);
        assert!(!writer.waits());
        writer.0.settle(first, &[Fate::Written(1)]);
        writer.begin(stream(3), 0);
        writer.brings(&stream(3), "alone");
        assert_eq!(texts(&writer.0.take(false)), ["alone"]);
        assert!(!writer.waits());
    }

    #[tokio::test]
    async fn what_comes_while_a_piece_is_written_is_taken_after_it() {
        let one = stream(1);
        let writer = with([one]);
        writer.brings(&one, "a");
        let batch = writer.0.take(true);
        writer.brings(&one, "b");
        assert!(writer.0.take(true).is_empty());
        writer.0.settle(batch, &[Fate::Written(1)]);
        assert!(writer.waits());
        let batch = writer.0.take(true);
        assert_eq!(texts(&batch), ["b"]);
        writer.0.settle(batch, &[Fate::Written(2)]);
        assert!(!writer.waits());
    }

    #[tokio::test]
    async fn a_batch_has_so_many_rows_and_the_rest_goes_at_once() {
        let writer = with([]);
        for n in 0..501 {
            writer.begin(stream(n), 0);
            writer.brings(&stream(n), "x");
        }
        assert_eq!(writer.0.take(true).len(), 500);
        assert!(writer.waits() && writer.is_urgent());
        assert_eq!(writer.0.take(true).len(), 1);
        assert!(!writer.waits() && !writer.is_urgent());
    }

    #[tokio::test]
    async fn a_batch_has_so_many_bytes_and_one_answer_more() {
        let writer = with([]);
        let piece = "x".repeat(1024 * 1024);
        for n in 0..6 {
            writer.begin(stream(n), 0);
            writer.brings(&stream(n), &piece);
        }
        assert_eq!(writer.0.take(true).len(), 5);
        assert_eq!(writer.0.take(true).len(), 1);
    }

    #[tokio::test]
    async fn whoever_is_held_up_for_too_long_goes_by_itself() {
        let with_one = Stream { generation: GenerationId(Uuid::from_u128(9)), ..stream(1) };
        let (one, other, free) = (stream(1), stream(2), stream(3));
        let writer = with([one, with_one, other, free]);
        for stream in [one, with_one, other, free] {
            writer.brings(&stream, "x");
        }
        let held = |writer: &Writer| -> Vec<(ChatId, usize)> {
            writer.0.take_held().iter().map(|batch| (batch[0].chat, batch.len())).collect()
        };
        let batch = writer.0.take(true);
        let fates = batch.iter().map(|d| if d.chat == free.chat { Fate::Written(1) } else { Fate::Busy });
        let fates: Vec<_> = fates.collect();
        writer.0.settle(batch, &fates);
        writer.brings(&free, "y");
        assert!(held(&writer).is_empty(), "not yet");
        for pending in writer.0.desk().streams.values_mut() {
            pending.held = pending.held.map(|since| since - PATIENCE);
        }
        assert_eq!(held(&writer), [(one.chat, 2), (other.chat, 1)]);
        assert!(held(&writer).is_empty(), "it is on its way");
    }

    #[tokio::test]
    async fn pieces_gather_for_longer_the_more_answers_there_are() {
        let (quick, slow) = (writer(Duration::from_millis(50)), writer(Duration::from_secs(1)));
        for (streams, millis) in [(0, 50), (1, 52), (10, 70), (175, 400), (100_000, 400)] {
            assert_eq!(quick.0.gather_for(streams), Duration::from_millis(millis), "{streams}");
        }
        assert_eq!(slow.0.gather_for(10), Duration::from_secs(1), "as it was set");
    }

    /// Even if nothing waits: what a provider has sent is not known before it is read.
    #[tokio::test]
    async fn whoever_reads_a_provider_is_called() {
        let writer = writer(Duration::ZERO);
        let ours = writer.0.clone();
        let run = tokio::spawn(async move { ours.run().await });
        writer.begin(stream(1), 0);
        assert!(writer.called().now_or_never().is_none(), "when it is time");
        for _ in 0..2 {
            let called = tokio::time::timeout(Duration::from_secs(10), writer.0.call.notified()).await;
            assert!(called.is_ok());
        }
        run.abort();
    }

    #[tokio::test]
    async fn the_writer_sleeps_while_pieces_gather() {
        let writer = writer(Duration::from_mins(1));
        writer.begin(stream(1), 0);
        assert_eq!(writer.0.run().now_or_never(), None);
        assert!(writer.0.call.notified().now_or_never().is_none());
    }
}
