//! When a model cannot be had, others answer instead, and it is said which.

use crate::support::{TestApp, provider::Provider, provider::Step};

async fn with_another(other: &Provider, settings: &[(&str, &str)]) -> TestApp {
    let url = other.url();
    let mut all = vec![
        ("PARLOR__PROVIDERS__OTHER__BASE_URL", url.as_str()),
        ("PARLOR__PROVIDERS__OTHER__API_KEYS", "key-9"),
        ("PARLOR__PROVIDERS__OTHER__REQUESTS_PER_MINUTE", "0"),
        ("PARLOR__PROVIDERS__OPENAI__FALLBACKS__FAKE-1", "other/fake-2"),
    ];
    all.extend(settings);
    TestApp::with(&all).await
}

/// The model of the newest answer, and the one that was asked for if it is another.
async fn models(test: &TestApp) -> (String, Option<String>) {
    let newest = "select model, asked_model from generations order by id desc limit 1";
    sqlx::query_as(newest).fetch_one(&test.app.pools.http).await.unwrap()
}

#[tokio::test]
async fn another_model_answers_and_is_named() {
    let other = Provider::start().await;
    let test = with_another(&other, &[("OPENAI_API_KEY", "key-1")]).await;
    let ann = test.person("ann").await;
    for status in [503, 429, 401] {
        test.uses_keys_again().await;
        test.provider.refuses(status, "no");
        other.streams(["I answer instead."]);
        let chat = ann.asks("hi").await;
        let page = ann.sees(&chat, "data-state=\"completed\"").await;
        assert!(page.html.contains("I answer instead.") && page.html.contains("other/fake-2"), "{}", page.html);
        assert_eq!(models(&test).await, ("other/fake-2".into(), Some("openai/fake-1".into())));
    }
    // each request is in the ledger, of its own model
    let ledger: Vec<(String, String)> =
        sqlx::query_as("select provider || '/' || model, outcome from usage order by id")
            .fetch_all(&test.app.pools.http)
            .await
            .unwrap();
    assert_eq!(ledger.len(), 6);
    assert_eq!(ledger[0], ("openai/fake-1".into(), "broken".into()));
    assert_eq!(ledger[1], ("other/fake-2".into(), "complete".into()));
    test.check_feeds().await;
}

/// One that was refused, or had begun to speak, is not asked of another.
#[tokio::test]
async fn what_another_model_is_not_asked_for() {
    let other = Provider::start().await;
    let test = with_another(&other, &[("OPENAI_API_KEY", "key-1")]).await;
    let ann = test.person("ann").await;
    test.provider.refuses(400, "too long");
    let chat = ann.asks("hi").await;
    ann.sees(&chat, "data-state=\"failed\"").await;
    test.provider.does([Step::Text("Half".into()), Step::Cut]);
    let chat = ann.asks("hi").await;
    ann.sees(&chat, "data-state=\"interrupted\"").await;
    assert!(other.asked().is_empty());
}

/// When none can be had it waits, and then begins with the one that was asked for.
#[tokio::test]
async fn when_none_can_be_had_it_waits_for_the_first() {
    let other = Provider::start().await;
    let settings = [("OPENAI_API_KEY", "key-1"), ("PARLOR__GENERATION__RETRY", "0.4")];
    let test = with_another(&other, &settings).await;
    let ann = test.person("ann").await;
    test.provider.refuses(503, "no");
    other.refuses(400, "not this one");
    test.provider.streams(["Here I am."]);
    let chat = ann.asks("hi").await;
    let tab = ann.follows(&chat, 0).await;
    tab.sees("openai had an error of its own").await;
    let page = ann.sees(&chat, "Here I am.").await;
    assert!(page.html.contains("openai/fake-1") && !page.html.contains("other/fake-2<"), "{}", page.html);
    assert_eq!(models(&test).await.0, "openai/fake-1");
    assert_eq!(other.asked().len(), 1);
}

/// A provider that fails for a while under many: nobody sees an error.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nobody_sees_a_provider_that_fails() {
    let other = Provider::start().await;
    let test = with_another(&other, &[("OPENAI_API_KEY", "key-1,key-2")]).await;
    let ann = test.person("ann").await;
    for _ in 0..120 {
        test.provider.refuses(502, "down");
    }
    let asks = (0..40).map(|_| {
        let ann = ann.clone();
        tokio::spawn(async move {
            let chat = ann.asks("hi").await;
            ann.sees(&chat, "data-state=\"completed\"").await;
        })
    });
    for ask in asks.collect::<Vec<_>>() {
        ask.await.unwrap();
    }
    let seen: i64 = test.value("select count(*) from generations where state = 'completed' and retries = 0").await;
    assert_eq!((seen, other.asked().len()), (40, 40));
}
