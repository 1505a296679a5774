//! What can be done with one message: say it otherwise, ask again, go on elsewhere, delete. Pages by themselves; where
//! there are scripts, their middle opens inside the conversation.

use super::{ChatDay, Image, Me, ModelChoice, assets, dom, files::Chip, page, text};
use crate::base::ids::{ChatId, MessageId};
use time::OffsetDateTime;

/// A message being said otherwise.
#[derive(askama::Template)]
#[template(path = "pages/edit/page.html")]
pub struct EditPage {
    pub me: Me,
    pub days: Vec<ChatDay>,
    pub chat: ChatId,
    pub message: MessageId,
    pub by_model: bool,
    /// It was not sent yet.
    pub in_line: bool,
    pub words: String,
    /// What goes along with it.
    pub images: Vec<Image>,
    /// Makes a resubmission harmless.
    pub key: String,
    pub error: Option<String>,
}

/// The acts that are not under every message.
#[derive(askama::Template)]
#[template(path = "pages/message/page.html")]
pub struct MessagePage {
    pub me: Me,
    pub days: Vec<ChatDay>,
    pub chat: ChatId,
    pub message: MessageId,
    pub by_model: bool,
    pub models: Vec<ModelChoice>,
    pub model: String,
    pub tokens: Option<i64>,
    /// What it cost, in words.
    pub cost: Option<String>,
    /// When it was said.
    pub at: OffsetDateTime,
    /// The beginning of what it says.
    pub excerpt: String,
}

page!(EditPage, MessagePage);

impl EditPage {
    fn chips(&self) -> impl Iterator<Item = Chip<'_>> {
        self.images.iter().map(|image| Chip { image })
    }
}
