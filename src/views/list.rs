//! The list of chats at the side, the archive, and who is reading.

use super::{assets, dom, feed, page, text};
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
    pub pinned: bool,
}

/// Chats under one heading: "Pinned", "Today", "Yesterday", "Previous 7 days", "November 2026".
pub struct ChatDay {
    /// Nothing when the heading stands above already.
    pub label: String,
    pub chats: Vec<ChatLink>,
    /// Where the list goes on after these, if it does.
    pub older: Option<String>,
}

/// The heading of those on top.
pub fn pinned() -> String {
    text::PINNED.to_owned()
}

/// The mark of a chat that is answering.
#[derive(askama::Template)]
#[template(path = "partials/answering.html")]
pub(super) struct Answering;

/// Chats by day, without what stands around them.
#[derive(askama::Template)]
#[template(path = "partials/chats.html")]
pub struct Chats {
    pub days: Vec<ChatDay>,
}

/// A chat that was put away a moment ago.
pub struct PutAway {
    pub id: ChatId,
    pub title: String,
    pub deleted: bool,
}

/// What was put away, and how to bring it back.
#[derive(askama::Template)]
#[template(path = "partials/put_away.html")]
struct Undo<'a> {
    away: &'a PutAway,
    /// In the list: answered by the list anew.
    live: bool,
}

impl PutAway {
    /// The notice on a page that was loaded for it.
    pub(super) fn notice(&self) -> String {
        Undo { away: self, live: false }.to_string()
    }
}

/// The list anew, after a chat was put elsewhere, with the word that offers to undo it.
pub fn list_anew(days: Vec<ChatDay>, away: Option<&PutAway>) -> String {
    let undo = away.map_or_else(String::new, |away| Undo { away, live: true }.to_string());
    feed::partial(dom::CHATS, "innerMorph", Chats { days }) + &feed::partial(dom::UNDO, "innerHTML", undo)
}

/// The archive, or the list beyond its first page: chats as lines of a page.
#[derive(askama::Template)]
#[template(path = "pages/shelf/page.html")]
pub struct ShelfPage {
    pub me: Me,
    pub days: Vec<ChatDay>,
    pub archive: bool,
    /// Where the reader is in it: it does not begin with the newest.
    pub further: bool,
    pub lines: Vec<ChatLine>,
    pub older: Option<String>,
    pub away: Option<PutAway>,
}

/// A line of that page.
pub struct ChatLine {
    pub id: ChatId,
    pub title: String,
    /// As browsers read it, and as people do.
    pub time: String,
    pub day: String,
}

page!(ShelfPage, Chats);

impl ShelfPage {
    fn heading(&self) -> &'static str {
        if self.archive { text::ARCHIVE } else { text::CHATS }
    }

    fn path(&self) -> &'static str {
        if self.archive { "/archive" } else { "/chats" }
    }
}
