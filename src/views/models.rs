//! The administrators' pages of models.

use crate::base::ids::GroupId;

use super::{ChatDay, Me, assets, dom, page, text};

#[derive(askama::Template)]
#[template(path = "pages/models/page.html")]
pub struct ModelsPage {
    pub me: Me,
    pub days: Vec<ChatDay>,
    pub saved: bool,
    pub currency: String,
    pub groups: Vec<ModelGroup>,
}

/// What a provider lists.
pub struct ModelGroup {
    pub provider: String,
    pub models: Vec<ModelLine>,
}

/// A model, with what holds of it.
pub struct ModelLine {
    /// `provider/name`.
    pub id: String,
    pub name: String,
    pub label: Option<String>,
    pub context: Option<u32>,
    /// Of a million tokens asked and answered, in micro-units.
    pub price: Option<(i64, i64)>,
    /// In the order of [`text::CAPABILITIES`].
    pub can: [bool; 3],
    pub audience: &'static str,
}

impl ModelLine {
    fn context_words(&self) -> String {
        self.context.map_or_else(|| text::MODEL_UNKNOWN.to_owned(), text::short_tokens)
    }

    fn price_words(&self, currency: &str) -> String {
        self.price.map_or_else(|| text::MODEL_UNKNOWN.to_owned(), |price| text::price_of(price, currency))
    }

    fn is_for_everyone(&self) -> bool {
        self.audience == "everyone"
    }

    fn can_words(&self) -> String {
        let able = text::CAPABILITIES.iter().zip(self.can).filter(|(_, able)| *able).map(|((_, words), _)| *words);
        let able = able.collect::<Vec<_>>().join(", ");
        if able.is_empty() { "–".to_owned() } else { able }
    }
}

#[derive(askama::Template)]
#[template(path = "pages/model/page.html")]
pub struct ModelPage {
    pub me: Me,
    pub days: Vec<ChatDay>,
    /// `provider/name`.
    pub id: String,
    pub title: String,
    pub currency: String,
    pub audience: &'static str,
    pub audiences: Vec<&'static str>,
    pub audience_fault: Option<String>,
    /// All groups, and whether each may ask it.
    pub groups: Vec<(GroupId, String, bool)>,
    pub label: ModelField,
    pub context: ModelField,
    pub max_output: ModelField,
    pub prices: [ModelField; 3],
    /// In the order of [`text::CAPABILITIES`].
    pub can: [Capability; 3],
}

page!(ModelsPage, ModelPage);

impl ModelPage {
    fn is_for(&self, name: &str) -> bool {
        self.audience == name
    }
}

/// One of its fields.
pub struct ModelField {
    pub name: &'static str,
    pub words: &'static str,
    /// As it is, or as it was typed.
    pub value: String,
    /// What holds while it is empty.
    pub hint: String,
    pub fault: Option<String>,
}

/// What a model can or cannot do.
pub struct Capability {
    pub name: &'static str,
    pub words: &'static str,
    /// Said here.
    pub said: Option<bool>,
    /// Known otherwise.
    pub known: Option<bool>,
}

impl Capability {
    fn is_said(&self, is: bool) -> bool {
        self.said == Some(is)
    }

    fn known_words(&self) -> &'static str {
        text::known_to(self.known)
    }
}
