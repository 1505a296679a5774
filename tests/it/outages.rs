//! The database goes away, is slow, is full of others, or its bells are not heard: waits have bounds, nothing that was
//! acknowledged is lost, and all is well again by itself.

use crate::support::{
    TestApp, eventually,
    people::{Person, Tab},
    process::{House, Process},
    provider::Step,
    server::Server,
};
use reqwest::StatusCode;
use sqlx::Connection;
use std::time::{Duration, Instant};

fn text(text: &str) -> Step {
    Step::Text(text.to_owned())
}

fn story(first: &str, second: &str) -> [Step; 5] {
    [text(first), Step::Hold, text(second), Step::Finish("stop"), Step::Done]
}

async fn ann_at(web: &Process) -> Person {
    let person = Person::new(&web.address().await);
    person.registers("ann").await;
    eventually("the catalog has models", || async { person.opens("/").await.html.contains("openai/fake-1") }).await;
    person
}

/// Comes back to a feed that broke, as a browser does: by the last number it saw.
async fn comes_back(ann: &Person, chat: &str, tab: &Tab) -> Tab {
    let last = *tab.ids().last().unwrap();
    let path = format!("{chat}/feed?after=0");
    eventually("the feed can be had again", || async {
        ann.request(reqwest::Method::GET, &path).send().await.is_ok_and(|r| r.status() == StatusCode::OK)
    })
    .await;
    let request = ann.request(reqwest::Method::GET, &path).header("last-event-id", last);
    Tab::read(request.send().await.unwrap())
}

/// A message is refused, soon, with a page that says so.
async fn is_turned_away(ann: &Person, within: Duration) {
    let began = Instant::now();
    let fields = [("content", "lost?"), ("model", "openai/fake-1")];
    let page = ann.posts("/chats", &fields).await;
    assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(page.html.contains("nothing is lost"), "{}", page.html);
    assert!(began.elapsed() < within, "{:?}", began.elapsed());
    assert_eq!(ann.opens("/up").await.status, StatusCode::OK);
    assert_eq!(ann.opens("/ready").await.status, StatusCode::SERVICE_UNAVAILABLE);
}

/// F9: PostgreSQL stopped at once and restarted in mid-answer, for longer than a lease: nobody who lives is interrupted.
#[tokio::test]
async fn f9_postgresql_stops_at_once_and_comes_back() {
    let mut server = Server::start().await;
    let house = House::on(&server.url()).await;
    let house = house
        .with("PARLOR__GENERATION__LEASE", "3")
        .with("PARLOR__GENERATION__RENEW", "1")
        .with("PARLOR__GENERATION__SWEEP", "1")
        .with("PARLOR__DATABASE__ACQUIRE_TIMEOUT", "1");
    let (web, _worker) = (house.web(), house.worker());
    let ann = ann_at(&web).await;
    house.provider.does(story("Before. ", "After."));
    let chat = ann.asks("hi").await;
    let tab = ann.follows(&chat, 0).await;
    tab.sees("Before.").await;
    let taken: i64 = house.database.value("select count(*) from messages").await;
    server.stops_at_once();
    let down = Instant::now();
    is_turned_away(&ann, Duration::from_secs(3)).await;
    house.provider.release();
    // longer than the lease
    tokio::time::sleep_until((down + Duration::from_secs(5)).into()).await;
    is_turned_away(&ann, Duration::from_secs(3)).await;
    server.again().await;
    let tab = comes_back(&ann, &chat, &tab).await;
    tab.sees("data-state=\"completed\"").await;
    let page = ann.opens(&chat).await;
    assert_eq!(page.status, StatusCode::OK, "nobody has to sign in again");
    assert!(page.html.contains("Before. After."), "{}", page.html);
    assert_eq!(
        house.database.value::<i64>("select count(*) from messages").await,
        taken,
        "what was refused is not there"
    );
    assert_eq!(house.provider.asked().len(), 1);
    house.provider.streams(["As if nothing had been"]);
    ann.says(&chat, "and now?").await;
    ann.sees(&chat, "As if nothing had been").await;
    house.database.check_feeds().await;
}

/// F10: the connections that listen are ended: the bell is heard again, without anybody doing anything.
#[tokio::test]
async fn f10_the_connections_that_listen_are_ended() {
    let house = House::make().await;
    let (web, worker) = (house.web(), house.worker());
    let ann = ann_at(&web).await;
    house.provider.does(story("Before. ", "After."));
    let chat = ann.asks("hi").await;
    let tab = ann.follows(&chat, 0).await;
    tab.sees("Before.").await;
    let listening = "from pg_stat_activity where datname = current_database() and query ilike 'listen %'";
    let ears: i64 = house.database.value(&format!("select count(*) {listening}")).await;
    assert!(ears >= 3, "the feed's two, and the queue's: {ears}");
    house.database.execute(&format!("select pg_terminate_backend(pid) {listening}")).await;
    house.provider.release();
    tab.sees("data-state=\"completed\"").await;
    assert!(!tab.is_over(), "the feed itself went on");
    eventually("all listen again", || async {
        house.database.value::<i64>(&format!("select count(*) {listening}")).await == ears
    })
    .await;
    let next = ann.asks("more").await;
    ann.sees(&next, "unscripted").await;
    drop((web, worker));
    house.database.check_feeds().await;
}

