//! Going on where an answer was cut.

use crate::support::{NO_RETRY, TestApp, eventually, provider::Step};
use reqwest::StatusCode;

fn text(text: &str) -> Step {
    Step::Text(text.to_owned())
}

async fn continues(test: &TestApp, ann: &crate::support::people::Person, chat: &str) {
    let answer = ann.last_answer(chat).await;
    let before = test.provider.asked().len();
    let page = ann.posts(&format!("/messages/{answer}/continuations"), &[("model", "openai/fake-1")]).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.html);
    eventually("the provider is asked", || async { test.provider.asked().len() == before + 1 }).await;
}

#[tokio::test]
async fn a_cut_answer_goes_on_is_cut_again_and_goes_on_again() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    test.provider.does([text("Once upon a "), text("tïme th"), Step::Cut]);
    let chat = ann.asks("A story").await;
    let page = ann.sees(&chat, "data-state=\"interrupted\"").await;
    assert!(page.html.contains("/continuations\"") && page.html.contains("Continue"));
    let tab = ann.follows(&chat, page.after()).await;
    // the page shows the text so far before the model has said anything
    test.provider.does([Step::Hold, text("ere w"), Step::Hold, Step::Cut]);
    continues(&test, &ann, &chat).await;
    tab.sees("event: reset").await;
    let page = ann.opens(&chat).await;
    assert!(
        page.html.contains("Once upon a tïme th") && page.html.contains("data-state=\"streaming\""),
        "{}",
        page.html
    );
    let asked = test.provider.asked().pop().unwrap();
    let messages = asked.body["messages"].as_array().unwrap().clone();
    let roles: Vec<_> = messages.iter().map(|m| m["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["user", "assistant", "user"]);
    assert_eq!(messages[1]["content"], "Once upon a tïme th");
    assert!(messages[2]["content"].as_str().unwrap().contains("Go on exactly where it ends"));
    let middle = ann.follows(&chat, page.after()).await;
    test.provider.release();
    middle.sees("ere w").await;
    test.provider.release();
    middle.sees("data-state=\"interrupted\"").await;
    // again
    test.provider.streams(["as a ", "king."]);
    continues(&test, &ann, &chat).await;
    let page = ann.sees(&chat, "data-state=\"completed\"").await;
    assert!(page.html.contains("Once upon a tïme there was a king."), "{}", page.html);
    assert_eq!(page.html.matches("<article").count(), 2);
    let kept: Vec<String> = sqlx::query_scalar("select text from messages where author = 'model' order by id")
        .fetch_all(&test.app.pools.http)
        .await
        .unwrap();
    assert_eq!(kept, ["Once upon a tïme th", "Once upon a tïme there w", "Once upon a tïme there was a king."]);
    // what comes after it is asked with the whole text, and without the word that made it go on
    test.provider.streams(["He ruled."]);
    ann.says(&chat, "And then?").await;
    ann.sees(&chat, "He ruled.").await;
    let asked = test.provider.asked().pop().unwrap();
    assert_eq!(asked.body["messages"].as_array().unwrap().len(), 3);
    assert_eq!(asked.body["messages"][1]["content"], "Once upon a tïme there was a king.");
    test.check_feeds().await;
    test.check_tree().await;
}

#[tokio::test]
async fn what_was_stopped_or_too_long_goes_on_and_nothing_else_does() {
    let test = TestApp::with(&[NO_RETRY]).await;
    let ann = test.person("ann").await;
    test.provider.does([text("As far as "), Step::Finish("length"), Step::Done]);
    let chat = ann.asks("long").await;
    let page = ann.sees(&chat, "data-state=\"completed\"").await;
    assert!(page.html.contains("reached the limit on its length") && page.html.contains("/continuations\""));
    test.provider.does([text("that goes"), Step::Hold]);
    continues(&test, &ann, &chat).await;
    ann.sees(&chat, "As far as that goes").await;
    let running = ann.last_answer(&chat).await;
    let refused = ann.posts(&format!("/messages/{running}/continuations"), &[]).await;
    assert!(refused.status == StatusCode::CONFLICT && refused.html.contains("was not cut"), "one that is running");
    ann.posts(&format!("/messages/{running}/stop"), &[]).await;
    test.provider.streams([", and further."]);
    continues(&test, &ann, &chat).await;
    let page = ann.sees(&chat, "data-state=\"completed\"").await;
    assert!(page.html.contains("As far as that goes, and further.") && !page.html.contains("/continuations\""));
    // whole, failed, or a question: no
    let whole = ann.last_answer(&chat).await;
    assert_eq!(ann.posts(&format!("/messages/{whole}/continuations"), &[]).await.status, StatusCode::CONFLICT);
    let question: String = test.value("select id::text from messages where author = 'person'").await;
    assert_eq!(ann.posts(&format!("/messages/{question}/continuations"), &[]).await.status, StatusCode::NOT_FOUND);
    test.provider.refuses(400, "no");
    ann.says(&chat, "fails").await;
    let page = ann.sees(&chat, "data-state=\"failed\"").await;
    assert!(!page.html.contains("/continuations\""), "there is nothing to go on with");
    let failed = ann.last_answer(&chat).await;
    assert_eq!(ann.posts(&format!("/messages/{failed}/continuations"), &[]).await.status, StatusCode::CONFLICT);
    test.check_feeds().await;
    test.check_tree().await;
}

/// A form sent twice is one continuation; with another key it is another one.
#[tokio::test]
async fn a_continuation_sent_twice_is_one() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    test.provider.does([text("Half"), Step::Cut]);
    let chat = ann.asks("hi").await;
    ann.sees(&chat, "data-state=\"interrupted\"").await;
    let answer = ann.last_answer(&chat).await;
    let path = format!("/messages/{answer}/continuations");
    let key = "01890a5d-ac96-774b-bcce-b302099a8057";
    let fields = [("model", "openai/fake-1"), ("key", key)];
    let posts = (0..4).map(|_| ann.posts(&path, &fields));
    for page in futures::future::join_all(posts).await {
        assert_eq!((page.status, page.location.as_deref()), (StatusCode::SEE_OTHER, Some(chat.as_str())));
    }
    assert_eq!(test.value::<i64>("select count(*) from generations").await, 2);
    ann.posts(&path, &[("model", "openai/fake-1"), ("key", "01890a5d-ac96-774b-bcce-b302099a8058")]).await;
    assert_eq!(test.value::<i64>("select count(*) from generations").await, 3);
    eventually("both end", || async {
        test.value::<i64>("select count(*) from generations where state = 'completed'").await == 2
    })
    .await;
    test.check_feeds().await;
}

