//! The catalog: what is known of models, who may ask them, and how much of a conversation they are sent.

use crate::support::{TestApp, eventually, people::Person};
use reqwest::StatusCode;
use serde_json::Value;
use uuid::Uuid;

const SECOND: &str = "openai/fake-2";

/// All fields of the form, empty but for these.
fn edit<'a>(model: &'a str, audience: &'a str, fields: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let names = ["label", "context", "max_output", "input", "cached", "output", "images", "tools", "reasoning"];
    let value = |name| fields.iter().find(|(field, _)| *field == name).map_or("", |(_, value)| *value);
    let all = names.iter().map(|name| (*name, value(*name)));
    [("model", model), ("audience", audience)].into_iter().chain(all).collect()
}

async fn administrator(test: &TestApp) -> Person {
    let root = test.person("root").await;
    test.execute("update users set role = 'administrator' where name = 'root'").await;
    root
}

/// Sends to the second model, in a new chat.
async fn asks_second(person: &Person, words: &str) -> crate::support::people::Page {
    let key = Uuid::now_v7().to_string();
    person.posts("/chats", &[("content", words), ("model", SECOND), ("key", key.as_str())]).await
}

async fn says_second(person: &Person, chat: &str, words: &str) {
    let key = Uuid::now_v7().to_string();
    let fields = [("content", words), ("model", SECOND), ("key", key.as_str())];
    assert_eq!(person.posts(&format!("{chat}/messages"), &fields).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn what_the_list_says_is_shown_and_can_be_said_otherwise() {
    let test = TestApp::start().await;
    let (ann, root) = (test.person("ann").await, administrator(&test).await);
    let home = ann.opens("/").await.html;
    assert!(home.contains("Understudy") && home.contains("8k context · thinks"), "{home}");
    let list = root.opens("/admin/models").await.html;
    assert!(list.contains("/admin/models/edit?model=openai%2Ffake-2"), "{list}");
    let page = root.opens("/admin/models/edit?model=openai%2Ffake-2").await.html;
    for words in ["Known: 8,000.", "Known: 500.", "Known: Understudy.", "Known: yes"] {
        assert!(page.contains(words), "`{words}` is missing in {page}");
    }

    let said =
        [("label", "Second to none"), ("context", "16,000"), ("input", "1"), ("output", "2,5"), ("tools", "yes")];
    let page = root.posts("/admin/models/edit", &edit(SECOND, "everyone", &said)).await;
    assert_eq!(page.location.as_deref(), Some("/admin/models?saved"), "{}", page.html);
    let home = ann.opens("/").await.html;
    assert!(
        home.contains("Second to none") && home.contains("$1 in, $2.50 out per million · 16k context · thinks"),
        "{home}"
    );
    let page = root.opens("/admin/models/edit?model=openai%2Ffake-2").await;
    assert_eq!(page.field("output").as_deref(), Some("2.5"));
    // it is paid at that price, and the answer is as long as the list says
    test.provider.streams(["Hello"]);
    let chat = asks_second(&ann, "hi").await.location.unwrap();
    ann.sees(&chat, "data-state=\"completed\"").await;
    assert_eq!(test.value::<i64>("select cost from usage where purpose = 'answer'").await, 11 + 18);
    assert_eq!(test.provider.asked()[0].body["max_tokens"], 500);
    let answer = ann.last_answer(&chat).await;
    let page = ann.opens(&format!("/messages/{answer}")).await.html;
    assert!(page.contains("7 tokens · under $0.0001 · "), "{page}");
    // the longest answer: 500 tokens at 2.5
    let page = ann.opens(&format!("{chat}/context")).await.html;
    assert!(page.contains("longest answer that costs $0.0013") && page.contains("have cost under $0.0001"), "{page}");
    assert!(
        root.opens("/admin/audit")
            .await
            .html
            .contains("openai/fake-2: for everyone, called “Second to none”, context 16000")
    );

    // what cannot be meant is refused, and what was typed stays
    for (fields, words) in [
        (vec![("context", "many")], "A whole number from 1"),
        (vec![("context", "0")], "A whole number from 1"),
        (vec![("context", "400")], "less than the longest answer"),
        (vec![("input", "-1"), ("output", "1")], "A number from 0"),
        (vec![("output", "1")], "A price needs"),
        (vec![("label", "x".repeat(81).leak() as &str)], "At most 80 characters"),
    ] {
        let page = root.posts("/admin/models/edit", &edit(SECOND, "everyone", &fields)).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{fields:?}");
        assert!(page.html.contains(words), "`{words}` is missing in {}", page.html);
        let (field, typed) = fields[0];
        assert_eq!(page.field(field).as_deref(), Some(typed));
    }
    let page = root.posts("/admin/models/edit", &edit("openai/nothing", "everyone", &[])).await;
    assert_eq!(page.status, StatusCode::NOT_FOUND);
    assert_eq!(root.opens("/admin/models/edit?model=nothing").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn who_may_ask_a_model() {
    let test = TestApp::start().await;
    let (ann, root) = (test.person("ann").await, administrator(&test).await);
    test.provider.streams(["Hello"]);
    let chat = asks_second(&ann, "hi").await.location.unwrap();
    ann.sees(&chat, "data-state=\"completed\"").await;
    let answer = ann.last_answer(&chat).await;
    test.program().signs_in("ann").await;
    for (audience, by_root) in [("administrators", true), ("nobody", false)] {
        root.posts("/admin/models/edit", &edit(SECOND, audience, &[])).await;
        assert!(!ann.opens("/").await.html.contains(SECOND), "{audience}");
        assert!(!ann.opens("/settings").await.html.contains(SECOND), "{audience}");
        assert_eq!(root.opens("/").await.html.contains(SECOND), by_root, "{audience}");
        let page = asks_second(&ann, "What I say is kept").await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(page.html.contains("This model is not available") && page.html.contains("What I say is kept"));
        let again = [("model", SECOND), ("key", "")];
        let page = ann.posts(&format!("/messages/{answer}/regenerations"), &again).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", page.html);
        let settings = [("system", ""), ("model", SECOND), ("temperature", "")];
        let other = [("system", ""), ("model", "openai/fake-1"), ("temperature", "")];
        // what was chosen before stays, and cannot be chosen anew
        let path = format!("{chat}/settings");
        assert_eq!(ann.posts(&path, &settings).await.status, StatusCode::SEE_OTHER);
        ann.posts(&path, &other).await;
        assert_eq!(ann.posts(&path, &settings).await.status, StatusCode::UNPROCESSABLE_ENTITY);
        test.execute("update chats set model = 'openai/fake-2'").await;
    }
    let program = test.program().with(&test.program().signs_in("ann").await.word("access_token"));
    let models = program.gets("/api/models").await.json;
    assert_eq!(models["data"].as_array().map(Vec::len), Some(1), "{models}");
    root.posts("/admin/models/edit", &edit(SECOND, "everyone", &[])).await;
    eventually("everybody has it again", || async { ann.opens("/").await.html.contains(SECOND) }).await;
    let models = program.gets("/api/models").await.json;
    assert_eq!(models["data"][1]["display_name"], "Understudy");
    assert_eq!(models["data"][1]["context_window"], 8000);
}

/// What was said of a model stays when its provider does not list it for a while.
#[tokio::test]
async fn what_was_said_outlives_a_list() {
    let test = TestApp::start().await;
    let root = administrator(&test).await;
    root.posts("/admin/models/edit", &edit(SECOND, "nobody", &[("label", "Gone and back")])).await;
    test.execute("delete from models where name = 'fake-2'").await;
    assert_eq!(root.opens("/admin/models/edit?model=openai%2Ffake-2").await.status, StatusCode::NOT_FOUND);
    test.execute("insert into models (provider, name) values ('openai', 'fake-2')").await;
    assert!(root.opens("/admin/models").await.html.contains("Gone and back"));
    assert!(!root.opens("/").await.html.contains(SECOND));
}

/// The newest messages that fit are sent, and what is asked always.
#[tokio::test]
async fn the_newest_that_fit_the_window_are_sent() {
    let test = TestApp::with(&[("PARLOR__CHATS__MAX_MESSAGE_CHARS", "50000")]).await;
    let ann = test.person("ann").await;
    // by our guess some 2,000 tokens each; 7,500 are left beside the answer
    let long = |n: usize| format!("{n}{}", " word".repeat(1_200));
    test.provider.streams(["Yes."]);
    let chat = asks_second(&ann, &long(0)).await.location.unwrap();
    ann.sees(&chat, "data-state=\"completed\"").await;
    for n in 1..=4_usize {
        test.provider.streams(["Yes."]);
        says_second(&ann, &chat, &long(n)).await;
        eventually("it is answered", || async {
            test.value::<i64>("select count(*) from generations where state <> 'completed'").await == 0
                && test.provider.asked().len() == n + 1
        })
        .await;
    }
    let sent = |body: &Value| -> Vec<String> {
        let messages = body["messages"].as_array().unwrap().iter();
        messages.map(|message| message["content"].as_str().unwrap().chars().take(1).collect()).collect()
    };
    let asked: Vec<_> = test.provider.asked().into_iter().map(|asked| sent(&asked.body)).collect();
    assert_eq!(asked[2], ["0", "Y", "1", "Y", "2"], "these fit");
    assert_eq!(asked[4], ["Y", "2", "Y", "3", "Y", "4"], "and of these the newest");
    // and that is told before it is sent
    let page = ann.opens(&format!("{chat}/context?model=openai%2Ffake-2")).await.html;
    for words in ["goes to Understudy with the newest 7 of 10 messages", "about 6,", "of 8,000", "500 are kept"] {
        assert!(page.contains(words), "`{words}` is missing in {page}");
    }
    assert!(page.contains("?at=") && !page.contains("have cost"), "{page}");
    let page = ann.opens(&format!("{chat}/context?model=openai%2Ffake-1")).await.html;
    assert!(page.contains("goes to fake-1 with the whole conversation") && page.contains("is not known"), "{page}");
    assert_eq!(ann.opens(&format!("{chat}/context?model=gone%2Ffake-1")).await.status, StatusCode::NOT_FOUND);

    test.provider.streams(["Yes."]);
    says_second(&ann, &chat, &"x".repeat(40_000)).await;
    eventually("it is asked", || async { test.provider.asked().len() == 6 }).await;
    assert_eq!(sent(&test.provider.asked()[5].body), ["x"], "too long for the model, which is for the model to say");
}

/// What the ledger of the last hour tells of each provider.
#[tokio::test]
async fn how_providers_did_of_late() {
    let test = TestApp::start().await;
    let (ann, root) = (test.person("ann").await, administrator(&test).await);
    assert!(!root.opens("/admin/providers").await.html.contains("In the last hour"));
    for n in 0..3 {
        test.provider.streams(["Hello"]);
        let chat = ann.asks("hi").await;
        ann.sees(&chat, "data-state=\"completed\"").await;
        if n == 0 {
            // each key once
            test.provider.refuses(500, "no");
            test.provider.refuses(500, "no");
            let chat = ann.asks("hi").await;
            ann.sees(&chat, "an error of its own").await;
            // the answer that has no word is not left out of anything
            let page = ann.opens(&format!("{chat}/context")).await.html;
            assert!(page.contains("with the whole conversation"), "{page}");
        }
    }
    test.execute("delete from cache where key = 'health'").await;
    let page = root.opens("/admin/providers").await.html;
    assert!(
        page.contains("In the last hour: 5 requests, 2 failed (40 %), most as “broken”. The first token took 0.0 s"),
        "{page}"
    );
}
