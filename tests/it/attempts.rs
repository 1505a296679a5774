//! An answer that is tried again, cancelled, given up, and what an administrator does with it then.

use crate::support::{
    NO_RETRY, TestApp, eventually,
    process::House,
    provider::{Provider, Step},
};
use parlor::{
    base::Error,
    domain::{accounts::Viewer, generation::dead},
};
use reqwest::StatusCode;

const SHORT: (&str, &str) = ("PARLOR__GENERATION__RETRY", "0.4,0.4");
const LONG: (&str, &str) = ("PARLOR__GENERATION__RETRY", "58");

/// Both keys are refused.
fn fails_once(provider: &Provider, status: u16) {
    provider.refuses(status, "internal words of the provider");
    provider.refuses(status, "internal words of the provider");
}

async fn administrator(test: &TestApp) -> Viewer {
    sqlx::query("update users set role = 'administrator' where email = 'ann@example.org'")
        .execute(&test.app.pools.http)
        .await
        .unwrap();
    test.viewer("ann").await
}

#[tokio::test]
async fn an_answer_waits_and_is_tried_again() {
    let test = TestApp::with(&[SHORT]).await;
    let ann = test.person("ann").await;
    fails_once(&test.provider, 500);
    fails_once(&test.provider, 429);
    test.provider.streams(["Third time lucky"]);
    let chat = ann.asks("hi").await;
    let tab = ann.follows(&chat, 0).await;
    tab.sees("data-state=\"waiting\"").await;
    tab.sees("had an error of its own").await;
    tab.sees("takes no more requests").await;
    tab.sees("data-seconds=\"1\"").await;
    tab.sees("Third time lucky").await;
    let page = ann.sees(&chat, "data-state=\"completed\"").await;
    assert!(!page.html.contains("internal words") && !page.html.contains("error of its own"));
    assert_eq!(test.provider.asked().len(), 5);
    let row: (i32, i32, Option<String>) = sqlx::query_as("select retries, attempt, reason from generations")
        .fetch_one(&test.app.pools.http)
        .await
        .unwrap();
    assert_eq!(row, (2, 1, None));
    test.check_feeds().await;
}

#[tokio::test]
async fn waiting_is_shown_alike_by_page_feed_and_late_joiner_and_can_be_cancelled() {
    let test = TestApp::with(&[LONG]).await;
    let ann = test.person("ann").await;
    fails_once(&test.provider, 500);
    let chat = ann.asks("hi").await;
    let first = ann.follows(&chat, 0).await;
    first.sees("data-state=\"waiting\"").await;
    let page = ann.opens(&chat).await;
    let late = ann.follows(&chat, page.after()).await;
    let old = ann.follows(&chat, 0).await;
    let answer = ann.last_answer(&chat).await;
    let cancel = format!("action=\"/messages/{answer}/stop\"");
    for words in ["had an error of its own. <span", "Tries again in <span>0:5", "data-seconds=\"5", &cancel] {
        assert!(page.html.contains(words), "the page lacks `{words}`");
        for tab in [&first, &late, &old] {
            tab.sees(words).await;
        }
    }
    // without scripts the page looks again by itself when it is due, and is not held open until then
    assert!(
        page.html.contains("<noscript><meta http-equiv=\"refresh\" content=\"6") || page.html.contains("content=\"5")
    );
    assert!(ann.opens(&format!("{chat}?live")).await.html.contains("</html>"));
    assert!(!page.html.contains("id=\"stop\""), "nothing is being written that could be stopped");
    ann.posts(&format!("/messages/{answer}/stop"), &[]).await;
    for tab in [&first, &late, &old] {
        tab.sees("data-state=\"stopped\"").await;
    }
    let page = ann.opens(&chat).await;
    assert!(page.html.contains("data-state=\"stopped\"") && page.html.contains("Try again"));
    assert_eq!(test.provider.asked().len(), 2, "it is not tried again");
    test.check_feeds().await;
}

