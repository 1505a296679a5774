//! Any server that speaks OpenAI's chat completions. Of the library (async-openai) come addresses and headers. Its reader
//! has no bound on a line, keeps what we do not read in a channel without end, and hides `[DONE]` and the names of events,
//! and it has no call that returns the response as it is: so requests are sent by `wire.rs` and read by `answer.rs`.
//! Servers differ in more than a standard could say; every difference that is known has its row in `openai/tests.rs`.

use super::{
    Ask, Chunks, Facts, Fault, FaultKind, Finish, Image, Listed, Said as Message, Usage,
    answer::{Answer, Dialect, described},
    facts::{text, tokens},
    relay::{self, Relayed, Sent, Turned},
    wire::{self, kind_of},
};
use crate::base::config::{self, Hidden, Price};
use async_openai::config::{Config as _, OpenAIConfig};
use reqwest::{
    RequestBuilder,
    header::{self, HeaderMap},
};
use serde::Deserialize;
use serde_json::{Value, json};

const ADDRESS: &str = "https://api.openai.com/v1";

/// One address.
pub struct Server {
    http: reqwest::Client,
    config: OpenAIConfig,
    /// Beside the key, or instead of it.
    headers: HeaderMap,
    /// OpenAI itself: its newer models take no `max_tokens`, and other servers take nothing else.
    pub is_the_vendor: bool,
}

impl Server {
    /// # Errors
    /// A header that is none; the settings were checked for that.
    pub fn new(http: reqwest::Client, with: &config::Provider) -> anyhow::Result<Self> {
        let (base_url, is_the_vendor) = wire::base_url(with, ADDRESS);
        // with no key: what stands in the environment may be several, or no value of a header
        let config = OpenAIConfig::new().with_api_base(base_url).with_api_key("");
        let mut headers = config.headers();
        headers.remove(header::AUTHORIZATION);
        headers.extend(wire::headers(with)?);
        Ok(Self { http, config, headers, is_the_vendor })
    }

    fn keyed(&self, request: RequestBuilder, key: &Hidden) -> RequestBuilder {
        let request = request.headers(self.headers.clone());
        if self.headers.contains_key(header::AUTHORIZATION) { request } else { request.bearer_auth(key.expose()) }
    }

    pub async fn open(&self, ask: &Ask, key: &Hidden) -> Result<Chunks, Fault> {
        let request = self.http.post(self.config.url("/chat/completions")).json(&body(ask, self.is_the_vendor));
        wire::open::<Events>(self.keyed(request, key), key).await
    }

    pub async fn relay(&self, sent: Sent, key: &Hidden) -> Result<Relayed, Turned> {
        let request = self.http.post(self.config.url(relay::path(sent.door)));
        relay::send::<Events>(self.keyed(request, key), sent, key).await
    }

    pub async fn models(&self, key: &Hidden) -> Result<Vec<Listed>, Fault> {
        let request = self.keyed(self.http.get(self.config.url("/models")), key);
        let list: ModelList = wire::document::<Events, _>(request, key).await?;
        Ok(list.data.iter().filter_map(listed).collect())
    }
}

#[derive(Deserialize)]
struct ModelList {
    data: Vec<Value>,
}

/// What an entry of the list says. OpenAI's own tells the name alone; others add more, each by its own words: OpenRouter,
/// SambaNova and Together `context_length`, Groq `context_window`, vLLM `max_model_len`, Mistral `max_context_length`.
fn listed(entry: &Value) -> Option<Listed> {
    let context = ["context_length", "context_window", "max_model_len", "max_context_length"];
    let output = &entry["top_provider"]["max_completion_tokens"];
    let takes = entry["supported_parameters"].as_array();
    let can = |what: &str| takes.map(|takes| takes.iter().any(|parameter| parameter == what));
    let sees = entry["architecture"]["input_modalities"].as_array();
    let facts = Facts {
        label: text(&entry["name"]).or_else(|| text(&entry["display_name"])),
        context: context.iter().find_map(|name| tokens(&entry[name])),
        max_output: tokens(&entry["max_completion_tokens"]).or_else(|| tokens(output)),
        images: sees
            .map(|sees| sees.iter().any(|m| m == "image"))
            .or_else(|| entry["capabilities"]["vision"].as_bool()),
        tools: can("tools").or_else(|| entry["capabilities"]["function_calling"].as_bool()),
        reasoning: can("reasoning"),
        price: price(&entry["pricing"]),
    };
    Some(Listed { name: text(&entry["id"])?, facts: facts.plausible() })
}

