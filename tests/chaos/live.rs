//! A reader without JavaScript: whenever its chat is answering it holds `?live` open, reads to the end or to the break,
//! and records what it was shown and told.

use super::{
    browser::Browser,
    page::Page,
    readers::View,
    record::{Record, lock},
    script::letters,
};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    task::JoinHandle,
    time::{sleep, timeout},
};

/// White space comes at least every 10 s.
const SILENCE: Duration = Duration::from_secs(20);
const COMPLETE: &str = "The answer is complete.";

/// Ends when it is dropped.
pub struct LiveReader(JoinHandle<()>);

impl Drop for LiveReader {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl LiveReader {
    /// `view`: of the same person, to know when it is worth asking.
    pub fn open(
        name: String,
        browser: Arc<Browser>,
        record: Arc<Record>,
        chat: String,
        view: Arc<Mutex<View>>,
    ) -> Self {
        Self(tokio::spawn(async move {
            let mut web = 0;
            loop {
                sleep(Duration::from_millis(80)).await;
                let Some((leaf, state)) = lock(&view).leaf() else { continue };
                if state == "queued" || state == "streaming" {
                    holds(&name, &browser, &record, &chat, &leaf, web).await;
                    web = 1 - web;
                }
            }
        }))
    }
}

async fn holds(name: &str, browser: &Browser, record: &Record, chat: &str, leaf: &str, web: usize) {
    let Ok(mut response) = browser.open(web, &format!("/chats/{chat}?live")).await else { return };
    if response.status() != 200 {
        if response.status() != 503 {
            record.violation("N11", &format!("{name}: `?live` of {chat} was answered with {}", response.status()));
        }
        return;
    }
    let mut html: Vec<u8> = Vec::new();
    while let Ok(Ok(Some(bytes))) = timeout(SILENCE, response.chunk()).await {
        html.extend_from_slice(&bytes);
    }
    record.count("reader without JavaScript: pages");
    let html = String::from_utf8_lossy(&html);
    // half a tag or half a letter at the break is nobody's text
    let page = Page::parse(&html[..html.rfind('>').map_or(0, |at| at + 1)]);
    for id in page.ids() {
        let Some(message) = id.strip_prefix("t-") else { continue };
        let shown = letters(&page.words(&id).unwrap_or_default());
        record.saw(name, message, &shown);
        let told = page.sentence(&id, "live-end").unwrap_or_default();
        if message == leaf && told.contains(COMPLETE) {
            record.told_complete(message, &shown);
        }
    }
}