/// The provider's own word is the least time.
#[tokio::test]
async fn what_the_provider_asks_for_is_waited_for() {
    let test = TestApp::with(&[SHORT, ("OPENAI_API_KEY", "key-1")]).await;
    let ann = test.person("ann").await;
    test.provider.refuses_for(429, 3600);
    let chat = ann.asks("hi").await;
    ann.sees(&chat, "data-state=\"waiting\"").await;
    let left: f64 = test.value("select extract(epoch from next_attempt_at - now())::float8 from generations").await;
    assert!((3500. ..=3600.).contains(&left), "{left}");
    ann.sees(&chat, "<span>59:").await;
}

#[tokio::test]
async fn when_the_schedule_is_used_up_it_is_a_dead_letter() {
    let test = TestApp::with(&[("PARLOR__GENERATION__RETRY", "0.2")]).await;
    let ann = test.person("ann").await;
    let bob = test.person("bob").await;
    let (root, stranger) = (administrator(&test).await, test.viewer("bob").await);
    fails_once(&test.provider, 500);
    fails_once(&test.provider, 401);
    let chat = bob.asks("hi").await;
    let page = bob.sees(&chat, "data-state=\"failed\"").await;
    assert!(page.html.contains("does not accept the key") && page.html.contains("Try again"));
    let letters = dead::list(&test.app, &root).await.unwrap();
    let [letter] = &letters[..] else { panic!("{letters:?}") };
    assert_eq!((letter.email.as_str(), letter.model.as_str()), ("bob@example.org", "openai/fake-1"));
    assert!(letter.reason.contains("does not accept the key"));
    // nobody else knows of them
    assert!(matches!(dead::list(&test.app, &stranger).await, Err(Error::NotFound)));
    assert!(matches!(dead::requeue(&test.app, &stranger, letter.id).await, Err(Error::NotFound)));
    assert!(matches!(dead::drop(&test.app, &stranger, letter.id).await, Err(Error::NotFound)));
    // requeued on behalf of its owner: a sibling, shown to him
    test.uses_keys_again().await;
    test.provider.streams(["After all"]);
    dead::requeue(&test.app, &root, letter.id).await.unwrap();
    bob.sees(&chat, "After all").await;
    assert!(dead::list(&test.app, &root).await.unwrap().is_empty());
    assert!(matches!(dead::requeue(&test.app, &root, letter.id).await, Err(Error::NotFound)), "only once");
    let owners: i64 = test
        .value("select count(*) from generations g join users u on u.id = g.user_id where u.email = 'bob@example.org'")
        .await;
    assert_eq!(owners, 2);
    // dropped: it stays as it is
    for (question, status) in [("drop", 500), ("again", 500)] {
        fails_once(&test.provider, status);
        fails_once(&test.provider, status);
        let chat = ann.asks(question).await;
        ann.sees(&chat, "data-state=\"failed\"").await;
        let [letter] = &dead::list(&test.app, &root).await.unwrap()[..] else { panic!() };
        if question == "drop" {
            dead::drop(&test.app, &root, letter.id).await.unwrap();
            assert!(ann.opens(&chat).await.html.contains("data-state=\"failed\""));
        } else {
            let answer = ann.last_answer(&chat).await;
            ann.posts(&format!("/messages/{answer}/regenerations"), &[]).await;
            ann.sees(&chat, "unscripted").await;
        }
        assert!(dead::list(&test.app, &root).await.unwrap().is_empty(), "{question}");
    }
    test.check_feeds().await;
}

