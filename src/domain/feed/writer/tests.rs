//! The writer without a database: what it takes in, when it wants to write, what becomes of a batch.

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
