//! Language models, in our words: what is asked, the chunks that come, and the faults. One file per protocol.
//! What must not live here: which key to try next, what to do after a fault (domain/generation).

mod answer;
mod anthropic;
mod demo;
mod facts;
mod gemini;
mod keys;
mod openai;
pub mod relay;
pub mod sse;
mod tokens;
mod wire;

pub use facts::{Facts, Listed, MOST_LABEL, MOST_TOKENS};
pub use keys::{Key, Known, Pick, Standing, pick};
pub use tokens::{Counter, guess, image_tokens};
pub use wire::origin;

use crate::base::config::{self, Config, Hidden, ProviderKind};
use anyhow::Context as _;
use futures::Stream;
use std::{
    collections::BTreeMap,
    pin::Pin,
    sync::{Arc, Mutex},
    time::Duration,
};

/// What is sent to a model.
#[derive(Debug, Clone, PartialEq)]
pub struct Ask {
    /// The provider's own name of the model.
    pub model: String,
    /// Told before the conversation; may be empty.
    pub system: String,
    /// The path's messages, oldest first.
    pub messages: Vec<Said>,
    /// Upper bound of the answer, in tokens.
    pub max_tokens: u32,
    /// From 0 to 2; nothing: as the provider has it.
    pub temperature: Option<f64>,
}

impl Ask {
    /// So many tokens are asked for and may come: [`Ask::prompt_tokens`], and the whole answer.
    #[must_use]
    pub fn tokens(&self) -> i64 {
        self.prompt_tokens() + i64::from(self.max_tokens)
    }

    /// So many tokens are asked for, by a guess that is rather too high: a token is some 4 bytes of English and 3 of code; each
    /// message has a few for its role.
    #[must_use]
    pub fn prompt_tokens(&self) -> i64 {
        self.bytes() / 3 + self.images()
    }

    /// No more tokens are asked for than so many: each has a byte at least, and each message a few for its role.
    #[must_use]
    pub fn most_prompt_tokens(&self) -> i64 {
        self.bytes() + self.images()
    }

    fn bytes(&self) -> i64 {
        let bytes = self.system.len() + 8 + self.messages.iter().map(|message| message.text.len() + 8).sum::<usize>();
        i64::try_from(bytes).unwrap_or(i64::MAX / 2)
    }

    /// The tokens of all images.
    fn images(&self) -> i64 {
        self.messages.iter().flat_map(|message| &message.images).map(|image| image.tokens).sum()
    }
}

/// One message of the conversation as a model sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    pub by_model: bool,
    /// Empty only beside an image.
    pub text: String,
    pub images: Vec<Image>,
}

impl Said {
    /// Words alone.
    #[must_use]
    pub fn words(by_model: bool, text: impl Into<String>) -> Self {
        Self { by_model, text: text.into(), images: Vec::new() }
    }

    /// Nothing that could be sent.
    fn is_empty(&self) -> bool {
        self.text.is_empty() && self.images.is_empty()
    }
}

/// An image of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// `image/png` or `image/jpeg`.
    pub media_type: String,
    /// Its bytes in Base64, which is how all protocols carry it; empty as long as it is only counted.
    pub data: String,
    /// No more than so many: see [`image_tokens`].
    pub tokens: i64,
}

/// What a model sends, piece by piece. Never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Chunk {
    Text(String),
    Reasoning(String),
    Usage(Usage),
    /// The model said that it is done.
    Finished(Finish),
}

/// Why a model stopped by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finish {
    Complete,
    /// The limit on output tokens was reached.
    Length,
    /// The provider withheld the rest.
    Filtered,
}

/// Tokens as the provider counted them; `cached` is part of `prompt`, `reasoning` part of `completion`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    pub prompt: i64,
    pub cached: i64,
    pub completion: i64,
    pub reasoning: i64,
}

/// An open answer. Dropping it closes the connection to the provider.
pub type Chunks = Pin<Box<dyn Stream<Item = Result<Chunk, Fault>> + Send>>;

/// Something went wrong at or on the way to a provider.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{kind:?}: {detail}")]
pub struct Fault {
    pub kind: FaultKind,
    /// For the log; may hold the provider's words, never a key.
    pub detail: String,
    /// How long the provider asked us to wait.
    pub retry_after: Option<Duration>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// 401 or 403: the key is not accepted.
    Key,
    /// 429: too many requests, or no credit left.
    Busy,
    /// Another 4xx: the request itself is not accepted.
    Refused,
    /// 5xx.
    Broken,
    /// No connection, or it broke before the answer began.
    Unreachable,
    /// Nothing came for too long.
    Silent,
    /// The answer ended without saying that it is complete.
    Cut,
    /// What came is not what the protocol says.
    Garbled,
    /// The answer is longer than any is allowed to be.
    TooLong,
}