/// F10: no NOTIFY ever arrives: everything works, about a second slower.
#[tokio::test]
async fn f10_every_bell_is_lost() {
    let house = House::make().await;
    // found before the real one, because the path says so
    house
        .database
        .execute(&format!(
            "create function public.pg_notify(text, text) returns void language sql as $$ select null::void $$;
             alter database {} set search_path = public, pg_catalog",
            house.database.name
        ))
        .await;
    let (web, _worker) = (house.web(), house.worker());
    let ann = ann_at(&web).await;
    let steps = (0..5).flat_map(|n| [text(&format!("piece {n}. ")), Step::Hold]);
    house.provider.does(steps.chain([Step::Finish("stop"), Step::Done]));
    let chat = ann.asks("hi").await;
    let tab = ann.follows(&chat, 0).await;
    for n in 0..5 {
        let released = Instant::now();
        tab.sees(&format!("piece {n}.")).await;
        // the first one waits for the queue too; on a busy machine a second is soon two
        assert!(released.elapsed() < Duration::from_secs(3), "{n}: {:?}", released.elapsed());
        house.provider.release();
    }
    tab.sees("data-state=\"completed\"").await;
    // a stop is heard by the worker as well
    house.provider.does([text("Long"), Step::Hold]);
    let chat = ann.asks("more").await;
    ann.sees(&chat, "Long").await;
    let answer = ann.last_answer(&chat).await;
    ann.posts(&format!("/messages/{answer}/stop"), &[]).await;
    eventually("the worker hangs up", || async { house.provider.hung_up() == 1 }).await;
    house.database.check_feeds().await;
}

/// F11: the network to the database is dropped: refused and reset, or silent. Waits are bounded, and it passes.
#[tokio::test]
async fn f11_the_network_to_the_database_is_dropped() {
    let house = House::make().await;
    let (wired, wire) = house.wired().await;
    let wired = wired
        .with("PARLOR__DATABASE__ACQUIRE_TIMEOUT", "2")
        .with("PARLOR__SERVER__REQUEST_TIMEOUT", "10")
        .with("PARLOR__DATABASE__STATEMENT_TIMEOUT", "2");
    let (web, _worker) = (wired.web(), wired.worker());
    let ann = ann_at(&web).await;
    let mut steps = vec![text("Start. ")];
    for fault in ["refused", "silent"] {
        steps.extend([Step::Hold, text(&format!("After {fault}. "))]);
    }
    house.provider.does(steps.into_iter().chain([Step::Finish("stop"), Step::Done]));
    let chat = ann.asks("hi").await;
    let mut tab = ann.follows(&chat, 0).await;
    tab.sees("Start.").await;
    for fault in ["refused", "silent"] {
        if fault == "refused" {
            wire.refuse();
            wire.cut();
        } else {
            wire.freeze_all();
        }
        house.provider.release();
        is_turned_away(&ann, Duration::from_secs(12)).await;
        is_turned_away(&ann, Duration::from_secs(12)).await;
        wire.pass();
        tab = comes_back(&ann, &chat, &tab).await;
        tab.sees(&format!("After {fault}.")).await;
    }
    tab.sees("data-state=\"completed\"").await;
    // one that was turned away may have been taken all the same: its commit was on its way when the network fell silent
    let asked = house.provider.asked().into_iter().filter(|a| a.body["messages"][0]["content"] == "hi");
    assert_eq!(asked.count(), 1);
    let of_chat = format!("chat_id = '{}'", chat.rsplit('/').next().unwrap());
    let said: String =
        house.database.value(&format!("select text from messages where author = 'model' and {of_chat}")).await;
    assert_eq!(said, "Start. After refused. After silent. ");
    // everybody has all connections again
    let next = ann.asks("more").await;
    ann.sees(&next, "unscripted").await;
    house.database.check_feeds().await;
}

