//! What a browser does between a person and the two web processes: cookies, forms, pages. It asks from outside, by HTTP.

use super::record::{Record, lock};
use std::{
    fmt::Write as _,
    sync::{Arc, Mutex},
    time::Duration,
};

/// As long as somebody waits before pressing the button again; longer than the server takes for anything.
const PATIENCE: Duration = Duration::from_secs(15);

/// An answer that came whole.
pub struct Answer {
    pub status: u16,
    pub location: String,
    pub body: String,
}

impl Answer {
    /// Answered, and not by an excuse: what was asked was done or refused.
    pub fn is_final(&self) -> bool {
        self.status != 503 && self.status != 500
    }
}

/// No answer came, or half of one: what was asked may have been done.
#[derive(Debug)]
pub struct Lost;

pub struct Browser {
    http: reqwest::Client,
    webs: [String; 2],
    cookie: Mutex<String>,
    record: Arc<Record>,
}

impl Browser {
    #[expect(clippy::disallowed_methods, reason = "a browser of a test")]
    pub fn new(webs: [String; 2], record: Arc<Record>) -> anyhow::Result<Self> {
        let builder = reqwest::Client::builder().no_proxy().no_gzip().redirect(reqwest::redirect::Policy::none());
        let http = builder.connect_timeout(Duration::from_secs(5)).tcp_nodelay(true).build()?;
        Ok(Self { http, webs, cookie: Mutex::default(), record })
    }

    fn request(&self, method: reqwest::Method, web: usize, path: &str) -> reqwest::RequestBuilder {
        let cookie = lock(&self.cookie).clone();
        let request = self.http.request(method, format!("{}{path}", self.webs[web])).header("cookie", cookie);
        request.header("sec-fetch-site", "same-origin")
    }

    pub async fn get(&self, web: usize, path: &str) -> Result<Answer, Lost> {
        self.ask(path, self.request(reqwest::Method::GET, web, path)).await
    }

    pub async fn post(&self, web: usize, path: &str, form: &[(&str, &str)]) -> Result<Answer, Lost> {
        let request = self.request(reqwest::Method::POST, web, path).body(encode(form));
        self.ask(path, request.header("content-type", "application/x-www-form-urlencoded")).await
    }

    async fn ask(&self, path: &str, request: reqwest::RequestBuilder) -> Result<Answer, Lost> {
        let response = request.timeout(PATIENCE).send().await.map_err(|_| Lost)?;
        let status = response.status().as_u16();
        let header = |name: &str| response.headers().get(name).and_then(|v| v.to_str().ok()).unwrap_or_default();
        let (location, cookie) = (header("location").to_owned(), header("set-cookie").to_owned());
        let body = response.text().await.map_err(|_| Lost)?;
        if let Some(cookie) = cookie.split(';').next().filter(|c| c.contains('=')) {
            cookie.clone_into(&mut lock(&self.cookie));
        }
        if status == 500 {
            self.record.violation("N11", &format!("{path} was answered with 500: {}", excerpt(&body)));
        }
        if location.starts_with("/login") && !path.starts_with("/log") {
            self.record.violation("N1", &format!("{path}: the session is gone"));
        }
        Ok(Answer { status, location, body })
    }

    /// Opens a page that is read as it comes.
    pub async fn open(&self, web: usize, path: &str) -> Result<reqwest::Response, Lost> {
        let sent = self.request(reqwest::Method::GET, web, path).send();
        tokio::time::timeout(PATIENCE, sent).await.map_err(|_| Lost)?.map_err(|_| Lost)
    }

    /// Posts a form as the page's script does, which answers with fragments.
    pub async fn post_enhanced(&self, web: usize, path: &str, form: &[(&str, &str)]) -> Result<Answer, Lost> {
        let request = self.request(reqwest::Method::POST, web, path).body(encode(form)).header("hx-request", "true");
        self.ask(path, request.header("content-type", "application/x-www-form-urlencoded")).await
    }

    /// Opens a feed; the answer is read by whoever asked. `list`: what the page has of its list.
    pub async fn follow(
        &self,
        web: usize,
        chat: &str,
        after: i64,
        last: Option<i64>,
        list: &str,
    ) -> Result<reqwest::Response, Lost> {
        let mut request = self.request(reqwest::Method::GET, web, &format!("/chats/{chat}/feed?after={after}"));
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let sent = request.header("accept", "text/event-stream").header("parlor-list", list).send();
        tokio::time::timeout(PATIENCE, sent).await.map_err(|_| Lost)?.map_err(|_| Lost)
    }
}

/// The first words of a page, without its tags.
pub fn excerpt(html: &str) -> String {
    let body = html.split_once("<main").map_or(html, |(_, main)| main);
    let words = super::page::Page::parse(&format!("<i id=\"x\">{body}</i>")).words("x").unwrap_or_default();
    words.split_whitespace().take(40).collect::<Vec<_>>().join(" ")
}

fn encode(form: &[(&str, &str)]) -> String {
    let mut out = String::new();
    for (name, value) in form {
        let _ = write!(out, "{}{name}=", if out.is_empty() { "" } else { "&" });
        for byte in value.bytes() {
            let _ =
                if byte.is_ascii_alphanumeric() { write!(out, "{}", byte as char) } else { write!(out, "%{byte:02X}") };
        }
    }
    out
}