impl FaultKind {
    /// For the numbers.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Busy => "busy",
            Self::Refused => "refused",
            Self::Broken => "broken",
            Self::Unreachable => "unreachable",
            Self::Silent => "silent",
            Self::Cut => "cut",
            Self::Garbled => "garbled",
            Self::TooLong => "too_long",
        }
    }
}

impl Fault {
    pub fn new(kind: FaultKind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into(), retry_after: None }
    }

    /// What happened and what to do, for the person who asked.
    #[must_use]
    pub fn sentence(&self, provider: &str) -> String {
        match self.kind {
            FaultKind::Key => {
                format!("{provider} does not accept the key it was given. An administrator has to check it.")
            }
            FaultKind::Busy => {
                format!("{provider} takes no more requests for the moment. Wait a little, then try again.")
            }
            FaultKind::Refused => {
                format!("{provider} did not accept this request. Try another model, or a shorter conversation.")
            }
            FaultKind::Broken => format!("{provider} had an error of its own. Try again."),
            FaultKind::Unreachable => format!(
                "{provider} could not be reached. Try again in a moment; if it stays so, tell an administrator."
            ),
            FaultKind::Silent => format!("{provider} stopped sending. Try again."),
            FaultKind::Cut => format!("The connection to {provider} broke before the answer was complete."),
            FaultKind::Garbled => format!("{provider} sent something that is no answer. Try again, or another model."),
            FaultKind::TooLong => {
                format!("{provider} sent more than one answer may hold. What came until then is kept.")
            }
        }
    }
}

/// A place that has models, ready to be asked.
#[derive(Clone)]
pub struct Provider {
    /// Its name in the configuration.
    pub name: String,
    /// Models named in the configuration; empty: asked from the provider.
    pub fixed_models: Vec<String>,
    /// By its models: which others may answer instead, `provider/name`, in order.
    pub fallbacks: BTreeMap<String, Vec<String>>,
    /// What the settings say that its models cost.
    pub prices: BTreeMap<String, config::Price>,
    /// At least one: the empty key of a server that needs none.
    pub keys: Vec<Key>,
    /// How the keys stood a moment ago.
    pub standings: Arc<Mutex<Option<Known>>>,
    line: Line,
}

#[derive(Clone)]
enum Line {
    OpenAi(Arc<openai::Server>),
    Anthropic(Arc<anthropic::Server>),
    Gemini(Arc<gemini::Server>),
    Demo,
}

impl Provider {
    fn new(name: &str, line: Line, settings: &config::Provider, mark: &[u8]) -> Self {
        let none = [Hidden::default()];
        let (values, limits) = match &settings.api_keys[..] {
            [] => (&none[..], (0, 0)),
            values => (values, settings.limits()),
        };
        let keys = values.iter().map(|value| Key::new(mark, name, value, limits)).collect();
        Self {
            name: name.to_owned(),
            fixed_models: settings.models.clone(),
            fallbacks: settings.fallbacks.clone(),
            prices: settings.prices.clone(),
            keys,
            standings: Arc::default(),
            line,
        }
    }

    /// The keys that are counted: none of a server that needs none.
    pub fn counted_keys(&self) -> impl Iterator<Item = &Key> {
        self.keys.iter().filter(|key| !key.is_none())
    }

    /// Whether this is the built-in demo.
    #[must_use]
    pub fn is_demo(&self) -> bool {
        matches!(self.line, Line::Demo)
    }

    /// Whether it is at the vendor's own address.
    #[must_use]
    pub fn is_the_vendor(&self) -> bool {
        match &self.line {
            Line::OpenAi(server) => server.is_the_vendor,
            Line::Anthropic(server) => server.0.is_the_vendor,
            Line::Gemini(server) => server.0.is_the_vendor,
            Line::Demo => false,
        }
    }

    /// How the tokens of one of its models are counted. Only OpenAI has told how its own do.
    #[must_use]
    pub fn counter(&self, model: &str) -> Counter {
        let is_openai = matches!(self.line, Line::OpenAi(_)) && self.is_the_vendor();
        let is_older = model == "gpt-4" || model.starts_with("gpt-4-") || model.starts_with("gpt-3");
        if is_openai && !is_older { Counter::O200k } else { Counter::Guess }
    }

