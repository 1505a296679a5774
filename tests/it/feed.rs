//! The feed from below: what its parts promise to those who use them.

use crate::support::{TestApp, eventually, people::Person};
use parlor::{
    base::{
        config::Config,
        ids::{ChatId, MessageId},
    },
    domain::feed::{
        self, Event, Feed, Stream, Subscription, What,
        store::{self, Delta, Fate},
    },
};
use sqlx::Connection as _;
use std::time::{Duration, Instant};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// A chat whose log ends with this number, and that nobody follows.
async fn ends_at(test: &TestApp, ann: &Person, seq: i64) -> ChatId {
    let chat = ann.asks("hi").await;
    ann.sees(&chat, "data-state=\"completed\"").await;
    eventually("nobody follows it", || async { test.app.feed.hub.watched() == 0 }).await;
    let chat = chat.trim_start_matches("/chats/");
    test.execute(&format!(
        "delete from feed_events where chat_id = '{chat}';
         update feed_heads set seq = {seq}, first_seq = {seq} + 1 where chat_id = '{chat}'"
    ))
    .await;
    chat.parse().unwrap()
}

/// The numbers of events, which are all of one chat.
fn numbers(events: &[Event], chat: ChatId) -> Vec<i64> {
    assert!(events.iter().all(|event| event.message_id.0 == chat.0), "{events:?}");
    events.iter().map(|event| event.seq).collect()
}

#[tokio::test]
async fn what_is_appended_has_the_next_numbers() {
    let test = TestApp::start().await;
    let chat = ends_at(&test, &test.person("ann").await, 100).await;
    let (db, id) = (&test.app.pools.http, MessageId(chat.0));
    let mut conn = db.acquire().await.unwrap();
    let happened = [(id, What::Path), (id, What::Title), (id, What::Removed)];
    let events = feed::append(&mut conn, chat, &happened).await.unwrap();
    assert_eq!(numbers(&events, chat), [101, 102, 103]);
    assert!(events.iter().map(|event| &event.what).eq(happened.iter().map(|(_, what)| what)));
    assert_eq!(store::read(db, chat, 100, 9).await.unwrap(), events);
    assert_eq!(store::read(db, chat, 101, 1).await.unwrap(), events[1..2]);
    assert_eq!(store::bounds(&mut conn, chat).await.unwrap(), Some((101, 103)));
    let gone = ChatId(uuid::Uuid::nil());
    assert!(feed::append(&mut conn, gone, &happened).await.is_err());
    assert_eq!(feed::try_append(&mut conn, gone, &happened).await.unwrap(), None);
    assert_eq!(store::bounds(&mut conn, gone).await.unwrap(), None);
    assert_eq!(feed::lock(&mut conn, gone).await.unwrap(), None);
}

#[tokio::test]
async fn only_one_holds_the_head_of_a_chat() {
    let test = TestApp::start().await;
    let chat = ends_at(&test, &test.person("ann").await, 100).await;
    let (mut one, mut other) = (test.app.pools.http.begin().await.unwrap(), test.app.pools.http.begin().await.unwrap());
    assert_eq!(feed::lock(&mut one, chat).await.unwrap(), Some(100));
    sqlx::query("set local lock_timeout = '50ms'").execute(&mut *other).await.unwrap();
    assert!(feed::lock(&mut other, chat).await.is_err());
}

/// A feed beside the app's, which gathers for so long.
fn feed(test: &TestApp, gather_ms: u64) -> Feed {
    let mut config = Config::load(None, std::iter::empty()).unwrap().feed;
    config.gather_ms = gather_ms;
    Feed::start(&test.app.pools, &config, &TaskTracker::new(), &CancellationToken::new())
}

#[tokio::test]
async fn a_first_piece_does_not_take_others_along() {
    let test = TestApp::start().await;
    let streams = test.silent_answers(2).await;
    let writer = feed(&test, 60_000).writer;
    for stream in &streams {
        writer.begin(*stream, 0);
    }
    let pushes = async |answer: usize, piece: &str| writer.push(&streams[answer], piece, false).await.unwrap();
    pushes(0, "a").await;
    eventually("the first one is written at once", || async { test.text_in_logs().await == "a" }).await;
    pushes(0, "b").await;
    pushes(1, "c").await;
    eventually("so is the first of another answer", || async { test.text_in_logs().await == "ac" }).await;
}

