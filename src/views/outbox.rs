//! The administrators' pages of letters: all of them, and one that lies here to be read.

use super::{ChatDay, Me, assets, dom, page, text};
use crate::base::ids::LetterId;
use time::OffsetDateTime;

#[derive(askama::Template)]
#[template(path = "pages/outbox/page.html")]
pub struct OutboxPage {
    pub me: Me,
    pub days: Vec<ChatDay>,
    /// Where letters lie, when there is no server.
    pub folder: Option<String>,
    pub letters: Vec<LetterLine>,
    /// Older letters come before this one.
    pub older: Option<LetterId>,
    /// One is tried again; or why not.
    pub tried: bool,
    pub refused: Option<String>,
}

#[derive(askama::Template)]
#[template(path = "pages/letter/page.html")]
pub struct LetterPage {
    pub me: Me,
    pub days: Vec<ChatDay>,
    pub line: LetterLine,
    /// Subject and text, if they are to be read here.
    pub written: Option<(String, String)>,
}

page!(OutboxPage, LetterPage);

/// A letter, without what it says.
pub struct LetterLine {
    pub id: LetterId,
    pub to: String,
    pub kind: String,
    pub at: OffsetDateTime,
    pub state: LetterState,
    pub attempts: i32,
    pub next: OffsetDateTime,
    pub error: String,
    /// It can still be sent, or read.
    pub whole: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LetterState {
    Queued,
    Sending,
    Sent,
    Written,
    Failed,
}

impl LetterLine {
    fn what(&self) -> &str {
        text::letter_kind(&self.kind)
    }

    fn words(&self) -> String {
        match self.state {
            LetterState::Queued if self.attempts > 0 => text::letter_again(self.attempts, self.next),
            LetterState::Queued | LetterState::Sending => text::LETTER_QUEUED.into(),
            LetterState::Sent => text::LETTER_SENT.into(),
            LetterState::Written => text::LETTER_WRITTEN.into(),
            LetterState::Failed => text::LETTER_FAILED.into(),
        }
    }

    fn is_written(&self) -> bool {
        self.state == LetterState::Written
    }

    fn can_be_read(&self) -> bool {
        self.is_written() && self.whole
    }

    fn can_be_tried(&self) -> bool {
        self.state == LetterState::Failed && self.whole
    }
}
