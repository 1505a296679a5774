//! Many answers at once: through Parlor, in chats whose pages are open; and through the pass-through.

use crate::{
    client::{Feed, find, is_over},
    measure,
    shape::{FIRST, Shape},
    world::{Cpu, World},
};
use anyhow::{Context, ensure};
use futures::{StreamExt, future::join_all};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::Instant;

/// What sets chats up: short.
pub const OPENING: Shape = Shape::new(3, 0, 0);

/// A chat whose page is open.
pub struct Talk {
    pub visitor: usize,
    pub chat: String,
    pub feed: Feed,
}

/// How an answer passes through: the yardstick, or the gateway.
pub struct Way {
    pub url: String,
    /// The gateway's.
    pub bearer: Option<String>,
    /// Before the name of the model.
    pub prefix: &'static str,
}

impl Way {
    pub fn bare(world: &World) -> Self {
        Self { url: format!("{}/v1/chat/completions", world.passthrough_url), bearer: None, prefix: "" }
    }

    /// With an API key of the first visitor.
    pub async fn gateway(world: &World) -> anyhow::Result<Self> {
        let key = world.visitors[0].makes_key().await?;
        let url = format!("{}/v1/chat/completions", world.parlor_url);
        Ok(Self { url, bearer: Some(key), prefix: "openai/" })
    }

    pub fn post(&self, http: &reqwest::Client, body: String) -> reqwest::RequestBuilder {
        let request = http.post(&self.url).header("content-type", "application/json").body(body);
        match &self.bearer {
            Some(key) => request.bearer_auth(key),
            None => request,
        }
    }
}

/// What a wave took.
#[derive(Debug, Default, Clone)]
pub struct Taken {
    pub answers: usize,
    pub seconds: f64,
    pub cpu: f64,
    pub postgres: f64,
    /// Milliseconds from asking to the first content, without the provider's own.
    pub first: Vec<f64>,
    /// Milliseconds from the provider's sending of the first chunk to the reader.
    pub way: Vec<f64>,
    /// Of all feeds.
    pub bytes: usize,
    pub events: usize,
    pub again: usize,
    /// Megabytes more than before, at their most.
    pub memory: f64,
    pub commits: i64,
    pub wal: i64,
    pub errors: Vec<String>,
}

impl World {
    /// Chats with a first answer, and their open pages, each of somebody else.
    pub async fn talks(&mut self, count: usize) -> anyhow::Result<Vec<Talk>> {
        self.people(count).await?;
        let mut talks = Vec::with_capacity(count);
        while talks.len() < count {
            let some = (talks.len()..count.min(talks.len() + 8)).map(|n| self.talk(n));
            for talk in join_all(some).await {
                talks.push(talk?);
            }
        }
        Ok(talks)
    }

    /// A chat with a first answer, and its open page.
    pub async fn talk(&self, visitor: usize) -> anyhow::Result<Talk> {
        let who = &self.visitors[visitor];
        let chat = who.begin(&format!("openai/{}", OPENING.name()), &self.question().0).await?;
        let (page, mut feed) = who.open(&chat).await?;
        if !is_over(&page) {
            feed.over().await?;
        }
        Ok(Talk { visitor, chat, feed })
    }

