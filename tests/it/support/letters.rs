//! Letters as people read them: the parts of a message, and the links in it.

use super::{TestApp, eventually};
use std::fs;

/// A letter, taken apart.
#[derive(Debug, Clone)]
pub struct Letter {
    pub to: String,
    pub subject: String,
    pub text: String,
    pub html: String,
    /// As it travels.
    pub raw: String,
}

impl Letter {
    pub fn read(raw: &str) -> Self {
        let header = |name: &str| {
            let line = raw.lines().find(|l| l.to_lowercase().starts_with(&format!("{name}: ")));
            line.map(|l| l[name.len() + 2..].trim().to_owned()).unwrap_or_default()
        };
        let part = |kind: &str| {
            let (_, rest) = raw.split_once(&format!("Content-Type: {kind}")).expect("a part of each kind");
            let (head, rest) = rest.split_once("\r\n\r\n").unwrap();
            let body = rest.split("\r\n--").next().unwrap();
            if head.contains("quoted-printable") { unquote(body) } else { body.to_owned() }
        };
        Self {
            to: header("to"),
            subject: header("subject"),
            text: part("text/plain"),
            html: part("text/html"),
            raw: raw.to_owned(),
        }
    }

    /// The address of its link, and what stands in it behind `token=`.
    pub fn link(&self) -> String {
        let line = self.text.lines().find(|l| l.contains("?token=")).expect("a letter with a link");
        line.trim().to_owned()
    }

    pub fn token(&self) -> String {
        self.link().split_once("token=").unwrap().1.to_owned()
    }
}

fn unquote(text: &str) -> String {
    let joined = text.replace("=\r\n", "");
    let (mut bytes, mut rest) = (Vec::new(), joined.as_bytes());
    while let Some((first, after)) = rest.split_first() {
        let code = (*first == b'=').then(|| std::str::from_utf8(&after[..2]).unwrap());
        bytes.push(code.map_or(*first, |digits| u8::from_str_radix(digits, 16).unwrap()));
        rest = if code.is_some() { &after[2..] } else { after };
    }
    String::from_utf8(bytes).unwrap()
}

impl TestApp {
    /// The letters written so far, for want of a mail server, in the order they were posted.
    pub fn letters(&self) -> Vec<Letter> {
        let folder = fs::read_dir(self.data.path().join("outbox")).into_iter().flatten().flatten().map(|e| e.path());
        let mut files: Vec<_> = folder.filter(|path| path.extension().is_some_and(|end| end == "eml")).collect();
        files.sort();
        files.into_iter().map(|path| Letter::read(&fs::read_to_string(path).unwrap())).collect()
    }

    /// Waits until nothing is on its way, and returns the letters to an address.
    pub async fn letters_to(&self, to: &str) -> Vec<Letter> {
        let waiting = "select (select count(*) from reset_wishes) + (select count(*) from mail where state in ('queued', 'sending'))";
        eventually("the mail is done", || async { self.value::<i64>(waiting).await == 0 }).await;
        self.letters().into_iter().filter(|letter| letter.to.contains(to)).collect()
    }

    /// The newest letter to an address.
    pub async fn letter_to(&self, to: &str) -> Letter {
        self.letters_to(to).await.pop().expect("a letter")
    }
}
