//! The administrators' page of what is going on: who sees what there, and what its two buttons do.

use crate::support::{
    NO_RETRY, TestApp, eventually,
    people::{Page, Person, between},
    provider::Step,
};
use parlor::domain::generation;
use reqwest::StatusCode;

const PAGE: &str = "/admin/jobs";
const ONE_KEY: (&str, &str) = ("OPENAI_API_KEY", "key-1");

/// Somebody who looks after the house.
async fn administrator(test: &TestApp, name: &str) -> Person {
    let person = test.person(name).await;
    let sql = format!("update users set role = 'administrator' where email = '{name}@example.org'");
    sqlx::query(&sql).execute(&test.app.pools.http).await.unwrap();
    person
}

/// One list of the page.
fn part(page: &Page, place: &str) -> String {
    between(&page.html, &format!("<section class=\"jobs__group\" id=\"{place}\""), "</section>").unwrap()
}

/// The numbers on top, in the order of the page: dead letters, waiting, queued, running, in line.
fn counts(page: &Page) -> Vec<String> {
    let counts = between(&page.html, "<ul class=\"counts\"", "</ul>").unwrap();
    counts.split("<b>").skip(1).map(|rest| rest.split('<').next().unwrap().to_owned()).collect()
}

/// Asks, and waits until the answer is given up.
async fn has_a_dead_letter(test: &TestApp, person: &Person) -> String {
    test.provider.refuses(500, "internal words of the provider");
    let chat = person.asks("a secret question").await;
    person.sees(&chat, "data-state=\"failed\"").await;
    chat
}

/// Where the first form of the dead letters' list with this verb leads.
fn action(page: &Page, verb: &str) -> String {
    let dead = part(page, "dead");
    let id = between(&dead, "action=\"/admin/jobs/", "/").expect("a dead letter");
    format!("{PAGE}/{id}/{verb}")
}

async fn answers(test: &TestApp) -> i64 {
    test.value("select count(*) from generations").await
}

#[tokio::test]
async fn every_state_is_listed() {
    let one = ("PARLOR__GENERATION__AT_ONCE", "1");
    let test = TestApp::with(&[("PARLOR__GENERATION__RETRY", "58"), ONE_KEY, one]).await;
    let (root, bob) = (administrator(&test, "root").await, test.person("bob").await);
    let page = root.opens(PAGE).await;
    assert_eq!(page.status, StatusCode::OK);
    assert_eq!(counts(&page), ["0", "0", "0", "0", "0"]);
    assert!(page.html.contains("All is quiet") && page.html.contains("No answer was given up."));
    // the schedule has one pause: after it the answer is given up
    test.provider.refuses(500, "internal words of the provider");
    let given_up = bob.asks("a secret question").await;
    bob.sees(&given_up, "data-state=\"waiting\"").await;
    test.provider.refuses(500, "internal words of the provider");
    let due = "update generations set next_attempt_at = now(), rung_at = now() - interval '1 min'";
    sqlx::query(due).execute(&test.app.pools.http).await.unwrap();
    sqlx::query("update apalis.jobs set run_at = now()").execute(&test.app.pools.http).await.unwrap();
    bob.sees(&given_up, "data-state=\"failed\"").await;
    test.provider.refuses(429, "internal words of the provider");
    let waiting = bob.asks("a secret question").await;
    bob.sees(&waiting, "data-state=\"waiting\"").await;
    // one is made at a time, so the next one has to wait for it
    test.provider.does([Step::Text("A secret answer".into()), Step::Hold, Step::Finish("stop"), Step::Done]);
    let running = bob.asks("a secret question").await;
    bob.sees(&running, "A secret answer").await;
    bob.says(&running, "another secret question").await;
    bob.says(&waiting, "another secret question").await;
    bob.asks("a secret question").await;
    let page = root.opens(PAGE).await;
    assert_eq!(counts(&page), ["1", "1", "1", "1", "2"]);
    for (place, words) in [
        ("dead", &["had an error of its own", "put off once, then attempt 1", "Requeue", "Drop"][..]),
        ("waiting", &["takes no more requests", "put off once<", "in 0:5"]),
        ("queued", &["none yet"]),
        ("running", &["attempt 1"]),
        ("lined", &["one that is still to end", "one that waits to be tried again"]),
    ] {
        let part = part(&page, place);
        for words in ["bob@example.org", "openai/fake-1", " s ago</time>"].iter().chain(words) {
            assert!(part.contains(words), "{place} lacks `{words}`: {part}");
        }
        assert_eq!(part.contains("<form"), place == "dead", "{place}");
    }
    assert!(page.html.contains("The queue: ") && page.html.contains("0 failed, 0 killed; 1 worker is there."));
    for words in ["ecret", "internal words"] {
        assert!(!page.html.contains(words), "`{words}` is nobody's business");
    }
    test.provider.release();
    eventually("two are left", || async { counts(&root.opens(PAGE).await) == ["1", "1", "0", "0", "1"] }).await;
}

