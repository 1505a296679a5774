//! What models cost: what settings say of them, else what `config/models.toml` knows of the vendors' own. Pure. What must
//! not live here: what was spent (domain/ledger).

use crate::{
    base::config,
    outside::llm::{Provider, Usage},
};
use figment::{Figment, providers::Format, providers::Toml};
use std::{collections::BTreeMap, sync::LazyLock};

type Table = BTreeMap<String, BTreeMap<String, config::Price>>;

/// By vendor and name.
static KNOWN: LazyLock<Table> = LazyLock::new(|| {
    let table = Figment::from(Toml::string(include_str!("../../config/models.toml"))).extract();
    table.expect("config/models.toml is read by a test")
});

/// The price of a model, in micro-units of the currency for a million tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Price {
    pub input: i64,
    /// Input that came from the provider's cache.
    pub cached: i64,
    pub output: i64,
}

impl Price {
    fn of(price: &config::Price) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "checked when settings are read: at most a million")]
        let micro = |units: f64| (units * 1e6).round() as i64;
        let input = micro(price.input);
        Self { input, cached: price.cached.map_or(input, micro), output: micro(price.output) }
    }

    /// What is never below either.
    #[must_use]
    pub fn dearer(self, other: Self) -> Self {
        Self {
            input: self.input.max(other.input),
            cached: self.cached.max(other.cached),
            output: self.output.max(other.output),
        }
    }

    /// What so much costs, in micro-units of the currency, rounded to the nearest.
    #[must_use]
    pub fn cost(&self, usage: &Usage) -> i64 {
        let cached = usage.cached.clamp(0, usage.prompt.max(0));
        let part = |tokens: i64, price: i64| i128::from(tokens.max(0)) * i128::from(price);
        let sum =
            part(usage.prompt - cached, self.input) + part(cached, self.cached) + part(usage.completion, self.output);
        i64::try_from((sum + 500_000) / 1_000_000).unwrap_or(i64::MAX)
    }
}

/// The price of a model of this provider, if it is known.
#[must_use]
pub fn price(provider: &Provider, model: &str) -> Option<Price> {
    let said = provider.prices.get(model);
    said.or_else(|| if provider.is_the_vendor() { known(KNOWN.get(provider.kind())?, model) } else { None })
        .map(Price::of)
}

/// By its name, or by that of which it is a version.
fn known<'t>(table: &'t BTreeMap<String, config::Price>, model: &str) -> Option<&'t config::Price> {
    let is_version = |rest: &str| ["-20", "-preview", "-latest"].iter().any(|begins| rest.starts_with(begins));
    let named = |name: &str| model.strip_prefix(name).is_some_and(|rest| rest.is_empty() || is_version(rest));
    table.iter().find(|(name, _)| named(name)).map(|(_, price)| price)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_can_be_read_and_is_plausible() {
        for (vendor, models) in &*KNOWN {
            assert!(["openai", "anthropic", "gemini"].contains(&vendor.as_str()), "{vendor}");
            for (model, price) in models {
                let Price { input, cached, output } = Price::of(price);
                assert!(0 < cached && cached <= input && input < output && output <= 100_000_000, "{model}");
            }
        }
        let find = |vendor: &str, model: &str| known(&KNOWN[vendor], model).map(|price| price.input);
        assert_eq!(find("anthropic", "claude-opus-5-5"), Some(4.));
        assert_eq!(find("anthropic", "claude-opus-5-20260724"), Some(5.));
        assert_eq!(find("gemini", "gemini-2.5-flash-lite"), Some(0.1));
        assert_eq!(find("gemini", "gemini-3-flash-preview"), Some(0.5));
        for unknown in ["claude-opus", "claude-opus-5-6", "gpt-5.4-nano", ""] {
            assert!(KNOWN.values().all(|models| known(models, unknown).is_none()), "{unknown}");
        }
    }

    #[test]
    fn what_so_much_costs() {
        let price = Price { input: 2_500_000, cached: 250_000, output: 15_000_000 };
        let usage = |prompt, cached, completion| Usage { prompt, cached, completion, reasoning: 0 };
        for (usage, cost) in [
            (usage(0, 0, 0), 0),
            (usage(1_000_000, 0, 0), 2_500_000),
            (usage(1_000_000, 1_000_000, 0), 250_000),
            (usage(0, 0, 1), 15),
            (usage(1, 0, 0), 3),       // 2.5
            (usage(1, 1, 0), 0),       // 0.25
            (usage(100, 40, 10), 310), // 150 + 10 + 150
            (usage(10, 99, -1), 3),    // a provider that counts more in its cache than there was
        ] {
            assert_eq!(price.cost(&usage), cost, "{usage:?}");
        }
    }
}
