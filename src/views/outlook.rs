//! What the next message of a chat is sent with.

use super::{ChatDay, Me, assets, dom, page, text};
use crate::base::ids::{ChatId, MessageId};

#[derive(askama::Template)]
#[template(path = "pages/context/page.html")]
pub struct ContextPage {
    pub me: Me,
    pub days: Vec<ChatDay>,
    pub chat: ChatId,
    pub model: String,
    /// So many tokens the model takes, and what of them is kept for the answer.
    pub window: Option<u32>,
    pub max_output: u32,
    pub sent: usize,
    pub messages: usize,
    /// Where what is sent begins, if that is not the beginning.
    pub first: Option<MessageId>,
    pub tokens: i64,
    /// Else it is a guess.
    pub counted: bool,
    /// In words: what the next answer costs at most, and the chat so far.
    pub most: Option<String>,
    pub cost: Option<String>,
}

page!(ContextPage);

impl ContextPage {
    /// So many tokens may be asked.
    fn room(&self) -> u32 {
        self.window.unwrap_or_default().saturating_sub(self.max_output)
    }
}
