//! A mail server that speaks SMTP for real, in a process of its own (tests/mail/server.mjs), and its certificate.

use super::{eventually, letters::Letter};
use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::{Arc, Mutex},
};
use tempfile::TempDir;

pub struct Postman {
    pub port: u16,
    taken: Arc<Mutex<Vec<serde_json::Value>>>,
    folder: TempDir,
    child: Child,
    /// It ends when this does.
    _stdin: ChildStdin,
}

impl Postman {
    pub fn plain() -> Self {
        Self::start(serde_json::json!({ "how": "plain" }))
    }

    /// Under TLS, `how` it begins; who may send: `ann` with the password `p@ss/word`.
    pub fn guarded(how: &str) -> Self {
        Self::start(serde_json::json!({ "how": how, "user": "ann", "password": "p@ss/word" }))
    }

    pub fn start(mut settings: serde_json::Value) -> Self {
        let folder = TempDir::with_prefix("parlor-postman").unwrap();
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
        std::fs::write(folder.path().join("ca.pem"), made.cert.pem()).unwrap();
        settings["cert"] = made.cert.pem().into();
        settings["key"] = made.signing_key.serialize_pem().into();
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mail/server.mjs");
        let mut child = Command::new("node")
            .arg(program)
            .arg(settings.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node, and `npm ci` in tests/mail: bin/install --tests brings both");
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let first = lines.next().expect("`npm ci` in tests/mail: bin/install --tests does it").unwrap();
        let first: serde_json::Value = serde_json::from_str(&first).unwrap();
        let taken = Arc::new(Mutex::new(Vec::new()));
        let ours = taken.clone();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                ours.lock().unwrap().push(serde_json::from_str(&line).unwrap());
            }
        });
        let stdin = child.stdin.take().unwrap();
        Self { port: u16::try_from(first["port"].as_u64().unwrap()).unwrap(), taken, folder, child, _stdin: stdin }
    }

    /// What clients trust it by.
    pub fn ca(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// What it took so far.
    pub fn taken(&self) -> Vec<serde_json::Value> {
        self.taken.lock().unwrap().clone()
    }

    /// Waits for so many letters.
    pub async fn takes(&self, count: usize) -> Vec<Letter> {
        eventually(&format!("{count} letters arrive"), || async { self.taken().len() >= count }).await;
        self.taken().iter().map(|mail| Letter::read(mail["raw"].as_str().unwrap())).collect()
    }
}

impl Drop for Postman {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
