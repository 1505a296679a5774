//! What a run has seen: what was sent and acknowledged, what the provider was asked, what readers saw, and what was
//! found to be wrong. Everybody writes here; `checks.rs` reads.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Mutex, MutexGuard,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

/// One message that somebody wanted to send.
#[derive(Clone, Debug)]
pub struct Sent {
    pub key: String,
    pub text: String,
    /// The chat it was sent into; nothing for one that begins a chat.
    pub into: Option<String>,
    /// The chat that the acknowledgement named, once there was one.
    pub acknowledged: Option<String>,
}

/// One request that the provider got.
#[derive(Clone, Debug)]
pub struct Request {
    pub number: u64,
    pub question: u64,
    /// The key it came with: which process asked.
    pub key: String,
    pub reasoning: String,
    pub text: String,
    /// Whether it was answered to its end.
    pub whole: bool,
    /// Whether anything of the answer was sent.
    pub began: bool,
}

#[derive(Default)]
pub struct Record {
    pub seed: u64,
    pub round: AtomicU64,
    sent: Mutex<Vec<Sent>>,
    requests: Mutex<Vec<Request>>,
    /// By message: the longest that any reader saw of its text, as letters only.
    seen: Mutex<BTreeMap<String, String>>,
    /// Messages that somebody was told to be complete, with what was shown of them.
    complete: Mutex<Vec<(String, String)>>,
    /// Chats in which somebody removed what was in line.
    removed_in: Mutex<BTreeSet<String>>,
    counts: Mutex<BTreeMap<String, u64>>,
    violations: Mutex<Vec<String>>,
}

impl Record {
    pub fn new(seed: u64) -> Self {
        Self { seed, ..Self::default() }
    }

    pub fn violation(&self, promise: &str, what: &str) {
        let (seed, round) = (self.seed, self.round.load(Relaxed));
        let violation = format!("VIOLATION {promise} (seed {seed}, round {round}): {what}");
        println!("{violation}");
        lock(&self.violations).push(violation);
    }

    pub fn violations(&self) -> usize {
        lock(&self.violations).len()
    }

    /// The first few of them, for the end of a long log.
    pub fn first_violations(&self) -> Vec<String> {
        lock(&self.violations).iter().take(10).cloned().collect()
    }

    pub fn count(&self, what: &str) {
        self.add(what, 1);
    }

    pub fn add(&self, what: &str, n: u64) {
        *lock(&self.counts).entry(what.to_owned()).or_default() += n;
    }

    pub fn counts(&self) -> BTreeMap<String, u64> {
        lock(&self.counts).clone()
    }

    pub fn sending(&self, sent: Sent) -> usize {
        let mut all = lock(&self.sent);
        all.push(sent);
        all.len() - 1
    }

    pub fn acknowledged(&self, at: usize, chat: &str) {
        let mut all = lock(&self.sent);
        let before = all[at].acknowledged.replace(chat.to_owned());
        if let Some(before) = before.filter(|before| before != chat) {
            let what = format!("the same form (key {}) led to {before} and to {chat}", all[at].key);
            drop(all);
            self.violation("N1", &what);
        }
    }

    pub fn all_sent(&self) -> Vec<Sent> {
        lock(&self.sent).clone()
    }

    /// Takes a request in; its number is its tag.
    pub fn asked(&self, make: impl FnOnce(u64) -> Request) -> Request {
        let mut requests = lock(&self.requests);
        let request = make(requests.len() as u64);
        requests.push(request.clone());
        request
    }

    pub fn began(&self, number: u64) {
        lock(&self.requests)[usize::try_from(number).expect("an index")].began = true;
    }

    pub fn answered_whole(&self, number: u64) {
        lock(&self.requests)[usize::try_from(number).expect("an index")].whole = true;
    }

    pub fn requests(&self) -> Vec<Request> {
        lock(&self.requests).clone()
    }

    /// A reader saw so much of a message. What it saw before has to be the beginning of that, or the other way round.
    pub fn saw(&self, who: &str, message: &str, letters: &str) {
        let mut seen = lock(&self.seen);
        let most = seen.entry(message.to_owned()).or_default();
        if letters.len() > most.len() && letters.starts_with(most.as_str()) {
            letters.clone_into(most);
        } else if !most.starts_with(letters) {
            let what = format!("{who}: of message {message} it saw `{letters}`, where `{most}` was seen before");
            drop(seen);
            self.violation("N3", &what);
        }
    }

    pub fn removing(&self, chat: &str) {
        lock(&self.removed_in).insert(chat.to_owned());
    }

    pub fn removed_in(&self, chat: &str) -> bool {
        lock(&self.removed_in).contains(chat)
    }

    pub fn told_complete(&self, message: &str, letters: &str) {
        lock(&self.complete).push((message.to_owned(), letters.to_owned()));
    }

    /// What was told since this was asked last.
    pub fn take_complete(&self) -> Vec<(String, String)> {
        std::mem::take(&mut lock(&self.complete))
    }

    pub fn seen(&self) -> BTreeMap<String, String> {
        lock(&self.seen).clone()
    }
}

pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("nothing panics while holding it")
}
