//! Like and dislike under an answer, and the page, or sheet, in which one says why.

use askama::Template;

use super::{ChatDay, Me, assets, dom, page, text};
use crate::base::ids::{ChatId, MessageId};

/// What a reader thinks of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rated {
    /// Or disliked.
    pub liked: bool,
    /// They said why.
    pub noted: bool,
}

impl Rated {
    fn label(self) -> &'static str {
        if self.noted { text::NOTE_CHANGE } else { text::NOTE_ADD }
    }
}

/// Two buttons of which one may be pressed, and then the way to a note.
#[derive(Template)]
#[template(path = "partials/rating.html")]
pub struct Rating {
    pub message: MessageId,
    pub rated: Option<Rated>,
}

impl Rating {
    /// The element anew, after one was pressed.
    pub fn html(&self) -> String {
        self.render().expect("writing to a String cannot fail")
    }

    fn is(&self, liked: bool) -> bool {
        self.rated.is_some_and(|rated| rated.liked == liked)
    }
}

/// Why an answer is liked or disliked.
#[derive(Template)]
#[template(path = "pages/rating/page.html")]
pub struct RatingPage {
    pub me: Me,
    pub days: Vec<ChatDay>,
    pub chat: ChatId,
    pub message: MessageId,
    pub liked: bool,
    pub note: String,
    /// Characters, not bytes.
    pub max_chars: usize,
    pub error: Option<String>,
}

page!(RatingPage);
