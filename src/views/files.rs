//! Images that go along with a message: in the composer, in the message, and the page that takes one without scripts.

use super::{ChatDay, Me, assets, dom, page, text};
use crate::base::ids::FileId;

/// An image as a page shows it.
pub struct Image {
    pub id: FileId,
    pub name: String,
    /// In pixels.
    pub width: u32,
    pub height: u32,
}

#[derive(askama::Template)]
#[template(path = "pages/attach/page.html")]
pub struct AttachPage {
    pub me: Me,
    pub days: Vec<ChatDay>,
    /// Where the message is written; empty: a new chat.
    pub chat: String,
    /// The ids of what it has already.
    pub files: String,
    /// Where to go without an image.
    pub back: String,
    pub max_mb: u32,
    pub error: Option<String>,
}

page!(AttachPage);

/// An image in the composer.
#[derive(askama::Template)]
#[template(path = "partials/chip.html")]
pub(super) struct Chip<'a> {
    pub image: &'a Image,
}

/// For the composer that asked for it to be taken.
pub fn chip(image: &Image) -> String {
    askama::Template::render(&Chip { image }).expect("writing to a String cannot fail")
}
