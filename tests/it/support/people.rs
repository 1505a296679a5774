//! People with browsers: they fill forms, follow redirects, and read what the feed brings.

use super::eventually;
use reqwest::{
    Client, RequestBuilder, Response, StatusCode,
    cookie::{CookieStore as _, Jar},
    redirect::Policy,
};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

pub const PASSWORD: &str = "a sentence to sign in";

#[derive(Clone)]
pub struct Person {
    pub client: Client,
    pub address: String,
    pub jar: Arc<Jar>,
}

/// A page that was opened.
pub struct Page {
    pub status: StatusCode,
    pub html: String,
    pub location: Option<String>,
    pub cookie: Option<String>,
}

impl Page {
    pub async fn of(response: Response) -> Self {
        let header = |name: &str| response.headers().get(name).map(|v| v.to_str().unwrap().to_owned());
        let (location, cookie) = (header("location"), header("set-cookie"));
        let status = response.status();
        Self { status, html: response.text().await.unwrap(), location, cookie }
    }

    /// The value of a form's field.
    pub fn field(&self, name: &str) -> Option<String> {
        let input = between(&self.html, &format!("name=\"{name}\""), ">")?;
        between(&input, "value=\"", "\"")
    }

    /// The feed's position that the page was made at.
    pub fn after(&self) -> i64 {
        between(&self.html, "/feed?after=", "\"").expect("a page with a feed").parse().unwrap()
    }
}

pub fn between(text: &str, before: &str, after: &str) -> Option<String> {
    let start = text.find(before)? + before.len();
    Some(text[start..].split(after).next()?.to_owned())
}

impl Person {
    #[expect(clippy::disallowed_methods, reason = "a browser of a test")]
    pub fn new(address: &str) -> Self {
        super::crypto_provider();
        let jar = Arc::new(Jar::default());
        let client = Client::builder().cookie_provider(jar.clone()).no_gzip().redirect(Policy::none()).build().unwrap();
        Self { client, address: address.to_owned(), jar }
    }

    /// What the browser sends along.
    pub fn cookie(&self) -> String {
        let cookies = self.jar.cookies(&self.address.parse().unwrap());
        cookies.map(|cookies| cookies.to_str().unwrap().to_owned()).unwrap_or_default()
    }

    pub fn request(&self, method: reqwest::Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.address))
    }

    pub async fn opens(&self, path: &str) -> Page {
        Page::of(self.request(reqwest::Method::GET, path).send().await.unwrap()).await
    }

    pub async fn posts(&self, path: &str, fields: &[(&str, &str)]) -> Page {
        let request = self.request(reqwest::Method::POST, path).header("sec-fetch-site", "same-origin");
        Page::of(request.form(fields).send().await.unwrap()).await
    }

    pub async fn registers(&self, name: &str) -> Page {
        let email = format!("{name}@example.org");
        let page = self.posts("/register", &[("email", &email), ("name", name), ("password", PASSWORD)]).await;
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.html);
        page
    }

    pub async fn signs_in(&self, name: &str, password: &str) -> Page {
        let email = format!("{name}@example.org");
        self.posts("/login", &[("email", &email), ("password", password)]).await
    }

    /// Begins a chat by the form of the front page; returns its path.
    pub async fn asks(&self, content: &str) -> String {
        let form = self.opens("/").await;
        let key = form.field("key").expect("the form has a key");
        let page = self.posts("/chats", &[("content", content), ("model", "openai/fake-1"), ("key", &key)]).await;
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.html);
        page.location.unwrap()
    }

    /// Goes on in a chat by its form, without JavaScript.
    pub async fn says(&self, chat: &str, content: &str) -> Page {
        let form = self.opens(chat).await;
        let (key, parent) = (form.field("key").unwrap(), form.field("parent").unwrap());
        let fields = [("content", content), ("model", "openai/fake-1"), ("key", &key), ("parent", &parent)];
        self.posts(&format!("{chat}/messages"), &fields).await
    }

    /// The same with images.
    pub async fn says_with(&self, chat: &str, content: &str, files: &[&str]) -> Page {
        let form = self.opens(chat).await;
        let (key, parent) = (form.field("key").unwrap(), form.field("parent").unwrap());
        let mut fields = vec![("content", content), ("model", "openai/fake-1"), ("key", &key), ("parent", &parent)];
        fields.extend(files.iter().map(|file| ("file", *file)));
        self.posts(&format!("{chat}/messages"), &fields).await
    }

    /// Sends a file for a message, as the composer does.
    pub async fn sends_file(&self, name: &str, bytes: &[u8]) -> Page {
        let head = format!("--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\r\n");
        let body = [head.as_bytes(), bytes, b"\r\n--B--\r\n"].concat();
        let request = self.request(reqwest::Method::POST, "/files").header("sec-fetch-site", "same-origin");
        let request = request.header("hx-request", "true").header("content-type", "multipart/form-data; boundary=B");
        Page::of(request.body(body).send().await.unwrap()).await
    }

    /// The id of a file that was sent.
    pub async fn adds(&self, name: &str, bytes: &[u8]) -> String {
        let page = self.sends_file(name, bytes).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.html);
        page.field("file").expect("what was taken has an id")
    }

    /// Waits until the page of a chat shows these words.
    pub async fn sees(&self, chat: &str, words: &str) -> Page {
        eventually(&format!("{chat} shows `{words}`"), || async { self.opens(chat).await.html.contains(words) }).await;
        self.opens(chat).await
    }

    /// The last answer's id on a chat's page.
    pub async fn last_answer(&self, chat: &str) -> String {
        let page = self.opens(chat).await;
        page.html.rsplit("<article class=\"message\" id=\"m-").next().unwrap()[..36].to_owned()
    }

    /// Opens the feed of a chat, as a tab does.
    pub async fn follows(&self, chat: &str, after: i64) -> Tab {
        let response = self.request(reqwest::Method::GET, &format!("{chat}/feed?after={after}")).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        Tab::read(response)
    }
}

