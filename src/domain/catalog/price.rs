//! What a model costs. Pure. What must not live here: what was spent (domain/ledger).

use crate::{base::config, outside::llm::Usage};

/// The price of a model, in micro-units of the currency for a million tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Price {
    pub input: i64,
    /// Input that came from the provider's cache.
    pub cached: i64,
    pub output: i64,
}

impl From<config::Price> for Price {
    fn from(price: config::Price) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "checked where it is read: at most a million")]
        let micro = |units: f64| (units * 1e6).round() as i64;
        let input = micro(price.input);
        Self { input, cached: price.cached.map_or(input, micro), output: micro(price.output) }
    }
}

impl Price {
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

#[cfg(test)]
mod tests {
    use super::*;

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
