//! A browser, as far as the load needs one: signs up, posts forms, reads pages, follows feeds. Nothing is parsed while
//! the load runs; a feed is only searched for a few bytes.

use anyhow::{Context, bail, ensure};
use axum::body::Bytes;
use futures::{Stream, StreamExt};
use reqwest::{Response, header};
use std::{fmt::Write as _, pin::Pin, time::Duration};
use tokio::time::Instant;

/// An answer is over when this came.
const COMPLETED: &[u8] = br#"data-state="completed""#;
/// Longer silence is an error.
const PATIENCE: Duration = Duration::from_mins(1);

/// A client that asks this machine, follows no redirect and unpacks nothing.
#[expect(clippy::disallowed_methods, reason = "the load is no part of the product")]
pub fn http() -> anyhow::Result<reqwest::Client> {
    let builder = reqwest::Client::builder().no_proxy().no_gzip().redirect(reqwest::redirect::Policy::none());
    Ok(builder.tcp_nodelay(true).build()?)
}

/// Somebody with a session.
#[derive(Clone)]
pub struct Visitor {
    pub http: reqwest::Client,
    pub base: String,
    pub cookie: String,
}

impl Visitor {
    /// Signs up.
    pub async fn register(base: &str, name: &str) -> anyhow::Result<Self> {
        let mut visitor = Self { http: http()?, base: base.to_owned(), cookie: String::new() };
        let email = format!("{name}@example.org");
        let form = [("email", email.as_str()), ("name", name), ("password", "correct horse battery staple")];
        let answer = visitor.post("/register", &form, false).await?;
        ensure!(answer.status().is_redirection(), "nobody could register: {}", answer.status());
        let cookie = answer.headers().get(header::SET_COOKIE).and_then(|c| c.to_str().ok()).context("no cookie")?;
        cookie.split(';').next().unwrap_or_default().clone_into(&mut visitor.cookie);
        Ok(visitor)
    }

    /// An API key for calls of models, as its page shows it once.
    pub async fn makes_key(&self) -> anyhow::Result<String> {
        let form = [("name", "load"), ("scope", "models"), ("expires_in_days", "")];
        let page = self.post("/settings/keys", &form, false).await?.text().await?;
        let at = page.find(">parlor_").context("no key is shown")? + 1;
        Ok(page[at..].split('<').next().unwrap_or_default().to_owned())
    }

    async fn post(&self, path: &str, form: &[(&str, &str)], fragment: bool) -> anyhow::Result<Response> {
        let mut request = self.http.post(format!("{}{path}", self.base)).body(encode(form));
        request = request.header("sec-fetch-site", "same-origin").header(header::COOKIE, &self.cookie);
        request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        if fragment {
            request = request.header("hx-request", "true");
        }
        Ok(request.send().await?)
    }

    /// A page, whole.
    pub async fn page(&self, path: &str) -> anyhow::Result<String> {
        let answer = self.http.get(format!("{}{path}", self.base)).header(header::COOKIE, &self.cookie).send().await?;
        ensure!(answer.status().is_success(), "{path}: {}", answer.status());
        Ok(answer.text().await?)
    }

    /// Begins a chat with a question; returns its path.
    pub async fn begin(&self, model: &str, question: &str) -> anyhow::Result<String> {
        let answer = self.post("/chats", &message(model, question, &key()), false).await?;
        let place = answer.headers().get(header::LOCATION).and_then(|l| l.to_str().ok()).map(str::to_owned);
        place.filter(|p| p.starts_with("/chats/")).with_context(|| format!("a chat was not begun: {}", answer.status()))
    }

    /// Asks in a chat, as its open page does.
    pub async fn say(&self, chat: &str, model: &str, question: &str) -> anyhow::Result<()> {
        let answer = self.post(&format!("{chat}/messages"), &message(model, question, &key()), true).await?;
        ensure!(answer.status().is_success(), "a message was not taken: {}", answer.status());
        answer.bytes().await?;
        Ok(())
    }

    /// Opens a chat's page; with it, its feed from where the page ends.
    pub async fn open(&self, chat: &str) -> anyhow::Result<(String, Feed)> {
        let page = self.page(chat).await?;
        let after = page.split_once("/feed?after=").and_then(|(_, rest)| rest.split_once('"')).map(|(n, _)| n);
        let list = list_stamp(&page).unwrap_or_default();
        let feed = Feed::at(self, chat, after.context("the page names no feed")?, list).await?;
        Ok((page, feed))
    }
}

fn message<'a>(model: &'a str, content: &'a str, key: &'a str) -> [(&'a str, &'a str); 3] {
    [("content", content), ("model", model), ("key", key)]
}

/// What the form of a message carries against double sending.
fn key() -> String {
    uuid::Uuid::now_v7().to_string()
}

/// The open feed of a page. Comes back by its last position when it is cut, as a browser does.
pub struct Feed {
    visitor: Visitor,
    url: String,
    last: Option<String>,
    /// What its page has of the list of chats.
    list: String,
    stream: Option<Pin<Box<dyn Stream<Item = reqwest::Result<Bytes>> + Send>>>,
    /// What came and was not searched yet.
    buffer: Vec<u8>,
    /// When the newest bytes came.
    pub at: Instant,
    pub bytes: usize,
    pub events: usize,
    /// How often it came back.
    pub again: usize,
}

