//! The list of chats at the side, the archive, and who is reading.

use super::{assets, dom, feed, live_list, page, text};
use crate::base::ids::{ChatId, FolderId};
use time::OffsetDateTime;

/// Who is signed in.
pub struct Me {
    pub name: String,
    pub admin: bool,
    /// `system`, `light` or `dark`.
    pub theme: &'static str,
    /// `sans` or `serif`: what answers are set in.
    pub letters: &'static str,
}

impl Me {
    /// What browsers call the theme, for what is painted before the styles are there.
    pub(super) fn scheme(&self) -> &'static str {
        if self.theme == "system" { "light dark" } else { self.theme }
    }

    /// What the list at the side has: the first page, and the way to what is older.
    #[expect(clippy::unused_self, reason = "every page has it at hand")]
    pub(super) fn chats(&self, days: &[ChatDay]) -> String {
        AllChats { days }.to_string()
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
    /// Names it for the live list; nothing in what came by scrolling, which is left alone.
    pub key: String,
    /// Nothing when the heading stands above already.
    pub label: String,
    pub chats: Vec<ChatLink>,
    /// Where the list goes on after these, if it does.
    pub older: Option<String>,
    /// The heading is a folder's.
    pub folder: Option<FolderHead>,
}

/// What makes a folder of a heading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FolderHead {
    pub id: FolderId,
    /// Its chats are shown; else they are on its page.
    pub opened: bool,
    /// There are more on its page.
    pub more: bool,
}

/// Where the list goes on after these, if it does.
pub(super) fn older(days: &[ChatDay]) -> Option<&str> {
    days.last()?.older.as_deref()
}

/// The heading of those on top.
pub fn pinned() -> String {
    text::PINNED.to_owned()
}

/// The mark of a chat that is answering.
#[derive(askama::Template)]
#[template(path = "partials/answering.html")]
pub(super) struct Answering;

/// The chats of the list on a page that is rendered whole.
#[derive(askama::Template)]
#[template(path = "partials/chats.html")]
struct AllChats<'a> {
    days: &'a [ChatDay],
}

/// How the list goes on: chats by day, without what stands around them.
#[derive(askama::Template)]
#[template(path = "partials/more.html")]
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

/// The list anew, after a chat was put elsewhere, with the word that offers to undo it. What was loaded by scrolling stays,
/// but for that chat; or, with `cut`, the list is as long as on a page that was just opened.
pub fn list_anew(days: &[ChatDay], moved: ChatId, cut: bool, away: Option<&PutAway>) -> String {
    let undo = away.map_or_else(String::new, |away| Undo { away, live: true }.to_string());
    let rest = if cut { String::new() } else { feed::patch(&dom::row_in_rest(moved), "delete", "") };
    rest + &live_list::whole(days, cut) + &feed::partial(dom::UNDO, "innerHTML", undo)
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
    /// When it was last added to.
    pub at: OffsetDateTime,
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
