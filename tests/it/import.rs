//! Bringing chats along: what was taken away comes back as it was.

use crate::support::{
    TestApp, eventually,
    images::png,
    people::{Page, Person},
    provider::Step,
};
use reqwest::{Method, StatusCode};
use serde_json::Value;

async fn gives(person: &Person, file: &str) -> Page {
    let body = format!(
        "--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"my <chats>.json\"\r\nContent-Type: application/json\r\n\r\n{file}\r\n--B--\r\n"
    );
    let request = person.request(Method::POST, "/settings/import").header("sec-fetch-site", "same-origin");
    Page::of(request.header("content-type", "multipart/form-data; boundary=B").body(body).send().await.unwrap()).await
}

/// The same without what a file names in its own way.
fn bare(json: &str) -> Value {
    let mut json: Value = serde_json::from_str(json).unwrap();
    let ids: Vec<_> = json["messages"].as_array().unwrap().iter().map(|m| m["id"].clone()).collect();
    let number = |id: &Value| ids.iter().position(|known| known == id).map_or(Value::Null, Into::into);
    json["leaf"] = number(&json["leaf"]);
    for message in json["messages"].as_array_mut().unwrap() {
        message["parent"] = number(&message["parent"]);
        message["id"] = number(&message["id"]);
    }
    json
}