impl Feed {
    /// The feed of a chat from a position, for a page that has this list.
    pub async fn at(visitor: &Visitor, chat: &str, after: &str, list: &str) -> anyhow::Result<Self> {
        let mut feed = Self {
            visitor: visitor.clone(),
            url: format!("{}{chat}/feed?after={after}", visitor.base),
            last: None,
            list: list.to_owned(),
            stream: None,
            buffer: Vec::new(),
            at: Instant::now(),
            bytes: 0,
            events: 0,
            again: 0,
        };
        feed.connect().await?;
        Ok(feed)
    }

    async fn connect(&mut self) -> anyhow::Result<()> {
        let mut request = self.visitor.http.get(&self.url).header(header::COOKIE, &self.visitor.cookie);
        if let Some(last) = &self.last {
            request = request.header("last-event-id", last);
        }
        let request = request.header(header::ACCEPT, "text/event-stream").header("parlor-list", &self.list);
        let answer = request.send().await?;
        ensure!(answer.status().is_success(), "a feed was not given: {}", answer.status());
        self.stream = Some(Box::pin(answer.bytes_stream()));
        Ok(())
    }

    /// Reads until these bytes have come; what came up to them is forgotten.
    pub async fn until(&mut self, wanted: &[u8]) -> anyhow::Result<Instant> {
        let mut from = 0;
        loop {
            if let Some(found) = find(&self.buffer[from..], wanted) {
                self.buffer.drain(..from + found + wanted.len());
                return Ok(self.at);
            }
            from = self.buffer.len().saturating_sub(wanted.len() - 1);
            self.more().await?;
        }
    }

    /// Reads until the answer is over, and to the end of the event that says so: it holds the text once more.
    pub async fn over(&mut self) -> anyhow::Result<()> {
        self.until(COMPLETED).await?;
        self.until(b"\n\n").await?;
        Ok(())
    }

    /// Reads what comes next.
    pub async fn more(&mut self) -> anyhow::Result<()> {
        let Some(stream) = &mut self.stream else {
            self.again += 1;
            return self.connect().await;
        };
        match tokio::time::timeout(PATIENCE, stream.next()).await {
            Ok(Some(Ok(bytes))) => {
                self.at = Instant::now();
                self.bytes += bytes.len();
                self.events += bytes.windows(2).filter(|w| w == b"\n\n").count();
                self.note(&bytes)?;
                self.buffer.extend_from_slice(&bytes);
            }
            Ok(Some(Err(_)) | None) => self.stream = None,
            Err(_) => bail!("{}: nothing came for {} s", self.url, PATIENCE.as_secs()),
        }
        Ok(())
    }

    /// Keeps the position; a feed that sends the reader away is not what a load should see.
    fn note(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        if bytes.starts_with(b"id: ") {
            let line = bytes[4..].split(|b| *b == b'\n').next().unwrap_or_default();
            self.last = Some(String::from_utf8_lossy(line).into_owned());
        } else if bytes.starts_with(b"event: list\n") {
            if let Some(list) = list_stamp(&String::from_utf8_lossy(bytes)) {
                list.clone_into(&mut self.list);
            }
        } else if bytes.starts_with(b"event: ") {
            bail!("{}: {}", self.url, String::from_utf8_lossy(bytes).trim().replace('\n', " "));
        }
        Ok(())
    }
}

/// What list a page, or news of it, says that it has.
fn list_stamp(html: &str) -> Option<&str> {
    html.split_once("id=\"list-stamp\" value=\"")?.1.split('"').next()
}

/// Whether a page's answer is over.
pub fn is_over(page: &str) -> bool {
    find(page.as_bytes(), COMPLETED).is_some()
}

/// Where a few bytes are in many.
pub fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    let first = wanted.first()?;
    let mut from = 0;
    while let Some(at) = bytes.get(from..)?.iter().position(|b| b == first) {
        if bytes[from + at..].starts_with(wanted) {
            return Some(from + at);
        }
        from += at + 1;
    }
    None
}

/// The Markdown of the last message of a page, as its copy button has it.
pub fn last_source(page: &str) -> Option<String> {
    let (_, rest) = page.rsplit_once("<template>")?;
    let (source, _) = rest.split_once("</template>")?;
    let mut parts = source.split('&');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, after) = part.split_once(';')?;
        out.push(match name {
            "amp" | "#38" => '&',
            "lt" | "#60" => '<',
            "gt" | "#62" => '>',
            "quot" | "#34" => '"',
            "#39" | "#x27" => '\'',
            _ => return None,
        });
        out.push_str(after);
    }
    Some(out)
}

fn encode(form: &[(&str, &str)]) -> String {
    let mut out = String::new();
    for (name, value) in form {
        write!(out, "{}{name}=", if out.is_empty() { "" } else { "&" }).expect("a String takes everything");
        for byte in value.bytes() {
            if byte.is_ascii_alphanumeric() {
                out.push(byte.into());
            } else {
                write!(out, "%{byte:02X}").expect("a String takes everything");
            }
        }
    }
    out
}