/// A database that is slow gets fewer and larger batches.
#[tokio::test]
async fn the_slower_the_commits_the_more_is_gathered() {
    let test = TestApp::start().await;
    let stream = test.silent_answers(1).await.remove(0);
    test.execute(
        "create function takes_time() returns trigger language plpgsql as $$ begin perform pg_sleep(0.03); return null; end $$;
         create trigger takes_time after insert on feed_events for each statement execute function takes_time()",
    )
    .await;
    let writer = feed(&test, 0).writer;
    writer.begin(stream, 0);
    let began = Instant::now();
    while began.elapsed() < Duration::from_millis(1500) {
        writer.push(&stream, "x", false).await.unwrap();
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let batches: i64 = test.value("select count(*) from feed_events where kind = 'text'").await;
    assert!((1..12).contains(&batches), "{batches}");
}

#[tokio::test]
async fn each_row_of_a_batch_has_its_fate() {
    let test = TestApp::start().await;
    let streams = test.silent_answers(4).await;
    let mut conn = test.database.connect().await;
    let mut ends = Vec::new();
    for stream in &streams {
        ends.push(store::bounds(&mut conn, stream.chat).await.unwrap().unwrap().1);
    }
    let row = |answer: usize, epoch: i32, reasoning: bool| {
        let Stream { chat, generation, message, .. } = streams[answer];
        let text = "x".into();
        let what = if reasoning { What::Reasoning { offset: 0, text } } else { What::Text { offset: 0, text } };
        Delta { chat, generation, epoch: streams[answer].epoch + epoch, message, what, first: true }
    };
    let batch =
        [row(0, 0, true), row(1, 0, false), row(0, 0, false), row(2, 1, true), row(2, 0, false), row(3, 0, false)];
    let mut holder = test.app.pools.http.begin().await.unwrap();
    feed::lock(&mut holder, streams[3].chat).await.unwrap();
    let fates = store::write(&mut conn, &batch, "me", false).await.unwrap();
    let written = |answer: usize, n: i64| Fate::Written(ends[answer] + n);
    assert_eq!(fates, [written(0, 1), written(1, 1), written(0, 2), Fate::Fenced, Fate::Busy, Fate::Busy]);
    for (answer, count) in [(0, 2), (1, 1), (2, 0), (3, 0)] {
        let stored = store::read(&test.app.pools.http, streams[answer].chat, ends[answer], 9).await.unwrap();
        assert_eq!(stored.len(), count, "{answer}");
    }
}

/// Those of these answers that somebody has locked, while somebody waits for the first of them.
async fn locked_meanwhile(test: &TestApp, answers: &[Stream], work: impl Future<Output = ()>) -> usize {
    let mut holder = test.database.connect().await;
    let mut holder = holder.begin().await.unwrap();
    let lock = "select id from generations where id = any($1) for no key update skip locked";
    let locks = sqlx::query(lock).bind(vec![answers[0].generation.0]).fetch_all(&mut *holder).await.unwrap();
    assert_eq!(locks.len(), 1);
    let looks = async {
        let waits =
            "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
        eventually("it is waited for", || async { test.value::<i64>(waits).await > 0 }).await;
        let others: Vec<_> = answers[1..].iter().map(|answer| answer.generation.0).collect();
        let free = sqlx::query(lock).bind(&others).fetch_all(&test.app.pools.http).await.unwrap();
        holder.rollback().await.unwrap();
        others.len() - free.len()
    };
    tokio::join!(looks, work).0
}

/// Whoever locks several answers does it in the order of their ids: so no two wait for one another.
#[tokio::test]
async fn answers_are_locked_in_order() {
    let test = TestApp::with(&[("PARLOR__GENERATION__RENEW", "0.2")]).await;
    let mut answers = test.silent_answers(8).await;
    answers.sort_by_key(|answer| answer.generation.0);
    assert_eq!(locked_meanwhile(&test, &answers, async {}).await, 0, "by the renewal of leases");

    let row = |answer: &Stream| {
        let Stream { chat, generation, epoch, message } = *answer;
        Delta { chat, generation, epoch, message, what: What::Text { offset: 0, text: "x".into() }, first: true }
    };
    let batch: Vec<_> = answers.iter().rev().map(row).collect();
    let mut conn = test.database.connect().await;
    let writes = async {
        let fates = store::write(&mut conn, &batch, "me", false).await.unwrap();
        assert!(fates.iter().all(|fate| matches!(fate, Fate::Written(_))), "{fates:?}");
    };
    assert_eq!(locked_meanwhile(&test, &answers, writes).await, 0, "by a batch of first pieces");
}

/// All that has to be looked at, as the batches of other processes ring.
const FOR_ALL: &str = "select pg_notify('parlor_feed', 'another|')";
/// One chat, as their acts do.
const FOR_EACH: &str = "select pg_notify('parlor_feed', 'another|' || chat_id || ':' || seq) from feed_heads";

/// Another process writes so many events to the log of each chat, and rings, when they are waited for.
async fn written_elsewhere(test: &TestApp, count: i64, bell: &str) {
    tokio::time::sleep(Duration::from_millis(300)).await;
    test.execute(&format!(
        "with heads as (update feed_heads set seq = seq + {count} returning chat_id, seq - {count} as base)
         insert into feed_events (chat_id, seq, message_id, kind, body)
         select chat_id, base + n, chat_id, 'path', '{{}}' from heads, generate_series(1, {count}) n;
         {bell}"
    ))
    .await;
}

/// The next so many events.
async fn reads(reader: &mut Subscription, count: usize) -> Vec<Event> {
    let mut events = Vec::new();
    while events.len() < count {
        let more = tokio::time::timeout(Duration::from_secs(20), reader.next()).await;
        events.extend(more.unwrap_or_else(|_| panic!("{} of {count} came", events.len())).unwrap().unwrap());
    }
    events
}

/// More than is read at a time, and no look at all chats before the end of the story.
#[tokio::test]
async fn news_of_many_pages_come_by_one_bell() {
    let test = TestApp::with(&[("PARLOR__FEED__RING", "60")]).await;
    let chat = ends_at(&test, &test.person("ann").await, 100).await;
    let mut reader = test.app.feed.hub.subscribe(chat, 100).await.unwrap();
    let (events, ()) = tokio::join!(reads(&mut reader, 1200), written_elsewhere(&test, 1200, FOR_ALL));
    assert_eq!(numbers(&events, chat), (101..=1300).collect::<Vec<_>>());
}

#[tokio::test]
async fn news_of_two_chats_go_each_to_its_own_readers() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    // the numbers of the second go on where those of the first end
    let (one, other) = (ends_at(&test, &ann, 100).await, ends_at(&test, &ann, 102).await);
    let mut reader = test.app.feed.hub.subscribe(one, 100).await.unwrap();
    let mut another = test.app.feed.hub.subscribe(other, 102).await.unwrap();
    let (of_one, of_other, ()) =
        tokio::join!(reads(&mut reader, 2), reads(&mut another, 2), written_elsewhere(&test, 2, FOR_ALL));
    assert_eq!(numbers(&of_one, one), [101, 102]);
    assert_eq!(numbers(&of_other, other), [103, 104]);
}

#[tokio::test]
async fn a_bell_tells_whom_it_rings_for() {
    let test = TestApp::with(&[("PARLOR__FEED__RING", "60")]).await;
    let ann = test.person("ann").await;
    let chat = ends_at(&test, &ann, 100).await;
    let mut reader = test.app.feed.hub.subscribe(chat, 100).await.unwrap();
    let (events, ()) = tokio::join!(reads(&mut reader, 1), written_elsewhere(&test, 1, FOR_EACH));
    assert_eq!(numbers(&events, chat), [101]);
    let ann = test.viewer("ann").await.id;
    let list = test.app.feed.hub.lists.of(ann);
    feed::ring_list(&mut test.app.pools.http.acquire().await.unwrap(), ann).await.unwrap();
    tokio::time::timeout(Duration::from_secs(20), list.rung()).await.expect("it rings");
}
