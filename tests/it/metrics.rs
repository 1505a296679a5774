//! The numbers that an operator watches: that they move when things happen, who may read them, and that they are there
//! when the database is not.

#![expect(clippy::float_cmp, reason = "what is compared are counts")]

use crate::support::{
    TestApp, eventually,
    people::{Person, between},
    process::House,
    provider::Step,
    server::Server,
};
use reqwest::{Method, StatusCode};
use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

/// One reading: name with labels, as they are written, and value.
struct Numbers(HashMap<String, f64>);

impl Numbers {
    async fn of(person: &Person) -> Self {
        let page = person.opens("/metrics").await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.html);
        let numbers = page.html.lines().filter(|l| !l.is_empty() && !l.starts_with('#'));
        Self(
            numbers
                .map(|l| l.rsplit_once(' ').unwrap())
                .map(|(name, value)| (name.to_owned(), value.parse().unwrap()))
                .collect(),
        )
    }

    /// A number that is not there yet has not moved.
    fn get(&self, name: &str) -> f64 {
        self.0.get(name).copied().unwrap_or_default()
    }
}

const REQUESTS: &str = r#"parlor_http_request_seconds_count{route="/chats/{id}",status="2xx"}"#;
const MEMORY_LAG: &str = r#"parlor_feed_lag_seconds_count{from="memory"}"#;
const LOG_LAG: &str = r#"parlor_feed_lag_seconds_count{from="log"}"#;

