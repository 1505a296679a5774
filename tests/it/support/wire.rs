//! A provider down to the bytes: it reads a request and then does to the connection what the test says. For everything
//! that a well-made server cannot be brought to do.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// The head of an ordinary streamed answer, whose end is the end of the connection.
pub const EVENTS: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";

const MODELS: &str = r#"{"object":"list","data":[{"id":"fake-1"}]}"#;

/// What is done to one connection, step by step. At the end of the steps it is closed in order.
#[derive(Clone)]
pub enum Act {
    Send(Vec<u8>),
    /// The same bytes over and over, so many times or until the other side closes.
    Repeat(Vec<u8>, usize),
    Pause(Duration),
    /// No more is sent, and it stays open until the other side closes.
    Stall,
    /// Nothing comes after what was sent, but the connection is not closed.
    HalfClose,
    /// What is under way is thrown away, and the other side told so.
    Reset,
}

#[derive(Default)]
struct Inner {
    scripts: Mutex<VecDeque<Vec<Act>>>,
    asked: Mutex<usize>,
    /// Bytes that the network took from us.
    sent: Mutex<u64>,
    hung_up: Mutex<usize>,
}

pub struct Wire {
    inner: Arc<Inner>,
    port: u16,
}

impl Wire {
    pub async fn start() -> Self {
        let inner = Arc::new(Inner::default());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let ours = inner.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(ours.clone(), stream));
            }
        });
        Self { inner, port }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/v1", self.port)
    }

    /// The next answer: a head, then what is done.
    pub fn will(&self, head: &str, acts: impl IntoIterator<Item = Act>) {
        let mut script = vec![Act::Send(head.as_bytes().to_vec())];
        script.extend(acts);
        self.inner.scripts.lock().unwrap().push_back(script);
    }

    /// The next answer has this status and body.
    pub fn replies(&self, status: &str, headers: &str, body: &str) {
        let head = format!("HTTP/1.1 {status}\r\n{headers}content-length: {}\r\n\r\n{body}", body.len());
        self.will(&head, []);
    }

    /// How often it was asked for an answer.
    pub fn asked(&self) -> usize {
        *self.inner.asked.lock().unwrap()
    }

    pub fn sent(&self) -> u64 {
        *self.inner.sent.lock().unwrap()
    }

    /// How many connections the other side closed before we did.
    pub fn hung_up(&self) -> usize {
        *self.inner.hung_up.lock().unwrap()
    }
}

/// One event of an answer with this text.
pub fn piece(text: &str) -> Act {
    event(&serde_json::json!({ "choices": [{ "delta": { "content": text } }] }).to_string())
}

/// The event that says that the model is done.
pub fn finish() -> Act {
    event(r#"{"choices":[{"delta":{},"finish_reason":"stop"}]}"#)
}

pub fn done() -> Act {
    event("[DONE]")
}

pub fn event(data: &str) -> Act {
    Act::Send(format!("data: {data}\n\n").into_bytes())
}

pub fn send(bytes: impl AsRef<[u8]>) -> Act {
    Act::Send(bytes.as_ref().to_vec())
}

async fn serve(inner: Arc<Inner>, mut stream: TcpStream) {
    let Some(first) = request(&mut stream).await else { return };
    let script = if first.starts_with("GET") {
        let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n";
        vec![send(format!("{head}content-length: {}\r\n\r\n{MODELS}", MODELS.len()))]
    } else {
        *inner.asked.lock().unwrap() += 1;
        inner.scripts.lock().unwrap().pop_front().unwrap_or_else(|| vec![send(EVENTS), piece("unscripted"), finish()])
    };
    for act in script {
        if !play(&inner, &mut stream, act).await {
            *inner.hung_up.lock().unwrap() += 1;
            return;
        }
    }
}

/// Reads one request whole; returns its first line.
async fn request(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
        let text = String::from_utf8_lossy(&bytes);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head
            .to_ascii_lowercase()
            .split("content-length: ")
            .nth(1)
            .map_or(0, |rest| rest.lines().next().unwrap().trim().parse().unwrap());
        if body.len() >= length {
            return head.lines().next().map(str::to_owned);
        }
    }
}

/// Returns false if the other side closed.
async fn play(inner: &Inner, stream: &mut TcpStream, act: Act) -> bool {
    match act {
        Act::Send(bytes) => write(inner, stream, &bytes).await,
        Act::Repeat(bytes, times) => {
            for _ in 0..times {
                if !write(inner, stream, &bytes).await {
                    return false;
                }
            }
            true
        }
        Act::Pause(pause) => {
            tokio::time::sleep(pause).await;
            true
        }
        Act::Stall => {
            closed(stream).await;
            false
        }
        Act::HalfClose => {
            stream.shutdown().await.unwrap();
            closed(stream).await;
            false
        }
        Act::Reset => {
            stream.set_zero_linger().unwrap();
            true
        }
    }
}

async fn write(inner: &Inner, stream: &mut TcpStream, mut bytes: &[u8]) -> bool {
    while !bytes.is_empty() {
        let Ok(taken) = stream.write(bytes).await else { return false };
        *inner.sent.lock().unwrap() += taken as u64;
        bytes = &bytes[taken..];
    }
    true
}

/// Waits until the other side closes.
async fn closed(stream: &mut TcpStream) {
    let mut rest = [0; 64];
    while stream.read(&mut rest).await.is_ok_and(|n| n > 0) {}
}
