//! Anthropic's Messages API, version 2026-10-21 of the protocol, as its reference and its own client have it. That version
//! takes no temperature, so none is sent. What must not live here: the network, and what all protocols share (`wire.rs`,
//! `answer.rs`).

use super::{
    Ask, Chunks, Facts, Fault, FaultKind, Finish, Image, Listed, Said as Message, Usage,
    answer::{Answer, Dialect, described},
    facts::{text, tokens},
    relay::{self, Door, Relayed, Sent, Turned},
    wire::{self, Place, kind_of},
};
use crate::base::config::{self, Hidden};
use serde::Deserialize;
use serde_json::{Value, json};

const ADDRESS: &str = "https://api.anthropic.com/v1";
const VERSION: &str = "2026-10-21";

/// One address.
pub struct Server(pub Place);

impl Server {
    /// # Errors
    /// A header that is none; the settings were checked for that.
    pub fn new(http: reqwest::Client, with: &config::Provider) -> anyhow::Result<Self> {
        Ok(Self(Place::new(http, with, ADDRESS, "x-api-key")?.with_header("anthropic-version", VERSION)))
    }

    pub async fn open(&self, ask: &Ask, key: &Hidden) -> Result<Chunks, Fault> {
        wire::open::<Events>(self.0.post("/messages", key).json(&body(ask)), key).await
    }

    /// Its own protocol, or what it has of OpenAI's.
    pub async fn relay(&self, sent: Sent, key: &Hidden) -> Result<Relayed, Turned> {
        let request = match sent.door {
            Door::Messages => self.0.post("/messages", key),
            door => self.0.post_bearer(relay::path(door), key),
        };
        relay::send::<Events>(request, sent, key).await
    }

    pub async fn models(&self, key: &Hidden) -> Result<Vec<Listed>, Fault> {
        let read = |page: Page| {
            let models = page.data.iter().filter_map(listed).collect();
            (models, page.last_id.filter(|_| page.has_more))
        };
        self.0.list::<Events, Page>("/models", ("limit", "after_id"), key, read).await
    }
}

#[derive(Deserialize)]
struct Page {
    data: Vec<Value>,
    #[serde(default)]
    has_more: bool,
    last_id: Option<String>,
}

/// What an entry of the list says.
fn listed(entry: &Value) -> Option<Listed> {
    let can = |what: &str| entry["capabilities"][what]["supported"].as_bool();
    let facts = Facts {
        label: text(&entry["display_name"]),
        context: tokens(&entry["max_input_tokens"]),
        max_output: tokens(&entry["max_tokens"]),
        images: can("image_input"),
        reasoning: can("thinking"),
        ..Facts::default()
    };
    Some(Listed { name: text(&entry["id"])?, facts: facts.plausible() })
}

fn body(ask: &Ask) -> Value {
    // an empty text is refused; roles need not take turns
    let said = ask.messages.iter().filter(|m| !m.is_empty());
    let messages: Vec<_> =
        said.map(|m| json!({ "role": if m.by_model { "assistant" } else { "user" }, "content": content(m) })).collect();
    let mut body = json!({ "model": ask.model, "messages": messages, "max_tokens": ask.max_tokens, "stream": true });
    if !ask.system.is_empty() {
        body["system"] = json!(ask.system);
    }
    body
}

/// A text as it is; with images, these first, as the vendor advises.
fn content(said: &Message) -> Value {
    if said.images.is_empty() {
        return json!(said.text);
    }
    let image = |image: &Image| {
        let source = json!({ "type": "base64", "media_type": image.media_type, "data": image.data });
        json!({ "type": "image", "source": source })
    };
    let text = (!said.text.is_empty()).then(|| json!({ "type": "text", "text": said.text }));
    said.images.iter().map(image).chain(text).collect()
}

/// What its events mean.
#[derive(Default)]
struct Events {
    /// What was counted so far: the beginning tells of the prompt, the end of the answer.
    counted: Counted,
}

