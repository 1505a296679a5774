//! A Parlor, asked as programs ask it: for the commands of the terminal. What must not live here: what is printed.

use super::llm::sse::Decoder;
use anyhow::{Context as _, anyhow, bail};
use reqwest::{Client, Method, RequestBuilder, Response, Url};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::time::Duration;

/// It says something every 15 s, also when nothing happens.
const SILENT: Duration = Duration::from_mins(1);

/// One that can be asked.
#[derive(Clone)]
pub struct Parlor {
    http: Client,
    url: String,
    key: String,
}

/// What comes of an answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Word {
    Token(String),
    Reasoning(String),
    /// It waits for its turn, or to be tried again.
    Waits,
    /// The sentence is for people.
    Fault(String),
    Done,
}

impl Parlor {
    /// # Errors
    /// An address that is none.
    #[expect(clippy::disallowed_methods, reason = "no provider is asked")]
    pub fn at(url: &str, key: &str) -> anyhow::Result<Self> {
        let address = Url::parse(url).ok().filter(|url| ["http", "https"].contains(&url.scheme()));
        address.with_context(|| format!("`{url}` is no address: write it like https://chat.example.org"))?;
        let http = Client::builder().connect_timeout(Duration::from_secs(10)).read_timeout(SILENT).build()?;
        Ok(Self { http, url: url.trim_end_matches('/').to_owned(), key: key.to_owned() })
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.url)).bearer_auth(&self.key)
    }

    async fn send(&self, request: RequestBuilder) -> anyhow::Result<Response> {
        let response = request.send().await.map_err(|_| anyhow!("{} cannot be reached", self.url))?;
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status();
        let problem: Value = response.json().await.unwrap_or_default();
        let field = problem["errors"][0]["detail"].as_str();
        match field.or(problem["detail"].as_str()) {
            Some(sentence) => bail!("{sentence}"),
            None => bail!("{} answers with {status}: is it a Parlor?", self.url),
        }
    }

    /// # Errors
    /// What the Parlor says is wrong, or that it cannot be reached.
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<T> {
        let response = self.send(self.request(Method::GET, path)).await?;
        response.json().await.with_context(|| format!("{} sent something else than was asked for", self.url))
    }

    /// A body as it is.
    ///
    /// # Errors
    /// As [`Parlor::get`].
    pub async fn text(&self, path: &str) -> anyhow::Result<String> {
        Ok(self.send(self.request(Method::GET, path)).await?.text().await?)
    }

    /// # Errors
    /// As [`Parlor::get`].
    pub async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        let response = self.send(self.request(Method::POST, path).json(body)).await?;
        Ok(response.json().await.unwrap_or_default())
    }

    /// A JSON file as the body.
    ///
    /// # Errors
    /// As [`Parlor::get`].
    pub async fn post_file(&self, path: &str, file: Vec<u8>) -> anyhow::Result<()> {
        let request = self.request(Method::POST, path).header("content-type", "application/json").body(file);
        self.send(request).await?;
        Ok(())
    }

    /// Says something, and hears the answer to its end; when the connection breaks it goes on where it was.
    ///
    /// # Errors
    /// As [`Parlor::get`].
    pub async fn say(&self, path: &str, body: &Value, mut hear: impl FnMut(Word)) -> anyhow::Result<()> {
        let key = uuid::Uuid::new_v4().to_string();
        let mut last: Option<String> = None;
        let mut tries = 0;
        loop {
            let request = self.request(Method::POST, path).json(body).header("accept", "text/event-stream");
            let request = request.header("idempotency-key", &key);
            let request = if let Some(last) = &last { request.header("last-event-id", last) } else { request };
            let came = match self.send(request).await {
                Ok(response) => read(response, &mut last, &mut hear).await,
                // it may be starting again
                Err(_) if last.is_some() => Heard::Nothing,
                Err(error) => return Err(error),
            };
            match came {
                Heard::All => return Ok(()),
                Heard::Some => tries = 0,
                Heard::Nothing => tries += 1,
            }
            if tries > 20 {
                bail!("the connection broke, and the answer could not be heard to its end: it is in {}", self.url);
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }
}

enum Heard {
    All,
    Some,
    Nothing,
}

async fn read(mut response: Response, last: &mut Option<String>, hear: &mut impl FnMut(Word)) -> Heard {
    let mut decoder = Decoder::default();
    let mut heard = Heard::Nothing;
    let mut lines = Vec::new();
    while let Ok(Some(bytes)) = response.chunk().await {
        // the decoder of answers passes over numbers, which are what comes back is asked by
        lines.extend_from_slice(&bytes);
        while let Some(end) = lines.windows(2).position(|pair| pair == b"\n\n") {
            let event: Vec<u8> = lines.drain(..end + 2).collect();
            let mut words = Vec::new();
            let _ = decoder.push(&event, |event| words.extend(word(event.data)));
            for word in words {
                let done = word == Word::Done;
                hear(word);
                heard = Heard::Some;
                if done {
                    return Heard::All;
                }
            }
            let text = String::from_utf8_lossy(&event);
            if let Some(id) = text.lines().find_map(|line| line.strip_prefix("id: ")) {
                *last = Some(id.to_owned());
            }
        }
    }
    heard
}

fn word(data: &str) -> Option<Word> {
    let event: Value = serde_json::from_str(data).ok()?;
    let text = |name: &str| event["data"][name].as_str().unwrap_or_default().to_owned();
    match event["type"].as_str()? {
        "token" => Some(Word::Token(text("content"))),
        "reasoning" => Some(Word::Reasoning(text("content"))),
        "state" if event["data"]["state"] == "waiting" => Some(Word::Waits),
        "error" => Some(Word::Fault(text("message"))),
        "done" => Some(Word::Done),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words() {
        for (data, expected) in [
            (r#"{"type":"token","data":{"content":"Hi"}}"#, Some(Word::Token("Hi".into()))),
            (r#"{"type":"error","data":{"message":"No."}}"#, Some(Word::Fault("No.".into()))),
            (r#"{"type":"state","data":{"state":"waiting"}}"#, Some(Word::Waits)),
            (r#"{"type":"state","data":{"state":"streaming"}}"#, None),
            (r#"{"type":"done","data":{"messageId":"x"}}"#, Some(Word::Done)),
            (r#"{"type":"of a newer version"}"#, None),
            ("x", None),
        ] {
            assert_eq!(word(data), expected, "{data}");
        }
    }

    #[test]
    fn addresses() {
        // as main does, first of all
        let _ = rustls::crypto::ring::default_provider().install_default();
        assert!(
            Parlor::at("https://chat.example.org/", "k").is_ok_and(|parlor| parlor.url == "https://chat.example.org")
        );
        assert!(Parlor::at("chat.example.org", "k").is_err() && Parlor::at("ftp://x", "k").is_err());
    }
}
