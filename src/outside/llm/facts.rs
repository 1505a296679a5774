//! What is known of a model: by its provider's list, by a table, or by an administrator. Pure.

use crate::base::config::Price;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What is known of a model; nothing of what is not.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// What people call it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// So many tokens the question and its answer may have together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context: Option<u32>,
    /// So many tokens an answer may have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_output: Option<u32>,
    /// It sees images.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub images: Option<bool>,
    /// It can call tools.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tools: Option<bool>,
    /// It thinks before it answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reasoning: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price: Option<Price>,
}

/// A model as its provider lists it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Listed {
    /// The provider's own.
    pub name: String,
    pub facts: Facts,
}

impl From<String> for Listed {
    fn from(name: String) -> Self {
        Self { name, facts: Facts::default() }
    }
}

impl Facts {
    /// These, and where they say nothing, those.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            label: self.label.or(other.label),
            context: self.context.or(other.context),
            max_output: self.max_output.or(other.max_output),
            images: self.images.or(other.images),
            tools: self.tools.or(other.tools),
            reasoning: self.reasoning.or(other.reasoning),
            price: self.price.or(other.price),
        }
    }

    /// Without what cannot be, or is worth nothing: a window of no tokens, a label that is longer than a line.
    #[must_use]
    pub(super) fn plausible(mut self) -> Self {
        let limit = |tokens: Option<u32>| tokens.filter(|tokens| (1..=MOST_TOKENS).contains(tokens));
        self.context = limit(self.context);
        self.max_output = limit(self.max_output);
        self.label = self
            .label
            .map(|label| label.trim().to_owned())
            .filter(|label| (1..=MOST_LABEL).contains(&label.chars().count()) && !label.chars().any(char::is_control));
        self.price = self.price.filter(Price::is_plausible);
        self
    }
}

/// No window is larger, nor will be for a while.
pub const MOST_TOKENS: u32 = 100_000_000;
/// Characters of a label.
pub const MOST_LABEL: usize = 80;

/// A text that an entry of a list holds, if it is one: whatever else stands there does not spoil the list.
pub(super) fn text(value: &Value) -> Option<String> {
    value.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

/// So many tokens.
pub(super) fn tokens(value: &Value) -> Option<u32> {
    value.as_u64().and_then(|tokens| u32::try_from(tokens).ok())
}
