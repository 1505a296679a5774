//! What programs ask in a vendor's own protocol, and its answer, as bytes that pass through: only what is counted is looked at.
//! What must not live here: who may ask what, and which key to try next (domain/calls).

mod fields;
pub mod messages;
mod meter;
mod strip;

pub use fields::{Fields, Unreadable};
pub use meter::Meter;
pub use strip::Strip;

use super::{
    Fault, FaultKind, Line, Provider,
    answer::Dialect,
    demo, keys,
    wire::{self, chain, refused, unreachable},
};
use crate::base::config::Hidden;
use bytes::Bytes;
use futures::{Stream, StreamExt as _};
use reqwest::{
    RequestBuilder,
    header::{self, HeaderName, HeaderValue},
};
use serde_json::value::RawValue;
use std::pin::Pin;

/// What is asked for, by the protocol that it is asked in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    Chat,
    Completions,
    Responses,
    Embeddings,
    Transcriptions,
    Speech,
    /// Anthropic's.
    Messages,
}

impl Door {
    /// Where OpenAI has it.
    fn path(self) -> Option<&'static str> {
        match self {
            Self::Chat => Some("/chat/completions"),
            Self::Completions => Some("/completions"),
            Self::Responses => Some("/responses"),
            Self::Embeddings => Some("/embeddings"),
            Self::Transcriptions => Some("/audio/transcriptions"),
            Self::Speech => Some("/audio/speech"),
            Self::Messages => None,
        }
    }
}

/// A request as it is sent on.
#[derive(Debug, Clone)]
pub struct Sent {
    pub door: Door,
    pub content_type: HeaderValue,
    pub body: Bytes,
    /// Anthropic's header that names what is not yet for everybody.
    pub beta: Option<HeaderValue>,
}

/// An answer that has begun.
pub struct Relayed {
    pub content_type: HeaderValue,
    /// In bytes, if the provider told.
    pub length: Option<usize>,
    pub pieces: Pieces,
}

/// The bytes of an answer as they come. Dropping them closes the connection to the provider.
pub type Pieces = Pin<Box<dyn Stream<Item = Result<Bytes, Fault>> + Send>>;

/// There is no answer.
#[derive(Debug)]
pub struct Turned {
    pub fault: Fault,
    /// Of the provider's refusal.
    pub status: Option<u16>,
    /// What the provider said of a request that it does not take: its status, and its JSON.
    pub said: Option<(u16, Bytes)>,
}

impl From<Fault> for Turned {
    fn from(fault: Fault) -> Self {
        Self { fault, status: None, said: None }
    }
}

impl Provider {
    /// Whether it can be asked so. Anthropic and Google have OpenAI's protocol beside their own.
    #[must_use]
    pub fn has(&self, door: Door) -> bool {
        match self.line {
            Line::OpenAi(_) => door.path().is_some(),
            Line::Anthropic(_) => matches!(door, Door::Messages | Door::Chat),
            Line::Gemini(_) => matches!(door, Door::Chat | Door::Embeddings),
            Line::Demo => door == Door::Chat,
        }
    }

    /// Sends a request on, and returns when the provider has begun to answer.
    ///
    /// # Errors
    /// [`Turned`]; nothing of the answer has been seen then.
    pub async fn relay(&self, sent: Sent, key: &keys::Key) -> Result<Relayed, Turned> {
        let key = &key.value;
        match &self.line {
            Line::OpenAi(server) => server.relay(sent, key).await,
            Line::Anthropic(server) => server.relay(sent, key).await,
            Line::Gemini(server) => server.relay(sent, key).await,
            Line::Demo => Ok(demo::relay(&sent.body)),
        }
    }
}

/// The path of OpenAI's protocol for what a server [`Provider::has`].
pub(super) fn path(door: Door) -> &'static str {
    door.path().expect("only what a provider has is sent to it")
}

/// Sends what asks for an answer, with its body.
pub(super) async fn send<D: Dialect>(request: RequestBuilder, sent: Sent, key: &Hidden) -> Result<Relayed, Turned> {
    let mut request = request.header(header::CONTENT_TYPE, sent.content_type).body(sent.body);
    if let Some(beta) = sent.beta {
        request = request.header(HeaderName::from_static("anthropic-beta"), beta);
    }
    let mut response = request.send().await.map_err(unreachable)?;
    let status = response.status();
    if !status.is_success() {
        let (fault, body) = refused::<D>(&mut response, key).await;
        let is_its_word = fault.kind == FaultKind::Refused && serde_json::from_slice::<&RawValue>(&body).is_ok();
        let said = is_its_word.then(|| (status.as_u16(), wire::without_key(key, body).into()));
        return Err(Turned { fault, status: Some(status.as_u16()), said });
    }
    let content_type = response.headers().get(header::CONTENT_TYPE).cloned();
    let content_type = content_type.unwrap_or(HeaderValue::from_static("application/octet-stream"));
    if content_type.as_bytes().starts_with(b"text/html") {
        return Err(
            Fault::new(FaultKind::Garbled, "a page of HTML instead of an answer: is the base_url right?").into()
        );
    }
    let cut = |error: reqwest::Error| Fault::new(FaultKind::Cut, chain(&error.without_url()));
    let length = response.content_length().and_then(|length| usize::try_from(length).ok());
    Ok(Relayed { content_type, length, pieces: response.bytes_stream().map(move |piece| piece.map_err(cut)).boxed() })
}
