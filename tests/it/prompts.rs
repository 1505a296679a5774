//! Prompt templates: kept, filled in, shared by administrators only.

use crate::support::{
    TestApp,
    people::{Person, between},
};
use reqwest::StatusCode;

async fn keeps(person: &Person, name: &str, text: &str, shared: bool) {
    let mut fields = vec![("name", name), ("text", text)];
    if shared {
        fields.push(("shared", "true"));
    }
    let page = person.posts("/settings/prompts", &fields).await;
    assert_eq!(page.location.as_deref(), Some("/settings/prompts?saved"), "{}", page.html);
}

/// The way to the first prompt that the list offers.
async fn first(person: &Person, list: &str) -> String {
    let path = if list == "/prompts" { "/prompts/" } else { "/settings/prompts/" };
    let page = person.opens(list).await;
    format!("{path}{}", between(&page.html, &format!("class=\"prompts__link\" href=\"{path}"), "\"").expect("a prompt"))
}

#[tokio::test]
async fn a_prompt_is_filled_in_and_stands_in_the_composer() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    assert!(ann.opens("/prompts").await.html.contains("no prompts yet"));
    keeps(&ann, "Translate", "Say {{what}} in {{ language }}.\r\nOnly {{what}}!", false).await;
    let prompt = first(&ann, "/prompts").await;
    let page = ann.opens(&prompt).await;
    assert_eq!(page.html.matches("name=\"value\"").count(), 2, "{}", page.html);
    let page = ann.posts(&prompt, &[("value", "<tea>"), ("value", "Greek")]).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.html.contains("\nSay &#60;tea&#62; in Greek.\nOnly &#60;tea&#62;!</textarea>"), "{}", page.html);
    assert!(page.html.contains("action=\"/chats\""));
    // for a chat: its own composer
    test.provider.streams(["Hello"]);
    let chat = ann.asks("hi").await;
    ann.sees(&chat, "data-state=\"completed\"").await;
    let id = chat.trim_start_matches("/chats/");
    let page = ann.posts(&prompt, &[("value", "a"), ("value", "b"), ("chat", id)]).await;
    assert!(page.html.contains(&format!("action=\"{chat}/messages\"")) && page.html.contains("Say a in b.\nOnly a!"));
    let page = ann.opens(&format!("/prompts?chat={id}")).await;
    assert!(page.html.contains(&format!("{prompt}?chat={id}")));
    // nothing to fill in: at once
    keeps(&ann, "Brief", "Be brief.", false).await;
    let brief = first(&ann, "/prompts").await;
    assert!(ann.opens(&brief).await.html.contains("Be brief.</textarea>"));
}

#[tokio::test]
async fn prompts_are_changed_deleted_and_refused_with_words() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    keeps(&ann, "One", "1", false).await;
    keeps(&ann, "Two", "2", false).await;
    let page = ann.posts("/settings/prompts", &[("name", "one"), ("text", "again")]).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.html.contains("of this name already") && page.html.contains("again</textarea>"), "{}", page.html);
    let page = ann.posts("/settings/prompts", &[("name", " "), ("text", " ")]).await;
    assert!(page.html.contains("needs a name") && page.html.contains("is to stand in the composer"));
    let one = first(&ann, "/settings/prompts").await;
    assert!(ann.opens(&one).await.html.contains("1</textarea>"));
    assert_eq!(ann.posts(&one, &[("name", "Two"), ("text", "1")]).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(ann.posts(&one, &[("name", "ONE"), ("text", "eins")]).await.status, StatusCode::SEE_OTHER);
    assert!(ann.opens("/prompts").await.html.contains("eins"));
    assert_eq!(ann.posts(&format!("{one}/delete"), &[]).await.status, StatusCode::SEE_OTHER);
    assert_eq!(ann.opens(&one).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn only_administrators_share() {
    let test = TestApp::start().await;
    let (ann, bob) = (test.person("ann").await, test.person("bob").await);
    keeps(&bob, "Mine", "secret", true).await;
    assert!(!ann.opens("/prompts").await.html.contains("Mine"), "a member shares nothing");
    sqlx::query("update users set role = 'administrator' where name = 'ann'")
        .execute(&test.app.pools.http)
        .await
        .unwrap();
    keeps(&ann, "House style", "Write like us: {{what}}", true).await;
    let html = bob.opens("/prompts").await.html;
    assert!(html.contains("House style") && html.contains("Mine"), "{html}");
    let style = first(&ann, "/prompts").await;
    assert_eq!(bob.opens(&style).await.status, StatusCode::OK);
    assert_eq!(bob.opens(&format!("/settings{style}")).await.status, StatusCode::NOT_FOUND, "used, not changed");
    assert_eq!(bob.posts(&format!("/settings{style}/delete"), &[]).await.status, StatusCode::NOT_FOUND);
    let fields = [("name", "x"), ("text", "x")];
    assert_eq!(bob.posts(&format!("/settings{style}"), &fields).await.status, StatusCode::NOT_FOUND);
    // what one administrator does with another's is written down
    test.person("root").await;
    let root = test.stranger();
    root.signs_in("root", crate::support::people::PASSWORD).await;
    test.execute("update users set role = 'administrator' where name = 'root'").await;
    root.posts(&format!("/settings{style}"), &[("name", "House style"), ("text", "Other words"), ("shared", "true")])
        .await;
    ann.posts(&format!("/settings{style}"), &[("name", "House style"), ("text", "Her own"), ("shared", "true")]).await;
    let noted: String = test
        .value("select string_agg(actor || ' ' || action || ' ' || subject || ' ' || details, ';') from audit where action like 'prompt%'")
        .await;
    assert_eq!(noted, "root@example.org prompt.changed ann@example.org House style");
    // what is private is nobody's, also not an administrator's
    let mine: String = test.value("select id::text from prompts where name = 'Mine'").await;
    assert_eq!(ann.opens(&format!("/prompts/{mine}")).await.status, StatusCode::NOT_FOUND);
    assert_eq!(ann.posts(&format!("/settings/prompts/{mine}/delete"), &[]).await.status, StatusCode::NOT_FOUND);
}
