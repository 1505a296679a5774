//! Taking a chat away: Markdown of what is shown, JSON of all that was said.

use crate::support::{TestApp, provider::Step};
use reqwest::{Method, StatusCode};
use serde_json::Value;

#[tokio::test]
async fn a_chat_is_taken_away_as_markdown_and_as_json() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    let think = Step::Reasoning("Let me see.".to_owned());
    test.provider.does([think, Step::Text("Hello **Ann**".to_owned()), Step::Finish("stop"), Step::Done]);
    let chat = ann.asks("Who am I? Say \"it\"/now").await;
    ann.sees(&chat, "data-state=\"completed\"").await;
    let first = ann.last_answer(&chat).await;
    test.provider.streams(["Somebody else"]);
    ann.posts(&format!("/messages/{first}/regenerations"), &[("model", "openai/fake-2")]).await;
    ann.sees(&chat, "Somebody else").await;
    ann.sees(&chat, "data-state=\"completed\"").await;
    ann.posts(
        &format!("{chat}/settings"),
        &[("system", "Be brief."), ("model", "openai/fake-1"), ("temperature", "1.5")],
    )
    .await;

    let file = ann.request(Method::GET, &format!("{chat}/export?format=markdown")).send().await.unwrap();
    assert_eq!(file.status(), StatusCode::OK);
    let header = |name: &str| file.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(header("content-type"), "text/markdown; charset=utf-8");
    assert_eq!(header("x-content-type-options"), "nosniff");
    let named = header("content-disposition");
    assert!(named.starts_with("attachment; filename=\"Who-am-I-Say-it-now.md\"; filename*=UTF-8''Who%20am"), "{named}");
    let text = file.text().await.unwrap();
    assert!(text.starts_with("# Who am I? Say \"it\"/now\n\n## You · 20"), "{text}");
    assert!(text.contains("\n## fake-2 · 20") && text.ends_with("UTC\n\nSomebody else\n"), "{text}");
    assert!(!text.contains("Hello"), "only what is shown");

    let file = ann.opens(&format!("{chat}/export?format=json")).await;
    let json: Value = serde_json::from_str(&file.html).unwrap();
    assert_eq!((&json["format"], &json["version"]), (&"parlor.chat".into(), &1.into()));
    assert_eq!((&json["system_prompt"], &json["temperature"]), (&"Be brief.".into(), &1.5.into()));
    let messages = json["messages"].as_array().unwrap();
    let texts: Vec<_> = messages.iter().map(|m| m["text"].as_str().unwrap()).collect();
    assert_eq!(
        texts,
        ["Who am I? Say \"it\"/now", "Hello **Ann**", "Somebody else"],
        "parents first, siblings in order"
    );
    assert_eq!(messages[0]["parent"], Value::Null);
    assert_eq!(messages[0]["author"], "person");
    assert!(messages[1..].iter().all(|m| m["parent"] == messages[0]["id"] && m["author"] == "model"));
    assert_eq!((&messages[1]["order"], &messages[2]["order"]), (&0.into(), &1.into()));
    assert_eq!(messages[1]["reasoning"], "Let me see.");
    assert_eq!((&messages[2]["model"], &messages[2]["state"]), (&"openai/fake-2".into(), &"completed".into()));
    assert_eq!(json["leaf"], messages[2]["id"]);
    assert!(messages[1]["at"].as_str().unwrap().ends_with('Z'));
    assert_eq!(ann.opens(&format!("{chat}/export?format=pdf")).await.status, StatusCode::NOT_FOUND);
}

/// Longer than one piece; and an answer that is being written is taken as far as it is.
#[tokio::test]
async fn long_chats_and_unfinished_answers_are_taken_whole() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    test.provider.streams(["Hello"]);
    let chat = ann.asks("hi").await;
    ann.sees(&chat, "data-state=\"completed\"").await;
    sqlx::query(
        "do $$ declare c uuid := (select id from chats); l uuid := (select leaf_id from chats); begin
             for n in 1..450 loop
                 insert into messages (chat_id, parent_id, author, text) values (c, l, 'person', 'number ' || n || repeat('x', 9000))
                 returning id into l;
             end loop;
             update chats set leaf_id = l;
         end $$",
    )
    .execute(&test.app.pools.http)
    .await
    .unwrap();
    test.provider.does([Step::Text("So far".to_owned()), Step::Hold]);
    assert_eq!(ann.says(&chat, "And?").await.status, StatusCode::SEE_OTHER);
    ann.sees(&chat, "So far").await;
    let markdown = ann.opens(&format!("{chat}/export?format=markdown")).await.html;
    for n in [1, 99, 100, 101, 450] {
        assert_eq!(markdown.matches(&format!("\nnumber {n}x")).count(), 1, "{n}");
    }
    assert!(markdown.ends_with("\n\nSo far\n"));
    let json: Value = serde_json::from_str(&ann.opens(&format!("{chat}/export?format=json")).await.html).unwrap();
    let messages = json["messages"].as_array().unwrap();
    assert_eq!(messages.len(), 454);
    assert_eq!((&messages[453]["text"], &messages[453]["state"]), (&"So far".into(), &"streaming".into()));
}
