//! What this process watches: for each chat the position up to which its readers were served, and their queues.
//! Batches written here come from memory, those of other processes from the log; either way they are handed out in
//! order and without gaps, and a reader whose queue is full is dropped, to come back by its position.

use super::{Event, What, bells::Bells, store};
use crate::base::{
    Result,
    db::{NO_ANSWER, answered},
    ids::{ChatId, MessageId},
};
use sqlx::PgPool;
use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;

/// Batches that may wait for one reader.
const QUEUE: usize = 256;
/// Events read from the log at a time.
const PAGE: i64 = 500;
/// News that did not come within this time are asked for again, on another connection.
const NEWS_WITHIN: Duration = Duration::from_secs(5);

type Batch = Arc<[Event]>;

struct Watch {
    /// The newest event handed out.
    seq: i64,
    readers: Vec<mpsc::Sender<Batch>>,
    ends: Vec<(MessageId, CancellationToken)>,
}

/// The subscriptions of this process.
pub struct Hub {
    db: PgPool,
    watches: Mutex<HashMap<ChatId, Watch>>,
    /// Chats of which something newer is known to be in the log.
    behind: Mutex<HashSet<ChatId>>,
    bell: Notify,
    /// Those of the lists that are followed here.
    pub lists: Arc<Bells>,
}

/// The reader did not keep up, what it lacks was trimmed, or the process is ending: come back with the last position.
#[derive(Debug, PartialEq, Eq)]
pub struct Lagged;

impl Hub {
    pub(super) fn new(db: PgPool) -> Self {
        Self { db, watches: Mutex::default(), behind: Mutex::default(), bell: Notify::new(), lists: Arc::default() }
    }

    fn watches(&self) -> MutexGuard<'_, HashMap<ChatId, Watch>> {
        self.watches.lock().expect("nothing panics while holding it")
    }

    /// Follows a chat from a position: first what the log has after it, then what comes.
    ///
    /// # Errors
    /// The database's.
    pub async fn subscribe(self: &Arc<Self>, chat: ChatId, after: i64) -> Result<Subscription> {
        let (sender, queue) = mpsc::channel(QUEUE);
        self.watch(chat, None, |watch| watch.readers.push(sender)).await?;
        Ok(Subscription { hub: self.clone(), chat, position: after, queue, caught_up: false })
    }

    /// Cancels a token of the caller's when the answer has its end in the log, whoever wrote it, after a position at
    /// which it had none.
    ///
    /// # Errors
    /// The database's.
    pub async fn end_of(
        self: &Arc<Self>,
        chat: ChatId,
        message: MessageId,
        after: i64,
        token: CancellationToken,
    ) -> Result<EndWatch> {
        let ours = token.clone();
        self.watch(chat, Some(after), move |watch| watch.ends.push((message, ours))).await?;
        Ok(EndWatch { hub: self.clone(), chat, token })
    }

    async fn watch(&self, chat: ChatId, position: Option<i64>, add: impl FnOnce(&mut Watch)) -> Result<()> {
        if let Some(watch) = self.watches().get_mut(&chat) {
            add(watch);
            return Ok(());
        }
        let seq = if let Some(seq) = position {
            seq
        } else {
            let mut conn = self.db.acquire().await?;
            store::bounds(&mut conn, chat).await?.map_or(0, |(_, seq)| seq)
        };
        add(self.watches().entry(chat).or_insert_with(|| Watch { seq, readers: Vec::new(), ends: Vec::new() }));
        // what was committed between the look and the registration
        self.ring([chat]);
        Ok(())
    }

    /// Hands out what was just committed here. A gap means that another process wrote in between: the log tells.
    pub fn deliver(&self, chat: ChatId, events: Vec<Event>) {
        self.hand_out(chat, events, false);
    }

    fn hand_out(&self, chat: ChatId, events: Vec<Event>, from_log: bool) {
        let mut watches = self.watches();
        let Some(watch) = watches.get_mut(&chat) else { return };
        let fresh: Vec<Event> = events.into_iter().filter(|e| e.seq > watch.seq).collect();
        let (Some(first), Some(last)) = (fresh.first(), fresh.last()) else { return };
        if first.seq > watch.seq + 1 {
            if from_log {
                // the log itself begins later: this process was away for so long that what it lacks was trimmed
                watch.readers.clear();
                watch.seq = first.seq - 1;
            }
            self.ring([chat]);
            return;
        }
        watch.seq = last.seq;
        for event in fresh.iter().filter(|e| matches!(e.what, What::End(_))) {
            watch.ends.iter().filter(|(m, _)| *m == event.message_id).for_each(|(_, token)| token.cancel());
        }
        if !watch.readers.is_empty() {
            let batch: Batch = fresh.into();
            watch.readers.retain(|reader| reader.try_send(batch.clone()).is_ok());
        }
    }

    /// Somebody says that a chat's log has come to `seq`.
    pub(super) fn hear(&self, chat: ChatId, seq: i64) {
        let news = self.watches().get(&chat).is_some_and(|w| w.seq < seq);
        if news {
            self.ring([chat]);
        }
    }

    fn ring(&self, chats: impl IntoIterator<Item = ChatId>) {
        self.behind.lock().expect("nothing panics while holding it").extend(chats);
        self.bell.notify_one();
    }

    /// Looks at every watched chat.
    pub(super) fn ring_all(&self) {
        let all: Vec<_> = self.watches().keys().copied().collect();
        self.ring(all);
    }

    /// How many chats are watched.
    #[must_use]
    pub fn watched(&self) -> usize {
        self.watches().len()
    }

    fn leave(&self, chat: ChatId, leave: impl FnOnce(&mut Watch)) {
        let mut watches = self.watches();
        if let Some(watch) = watches.get_mut(&chat) {
            leave(watch);
            watch.readers.retain(|reader| !reader.is_closed());
            if watch.readers.is_empty() && watch.ends.is_empty() {
                watches.remove(&chat);
            }
        }
    }
}