#[tokio::test]
async fn numbers_move_when_things_happen() {
    let test = TestApp::with(&[("PARLOR__GENERATION__RETRY", "")]).await;
    let (ann, operator) = (test.person("ann").await, test.stranger());
    let before = Numbers::of(&operator).await;
    test.provider.does([
        Step::Text("Half".into()),
        Step::Hold,
        Step::Text(" and whole".into()),
        Step::Finish("stop"),
        Step::Usage(11, 7),
        Step::Done,
    ]);
    let chat = ann.asks("hi").await;
    let tab = ann.follows(&chat, 0).await;
    tab.sees("Half").await;
    // what is counted in the database is up to 5 s old
    eventually("one answer is being made, in one active chat", || async {
        let now = Numbers::of(&operator).await;
        now.get(r#"parlor_generations{state="running"}"#) == 1. && now.get("parlor_chats_active") == 1.
    })
    .await;
    let during = Numbers::of(&operator).await;
    assert_eq!(during.get("parlor_feed_readers") - before.get("parlor_feed_readers"), 1.);
    assert_eq!(during.get("parlor_feed_rooms") - before.get("parlor_feed_rooms"), 1.);
    assert_eq!(during.get("parlor_answers_running") - before.get("parlor_answers_running"), 1.);
    assert_eq!(during.get("parlor_up_database"), 1.);
    assert!(during.get(r#"parlor_pool_connections{pool="listen",state="busy"}"#) >= 1., "somebody listens");
    test.provider.release();
    tab.sees("data-state=\"completed\"").await;
    ann.opens(&chat).await;
    test.provider.refuses(500, "no");
    test.provider.refuses(500, "no");
    let failed = ann.asks("again").await;
    ann.sees(&failed, "data-state=\"failed\"").await;
    drop(tab);
    eventually("the reader is gone", || async {
        Numbers::of(&operator).await.get("parlor_feed_readers") == before.get("parlor_feed_readers")
    })
    .await;
    let after = Numbers::of(&operator).await;
    for (name, by) in [
        ("parlor_messages_total", 2.),
        (r#"parlor_answers_total{model="openai/fake-1",state="completed"}"#, 1.),
        (r#"parlor_answers_total{model="openai/fake-1",state="failed"}"#, 1.),
        (r#"parlor_tokens_total{model="openai/fake-1",kind="prompt"}"#, 11.),
        (r#"parlor_tokens_total{model="openai/fake-1",kind="completion"}"#, 7.),
        (r#"parlor_first_token_seconds_count{model="openai/fake-1"}"#, 1.),
        (r#"parlor_tokens_per_second_count{model="openai/fake-1"}"#, 1.),
        (r#"parlor_provider_errors_total{provider="openai",kind="broken"}"#, 2.),
    ] {
        assert_eq!(after.get(name) - before.get(name), by, "{name}");
    }
    for name in [REQUESTS, MEMORY_LAG, "parlor_feed_batch_rows_count", "parlor_feed_commit_seconds_count"] {
        assert!(after.get(name) > before.get(name), "{name}");
    }
    assert!(after.get("process_resident_memory_bytes") > 1e6);
    eventually("one dead letter", || async { Numbers::of(&operator).await.get("parlor_dead_letters") == 1. }).await;
}

#[tokio::test]
async fn each_number_says_what_it_is() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    test.provider.streams(["Hello"]);
    let chat = ann.asks("hi").await;
    ann.sees(&chat, "data-state=\"completed\"").await;
    let response = test.stranger().request(Method::GET, "/metrics").send().await.unwrap();
    let kind = response.headers()["content-type"].to_str().unwrap().to_owned();
    assert!(kind.starts_with("text/plain; version=0.0.4"), "{kind}");
    assert!(!response.headers().contains_key("set-cookie"), "without a session");
    let text = response.text().await.unwrap();
    let mut names = 0;
    for line in text.lines().filter(|l| !l.is_empty() && !l.starts_with('#')) {
        let name = line.split(['{', ' ']).next().unwrap();
        let family = ["_bucket", "_sum", "_count"].iter().find_map(|end| {
            name.strip_suffix(end).filter(|family| text.contains(&format!("# TYPE {family} histogram")))
        });
        let family = family.unwrap_or(name);
        for what in ["HELP", "TYPE"] {
            assert_eq!(text.matches(&format!("# {what} {family} ")).count(), 1, "{what} of {name} in:\n{text}");
        }
        assert!(!line.contains(&chat), "a path, not its pattern: {line}");
        names += 1;
    }
    assert!(names > 50, "{text}");
}

#[tokio::test]
async fn who_may_read_them() {
    let test = TestApp::start().await;
    let somebody = test.stranger();
    let status = async |header: Option<(&str, &str)>| {
        let mut request = somebody.request(Method::GET, "/metrics");
        if let Some((name, value)) = header {
            request = request.header(name, value);
        }
        request.send().await.unwrap().status()
    };
    assert_eq!(status(None).await, StatusCode::OK, "from this machine");
    assert_eq!(status(Some(("x-forwarded-for", "10.0.0.1"))).await, StatusCode::NOT_FOUND, "through a proxy");
    assert_eq!(status(Some(("forwarded", "for=10.0.0.1"))).await, StatusCode::NOT_FOUND);

    let test = TestApp::with(&[("PARLOR__METRICS__TOKEN", "a token for numbers")]).await;
    let somebody = test.stranger();
    let get = |value: &'static str| somebody.request(Method::GET, "/metrics").header("authorization", value).send();
    assert_eq!(somebody.opens("/metrics").await.status, StatusCode::UNAUTHORIZED, "also from this machine");
    assert_eq!(get("Bearer another token").await.unwrap().status(), StatusCode::UNAUTHORIZED);
    assert_eq!(get("Bearer a token for numbers").await.unwrap().status(), StatusCode::OK);
}

/// A scrape never hangs, and whatever needs no database is still told.
#[tokio::test]
async fn they_are_there_when_the_database_is_not() {
    let test = TestApp::start().await;
    let operator = test.stranger();
    assert_eq!(Numbers::of(&operator).await.get("parlor_up_database"), 1.);
    let mut tx = test.app.pools.listen.begin().await.unwrap();
    sqlx::query("set local idle_in_transaction_session_timeout = 0").execute(&mut *tx).await.unwrap();
    sqlx::query("lock table generations in access exclusive mode").execute(&mut *tx).await.unwrap();
    eventually("the database is said not to answer", || async {
        let began = Instant::now();
        let now = Numbers::of(&operator).await;
        assert!(began.elapsed() < Duration::from_secs(4), "a scrape took {:?}", began.elapsed());
        assert!(now.get("process_resident_memory_bytes") > 1e6);
        now.get("parlor_up_database") == 0.
    })
    .await;
    let down = Numbers::of(&operator).await;
    assert!(!down.0.contains_key("parlor_chats_active"), "no number that nobody knows");
    assert!(down.0.contains_key("parlor_messages_total"));
    tx.rollback().await.unwrap();
    eventually("it answers again", || async { Numbers::of(&operator).await.get("parlor_up_database") == 1. }).await;
}

/// And when it is stopped at once, and comes back.
#[tokio::test]
async fn they_are_there_while_the_database_is_stopped() {
    let mut server = Server::start().await;
    let house = House::on(&server.url()).await;
    let web = house.web();
    let operator = Person::new(&web.address().await);
    assert_eq!(Numbers::of(&operator).await.get("parlor_up_database"), 1.);
    server.stops_at_once();
    eventually("the database is said to be gone", || async {
        let began = Instant::now();
        let now = Numbers::of(&operator).await;
        assert!(began.elapsed() < Duration::from_secs(4), "a scrape took {:?}", began.elapsed());
        now.get("parlor_up_database") == 0. && now.get("process_resident_memory_bytes") > 1e6
    })
    .await;
    server.again().await;
    eventually("it is back", || async { Numbers::of(&operator).await.get("parlor_up_database") == 1. }).await;
}

/// What another process writes reaches this one's readers through the log, and how late is counted too.
#[tokio::test]
async fn the_lag_of_other_processes_is_seen() {
    let house = House::make().await;
    let (web, worker) = (house.web(), house.worker_with(&[("PARLOR__METRICS__LISTEN", "127.0.0.1:0")]));
    let ann = Person::new(&web.address().await);
    ann.registers("ann").await;
    worker.says("working").await;
    eventually("the catalog has models", || async { ann.opens("/").await.html.contains("openai/fake-1") }).await;
    house.provider.streams(["Hello ", "from ", "afar"]);
    let chat = ann.asks("hi").await;
    let tab = ann.follows(&chat, 0).await;
    tab.sees("data-state=\"completed\"").await;
    house.provider.does([
        Step::Text("Yet another".into()),
        Step::Hold,
        Step::Text(" of it".into()),
        Step::Finish("stop"),
    ]);
    ann.says(&chat, "go on").await;
    tab.sees("Yet another").await;
    house.provider.release();
    eventually("the second answer is there", || async { tab.text().matches("completed").count() > 1 }).await;
    let now = Numbers::of(&ann).await;
    assert!(now.get(LOG_LAG) > 0.);
    assert_eq!(now.get(MEMORY_LAG), 0., "nothing is made here");
    // the worker, which has no pages, tells its own part
    let log = worker.log();
    let theirs = between(&log, "numbers: ", "/metrics").expect("the worker says where its numbers are");
    let operator = Person::new(&theirs);
    let ended = r#"parlor_answers_total{model="openai/fake-1",state="completed"}"#;
    eventually("both answers are counted", || async { Numbers::of(&operator).await.get(ended) == 2. }).await;
    assert!(Numbers::of(&operator).await.get(MEMORY_LAG) > 0.);
    let mean = now.get(r#"parlor_feed_lag_seconds_sum{from="log"}"#) / now.get(LOG_LAG);
    assert!((0. ..5.).contains(&mean), "{mean} s");
    assert!(!web.log().contains("/metrics"), "never logged:\n{}", web.log());
}
