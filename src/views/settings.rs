//! The settings: one's own way, and a chat's.

use super::{ChatDay, Me, ModelChoice, assets, dom, page, text};
use crate::base::ids::ChatId;

/// One's own way.
#[derive(askama::Template)]
#[template(path = "pages/settings/page.html")]
pub struct SettingsPage {
    pub me: Me,
    pub days: Vec<ChatDay>,
    pub saved: bool,
    pub way: WayForm,
    /// The names of the theme and of the letters, as chosen in the form.
    pub theme: String,
    pub letters: String,
    /// All that can be chosen, and which one is, by their names.
    pub languages: &'static [&'static str],
    pub language: String,
}

/// A chat's own way.
#[derive(askama::Template)]
#[template(path = "pages/chat_settings/page.html")]
pub struct ChatSettingsPage {
    pub me: Me,
    pub days: Vec<ChatDay>,
    pub id: ChatId,
    pub title: String,
    pub way: WayForm,
}

/// One's address.
#[derive(askama::Template)]
#[template(path = "pages/address/page.html")]
pub struct AddressPage {
    pub me: Me,
    pub days: Vec<ChatDay>,
    pub current: String,
    pub typed: String,
    /// Where a link is on its way to, and for how many minutes it is good.
    pub sent: Option<String>,
    pub minutes: u32,
    pub errors: Vec<(&'static str, String)>,
}

page!(SettingsPage, ChatSettingsPage, AddressPage);

impl AddressPage {
    fn fault(&self, field: &str) -> Option<&str> {
        self.errors.iter().find(|(name, _)| *name == field).map(|(_, sentence)| sentence.as_str())
    }
}

/// What both forms ask for.
pub struct WayForm {
    pub of_chat: bool,
    /// Instructions, or a system prompt.
    pub text: String,
    pub models: Vec<ModelChoice>,
    pub temperature: String,
    /// Field and sentence.
    pub errors: Vec<(&'static str, String)>,
}

impl WayForm {
    fn name(&self) -> &'static str {
        if self.of_chat { "system" } else { "instructions" }
    }

    fn words(&self) -> &'static text::WayWords {
        if self.of_chat { &text::WAY_OF_CHAT } else { &text::WAY_OWN }
    }

    fn fault(&self, field: &str) -> Option<&str> {
        self.errors.iter().find(|(name, _)| *name == field).map(|(_, sentence)| sentence.as_str())
    }

    /// What belongs to no field that is shown.
    fn general(&self) -> Option<&str> {
        let shown = [self.name(), "model", "temperature", "theme", "letters", "language"];
        self.errors.iter().find(|(name, _)| !shown.contains(name)).map(|(_, sentence)| sentence.as_str())
    }
}
