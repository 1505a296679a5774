//! The list of chats at the side, and who is reading.

use super::text;
use crate::base::ids::ChatId;

/// Who is signed in.
pub struct Me {
    pub name: String,
    pub admin: bool,
    /// `system`, `light` or `dark`.
    pub theme: &'static str,
}

impl Me {
    /// What browsers call the theme, for what is painted before the styles are there.
    pub(super) fn scheme(&self) -> &'static str {
        if self.theme == "system" { "light dark" } else { self.theme }
    }

    /// The letter in the round mark beside the name.
    pub(super) fn initial(&self) -> String {
        self.name.trim().chars().next().map_or_else(|| "·".into(), |first| first.to_uppercase().collect())
    }
}

/// A chat in the list.
pub struct ChatLink {
    pub id: ChatId,
    pub title: String,
    pub current: bool,
    pub answering: bool,
}

/// Chats under one heading: "Today", "Yesterday", "Previous 7 days", "November 2026".
pub struct ChatDay {
    pub label: String,
    pub chats: Vec<ChatLink>,
}

/// The mark of a chat that is answering.
#[derive(askama::Template)]
#[template(path = "partials/answering.html")]
pub(super) struct Answering;