#[tokio::test]
async fn requeued_it_is_made_beside_the_one_given_up() {
    let test = TestApp::with(&[NO_RETRY, ONE_KEY]).await;
    let (root, bob) = (administrator(&test, "root").await, test.person("bob").await);
    let chat = has_a_dead_letter(&test, &bob).await;
    let given_up = bob.last_answer(&chat).await;
    let requeue = action(&root.opens(PAGE).await, "requeue");
    test.provider.streams(["After all"]);
    let done = root.posts(&requeue, &[]).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER);
    let page = root.opens(&done.location.unwrap()).await;
    assert!(page.html.contains("Requeued. The answer is being made anew"));
    assert!(part(&page, "dead").contains("No answer was given up."));
    bob.sees(&chat, "After all").await;
    assert_ne!(bob.last_answer(&chat).await, given_up, "a sibling");
    bob.sees(&chat, "data-state=\"completed\"").await;
    let kept: String = test.value(&format!("select state from generations where message_id = '{given_up}'")).await;
    assert_eq!(kept, "failed");
    let noted = "select string_agg(actor || ' ' || subject, ';') from audit where action = 'answer.requeued'";
    assert_eq!(test.value::<String>(noted).await, "root@example.org bob@example.org");
    // pressed on an old page
    let gone = root.posts(&requeue, &[]).await;
    assert_eq!(gone.status, StatusCode::NOT_FOUND);
    assert!(gone.html.contains("This is no dead letter any more") && gone.html.contains("id=\"jobs\""));
    assert_eq!(answers(&test).await, 2);
    test.check_feeds().await;
    test.check_tree().await;
}

#[tokio::test]
async fn what_cannot_be_requeued_says_why_and_can_be_dropped() {
    let test = TestApp::with(&[NO_RETRY, ONE_KEY]).await;
    let (root, bob) = (administrator(&test, "root").await, test.person("bob").await);
    let chat = has_a_dead_letter(&test, &bob).await;
    let page = root.opens(PAGE).await;
    sqlx::query("update generations set model = 'openai/of-old'").execute(&test.app.pools.http).await.unwrap();
    let refused = root.posts(&action(&page, "requeue"), &[]).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.html.contains("Its model is not available any more"), "{}", refused.html);
    assert_eq!(answers(&test).await, 1);
    let before = bob.opens(&chat).await.after();
    let done = root.posts(&action(&refused, "drop"), &[]).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER);
    let page = root.opens(&done.location.unwrap()).await;
    assert!(
        page.html.contains("Dropped. It stays in its chat") && part(&page, "dead").contains("No answer was given up.")
    );
    let noted: i64 = test.value("select count(*) from audit where action = 'answer.dropped'").await;
    assert_eq!(noted, 1);
    assert_eq!(root.posts(&action(&refused, "drop"), &[]).await.status, StatusCode::NOT_FOUND, "only once");
    let after = bob.opens(&chat).await;
    assert!(after.html.contains("data-state=\"failed\"") && after.after() == before, "its owner notices nothing");
    // an unknown word in the address is no notice
    assert!(!root.opens("/admin/jobs?done=<b>").await.html.contains("class=\"notice"));
    assert_eq!(root.posts("/admin/jobs/nonsense/drop", &[]).await.status, StatusCode::NOT_FOUND);
}

