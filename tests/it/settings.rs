//! One's own way: what a model is told before the conversation, how warm it is, which one is asked, light or dark.

use crate::support::{TestApp, eventually};
use reqwest::StatusCode;
use serde_json::Value;

/// Role and text of what went over the wire with the given request.
fn said(test: &TestApp, request: usize) -> Vec<(String, String)> {
    let body = &test.provider.asked()[request].body;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    body["messages"].as_array().unwrap().iter().map(|m| (text(&m["role"]), text(&m["content"]))).collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(role, text)| ((*role).to_owned(), (*text).to_owned())).collect()
}

#[tokio::test]
async fn a_model_is_told_ones_own_instructions_first_then_the_chats() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    test.provider.streams(["Hello"]);
    let chat = ann.asks("hi").await;
    ann.sees(&chat, "data-state=\"completed\"").await;
    assert_eq!(said(&test, 0), pairs(&[("user", "hi")]));
    assert!(test.provider.asked()[0].body.get("temperature").is_none(), "the provider's own");

    let fields =
        [("instructions", " I am Ann.\r\nBe brief. "), ("model", ""), ("temperature", "0,7"), ("theme", "system")];
    let saved = ann.posts("/settings", &fields).await;
    assert_eq!(
        (saved.status, saved.location.as_deref()),
        (StatusCode::SEE_OTHER, Some("/settings?saved")),
        "{}",
        saved.html
    );
    let page = ann.opens("/settings?saved").await;
    assert!(page.html.contains("I am Ann.\nBe brief.</textarea>") && page.html.contains("Saved."), "{}", page.html);
    assert_eq!(page.field("temperature").as_deref(), Some("0.7"));
    test.provider.streams(["Two"]);
    ann.says(&chat, "And then?").await;
    ann.sees(&chat, "Two").await;
    let own = ("system", "I am Ann.\nBe brief.");
    assert_eq!(said(&test, 1), pairs(&[own, ("user", "hi"), ("assistant", "Hello"), ("user", "And then?")]));
    assert_eq!(test.provider.asked()[1].body["temperature"], 0.7);

    let fields = [("system", "Speak as a pirate."), ("model", "openai/fake-2"), ("temperature", "0")];
    let saved = ann.posts(&format!("{chat}/settings"), &fields).await;
    assert_eq!(saved.location.as_deref(), Some(chat.as_str()), "{}", saved.html);
    let page = ann.opens(&chat).await;
    assert!(page.html.contains("<option value=\"openai/fake-2\" selected>"), "the chat's model is preselected");
    test.provider.streams(["Three"]);
    ann.says(&chat, "Go on").await;
    ann.sees(&chat, "Three").await;
    assert_eq!(said(&test, 2)[0], pairs(&[("system", "I am Ann.\nBe brief.\n\nSpeak as a pirate.")])[0]);
    assert_eq!(test.provider.asked()[2].body["temperature"], 0.0, "the chat's wins");
    // another chat knows nothing of it
    test.provider.streams(["Four"]);
    let other = ann.asks("hi again").await;
    ann.sees(&other, "Four").await;
    assert_eq!(said(&test, 3), pairs(&[own, ("user", "hi again")]));
}

#[tokio::test]
async fn the_limit_on_messages_does_not_count_what_is_told_before() {
    let test = TestApp::with(&[("PARLOR__CONTEXT__MAX_MESSAGES", "2")]).await;
    let ann = test.person("ann").await;
    let fields = [("instructions", "Be brief."), ("model", ""), ("temperature", ""), ("theme", "system")];
    ann.posts("/settings", &fields).await;
    test.provider.streams(["Hello"]);
    let chat = ann.asks("hi").await;
    ann.sees(&chat, "data-state=\"completed\"").await;
    ann.says(&chat, "And then?").await;
    eventually("the provider is asked again", || async { test.provider.asked().len() == 2 }).await;
    assert_eq!(said(&test, 1), pairs(&[("system", "Be brief."), ("assistant", "Hello"), ("user", "And then?")]));
}

#[tokio::test]
async fn a_new_chat_begins_with_ones_own_model() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    ann.asks("hi").await; // fake-1
    let fields = [("instructions", ""), ("model", "openai/fake-2"), ("temperature", ""), ("theme", "dark")];
    ann.posts("/settings", &fields).await;
    let page = ann.opens("/").await;
    assert!(page.html.contains("<option value=\"openai/fake-2\" selected>"), "{}", page.html);
    // applied by the server, on every page of the house
    assert!(page.html.contains("data-theme=\"dark\"") && page.html.contains("name=\"color-scheme\" content=\"dark\""));
    assert!(page.html.contains("data-letters=\"sans\""));
    let fields = [("instructions", ""), ("model", "openai/fake-2"), ("temperature", ""), ("theme", "dark")];
    ann.posts("/settings", &[&fields[..], &[("letters", "serif")]].concat()).await;
    assert!(ann.opens("/").await.html.contains("data-letters=\"serif\""));
    ann.posts("/settings", &fields).await; // a form from before there was a choice
    assert!(ann.opens("/").await.html.contains("data-letters=\"serif\""), "they stay as they were");
    // a model that went away is kept, but not asked
    sqlx::query("update users set default_model = 'openai/gone'").execute(&test.app.pools.http).await.unwrap();
    assert!(ann.opens("/").await.html.contains("<option value=\"openai/fake-1\" selected>"));
    let page = ann.opens("/settings").await;
    assert!(page.html.contains("<option value=\"openai/gone\" selected>openai/gone (not available now)"));
    let fields = [("instructions", ""), ("model", "openai/gone"), ("temperature", ""), ("theme", "light")];
    assert_eq!(ann.posts("/settings", &fields).await.status, StatusCode::SEE_OTHER);
    assert!(ann.opens("/").await.html.contains("data-theme=\"light\""));
}

#[tokio::test]
async fn what_cannot_be_taken_is_said_beside_it_and_stays_typed() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    test.provider.streams(["Hello"]);
    let chat = ann.asks("hi").await;
    let long = "é".repeat(4001);
    let fields = [
        ("instructions", long.as_str()),
        ("model", "openai/none"),
        ("temperature", "warm"),
        ("theme", "pink"),
        ("letters", "gothic"),
    ];
    let page = ann.posts("/settings", &fields).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    for words in [
        "This has 4001 characters",
        "This model is not available",
        "a number from 0 to 2",
        "one of the three",
        "one of the two",
    ] {
        assert!(page.html.contains(words), "{words}: {}", page.html);
    }
    assert!(page.html.contains(&long) && page.html.contains("value=\"warm\"") && page.html.contains("openai/none"));
    let fields = [("system", long.as_str()), ("model", "openai/fake-1"), ("temperature", "3")];
    let page = ann.posts(&format!("{chat}/settings"), &fields).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        page.html.contains("This has 4001 characters")
            && page.html.contains("value=\"3\"")
            && page.html.contains(&long)
    );
    let kept: bool = test.value("select bool_and(instructions = '' and theme = 'system') from users").await;
    assert!(kept, "nothing of it was kept");
}
