//! The settings: defaults from `config/default.toml`, then an optional file, then the environment. Anything unknown or
//! impossible is an error that names the key, where it stands, and what is allowed. What must not live here: reading
//! settings anywhere else than at start.

mod env;
mod types;

pub use types::*;

use anyhow::{Context as _, bail};
use figment::{Figment, providers::Format, providers::Toml};
use std::path::{Path, PathBuf};

/// `config/default.toml`, as compiled in.
pub const DEFAULTS: &str = include_str!("../../../config/default.toml");

/// The highest limit that can be set: above it, none would be meant.
pub const MOST: u32 = 1_000_000;

impl Config {
    /// Reads defaults, `file` (if given, it must exist) and `vars` (the environment), in rising precedence.
    ///
    /// # Errors
    /// Unknown keys, impossible values, a file that cannot be read: each named.
    pub fn load(file: Option<&Path>, vars: impl Iterator<Item = (String, String)>) -> anyhow::Result<Self> {
        let defaults = Toml::string(DEFAULTS);
        let mut figment = Figment::from(defaults);
        if let Some(path) = file {
            if !path.is_file() {
                bail!("the configuration file {} does not exist", path.display());
            }
            figment = figment.merge(Toml::file_exact(path));
        }
        let vars = env::Vars::read(&figment, vars)?;
        figment = figment.merge(vars);
        let config: Self = figment.extract().map_err(|e| anyhow::anyhow!("configuration: {}", explain(&e)))?;
        config.check().map_err(|e| anyhow::anyhow!("configuration: {e}"))?;
        Ok(config)
    }

