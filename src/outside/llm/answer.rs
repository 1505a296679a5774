//! An answer read: pure, bytes in and chunks or faults out, the same for all protocols. What the events mean is said by a
//! dialect, in the file of its protocol. What must not live here: IO, deadlines, what is done after a fault.

use super::{
    Chunk, Fault, FaultKind, Finish, Usage,
    sse::{self, Decoder, MAX_EVENT},
};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::{collections::VecDeque, time::Duration};

/// In which form an answer comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// An event stream, as asked for.
    Events,
    /// One JSON document: an error, or the whole answer of a server that cannot stream.
    Whole,
}

impl Form {
    /// Reads a `Content-Type`. One that is missing or unusual counts as an event stream; the events will tell.
    pub fn of(content_type: &str) -> Result<Self, Fault> {
        let media = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match media.as_str() {
            "text/html" | "application/xhtml+xml" => {
                Err(Fault::new(FaultKind::Garbled, "a page of HTML instead of an answer: is the base_url right?"))
            }
            "application/json" => Ok(Self::Whole),
            _ => Ok(Self::Events),
        }
    }
}

/// What a protocol's events mean.
pub trait Dialect: Default + Send + 'static {
    /// What an event says, or the whole document.
    type Said: DeserializeOwned;
    /// What an answer lacks that ends too soon.
    const LAST_WORD: &str;

    fn said(&mut self, said: Self::Said, answer: &mut Answer);
    /// What kind of fault the object of an error tells of; with the status, if it came instead of an answer.
    fn kind(error: &Value, status: Option<u16>) -> FaultKind;

    /// How long to wait, if the object of an error says so.
    fn retry_after(_error: &Value) -> Option<Duration> {
        None
    }
}

/// Takes the bytes of an answer and hands out what they mean.
pub struct Reader<D> {
    source: Source,
    dialect: D,
    answer: Answer,
}

enum Source {
    Events(Decoder),
    Whole(Vec<u8>),
}

/// What was understood so far.
#[derive(Default)]
pub struct Answer {
    ready: VecDeque<Result<Chunk, Fault>>,
    /// The model said that it is done: the answer is complete, whatever follows.
    finished: bool,
    /// Nothing more will be handed out than what is ready.
    over: bool,
}

impl<D: Dialect> Reader<D> {
    pub fn new(form: Form) -> Self {
        let source = match form {
            Form::Events => Source::Events(Decoder::default()),
            Form::Whole => Source::Whole(Vec::new()),
        };
        Self { source, dialect: D::default(), answer: Answer::default() }
    }

    /// The next thing that was understood; nothing until there are more bytes, or the answer is over.
    pub fn next(&mut self) -> Option<Result<Chunk, Fault>> {
        self.answer.ready.pop_front()
    }

    pub fn is_over(&self) -> bool {
        self.answer.over
    }

    /// Takes the next bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        let (answer, dialect) = (&mut self.answer, &mut self.dialect);
        match &mut self.source {
            Source::Events(decoder) => {
                if let Err(error) = decoder.push(bytes, |event| heard(dialect, answer, event)) {
                    answer.fail(Fault::new(FaultKind::Garbled, error.to_string()));
                }
            }
            Source::Whole(document) if document.len() + bytes.len() > MAX_EVENT => {
                answer.fail(Fault::new(FaultKind::Garbled, format!("a document of more than {MAX_EVENT} bytes")));
            }
            Source::Whole(document) => document.extend_from_slice(bytes),
        }
    }

    /// The server closed the stream in order: a cut if the model had not said that it is done.
    pub fn end(&mut self) {
        let detail = match &self.source {
            Source::Events(decoder) if decoder.is_unfinished() => "the stream ended within an event".to_owned(),
            Source::Events(_) => format!("the stream ended without a {}", D::LAST_WORD),
            Source::Whole(document) => {
                understood(serde_json::from_slice(document), &mut self.dialect, &mut self.answer);
                format!("the document has no {}", D::LAST_WORD)
            }
        };
        self.answer.fail(Fault::new(FaultKind::Cut, detail));
    }

    /// The connection broke.
    pub fn fail(&mut self, fault: Fault) {
        self.answer.fail(fault);
    }
}