/// A feed being read in the background.
pub struct Tab {
    seen: Arc<Mutex<String>>,
    task: tokio::task::JoinHandle<()>,
}

impl Tab {
    pub fn read(mut response: Response) -> Self {
        let seen = Arc::new(Mutex::new(String::new()));
        let ours = seen.clone();
        let task = tokio::spawn(async move {
            while let Ok(Some(bytes)) = response.chunk().await {
                ours.lock().unwrap().push_str(&String::from_utf8_lossy(&bytes));
            }
        });
        Self { seen, task }
    }

    pub fn text(&self) -> String {
        self.seen.lock().unwrap().clone()
    }

    pub fn is_over(&self) -> bool {
        self.task.is_finished()
    }

    pub async fn sees(&self, words: &str) {
        eventually(&format!("the feed brings `{words}`"), || async { self.text().contains(words) }).await;
    }

    /// The fragments of all messages, one after the other.
    pub fn html(&self) -> String {
        self.text().lines().filter_map(|line| line.strip_prefix("data: ")).collect::<Vec<_>>().join("\n")
    }

    /// The numbers of the messages, which only rise.
    pub fn ids(&self) -> Vec<i64> {
        self.text().lines().filter_map(|l| l.strip_prefix("id: ")?.parse().ok()).collect()
    }

    pub async fn ends(&self) {
        let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
        while !self.is_over() {
            assert!(tokio::time::Instant::now() < deadline, "the feed goes on: {}", self.text());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Drop for Tab {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A new chat of somebody; the status of the answer.
pub async fn begins(person: &Person) -> u16 {
    let key = uuid::Uuid::now_v7().to_string();
    let fields = [("content", "hi"), ("model", "openai/fake-1"), ("key", key.as_str())];
    person.posts("/chats", &fields).await.status.as_u16()
}

/// So many new chats at once, of these people in turn: how many were taken. All others are told to wait.
pub async fn taken_at_once(count: usize, people: &[&Person]) -> usize {
    let sends = (0..count).map(|n| {
        let who = people[n % people.len()].clone();
        tokio::spawn(async move { begins(&who).await })
    });
    let mut taken = 0;
    for send in sends.collect::<Vec<_>>() {
        match send.await.unwrap() {
            303 => taken += 1,
            429 => {}
            other => panic!("{other}"),
        }
    }
    taken
}