    /// What it speaks, as the settings call it.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        let kind = match self.line {
            Line::OpenAi(_) => ProviderKind::Openai,
            Line::Anthropic(_) => ProviderKind::Anthropic,
            Line::Gemini(_) => ProviderKind::Gemini,
            Line::Demo => ProviderKind::Demo,
        };
        kind.name()
    }

    /// Sends the request and returns when the provider has begun to answer.
    ///
    /// # Errors
    /// A [`Fault`]; nothing of the answer has been seen then.
    pub async fn open(&self, ask: &Ask, key: &Key) -> Result<Chunks, Fault> {
        let key = &key.value;
        match &self.line {
            Line::OpenAi(server) => server.open(ask, key).await,
            Line::Anthropic(server) => server.open(ask, key).await,
            Line::Gemini(server) => server.open(ask, key).await,
            Line::Demo => Ok(demo::open(ask)),
        }
    }

    /// The models that can be asked, by the first key that is taken.
    ///
    /// # Errors
    /// A [`Fault`] of the provider.
    pub async fn models(&self) -> Result<Vec<Listed>, Fault> {
        if !self.fixed_models.is_empty() {
            return Ok(self.fixed_models.iter().cloned().map(Listed::from).collect());
        }
        let mut last = Fault::new(FaultKind::Unreachable, "no key");
        for key in self.keys.iter().map(|key| &key.value) {
            let listed = match &self.line {
                Line::OpenAi(server) => server.models(key).await,
                Line::Anthropic(server) => server.models(key).await,
                Line::Gemini(server) => server.models(key).await,
                Line::Demo => Ok(vec![Listed::from("demo".to_owned())]),
            };
            match listed {
                Ok(names) => return Ok(names),
                Err(fault) => last = fault,
            }
        }
        Err(last)
    }
}

/// A provider that administrators keep. Its host is never one of this machine's link alone, where clouds tell secrets.
///
/// # Errors
/// An HTTP client cannot be built.
pub fn kept(name: &str, settings: &config::Provider, mark: &[u8]) -> anyhow::Result<Provider> {
    let http = wire::careful_client()?;
    Ok(Provider::new(name, line(&http, name, settings)?, settings, mark))
}

/// All configured providers; a local Ollama, or else the demo model, when there are none. `mark`: what the ids of keys are
/// derived from.
///
/// # Errors
/// An HTTP client cannot be built (e.g. a proxy's address that cannot be understood).
pub async fn providers(config: &Config, mark: &[u8]) -> anyhow::Result<Vec<Provider>> {
    let http = wire::http_client(&Hidden::default())?;
    let mut providers = Vec::new();
    for (name, settings) in &config.providers {
        let line = line(&http, name, settings).with_context(|| format!("providers.{name}"))?;
        providers.push(Provider::new(name, line, settings, mark));
    }
    let ollama = &config.catalog.ollama;
    if providers.is_empty() && !ollama.is_empty() {
        let base_url = Some(format!("{}/v1", ollama.trim_end_matches('/')));
        let settings = config::Provider { base_url, ..config::Provider::default() };
        let provider = Provider::new("ollama", line(&http, "ollama", &settings)?, &settings, mark);
        let found = tokio::time::timeout(Duration::from_millis(300), provider.models()).await;
        if matches!(found, Ok(Ok(models)) if !models.is_empty()) {
            tracing::info!(address = %ollama, "a local Ollama was found");
            providers.push(provider);
        }
    }
    if providers.is_empty() {
        tracing::info!(
            "no provider is configured: the built-in demo model answers (set OPENAI_API_KEY for a real one)"
        );
        providers.push(Provider::new("demo", Line::Demo, &config::Provider::default(), mark));
    }
    Ok(providers)
}

/// The way of the settings; those without a proxy of their own share a client and its connections.
fn line(shared: &reqwest::Client, name: &str, with: &config::Provider) -> anyhow::Result<Line> {
    let http = if with.proxy.expose().is_empty() { shared.clone() } else { wire::http_client(&with.proxy)? };
    Ok(match with.kind(name) {
        ProviderKind::Openai => Line::OpenAi(Arc::new(openai::Server::new(http, with)?)),
        ProviderKind::Anthropic => Line::Anthropic(Arc::new(anthropic::Server::new(http, with)?)),
        ProviderKind::Gemini => Line::Gemini(Arc::new(gemini::Server::new(http, with)?)),
        ProviderKind::Demo => Line::Demo,
    })
}