fn heard<D: Dialect>(dialect: &mut D, answer: &mut Answer, event: sse::Event<'_>) {
    let data = event.data.trim();
    match event.name {
        _ if answer.over || data.is_empty() => {}
        "ping" | "keepalive" => {}
        _ if data == "[DONE]" => {
            answer.fail(Fault::new(FaultKind::Cut, format!("[DONE] without a {}", D::LAST_WORD)));
        }
        "error" => {
            let error = serde_json::from_str::<Value>(data).unwrap_or_default();
            answer.fail(described::<D>(error.get("error").unwrap_or(&error)));
        }
        _ => understood(serde_json::from_str(data), dialect, answer),
    }
}

fn understood<D: Dialect>(said: serde_json::Result<D::Said>, dialect: &mut D, answer: &mut Answer) {
    match said {
        Ok(said) => dialect.said(said, answer),
        Err(error) => answer.fail(garbled(&error)),
    }
}

/// The fault that the object of an error inside a stream tells of.
pub fn described<D: Dialect>(error: &Value) -> Fault {
    let detail = message(error).unwrap_or_else(|| shortened(error));
    Fault { kind: D::kind(error, None), detail, retry_after: D::retry_after(error) }
}

/// The words of an error's object, if it has any; never the whole of a long one.
pub fn message(error: &Value) -> Option<String> {
    let message = error.get("message").or(error.is_string().then_some(error))?;
    Some(shortened(message))
}

fn shortened(value: &Value) -> String {
    value.to_string().chars().take(300).collect()
}

impl Answer {
    pub fn text(&mut self, text: impl Into<Option<String>>) {
        self.piece(text.into(), Chunk::Text);
    }

    pub fn reasoning(&mut self, text: impl Into<Option<String>>) {
        self.piece(text.into(), Chunk::Reasoning);
    }

    /// What the provider has counted so far; the last word counts.
    pub fn usage(&mut self, usage: Usage) {
        self.ready.push_back(Ok(Chunk::Usage(usage)));
    }

    fn piece(&mut self, text: Option<String>, chunk: fn(String) -> Chunk) {
        if let Some(text) = text.filter(|t| !(t.is_empty() || self.finished)) {
            self.ready.push_back(Ok(chunk(without_nul(text))));
        }
    }

    pub fn finish(&mut self, why: Finish) {
        if !std::mem::replace(&mut self.finished, true) {
            self.ready.push_back(Ok(Chunk::Finished(why)));
        }
    }

    /// Nothing more comes; no fault if the model had said that it is done.
    pub fn fail(&mut self, fault: Fault) {
        if !(self.finished || self.over) {
            self.ready.push_back(Err(fault));
        }
        self.over = true;
    }
}

/// Where and how JSON is wrong. Not the library's sentence: it quotes, and a log never holds what was said.
fn garbled(error: &serde_json::Error) -> Fault {
    let (what, at) = (error.classify(), error.column());
    Fault::new(FaultKind::Garbled, format!("JSON that is not what was expected ({what:?}, column {at})"))
}

/// PostgreSQL's text cannot hold a NUL.
fn without_nul(text: String) -> String {
    if text.contains('\0') { text.replace('\0', "\u{fffd}") } else { text }
}

#[cfg(test)]
pub mod testing {
    use super::{Chunk, Dialect, Fault, Form, Reader};

    /// Everything that is made of the bytes, which come whole and then byte by byte.
    pub fn read<D: Dialect>(form: Form, bytes: &str) -> (Vec<Chunk>, Option<Fault>) {
        let all = |pieces: Vec<&[u8]>| {
            let mut reader = Reader::<D>::new(form);
            let (mut chunks, mut fault) = (Vec::new(), None);
            let mut take = |reader: &mut Reader<D>| {
                while let Some(item) = reader.next() {
                    assert!(fault.is_none(), "something came after a fault");
                    match item {
                        Ok(chunk) => chunks.push(chunk),
                        Err(f) => fault = Some(f),
                    }
                }
            };
            for piece in pieces {
                reader.push(piece);
                take(&mut reader);
            }
            reader.end();
            take(&mut reader);
            assert!(reader.is_over());
            (chunks, fault)
        };
        let whole = all(vec![bytes.as_bytes()]);
        let split = all(bytes.as_bytes().chunks(1).collect());
        assert_eq!(whole.0, split.0, "{bytes}");
        assert_eq!(whole.1.as_ref().map(|f| f.kind), split.1.as_ref().map(|f| f.kind), "{bytes}");
        whole
    }

    /// Events with these data.
    pub fn events<D: Dialect>(events: &[&str]) -> (Vec<Chunk>, Option<Fault>) {
        let lines: Vec<_> = events.iter().map(|e| format!("data: {e}\n\n")).collect();
        read::<D>(Form::Events, &lines.concat())
    }
}
