//! All of one's data in one file: whole, one's own alone, made once more after a loss, and gone after a day.

use crate::support::{
    TestApp, eventually,
    images::png,
    people::{PASSWORD, Person, between},
};
use parlor::domain::export::form::FileForm;
use reqwest::{Method, StatusCode};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    io::{Cursor, Read},
};

/// Downloads the file that the page offers: names and what stands in them.
async fn takes(person: &Person) -> BTreeMap<String, String> {
    let page = person.sees("/settings/data", "The file is ready").await;
    let path = format!("/settings/data/{}", between(&page.html, "href=\"/settings/data/", "\"").unwrap());
    let response = person.request(Method::GET, &path).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(header("content-type"), "application/zip");
    assert_eq!(header("x-content-type-options"), "nosniff");
    assert!(header("content-disposition").starts_with("attachment; filename=\"parlor-2"));
    let size: usize = header("content-length").parse().unwrap();
    let bytes = response.bytes().await.unwrap();
    assert_eq!(bytes.len(), size);
    let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    (0..zip.len())
        .map(|i| {
            let mut file = zip.by_index(i).unwrap();
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).unwrap();
            (file.name().unwrap().to_string(), String::from_utf8_lossy(&bytes).into_owned())
        })
        .collect()
}

async fn path_of(test: &TestApp) -> String {
    format!("/settings/data/{}", test.value::<String>("select id::text from takeouts").await)
}

#[tokio::test]
async fn ann_takes_all_that_is_hers() {
    let test = TestApp::start().await;
    let (ann, bob) = (test.person("ann").await, test.person("bob").await);
    test.provider.streams(["Hello **Ann**"]);
    let chat = ann.asks("Who am I? ../x").await;
    ann.sees(&chat, "data-state=\"completed\"").await;
    let answer = ann.last_answer(&chat).await;
    ann.posts(&format!("/messages/{answer}/rating"), &[("rating", "like"), ("note", "Kind")]).await;
    let folder = ann.posts("/folders", &[("name", "Mine")]).await.location.unwrap().replace("/folders/", "");
    ann.posts(&format!("{chat}/folder"), &[("folder", &folder)]).await;
    ann.posts("/settings/prompts", &[("name", "greet"), ("text", "Say {{word}}")]).await;
    test.provider.streams(["Secret"]);
    let foreign = bob.asks("mine alone").await;
    bob.sees(&foreign, "Secret").await;

    ann.adds("my cat.png", &png(2, 2)).await;
    assert!(ann.opens("/settings/data").await.html.contains("Make the file"));
    assert_eq!(ann.posts("/settings/data", &[]).await.location.as_deref(), Some("/settings/data"));
    let files = takes(&ann).await;
    let names: Vec<_> = files.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "account.json",
            "audit.json",
            "chats/00001 Who am I x.json",
            "chats/00001 Who am I x.md",
            "folders.json",
            "images/00001 my cat.png",
            "prompts.json",
            "ratings.json",
            "sessions.json",
            "settings.json",
            "usage.json"
        ]
    );
    assert!(files["images/00001 my cat.png"].contains("PNG"));
    let json = |name: &str| serde_json::from_str::<Value>(&files[name]).unwrap();
    assert_eq!(json("account.json")["email"], "ann@example.org");
    assert_eq!(json("settings.json")["theme"], "system");
    assert_eq!(json("prompts.json")[0]["text"], "Say {{word}}");
    assert_eq!(json("folders.json")[0]["chats"], serde_json::json!(["Who am I? ../x"]));
    assert_eq!(json("ratings.json")[0]["note"], "Kind");
    assert_eq!(json("sessions.json")[0]["address"], "127.0.0.1");
    assert_eq!(json("audit.json")[1]["action"], "data.asked");
    assert_eq!(
        (&json("usage.json")[0]["model"], &json("usage.json")[0]["requests"]),
        (&"openai/fake-1".into(), &1.into())
    );
    assert!(files["chats/00001 Who am I x.md"].contains("Hello **Ann**"));
    let form: FileForm = serde_json::from_str(&files["chats/00001 Who am I x.json"]).unwrap();
    assert_eq!(form.messages.len(), 2);
    assert_eq!(files["chats/00001 Who am I x.json"], ann.opens(&format!("{chat}/export?format=json")).await.html);
    for (name, text) in &files {
        assert!(!text.contains("argon2") && !text.contains("Secret") && !text.contains(PASSWORD), "{name}");
    }
    // another's does not exist, and after a day one's own neither
    let path = path_of(&test).await;
    assert_eq!(bob.opens(&path).await.status, StatusCode::NOT_FOUND);
    test.execute("update takeouts set ended_at = now() - interval '25 hours'").await;
    assert_eq!(ann.opens(&path).await.status, StatusCode::NOT_FOUND);
    assert!(ann.opens("/settings/data").await.html.contains("Make the file"));
    parlor::domain::takeout::tidy(&test.app).await.unwrap();
    assert_eq!(test.value::<i64>("select count(*) from takeout_parts").await, 0);
}

/// Many parts, and chats that go while it is made; one at a time; the one before goes.
#[tokio::test]
async fn a_large_file_comes_in_parts() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    test.execute(
        "insert into chats (user_id, title) select u.id, 'chat ' || n from users u, generate_series(1, 60) n;
         insert into messages (chat_id, author, text, html)
             select c.id, 'person', (select string_agg(md5(c.id::text || n), '') from generate_series(1, 1500) n), ''
             from chats c;
         update chats c set leaf_id = (select id from messages m where m.chat_id = c.id);
         insert into feed_heads (chat_id) select id from chats",
    )
    .await;
    ann.posts("/settings/data", &[]).await;
    ann.posts("/settings/data", &[]).await;
    assert_eq!(test.value::<i64>("select count(*) from takeouts").await, 1, "one at a time");
    let files = takes(&ann).await;
    assert_eq!(files.len(), 8 + 2 * 60);
    assert!(test.value::<i64>("select count(*) from takeout_parts").await > 3);
    assert!(test.value::<bool>("select max(octet_length(body)) < 1500000 from takeout_parts").await);
    let first: String = test.value("select id::text from takeouts").await;
    ann.posts("/settings/data", &[]).await;
    takes(&ann).await;
    assert_ne!(test.value::<String>("select id::text from takeouts").await, first);
}

/// Whoever made it is gone: after its lease it is begun anew, and a worker that comes back changes nothing.
#[tokio::test]
async fn a_lost_worker_only_costs_time() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    // as left behind by a worker that was killed in its second attempt
    test.execute(
        "insert into takeouts (user_id, total, epoch, size, done, created_at, lease_until)
             select id, 1, 2, 3, 1, now() - interval '1 minute', now() - interval '1 second' from users;
         insert into takeout_parts select id, 0, 'old' from takeouts",
    )
    .await;
    assert!(ann.opens("/settings/data").await.html.contains("is being made"));
    assert!(takes(&ann).await.contains_key("account.json"));
    assert_eq!(test.value::<i32>("select epoch from takeouts").await, 3);
    // one that never comes to its end is given up
    test.execute("update takeouts set ended_at = null, epoch = 5, lease_until = now()").await;
    eventually("it is given up", || async { test.value::<bool>("select failed from takeouts").await }).await;
    assert!(ann.opens("/settings/data").await.html.contains("could not be made"));
    assert_eq!(ann.opens(&path_of(&test).await).await.status, StatusCode::NOT_FOUND);
}
