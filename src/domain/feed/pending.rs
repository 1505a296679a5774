//! What waits to be written of one attempt at an answer. Values in, values out.

use super::{What, store::Delta, writer::Stream};
use std::sync::Arc;
use tokio::time::Instant;

/// Text that is not committed yet; `at` bytes of its kind were before it.
#[derive(Default)]
struct Tail {
    at: usize,
    text: String,
    /// Some of its kind was written in this attempt.
    known: bool,
}

pub(super) struct Pending {
    pub stream: Stream,
    text: Tail,
    reasoning: Tail,
    /// Nothing of this attempt was written yet.
    pub fresh: bool,
    /// A part of it is being written.
    pub in_flight: bool,
    /// The attempt is no longer this worker's.
    pub lost: bool,
    /// Since when the chat's head is held by somebody else.
    pub held: Option<Instant>,
    /// When the oldest piece came of what waits, and of what is being written.
    arrived: Option<Instant>,
    taken: Option<Instant>,
}

impl Pending {
    pub fn new(stream: Stream, prefix: usize) -> Self {
        let text = Tail { at: prefix, ..Tail::default() };
        Self {
            stream,
            text,
            reasoning: Tail::default(),
            fresh: true,
            in_flight: false,
            lost: false,
            held: None,
            arrived: None,
            taken: None,
        }
    }

    /// Bytes that wait.
    pub fn waiting(&self) -> usize {
        self.text.text.len() + self.reasoning.text.len()
    }

    pub fn is_ready(&self) -> bool {
        !self.lost && !self.in_flight && self.waiting() > 0
    }

    pub fn add(&mut self, piece: &str, reasoning: bool) {
        self.tail(reasoning).text.push_str(piece);
        self.arrived.get_or_insert_with(Instant::now);
    }

    fn tail(&mut self, reasoning: bool) -> &mut Tail {
        if reasoning { &mut self.reasoning } else { &mut self.text }
    }

    /// Everything that waits, to be written: the reasoning, then the text.
    pub fn take(&mut self) -> Vec<Delta> {
        let Stream { chat, generation, epoch, message } = self.stream;
        let mut rows = Vec::with_capacity(1);
        for reasoning in [true, false] {
            let tail = self.tail(reasoning);
            if tail.text.is_empty() {
                continue;
            }
            let text: Arc<str> = std::mem::take(&mut tail.text).into();
            let offset = tail.at;
            tail.at += text.len();
            let first = !std::mem::replace(&mut tail.known, true);
            let what = if reasoning { What::Reasoning { offset, text } } else { What::Text { offset, text } };
            rows.push(Delta { chat, generation, epoch, message, what, first });
        }
        self.in_flight = !rows.is_empty();
        self.taken = self.arrived.take();
        rows
    }

    /// What was taken is committed. Tells, once, when its oldest piece came.
    pub fn written(&mut self) -> Option<Instant> {
        self.in_flight = false;
        self.fresh = false;
        self.held = None;
        self.taken.take()
    }

    /// What was taken was not written, or only the bytes of its kind up to `stored`: the rest goes before what has come
    /// since.
    pub fn put_back(&mut self, delta: &Delta, stored: usize) {
        let (reasoning, offset, text) = match &delta.what {
            What::Text { offset, text } => (false, offset, text),
            What::Reasoning { offset, text } => (true, offset, text),
            _ => return,
        };
        self.in_flight = false;
        self.arrived = self.taken.take().or(self.arrived);
        let written = stored.saturating_sub(*offset).min(text.len());
        if written > 0 {
            self.fresh = false;
        }
        let tail = self.tail(reasoning);
        let rest = text.get(written..).unwrap_or_default();
        tail.known &= !(delta.first && written == 0);
        tail.at -= rest.len();
        tail.text.insert_str(0, rest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::ids::{ChatId, GenerationId, MessageId};
    use uuid::Uuid;

    fn pending(prefix: usize) -> Pending {
        let id = Uuid::nil();
        let stream = Stream { chat: ChatId(id), generation: GenerationId(id), epoch: 1, message: MessageId(id) };
        Pending::new(stream, prefix)
    }

    fn text(delta: &Delta) -> (usize, &str, bool) {
        match &delta.what {
            What::Text { offset, text } => (*offset, text, delta.first),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_is_taken_is_numbered_by_its_bytes() {
        let mut pending = pending(7);
        assert!(!pending.is_ready());
        pending.add("hé", false);
        pending.add("hm", true);
        assert_eq!(pending.waiting(), 5);
        let rows = pending.take();
        assert_eq!(rows[0].what, What::Reasoning { offset: 0, text: "hm".into() });
        assert_eq!(text(&rows[1]), (7, "hé", true));
        assert!(pending.in_flight && !pending.is_ready());
        pending.add("!", false);
        assert!(!pending.is_ready(), "one batch at a time");
        pending.written();
        assert!(!pending.fresh && pending.is_ready());
        assert_eq!(text(&pending.take()[0]), (10, "!", false));
    }

    #[test]
    fn a_piece_is_put_back_without_what_is_stored() {
        for (stored, offset, rest, first) in
            [(0, 10, "abcdef", true), (10, 10, "abcdef", true), (12, 12, "cdef", false), (14, 14, "ef", false)]
        {
            let mut pending = pending(10);
            pending.add("abcd", false);
            let row = pending.take().remove(0);
            pending.add("ef", false);
            pending.put_back(&row, stored);
            assert!(pending.is_ready());
            assert_eq!(pending.fresh, first, "stored {stored}");
            assert_eq!(text(&pending.take()[0]), (offset, rest, first), "stored {stored}");
        }
    }

    #[test]
    fn pieces_of_both_kinds_are_put_back_each_to_its_own() {
        let mut pending = pending(0);
        pending.add("why", true);
        pending.add("because", false);
        let rows = pending.take();
        for row in rows.iter().rev() {
            pending.put_back(row, 0);
        }
        let again = pending.take();
        assert_eq!(again[0].what, What::Reasoning { offset: 0, text: "why".into() });
        assert_eq!(again[1].what, What::Text { offset: 0, text: "because".into() });
    }

    #[test]
    fn an_attempt_that_is_lost_writes_nothing() {
        let mut pending = pending(0);
        pending.add("x", false);
        assert!(pending.is_ready());
        pending.lost = true;
        assert!(!pending.is_ready());
    }

    #[test]
    fn nothing_is_taken_of_nothing() {
        let mut pending = pending(0);
        assert!(pending.take().is_empty());
        assert!(!pending.in_flight, "nobody would say that it is written");
        pending.held = Some(Instant::now());
        assert_eq!(pending.written(), None);
        assert_eq!(pending.held, None);
    }

    /// The time of a batch is that of its oldest piece, however often it has to be written.
    #[test]
    fn how_long_the_oldest_piece_waited() {
        let pause = || std::thread::sleep(std::time::Duration::from_millis(2));
        let add = |pending: &mut Pending, piece: &str| {
            pause();
            let began = Instant::now();
            pending.add(piece, false);
            began..=Instant::now()
        };
        let mut pending = pending(0);
        let oldest = add(&mut pending, "a");
        add(&mut pending, "b");
        let row = pending.take().remove(0);
        add(&mut pending, "c");
        pending.put_back(&row, 0);
        assert_eq!(text(&pending.take()[0]).1, "abc");
        let next = add(&mut pending, "d");
        assert!(pending.written().is_some_and(|at| oldest.contains(&at)));
        assert_eq!(pending.written(), None, "once");
        pending.take();
        assert!(pending.written().is_some_and(|at| next.contains(&at)));
    }
}
