//! Gemini's generateContent, as its reference of November 2026 has it (v1beta). What must not live here: the network, and
//! what all protocols share (`wire.rs`, `answer.rs`).

use super::{
    Ask, Chunks, Facts, Fault, FaultKind, Finish, Image, Listed, Said as Message, Usage,
    answer::{Answer, Dialect, described},
    facts::{text, tokens},
    relay::{self, Relayed, Sent, Turned},
    wire::{self, Place, kind_of},
};
use crate::base::config::{self, Hidden};
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::Duration;

const ADDRESS: &str = "https://generativelanguage.googleapis.com/v1beta";

/// One address.
pub struct Server(pub Place);

impl Server {
    /// # Errors
    /// A header that is none; the settings were checked for that.
    pub fn new(http: reqwest::Client, with: &config::Provider) -> anyhow::Result<Self> {
        Ok(Self(Place::new(http, with, ADDRESS, "x-goog-api-key")?))
    }

    pub async fn open(&self, ask: &Ask, key: &Hidden) -> Result<Chunks, Fault> {
        // tuned ones have a folder of their own
        let folder = if ask.model.contains('/') { "" } else { "models/" };
        let path = format!("/{folder}{}:streamGenerateContent?alt=sse", ask.model);
        wire::open::<Events>(self.0.post(&path, key).json(&body(ask)), key).await
    }

    /// What it has of OpenAI's protocol.
    pub async fn relay(&self, sent: Sent, key: &Hidden) -> Result<Relayed, Turned> {
        let path = format!("/openai{}", relay::path(sent.door));
        relay::send::<Events>(self.0.post_bearer(&path, key), sent, key).await
    }

    /// Those that hold conversations.
    pub async fn models(&self, key: &Hidden) -> Result<Vec<Listed>, Fault> {
        let read = |page: Page| (page.models.iter().filter_map(listed).collect(), page.next_page_token);
        self.0.list::<Events, Page>("/models", ("pageSize", "pageToken"), key, read).await
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    #[serde(default)]
    models: Vec<Value>,
    next_page_token: Option<String>,
}

/// What an entry of the list says, of a model that holds conversations.
fn listed(entry: &Value) -> Option<Listed> {
    if !entry["supportedGenerationMethods"].as_array()?.iter().any(|method| method == "generateContent") {
        return None;
    }
    let facts = Facts {
        label: text(&entry["displayName"]),
        context: tokens(&entry["inputTokenLimit"]),
        max_output: tokens(&entry["outputTokenLimit"]),
        reasoning: entry["thinking"].as_bool(),
        ..Facts::default()
    };
    let name = text(&entry["name"])?;
    let name = name.strip_prefix("models/").map(str::to_owned).unwrap_or(name);
    Some(Listed { name, facts: facts.plausible() })
}

fn body(ask: &Ask) -> Value {
    // an empty text is refused
    let said = ask.messages.iter().filter(|m| !m.is_empty());
    let contents: Vec<_> =
        said.map(|m| json!({ "role": if m.by_model { "model" } else { "user" }, "parts": parts(m) })).collect();
    let mut body = json!({ "contents": contents, "generationConfig": { "maxOutputTokens": ask.max_tokens } });
    if !ask.system.is_empty() {
        body["systemInstruction"] = json!({ "role": "user", "parts": [{ "text": ask.system }] });
    }
    if let Some(temperature) = ask.temperature {
        body["generationConfig"]["temperature"] = json!(temperature);
    }
    // other models at the same place (Gemma) refuse to be asked for thoughts
    if ask.model.starts_with("gemini-") {
        body["generationConfig"]["thinkingConfig"] = json!({ "includeThoughts": true });
    }
    body
}

/// Images first, as the vendor advises.
fn parts(said: &Message) -> Value {
    let image = |image: &Image| json!({ "inlineData": { "mimeType": image.media_type, "data": image.data } });
    let text = (!said.text.is_empty()).then(|| json!({ "text": said.text }));
    said.images.iter().map(image).chain(text).collect()
}

/// What its events mean: each is a whole answer of its own, with a part of the text.
#[derive(Default)]
struct Events;

impl Dialect for Events {
    type Said = Said;
    const LAST_WORD: &str = "finishReason";