/// Reads the news of the chats that are behind, in one query; looks at all of them every `every` even if no bell rang,
/// so that a lost bell only costs time.
pub(super) async fn read_news(hub: Arc<Hub>, every: Duration, stop: CancellationToken) {
    let mut timer = tokio::time::interval(every);
    timer.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = hub.bell.notified() => {}
            _ = timer.tick() => hub.ring_all(),
        }
        let behind: Vec<ChatId> = hub.behind.lock().expect("nothing panics while holding it").drain().collect();
        let wanted: Vec<(ChatId, i64)> = {
            let watches = hub.watches();
            behind.iter().filter_map(|chat| Some((*chat, watches.get(chat)?.seq))).collect()
        };
        if wanted.is_empty() {
            continue;
        }
        match answered(NEWS_WITHIN, store::news(&hub.db, &wanted)).await {
            Ok(rows) => {
                let full = i64::try_from(rows.len()).unwrap_or(i64::MAX) >= PAGE;
                for group in rows.chunk_by(|a, b| a.0 == b.0) {
                    hub.hand_out(group[0].0, group.iter().map(|(_, event)| event.clone()).collect(), true);
                }
                if full {
                    hub.ring(wanted.into_iter().map(|(chat, _)| chat));
                }
            }
            Err(error) => tracing::warn!(%error, "the feed cannot be read; trying again"),
        }
    }
}

/// A reader's place in a chat's log.
pub struct Subscription {
    hub: Arc<Hub>,
    chat: ChatId,
    position: i64,
    queue: mpsc::Receiver<Batch>,
    caught_up: bool,
}