/// F11: every open connection is dead without a word, as when a firewall forgot them; new ones can be had.
#[tokio::test]
async fn f11_connections_that_died_without_a_word() {
    let house = House::make().await;
    let (wired, wire) = house.wired().await;
    let wired = wired
        .with("PARLOR__DATABASE__ACQUIRE_TIMEOUT", "2")
        .with("PARLOR__SERVER__REQUEST_TIMEOUT", "10")
        .with("PARLOR__DATABASE__STATEMENT_TIMEOUT", "2");
    let (web, _worker) = (wired.web(), wired.worker());
    let ann = ann_at(&web).await;
    house.provider.does(story("Before. ", "After."));
    let chat = ann.asks("hi").await;
    ann.sees(&chat, "Before.").await;
    wire.strand();
    house.provider.release();
    eventually("pages are there again", || async { ann.opens(&chat).await.status == StatusCode::OK }).await;
    eventually("the answer has ended", || async {
        house.database.value::<String>("select state from generations").await == "completed"
    })
    .await;
    let page = ann.opens(&chat).await;
    assert!(page.html.contains("Before. After."), "{}", page.html);
    house.database.check_feeds().await;
}

/// F11: who looks after the news of other processes was asking just then, and would wait for the answer for ever. It asks
/// again on another connection, and readers that were connected all the time get the rest.
#[tokio::test]
async fn f11_a_question_that_is_never_answered() {
    let house = House::make().await;
    let (wired, wire) = house.wired().await;
    let (web, worker) = (wired.web(), house.worker());
    let ann = ann_at(&web).await;
    worker.says("working").await;
    house.provider.does(story("Before. ", "After."));
    let chat = ann.asks("hi").await;
    let page = ann.sees(&chat, "Before.").await;
    let tab = ann.follows(&chat, page.after()).await;
    tab.sees("data-state=\"streaming\"").await;
    let mut slow = house.database.connect().await;
    sqlx::raw_sql("begin; lock table feed_events in access exclusive mode").execute(&mut slow).await.unwrap();
    let asking = "select count(*) = 2 from pg_stat_activity where datname = current_database()
                  and wait_event_type = 'Lock' and query like '%join feed_heads h on h.chat_id = w.chat_id%'";
    eventually("both ask for the news", || house.database.value::<bool>(asking)).await;
    wire.strand();
    sqlx::raw_sql("rollback").execute(&mut slow).await.unwrap();
    house.provider.release();
    tab.sees("After.").await;
    tab.sees("data-state=\"completed\"").await;
    assert!(!tab.is_over(), "{}", web.log());
}

/// F11: a write whose connection is lost before its outcome is known is committed all the same, later: its text comes
/// once.
#[tokio::test]
async fn f11_a_commit_of_unknown_outcome() {
    let house = House::make().await;
    let (wired, wire) = house.wired().await;
    let (web, worker) = (house.web(), wired.worker());
    let ann = ann_at(&web).await;
    house
        .database
        .execute(
            "create function slowly() returns trigger language plpgsql as
                 $$ begin perform pg_sleep(1.5); return new; end $$;
             create trigger slowly before insert on feed_events for each row when (new.body like '%slow%')
                 execute function slowly()",
        )
        .await;
    house.provider.does(story("Begun. ", "A slow piece."));
    let chat = ann.asks("hi").await;
    let tab = ann.follows(&chat, 0).await;
    tab.sees("Begun.").await;
    house.provider.release();
    let under_way = "select exists (select 1 from pg_stat_activity
                     where datname = current_database() and wait_event = 'PgSleep')";
    eventually("it is being written", || house.database.value::<bool>(under_way)).await;
    wire.cut();
    worker.says("was not written").await;
    tab.sees("data-state=\"completed\"").await;
    let said: String = house.database.value("select text from messages where author = 'model'").await;
    assert_eq!(said, "Begun. A slow piece.");
    house.database.check_feeds().await;
}

/// F12: no connection is left for pages: 503 soon, the process lives, and leases are renewed.
#[tokio::test]
async fn f12_all_connections_for_pages_are_taken() {
    let test = TestApp::with(&[
        ("PARLOR__DATABASE__ACQUIRE_TIMEOUT", "1"),
        ("PARLOR__DATABASE__HTTP_CONNECTIONS", "3"),
        ("PARLOR__GENERATION__LEASE", "3"),
        ("PARLOR__GENERATION__RENEW", "0.5"),
        ("PARLOR__GENERATION__SWEEP", "1"),
    ])
    .await;
    let ann = test.person("ann").await;
    test.provider.does(story("Before. ", "After."));
    let chat = ann.asks("hi").await;
    ann.sees(&chat, "Before.").await;
    let mut taken = Vec::new();
    for _ in 0..3 {
        taken.push(test.app.pools.http.acquire().await.unwrap());
    }
    pages_fail_and_leases_are_renewed(&test, &ann, &chat).await;
    test.provider.release();
    eventually("the answer ends meanwhile", || async {
        test.database.value::<String>("select state from generations").await == "completed"
    })
    .await;
    drop(taken);
    ann.sees(&chat, "Before. After.").await;
    test.check_feeds().await;
}

