//! People under whom the house shakes: they sign in, ask, stop, and try again, by plain forms. When no answer comes they
//! press the button again; the form's key makes that harmless.

use super::{
    browser::{Answer, Browser, Lost, excerpt},
    live::LiveReader,
    plan::rng,
    provider::MODEL,
    readers::Reader,
    record::{Record, Sent, lock},
    script::Script,
};
use rand::{Rng, rngs::StdRng};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::time::{Instant, sleep};

const PASSWORD: &str = "a sentence to sign in";
const READERS: usize = 3;
/// Questions of one chat; then another is begun.
const TURNS: u64 = 8;
/// After everything was put right, nobody waits longer for an answer to a form.
const PATIENCE: Duration = Duration::from_secs(45);

/// What everybody shares.
pub struct Town {
    pub record: Arc<Record>,
    pub webs: [String; 2],
    pub questions: AtomicU64,
    /// Everything was put right.
    pub healed: AtomicBool,
}

/// A chat with its readers.
pub struct Room {
    pub chat: String,
    turns: u64,
    pub readers: Vec<Reader>,
    _live: LiveReader,
}

pub struct Person {
    pub name: String,
    pub browser: Arc<Browser>,
    town: Arc<Town>,
    rng: StdRng,
    /// The chats that are talked in; and those that are full and end with the round.
    pub rooms: Vec<Room>,
    chats: usize,
}

impl Person {
    /// Somebody new: registers, or signs in if that had worked without an answer.
    pub async fn arrives(town: &Arc<Town>, number: u64, chats: usize) -> anyhow::Result<Self> {
        let name = format!("person-{number}");
        let browser = Arc::new(Browser::new(town.webs.clone(), town.record.clone())?);
        let email = format!("{name}@example.org");
        let registers = [("email", email.as_str()), ("name", &name), ("password", PASSWORD)];
        let signs_in = [("email", email.as_str()), ("password", PASSWORD)];
        let deadline = Instant::now() + PATIENCE;
        for web in [0, 1].into_iter().cycle() {
            anyhow::ensure!(Instant::now() < deadline, "nobody can register");
            if browser.post(web, "/register", &registers).await.is_ok_and(|a| a.status == 303)
                || browser.post(web, "/login", &signs_in).await.is_ok_and(|a| a.status == 303)
            {
                break;
            }
            sleep(Duration::from_millis(300)).await;
        }
        let rng = rng(town.record.seed, 0, 100 + number);
        Ok(Self { name, browser, town: town.clone(), rng, rooms: Vec::new(), chats })
    }

    /// Waits until the house has a model.
    pub async fn finds_a_model(&self) -> anyhow::Result<()> {
        let deadline = Instant::now() + PATIENCE;
        while !self.browser.get(0, "/").await.is_ok_and(|page| page.body.contains(MODEL)) {
            anyhow::ensure!(Instant::now() < deadline, "the catalog stays empty");
            sleep(Duration::from_millis(100)).await;
        }
        Ok(())
    }

    /// One round's talk.
    pub async fn talks(&mut self, round: u64, until: Instant) {
        let number = self.name.bytes().map(u64::from).sum();
        self.rng = rng(self.town.record.seed, round, number);
        loop {
            sleep(Duration::from_millis(self.rng.random_range(50..500))).await;
            if Instant::now() >= until {
                return;
            }
            let open: Vec<usize> = (0..self.rooms.len()).filter(|at| self.rooms[*at].turns < TURNS).collect();
            if open.len() < self.chats {
                let script = self.script();
                self.begins(&script).await;
            } else {
                let at = open[self.rng.random_range(0..open.len())];
                self.acts_in(at).await;
            }
        }
    }

    fn script(&mut self) -> Script {
        Script::draw(self.town.questions.fetch_add(1, Relaxed), &mut self.rng)
    }

    /// Begins a chat, and opens it on every device.
    pub async fn begins(&mut self, script: &Script) {
        let Some(chat) = self.sends(script, None, "").await else { return };
        let open = |n: usize| {
            let name = format!("{} reader {n} of {chat}", self.name);
            Reader::open(name, self.browser.clone(), self.town.record.clone(), &chat, n % 2)
        };
        let readers: Vec<Reader> = (0..READERS).map(open).collect();
        let (name, view) = (format!("{} without JavaScript", self.name), readers[0].view.clone());
        let live = LiveReader::open(name, self.browser.clone(), self.town.record.clone(), chat.clone(), view);
        self.rooms.push(Room { chat, turns: 1, readers, _live: live });
    }

    /// Does what the screen suggests: asks, waits, stops, tries again, goes on; now and then what it does not.
    async fn acts_in(&mut self, at: usize) {
        let (shown, actions) = {
            let view = lock(&self.rooms[at].readers[0].view);
            (view.leaf(), view.page.actions())
        };
        let Some((leaf, state)) = shown else { return };
        let chat = self.rooms[at].chat.clone();
        let running = ["lined", "queued", "streaming", "waiting"].contains(&state.as_str());
        let forms: Vec<&String> = actions.iter().rev().filter(|a| a.starts_with("/messages/")).take(3).collect();
        let chance = self.rng.random_range(0..100);
        let sends = match state.as_str() {
            "lined" => 8,
            _ if running => 20,
            "completed" => 90,
            _ => 40,
        };
        if chance < sends {
            let script = self.script();
            if self.sends(&script, Some(&chat), &leaf).await.is_some() {
                self.rooms[at].turns += 1;
            }
        } else if running && state != "lined" && chance < sends + 10 {
            self.acts(&chat, &format!("/messages/{leaf}/stop")).await;
        } else if !forms.is_empty() && (!running || chance < sends + 25) {
            let form = forms[self.rng.random_range(0..forms.len())].clone();
            self.acts(&chat, &form).await;
        }
    }

