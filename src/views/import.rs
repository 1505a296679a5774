//! The page that takes a file of chats, and tells how far the last ones are.

use super::{ChatDay, Me, assets, dom, page, text};
use crate::base::ids::ChatId;

#[derive(askama::Template)]
#[template(path = "pages/import/page.html")]
pub struct ImportPage {
    pub me: Me,
    pub days: Vec<ChatDay>,
    pub error: Option<String>,
    /// The newest first.
    pub files: Vec<ImportFile>,
}

page!(ImportPage);

/// A file that was taken.
pub struct ImportFile {
    pub name: String,
    pub total: i32,
    pub done: i32,
    /// Chats that could not be read.
    pub left_out: i32,
    pub chat: Option<ChatId>,
    pub ended: bool,
}

impl ImportPage {
    fn is_busy(&self) -> bool {
        self.files.iter().any(|file| !file.ended)
    }
}