    fn check(&self) -> Result<(), String> {
        fn within(key: &str, value: f64, min: f64, max: f64) -> Result<(), String> {
            if value >= min && value <= max {
                Ok(())
            } else {
                Err(format!("`{key}` is {value}; allowed is {min} to {max}"))
            }
        }
        within("server.port (PORT)", f64::from(self.server.port), 0., 65_535.)?;
        let db = &self.database;
        within("database.http_connections", f64::from(db.http_connections), 2., 100.)?;
        within("database.jobs_connections", f64::from(db.jobs_connections), 2., 100.)?;
        within("database.listen_connections", f64::from(db.listen_connections), 4., 100.)?;
        within("database.acquire_timeout", db.acquire_timeout as f64, 1., 60.)?;
        within("database.statement_timeout", db.statement_timeout as f64, 1., 600.)?;
        within("server.max_body_kb", self.server.max_body_kb as f64, 16., 65_536.)?;
        within("server.upload_timeout", self.server.upload_timeout as f64, 1., 3600.)?;
        within("server.request_timeout", self.server.request_timeout as f64, 1., 600.)?;
        within("server.stalled", self.server.stalled as f64, 1., 600.)?;
        within("accounts.hashes_at_once", self.accounts.hashes_at_once as f64, 1., 64.)?;
        let most = f64::from(MOST);
        within("limits.messages_per_minute", f64::from(self.limits.messages_per_minute), 0., most)?;
        within("limits.messages_per_day", f64::from(self.limits.messages_per_day), 0., most)?;
        within("limits.calls_per_hour", f64::from(self.limits.calls_per_hour), 0., most)?;
        within("limits.budget_per_month", f64::from(self.limits.budget_per_month), 0., most)?;
        within("limits.uploads_per_hour", f64::from(self.limits.uploads_per_hour), 0., most)?;
        within("limits.anonymous_per_hour", f64::from(self.limits.anonymous_per_hour), 0., most)?;
        within("programs.access_minutes", f64::from(self.programs.access_minutes), 1., 1440.)?;
        within("programs.refresh_days", f64::from(self.programs.refresh_days), 1., 366.)?;
        within("gateway.max_body_mb", self.gateway.max_body_mb as f64, 1., 100.)?;
        within("programs.keys", f64::from(self.programs.keys), 0., 10_000.)?;
        within("accounts.reset_minutes", f64::from(self.accounts.reset_minutes), 1., 360.)?;
        within("accounts.invitation_days", f64::from(self.accounts.invitation_days), 1., 90.)?;
        within("mail.timeout", self.mail.timeout as f64, 1., 60.)?;
        for pause in &self.mail.retry {
            within("mail.retry", *pause, 0.1, 86_400.)?;
        }
        within("chats.max_message_chars", self.chats.max_message_chars as f64, 1., 1_000_000.)?;
        within("chats.max_message_chars_admin", self.chats.max_message_chars_admin as f64, 1., 1_000_000.)?;
        within("files.max_mb", f64::from(self.files.max_mb), 1., 100.)?;
        within("files.total_mb", f64::from(self.files.total_mb), 0., most)?;
        within("context.max_messages", f64::from(self.context.max_messages), 1., 10_000.)?;
        within("context.max_output_tokens", f64::from(self.context.max_output_tokens), 1., 1_000_000.)?;
        within("generation.at_once", self.generation.at_once as f64, 1., 100_000.)?;
        within("generation.lease", self.generation.lease, 1., 600.)?;
        within("generation.renew", self.generation.renew, 0.1, self.generation.lease / 2.)?;
        within("generation.sweep", self.generation.sweep, 0.1, 600.)?;
        within("generation.first_token", self.generation.first_token, 1., 3600.)?;
        within("generation.idle", self.generation.idle, 1., 3600.)?;
        within("generation.key_rest", self.generation.key_rest, 0.1, 86_400.)?;
        for pause in &self.generation.retry {
            within("generation.retry", *pause, 0.1, 86_400.)?;
        }
        within("shutdown.grace", self.shutdown.grace, 0., 600.)?;
        within("feed.ring", self.feed.ring, 0.05, 60.)?;
        within("feed.gather_ms", self.feed.gather_ms as f64, 0., 1000.)?;
        within("queue.poll_ms", self.queue.poll_ms as f64, 50., 60_000.)?;
        within("catalog.refresh", self.catalog.refresh as f64, 10., 86_400.)?;
        within("catalog.retry", self.catalog.retry as f64, 1., 86_400.)?;
        let currency = &self.catalog.currency;
        if !(currency.len() == 3 && currency.bytes().all(|b| b.is_ascii_uppercase())) {
            return Err(format!("`catalog.currency` is `{currency}`; it must be three capital letters, e.g. USD"));
        }
        let listen = &self.metrics.listen;
        if !listen.is_empty() && listen.parse::<std::net::SocketAddr>().is_err() {
            return Err(format!(
                "`metrics.listen` is `{listen}`; it must be an address with a port, e.g. 127.0.0.1:9464"
            ));
        }
        let url = &self.server.public_url;
        if !(url.is_empty() || url.starts_with("https://") || url.starts_with("http://")) {
            return Err(format!("`server.public_url` (PUBLIC_URL) is `{url}`; it must begin with https:// or http://"));
        }
        if let Err(part) = self.server.trusted_proxies() {
            return Err(format!(
                "`server.trusted_proxies` (TRUSTED_PROXIES): `{part}` is neither an address nor a network, e.g. 10.0.0.0/8"
            ));
        }
        if let Err(part) = self.server.cors_origins() {
            return Err(format!("`server.cors_origins`: `{part}` is no origin, e.g. https://app.example.org"));
        }
        if self.accounts.admin_email.is_empty() != self.accounts.admin_password.expose().is_empty() {
            return Err("ADMIN_EMAIL and ADMIN_PASSWORD belong together: set both or neither".to_owned());
        }
        for (name, provider) in &self.providers {
            provider.check(name)?;
            let others = provider.fallbacks.iter().flat_map(|(model, others)| others.iter().map(move |o| (model, o)));
            for (model, other) in others {
                if other.split_once('/').is_none_or(|(name, _)| !self.providers.contains_key(name)) {
                    return Err(format!(
                        "`providers.{name}.fallbacks.{model}`: `{other}` must be PROVIDER/MODEL, of a provider that is configured"
                    ));
                }
            }
        }
        Ok(())
    }

