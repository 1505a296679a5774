//! Providers that fail, and what the person is told.

use crate::support::{NO_RETRY, TestApp, provider::Step};

fn text(text: &str) -> Step {
    Step::Text(text.to_owned())
}

#[tokio::test]
async fn the_next_key_is_tried_in_order() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    test.provider.refuses(401, "bad key");
    test.provider.streams(["Hello"]);
    let chat = ann.asks("hi").await;
    let page = ann.sees(&chat, "data-state=\"completed\"").await;
    assert!(page.html.contains("Hello"));
    let keys: Vec<_> = test.provider.asked().into_iter().map(|a| a.key).collect();
    assert_eq!(keys, ["key-1", "key-2"]);
}

#[tokio::test]
async fn when_no_key_is_left_the_person_is_told() {
    let test = TestApp::with(&[NO_RETRY]).await;
    let ann = test.person("ann").await;
    for (status, words) in
        [(401, "does not accept the key"), (429, "takes no more requests"), (500, "had an error of its own")]
    {
        test.uses_keys_again().await;
        test.provider.refuses(status, "sk-secret: internal words of the provider");
        test.provider.refuses(status, "sk-secret: internal words of the provider");
        let chat = ann.asks("hi").await;
        let page = ann.sees(&chat, "data-state=\"failed\"").await;
        assert!(page.html.contains(words), "{status}: `{words}` is missing");
        assert!(!page.html.contains("internal words"), "never an internal text");
        assert!(page.html.contains("Try again"), "with what to do");
        // and it does help
        test.uses_keys_again().await;
        test.provider.streams(["Better"]);
        let answer = ann.last_answer(&chat).await;
        ann.posts(&format!("/messages/{answer}/regenerations"), &[("model", "openai/fake-1")]).await;
        ann.sees(&chat, "Better").await;
    }
    test.check_feeds().await;
}

#[tokio::test]
async fn a_request_that_is_refused_is_not_tried_with_another_key() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    test.provider.refuses(400, "too long");
    let chat = ann.asks("hi").await;
    let page = ann.sees(&chat, "data-state=\"failed\"").await;
    assert!(page.html.contains("did not accept this request"));
    assert_eq!(test.provider.asked().len(), 1);
}

#[tokio::test]
async fn a_provider_that_is_down_is_named() {
    let settings = [("OPENAI_BASE_URL", "http://127.0.0.1:9/v1"), ("OPENAI_MODELS", "fake-1"), NO_RETRY];
    let test = TestApp::with(&settings).await;
    let ann = test.person("ann").await;
    let chat = ann.asks("hi").await;
    let page = ann.sees(&chat, "data-state=\"failed\"").await;
    assert!(page.html.contains("openai could not be reached"));
}

#[tokio::test]
async fn text_that_came_is_kept_and_never_asked_for_again() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    test.provider.does([text("Half of "), text("it"), Step::Cut]);
    let chat = ann.asks("hi").await;
    let page = ann.sees(&chat, "data-state=\"interrupted\"").await;
    assert!(page.html.contains("Half of it") && page.html.contains("broke before the answer was complete"));
    assert_eq!(test.provider.asked().len(), 1);
    test.check_feeds().await;
}

#[tokio::test]
async fn a_stream_without_an_end_is_no_complete_answer() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    test.provider.does([text("Half"), Step::Done]);
    let chat = ann.asks("hi").await;
    ann.sees(&chat, "data-state=\"interrupted\"").await;
}

#[tokio::test]
async fn a_silent_provider_is_given_up() {
    let test = TestApp::with(&[("PARLOR__GENERATION__IDLE", "1"), ("PARLOR__GENERATION__FIRST_TOKEN", "1")]).await;
    let ann = test.person("ann").await;
    test.provider.does([text("Half"), Step::Hold]);
    let chat = ann.asks("hi").await;
    let page = ann.sees(&chat, "data-state=\"interrupted\"").await;
    assert!(page.html.contains("Half") && page.html.contains("stopped sending"));
    // before the first token the other key is tried
    test.provider.does([Step::Hold]);
    test.provider.streams(["Hello"]);
    let chat = ann.asks("hi").await;
    ann.sees(&chat, "Hello").await;
}

#[tokio::test]
async fn the_limit_on_length_is_said() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    test.provider.does([text("A long story"), Step::Finish("length"), Step::Done]);
    let chat = ann.asks("hi").await;
    ann.sees(&chat, "data-state=\"completed\"").await;
    let reason: String = test.value("select reason from generations").await;
    assert!(reason.contains("limit"), "{reason}");
}

#[tokio::test]
async fn a_database_that_does_not_answer_is_said_and_passes() {
    let test = TestApp::with(&[("PARLOR__DATABASE__STATEMENT_TIMEOUT", "1")]).await;
    let ann = test.person("ann").await;
    for table in ["tower_sessions.session", "chats"] {
        let mut tx = test.app.pools.listen.begin().await.unwrap();
        sqlx::query(&format!("lock table {table} in access exclusive mode")).execute(&mut *tx).await.unwrap();
        let page = ann.opens("/").await;
        assert_eq!(page.status, reqwest::StatusCode::SERVICE_UNAVAILABLE, "{table}");
        assert!(page.html.contains("nothing is lost"), "{}", page.html);
        assert_eq!(ann.opens("/up").await.status, reqwest::StatusCode::OK);
        tx.rollback().await.unwrap();
        assert_eq!(
            ann.opens("/").await.status,
            reqwest::StatusCode::OK,
            "{table}: it passes, and nobody is signed out"
        );
    }
}