impl Subscription {
    /// The next events: the ones right after those before, in order, once each. Waits for them.
    ///
    /// # Errors
    /// [`Lagged`] inside when the queue ran over; else the database's.
    pub async fn next(&mut self) -> Result<Result<Vec<Event>, Lagged>> {
        loop {
            if !self.caught_up {
                let events = answered(NO_ANSWER, store::read(&self.hub.db, self.chat, self.position, PAGE)).await?;
                match (events.first(), events.last()) {
                    // what would come next was trimmed
                    (Some(first), _) if first.seq > self.position + 1 => return Ok(Err(Lagged)),
                    (_, Some(last)) => {
                        self.position = last.seq;
                        return Ok(Ok(events));
                    }
                    _ => self.caught_up = true,
                }
            }
            let Some(batch) = self.queue.recv().await else { return Ok(Err(Lagged)) };
            let fresh: Vec<Event> = batch.iter().filter(|e| e.seq > self.position).cloned().collect();
            match (fresh.first(), fresh.last()) {
                (Some(first), _) if first.seq > self.position + 1 => self.caught_up = false,
                (Some(_), Some(last)) => {
                    self.position = last.seq;
                    return Ok(Ok(fresh));
                }
                _ => {}
            }
        }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.queue.close();
        self.hub.leave(self.chat, |_| {});
    }
}

/// See [`Hub::end_of`].
pub struct EndWatch {
    hub: Arc<Hub>,
    chat: ChatId,
    pub token: CancellationToken,
}