    /// One question in each chat, evenly over `spread`; measured until the last answer is over, checked afterwards.
    pub async fn wave(&self, talks: &mut [Talk], shape: &Shape, spread: Duration) -> anyhow::Result<Taken> {
        let count = talks.len();
        let numbers = self.numbers().await?;
        let (bytes, events, again) = totals(talks);
        let before = self.cpu()?;
        let began = Instant::now();
        let asking = async {
            let each = talks.iter_mut().enumerate().map(|(n, talk)| async move {
                tokio::time::sleep_until(began + share(spread, n, count)).await;
                self.ask(talk, shape).await
            });
            (join_all(each).await, began.elapsed())
        };
        let ((answers, took), memory) = growth(self.parlor_pid(), asking).await?;
        let after = self.cpu()?;
        let mut taken = Taken { answers: count, seconds: took.as_secs_f64(), memory, ..Taken::default() };
        taken.spend(before, after, false);
        let (b, e, a) = totals(talks);
        (taken.bytes, taken.events, taken.again) = (b - bytes, e - events, a - again);
        if count > 1 {
            // what the server's processes counted shows after a second
            tokio::time::sleep(Duration::from_millis(1200)).await;
        }
        let later = self.numbers().await?;
        (taken.commits, taken.wal) = (later.0 - numbers.0, later.1 - numbers.1);
        for (talk, answer) in talks.iter().zip(answers) {
            let result = match answer {
                Ok((tag, waited, at)) => {
                    let sent = self.sent(&tag).await?;
                    taken.first.push(waited * 1e3 - nanos(sent.first - sent.received));
                    taken.way.push(nanos(at.saturating_sub(sent.first)));
                    self.check(talk.visitor, &talk.chat, shape, &tag).await
                }
                Err(error) => Err(error),
            };
            taken.errors.extend(result.err().map(|e| format!("{e:#}")));
        }
        Ok(taken)
    }

    /// Asks, and follows the feed to the end; the tag, the seconds to the first content and the clock then.
    async fn ask(&self, talk: &mut Talk, shape: &Shape) -> anyhow::Result<(String, f64, u128)> {
        let (question, tag) = self.question();
        let who = &self.visitors[talk.visitor];
        let model = format!("{}/{}", self.asks, shape.name());
        let asked = Instant::now();
        let follow = async {
            let first = talk.feed.until(FIRST.as_bytes()).await?;
            let at = crate::provider::now();
            talk.feed.over().await?;
            anyhow::Ok((first, at))
        };
        let both = async { futures::try_join!(who.say(&talk.chat, &model, &question), follow) };
        // a feed that only says that it lives is an error too, some time
        let longest = Duration::from_mins(1) + shape.delay + shape.pace * u32::try_from(shape.chunks)?;
        let ((), (first, at)) = tokio::time::timeout(longest, both)
            .await
            .with_context(|| format!("{} {tag}: not over after {} s", talk.chat, longest.as_secs()))?
            .with_context(|| format!("{} {tag}", talk.chat))?;
        Ok((tag, (first - asked).as_secs_f64(), at))
    }

    /// The same number of answers through the pass-through.
    pub async fn yardstick(&self, count: usize, shape: &Shape, spread: Duration) -> anyhow::Result<Taken> {
        self.streams(&Way::bare(self), count, shape, spread).await
    }

    /// So many answers that stream, evenly over `spread`.
    pub async fn streams(&self, way: &Way, count: usize, shape: &Shape, spread: Duration) -> anyhow::Result<Taken> {
        let before = self.cpu()?;
        let began = Instant::now();
        let each = (0..count).map(|n| async move {
            tokio::time::sleep_until(began + share(spread, n, count)).await;
            self.pass(way, shape).await
        });
        let pid = if way.bearer.is_some() { self.parlor_pid() } else { self.passthrough_pid() };
        let (answers, memory) = growth(pid, join_all(each)).await?;
        let mut taken = Taken { answers: count, seconds: began.elapsed().as_secs_f64(), memory, ..Taken::default() };
        taken.spend(before, self.cpu()?, way.bearer.is_none());
        for answer in answers {
            match answer {
                Ok((tag, waited, at, body)) => {
                    let sent = self.sent(&tag).await?;
                    taken.first.push(waited * 1e3 - nanos(sent.first - sent.received));
                    taken.way.push(nanos(at.saturating_sub(sent.first)));
                    taken.bytes += body.len();
                    let same = contents(&body) == shape.answer(&tag).concat();
                    taken.errors.extend((!same).then(|| format!("{tag}: {} gave another text", way.url)));
                }
                Err(error) => taken.errors.push(format!("{error:#}")),
            }
        }
        Ok(taken)
    }

