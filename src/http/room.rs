//! A room: the readers of one chat in this process, and what they have of its running answers. Fragments are rendered
//! once and shared; a reader that joins gets each running message whole, then the shared patches. The room exists
//! while somebody reads.

use super::present;
use crate::{
    app::App,
    base::{
        Error, Result,
        db::{NO_ANSWER, answered},
        ids::{ChatId, MessageId},
        metrics::metrics,
    },
    domain::{
        chats,
        feed::{Asked, Ended, Event, Stands, What, store},
        generation::{self, Shown, State},
    },
    markdown,
    views::{self, Turn},
};
use axum::body::Bytes;
use std::{
    collections::HashMap,
    fmt::Write as _,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    sync::{mpsc, oneshot},
    time::Instant,
};

/// Fragments that may wait for one reader; then it is dropped, and comes back by its position.
const QUEUE: usize = 256;
/// How long a reader waits for the room to come to its position (the page may be ahead of the bell).
const PATIENCE: Duration = Duration::from_secs(5);

/// The rooms of this process.
#[derive(Default)]
pub struct Rooms(Mutex<HashMap<ChatId, mpsc::Sender<Join>>>);

/// A reader at the door.
struct Join {
    after: i64,
    queue: mpsc::Sender<Bytes>,
    /// Tells that the room took it in; dropped when the room has just closed.
    taken: oneshot::Sender<()>,
}

impl Rooms {
    /// Follows a chat from a position. The queue ends when the reader is too slow or the process ends.
    ///
    /// # Errors
    /// The database's.
    pub async fn join(self: &Arc<Self>, app: &App, chat: ChatId, after: i64) -> Result<mpsc::Receiver<Bytes>> {
        loop {
            let (queue, receiver) = mpsc::channel(QUEUE);
            let door = self.0.lock().expect("nothing panics while holding it").get(&chat).cloned();
            let door = match door.filter(|d| !d.is_closed()) {
                Some(door) => door,
                None => self.open(app, chat).await?,
            };
            let (taken, answer) = oneshot::channel();
            if door.send(Join { after, queue, taken }).await.is_ok() && answer.await.is_ok() {
                return Ok(receiver);
            }
        }
    }

    async fn open(self: &Arc<Self>, app: &App, chat: ChatId) -> Result<mpsc::Sender<Join>> {
        let (unfinished, position) = answered(NO_ANSWER, generation::unfinished(app, chat)).await?;
        let events = answered(NO_ANSWER, app.feed.hub.subscribe(chat, position)).await?;
        let (door, joins) = mpsc::channel(16);
        {
            let mut rooms = self.0.lock().expect("nothing panics while holding it");
            if let Some(other) = rooms.get(&chat).filter(|d| !d.is_closed()) {
                return Ok(other.clone()); // somebody was quicker
            }
            rooms.insert(chat, door.clone());
        }
        let room = Room {
            app: app.clone(),
            chat,
            position,
            live: unfinished.iter().map(|shown| (shown.id, Box::new(Live::new(shown)))).collect(),
            readers: Vec::new(),
            waiting: Vec::new(),
            began: Instant::now(),
        };
        let rooms = self.clone();
        app.tasks.spawn(async move {
            let _counted = metrics().room();
            room.run(events, joins).await;
            let mut rooms = rooms.0.lock().expect("nothing panics while holding it");
            rooms.retain(|_, door| !door.is_closed());
        });
        Ok(door)
    }
}

/// Reasoning is sent at most so often.
const REASONING_PACE: Duration = Duration::from_millis(40);

/// An unfinished answer, as the readers have it.
struct Live {
    /// Without its text, which the stream has.
    shown: Shown,
    stream: markdown::Stream,
    /// The end of `shown.reasoning` that is not sent yet, and when it was sent last.
    unsent_reasoning: usize,
    reasoning_sent: Duration,
}

impl Live {
    fn new(shown: &Shown) -> Self {
        let mut stream = markdown::Stream::new(&shown.id.to_string());
        stream.push(&shown.text, Duration::ZERO);
        let shown = Shown { text: String::new(), ..shown.clone() };
        Self { shown, stream, unsent_reasoning: 0, reasoning_sent: Duration::ZERO }
    }

    /// When something that is held back wants to be sent.
    fn due(&self) -> Option<Duration> {
        let reasoning = (self.unsent_reasoning > 0).then(|| self.reasoning_sent + REASONING_PACE);
        [self.stream.due(), reasoning].into_iter().flatten().min()
    }

    /// The reasoning that is held back, once its time has come.
    fn reasoning(&mut self, now: Duration) -> String {
        if now < self.reasoning_sent + REASONING_PACE { String::new() } else { self.all_reasoning(now) }
    }

