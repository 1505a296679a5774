//! The pages with the list at their side: a chat, a new chat, renaming and deleting one.

use super::message::{Message, Slot, View};
use super::{ChatDay, Composer, Me, MessageState, PutAway, assets, dom, page, text};
use crate::base::ids::{ChatId, MessageId};

/// Where a page held open (`live`) goes on: the first half ends before it, blocks follow, then the second half.
/// A comment, which neither escaped nor sanitised text can contain.
pub const LIVE_MARK: &str = "<!--parlor:live-->";

/// Where in the list a chat is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stands {
    Listed,
    Pinned,
    Archived,
}

#[derive(askama::Template)]
#[template(path = "pages/chat/page.html")]
pub struct ChatPage {
    pub me: Me,
    pub days: Vec<ChatDay>,
    pub id: ChatId,
    pub title: String,
    pub stands: Stands,
    /// The shown path, from the root to the leaf.
    pub messages: Vec<Message>,
    pub leaf: MessageId,
    /// The oldest message shown, when there are earlier ones.
    pub earlier: Option<MessageId>,
    /// The feed's position that the messages were read at.
    pub after: i64,
    pub composer: Composer,
    /// Held open: blocks go where [`LIVE_MARK`] stands.
    pub live: bool,
    /// Does not lead itself anywhere.
    pub still: bool,
    pub notice: Option<String>,
    /// A message that was deleted just now and can be brought back.
    pub undo: Option<MessageId>,
    pub demo: bool,
}

#[derive(askama::Template)]
#[template(path = "pages/home/page.html")]
pub struct HomePage {
    pub me: Me,
    pub days: Vec<ChatDay>,
    pub away: Option<PutAway>,
    pub greeting: String,
    pub composer: Composer,
    pub demo: bool,
}

#[derive(askama::Template)]
#[template(path = "pages/rename/page.html")]
pub struct RenamePage {
    pub me: Me,
    pub days: Vec<ChatDay>,
    pub id: ChatId,
    pub title: String,
    pub error: Option<String>,
}

#[derive(askama::Template)]
#[template(path = "pages/delete/page.html")]
pub struct DeletePage {
    pub me: Me,
    pub days: Vec<ChatDay>,
    pub id: ChatId,
    pub title: String,
    pub error: Option<String>,
}

page!(ChatPage, HomePage, RenamePage, DeletePage);

impl ChatPage {
    /// The answer that is being written; others may be in line behind it.
    fn running(&self) -> Option<MessageId> {
        self.messages.iter().find(|message| message.state.running()).map(|message| message.id)
    }

    /// How many messages are in line behind it.
    fn lined(&self) -> usize {
        self.messages.iter().filter(|message| matches!(message.state, MessageState::Lined(_))).count()
    }

    /// Without scripts: the page loads itself anew, and what was written on it would be lost.
    fn reloads(&self) -> bool {
        self.running().is_none() && self.refresh().is_some()
    }

    /// Without scripts: where this page goes by itself, and after how many seconds.
    fn refresh(&self) -> Option<String> {
        if self.live || self.still {
            return None;
        }
        let due = self.messages.iter().find_map(|message| match message.state {
            MessageState::Waiting { seconds } => Some(format!("{}", seconds + 2)),
            _ => None,
        });
        self.running().map(|_| "0; url=?live".to_owned()).or(due)
    }

    /// Whether the end of the path is on this page; a window on earlier messages gets no news.
    fn at_end(&self) -> bool {
        self.messages.last().is_none_or(|last| last.id == self.leaf)
    }

    fn follows(&self) -> bool {
        self.at_end() && !self.live
    }

    fn articles(&self) -> impl Iterator<Item = String> {
        let open = self.running().filter(|_| self.live);
        self.messages.iter().map(move |message| {
            let mark = open.filter(|open| *open == message.id).map(|_| LIVE_MARK);
            View { message, mark }.html()
        })
    }

    fn slot(&self) -> Slot {
        Slot { leaf: Some(self.leaf) }
    }

    /// What follows the mark is read after the answer's end, so there is nothing to stop.
    fn composer_html(&self) -> String {
        let whole = self.composer.whole(self.follows());
        if self.live { whole.idle().to_string() } else { whole.to_string() }
    }
}

/// Closes the live part of a page held open: how it ended, and the way to the whole page.
pub fn live_end(sentence: &str, url: &str) -> String {
    askama::Template::render(&LiveEnd { sentence, url }).expect("writing to a String cannot fail")
}

#[derive(askama::Template)]
#[template(path = "partials/live_end.html")]
struct LiveEnd<'a> {
    sentence: &'a str,
    url: &'a str,
}
