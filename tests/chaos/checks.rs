//! What must hold after every round, whatever happened in it: N1 to N9, asked of the tables directly, and compared with
//! what people sent, what the provider was asked, and what readers saw.

use super::{
    laws::{LAWS, MOVING},
    people::Person,
    provider::MODEL,
    readers::{position, shown},
    record::{Record, lock},
    script::{Script, letters, request_of},
};
use sqlx::{Connection, PgConnection, Row, postgres::PgRow};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};
use tokio::time::{Instant, sleep};

pub struct Checks {
    url: String,
    /// Told already: once is enough.
    told: BTreeSet<String>,
}

impl Checks {
    pub fn new(url: String) -> Self {
        Self { url, told: BTreeSet::new() }
    }

    /// Tells a violation that was not told before.
    fn tell(&mut self, record: &Record, promise: &str, what: &str) {
        if self.told.insert(format!("{promise} {what}")) {
            record.violation(promise, what);
        }
    }

    /// Waits until every answer rests, and says for how long it waited.
    pub async fn all_rest(&mut self, record: &Record, most: Duration) -> anyhow::Result<Duration> {
        let mut db = PgConnection::connect(&self.url).await?;
        let began = Instant::now();
        loop {
            let running: Vec<String> = sqlx::query_scalar(MOVING).fetch_all(&mut db).await?;
            if running.is_empty() {
                return Ok(began.elapsed());
            }
            if began.elapsed() > most {
                let what = format!("{} s after everything was put right still running: {running:?}", most.as_secs());
                self.tell(record, "N5", &what);
                return Ok(began.elapsed());
            }
            sleep(Duration::from_millis(100)).await;
        }
    }

    /// Waits until every reader has come to the end of its chat's feed; then compares what it shows with the page.
    pub async fn readers(&mut self, record: &Record, people: &[Person], most: Duration) -> anyhow::Result<()> {
        let mut db = PgConnection::connect(&self.url).await?;
        let deadline = Instant::now() + most;
        for (person, room) in people.iter().flat_map(|p| p.rooms.iter().map(move |room| (p, room))) {
            let id: uuid::Uuid = room.chat.parse()?;
            let mut fresh = None;
            for reader in &room.readers {
                loop {
                    let head: i64 = sqlx::query_scalar("select seq from feed_heads where chat_id = $1")
                        .bind(id)
                        .fetch_one(&mut db)
                        .await?;
                    let (position, connected) = {
                        let view = lock(&reader.view);
                        (view.position, view.connected)
                    };
                    if position == head && connected {
                        break;
                    }
                    if Instant::now() > deadline {
                        let what = format!("{} is at {position} of {head}, connected: {connected}", reader.name);
                        self.tell(record, "N4", &what);
                        break;
                    }
                    sleep(Duration::from_millis(30)).await;
                }
                let leaf = lock(&reader.view).leaf().map(|(leaf, _)| leaf).unwrap_or_default();
                let paths = paths(&mut db, id).await?;
                let end = "select leaf_id::text from chats where id = $1";
                let end: String = sqlx::query_scalar(end).bind(id).fetch_one(&mut db).await?;
                if leaf != end && paths.contains(&leaf) {
                    // it had another path open when a message was sent elsewhere; that stays as it is
                    record.count("reader: stays on another path");
                    continue;
                }
                if fresh.is_none() {
                    fresh = page(person, &room.chat).await;
                }
                let Some(fresh) = &fresh else {
                    self.tell(record, "N11", &format!("the page of {} cannot be had when all is well", room.chat));
                    break;
                };
                let live = lock(&reader.view).page.spelled();
                if live != *fresh {
                    let what = format!("{} {}", reader.name, difference(&live, fresh));
                    self.tell(record, "N3", &what);
                }
            }
        }
        Ok(())
    }

    /// Everybody who is there has a budget together, too.
    pub async fn group(&self) -> anyhow::Result<()> {
        let mut db = PgConnection::connect(&self.url).await?;
        let group = "with g as (insert into groups (name, budget) values ('Everybody', 1000000000000) returning id)
                     insert into group_members select g.id, u.id from g, users u";
        sqlx::raw_sql(group).execute(&mut db).await?;
        Ok(())
    }

    /// Asks the tables.
    pub async fn tables(&mut self, record: &Record) -> anyhow::Result<()> {
        let mut db = PgConnection::connect(&self.url).await?;
        for (promise, law, query) in LAWS {
            let found: Vec<String> = sqlx::query_scalar(query).fetch_all(&mut db).await?;
            for place in found {
                self.tell(record, promise, &format!("{law}: {place}"));
            }
        }
        let left =
            "select pid || ' ' || state || ' for ' || (now() - xact_start) || ': ' || query from pg_stat_activity
            where state like 'idle in transaction%' and now() - xact_start > interval '7 s'";
        for place in sqlx::query_scalar::<_, String>(left).fetch_all(&mut db).await? {
            self.tell(record, "pool", &format!("a transaction was left open: {place}"));
        }
        self.messages(record, &mut db).await?;
        self.calls(record, &mut db).await?;
        self.answers(record, &mut db).await
    }