    /// The reasoning that is held back.
    fn all_reasoning(&mut self, now: Duration) -> String {
        if self.unsent_reasoning == 0 {
            return String::new();
        }
        let from = self.shown.reasoning.len() - std::mem::take(&mut self.unsent_reasoning);
        self.reasoning_sent = now;
        views::feed::reasoning(self.shown.id, &self.shown.reasoning[from..], from == 0)
    }

    /// As it is after its end, if nothing of that has to be looked up: how long it thought, and what else was said in
    /// its place.
    fn ended(&self, ended: &Ended) -> Option<Shown> {
        let all_is_here = self.shown.reasoning.is_empty() && !self.shown.beside;
        all_is_here.then(|| Shown {
            text: self.stream.text().to_owned(),
            html: Some(self.stream.snapshot()),
            state: Some(State::parse(&ended.state)),
            due: None,
            reason: ended.reason.clone(),
            model: ended.model.clone(),
            tokens: ended.tokens,
            ..self.shown.clone()
        })
    }

    /// As the readers have it: without what is held back.
    fn message(&self) -> views::Message {
        let sent = self.shown.reasoning.len() - self.unsent_reasoning;
        let reasoning = self.shown.reasoning[..sent].to_owned();
        let shown = Shown { html: Some(self.stream.snapshot()), reasoning, ..self.shown.clone() };
        present::message(&shown)
    }
}

struct Room {
    app: App,
    chat: ChatId,
    /// Everything up to here has been handed out.
    position: i64,
    /// Boxed: a map has places for several, and most rooms have one.
    live: HashMap<MessageId, Box<Live>>,
    readers: Vec<mpsc::Sender<Bytes>>,
    /// Readers that are ahead of the room.
    waiting: Vec<(Join, Instant)>,
    began: Instant,
}

impl Room {
    async fn run(mut self, mut events: crate::domain::feed::Subscription, mut joins: mpsc::Receiver<Join>) {
        let mut idle = tokio::time::interval(Duration::from_secs(5));
        loop {
            let flush_at = self.live.values().filter_map(|live| live.due()).min().map(|due| self.began + due);
            let result = tokio::select! {
                () = self.app.stopping.begun.cancelled() => return,
                batch = events.next() => match batch {
                    Ok(Ok(batch)) => answered(NO_ANSWER, Box::pin(self.take(batch))).await,
                    Ok(Err(_)) => return, // too slow: the readers come back and a new room begins
                    Err(error) => Err(error),
                },
                Some(join) = joins.recv() => answered(NO_ANSWER, Box::pin(self.let_in(join, Instant::now()))).await,
                () = tokio::time::sleep_until(flush_at.unwrap_or_else(Instant::now)), if flush_at.is_some() => {
                    self.flush();
                    Ok(())
                }
                _ = idle.tick() => {
                    self.readers.retain(|r| !r.is_closed());
                    if self.readers.is_empty() && self.waiting.is_empty() && joins.is_empty() {
                        joins.close(); // whoever was at the door finds it closed and opens another room
                        return;
                    }
                    answered(NO_ANSWER, Box::pin(self.waiting_longer())).await
                }
            };
            if let Err(error) = result {
                tracing::warn!(%error, chat = %self.chat, "a room of the feed had to close; its readers come back");
                return;
            }
        }
    }

    fn now(&self) -> Duration {
        self.began.elapsed()
    }

    async fn take(&mut self, batch: Vec<Event>) -> Result<()> {
        let mut data = String::new();
        let mut reset = false;
        for event in batch {
            self.position = event.seq;
            match &event.what {
                What::Turn { question: Some(question), parent, asked } => {
                    let told = asked.as_deref().map(|asked| (*question, asked));
                    data.push_str(&self.turn(event.message_id, *parent, told).await?);
                }
                What::Turn { question: None, .. } => {
                    self.turn(event.message_id, None, None).await?;
                    self.relearn_lines().await?;
                    reset = true;
                }
                What::Removed => {
                    self.live.remove(&event.message_id);
                    reset = true;
                }
                What::Path => reset = true,
                What::State(stands) => data.push_str(&self.stands(event.message_id, *stands).await?),
                What::Title => data.push_str(&self.title().await?),
                What::End(ended) => data.push_str(&self.end(event.message_id, ended.as_deref()).await?),
                _ => data.push_str(&self.grow(&event)),
            }
        }
        if reset {
            // the shown path changed: pages load their thread anew
            self.send(&format!("event: reset\nid: {}\ndata: the path changed\n\n", self.position).into());
        } else if !data.is_empty() {
            // what is held back has no number yet: whoever comes back in between gets the message whole
            self.send(&message(self.position, &data));
        }
        self.waiting_longer().await
    }

    /// The chat's title as it is now.
    async fn title(&self) -> Result<String> {
        Ok(views::feed::title(self.chat, &chats::title(&self.app, self.chat).await?))
    }