/// F12: a table is locked: 503 when the statement's time is over, and leases are renewed all the same.
#[tokio::test]
async fn f12_a_table_is_locked() {
    let test = TestApp::with(&[
        ("PARLOR__DATABASE__STATEMENT_TIMEOUT", "1"),
        ("PARLOR__GENERATION__LEASE", "3"),
        ("PARLOR__GENERATION__RENEW", "0.5"),
        ("PARLOR__GENERATION__SWEEP", "1"),
    ])
    .await;
    let ann = test.person("ann").await;
    test.provider.does(story("Before. ", "After."));
    let chat = ann.asks("hi").await;
    ann.sees(&chat, "Before.").await;
    let mut holder = test.database.connect().await;
    let mut tx = holder.begin().await.unwrap();
    sqlx::query("lock table messages in access exclusive mode").execute(&mut *tx).await.unwrap();
    test.provider.release();
    pages_fail_and_leases_are_renewed(&test, &ann, &chat).await;
    tx.rollback().await.unwrap();
    let page = ann.sees(&chat, "data-state=\"completed\"").await;
    assert!(page.html.contains("Before. After."), "the end was written as soon as it could be");
    test.check_feeds().await;
}

/// For longer than a lease.
async fn pages_fail_and_leases_are_renewed(test: &TestApp, ann: &Person, chat: &str) {
    let lease = "select extract(epoch from max(lease_until))::float8 from generations";
    let born: f64 = test.database.value(lease).await;
    let began = Instant::now();
    while test.database.value::<f64>(lease).await < born + 4. {
        let asked = Instant::now();
        assert_eq!(ann.opens(chat).await.status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(asked.elapsed() < Duration::from_secs(4), "{:?}", asked.elapsed());
        assert_eq!(ann.opens("/up").await.status, StatusCode::OK);
        assert!(began.elapsed() < Duration::from_secs(20), "the lease is not renewed");
    }
}

/// Somebody holds one chat's head: the other chats' answers go on, and that one catches up.
#[tokio::test]
async fn a_chat_that_is_held_up_holds_up_nobody_else() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    let words = (0..30).flat_map(|n| [text(&format!("word {n}.\n\n")), Step::Hold]);
    test.provider.does([text("Stuck. "), Step::Hold, text("Freed."), Step::Finish("stop"), Step::Done]);
    let stuck = ann.asks("one").await;
    let stuck_tab = ann.follows(&stuck, 0).await;
    stuck_tab.sees("Stuck.").await;
    let mut holder = test.database.connect().await;
    let mut tx = holder.begin().await.unwrap();
    sqlx::query("select 1 from feed_heads for update").execute(&mut *tx).await.unwrap();
    test.provider.release();
    let held = Instant::now();
    test.provider.does(words);
    let free = ann.asks("two").await;
    let tab = ann.follows(&free, 0).await;
    let mut slowest = Duration::ZERO;
    for n in 0..30 {
        let began = Instant::now();
        tab.sees(&format!("word {n}.")).await;
        slowest = slowest.max(began.elapsed());
        // spread over more than the three seconds after which something could give way
        tokio::time::sleep(Duration::from_millis(120)).await;
        test.provider.release();
    }
    assert!(held.elapsed() > Duration::from_secs(3), "{:?}", held.elapsed());
    assert!(slowest < Duration::from_secs(1), "{slowest:?}");
    assert!(!stuck_tab.text().contains("Freed."), "what is not committed is not shown");
    tx.rollback().await.unwrap();
    stuck_tab.sees("Freed.").await;
    stuck_tab.sees("data-state=\"completed\"").await;
    test.check_feeds().await;
}

/// N3: a piece whose commit has to wait is shown to nobody before it.
#[tokio::test]
async fn n3_what_is_not_committed_is_not_shown() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    let end = [text("The end."), Step::Finish("stop"), Step::Done];
    test.provider.does([text("Seen. "), Step::Hold, text("Not yet. "), Step::Hold].into_iter().chain(end));
    let chat = ann.asks("one").await;
    let tab = ann.follows(&chat, 0).await;
    tab.sees("Seen.").await;
    let mut holder = test.database.connect().await;
    let mut tx = holder.begin().await.unwrap();
    sqlx::query("select 1 from feed_heads for update").execute(&mut *tx).await.unwrap();
    test.provider.release();
    // long enough for many batches: another answer comes and goes
    test.provider.streams(["Another"]);
    let other = ann.asks("two").await;
    ann.sees(&other, "data-state=\"completed\"").await;
    assert!(!tab.text().contains("Not yet."), "{}", tab.text());
    tx.rollback().await.unwrap();
    tab.sees("Not yet.").await;
    test.provider.release();
    tab.sees("data-state=\"completed\"").await;
    test.check_feeds().await;
}