    fn said(&mut self, said: Said, answer: &mut Answer) {
        if let Some(error) = said.error {
            return answer.fail(described::<Self>(&error));
        }
        if let Some(u) = said.usage_metadata {
            answer.usage(Usage {
                prompt: u.prompt,
                cached: u.cached,
                // it counts thoughts beside the answer
                completion: u.candidates + u.thoughts,
                reasoning: u.thoughts,
            });
        }
        if let Some(reason) = said.prompt_feedback.and_then(|feedback| feedback.block_reason) {
            let reason: String = reason.chars().take(40).collect();
            return answer.fail(Fault::new(FaultKind::Refused, format!("the prompt was blocked: {reason}")));
        }
        let Some(candidate) = said.candidates.into_iter().next() else { return };
        for part in candidate.content.unwrap_or_default().parts {
            if part.thought { answer.reasoning(part.text) } else { answer.text(part.text) }
        }
        match candidate.finish_reason.as_deref() {
            None | Some("" | "FINISH_REASON_UNSPECIFIED") => {}
            Some("MAX_TOKENS") => answer.finish(Finish::Length),
            Some(
                reason @ ("MALFORMED_FUNCTION_CALL"
                | "MALFORMED_RESPONSE"
                | "UNEXPECTED_TOOL_CALL"
                | "TOO_MANY_TOOL_CALLS"
                | "MISSING_THOUGHT_SIGNATURE"),
            ) => answer.fail(Fault::new(FaultKind::Broken, format!("finishReason: {reason}"))),
            Some(
                "SAFETY" | "RECITATION" | "LANGUAGE" | "BLOCKLIST" | "PROHIBITED_CONTENT" | "SPII" | "MODEL_ARMOR",
            ) => answer.finish(Finish::Filtered),
            Some(_) => answer.finish(Finish::Complete),
        }
    }

    /// By the status, or by its `code`; but a key that is not one is a 400 here.
    fn kind(error: &Value, status: Option<u16>) -> FaultKind {
        if details(error).any(|detail| detail.get("reason").is_some_and(|reason| reason == "API_KEY_INVALID")) {
            return FaultKind::Key;
        }
        let code = error.get("code").and_then(Value::as_u64).and_then(|code| u16::try_from(code).ok());
        status.or(code.filter(|code| (400..600).contains(code))).map_or(FaultKind::Broken, kind_of)
    }

    /// It sends no header, but a `RetryInfo` such as `{"retryDelay": "7.5s"}`.
    fn retry_after(error: &Value) -> Option<Duration> {
        let delay =
            details(error).find_map(|detail| detail.get("retryDelay")?.as_str()?.strip_suffix('s')?.parse().ok());
        Duration::try_from_secs_f64(delay?).ok()
    }
}

fn details(error: &Value) -> impl Iterator<Item = &Value> {
    error.get("details").and_then(Value::as_array).into_iter().flatten()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Said {
    #[serde(default)]
    candidates: Vec<Candidate>,
    prompt_feedback: Option<PromptFeedback>,
    usage_metadata: Option<Counted>,
    error: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Candidate {
    content: Option<Content>,
    finish_reason: Option<String>,
}

#[derive(Deserialize, Default)]
struct Content {
    #[serde(default)]
    parts: Vec<Part>,
}

#[derive(Deserialize)]
struct Part {
    text: Option<String>,
    #[serde(default)]
    thought: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PromptFeedback {
    block_reason: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Counted {
    #[serde(rename = "promptTokenCount")]
    prompt: i64,
    #[serde(rename = "cachedContentTokenCount")]
    cached: i64,
    #[serde(rename = "candidatesTokenCount")]
    candidates: i64,
    #[serde(rename = "thoughtsTokenCount")]
    thoughts: i64,
}

#[cfg(test)]
mod tests;
