//! The environment as a source of settings: `PARLOR__SECTION__KEY` and the usual names. A value is read as what the
//! default of its key is (text, number, yes/no), so that a password of digits stays text.

use anyhow::bail;
use figment::{
    Error, Figment, Metadata, Profile, Provider,
    value::{Dict, Map, Value},
};

/// The usual names, and the keys they set.
const ALIASES: &[(&str, &str)] = &[
    ("DATABASE_URL", "database.url"),
    ("PARLOR_PG_BIN", "database.pg_bin"),
    ("HOST", "server.host"),
    ("PORT", "server.port"),
    ("PUBLIC_URL", "server.public_url"),
    ("TRUSTED_PROXIES", "server.trusted_proxies"),
    ("PARLOR_DATA", "data.dir"),
    ("PARLOR_SECRET", "secret"),
    ("RUST_LOG", "log.filter"),
    ("ADMIN_EMAIL", "accounts.admin_email"),
    ("ADMIN_PASSWORD", "accounts.admin_password"),
    ("REGISTRATION", "accounts.registration"),
    ("SMTP_URL", "mail.smtp_url"),
    ("MAIL_FROM", "mail.from"),
    ("OPENAI_API_KEY", "providers.openai.api_keys"),
    ("OPENAI_BASE_URL", "providers.openai.base_url"),
    ("OPENAI_MODELS", "providers.openai.models"),
    ("ANTHROPIC_API_KEY", "providers.anthropic.api_keys"),
    ("GEMINI_API_KEY", "providers.gemini.api_keys"),
];

pub struct Vars {
    dict: Dict,
    names: Vec<(String, String)>,
}

impl Vars {
    /// Takes what concerns us out of `vars`; `known` tells the kind of each key by the values before.
    pub fn read(known: &Figment, vars: impl Iterator<Item = (String, String)>) -> anyhow::Result<Self> {
        let mut found: Vec<(String, String, String)> = Vec::new();
        for (name, value) in vars {
            let alias = ALIASES.iter().find(|(alias, _)| *alias == name).map(|(_, key)| (*key).to_owned());
            let key = match name.strip_prefix("PARLOR__") {
                Some(rest) => rest.to_lowercase().replace("__", "."),
                None => match alias {
                    Some(key) if !value.is_empty() => key, // set but empty, as compose files do: not set
                    _ => continue,
                },
            };
            found.push((key, name, value));
        }
        // the exact names come last and win
        found.sort_by_key(|(_, name, _)| name.starts_with("PARLOR__"));
        let mut dict = Dict::new();
        for (key, name, value) in &found {
            let typed = typed(known.find_value(key).ok().as_ref(), key, name, value)?;
            insert(&mut dict, key, typed);
        }
        let names = found.into_iter().map(|(key, name, _)| (key, name)).collect();
        Ok(Self { dict, names })
    }
}

/// Keys under `[providers]` that hold lists.
fn is_list(key: &str) -> bool {
    key.starts_with("providers.")
        && (key.ends_with(".api_keys") || key.ends_with(".models") || key.contains(".fallbacks."))
}

/// Keys under `[providers]` that hold numbers.
fn is_number(key: &str) -> bool {
    key.starts_with("providers.") && (key.ends_with("_per_minute") || key.contains(".prices."))
}

fn typed(default: Option<&Value>, key: &str, name: &str, text: &str) -> anyhow::Result<Value> {
    if is_list(key) {
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        return Ok(parts.map(str::to_owned).collect::<Vec<_>>().into());
    }
    if is_number(key) {
        return number(key, name, text);
    }
    Ok(match default {
        Some(Value::Num(..)) => number(key, name, text)?,
        // the only lists with a default are of numbers
        Some(Value::Array(..)) => {
            let parts = text.split(',').filter(|part| !part.trim().is_empty());
            parts.map(|part| number(key, name, part)).collect::<anyhow::Result<Vec<_>>>()?.into()
        }
        Some(Value::Bool(..)) => match text.trim() {
            "true" | "1" | "yes" => true.into(),
            "false" | "0" | "no" => false.into(),
            _ => bail!("configuration: {name} (`{key}`) is `{text}`; it must be true or false"),
        },
        _ => text.into(),
    })
}

fn number(key: &str, name: &str, text: &str) -> anyhow::Result<Value> {
    let text = text.trim();
    match (text.parse::<i64>(), text.parse::<f64>()) {
        (Ok(number), _) => Ok(number.into()),
        (_, Ok(number)) if number.is_finite() => Ok(number.into()),
        _ => bail!("configuration: {name} (`{key}`) is `{text}`; it must be a number"),
    }
}

fn insert(dict: &mut Dict, key: &str, value: Value) {
    match key.split_once('.') {
        None => {
            dict.insert(key.to_owned(), value);
        }
        Some((head, rest)) => {
            let inner = dict.entry(head.to_owned()).or_insert_with(|| Dict::new().into());
            if let Value::Dict(_, inner) = inner {
                insert(inner, rest, value);
            }
        }
    }
}

impl Provider for Vars {
    fn metadata(&self) -> Metadata {
        let names = self.names.clone();
        Metadata::named("the environment").interpolater(move |_, keys| {
            let key = keys.join(".");
            let name = names.iter().rev().find(|(k, _)| *k == key || key.starts_with(k.as_str()));
            name.or(names.iter().find(|(k, _)| k.starts_with(&key))).map_or(key, |(_, name)| name.clone())
        })
    }

    fn data(&self) -> Result<Map<Profile, Dict>, Error> {
        Ok(Map::from([(Profile::Default, self.dict.clone())]))
    }
}
