//! Readers: each has a chat's page open and follows its feed, as the page's script does. They keep what is shown, come
//! back by their position through the other web process when the feed breaks, and record what they saw.

use super::{
    browser::{Browser, Lost, excerpt},
    page::Page,
    record::{Record, lock},
    script::letters,
};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    task::JoinHandle,
    time::{Instant, sleep, timeout},
};

/// The feed says something at least every 15 s.
const SILENCE: Duration = Duration::from_secs(25);

/// What a reader has on the screen.
#[derive(Default)]
pub struct View {
    pub page: Page,
    /// The number of the newest event that is in it.
    pub position: i64,
    pub connected: bool,
    /// The longest time without a feed.
    pub longest_gap: Duration,
}

impl View {
    /// The end of the shown path, and its state.
    pub fn leaf(&self) -> Option<(String, String)> {
        let leaf = self.page.ids().into_iter().find_map(|id| id.strip_prefix("send-").map(str::to_owned))?;
        let state = self.page.attribute(&format!("f-{leaf}"), "data-state")?;
        Some((leaf, state))
    }
}

/// The parts of a chat's page that the feed changes.
pub fn shown(html: &str) -> Page {
    Page::only(html, |id| id == "thread" || id == "stopping" || id.starts_with("send-"))
}

/// The position that a page was made at.
pub fn position(html: &str) -> Option<i64> {
    html.split_once("/feed?after=")?.1.split_once('"')?.0.parse().ok()
}

/// What list a page, or news of it, says that it has.
fn list_stamp(html: &str) -> Option<&str> {
    html.split_once("id=\"list-stamp\" value=\"")?.1.split('"').next()
}

/// A reader that ends when this is dropped.
pub struct Reader {
    pub name: String,
    pub view: Arc<Mutex<View>>,
    task: JoinHandle<()>,
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Reader {
    pub fn open(name: String, browser: Arc<Browser>, record: Arc<Record>, chat: &str, web: usize) -> Self {
        let view = Arc::new(Mutex::new(View::default()));
        let (chat, list) = (chat.to_owned(), Mutex::default());
        let mut tab = Tab { name: name.clone(), browser, record, chat, web, view: view.clone(), list };
        let task = tokio::spawn(async move { tab.reads().await });
        Self { name, view, task }
    }
}

struct Tab {
    name: String,
    browser: Arc<Browser>,
    record: Arc<Record>,
    chat: String,
    web: usize,
    view: Arc<Mutex<View>>,
    /// What the page has of its list.
    list: Mutex<String>,
}

/// Why a feed ended.
enum Over {
    /// The wire or the process: come back.
    Broken,
    /// The thread has to be loaded anew.
    Reset,
}

impl Tab {
    async fn reads(&mut self) {
        let mut without = Instant::now();
        loop {
            let after = self.loads().await;
            let mut last = None;
            loop {
                let over = self.follows(after, &mut last, without).await;
                {
                    let mut view = lock(&self.view);
                    if view.connected {
                        without = Instant::now();
                    }
                    view.connected = false;
                }
                self.web = 1 - self.web;
                match over {
                    Over::Reset => {
                        self.record.count("reader: reset");
                        break;
                    }
                    Over::Broken => self.record.count("reader: came back"),
                }
                sleep(Duration::from_millis(100 + u64::from(rand::random::<u8>()))).await;
            }
        }
    }

    /// Loads the page, however often that takes; returns its position.
    async fn loads(&mut self) -> i64 {
        loop {
            match self.browser.get(self.web, &format!("/chats/{}", self.chat)).await {
                Ok(answer) if answer.status == 200 => {
                    if let Some(position) = position(&answer.body) {
                        list_stamp(&answer.body).unwrap_or_default().clone_into(&mut lock(&self.list));
                        let page = shown(&answer.body);
                        let messages = page.ids().into_iter().filter_map(|id| id.strip_prefix("t-").map(str::to_owned));
                        self.saw(&page, messages);
                        let mut view = lock(&self.view);
                        (view.page, view.position) = (page, position);
                        return position;
                    }
                    self.record.violation("feed", &format!("{}: a page without a feed", self.name));
                }
                Ok(answer) if answer.is_final() => {
                    let what = format!("{}: the page was answered with {}", self.name, answer.status);
                    self.record.violation("N11", &format!("{what}: {}", excerpt(&answer.body)));
                }
                Ok(_) => self.record.count("reader: 503 for a page"),
                Err(Lost) => {}
            }
            self.web = 1 - self.web;
            sleep(Duration::from_millis(300)).await;
        }
    }