    /// N8: the provider is called at most once by every attempt.
    async fn calls(&mut self, record: &Record, db: &mut PgConnection) -> anyhow::Result<()> {
        let query = "select q.text as question, count(*) as attempts from feed_events e
            join messages m on m.id = e.message_id join messages q on q.id = m.parent_id and q.chat_id = m.chat_id
            where e.kind = 'state' and (e.body::json ->> 'streaming')::bool group by q.id, q.text";
        let requests = record.requests();
        for row in sqlx::query(query).fetch_all(&mut *db).await? {
            let (question, attempts): (String, i64) = (row.get("question"), row.get("attempts"));
            let Some(script) = Script::read(&question) else { continue };
            let calls: Vec<_> = requests.iter().filter(|r| r.question == script.number).collect();
            if i64::try_from(calls.len())? > attempts {
                let from: Vec<_> = calls.iter().map(|r| format!("{} by {}", r.number, r.key)).collect();
                self.tell(record, "N8", &format!("{attempts} attempts at `{question}`, and these calls: {from:?}"));
            }
        }
        Ok(())
    }

    /// N1: what was acknowledged is there, once; what was not, at most once.
    async fn messages(&mut self, record: &Record, db: &mut PgConnection) -> anyhow::Result<()> {
        let rows = sqlx::query("select text, chat_id::text as chat from messages where author = 'person'")
            .fetch_all(&mut *db)
            .await?;
        let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for row in rows {
            places.entry(row.get("text")).or_default().push(row.get("chat"));
        }
        let removed = "select s.key::text from sends s join feed_events e
            on e.chat_id = s.chat_id and e.message_id = s.message_id and e.kind = 'removed'";
        let removed: BTreeSet<String> = sqlx::query_scalar(removed).fetch_all(&mut *db).await?.into_iter().collect();
        for sent in record.all_sent() {
            let stored = places.remove(&sent.text).unwrap_or_default();
            let expected: Vec<String> = sent.acknowledged.iter().cloned().collect();
            if removed.contains(&sent.key) && sent.into.as_ref().is_some_and(|chat| record.removed_in(chat)) {
                if !stored.is_empty() {
                    self.tell(record, "N1", &format!("{sent:?} was removed and is stored in {stored:?}"));
                }
                continue;
            }
            let fits = if expected.is_empty() { stored.len() <= 1 } else { stored == expected };
            let elsewhere = sent.into.as_ref().is_some_and(|into| stored.iter().any(|chat| chat != into));
            if !fits || elsewhere {
                self.tell(record, "N1", &format!("{sent:?} is stored in {stored:?}"));
            }
        }
        for (text, chats) in places {
            self.tell(record, "N1", &format!("nobody sent `{text}`, which is in {chats:?}"));
        }
        Ok(())
    }