#[tokio::test]
async fn a_dead_letter_of_yesterday_does_not_move_the_path_its_owner_reads() {
    let test = TestApp::with(&[NO_RETRY]).await;
    let ann = test.person("ann").await;
    let root = administrator(&test).await;
    fails_once(&test.provider, 500);
    let chat = ann.asks("hi").await;
    ann.sees(&chat, "data-state=\"failed\"").await;
    test.provider.streams(["Never mind"]);
    ann.says(&chat, "something else").await;
    ann.sees(&chat, "Never mind").await;
    let [letter] = &dead::list(&test.app, &root).await.unwrap()[..] else { panic!() };
    test.provider.streams(["After all"]);
    dead::requeue(&test.app, &root, letter.id).await.unwrap();
    eventually("it is made", || async {
        test.value::<i64>("select count(*) from messages where text = 'After all'").await == 1
    })
    .await;
    assert!(ann.opens(&chat).await.html.contains("Never mind"));
    test.check_tree().await;
}

/// F23: a job that kills its worker each time is set aside after three attempts.
#[tokio::test]
async fn f23_what_kills_its_workers_is_set_aside() {
    let house = House::make().await.quick();
    let web = house.web();
    let ann = crate::crashes::ann_at(&web).await;
    let mut worker = house.worker();
    crate::crashes::has_models(&ann).await;
    for _ in 0..3 {
        house.provider.does([Step::Hold]);
    }
    let chat = ann.asks("hi").await;
    for attempt in 1..=3 {
        eventually("the provider is asked", || async { house.provider.asked().len() == attempt }).await;
        worker.kill();
        worker = house.worker();
    }
    let page = ann.sees(&chat, "data-state=\"failed\"").await;
    assert!(page.html.contains("begun several times") && page.html.contains("Try again"), "{}", page.html);
    let dead: i64 = house.value("select count(*) from generations where dead_at is not null and attempt = 3").await;
    assert_eq!(dead, 1);
    assert_eq!(house.provider.asked().len(), 3, "not a fourth time");
    // and the chat goes on
    house.provider.streams(["Fine"]);
    ann.says(&chat, "and now?").await;
    ann.sees(&chat, "Fine").await;
}

/// Being handed over in order, again and again, uses up no attempt; neither does waiting.
#[tokio::test]
async fn f23_orderly_ends_do_not_count() {
    let house = House::make().await.quick();
    let web = house.web();
    let ann = crate::crashes::ann_at(&web).await;
    let mut worker = house.worker();
    crate::crashes::has_models(&ann).await;
    house.provider.refuses(500, "waits first");
    for _ in 0..4 {
        house.provider.does([Step::Hold]);
    }
    house.provider.streams(["At last"]);
    let chat = ann.asks("hi").await;
    for asked in 2..=5 {
        eventually("the provider is asked", || async { house.provider.asked().len() == asked }).await;
        worker.signal("TERM");
        worker.ends().await;
        worker = house.worker();
    }
    ann.sees(&chat, "At last").await;
    let row: (i32, i32) = house.row("select attempt, retries from generations").await;
    assert_eq!(row, (1, 1));
}

/// F20: regenerate fails five times; the tree is whole, the page loads, the chat is not blocked.
#[tokio::test]
async fn f20_asking_again_fails_five_times() {
    let test = TestApp::with(&[NO_RETRY]).await;
    let ann = test.person("ann").await;
    fails_once(&test.provider, 500);
    let chat = ann.asks("hi").await;
    ann.sees(&chat, "data-state=\"failed\"").await;
    for round in 0..5 {
        let answer = ann.last_answer(&chat).await;
        fails_once(&test.provider, 500);
        let page = ann.posts(&format!("/messages/{answer}/regenerations"), &[("model", "openai/fake-1")]).await;
        assert_eq!(page.status, StatusCode::SEE_OTHER);
        eventually("it failed again", || async {
            test.value::<i64>("select count(*) from generations where state = 'failed'").await == round + 2
        })
        .await;
        let page = ann.opens(&chat).await;
        assert!(page.status == StatusCode::OK && page.html.matches("<article").count() == 2);
        test.check_tree().await;
    }
    test.provider.streams(["Here"]);
    ann.says(&chat, "anybody?").await;
    ann.sees(&chat, "Here").await;
    test.check_feeds().await;
    test.check_tree().await;
}
