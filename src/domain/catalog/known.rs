//! What is known of models without asking anybody: what the settings say, and the table of the vendors' own models in
//! `config/models.toml`. Pure.

use crate::{
    base::config,
    outside::llm::{Facts, Provider},
};
use figment::{Figment, providers::Format, providers::Toml};
use serde::Deserialize;
use std::{collections::BTreeMap, sync::LazyLock};

/// By vendor and name.
static TABLE: LazyLock<BTreeMap<String, BTreeMap<String, Row>>> = LazyLock::new(|| {
    let table = Figment::from(Toml::string(include_str!("../../../config/models.toml"))).extract();
    table.expect("config/models.toml is read by a test")
});

/// What prices of lists and of the table are in.
const DOLLARS: &str = "USD";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    input: f64,
    cached: Option<f64>,
    output: f64,
    context: Option<u32>,
    max_output: Option<u32>,
    images: Option<bool>,
    tools: Option<bool>,
    reasoning: Option<bool>,
}

impl Row {
    fn facts(&self) -> Facts {
        Facts {
            label: None,
            context: self.context,
            max_output: self.max_output,
            images: self.images,
            tools: self.tools,
            reasoning: self.reasoning,
            price: Some(config::Price { input: self.input, cached: self.cached, output: self.output }),
        }
    }
}

/// What is known of a model: its price by the settings, what its provider's list says, and then the table, if the provider
/// is the vendor itself. Prices of lists and of the table are in US dollars, and nothing is known of them in another
/// currency.
pub fn facts(provider: &Provider, model: &str, listed: Facts, currency: &str) -> Facts {
    let row =
        if provider.is_the_vendor() { TABLE.get(provider.kind()).and_then(|rows| find(rows, model)) } else { None };
    let mut told = listed.or(row.map(Row::facts).unwrap_or_default());
    if currency != DOLLARS {
        told.price = None;
    }
    Facts { price: provider.prices.get(model).copied(), ..Facts::default() }.or(told)
}

/// By its name, or by that of which it is a version.
fn find<'t>(rows: &'t BTreeMap<String, Row>, model: &str) -> Option<&'t Row> {
    let is_version = |rest: &str| ["-20", "-preview", "-latest"].iter().any(|begins| rest.starts_with(begins));
    let named = |name: &str| model.strip_prefix(name).is_some_and(|rest| rest.is_empty() || is_version(rest));
    rows.iter().find(|(name, _)| named(name)).map(|(_, row)| row)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::catalog::Price;

    #[test]
    fn the_table_can_be_read_and_is_plausible() {
        for (vendor, rows) in &*TABLE {
            assert!(["openai", "anthropic", "gemini"].contains(&vendor.as_str()), "{vendor}");
            for (model, row) in rows {
                let facts = row.facts();
                let Price { input, cached, output } = facts.price.unwrap().into();
                assert!(0 < cached && cached <= input && input < output && output <= 600_000_000, "{model}");
                let (context, most) = (facts.context.unwrap_or(u32::MAX), facts.max_output.unwrap_or(1024));
                assert!(1000 <= most && most <= context && context >= 8000, "{model}");
            }
        }
        let find = |vendor: &str, model: &str| find(&TABLE[vendor], model).map(|row| row.input);
        assert_eq!(find("anthropic", "claude-opus-5-5"), Some(4.));
        assert_eq!(find("anthropic", "claude-opus-5-20260724"), Some(5.));
        assert_eq!(find("gemini", "gemini-2.5-flash-lite"), Some(0.1));
        assert_eq!(find("gemini", "gemini-3-flash-preview"), Some(0.5));
        for unknown in ["claude-opus", "claude-opus-5-6", "gpt-5.4-nano", ""] {
            assert!(TABLE.values().all(|rows| super::find(rows, unknown).is_none()), "{unknown}");
        }
    }
}
