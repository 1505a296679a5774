//! The face of an error as a page.

use super::{assets, page, text};

#[derive(askama::Template)]
#[template(path = "errors/page.html")]
pub struct ErrorPage {
    pub status: u16,
    pub title: String,
    /// What happened and what the reader can do; never an internal text.
    pub message: String,
    pub request_id: String,
}

page!(ErrorPage);
