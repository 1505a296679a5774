//! F19: Stop, at every time and from everywhere: one terminal state, and the provider's connection is closed within
//! two seconds, measured at the provider.

use crate::support::{
    TestApp, eventually,
    people::{Page, Person},
    process::{House, Process},
    provider::{Provider, Step},
};
use reqwest::StatusCode;
use std::time::{Duration, Instant};

fn text(text: &str) -> Step {
    Step::Text(text.to_owned())
}

async fn stops(ann: &Person, answer: &str) -> Page {
    let page = ann.posts(&format!("/messages/{answer}/stop"), &[]).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.html);
    page
}

/// Waits until the provider has seen so many connections closed on it; it must not take longer than promised.
async fn hangs_up(provider: &Provider, times: usize, since: Instant) {
    eventually("the provider's connection is closed", || async { provider.hung_up() == times }).await;
    assert!(since.elapsed() < Duration::from_secs(2), "{:?}", since.elapsed());
}

async fn ann_at(web: &Process) -> Person {
    let person = Person::new(&web.address().await);
    person.registers("ann").await;
    eventually("the catalog has models", || async { person.opens("/").await.html.contains("openai/fake-1") }).await;
    person
}

#[tokio::test]
async fn f19_stop_before_anything_was_said() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    test.provider.does([Step::Hold, text("Too late")]);
    let chat = ann.asks("hi").await;
    let tab = ann.follows(&chat, 0).await;
    eventually("the provider is asked", || async { test.provider.asked().len() == 1 }).await;
    let began = Instant::now();
    stops(&ann, &ann.last_answer(&chat).await).await;
    hangs_up(&test.provider, 1, began).await;
    tab.sees("data-state=\"stopped\"").await;
    assert_eq!(test.provider.asked().len(), 1, "no other key is tried");
    test.check_feeds().await;
}

/// No worker has it yet: none will ask for it.
#[tokio::test]
async fn f19_stop_while_it_waits_for_a_worker() {
    let house = House::make().await;
    let (web, mut worker) = (house.web(), house.worker());
    let ann = ann_at(&web).await;
    worker.signal("TERM");
    worker.ends().await;
    let chat = ann.asks("hi").await;
    let tab = ann.follows(&chat, 0).await;
    stops(&ann, &ann.last_answer(&chat).await).await;
    tab.sees("data-state=\"stopped\"").await;
    let _worker = house.worker();
    house.provider.streams(["The next one"]);
    let next = ann.asks("and now?").await;
    ann.sees(&next, "The next one").await;
    assert_eq!(house.provider.asked().len(), 1, "the stopped one was not asked for");
    house.database.check_feeds().await;
}

/// The stop comes through another web process than the one that reads, and neither has the worker.
#[tokio::test]
async fn f19_stop_from_a_second_tab_through_another_process() {
    let house = House::make().await;
    let (web, other, _worker) = (house.web(), house.web(), house.worker());
    let ann = ann_at(&web).await;
    house.provider.does([text("So far"), Step::Hold]);
    let chat = ann.asks("hi").await;
    let tab = ann.follows(&chat, 0).await;
    tab.sees("So far").await;
    let elsewhere = Person { address: other.address().await, ..ann.clone() };
    let second = elsewhere.follows(&chat, 0).await;
    second.sees("So far").await;
    let answer = ann.last_answer(&chat).await;
    let began = Instant::now();
    stops(&elsewhere, &answer).await;
    hangs_up(&house.provider, 1, began).await;
    for tab in [&tab, &second] {
        tab.sees("data-state=\"stopped\"").await;
        assert_eq!(tab.text().matches("data-state=\"stopped\"").count(), 1, "{}", tab.text());
    }
    // both tabs at once, again and again: nothing more happens
    futures::join!(stops(&ann, &answer), stops(&elsewhere, &answer));
    assert!(ann.opens(&chat).await.html.contains("So far"));
    house.database.check_feeds().await;
}

/// In the very moment of its end, many times over: completed or stopped, one of them, once, with all its text.
#[tokio::test]
async fn f19_stop_exactly_at_the_end() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    let mut states = Vec::new();
    for n in 0..24_u64 {
        test.provider.does([text("All of it"), Step::Hold, Step::Finish("stop"), Step::Done]);
        let chat = ann.asks("hi").await;
        ann.sees(&chat, "All of it").await;
        let answer = ann.last_answer(&chat).await;
        let tab = ann.follows(&chat, 0).await;
        // now a little before, now a little after
        let stop = async {
            tokio::time::sleep(Duration::from_micros(400 * (n % 12))).await;
            stops(&ann, &answer).await
        };
        let end = async {
            tokio::time::sleep(Duration::from_micros(2200)).await;
            test.provider.release();
        };
        futures::join!(stop, end);
        let page = ann.opens(&chat).await.html;
        let state = ["completed", "stopped"].into_iter().find(|s| page.contains(&format!("data-state=\"{s}\"")));
        let state = state.unwrap_or_else(|| panic!("neither: {page}"));
        tab.sees(&format!("data-state=\"{state}\"")).await;
        assert!(page.contains("All of it"));
        states.push(state);
        eventually("nobody works on it any more", || async { test.app.running.runs().is_empty() }).await;
        // it may have been stopped before: then this would release the next one
        test.provider.forget_release().await;
    }
    let different: i64 =
        test.value("select count(*) from generations where state not in ('completed', 'stopped')").await;
    assert_eq!(different, 0, "{states:?}");
    test.check_feeds().await;
}

#[tokio::test]
async fn f19_stop_after_the_end() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    test.provider.streams(["All of it"]);
    let chat = ann.asks("hi").await;
    ann.sees(&chat, "data-state=\"completed\"").await;
    let page = stops(&ann, &ann.last_answer(&chat).await).await;
    assert_eq!(page.location.as_deref(), Some(chat.as_str()));
    assert!(ann.opens(&chat).await.html.contains("data-state=\"completed\""));
    assert_eq!(test.value::<i64>("select count(*) from feed_events where kind = 'end'").await, 1);
    test.check_feeds().await;
}
