//! Processes that die, sleep, or have a wrong clock at the worst moment: what is no longer theirs they cannot touch.

use crate::support::{
    eventually,
    people::{Page, Person, between},
    process::{House, Process},
    provider::Step,
    proxy::{Direction, Proxy, Upstream},
};
use sqlx::Connection;
use std::time::{Duration, Instant};

fn text(text: &str) -> Step {
    Step::Text(text.to_owned())
}

async fn ann_at(web: &Process) -> Person {
    let person = Person::new(&web.address().await);
    person.registers("ann").await;
    eventually("the catalog has models", || async { person.opens("/").await.html.contains("openai/fake-1") }).await;
    person
}

/// A house with leases that run out soon.
async fn hasty() -> House {
    let house = House::make().await;
    house
        .with("PARLOR__GENERATION__LEASE", "3")
        .with("PARLOR__GENERATION__RENEW", "1")
        .with("PARLOR__GENERATION__SWEEP", "1")
}

/// F3: killed between the provider's end and the commit: interrupted or complete, never running for ever.
#[tokio::test]
async fn f3_a_worker_killed_before_the_end_is_committed() {
    let house = hasty().await;
    let (web, mut worker) = (house.web(), house.worker());
    let ann = ann_at(&web).await;
    house.provider.does([text("All of it"), Step::Hold, Step::Finish("stop"), Step::Done]);
    let chat = ann.asks("hi").await;
    let tab = ann.follows(&chat, 0).await;
    tab.sees("All of it").await;
    // somebody holds the chat's head, so that the end has to wait
    let mut holder = house.database.connect().await;
    let mut tx = holder.begin().await.unwrap();
    sqlx::query("select 1 from feed_heads for update").execute(&mut *tx).await.unwrap();
    house.provider.release();
    let waiting = "select exists (select 1 from pg_stat_activity
                   where datname = current_database() and wait_event_type = 'Lock' and query like '%feed_heads%')";
    eventually("the worker waits to write the end", || house.database.value::<bool>(waiting)).await;
    worker.kill();
    let killed = Instant::now();
    tx.rollback().await.unwrap();
    tab.sees("data-state=\"interrupted\"").await;
    assert!(killed.elapsed() < Duration::from_secs(20), "{:?}", killed.elapsed());
    assert!(ann.opens(&chat).await.html.contains("All of it"));
    assert_eq!(house.provider.asked().len(), 1, "never silently repeated");
    house.database.check_feeds().await;
}

/// F5: killed after the commit, before the reply: the same form sent again is the same message.
#[tokio::test]
async fn f5_a_web_process_killed_before_it_could_reply() {
    let house = House::make().await;
    let (mut web, _worker) = (house.web(), house.worker());
    let ann = ann_at(&web).await;
    let wire = Proxy::start(Upstream::Tcp(ann.address.trim_start_matches("http://").parse().unwrap())).await;
    let key = ann.opens("/").await.field("key").unwrap();
    let fields = [("content", "hi"), ("model", "openai/fake-1"), ("key", key.as_str())];
    wire.freeze(Direction::Down);
    let far = Person { address: wire.url(), ..ann.clone() };
    let request = far.request(reqwest::Method::POST, "/chats").header("sec-fetch-site", "same-origin").form(&fields);
    let lost = tokio::spawn(request.send());
    eventually("the message is committed", || async {
        house.database.value::<i64>("select count(*) from chats").await == 1
    })
    .await;
    web.kill();
    wire.cut();
    assert!(lost.await.unwrap().is_err(), "no reply came");
    let web = house.web();
    let ann = Person { address: web.address().await, ..ann };
    let again: Page = ann.posts("/chats", &fields).await;
    let chat = again.location.expect("the first answer again");
    ann.sees(&chat, "data-state=\"completed\"").await;
    assert_eq!(house.database.value::<i64>("select count(*) from chats").await, 1);
    assert_eq!(house.database.value::<i64>("select count(*) from messages").await, 2);
    assert_eq!(house.provider.asked().len(), 1, "one answer was made");
}

/// F8: asleep beyond its lease, then awake: it changes nothing more, and hangs up.
#[tokio::test]
async fn f8_a_worker_that_slept_beyond_its_lease_is_fenced_off() {
    let house = hasty().await;
    let (web, worker) = (house.web(), house.worker());
    let ann = ann_at(&web).await;
    house.provider.does([text("Before. "), Step::Hold, text("After."), Step::Finish("stop"), Step::Done]);
    let chat = ann.asks("hi").await;
    let tab = ann.follows(&chat, 0).await;
    tab.sees("Before.").await;
    worker.signal("STOP");
    tab.sees("data-state=\"interrupted\"").await;
    let head = format!("select seq from feed_heads where chat_id = '{}'", chat.trim_start_matches("/chats/"));
    let events: i64 = house.database.value(&head).await;
    house.provider.release();
    worker.signal("CONT");
    // it lives and works on, but not on this
    let next = ann.asks("still there?").await;
    ann.sees(&next, "unscripted").await;
    let page = ann.opens(&chat).await.html;
    assert!(page.contains("Before.") && !page.contains("After.") && page.contains("data-state=\"interrupted\""));
    assert_eq!(house.database.value::<i64>(&head).await, events, "nothing was added");
    house.database.check_feeds().await;
}