    fn key(&mut self) -> String {
        uuid::Builder::from_random_bytes(self.rng.random()).into_uuid().to_string()
    }

    /// Sends a message until it is known what became of it; returns the chat if it was taken.
    async fn sends(&mut self, script: &Script, chat: Option<&str>, parent: &str) -> Option<String> {
        let (key, text) = (self.key(), script.question());
        let path = chat.map_or_else(|| "/chats".to_owned(), |chat| format!("/chats/{chat}/messages"));
        let mut form = vec![("content", text.as_str()), ("model", MODEL), ("key", &key)];
        if chat.is_some() {
            form.push(("parent", parent));
        }
        let sent = Sent { key: key.clone(), text: text.clone(), into: chat.map(str::to_owned), acknowledged: None };
        let record = self.town.record.clone();
        let at = record.sending(sent);
        let took = |answer: &Answer| {
            let chat = answer.location.strip_prefix("/chats/").filter(|_| answer.status == 303)?;
            record.acknowledged(at, chat);
            Some(chat.to_owned())
        };
        // pressed twice, at both doors
        if self.rng.random_bool(0.1) {
            let (one, two) = tokio::join!(self.browser.post(0, &path, &form), self.browser.post(1, &path, &form));
            let places: Vec<_> = [one, two].iter().flatten().filter_map(took).collect();
            if let Some(place) = places.into_iter().next() {
                record.count("message: taken");
                return Some(place);
            }
        }
        let tab =
            self.rooms.iter().find(|room| Some(room.chat.as_str()) == chat).map(|room| room.readers[0].view.clone());
        let tab = tab.filter(|_| self.rng.random_bool(0.6));
        let mut answer = self.insists(&path, &form, tab.is_some()).await?;
        if let (Some(tab), 200) = (tab, answer.status) {
            // what the page's script would do with it
            lock(&tab).page.apply(&answer.body);
            (answer.status, answer.location) = (303, format!("/chats/{}", chat.unwrap_or_default()));
        }
        let place = took(&answer);
        match (&place, answer.status) {
            (Some(_), _) => record.count("message: taken"),
            (None, 409) => {
                record.count("message: refused, too many in line");
                if !answer.body.contains(&format!("q{} words", script.number)) {
                    record.violation("N11", &format!("a refused message is not kept: {}", excerpt(&answer.body)));
                }
            }
            (None, 422) if chat.is_some_and(|chat| record.removed_in(chat)) => {
                record.count("message: refused, what it follows was removed");
            }
            (None, 429) => record.count("message: refused, too many"),
            (None, other) => {
                record.violation("N11", &format!("{path} was answered with {other}: {}", excerpt(&answer.body)));
            }
        }
        place
    }

    /// Sends one of the small forms under a message.
    async fn acts(&mut self, chat: &str, path: &str) {
        let (record, verb) = (self.town.record.clone(), path.rsplit('/').next().unwrap_or_default().to_owned());
        let key = self.key();
        let form = [("model", MODEL), ("key", key.as_str())];
        let form: &[(&str, &str)] = match verb.as_str() {
            "regenerations" | "continuations" => &form,
            "rating" => &[("rating", "like")],
            _ => &[],
        };
        if verb == "delete" {
            record.removing(chat);
        }
        let Some(done) = self.insists(path, form, false).await else { return };
        match done.status {
            303 => record.count(&format!("{verb}: taken")),
            409 | 429 => record.count(&format!("{verb}: refused")),
            // what was removed is no longer there for a second press, or for a page that has not heard of it
            404 if record.removed_in(chat) => record.count(&format!("{verb}: gone")),
            other => {
                let what = format!("{path} was answered with {other}: {}", excerpt(&done.body));
                record.violation("N11", &what);
            }
        }
    }

    /// Posts the same form again and again until it is answered.
    async fn insists(&mut self, path: &str, form: &[(&str, &str)], enhanced: bool) -> Option<Answer> {
        let mut web = self.rng.random_range(0..2);
        let mut since_healed: Option<Instant> = None;
        loop {
            let posted = if enhanced {
                self.browser.post_enhanced(web, path, form).await
            } else {
                self.browser.post(web, path, form).await
            };
            match posted {
                Ok(answer) if answer.is_final() => return Some(answer),
                Ok(_) => self.town.record.count("person: 503"),
                Err(Lost) => self.town.record.count("person: no answer"),
            }
            if self.town.healed.load(Relaxed) && since_healed.get_or_insert_with(Instant::now).elapsed() > PATIENCE {
                self.town.record.violation("N1", &format!("{path} is never answered"));
                return None;
            }
            web = 1 - web;
            sleep(Duration::from_millis(self.rng.random_range(100..600))).await;
        }
    }

    /// Closes the tabs and signs in anew before going: the account was acknowledged, so it is there. (Signing in ends the
    /// session before it, and the feeds that are open in it.)
    pub async fn goes(mut self) {
        self.rooms.clear();
        let email = format!("{}@example.org", self.name);
        let answer = self.browser.post(1, "/login", &[("email", &email), ("password", PASSWORD)]).await;
        if !answer.is_ok_and(|answer| answer.status == 303) {
            self.town.record.violation("N1", &format!("{} cannot sign in any more", self.name));
        }
    }

    /// Leaves the chats that are full.
    pub fn leaves_full_rooms(&mut self) {
        self.rooms.retain(|room| room.turns < TURNS);
    }
}