/// Whatever they press at the same moment, one has it done and the other is told.
#[tokio::test]
async fn two_administrators_at_once() {
    let test = TestApp::with(&[NO_RETRY, ONE_KEY]).await;
    let (root, eve) = (administrator(&test, "root").await, administrator(&test, "eve").await);
    let bob = test.person("bob").await;
    for round in 0..12 {
        let verbs = [("requeue", "requeue"), ("drop", "drop"), ("requeue", "drop")][round % 3];
        let chat = has_a_dead_letter(&test, &bob).await;
        let chat = chat.trim_start_matches("/chats/");
        let page = root.opens(PAGE).await;
        let (first, second) = (action(&page, verbs.0), action(&page, verbs.1));
        let (a, b) = futures::join!(root.posts(&first, &[]), eve.posts(&second, &[]));
        let done = [&a, &b].map(|page| page.location.clone());
        assert_eq!(done.iter().flatten().count(), 1, "{verbs:?}: {} {}", a.status, b.status);
        let late = if a.location.is_none() { &a } else { &b };
        assert!(late.html.contains("This is no dead letter any more"), "{}", late.html);
        let requeued = done.iter().flatten().any(|to| to.ends_with("requeued"));
        let made: i64 = test.value(&format!("select count(*) from generations where chat_id = '{chat}'")).await;
        assert_eq!(made, if requeued { 2 } else { 1 }, "{verbs:?}");
        assert_eq!(counts(&root.opens(PAGE).await)[0], "0");
        let ended = format!("select count(*) from generations where chat_id = '{chat}' and ended_at is null");
        eventually("it is made", || async { test.value::<i64>(&ended).await == 0 }).await;
    }
    test.check_feeds().await;
    test.check_tree().await;
}

#[tokio::test]
async fn members_find_nothing_there() {
    let test = TestApp::with(&[NO_RETRY, ONE_KEY]).await;
    let (root, bob) = (administrator(&test, "root").await, test.person("bob").await);
    let chat = has_a_dead_letter(&test, &bob).await;
    let page = root.opens(PAGE).await;
    for verb in ["requeue", "drop"] {
        assert_eq!(bob.posts(&action(&page, verb), &[]).await.status, StatusCode::NOT_FOUND);
    }
    let nothing = bob.opens(PAGE).await;
    assert_eq!(nothing.status, StatusCode::NOT_FOUND);
    assert!(!nothing.html.contains("Jobs") && !bob.opens("/").await.html.contains("/admin/"));
    assert!(root.opens("/").await.html.contains("href=\"/admin/users\""), "the entrance");
    assert_eq!(counts(&root.opens(PAGE).await)[0], "1", "nothing was done");
    // who is no administrator any more has no way in either
    sqlx::query("update users set role = 'member'").execute(&test.app.pools.http).await.unwrap();
    assert_eq!(root.opens(PAGE).await.status, StatusCode::NOT_FOUND);
    sqlx::query("update users set role = 'administrator' where name = 'root'")
        .execute(&test.app.pools.http)
        .await
        .unwrap();
    // what lies in a deleted chat is nobody's concern, here and in the numbers
    assert_eq!(generation::figures(&test.app.pools.http).await.unwrap().dead, 1);
    bob.posts(&format!("{chat}/delete"), &[]).await;
    assert_eq!(counts(&root.opens(PAGE).await)[0], "0");
    assert_eq!(generation::figures(&test.app.pools.http).await.unwrap().dead, 0);
}

#[tokio::test]
async fn of_very_many_a_hundred_are_listed() {
    let test = TestApp::with(&[NO_RETRY, ONE_KEY]).await;
    let (root, bob) = (administrator(&test, "root").await, test.person("bob").await);
    has_a_dead_letter(&test, &bob).await;
    let more = "with answers as (
            insert into messages (chat_id, parent_id, author, place)
            select a.chat_id, a.parent_id, 'model', n from messages a, generate_series(1, 1102) n
            where a.author = 'model' returning id, chat_id)
        insert into generations (message_id, chat_id, user_id, model, state, from_seq, ended_at, dead_at)
        select a.id, a.chat_id, c.user_id, 'openai/fake-1', 'failed', 1, now(), now() - interval '2 h'
        from answers a join chats c on c.id = a.chat_id";
    sqlx::query(more).execute(&test.app.pools.http).await.unwrap();
    let page = root.opens(PAGE).await;
    assert_eq!(counts(&page)[0], "1,103");
    let dead = part(&page, "dead");
    assert_eq!(dead.matches("<tr id=").count(), 100);
    assert!(dead.contains("and 1,003 more"));
    let newest = dead.find(" s ago</time>").expect("the newest one is listed");
    assert!(newest < dead.find("2 h ago").unwrap(), "and first");
}