impl Drop for EndWatch {
    fn drop(&mut self) {
        // only this one: another attempt of this process may wait for the same end
        self.token.cancel();
        self.hub.leave(self.chat, |watch| watch.ends.retain(|(_, token)| !token.is_cancelled()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt as _;
    use uuid::Uuid;

    const CHAT: ChatId = ChatId(Uuid::from_u128(1));
    const ANSWER: MessageId = MessageId(Uuid::from_u128(2));
    const ANOTHER: MessageId = MessageId(Uuid::from_u128(3));

    /// Its database is asked for nothing.
    fn hub() -> Arc<Hub> {
        Arc::new(Hub::new(PgPool::connect_lazy("postgres://nobody@localhost/nothing").unwrap()))
    }

    fn events(numbers: impl IntoIterator<Item = i64>) -> Vec<Event> {
        numbers.into_iter().map(|seq| Event { seq, message_id: ANSWER, what: What::Path }).collect()
    }

    fn end(seq: i64, message_id: MessageId) -> Vec<Event> {
        vec![Event { seq, message_id, what: What::End(None) }]
    }

    /// Somebody who has read the log up to a position.
    async fn follows(hub: &Arc<Hub>, position: i64) -> Subscription {
        let (sender, queue) = mpsc::channel(QUEUE);
        hub.watch(CHAT, Some(position), |watch| watch.readers.push(sender)).await.unwrap();
        hub.behind.lock().unwrap().clear();
        Subscription { hub: hub.clone(), chat: CHAT, position, queue, caught_up: true }
    }

    /// Whether the log is to be looked at; asked once.
    fn is_behind(hub: &Hub) -> bool {
        hub.behind.lock().unwrap().drain().any(|chat| chat == CHAT)
    }

    /// The numbers of each batch that waits for a reader.
    fn batches(reader: &mut Subscription) -> Vec<Vec<i64>> {
        std::iter::from_fn(|| reader.queue.try_recv().ok())
            .map(|batch| batch.iter().map(|event| event.seq).collect())
            .collect()
    }

    /// The numbers of what it reads next, if that is there without the log.
    fn reads(reader: &mut Subscription) -> Option<Vec<i64>> {
        let events = reader.next().now_or_never()?.unwrap().unwrap();
        Some(events.iter().map(|event| event.seq).collect())
    }

    #[tokio::test]
    async fn what_is_delivered_is_handed_out_in_order_and_once() {
        let hub = hub();
        let mut reader = follows(&hub, 0).await;
        for numbers in [1..=2, 2..=3, 1..=3, 4..=4] {
            hub.deliver(CHAT, events(numbers));
        }
        assert_eq!(batches(&mut reader), [vec![1, 2], vec![3], vec![4]]);
        assert!(!is_behind(&hub));
    }

    #[tokio::test]
    async fn a_gap_is_filled_from_the_log() {
        let hub = hub();
        let mut reader = follows(&hub, 3).await;
        hub.deliver(CHAT, events([5]));
        assert!(batches(&mut reader).is_empty() && is_behind(&hub));
        hub.hand_out(CHAT, events(4..=5), true);
        assert_eq!(batches(&mut reader), [[4, 5]]);
    }

    #[tokio::test]
    async fn a_log_that_begins_later_drops_its_readers_and_goes_on() {
        let hub = hub();
        let mut reader = follows(&hub, 3).await;
        hub.hand_out(CHAT, events(9..=10), true);
        assert!(is_behind(&hub), "what is still there is read again");
        assert_eq!(reader.next().now_or_never().unwrap().unwrap(), Err(Lagged));
        let mut next = follows(&hub, 8).await;
        hub.hand_out(CHAT, events(9..=10), true);
        assert_eq!(batches(&mut next), [[9, 10]]);
    }

    #[tokio::test]
    async fn the_end_of_an_answer_is_told_to_whoever_waits_for_it() {
        let hub = hub();
        let wait = async |answer| hub.end_of(CHAT, answer, 0, CancellationToken::new()).await.unwrap();
        let (one, again, other) = (wait(ANSWER).await, wait(ANSWER).await, wait(ANOTHER).await);
        drop(again);
        let told = || (one.token.is_cancelled(), other.token.is_cancelled());
        hub.deliver(CHAT, events([1]));
        assert_eq!(told(), (false, false));
        hub.deliver(CHAT, end(2, ANSWER));
        assert_eq!(told(), (true, false));
        hub.deliver(CHAT, end(3, ANOTHER));
        assert_eq!(told(), (true, true));
    }

    #[tokio::test]
    async fn whoever_leaves_is_forgotten_and_the_last_one_with_the_chat() {
        let hub = hub();
        let (one, mut other) = (follows(&hub, 0).await, follows(&hub, 0).await);
        let wait = hub.end_of(CHAT, ANSWER, 0, CancellationToken::new()).await.unwrap();
        assert_eq!(hub.watched(), 1);
        drop(one);
        drop(wait);
        hub.deliver(CHAT, events([1]));
        assert_eq!(batches(&mut other), [[1]]);
        drop(other);
        assert_eq!(hub.watched(), 0);
        drop(hub.end_of(CHAT, ANSWER, 0, CancellationToken::new()).await.unwrap());
        assert_eq!(hub.watched(), 0);
    }

    #[tokio::test]
    async fn a_reader_that_does_not_keep_up_comes_back() {
        let hub = hub();
        let (mut slow, mut quick) = (follows(&hub, 0).await, follows(&hub, 0).await);
        for (seq, _) in (1..).zip(0..=QUEUE) {
            hub.deliver(CHAT, events([seq]));
            assert_eq!(batches(&mut quick), [[seq]]);
        }
        assert_eq!(batches(&mut slow).len(), QUEUE);
        assert_eq!(slow.next().now_or_never().unwrap().unwrap(), Err(Lagged));
    }

    #[tokio::test]
    async fn only_what_is_news_is_looked_for() {
        let hub = hub();
        hub.hear(CHAT, 9);
        assert!(!is_behind(&hub), "nobody follows it");
        let _reader = follows(&hub, 3).await;
        for (seq, news) in [(2, false), (3, false), (4, true), (9, true)] {
            hub.hear(CHAT, seq);
            assert_eq!(is_behind(&hub), news, "{seq}");
        }
        hub.ring_all();
        assert!(is_behind(&hub), "whatever was missed");
    }

    #[tokio::test]
    async fn a_reader_goes_on_from_its_position() {
        let hub = hub();
        let mut reader = follows(&hub, 0).await;
        reader.position = 2;
        for numbers in [1..=2, 3..=3, 4..=5] {
            hub.deliver(CHAT, events(numbers));
        }
        assert_eq!(reads(&mut reader), Some(vec![3]));
        assert_eq!(reads(&mut reader), Some(vec![4, 5]));
        reader.position = 4;
        hub.deliver(CHAT, events([6]));
        assert_eq!(reads(&mut reader), None, "what is between is in the log");
        assert!(!reader.caught_up);
    }
}
