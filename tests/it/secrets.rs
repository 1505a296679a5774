//! Secrets stay where they belong: a key goes to its own host, and the log knows neither passwords nor messages.

use crate::support::{
    TestApp,
    people::{Person, between},
    process::{House, Process},
};
use reqwest::StatusCode;
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

/// Answers every request with these bytes, and counts them.
async fn answers(answer: String) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (url, asked) = (format!("http://{}", listener.local_addr().unwrap()), Arc::new(AtomicUsize::new(0)));
    let count = asked.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            count.fetch_add(1, Relaxed);
            let mut buffer = [0; 8192];
            let _ = stream.read(&mut buffer).await;
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    (url, asked)
}

/// S7: a provider that sends us elsewhere does not send its key there.
#[tokio::test]
async fn s7_a_key_goes_to_no_other_host() {
    let (elsewhere, asked_elsewhere) = answers("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".to_owned()).await;
    let moved = format!(
        "HTTP/1.1 307 Temporary Redirect\r\nlocation: {elsewhere}/v1/chat/completions\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
    );
    let (provider, asked) = answers(moved).await;
    let url = format!("{provider}/v1");
    let test =
        TestApp::with(&[("OPENAI_BASE_URL", &url), ("OPENAI_MODELS", "fake-1"), ("PARLOR__GENERATION__RETRY", "")])
            .await;
    let ann = test.person("ann").await;
    let chat = ann.asks("hi").await;
    ann.sees(&chat, "data-state=\"failed\"").await;
    assert!(asked.load(Relaxed) >= 1);
    assert_eq!(asked_elsewhere.load(Relaxed), 0, "the redirect was followed");
}

/// S19: what a person supplied leaves as an attachment, and is not sniffed into something that runs.
#[tokio::test]
async fn s19_what_people_supplied_is_an_attachment() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    test.provider.streams(["<script>alert(1)</script>"]);
    let chat = ann.asks("<script>alert(2)</script>").await;
    ann.sees(&chat, "data-state=\"completed\"").await;
    for form in ["markdown", "json"] {
        let path = format!("{chat}/export?format={form}");
        let response = ann.request(reqwest::Method::GET, &path).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
        assert!(header("content-disposition").starts_with("attachment;"), "{path}");
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert!(!header("content-type").contains("html") && !header("content-type").contains("script"), "{path}");
    }
}

/// S23: however much is logged, no secret and no word of a conversation is.
#[tokio::test]
async fn s23_nothing_secret_is_logged() {
    let house = House::make().await;
    house.provider.streams(["the answer is plumtree"]);
    let mut command = house.command(&["serve"]);
    command.env("RUST_LOG", "trace").env("OPENAI_API_KEY", "sk-quincekey");
    command.env("ADMIN_EMAIL", "root@example.org").env("ADMIN_PASSWORD", "the password medlar");
    let process = Process::spawn(command);
    let ann = Person::new(&process.address().await);
    let fields = [("email", "ann@example.org"), ("name", "Ann"), ("password", "the password damson")];
    let cookie = ann.posts("/register", &fields).await.cookie.expect("a cookie");
    let session = between(&cookie, "=", ";").unwrap();
    let chat = ann.asks("a question about mirabelle").await;
    ann.sees(&chat, "plumtree").await;
    ann.opens("/search?q=greengage").await;
    let wrong = [("email", "ann@example.org"), ("password", "the password sloe")];
    assert_eq!(Person::new(&ann.address).posts("/login", &wrong).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    let right = [("email", "ann@example.org"), ("password", "the password damson")];
    let again = Person::new(&ann.address);
    assert_eq!(again.posts("/login", &right).await.status, StatusCode::SEE_OTHER);
    again.posts("/logout", &[]).await;
    // the last request's own line comes after its answer
    process.says("/logout").await;
    let log = process.log();
    assert!(log.contains("\"TRACE\""), "there is a log:\n{log}");
    let secret = crate::support::process::SECRET;
    for word in [
        "damson",
        "sloe",
        "medlar",
        "mirabelle",
        "plumtree",
        "greengage",
        "quincekey",
        "$argon2",
        secret,
        session.as_str(),
    ] {
        let line = log.lines().find(|line| line.contains(word));
        assert!(line.is_none(), "`{word}` is in the log: {}", line.unwrap());
    }
}
