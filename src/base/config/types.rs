//! The settings as types. The documentation of each key is in `config/default.toml`.

use ipnet::IpNet;
use reqwest::header::{HeaderName, HeaderValue};
use serde::{Deserialize, Serialize, Serializer};
use std::{collections::BTreeMap, fmt, net::IpAddr, time::Duration};

/// A value that is never printed.
#[derive(Clone, Default, Deserialize, PartialEq, Eq)]
#[serde(transparent)]
pub struct Hidden(String);

impl Hidden {
    /// The value itself. Whoever asks must not print it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Hidden {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl From<String> for Hidden {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "" } else { "(hidden)" })
    }
}

impl Serialize for Hidden {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(if self.0.is_empty() { "" } else { "(hidden)" })
    }
}

/// Everything that can be set.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub secret: Hidden,
    pub server: Server,
    pub data: Data,
    pub database: Database,
    pub log: Log,
    pub accounts: Accounts,
    pub mail: Mail,
    pub limits: Limits,
    pub sessions: Sessions,
    pub programs: Programs,
    pub gateway: Gateway,
    pub chats: Chats,
    pub files: Files,
    pub context: Context,
    pub generation: Generation,
    pub shutdown: Shutdown,
    pub feed: Feed,
    pub queue: Queue,
    pub catalog: Catalog,
    pub metrics: Metrics,
    pub providers: BTreeMap<String, Provider>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    pub host: String,
    /// 0 to 65535; 0 takes any free one.
    pub port: u32,
    pub public_url: String,
    pub trusted_proxies: String,
    pub cors_origins: String,
    pub max_body_kb: usize,
    pub request_timeout: u64,
    pub upload_timeout: u64,
    pub stalled: u64,
}