    fn saw(&self, page: &Page, messages: impl IntoIterator<Item = String>) {
        for message in messages {
            if let Some(words) = page.words(&format!("t-{message}")) {
                self.record.saw(&self.name, &message, &letters(&words));
            }
        }
    }

    async fn follows(&mut self, after: i64, last: &mut Option<i64>, without: Instant) -> Over {
        let list = lock(&self.list).clone();
        let Ok(mut response) = self.browser.follow(self.web, &self.chat, after, *last, &list).await else {
            return Over::Broken;
        };
        match response.status().as_u16() {
            200 => {}
            503 => {
                self.record.count("reader: 503 for a feed");
                return Over::Broken;
            }
            other => {
                self.record.violation("feed", &format!("{}: the feed was answered with {other}", self.name));
                return Over::Broken;
            }
        }
        let mut buffer: Vec<u8> = Vec::new();
        loop {
            match timeout(SILENCE, response.chunk()).await {
                Ok(Ok(Some(bytes))) => buffer.extend_from_slice(&bytes),
                Ok(_) => return Over::Broken,
                Err(_) => {
                    self.record.count("reader: silence");
                    return Over::Broken;
                }
            }
            while let Some(end) = buffer.windows(2).position(|w| w == b"\n\n") {
                let event: Vec<u8> = buffer.drain(..end + 2).collect();
                if !self.takes(&String::from_utf8_lossy(&event), after, last, without) {
                    return Over::Reset;
                }
            }
        }
    }

    /// One event. Says whether the page can go on.
    fn takes(&self, event: &str, after: i64, last: &mut Option<i64>, without: Instant) -> bool {
        let (mut id, mut name, mut data) = (None, "", String::new());
        for line in event.lines() {
            match line.split_once(": ").unwrap_or((line, "")) {
                ("id", value) => id = value.parse::<i64>().ok(),
                ("event", value) => name = value,
                ("data", value) => {
                    if !data.is_empty() {
                        data.push('\n');
                    }
                    data.push_str(value);
                }
                ("" | "retry" | "data:", _) => {}
                (other, _) => self.record.violation("feed", &format!("{}: a field {other}", self.name)),
            }
        }
        if name == "reset" {
            return false;
        }
        if name == "list" {
            // its owner's list, which has no number; what is in it is looked at by the stories
            if let Some(id) = id {
                self.record.violation("feed", &format!("{}: the list has a number, {id}", self.name));
            }
            if let Some(stamp) = list_stamp(&data) {
                stamp.clone_into(&mut lock(&self.list));
            }
            return true;
        }
        if !name.is_empty() {
            self.record.violation("feed", &format!("{}: the event {name}: {data}", self.name));
        }
        let Some(id) = id else { return true };
        if id < last.unwrap_or(after) {
            let what = format!("{}: number {id} after {}", self.name, last.unwrap_or(after));
            self.record.violation("N4", &what);
        }
        *last = Some(id);
        let mut view = lock(&self.view);
        if !view.connected {
            view.connected = true;
            view.longest_gap = view.longest_gap.max(without.elapsed());
        }
        let applied = view.page.apply(&data);
        view.position = id;
        for missed in applied.missed {
            self.record.violation("feed", &format!("{} (chat {}): {missed} aims at nothing", self.name, self.chat));
        }
        let ids = view.page.ids();
        let touched = ids.iter().filter_map(|id| id.strip_prefix("t-")).filter(|id| data.contains(id));
        self.saw(&view.page, touched.map(str::to_owned).collect::<Vec<_>>());
        true
    }
}