    /// A new turn. Its answer is shown as it was at this position, however far it has come since.
    async fn turn(
        &mut self,
        answer: MessageId,
        parent: Option<MessageId>,
        told: Option<(MessageId, &Asked)>,
    ) -> Result<String> {
        let begun = match told {
            Some((question, Asked { text, model })) => {
                let words = (text.clone(), markdown::plain(text));
                Ok(generation::Turn::begun(self.chat, (question, answer), parent, words, model))
            }
            None => generation::turn(&self.app, self.chat, answer).await,
        };
        let generation::Turn { question, answer: fresh } = match begun {
            Ok(turn) => turn,
            Err(Error::NotFound) => return Ok(String::new()),
            // without it nothing of this answer could be shown: better the readers come back to a new room
            Err(error) => return Err(error),
        };
        let live = Box::new(Live::new(&fresh));
        let turn = Turn { question: present::message(&question), answer: live.message() };
        self.live.insert(fresh.id, live);
        Ok(views::feed::turn(parent, &turn))
    }

    fn grow(&mut self, event: &Event) -> String {
        let now = self.now();
        let Some(live) = self.live.get_mut(&event.message_id) else { return String::new() };
        match &event.what {
            What::Text { offset, text } => {
                let known = live.stream.text().len().saturating_sub(*offset);
                let fresh = text.get(known..).unwrap_or_default();
                live.all_reasoning(now) + &views::feed::patches(event.message_id, &live.stream.push(fresh, now))
            }
            What::Reasoning { offset, text } => {
                let known = live.shown.reasoning.len().saturating_sub(*offset);
                let fresh = text.get(known..).unwrap_or_default();
                live.shown.reasoning.push_str(fresh);
                live.unsent_reasoning += fresh.len();
                live.reasoning(now)
            }
            _ => String::new(),
        }
    }

    /// An answer comes to stand elsewhere, without an end. Why it waits, and until when, stands in its row.
    async fn stands(&mut self, id: MessageId, stands: Stands) -> Result<String> {
        let row = match stands {
            Stands::Waiting => generation::shown(&self.app, self.chat, &[id]).await?.pop(),
            _ => None,
        };
        let Some(live) = self.live.get_mut(&id) else { return Ok(String::new()) };
        let state = match stands {
            Stands::Queued => State::Queued,
            Stands::Streaming => State::Streaming,
            Stands::Waiting => State::Waiting,
        };
        live.shown.state = Some(state);
        if let Some(row) = row {
            // it may have been taken up since: then it was due
            (live.shown.reason, live.shown.due) = (row.reason, row.due);
        }
        Ok(views::feed::stands(&live.message()) + &self.line_behind(id, state))
    }

    /// What is in line right behind an answer says why it waits.
    fn line_behind(&mut self, id: MessageId, state: State) -> String {
        let lined = self.live.values_mut().filter(|l| l.shown.after == Some(id) && l.shown.state == Some(State::Lined));
        lined
            .map(|live| {
                live.shown.before = Some(state);
                views::feed::foot(&live.message())
            })
            .collect()
    }

    /// A line may stand behind another answer from now on.
    async fn relearn_lines(&mut self) -> Result<()> {
        let lined = self.live.values().filter(|l| l.shown.state == Some(State::Lined));
        let ids: Vec<_> = lined.map(|l| l.shown.id).collect();
        for row in generation::shown(&self.app, self.chat, &ids).await? {
            if let Some(live) = self.live.get_mut(&row.id) {
                (live.shown.after, live.shown.before) = (row.after, row.before);
            }
        }
        Ok(())
    }

    async fn end(&mut self, id: MessageId, ended: Option<&Ended>) -> Result<String> {
        let known = self.live.get(&id).and_then(|live| live.ended(ended?));
        let shown = match known {
            Some(shown) => Some(shown),
            None => generation::shown(&self.app, self.chat, &[id]).await?.pop(),
        };
        let (Some(mut live), Some(shown)) = (self.live.remove(&id), shown) else { return Ok(String::new()) };
        let rest = live.all_reasoning(self.now()) + &views::feed::patches(id, &live.stream.finish());
        let behind = shown.state.map(|state| self.line_behind(id, state)).unwrap_or_default();
        Ok(rest + &views::feed::ended(&present::message(&shown)) + &behind)
    }

    /// What the throttle held back.
    fn flush(&mut self) {
        let now = self.now();
        let mut data = String::new();
        for (id, live) in &mut self.live {
            data.push_str(&live.reasoning(now));
            if live.stream.due().is_some_and(|due| due <= now) {
                data.push_str(&views::feed::patches(*id, &live.stream.flush(now)));
            }
        }
        if !data.is_empty() {
            self.send(&message(self.position, &data));
        }
    }

    fn send(&mut self, fragment: &Bytes) {
        hand_out(&mut self.readers, fragment);
    }