impl Server {
    /// Whether people reach us over https, by the public address.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.public_url.starts_with("https://")
    }

    /// Where pages are from whose scripts may ask what programs may.
    ///
    /// # Errors
    /// The part that is no origin.
    pub fn cors_origins(&self) -> Result<Vec<HeaderValue>, &str> {
        let parts = self.cors_origins.split(',').map(str::trim).filter(|part| !part.is_empty());
        let origin = |part: &'_ str| {
            let url = reqwest::Url::parse(part).ok()?;
            let is_one = ["http", "https"].contains(&url.scheme()) && url.origin().ascii_serialization() == part;
            is_one.then(|| HeaderValue::from_str(part).ok()).flatten()
        };
        parts.map(|part| origin(part).ok_or(part)).collect()
    }

    /// The proxies that may say for whom they ask.
    ///
    /// # Errors
    /// The part that is neither an address nor a network.
    pub fn trusted_proxies(&self) -> Result<Vec<IpNet>, &str> {
        let parts = self.trusted_proxies.split(',').map(str::trim).filter(|part| !part.is_empty());
        parts.map(|part| part.parse().or_else(|_| part.parse().map(IpAddr::into)).map_err(|_| part)).collect()
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Data {
    pub dir: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    pub url: Hidden,
    pub pg_bin: String,
    pub http_connections: u32,
    pub jobs_connections: u32,
    pub listen_connections: u32,
    pub acquire_timeout: u64,
    pub statement_timeout: u64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    pub format: LogFormat,
    pub filter: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    Auto,
    Text,
    Json,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accounts {
    pub registration: Registration,
    pub admin_email: String,
    pub admin_password: Hidden,
    pub hashes_at_once: usize,
    pub reset_minutes: u32,
    pub invitation_days: u32,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mail {
    pub smtp_url: Hidden,
    pub from: String,
    pub ca_file: String,
    pub timeout: u64,
    pub retry: Vec<f64>,
}

/// Who may make an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Registration {
    Open,
    /// Only whoever was invited.
    Invite,
    Closed,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    pub messages_per_minute: u32,
    pub budget_per_month: u32,
    pub messages_per_day: u32,
    pub calls_per_hour: u32,
    pub uploads_per_hour: u32,
    pub anonymous_per_hour: u32,
    pub sign_in: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sessions {
    pub remembered_days: u32,
    pub remembered_limit_days: u32,
    pub browser_hours: u32,
    pub browser_limit_days: u32,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Programs {
    pub access_minutes: u32,
    pub refresh_days: u32,
    pub keys: u32,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gateway {
    pub max_body_mb: usize,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chats {
    pub max_message_chars: usize,
    pub max_message_chars_admin: usize,
    pub titles: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Files {
    pub dir: String,
    pub max_mb: u32,
    pub total_mb: u32,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Context {
    pub max_messages: u32,
    pub max_output_tokens: u32,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Generation {
    pub at_once: usize,
    pub lease: f64,
    pub renew: f64,
    pub sweep: f64,
    pub first_token: f64,
    pub idle: f64,
    pub key_rest: f64,
    pub retry: Vec<f64>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shutdown {
    pub grace: f64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Feed {
    pub ring: f64,
    pub gather_ms: u64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Queue {
    pub poll_ms: u64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalog {
    pub refresh: u64,
    pub retry: u64,
    pub currency: String,
    pub ollama: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metrics {
    pub token: Hidden,
    pub listen: String,
}

/// A place that has models.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    /// Nothing: by its name, see [`Provider::kind`].
    #[serde(default)]
    pub kind: Option<ProviderKind>,
    #[serde(default)]
    pub base_url: Option<String>,
    #[serde(default)]
    pub api_keys: Vec<Hidden>,
    #[serde(default)]
    pub models: Vec<String>,
    /// What each key may, within any minute; nothing: [`Provider::REQUESTS`], 0: as much as the provider lets it.
    #[serde(default)]
    pub requests_per_minute: Option<u32>,
    #[serde(default)]
    pub tokens_per_minute: u32,
    /// Which models may answer instead of its own, by the name of its own.
    #[serde(default)]
    pub fallbacks: BTreeMap<String, Vec<String>>,
    /// What its models cost, by name.
    #[serde(default)]
    pub prices: BTreeMap<String, Price>,
    /// Sent with each request, by name.
    #[serde(default)]
    pub headers: BTreeMap<String, Hidden>,
    /// The proxy on the way there; it may hold a user and a password. Empty: as the environment says.
    #[serde(default)]
    pub proxy: Hidden,
}

impl Provider {
    /// Requests a minute of a key of which nothing is said.
    pub const REQUESTS: u32 = 10;
    /// What `proxy` says when none is to be used, whatever the environment says.
    pub const NO_PROXY: &str = "none";
    /// With these it begins otherwise. `socks5h`: the proxy looks up the host's name.
    pub const PROXIES: [&str; 4] = ["http://", "https://", "socks5://", "socks5h://"];
    /// Headers that are the protocol's own.
    const RESERVED: [&str; 8] = [
        "authorization",
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "host",
        "proxy-authorization",
        "transfer-encoding",
    ];

    /// What it speaks: as said, or as the vendor of that name does, or else as OpenAI does.
    #[must_use]
    pub fn kind(&self, name: &str) -> ProviderKind {
        self.kind.unwrap_or(match name {
            "anthropic" => ProviderKind::Anthropic,
            "gemini" => ProviderKind::Gemini,
            _ => ProviderKind::Openai,
        })
    }

    /// Requests and tokens a minute of each key; 0: no limit.
    #[must_use]
    pub fn limits(&self) -> (i32, i64) {
        (self.requests_per_minute.unwrap_or(Self::REQUESTS).cast_signed(), self.tokens_per_minute.into())
    }

    /// What is wrong with it, if anything.
    pub(super) fn check(&self, name: &str) -> Result<(), String> {
        let most = super::MOST;
        if self.requests_per_minute.is_some_and(|limit| limit > most) {
            return Err(format!("`providers.{name}.requests_per_minute` must be 0 (no limit) to {most}"));
        }
        let url = self.base_url.as_deref().unwrap_or("https://");
        if !(url.starts_with("https://") || url.starts_with("http://")) {
            return Err(format!("`providers.{name}.base_url` is `{url}`; it must begin with https:// or http://"));
        }
        for (model, price) in &self.prices {
            if !price.is_plausible() {
                return Err(format!(
                    "`providers.{name}.prices.{model}`: a price must be 0 to {most} for a million tokens"
                ));
            }
        }
        // it becomes a header of each request
        if self.api_keys.iter().any(|key| !key.expose().bytes().all(|b| b.is_ascii_graphic())) {
            return Err(format!(
                "`providers.{name}.api_keys`: a key holds a space, a line's end or another character that no key has"
            ));
        }
        let proxy = self.proxy.expose();
        if !proxy.is_empty() && proxy != Self::NO_PROXY && !Self::PROXIES.iter().any(|way| proxy.starts_with(way)) {
            let ways = Self::PROXIES.join(", ");
            return Err(format!("`providers.{name}.proxy` must begin with one of {ways}, or be `{}`", Self::NO_PROXY));
        }
        for (header, value) in &self.headers {
            let lower = header.to_ascii_lowercase();
            if Self::RESERVED.contains(&lower.as_str()) {
                return Err(format!(
                    "`providers.{name}.headers`: `{header}` is set by Parlor itself (a key belongs into `api_keys`)"
                ));
            }
            if HeaderName::try_from(header).is_err() {
                return Err(format!("`providers.{name}.headers`: `{header}` is no name of a header"));
            }
            if HeaderValue::from_str(value.expose()).is_err() {
                return Err(format!(
                    "`providers.{name}.headers`: the value of `{header}` has a line's end or a letter beyond ASCII"
                ));
            }
        }
        Ok(())
    }
}

/// What a model costs for a million tokens, in units of the currency.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    pub input: f64,
    /// Input from the provider's cache; nothing: as `input`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cached: Option<f64>,
    pub output: f64,
}

impl Price {
    /// Nothing below nothing, and nothing above a million.
    #[must_use]
    pub fn is_plausible(&self) -> bool {
        let all = [self.input, self.cached.unwrap_or_default(), self.output];
        all.iter().all(|price| (0. ..=f64::from(super::MOST)).contains(price))
    }
}

/// The protocol that a provider speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ProviderKind {
    Openai,
    Anthropic,
    Gemini,
    Demo,
}

impl ProviderKind {
    /// Those that speak with somebody.
    pub const ALL: [Self; 3] = [Self::Openai, Self::Anthropic, Self::Gemini];

    /// As the settings have it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Openai => "openai",
            Self::Anthropic => "anthropic",
            Self::Gemini => "gemini",
            Self::Demo => "demo",
        }
    }

    /// One of [`Self::ALL`] by its name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// Seconds of the configuration as a duration.
#[must_use]
pub fn seconds(value: f64) -> Duration {
    Duration::from_secs_f64(value.max(0.))
}
