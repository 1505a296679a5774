//! The answer of a call on its way out: as it came, or in the shape that was asked for. An answer that breaks off says so in the
//! words of its protocol; one that comes as a whole is then broken off too.

use super::{Answer, Held, JSON, Refused, refusal};
use crate::{
    domain::calls::{End, Made, Passing, Wanted},
    http::{
        ended::Hold,
        respond::{self, vendor},
    },
    outside::llm::{
        FaultKind,
        relay::{
            Door, Strip,
            messages::{self, Translator},
        },
    },
};
use axum::{body::Body, http::header, response::Response};
use bytes::{Bytes, BytesMut};
use futures::{Stream, stream};
use serde_json::{Value, json};
use std::{io, sync::Arc};

/// What an answer has to look like.
pub enum Shape {
    AsItIs,
    /// Without the event that tells what was used.
    Stripped(Strip),
    /// As it is, of OpenAI's Responses: their errors are events with a name.
    Responses,
    /// Anthropic's, for whoever asked for the model by this name.
    Messages(String),
}

impl Shape {
    pub fn stripped() -> Self {
        Self::Stripped(Strip::default())
    }
}

/// An answer of a known length up to so much is read before it is sent on; a translated one may be no longer than that twice.
const SHORT: usize = 1024 * 1024;
const LONG: usize = 16 * SHORT;

pub async fn answer(wanted: &Wanted<'_>, made: Made, shape: Shape, held: &Held) -> Answer {
    let Made { allowance, door, answer, begun } = made;
    let hold = held.hold.clone();
    let mut passing = Passing::new(begun, answer.pieces, held.ended.clone());
    let streams = answer.content_type.as_bytes().starts_with(b"text/event-stream");
    let shape = match shape {
        // it was asked in its own protocol
        Shape::Messages(_) if door == Door::Messages => Shape::AsItIs,
        shape => shape,
    };
    let translated = matches!(shape, Shape::Messages(_));
    let body = if streams {
        let next = match shape {
            Shape::Messages(model) => Next::Translated(Translator::new(&model)),
            Shape::Stripped(strip) => Next::Stripped(strip),
            Shape::AsItIs | Shape::Responses => Next::AsItIs,
        };
        Body::from_stream(events(Out { passing, next: Some(next), errors: Errors::of(wanted.door), _hold: hold }))
    } else if translated || answer.length.is_some_and(|length| length <= SHORT) {
        let whole = tokio::select! {
            whole = whole(&mut passing) => whole,
            () = wanted.left.cancelled() => return refusal(Refused::Left, wanted),
        };
        let whole = match (whole, shape) {
            (Ok(whole), Shape::Messages(model)) => translate(&whole, &model),
            (Ok(whole), _) => Ok(whole),
            (Err(refused), _) => Err(refused),
        };
        match whole {
            Ok(whole) => Body::from(whole),
            Err(refused) => return refusal(refused, wanted),
        }
    } else {
        Body::from_stream(as_it_comes(passing, hold))
    };
    let mut response = if streams { respond::events(body) } else { Response::new(body) };
    let content_type = if translated && !streams { JSON } else { answer.content_type };
    response.headers_mut().insert(header::CONTENT_TYPE, content_type);
    Ok(respond::counted(response, allowance))
}

fn translate(whole: &[u8], model: &str) -> Result<Bytes, Refused> {
    let said: Value = serde_json::from_slice(whole).unwrap_or_default();
    let words = said["error"]["message"].as_str().unwrap_or("The provider sent something that is no answer.");
    let translated = messages::whole(&said, model).map(|message| message.to_string().into());
    translated.ok_or_else(|| Refused::Failed(FaultKind::Garbled, words.to_owned()))
}

async fn whole(passing: &mut Passing) -> Result<Bytes, Refused> {
    let mut all = BytesMut::new();
    loop {
        match passing.next().await {
            Ok(Some(bytes)) if all.len() + bytes.len() <= LONG => all.extend_from_slice(&bytes),
            Ok(Some(_)) => {
                return Err(Refused::Failed(FaultKind::TooLong, "The provider's answer is too long.".to_owned()));
            }
            Ok(None) => return Ok(all.freeze()),
            Err(End::Revoked) => return Err(Refused::Revoked),
            Err(End::Stopping) => return Err(Refused::Stopping),
            Err(end @ End::Fault(kind)) => return Err(Refused::Failed(kind, sentence(end).to_owned())),
        }
    }
}

/// Bytes as they come; the connection breaks where the answer does.
fn as_it_comes(passing: Passing, hold: Option<Arc<Hold>>) -> impl Stream<Item = io::Result<Bytes>> {
    stream::unfold(Some((passing, hold)), |open| async move {
        let (mut passing, hold) = open?;
        match passing.next().await {
            Ok(Some(bytes)) => Some((Ok(bytes), Some((passing, hold)))),
            Ok(None) => None,
            Err(end) => Some((Err(io::Error::other(sentence(end))), None)),
        }
    })
}

/// A stream of events on its way out.
struct Out {
    passing: Passing,
    /// Nothing more comes.
    next: Option<Next>,
    errors: Errors,
    _hold: Option<Arc<Hold>>,
}

enum Next {
    AsItIs,
    Stripped(Strip),
    Translated(Translator),
}

/// How an event stream says that it breaks off.
#[derive(Clone, Copy)]
enum Errors {
    OpenAi,
    Responses,
    Anthropic,
}

impl Errors {
    fn of(door: Door) -> Self {
        match door {
            Door::Messages => Self::Anthropic,
            Door::Responses => Self::Responses,
            _ => Self::OpenAi,
        }
    }

    fn event(self, sentence: &str) -> Bytes {
        match self {
            Self::OpenAi => format!("data: {}\n\n", vendor::openai_error("server_error", None, None, sentence)),
            Self::Responses => {
                let error = json!({ "type": "error", "code": "server_error", "message": sentence, "param": null });
                format!("event: error\ndata: {error}\n\n")
            }
            Self::Anthropic => format!("event: error\ndata: {}\n\n", vendor::anthropic_error("api_error", sentence)),
        }
        .into()
    }
}

fn events(out: Out) -> impl Stream<Item = io::Result<Bytes>> {
    stream::unfold(out, |mut out| async move {
        loop {
            let next = out.next.as_mut()?;
            let bytes = match (out.passing.next().await, next) {
                (Ok(Some(bytes)), Next::AsItIs) => bytes,
                (Ok(Some(bytes)), Next::Stripped(strip)) => strip.push(bytes).unwrap_or_else(|| {
                    out.next = None;
                    out.errors.event("The provider sent something that is no answer.")
                }),
                (Ok(Some(bytes)), Next::Translated(translator)) => translator.push(&bytes),
                (Ok(None), _) => match out.next.take()? {
                    Next::AsItIs => return None,
                    Next::Stripped(strip) => strip.end(),
                    Next::Translated(mut translator) => translator.end(),
                },
                (Err(end), _) => {
                    out.next = None;
                    out.errors.event(sentence(end))
                }
            };
            if !bytes.is_empty() {
                return Some((Ok(bytes), out));
            }
        }
    })
}

fn sentence(end: End) -> &'static str {
    match end {
        End::Fault(FaultKind::Silent) => "The provider stopped sending.",
        End::Fault(_) => "The connection to the provider broke before the answer was complete.",
        End::Revoked => "The key that this was asked with is not good any more.",
        End::Stopping => "The server is restarting. Ask again.",
    }
}
