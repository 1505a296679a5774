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
    /// The page of all that is found.
    pub all: Option<String>,
}

page!(SearchPage, PaletteFound);

impl SearchPage {
    fn asked(&self) -> bool {
        !self.q.trim().is_empty()
    }
}

/// What the palette can do, besides finding.
#[derive(Debug, Clone, Copy)]
pub struct Command {
    /// Names it on the page.
    id: &'static str,
    icon: &'static str,
    name: &'static str,
    act: Act,
}

#[derive(Debug, Clone, Copy)]
enum Act {
    Go(&'static str),
    /// A page of the administrators'.
    Manage(&'static str),
    List,
    Keys,
    SignOut,
}

impl Command {
    /// Those that one needs most stand first.
    const ALL: [Self; 13] = [
        Self::new("p-new", "new", text::NEW_CHAT, Act::Go("/")),
        Self::new("p-list", "side", text::TOGGLE_LIST, Act::List),
        Self::new("p-folders", "folder", text::FOLDERS, Act::Go("/folders")),
        Self::new("p-archive", "archive", text::ARCHIVE, Act::Go("/archive")),
        Self::new("p-settings", "settings", text::SETTINGS, Act::Go("/settings")),
        Self::new("p-keys", "keys", text::KEYS, Act::Keys),
        Self::new("p-prompts", "prompts", text::PROMPTS, Act::Go("/settings/prompts")),
        Self::new("p-import", "save", text::IMPORT, Act::Go("/settings/import")),
        Self::new("p-sessions", "eye", text::SESSIONS, Act::Go("/settings/sessions")),
        Self::new("p-users", "jobs", text::USERS, Act::Manage("/admin/users")),
        Self::new("p-jobs", "jobs", text::JOBS, Act::Manage("/admin/jobs")),
        Self::new("p-system", "jobs", text::SYSTEM, Act::Manage("/admin/system")),
        Self::new("p-out", "out", text::SIGN_OUT, Act::SignOut),
    ];
    /// So many stand there before anything is looked for.
    const FIRST: usize = 6;

    const fn new(id: &'static str, icon: &'static str, name: &'static str, act: Act) -> Self {
        Self { id, icon, name, act }
    }

    /// Those whose name has these words in it; when there are none, the first.
    pub fn named(words: &str, admin: bool) -> Vec<Self> {
        let words = words.trim().to_lowercase();
        let fits = |command: &Self| {
            (admin || !matches!(command.act, Act::Manage(_))) && command.name.to_lowercase().contains(&words)
        };
        let most = if words.is_empty() { Self::FIRST } else { usize::MAX };
        Self::ALL.into_iter().filter(fits).take(most).collect()
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