impl Events {
    fn count(&mut self, counted: Option<Counted>, answer: &mut Answer) {
        let Some(new) = counted else { return };
        let all = &mut self.counted;
        for (old, new) in [
            (&mut all.input, new.input),
            (&mut all.to_cache, new.to_cache),
            (&mut all.from_cache, new.from_cache),
            (&mut all.output, new.output),
        ] {
            *old = new.or(*old);
        }
        all.details = new.details.or(all.details.take());
        let of = Option::<i64>::unwrap_or_default;
        let cached = of(all.from_cache);
        answer.usage(Usage {
            // what it counts as input has not come from the cache, nor gone there
            prompt: of(all.input) + of(all.to_cache) + cached,
            cached,
            completion: of(all.output),
            reasoning: all.details.as_ref().map_or(0, |details| details.thinking_tokens),
        });
    }
}

impl Dialect for Events {
    type Said = Said;
    const LAST_WORD: &str = "stop_reason";

    fn said(&mut self, said: Said, answer: &mut Answer) {
        match said {
            Said::MessageStart { message } => self.count(message.usage, answer),
            Said::ContentBlockStart { content_block: block } | Said::ContentBlockDelta { delta: block } => {
                block.say(answer);
            }
            Said::MessageDelta { delta, usage } => {
                finish(delta.stop_reason.as_deref(), answer);
                self.count(usage, answer);
            }
            Said::Message { content, stop_reason, usage } => {
                for block in content {
                    block.say(answer);
                }
                finish(stop_reason.as_deref(), answer);
                self.count(usage, answer);
            }
            Said::Error { error } => answer.fail(described::<Self>(&error)),
            Said::Other => {}
        }
    }

    /// By the status, or by its `type`, each of which stands for one.
    fn kind(error: &Value, status: Option<u16>) -> FaultKind {
        let by_type = || {
            Some(match error.get("type")?.as_str()? {
                "authentication_error" | "permission_error" => 401,
                "rate_limit_error" => 429,
                "invalid_request_error" | "not_found_error" | "request_too_large" | "billing_error" => 400,
                _ => return None,
            })
        };
        status.or_else(by_type).map_or(FaultKind::Broken, kind_of)
    }
}

fn finish(reason: Option<&str>, answer: &mut Answer) {
    match reason {
        None => {}
        Some("max_tokens" | "model_context_window_exceeded") => answer.finish(Finish::Length),
        Some("refusal") => answer.finish(Finish::Filtered),
        Some(_) => answer.finish(Finish::Complete),
    }
}

/// An event of the stream, or (`message`) a whole answer.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Said {
    MessageStart {
        message: Begun,
    },
    ContentBlockStart {
        content_block: Block,
    },
    ContentBlockDelta {
        delta: Block,
    },
    MessageDelta {
        delta: Ended,
        usage: Option<Counted>,
    },
    Message {
        content: Vec<Block>,
        stop_reason: Option<String>,
        usage: Option<Counted>,
    },
    Error {
        error: Value,
    },
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Begun {
    usage: Option<Counted>,
}

/// A part of the answer, or of a part.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Block {
    #[serde(alias = "text_delta")]
    Text { text: String },
    #[serde(alias = "thinking_delta")]
    Thinking { thinking: String },
    #[serde(other)]
    Other,
}

impl Block {
    fn say(self, answer: &mut Answer) {
        match self {
            Self::Text { text } => answer.text(text),
            Self::Thinking { thinking } => answer.reasoning(thinking),
            Self::Other => {}
        }
    }
}

#[derive(Deserialize)]
struct Ended {
    stop_reason: Option<String>,
}

#[derive(Deserialize, Default)]
struct Counted {
    #[serde(rename = "input_tokens")]
    input: Option<i64>,
    #[serde(rename = "cache_creation_input_tokens")]
    to_cache: Option<i64>,
    #[serde(rename = "cache_read_input_tokens")]
    from_cache: Option<i64>,
    #[serde(rename = "output_tokens")]
    output: Option<i64>,
    #[serde(rename = "output_tokens_details")]
    details: Option<CountedOutput>,
}

#[derive(Deserialize)]
struct CountedOutput {
    #[serde(default)]
    thinking_tokens: i64,
}

#[cfg(test)]
mod tests;