#[tokio::test]
async fn a_chat_comes_back_as_it_was() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    let think = Step::Reasoning("Let me see.".to_owned());
    test.provider.does([think, Step::Text("Hello **Ann**".to_owned()), Step::Finish("stop"), Step::Done]);
    let chat = ann.asks("Who am I?").await;
    ann.sees(&chat, "data-state=\"completed\"").await;
    let first = ann.last_answer(&chat).await;
    test.provider.does([Step::Text("Some".to_owned()), Step::Cut]);
    ann.posts(&format!("/messages/{first}/regenerations"), &[("model", "openai/fake-2")]).await;
    ann.sees(&chat, "data-state=\"interrupted\"").await;
    ann.posts(
        &format!("{chat}/settings"),
        &[("system", "Be brief."), ("model", "openai/fake-1"), ("temperature", "1.5")],
    )
    .await;
    for (answer, rating, note) in [(first.clone(), "like", "Kind"), (ann.last_answer(&chat).await, "dislike", "")] {
        ann.posts(&format!("/messages/{answer}/rating"), &[("rating", rating), ("note", note)]).await;
    }
    ann.posts(&format!("/messages/{first}/edits"), &[("content", "Hello **Anne**")]).await;
    test.execute("update generations set completion_tokens = 7, first_token_at = ended_at, answer_at = ended_at + interval '2.5 seconds' where state = 'completed'").await;
    let cat = ann.adds("cat.png", &png(5, 4)).await;
    ann.says_with(&chat, "Who is it?", &[&cat]).await;
    eventually("it was asked", || async { test.provider.asked().len() == 3 }).await;
    ann.sees(&chat, "unscripted").await;
    let file = ann.opens(&format!("{chat}/export?format=json")).await.html;
    assert!(file.contains(r#""images":[{"name":"cat.png","data":"iVBOR"#), "{file}");
    assert!(file.contains(r#""tokens":7,"thought":2.5"#) && file.contains("Hello **Anne**"), "{file}");
    assert!(file.contains(r#""rating":{"liked":true,"note":"Kind"}"#) && file.contains(r#""rating":{"liked":false}"#));

    let bob = test.person("bob").await;
    // what cannot be read is left out and told
    let page = gives(&bob, &format!("[{file},{{\"broken\":true}},{file}]")).await;
    assert_eq!(
        (page.status, page.location.as_deref()),
        (StatusCode::SEE_OTHER, Some("/settings/import")),
        "{}",
        page.html
    );
    let page = bob.sees("/settings/import", "2 chats are here.").await;
    assert!(page.html.contains("1 chat could not be read."), "{}", page.html);
    assert!(page.html.contains("my &#60;chats&#62;.json"), "{}", page.html);
    let path = crate::support::people::between(&page.html, "class=\"settings__link\" href=\"", "\"").unwrap();
    let again = bob.opens(&format!("{path}/export?format=json")).await.html;
    assert_eq!(bare(&again), bare(&file));
    let shown = bob.opens(&path).await.html;
    let own = crate::support::people::between(&shown, "<img src=\"", "\"").unwrap();
    assert_eq!(bob.opens(&own).await.status, StatusCode::OK, "the image is his own");
    assert!(shown.contains("Hello <strong>Anne</strong>") && shown.contains("Who am I?"), "{shown}");
    assert!(test.value::<bool>("select count(*) = 3 from generations where state = 'interrupted'").await);
    assert!(test.value::<bool>("select count(*) = 3 and bool_and(leaf_id is not null) from chats").await);
    assert!(test.value::<bool>("select body is null and done = 2 from imports").await);
    test.check_tree().await;
    // and it goes on from there
    test.provider.streams(["Three"]);
    assert_eq!(bob.says(&path, "Go on").await.status, StatusCode::SEE_OTHER);
    bob.sees(&path, "Three").await;
    test.check_tree().await;
}

#[tokio::test]
async fn a_job_that_comes_twice_makes_nothing_twice_and_broken_files_are_told() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    let chat = ann.asks("hi").await;
    ann.sees(&chat, "data-state=\"completed\"").await;
    let file = ann.opens(&format!("{chat}/export?format=json")).await.html;
    gives(&ann, &file).await;
    ann.sees("/settings/import", "1 chat is here.").await;
    let id: String = test.value("select id::text from imports").await;
    // as if a worker had been lost between two chats
    sqlx::query("update imports set body = $1, total = 2, ended_at = null")
        .bind(format!("[{file},{file}]"))
        .execute(&test.app.pools.http)
        .await
        .unwrap();
    for _ in 0..3 {
        parlor::domain::import::take_up(&test.app, id.parse().unwrap());
    }
    eventually("the rest is made", || async { test.value::<bool>("select ended_at is not null from imports").await })
        .await;
    assert_eq!(test.value::<i64>("select count(*) from chats").await, 3);
    for (broken, words) in [
        ("", "Choose a file first"),
        ("hello", "This is no JSON"),
        (&file[..file.len() / 2], "ends too early"),
        ("{}", "not a chat"),
    ] {
        let page = if broken.is_empty() { ann.posts("/settings/import", &[]).await } else { gives(&ann, broken).await };
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{broken}");
        assert!(page.html.contains(words) || page.html.contains("did not come whole"), "{words}: {}", page.html);
    }
    let page = gives(&ann, &"x".repeat(129 * 1024 * 1024)).await;
    assert_eq!(page.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(page.html.contains("at most 128 MB"), "{}", page.html);
    assert_eq!(test.value::<i64>("select count(*) from imports").await, 1);
}

#[tokio::test]
async fn chats_of_other_houses_go_on_here() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    let say = |id: &str, parent: &str, child: &str, role: &str, words: &str| {
        serde_json::json!({ "id": id, "parent": parent, "children": [child], "message": {
            "author": { "role": role }, "create_time": 1_700_000_000.5,
            "content": { "content_type": "text", "parts": [words] }, "metadata": { "model_slug": "gpt-9" } } })
    };
    let file = serde_json::json!([{ "title": "Herons", "create_time": 1_700_000_000.0, "current_node": "a", "mapping": {
        "top": { "id": "top", "parent": null, "children": ["q"], "message": null },
        "q": say("q", "top", "a", "user", "What do herons eat?"),
        "a": say("a", "q", "", "assistant", "**Fish**, mostly.") } }]);
    assert_eq!(gives(&ann, &file.to_string()).await.status, StatusCode::SEE_OTHER);
    let page = ann.sees("/settings/import", "1 chat is here.").await;
    let path = crate::support::people::between(&page.html, "class=\"settings__link\" href=\"", "\"").unwrap();
    let page = ann.opens(&path).await;
    assert!(page.html.contains("<strong>Fish</strong>") && page.html.contains("gpt-9"), "{}", page.html);
    test.provider.streams(["Frogs."]);
    ann.says(&path, "And else?").await;
    ann.sees(&path, "Frogs.").await;
    let asked = test.provider.asked().pop().unwrap();
    assert_eq!(asked.body["messages"][1]["content"], "**Fish**, mostly.");
    test.check_tree().await;
}

/// S6: nothing is brought along for an account that is disabled; when it is not any more, the rest is.
#[tokio::test]
async fn s6_a_disabled_account_brings_nothing_along() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    let chat = ann.asks("hi").await;
    ann.sees(&chat, "data-state=\"completed\"").await;
    let file = ann.opens(&format!("{chat}/export?format=json")).await.html;
    let sql = "insert into imports (user_id, name, body, total, created_at)
               select id, 'file', $1, 1, now() - interval '1 hour' from users";
    test.execute("update users set disabled_at = now()").await;
    sqlx::query(sql).bind(&file).execute(&test.app.pools.http).await.unwrap();
    let waits = "select count(*) from apalis.jobs where job ? 'import_id' and status not in ('Done', 'Killed')";
    parlor::domain::import::care(&test.app).await.unwrap();
    eventually("the job has looked", || async { test.value::<i64>(waits).await == 0 }).await;
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    assert_eq!(test.value::<i64>("select count(*) from chats").await, 1);
    assert_eq!(test.value::<i64>("select count(*) from imports where ended_at is null").await, 1);
    test.execute("update users set disabled_at = null").await;
    parlor::domain::import::care(&test.app).await.unwrap();
    eventually("it is there", || async { test.value::<i64>("select count(*) from chats").await == 2 }).await;
}