    /// Brings a reader to the room's position and lets it follow.
    async fn let_in(&mut self, join: Join, came: Instant) -> Result<()> {
        if join.after > self.position {
            if came.elapsed() > PATIENCE {
                let _ = join.queue.try_send(reset());
                let _ = join.taken.send(());
            } else {
                self.waiting.push((join, came));
            }
            return Ok(());
        }
        // always a message, also an empty one: the reader has a position from now on
        let first = self.since(join.after).await?.map_or_else(reset, |data| message(self.position, &data));
        let _ = join.queue.try_send(first);
        let _ = join.taken.send(());
        self.readers.push(join.queue);
        Ok(())
    }

    async fn waiting_longer(&mut self) -> Result<()> {
        for (join, came) in std::mem::take(&mut self.waiting) {
            self.let_in(join, came).await?;
        }
        Ok(())
    }

    /// What a page of that position lacks: new turns, and every message that changed since or still runs, whole.
    /// Nothing when the shown path changed since: such a page loads its thread anew.
    async fn since(&self, after: i64) -> Result<Option<String>> {
        let mut data = String::new();
        let mut done: Vec<MessageId> = Vec::new();
        let touched = if after < self.position {
            store::touched(&self.app.pools.http, self.chat, after, self.position).await?
        } else {
            Vec::new()
        };
        for (id, what) in touched {
            if matches!(what, What::Removed | What::Path) {
                return Ok(None); // such a page still shows what was there before
            }
            if what == What::Title {
                data.push_str(&self.title().await?);
                continue;
            }
            let message = match self.live.get(&id) {
                Some(live) => live.message(),
                None => match generation::shown(&self.app, self.chat, &[id]).await?.pop() {
                    Some(shown) => present::message(&shown),
                    // it was removed, and a page that sent it has it all the same, from the answer to its form
                    None => return Ok(None),
                },
            };
            match what {
                What::Turn { question: Some(question), parent, .. } => {
                    let question = generation::shown(&self.app, self.chat, &[question]).await?.pop();
                    if let Some(question) = question {
                        let turn = Turn { question: present::message(&question), answer: message };
                        data.push_str(&views::feed::turn(parent, &turn));
                        // a page that sent it has the turn already, from the answer to its form, but nothing since
                        data.push_str(&views::feed::morph(&turn.answer));
                    }
                }
                What::Turn { question: None, .. } => return Ok(None),
                _ => data.push_str(&views::feed::morph(&message)),
            }
            done.push(id);
        }
        for (_, live) in self.live.iter().filter(|(id, _)| !done.contains(id)) {
            data.push_str(&views::feed::morph(&live.message()));
        }
        Ok(Some(data))
    }
}

/// One whose queue is full is dropped: it comes back by its position.
fn hand_out(readers: &mut Vec<mpsc::Sender<Bytes>>, fragment: &Bytes) {
    readers.retain(|reader| reader.try_send(fragment.clone()).is_ok());
}

/// The message that tells a page to load its thread anew.
pub fn reset() -> Bytes {
    Bytes::from_static(b"event: reset\ndata: load the thread anew\n\n")
}

/// One unnamed message of the stream; its data may have several lines.
fn message(id: i64, data: &str) -> Bytes {
    let mut out = String::with_capacity(data.len() + 32);
    writeln!(out, "id: {id}").expect("a String takes everything");
    // a carriage return would end a line of the stream too
    for line in data.split('\n') {
        out.push_str("data: ");
        out.push_str(&line.replace('\r', "&#13;"));
        out.push('\n');
    }
    out.push('\n');
    out.into()
}

#[cfg(test)]
mod tests {
    use super::{Bytes, QUEUE, hand_out, message, mpsc};

    #[test]
    fn lines_of_a_message() {
        assert_eq!(message(7, "a\nb"), "id: 7\ndata: a\ndata: b\n\n");
        assert_eq!(message(8, ""), "id: 8\ndata: \n\n");
    }

    /// F14: what waits for a reader is bounded, and the others get everything.
    #[test]
    fn a_reader_whose_queue_is_full_is_dropped() {
        let ((slow, mut slow_queue), (quick, mut quick_queue)) = (mpsc::channel(QUEUE), mpsc::channel(QUEUE));
        let mut readers = vec![slow, quick];
        for n in 0..2000 {
            hand_out(&mut readers, &Bytes::from(n.to_string()));
            assert_eq!(quick_queue.try_recv().unwrap(), n.to_string());
        }
        assert_eq!(readers.len(), 1);
        let waited = std::iter::from_fn(|| slow_queue.try_recv().ok()).count();
        assert!(waited < 1000, "{waited} waited for one reader");
        assert_eq!(slow_queue.try_recv(), Err(mpsc::error::TryRecvError::Disconnected));
    }
}
