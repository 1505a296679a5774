//! Web and worker as processes of their own, and what becomes of an answer when they die.

use crate::support::{
    eventually,
    people::Person,
    process::{House, Process},
    provider::Step,
};
use sqlx::{Connection, PgConnection};
use std::time::{Duration, Instant};

pub async fn ann_at(web: &Process) -> Person {
    let person = Person::new(&web.address().await);
    person.registers("ann").await;
    person
}

pub async fn has_models(ann: &Person) {
    eventually("the catalog has models", || async { ann.opens("/").await.html.contains("openai/fake-1") }).await;
}

#[tokio::test]
async fn two_processes_on_one_database() {
    let house = House::make().await;
    let (web, worker) = (house.web(), house.worker());
    let ann = ann_at(&web).await;
    worker.says("working").await;
    has_models(&ann).await;
    house.provider.does([
        Step::Text("From the ".into()),
        Step::Hold,
        Step::Text("other process".into()),
        Step::Finish("stop"),
        Step::Done,
    ]);
    let chat = ann.asks("hi").await;
    let tab = ann.follows(&chat, 0).await;
    tab.sees("From the").await;
    house.provider.release();
    tab.sees("data-state=\"completed\"").await;
    assert!(ann.opens(&chat).await.html.contains("From the other process"));
}

/// F1: kill -9 of the worker before the first token: another attempt by itself, one answer.
#[tokio::test]
async fn f1_a_worker_killed_before_the_first_token() {
    let house = House::make().await;
    let (web, mut worker) = (house.web(), house.worker());
    let ann = ann_at(&web).await;
    has_models(&ann).await;
    house.provider.does([Step::Hold]);
    house.provider.streams(["Second attempt"]);
    let chat = ann.asks("hi").await;
    eventually("the provider is asked", || async { house.provider.asked().len() == 1 }).await;
    worker.kill();
    let killed = Instant::now();
    // the lease runs out, and the web process puts it back into the line
    while !ann.opens(&chat).await.html.contains("data-state=\"queued\"") {
        assert!(killed.elapsed() < Duration::from_secs(20), "still running after 20 s");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let _again = house.worker();
    let page = ann.sees(&chat, "data-state=\"completed\"").await;
    assert!(page.html.contains("Second attempt"));
    assert_eq!(page.html.matches("<article").count(), 2, "one answer");
    assert_eq!(house.provider.asked().len(), 2);
}

async fn killed_in_mid_answer(with_another_worker: bool) {
    let house = House::make().await;
    let (web, mut worker) = (house.web(), house.worker());
    let ann = ann_at(&web).await;
    has_models(&ann).await;
    house.provider.does([Step::Text("Text so far".into()), Step::Hold]);
    let chat = ann.asks("hi").await;
    let tab = ann.follows(&chat, 0).await;
    tab.sees("Text so far").await;
    let other = with_another_worker.then(|| house.worker());
    if let Some(other) = &other {
        other.says("working").await;
    }
    worker.kill();
    let killed = Instant::now();
    tab.sees("data-state=\"interrupted\"").await;
    assert!(killed.elapsed() < Duration::from_secs(20), "{:?}", killed.elapsed());
    let page = ann.opens(&chat).await;
    assert!(page.html.contains("Text so far") && page.html.contains("cut off"));
    assert_eq!(house.provider.asked().len(), 1, "never silently repeated");
}

/// F2: in mid-answer the text so far stays, labelled, within 20 s.
#[tokio::test]
async fn f2_a_worker_killed_in_mid_answer_with_no_other() {
    killed_in_mid_answer(false).await;
}

#[tokio::test]
async fn f2_a_worker_killed_in_mid_answer_with_another_one() {
    killed_in_mid_answer(true).await;
}

/// F4: kill -9 of the web process: the answer goes on, and the reader resumes by its position.
#[tokio::test]
async fn f4_a_web_process_killed_in_mid_answer() {
    let house = House::make().await;
    let (mut web, _worker) = (house.web(), house.worker());
    let ann = ann_at(&web).await;
    has_models(&ann).await;
    house.provider.does([
        Step::Text("One. ".into()),
        Step::Hold,
        Step::Text("Two.".into()),
        Step::Finish("stop"),
        Step::Done,
    ]);
    let chat = ann.asks("hi").await;
    let tab = ann.follows(&chat, 0).await;
    tab.sees("One.").await;
    let last = *tab.ids().last().unwrap();
    web.kill();
    house.provider.release();
    let web = house.web();
    let ann = Person { address: web.address().await, ..ann }; // the cookie is good for every process
    let tab = ann.follows(&chat, last).await;
    tab.sees("Two.").await;
    tab.sees("data-state=\"completed\"").await;
}

/// F7: SIGTERM: no new claims; what has said nothing goes back into the line, what has text is labelled; in 10 s.
#[tokio::test]
async fn f7_a_worker_that_is_asked_to_stop_hands_over() {
    let house = House::make().await;
    let (mut web, mut worker) = (house.web(), house.worker());
    let ann = ann_at(&web).await;
    has_models(&ann).await;
    house.provider.does([Step::Text("Begun".into()), Step::Hold]);
    let begun = ann.asks("one").await;
    ann.sees(&begun, "Begun").await;
    house.provider.does([Step::Hold]);
    let silent = ann.asks("two").await;
    eventually("both are asked", || async { house.provider.asked().len() == 2 }).await;
    worker.signal("TERM");
    let (took, code) = worker.ends().await;
    assert!(took < Duration::from_secs(10) && code == Some(0), "{took:?} {code:?}\n{}", worker.log());
    assert!(ann.opens(&begun).await.html.contains("data-state=\"interrupted\""));
    assert!(ann.opens(&silent).await.html.contains("data-state=\"queued\""));
    // and the web process with an open feed ends at once, telling its readers to come back
    let tab = ann.follows(&silent, 0).await;
    tab.sees("id: ").await;
    web.signal("TERM");
    tab.ends().await;
    assert!(tab.text().contains("retry: ") && !tab.text().contains("event: gone"));
    let (took, code) = web.ends().await;
    assert!(took < Duration::from_secs(3) && code == Some(0), "{took:?} {code:?}");
}

/// F7: a request that is under way when its process is asked to stop is answered, and not with an excuse.
#[tokio::test]
async fn f7_a_request_under_way_is_answered() {
    let house = House::make().await;
    let mut web = house.web();
    let ann = ann_at(&web).await;
    let mut conn = PgConnection::connect(&house.database.url).await.unwrap();
    let mut lock = conn.begin().await.unwrap();
    sqlx::query("lock table chats in access exclusive mode").execute(&mut *lock).await.unwrap();
    let asked = tokio::spawn(async move { ann.opens("/").await });
    let waits = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()";
    eventually("the request waits for the table", || async {
        let mut other = PgConnection::connect(&house.database.url).await.unwrap();
        sqlx::query_scalar::<_, i64>(waits).fetch_one(&mut other).await.unwrap() == 1
    })
    .await;
    web.signal("TERM");
    web.says("stopping").await;
    tokio::time::sleep(Duration::from_secs(1)).await; // so long the request takes
    lock.rollback().await.unwrap();
    assert_eq!(asked.await.unwrap().status, 200);
    let (took, code) = web.ends().await;
    assert!(took < Duration::from_secs(3) && code == Some(0), "{took:?} {code:?}");
}
