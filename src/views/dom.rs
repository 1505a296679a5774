//! The ids of elements that fragments aim at: each is spelled here and nowhere else.

use crate::base::ids::{ChatId, GenerationId, MessageId, ProviderKeyId};

/// A message's article.
pub fn message(id: MessageId) -> String {
    format!("m-{id}")
}

/// The container of a message's text; patches count elements below it.
pub fn text(id: MessageId) -> String {
    format!("t-{id}")
}

/// The fold of a message's reasoning; absent while there is none.
pub fn reasoning(id: MessageId) -> String {
    format!("r-{id}")
}

/// The plain text inside that fold.
pub fn reasoning_text(id: MessageId) -> String {
    format!("rt-{id}")
}

/// The words on that fold once the thinking is over.
pub fn reasoning_label(id: MessageId) -> String {
    format!("rs-{id}")
}

/// A message's foot: its state and its tools.
pub fn foot(id: MessageId) -> String {
    format!("f-{id}")
}

/// What a reader thinks of an answer.
pub fn rating(id: MessageId) -> String {
    format!("o-{id}")
}

/// Ask, of a question at the end of the path.
pub fn ask(question: MessageId) -> String {
    format!("k-{question}")
}

/// The place for the turn that follows `leaf`; a page that shows another path has none.
pub fn slot(leaf: Option<MessageId>) -> String {
    leaf.map_or_else(|| "after-start".into(), |leaf| format!("after-{leaf}"))
}

/// Send, and the parent of the next message, in the composer of a page whose path ends with `leaf`.
pub fn send(leaf: Option<MessageId>) -> String {
    leaf.map_or_else(|| "send-start".into(), |leaf| format!("send-{leaf}"))
}

/// The place of Stop in the composer of pages that show this answer as being written.
pub fn stopping(answer: MessageId) -> String {
    format!("{} #{STOPPING}", while_writing(answer))
}

/// Not on pages whose feed was quicker and has brought its end.
fn while_writing(answer: MessageId) -> String {
    format!("body:has(#{}:is([data-state='queued'], [data-state='streaming']))", foot(answer))
}

/// Stop, of this answer.
pub fn stop(answer: MessageId) -> String {
    format!("#{STOPPING} > [data-of='{answer}']")
}

/// The headline of a chat's page.
pub fn title(chat: ChatId) -> String {
    format!("title-{chat}")
}

/// A chat's name in the list.
pub fn link_title(chat: ChatId) -> String {
    format!("ct-{chat}")
}

/// A chat's line in the list, and its menu with the button.
pub fn row(chat: ChatId) -> String {
    format!("c-{chat}")
}

pub fn menu_button(chat: ChatId) -> String {
    format!("cb-{chat}")
}

pub fn menu(chat: ChatId) -> String {
    format!("cm-{chat}")
}

/// The mark beside it while the chat is answering.
pub fn link_live(chat: ChatId) -> String {
    format!("cl-{chat}")
}

/// A chat's line in what was loaded by scrolling.
pub fn row_in_rest(chat: ChatId) -> String {
    format!("#{REST} #{}", row(chat))
}

/// Chats under one heading of the list.
pub fn day(key: &str) -> String {
    format!("day-{key}")
}

/// The line of an answer on the administrators' page.
pub fn job(id: GenerationId) -> String {
    format!("g-{id}")
}

/// The line of a key on the administrators' page of providers.
pub fn provider_key(id: ProviderKeyId) -> String {
    format!("key-{id}")
}

/// The heading of a provider there; names are whatever stands in the settings.
pub fn provider(name: &str) -> String {
    let safe = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    format!("provider-{}", name.chars().map(safe).collect::<String>())
}

/// The place of Stop in the composer; empty while nothing is being written.
pub const STOPPING: &str = "stopping";
/// The lines that screen readers hear.
pub const ANNOUNCE: &str = "announce";
/// The chats in the list.
pub const CHATS: &str = "chats";
/// Of these the first page, as far as the live list goes; and what was loaded after it by scrolling.
pub const NEWEST: &str = "newest-chats";
pub const REST: &str = "older-chats";
/// What the page's list is, for the feed.
pub const LIST_STAMP: &str = "list-stamp";
/// The place in the list of the word that offers to undo.
pub const UNDO: &str = "undo";
/// Where a chat is to be: the form, and its place over the list.
pub const MOVE: &str = "move";
pub const MOVE_SHEET: &str = "move-sheet";
/// The composer's form, without the part named by [`send`].
pub const SAY: &str = "say";