    async fn pass(&self, way: &Way, shape: &Shape) -> anyhow::Result<(String, f64, u128, Vec<u8>)> {
        let (question, tag) = self.question();
        let ask = json!({
            "model": format!("{}{}", way.prefix, shape.name()), "stream": true, "stream_options": { "include_usage": true }, "max_tokens": 2048,
            "messages": [{ "role": "user", "content": question }],
        });
        let asked = Instant::now();
        let answer = way.post(&self.visitors[0].http, ask.to_string()).send().await?;
        ensure!(answer.status().is_success(), "{}: {}", way.url, answer.status());
        let (mut parts, mut body, mut first) = (answer.bytes_stream(), Vec::new(), None);
        while let Some(part) = parts.next().await {
            body.extend_from_slice(&part?);
            if first.is_none() && find(&body, FIRST.as_bytes()).is_some() {
                first = Some((asked.elapsed().as_secs_f64(), crate::provider::now()));
            }
        }
        let (waited, at) = first.context("no content came")?;
        Ok((tag, waited, at, body))
    }

    /// Commits, and bytes of the write-ahead log.
    async fn numbers(&self) -> anyhow::Result<(i64, i64)> {
        let row = "select (select sum(xact_commit)::bigint from pg_stat_database where datname = 'parlor'),
                          pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint";
        Ok(sqlx::query_as(row).fetch_one(&self.db).await?)
    }
}

/// What a process's memory grows by at most, in megabytes, while something is done.
async fn growth<T>(pid: u32, work: impl Future<Output = T>) -> anyhow::Result<(T, f64)> {
    let before = measure::memory(pid)?.rss;
    let mut most = 0;
    let mut timer = tokio::time::interval(Duration::from_millis(100));
    tokio::pin!(work);
    let done = loop {
        tokio::select! {
            done = &mut work => break done,
            _ = timer.tick() => {
                let statm = std::fs::read_to_string(format!("/proc/{pid}/statm")).unwrap_or_default();
                let pages: usize = statm.split(' ').nth(1).and_then(|p| p.parse().ok()).unwrap_or_default();
                most = most.max(pages * 4096);
            }
        }
    };
    Ok((done, most as f64 / 1e6 - before))
}

impl Taken {
    fn spend(&mut self, before: Cpu, after: Cpu, yardstick: bool) {
        if yardstick {
            self.cpu = after.passthrough - before.passthrough;
        } else {
            (self.cpu, self.postgres) = (after.parlor - before.parlor, after.postgres - before.postgres);
        }
    }

    /// Adds another wave.
    pub fn add(&mut self, other: Self) {
        self.answers += other.answers;
        self.seconds += other.seconds;
        self.cpu += other.cpu;
        self.postgres += other.postgres;
        self.first.extend(other.first);
        self.way.extend(other.way);
        self.bytes += other.bytes;
        self.events += other.events;
        self.again += other.again;
        self.memory = self.memory.max(other.memory);
        self.commits += other.commits;
        self.wal += other.wal;
        self.errors.extend(other.errors);
    }

    /// CPU of program and PostgreSQL together, in microseconds per chunk.
    pub fn per_chunk(&self, shape: &Shape) -> f64 {
        (self.cpu + self.postgres) * 1e6 / (self.answers * shape.chunks).max(1) as f64
    }

    /// CPU-seconds per 1,000 answers: of the program, of PostgreSQL.
    pub fn per_thousand(&self) -> (f64, f64) {
        let thousands = self.answers.max(1) as f64 / 1000.;
        (self.cpu / thousands, self.postgres / thousands)
    }
}

fn totals(talks: &[Talk]) -> (usize, usize, usize) {
    talks.iter().fold((0, 0, 0), |(b, e, a), t| (b + t.feed.bytes, e + t.feed.events, a + t.feed.again))
}

fn share(spread: Duration, n: usize, count: usize) -> Duration {
    spread.mul_f64(n as f64 / count.max(1) as f64)
}

/// Milliseconds.
fn nanos(nanos: u128) -> f64 {
    nanos as f64 / 1e6
}

/// The text of a stream of completions.
fn contents(body: &[u8]) -> String {
    let body = String::from_utf8_lossy(body);
    let events = body.lines().filter_map(|l| serde_json::from_str::<Value>(l.strip_prefix("data: ")?).ok());
    events.filter_map(|e| Some(e.pointer("/choices/0/delta/content")?.as_str()?.to_owned())).collect()
}