/// F8, with nothing said yet: a worker that comes too late to renew takes the answer up again and meets its own former
/// attempt, which says nothing any more.
#[tokio::test]
async fn f8_a_worker_that_meets_its_own_former_attempt() {
    let house = hasty().await;
    let house = house.with("PARLOR__GENERATION__RENEW", "9").with("PARLOR__GENERATION__LEASE", "18");
    let (web, _worker) = (house.web(), house.worker());
    let ann = ann_at(&web).await;
    house.provider.does([Step::Hold, text("Stale."), Step::Finish("stop"), Step::Done]);
    house.provider.does([text("Fresh "), Step::Hold, text("and whole."), Step::Finish("stop"), Step::Done]);
    let chat = ann.asks("hi").await;
    let tab = ann.follows(&chat, 0).await;
    eventually("the provider is asked", || async { house.provider.asked().len() == 1 }).await;
    eventually("the lease is lost, and the provider asked again", || async {
        let past =
            "update generations set lease_until = now() - interval '1 s' where state = 'streaming' and epoch = 1";
        house.database.execute(past).await;
        house.provider.asked().len() == 2
    })
    .await;
    tab.sees("Fresh").await;
    eventually("the former attempt hung up", || async { house.provider.hung_up() == 1 }).await;
    house.provider.release();
    tab.sees("data-state=\"completed\"").await;
    let said: String = house.database.value("select text from messages where author = 'model'").await;
    assert_eq!(said, "Fresh and whole.");
    // a stop is heard too, though the former attempt waited for the same end
    house.provider.does([text("Long"), Step::Hold]);
    let chat = ann.asks("more").await;
    ann.sees(&chat, "Long").await;
    let answer = ann.last_answer(&chat).await;
    ann.posts(&format!("/messages/{answer}/stop"), &[]).await;
    eventually("the worker hangs up", || async { house.provider.hung_up() == 2 }).await;
    house.database.check_feeds().await;
}

/// F21: clocks of processes that are off: leases and tokens go by the database's.
#[tokio::test]
async fn f21_processes_with_wrong_clocks() {
    let house = hasty().await;
    // what `faketime` does, without being its child: it would outlive the test
    let library = std::fs::read_dir("/usr/lib")
        .unwrap()
        .filter_map(|entry| Some(entry.ok()?.path().join("faketime/libfaketime.so.1")))
        .find(|path| path.exists())
        .expect("Debian's package faketime, which bin/install --tests installs");
    let shifted = |by: &str, args: &[&str]| {
        let mut command = house.command(args);
        command.env("LD_PRELOAD", &library).env("FAKETIME", by).env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
        Process::spawn(command)
    };
    let web = house.web();
    let (ahead, behind) = (shifted("+1h", &["work"]), shifted("-1h", &["work"]));
    ahead.says("working").await;
    behind.says("working").await;
    assert_ne!(hour_of(&ahead), hour_of(&behind), "their clocks are off:\n{}\n{}", ahead.log(), behind.log());
    web.says("/setup?token=").await;
    let token = between(&web.log(), "/setup?token=", "\"").unwrap();
    let ann = ann_at(&web).await;
    let mut chats = Vec::new();
    for n in 0..4 {
        house.provider.does([
            text(&format!("Begun {n}. ")),
            Step::Hold,
            text("Ended."),
            Step::Finish("stop"),
            Step::Done,
        ]);
        chats.push(ann.asks(&format!("question {n}")).await);
    }
    for chat in &chats {
        ann.sees(chat, "Begun").await;
    }
    // twice a lease and a sweep: each was renewed again and again, and nobody took anything from anybody
    let born: i64 = house.database.value("select extract(epoch from max(lease_until))::bigint from generations").await;
    let later = format!("select min(extract(epoch from lease_until)) > {born} + 8 from generations");
    eventually("the leases are renewed", || house.database.value::<bool>(&later)).await;
    // two workers may have taken them up in another order than they were asked in
    for _ in &chats {
        house.provider.release();
    }
    for chat in &chats {
        ann.sees(chat, "data-state=\"completed\"").await;
    }
    assert_eq!(house.provider.asked().len(), 4);
    assert_eq!(house.database.value::<i64>("select count(*) from generations where attempt <> 1").await, 0);
    // a token of seven days is good for a web process whose clock is eight days ahead
    let future = shifted("+8d", &["serve", "--no-jobs"]);
    let stranger = Person::new(&future.address().await);
    let page = stranger.opens(&format!("/setup?token={token}")).await;
    assert!(page.status.is_success() && page.html.contains("name=\"password\""), "{}", page.html);
    house.database.check_feeds().await;
}

/// The hour in the first line that a process wrote.
fn hour_of(process: &Process) -> String {
    let log = process.log();
    between(&log, "T", ":").unwrap_or_else(|| panic!("no time in {log}"))
}