    /// The folder of files, from the setting or in the data folder.
    ///
    /// # Errors
    /// As [`Config::data_dir`].
    pub fn files_dir(&self) -> anyhow::Result<PathBuf> {
        if self.files.dir.is_empty() {
            return Ok(self.data_dir()?.join("files"));
        }
        std::path::absolute(&self.files.dir).context("files.dir is no path")
    }

    /// The data folder, from the setting or the usual place.
    ///
    /// # Errors
    /// Neither the setting nor `HOME` says where.
    pub fn data_dir(&self) -> anyhow::Result<PathBuf> {
        if !self.data.dir.is_empty() {
            return std::path::absolute(&self.data.dir).context("data.dir (PARLOR_DATA) is no path");
        }
        if is_root() {
            return Ok("/var/lib/parlor".into());
        }
        let home =
            std::env::var_os("HOME").context("neither PARLOR_DATA nor HOME is set: say where the data shall live")?;
        Ok(PathBuf::from(home).join(".local/share/parlor"))
    }
}

/// Whether this process runs as root (the owner of its own `/proc` entry).
#[must_use]
pub fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").is_ok_and(|m| m.uid() == 0)
}

fn explain(error: &figment::Error) -> String {
    error.clone().into_iter().map(|e| e.to_string()).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::{Config, ProviderKind};

    fn load(vars: &[(&str, &str)]) -> Result<Config, String> {
        Config::load(None, vars.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))).map_err(|e| e.to_string())
    }

    #[test]
    fn defaults_hold() {
        let config = load(&[]).unwrap();
        assert_eq!(config.server.port, 3000);
        assert!(config.providers.is_empty());
    }

    #[test]
    fn the_usual_names_work() {
        let config = load(&[
            ("PORT", "8080"),
            ("OPENAI_API_KEY", "sk-1, sk-2"),
            ("OPENAI_BASE_URL", "http://127.0.0.1:9/v1"),
            ("ADMIN_EMAIL", "ann@example.org"),
            ("ADMIN_PASSWORD", "0012345678"),
            ("PARLOR__GENERATION__LEASE", "3"),
            ("PARLOR__GENERATION__RENEW", "1"),
            ("PARLOR__GENERATION__RETRY", "1, 0.5"),
        ])
        .unwrap();
        assert_eq!(config.server.port, 8080);
        assert_eq!(config.accounts.admin_password.expose(), "0012345678");
        assert!((config.generation.lease - 3.).abs() < f64::EPSILON);
        assert_eq!(config.generation.retry, [1., 0.5]);
        assert!(load(&[("PARLOR__GENERATION__RETRY", "")]).unwrap().generation.retry.is_empty());
        let openai = &config.providers["openai"];
        assert_eq!(openai.api_keys.iter().map(super::Hidden::expose).collect::<Vec<_>>(), ["sk-1", "sk-2"]);
        assert_eq!(openai.base_url.as_deref(), Some("http://127.0.0.1:9/v1"));
    }

    #[test]
    fn a_provider_speaks_as_its_name_says() {
        let config = load(&[
            ("ANTHROPIC_API_KEY", "sk-1"),
            ("GEMINI_API_KEY", "k"),
            ("OPENAI_API_KEY", "sk-2"),
            ("PARLOR__PROVIDERS__CLAUDE__KIND", "anthropic"),
            ("PARLOR__PROVIDERS__LOCAL__BASE_URL", "http://127.0.0.1:9/v1"),
        ])
        .unwrap();
        let kinds: Vec<_> = config.providers.iter().map(|(name, p)| (name.as_str(), p.kind(name))).collect();
        let (openai, anthropic) = (ProviderKind::Openai, ProviderKind::Anthropic);
        assert_eq!(
            kinds,
            [
                ("anthropic", anthropic),
                ("claude", anthropic),
                ("gemini", ProviderKind::Gemini),
                ("local", openai),
                ("openai", openai)
            ]
        );
        let error = load(&[("PARLOR__PROVIDERS__CLAUDE__KIND", "bedrock")]).unwrap_err();
        assert!(error.contains("bedrock") && error.contains("anthropic"), "{error}");
    }

    #[test]
    fn mistakes_are_named() {
        for (vars, words) in [
            (&[("PARLOR__SERVER__PROT", "1")][..], &["prot", "PARLOR__SERVER__PROT", "port"][..]),
            (&[("PORT", "many")], &["PORT", "many", "number"]),
            (&[("PORT", "99999")], &["port", "99999"]),
            (&[("PARLOR__ACCOUNTS__REGISTRATION", "maybe")], &["maybe", "open", "closed"]),
            (&[("PARLOR__DATABASE__HTTP_CONNECTIONS", "1000")], &["database.http_connections", "2 to 100"]),
            (&[("PARLOR__GENERATION__RETRY", "60, soon")], &["PARLOR__GENERATION__RETRY", "soon", "number"]),
            (&[("PUBLIC_URL", "chat.example.org")], &["public_url", "https://"]),
            (&[("ADMIN_EMAIL", "ann@example.org")], &["ADMIN_PASSWORD"]),
            (&[("PARLOR__METRICS__LISTEN", "9464")], &["metrics.listen", "127.0.0.1:9464"]),
            (&[("OPENAI_API_KEY", "sk-1,sk-2\nsk-3")], &["providers.openai.api_keys"]),
            (&[("PARLOR__PROVIDERS__A__REQUESTS_PER_MINUTE", "ten")], &["REQUESTS_PER_MINUTE", "ten", "number"]),
            (
                &[("PARLOR__PROVIDERS__A__REQUESTS_PER_MINUTE", "2000000")],
                &["providers.a.requests_per_minute", "1000000"],
            ),
            (&[("PARLOR__PROVIDERS__A__FALLBACKS__M", "b/m")], &["providers.a.fallbacks.m", "b/m", "configured"]),
            (&[("PARLOR__PROVIDERS__A__FALLBACKS__M", "m")], &["PROVIDER/MODEL"]),
            (&[("PARLOR__CATALOG__CURRENCY", "dollars")], &["catalog.currency", "dollars", "USD"]),
            (&[("PARLOR__PROVIDERS__A__PRICES__M__INPUT", "1")], &["output"]),
            (
                &[("PARLOR__PROVIDERS__A__PRICES__M__INPUT", "-1"), ("PARLOR__PROVIDERS__A__PRICES__M__OUTPUT", "1")],
                &["providers.a.prices.m", "1000000"],
            ),
            (&[("PARLOR__PROVIDERS__A__PROXY", "ftp://proxy")], &["providers.a.proxy", "socks5h://", "none"]),
            (&[("PARLOR__PROVIDERS__A__HEADERS__HOST", "h")], &["providers.a.headers", "host", "itself"]),
            (&[("PARLOR__PROVIDERS__A__HEADERS__X", "a\nb")], &["providers.a.headers", "x", "line's end"]),
            (&[("PARLOR__PROVIDERS__A__HEADERS__A B", "c")], &["providers.a.headers", "a b", "no name"]),
        ] {
            let error = load(vars).unwrap_err();
            for word in words {
                assert!(error.contains(word), "`{word}` is missing in: {error}");
            }
        }
    }

    #[test]
    fn secrets_are_hidden_in_print() {
        let config = load(&[("OPENAI_API_KEY", "sk-very-secret"), ("DATABASE_URL", "postgres://u:pw1@h/d")]).unwrap();
        let printed = format!("{config:?}{}", toml_of(&config));
        assert!(!printed.contains("sk-very-secret") && !printed.contains("pw1"), "{printed}");
    }

    fn toml_of(config: &Config) -> String {
        serde_json::to_string(config).unwrap()
    }
}
