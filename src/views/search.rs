//! What was found: as a page, and in the palette, with the commands.

use super::{ChatDay, Me, assets, dom, page, text};
use time::OffsetDateTime;

/// A piece of a text, and whether it is what was looked for.
pub struct Span {
    pub text: String,
    pub hit: bool,
}

/// A chat or a message that was found.
pub struct FoundLine {
    pub href: String,
    pub title: Vec<Span>,
    /// Nothing for a chat.
    pub snippet: Vec<Span>,
    /// "Chat", "You", "Answer".
    pub what: &'static str,
    pub at: OffsetDateTime,
}

#[derive(askama::Template)]
#[template(path = "pages/search/page.html")]
pub struct SearchPage {
    pub me: Me,
    pub days: Vec<ChatDay>,
    pub q: String,
    pub lines: Vec<FoundLine>,
    /// The address of the next page.
    pub older: Option<String>,
}

/// What the palette shows: commands, then what was found.
#[derive(askama::Template)]
#[template(path = "partials/palette_found.html")]
pub struct PaletteFound {
    pub commands: Vec<Command>,
    pub lines: Vec<FoundLine>,
    /// Something was looked for.
    pub asked: bool,
}

page!(SearchPage, PaletteFound);

impl SearchPage {
    fn asked(&self) -> bool {
        !self.q.trim().is_empty()
    }
}

/// What the palette can do, besides finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    NewChat,
    List,
    Archive,
    Jobs,
    Keys,
}

impl Command {
    const ALL: [Self; 5] = [Self::NewChat, Self::List, Self::Archive, Self::Jobs, Self::Keys];

    /// Those whose name has these words in it; all when there are none.
    pub fn named(words: &str, admin: bool) -> Vec<Self> {
        let words = words.trim().to_lowercase();
        let fits = |command: &Self| (admin || *command != Self::Jobs) && command.name().to_lowercase().contains(&words);
        Self::ALL.into_iter().filter(fits).collect()
    }

    fn name(self) -> &'static str {
        match self {
            Self::NewChat => text::NEW_CHAT,
            Self::List => text::TOGGLE_LIST,
            Self::Archive => text::ARCHIVE,
            Self::Jobs => text::JOBS,
            Self::Keys => text::KEYS,
        }
    }
}

/// Who said a found message, or that a chat was found.
pub fn what(by_model: Option<bool>) -> &'static str {
    match by_model {
        None => text::A_CHAT,
        Some(true) => text::ANSWER,
        Some(false) => text::YOU,
    }
}