/// As OpenRouter and SambaNova tell it: for one token, in US dollars.
fn price(said: &Value) -> Option<Price> {
    let million = |name: &str| {
        let one = said[name].as_f64().or_else(|| said[name].as_str()?.parse().ok())?;
        Some((one * 1e12).round() / 1e6)
    };
    Some(Price { input: million("prompt")?, cached: million("input_cache_read"), output: million("completion")? })
}

fn body(ask: &Ask, is_the_vendor: bool) -> Value {
    // one at most: some servers' templates take no second one
    let system = (!ask.system.is_empty()).then(|| json!({ "role": "system", "content": ask.system }));
    let said = ask
        .messages
        .iter()
        .map(|m| json!({ "role": if m.by_model { "assistant" } else { "user" }, "content": content(m) }));
    let messages: Vec<_> = system.into_iter().chain(said).collect();
    let mut body = json!({
        "model": ask.model,
        "messages": messages,
        "stream": true,
        "stream_options": { "include_usage": true },
    });
    body[if is_the_vendor { "max_completion_tokens" } else { "max_tokens" }] = json!(ask.max_tokens);
    if let Some(temperature) = ask.temperature {
        body["temperature"] = json!(temperature);
    }
    body
}

/// A text as it is, which every server takes; with images, parts.
fn content(said: &Message) -> Value {
    if said.images.is_empty() {
        return json!(said.text);
    }
    let text = (!said.text.is_empty()).then(|| json!({ "type": "text", "text": said.text }));
    let image = |image: &Image| {
        let url = format!("data:{};base64,{}", image.media_type, image.data);
        json!({ "type": "image_url", "image_url": { "url": url } })
    };
    text.into_iter().chain(said.images.iter().map(image)).collect()
}

/// What its events mean.
#[derive(Default)]
struct Events;

impl Dialect for Events {
    type Said = Said;
    const LAST_WORD: &str = "finish_reason";

    /// Servers differ: `reasoning_content` or `reasoning`, usage in the last event or in one of its own, an error inside a
    /// stream of 200.
    fn said(&mut self, said: Said, answer: &mut Answer) {
        if let Some(error) = said.error {
            return answer.fail(described::<Self>(&error));
        }
        if let Some(choice) = said.choices.unwrap_or_default().into_iter().next() {
            let delta = choice.delta.or(choice.message).unwrap_or_default();
            answer.reasoning(delta.reasoning_content.or(delta.reasoning));
            answer.text(delta.content);
            match choice.finish_reason.as_deref() {
                None | Some("") => {}
                Some("error") => answer.fail(Fault::new(FaultKind::Broken, "finish_reason: error")),
                Some("length") => answer.finish(Finish::Length),
                Some("content_filter") => answer.finish(Finish::Filtered),
                Some(_) => answer.finish(Finish::Complete),
            }
        }
        if let Some(u) = said.usage {
            answer.usage(Usage {
                prompt: u.prompt_tokens,
                cached: u.prompt_tokens_details.and_then(|d| d.cached_tokens).unwrap_or_default(),
                completion: u.completion_tokens,
                reasoning: u.completion_tokens_details.and_then(|d| d.reasoning_tokens).unwrap_or_default(),
            });
        }
    }

    /// By the status, or by its `code` if that is one.
    fn kind(error: &Value, status: Option<u16>) -> FaultKind {
        let code = error.get("code").and_then(|c| c.as_u64().or_else(|| c.as_str()?.parse().ok()));
        let code = code.and_then(|c| u16::try_from(c).ok()).filter(|c| (400..600).contains(c));
        status.or(code).map_or(FaultKind::Broken, kind_of)
    }
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
