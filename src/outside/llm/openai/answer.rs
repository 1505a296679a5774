//! What a server sends after a request, read: pure, bytes in and chunks or faults out. Servers differ in more than a
//! standard could say; every difference that is known has its row in `tests.rs`. What must not live here: IO, deadlines,
//! what is done after a fault.

use super::{
    super::{
        Chunk, Fault, FaultKind, Finish, Usage,
        sse::{self, Decoder, MAX_EVENT},
    },
    kind_of,
};
use serde::Deserialize;
use serde_json::Value;
use std::collections::VecDeque;

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

/// Takes the bytes of an answer and hands out what they mean.
pub struct Reader {
    source: Source,
    answer: Answer,
}

enum Source {
    Events(Decoder),
    Whole(Vec<u8>),
}

/// What was understood so far.
#[derive(Default)]
struct Answer {
    ready: VecDeque<Result<Chunk, Fault>>,
    /// A `finish_reason` came: the answer is complete, whatever follows.
    finished: bool,
    /// Nothing more will be handed out than what is ready.
    over: bool,
}

impl Reader {
    pub fn new(form: Form) -> Self {
        let source = match form {
            Form::Events => Source::Events(Decoder::default()),
            Form::Whole => Source::Whole(Vec::new()),
        };
        Self { source, answer: Answer::default() }
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
        let answer = &mut self.answer;
        match &mut self.source {
            Source::Events(decoder) => {
                if let Err(error) = decoder.push(bytes, |event| answer.event(event)) {
                    answer.fail(Fault::new(FaultKind::Garbled, error.to_string()));
                }
            }
            Source::Whole(document) if document.len() + bytes.len() > MAX_EVENT => {
                answer.fail(Fault::new(FaultKind::Garbled, format!("a document of more than {MAX_EVENT} bytes")));
            }
            Source::Whole(document) => document.extend_from_slice(bytes),
        }
    }

    /// The server closed the stream in order.
    pub fn end(&mut self) {
        let detail = match &self.source {
            Source::Events(decoder) if decoder.is_unfinished() => "the stream ended within an event",
            Source::Events(_) => "the stream ended without a finish_reason",
            Source::Whole(document) => {
                self.answer.document(document);
                "the document has no finish_reason"
            }
        };
        self.answer.end(detail);
    }

    /// The connection broke.
    pub fn fail(&mut self, fault: Fault) {
        self.answer.fail(fault);
    }
}

impl Answer {
    fn event(&mut self, event: sse::Event<'_>) {
        let data = event.data.trim();
        match event.name {
            _ if self.over || data.is_empty() => {}
            "ping" | "keepalive" => {}
            _ if data == "[DONE]" => self.end("[DONE] without a finish_reason"),
            "error" => {
                let error = serde_json::from_str::<Value>(data).unwrap_or_default();
                self.fail(described(error.get("error").unwrap_or(&error)));
            }
            _ => match serde_json::from_str(data) {
                Ok(said) => self.said(said),
                Err(error) => self.fail(garbled(&error)),
            },
        }
    }

    fn document(&mut self, document: &[u8]) {
        match serde_json::from_slice(document) {
            Ok(said) => self.said(said),
            Err(error) => self.fail(garbled(&error)),
        }
    }

    /// One event, or the whole document. Servers differ: `reasoning_content` or `reasoning`, usage in the last event or
    /// in one of its own, an error inside a stream of 200.
    fn said(&mut self, said: Said) {
        if let Some(error) = said.error {
            return self.fail(described(&error));
        }
        if let Some(choice) = said.choices.unwrap_or_default().into_iter().next() {
            let delta = choice.delta.or(choice.message).unwrap_or_default();
            self.text(delta.reasoning_content.or(delta.reasoning), Chunk::Reasoning);
            self.text(delta.content, Chunk::Text);
            match choice.finish_reason.as_deref() {
                None | Some("") => {}
                Some("error") => self.fail(Fault::new(FaultKind::Broken, "finish_reason: error")),
                Some("length") => self.finish(Finish::Length),
                Some("content_filter") => self.finish(Finish::Filtered),
                Some(_) => self.finish(Finish::Complete),
            }
        }
        if let Some(u) = said.usage {
            self.ready.push_back(Ok(Chunk::Usage(Usage {
                prompt: u.prompt_tokens,
                cached: u.prompt_tokens_details.and_then(|d| d.cached_tokens).unwrap_or_default(),
                completion: u.completion_tokens,
                reasoning: u.completion_tokens_details.and_then(|d| d.reasoning_tokens).unwrap_or_default(),
            })));
        }
    }

    fn text(&mut self, text: Option<String>, chunk: fn(String) -> Chunk) {
        if let Some(text) = text.filter(|t| !(t.is_empty() || self.finished)) {
            self.ready.push_back(Ok(chunk(without_nul(text))));
        }
    }

    fn finish(&mut self, why: Finish) {
        if !std::mem::replace(&mut self.finished, true) {
            self.ready.push_back(Ok(Chunk::Finished(why)));
        }
    }

    /// The end, in order or by `[DONE]`: a cut if the model had not said that it is done.
    fn end(&mut self, detail: &str) {
        self.fail(Fault::new(FaultKind::Cut, detail));
    }

    fn fail(&mut self, fault: Fault) {
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

/// The fault that an error object tells of: by its `code` if that is a status.
fn described(error: &Value) -> Fault {
    let code = error.get("code").and_then(|c| c.as_u64().or_else(|| c.as_str()?.parse().ok()));
    let status = code.and_then(|c| u16::try_from(c).ok()).filter(|c| (400..600).contains(c));
    let message = error.get("message").unwrap_or(error).to_string();
    let detail = message.chars().take(300).collect::<String>();
    Fault::new(status.map_or(FaultKind::Broken, kind_of), detail)
}

/// PostgreSQL's text cannot hold a NUL.
fn without_nul(text: String) -> String {
    if text.contains('\0') { text.replace('\0', "\u{fffd}") } else { text }
}

/// An event of the stream (`delta`) or a whole answer (`message`).
#[derive(Deserialize)]
struct Said {
    choices: Option<Vec<Choice>>,
    usage: Option<Counted>,
    error: Option<Value>,
}

#[derive(Deserialize)]
struct Choice {
    delta: Option<Words>,
    message: Option<Words>,
    finish_reason: Option<String>,
}

#[derive(Deserialize, Default)]
struct Words {
    content: Option<String>,
    reasoning_content: Option<String>,
    reasoning: Option<String>,
}

#[derive(Deserialize)]
struct Counted {
    #[serde(default)]
    prompt_tokens: i64,
    #[serde(default)]
    completion_tokens: i64,
    prompt_tokens_details: Option<PromptDetails>,
    completion_tokens_details: Option<CompletionDetails>,
}

#[derive(Deserialize)]
struct PromptDetails {
    cached_tokens: Option<i64>,
}

#[derive(Deserialize)]
struct CompletionDetails {
    reasoning_tokens: Option<i64>,
}

#[cfg(test)]
mod tests;