    /// Of every answer: its text comes from one request, is whole when it says so, is what readers saw, and is rendered.
    async fn answers(&mut self, record: &Record, db: &mut PgConnection) -> anyhow::Result<()> {
        let requests = record.requests();
        let seen = record.seen();
        let mut complete: BTreeMap<String, String> = record.take_complete().into_iter().collect();
        let mut owners: BTreeMap<u64, String> = BTreeMap::new();
        let query = "select m.id::text as id, m.chat_id::text as chat, m.text, m.reasoning, coalesce(m.html, '') as html, g.state, g.model,
                g.prefix, g.prompt_tokens, q.text as question from messages m join generations g on g.message_id = m.id
            join messages q on q.id = m.parent_id and q.chat_id = m.chat_id
            where g.state in ('completed', 'stopped', 'interrupted', 'failed') order by m.id";
        for row in sqlx::query(query).fetch_all(&mut *db).await? {
            let text = |name: &str| row.get::<String, _>(name);
            let (id, state) = (text("id"), text("state"));
            let place = format!("{} {id} {state}", text("chat"));
            let own = text("text").get(usize::try_from(row.get::<i32, _>("prefix"))?..).unwrap_or_default().to_owned();
            for (what, stored) in [("text", &own), ("reasoning", &text("reasoning"))] {
                if stored.is_empty() {
                    continue;
                }
                // a tag that was cut in two says nothing
                let Some(number) = request_of(stored) else {
                    if !requests
                        .iter()
                        .any(|r| r.text.starts_with(stored.as_str()) || r.reasoning.starts_with(stored.as_str()))
                    {
                        self.tell(record, "N6", &format!("{place}: its {what} comes from no request: {stored}"));
                    }
                    continue;
                };
                let Some(request) = requests.get(usize::try_from(number)?) else { continue };
                let whole = if what == "text" { &request.text } else { &request.reasoning };
                if !whole.starts_with(stored.as_str())
                    || !text("question").starts_with(&format!("q{} ", request.question))
                {
                    self.tell(record, "N6", &format!("{place}: its {what} is not that of request {number}: {stored}"));
                }
                if state == "completed" && (whole != stored || !request.whole) {
                    self.tell(record, "N9", &format!("{place}: completed, and its {what} is not whole"));
                }
                let other = owners.insert(number, id.clone()).filter(|other| *other != id);
                if let Some(other) = other {
                    self.tell(
                        record,
                        "N8",
                        &format!("{place}: its {what} comes from the same request as that of {other}"),
                    );
                }
            }
            self.usage(record, &row, &place, &own);
            let most = seen.get(&id).map(String::as_str).unwrap_or_default();
            if !letters(&text("text")).starts_with(most) {
                self.tell(
                    record,
                    "N3",
                    &format!("{place}: readers saw `{most}`, stored is `{}`", letters(&text("text"))),
                );
            }
            if let Some(shown) = complete.remove(&id)
                && (state != "completed" || shown != letters(&text("text")))
            {
                let what =
                    format!("{place}: a reader without JavaScript was told that it is complete, and saw `{shown}`");
                self.tell(record, "N6", &what);
            }
            if parlor::markdown::render(&text("text"), &id) != text("html") {
                self.tell(record, "N6", &format!("{place}: its HTML is not its text"));
            }
            if text("model") != MODEL {
                self.tell(record, "N6", &format!("{place}: made by {}", text("model")));
            }
        }
        Ok(())
    }

    /// N8: usage is that of the one request that the text came from.
    fn usage(&mut self, record: &Record, row: &PgRow, place: &str, text: &str) {
        let (Some(tokens), Some(number)) = (row.get::<Option<i64>, _>("prompt_tokens"), request_of(text)) else {
            return;
        };
        if u64::try_from(tokens).ok() != Some(number + 1) {
            self.tell(record, "N8", &format!("{place}: its text is of request {number}, its usage of {}", tokens - 1));
        }
    }

    /// How many answers are being made.
    pub async fn running(&self) -> anyhow::Result<i64> {
        let mut db = PgConnection::connect(&self.url).await?;
        let query = "select count(*) from generations where state = 'streaming'";
        Ok(sqlx::query_scalar(query).fetch_one(&mut db).await?)
    }

    /// How the answers ended, for the summary.
    pub async fn endings(&self) -> anyhow::Result<Vec<(String, i64)>> {
        let mut db = PgConnection::connect(&self.url).await?;
        let rows = sqlx::query("select state, count(*) as n from generations group by state order by state")
            .fetch_all(&mut db)
            .await?;
        Ok(rows.iter().map(|row| (row.get("state"), row.get("n"))).collect())
    }
}

/// A chat's page as it is when all is well; a connection that was stranded costs its patience once more.
async fn page(person: &Person, chat: &str) -> Option<String> {
    for web in [0, 1, 0, 1] {
        if let Ok(page) = person.browser.get(web, &format!("/chats/{chat}")).await
            && position(&page.body).is_some()
        {
            return Some(shown(&page.body).spelled());
        }
    }
    None
}

/// The ends of paths that an open page may show by now: it follows turns after its own end, and comes to the shown path
/// when that is changed by asking again, or by removing something.
async fn paths(db: &mut PgConnection, chat: uuid::Uuid) -> anyhow::Result<Vec<String>> {
    let query = "select kind, message_id::text as answer, body::json ->> 'question' as question, body::json ->> 'parent' as parent
        from feed_events where chat_id = $1 and kind in ('turn', 'removed') order by seq";
    let mut pages: Vec<String> = Vec::new();
    for row in sqlx::query(query).bind(chat).fetch_all(db).await? {
        let (answer, parent) = (row.get::<String, _>("answer"), row.get::<Option<String>, _>("parent"));
        let new_turn = row.get::<Option<String>, _>("question").is_some();
        if new_turn {
            pages.retain(|leaf| parent.as_ref() != Some(leaf));
        } else {
            pages.clear();
        }
        if row.get::<String, _>("kind") == "turn" {
            pages.push(answer);
        }
    }
    Ok(pages)
}

/// Where two spellings part, with a little around.
fn difference(live: &str, fresh: &str) -> String {
    let at = live.bytes().zip(fresh.bytes()).take_while(|(a, b)| a == b).count();
    let from =
        |text: &str| text.char_indices().filter(|(i, _)| *i + 200 > at).map(|(_, c)| c).take(500).collect::<String>();
    format!("shows\n  {}\nand the page\n  {}", from(live), from(fresh))
}
