//! The page of API keys: those there are, a form for a new one, and the one that was made a moment ago.

use super::{ChatDay, Me, assets, dom, page, text};
use crate::base::ids::KeyId;
use time::OffsetDateTime;

/// A key in the list.
pub struct KeyLine {
    pub id: KeyId,
    pub name: String,
    /// How it begins.
    pub prefix: String,
    /// What it may do, by the scopes' names.
    pub scopes: Vec<&'static str>,
    pub made: OffsetDateTime,
    pub expires: Option<OffsetDateTime>,
    pub expired: bool,
    pub used: Option<OffsetDateTime>,
}

/// A key that was made a moment ago, in full.
pub struct NewKey {
    pub name: String,
    pub secret: String,
}

/// What a new key shall be.
pub struct KeyForm {
    pub name: String,
    /// The scopes that can be chosen, by name, and whether they are.
    pub scopes: Vec<(&'static str, bool)>,
    /// In days, as one of [`text::API_KEY_DAYS`] says it.
    pub expires: String,
    pub errors: Vec<(&'static str, String)>,
}

#[derive(askama::Template)]
#[template(path = "pages/keys/page.html")]
pub struct KeysPage {
    pub me: Me,
    pub days: Vec<ChatDay>,
    pub revoked: bool,
    pub made: Option<NewKey>,
    pub keys: Vec<KeyLine>,
    pub form: KeyForm,
}

page!(KeysPage);

impl KeyForm {
    fn fault(&self, field: &str) -> Option<&str> {
        self.errors.iter().find(|(name, _)| *name == field).map(|(_, sentence)| sentence.as_str())
    }

    fn general(&self) -> Option<&str> {
        let shown = ["name", "scopes", "expires_in_days"];
        self.errors.iter().find(|(name, _)| !shown.contains(name)).map(|(_, sentence)| sentence.as_str())
    }
}
