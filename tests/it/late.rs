//! What becomes of the feed's batches when the network does not bring an answer: each is written once.

use crate::support::{
    TestApp, eventually,
    proxy::{Direction, Proxy, Upstream},
};
use parlor::{
    base::{
        config::Config,
        db::{self, Pools},
    },
    domain::feed::{Feed, store},
};
use sqlx::{Connection, PgConnection};
use std::{process::Command, time::Duration};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Two wires one after the other, so that new connections can lead past the fault.
async fn two_wires() -> (Proxy, Proxy, Upstream) {
    let url = std::env::var("DATABASE_URL").unwrap();
    let dir = url.split("host=").nth(1).expect("PostgreSQL is at a socket").split('&').next().unwrap().to_owned();
    let far = Proxy::start(Upstream::postgres(&dir)).await;
    (Proxy::start(Upstream::Tcp(far.address)).await, far, Upstream::postgres(dir))
}

/// A feed of which one batch is written, and the next is on its way over the far wire and does not arrive.
async fn a_batch_on_its_way(test: &TestApp) -> (Feed, Proxy, Proxy, Upstream) {
    let stream = test.silent_answers(1).await.remove(0);
    let (near, far, server) = two_wires().await;
    let name: String = test.value("select current_database()::text").await;
    let options = db::parse_url(&format!("postgres://parlor@{}/{name}?sslmode=disable", near.address)).unwrap();
    let config = Config::load(None, std::iter::empty()).unwrap();
    let pools = Pools::connect(options, &config.database).await.unwrap();
    let feed = Feed::start(&pools, &config.feed, &TaskTracker::new(), &CancellationToken::new());
    feed.writer.begin(stream, 0);
    feed.writer.push(&stream, "One. ", false).await.unwrap();
    eventually("the first piece is written", || async { test.text_in_logs().await == "One. " }).await;

    far.freeze(Direction::Up);
    let before = near.bytes(Direction::Up);
    feed.writer.push(&stream, "Two. ", false).await.unwrap();
    eventually("the second is on its way", || async { near.bytes(Direction::Up) > before }).await;
    (feed, near, far, server)
}

#[tokio::test]
async fn a_batch_that_arrives_late_is_written_once() {
    let test = TestApp::start().await;
    let (_feed, near, far, server) = a_batch_on_its_way(&test).await;
    near.lead_to(server);
    near.half_close(Direction::Up);
    near.half_close(Direction::Down);
    eventually("it is written by another way", || async { test.text_in_logs().await == "One. Two. " }).await;

    far.pass();
    eventually("the first way is over", || async { far.open() == 0 }).await;
    assert_eq!(test.text_in_logs().await, "One. Two. ");
}

/// Who was told to end may still write: it is waited for.
#[tokio::test]
async fn nothing_is_written_anew_before_the_server_has_ended_the_connection() {
    let test = TestApp::start().await;
    let (_feed, near, _far, server) = a_batch_on_its_way(&test).await;
    let writes =
        "select pid from pg_stat_activity where datname = current_database() and query like '%feed_write_batch%'";
    let backend = test.value::<i32>(&format!("{writes} and pid <> pg_backend_pid()")).await.to_string();
    let signal = |name: &str| assert!(Command::new("kill").args([name, &backend]).status().unwrap().success());
    signal("-STOP");
    near.lead_to(server);
    near.half_close(Direction::Up);
    near.half_close(Direction::Down);
    tokio::time::sleep(Duration::from_secs(2)).await;
    let meanwhile = test.text_in_logs().await;
    signal("-CONT");
    assert_eq!(meanwhile, "One. ");
    eventually("it is written by another way", || async { test.text_in_logs().await == "One. Two. " }).await;
}

/// Both kinds of one answer may be in a batch of unknown outcome.
#[tokio::test]
async fn what_is_stored_of_an_answer_is_counted_once() {
    let test = TestApp::start().await;
    let stream = test.silent_answers(1).await.remove(0);
    let writer = &test.app.feed.writer;
    writer.begin(stream, 0);
    writer.push(&stream, "hm", true).await.unwrap();
    writer.push(&stream, "Yes.", false).await.unwrap();
    let rows = "select count(*) from feed_events where kind in ('text', 'reasoning')";
    eventually("both are written", || async { test.value::<i64>(rows).await == 2 }).await;
    let answer = (stream.chat, stream.message);
    let stored = store::stored_bytes(&test.app.pools.http, &[answer, answer]).await.unwrap();
    assert_eq!(stored.get(&stream.message), Some(&(4, 2)));
}

/// A process that was stopped in the middle of an act, as by a closed lid, and goes on when the database has given it up.
#[tokio::test]
async fn a_transaction_that_slept_too_long_is_a_503() {
    let url = std::env::var("DATABASE_URL").unwrap();
    let mut conn = PgConnection::connect(&url).await.unwrap();
    let pid: i32 = sqlx::query_scalar("select pg_backend_pid()").fetch_one(&mut conn).await.unwrap();
    let mut act = conn.begin().await.unwrap();
    sqlx::query("set local idle_in_transaction_session_timeout = '20ms'").execute(&mut *act).await.unwrap();
    eventually("the database gives it up", || async {
        let mut other = PgConnection::connect(&url).await.unwrap();
        let there = sqlx::query("select from pg_stat_activity where pid = $1").bind(pid);
        there.fetch_optional(&mut other).await.unwrap().is_none()
    })
    .await;
    let error = sqlx::query("select 1").execute(&mut *act).await.unwrap_err();
    let told = error.to_string();
    assert!(parlor::base::Error::from(error).is_passing(), "{told}");
}