/// What it took over is nothing that it said: a fault before its own first word is tried again silently, and when
/// nothing is left to try it has its text, and can go on once more.
#[tokio::test]
async fn a_continuation_that_adds_nothing_is_tried_again() {
    let test = TestApp::with(&[("PARLOR__GENERATION__RETRY", "0.3"), ("OPENAI_API_KEY", "key-1")]).await;
    let ann = test.person("ann").await;
    test.provider.does([text("Half "), Step::Cut]);
    let chat = ann.asks("hi").await;
    ann.sees(&chat, "data-state=\"interrupted\"").await;
    test.provider.refuses(500, "no");
    test.provider.streams(["and whole"]);
    continues(&test, &ann, &chat).await;
    ann.sees(&chat, "Half and whole").await;
    let retries: i32 = test.value("select max(retries) from generations").await;
    assert_eq!(retries, 1);
    // and when it is given up
    test.provider.does([text("Half "), Step::Cut]);
    ann.says(&chat, "more").await;
    ann.sees(&chat, "data-state=\"interrupted\"").await;
    test.provider.refuses(500, "no");
    test.provider.refuses(500, "no");
    continues(&test, &ann, &chat).await;
    eventually("it is given up", || async {
        test.value::<i64>("select count(*) from generations where dead_at is not null and state = 'interrupted'").await
            == 1
    })
    .await;
    let page = ann.opens(&chat).await;
    assert!(page.html.contains("had an error of its own") && page.html.contains("/continuations\""));
    let kept: i64 = test.value("select count(*) from messages where text = 'Half '").await;
    assert_eq!(kept, 3, "each one that was cut has its text");
    test.check_feeds().await;
}
