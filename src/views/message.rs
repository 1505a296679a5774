//! One message, however it reaches the screen: page, feed or answer to a form.

use askama::Template;

use super::{Image, Rated, Rating, assets, dom, text};
use crate::base::ids::{ChatId, MessageId};

/// What a person says is shown whole up to so many characters and lines: about what the fold leaves in sight.
const LONG_CHARS: usize = 1200;
const LONG_LINES: usize = 16;

/// Where a message stands. `Sent` is a person's; the others are an answer's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageState {
    Sent,
    /// In line; held, if the answer before it did not come.
    Lined(Option<Held>),
    Queued,
    Streaming,
    /// To be tried again, in so many seconds.
    Waiting {
        seconds: u64,
    },
    Completed,
    Stopped,
    Interrupted,
    Failed,
}

/// Why the line does not go on: how the answer before it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    Failed,
    Interrupted,
    Waiting,
}

impl MessageState {
    /// Whether text is to come, now.
    pub fn running(self) -> bool {
        matches!(self, Self::Queued | Self::Streaming)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Lined(_) => "lined",
            Self::Waiting { .. } => "waiting",
            Self::Queued => "queued",
            Self::Streaming => "streaming",
            Self::Completed => "completed",
            Self::Stopped => "stopped",
            Self::Interrupted => "interrupted",
            Self::Failed => "failed",
        }
    }
}

pub struct Message {
    pub id: MessageId,
    pub chat: ChatId,
    /// What it follows: of an answer, its question.
    pub parent: Option<MessageId>,
    pub mine: bool,
    /// Sanitised HTML; it is written as it stands.
    pub html: String,
    /// What a person sent along.
    pub images: Vec<Image>,
    /// Plain text, may be empty.
    pub reasoning: String,
    pub reasoning_seconds: Option<u32>,
    pub state: MessageState,
    /// Why it failed or was interrupted, as a sentence.
    pub reason: Option<String>,
    pub model: String,
    pub tokens: Option<i64>,
    /// The Markdown it was made of, for copying; none while running.
    pub source: Option<String>,
    /// Said beside others in its place.
    pub versions: Option<Versions>,
    /// A question at the end of the path that nobody was asked.
    pub unanswered: bool,
    /// What the reader thinks of it, and whether they said why; only on pages, for the feed knows no reader.
    pub rating: Option<Rated>,
}

/// Which of the versions of a message this one is.
pub struct Versions {
    /// From 1.
    pub place: usize,
    pub count: usize,
    pub previous: Option<MessageId>,
    pub next: Option<MessageId>,
}

/// A question and its answer.
pub struct Turn {
    pub question: Message,
    pub answer: Message,
}

impl Message {
    /// The article.
    pub fn render(&self) -> String {
        View { message: self, mark: None }.html()
    }

    /// A person's text that is folded until it is asked for: a paste of pages would push the conversation away.
    fn is_long(&self) -> bool {
        let long = |text: &String| text.chars().nth(LONG_CHARS).is_some() || text.lines().nth(LONG_LINES).is_some();
        self.mine && self.source.as_ref().is_some_and(long)
    }

    pub(super) fn foot(&self) -> Foot<'_> {
        Foot { message: self }
    }

    /// Like and dislike, for an answer that came.
    pub(super) fn rating(&self) -> Option<Rating> {
        let came = matches!(self.state, MessageState::Completed | MessageState::Stopped | MessageState::Interrupted);
        let rateable = !self.mine && came && !self.html.is_empty();
        rateable.then_some(Rating { message: self.id, rated: self.rating })
    }

    pub(super) fn thinking(&self) -> Thinking<'_> {
        Thinking { id: self.id, label: text::thought(self.reasoning_seconds), text: &self.reasoning }
    }
}

/// The article, with the place where a page held open goes on.
#[derive(Template)]
#[template(path = "partials/message.html")]
pub(super) struct View<'a> {
    pub message: &'a Message,
    pub mark: Option<&'static str>,
}

impl View<'_> {
    pub(super) fn html(&self) -> String {
        self.render().expect("writing to a String cannot fail")
    }
}

/// State and tools under a message. The state stands here and nowhere else, so an end replaces this alone.
#[derive(Template)]
#[template(path = "partials/foot.html")]
pub(super) struct Foot<'a> {
    message: &'a Message,
}

impl Foot<'_> {
    fn problem(&self) -> Option<&str> {
        let plain = match self.message.state {
            MessageState::Stopped => text::STOPPED,
            MessageState::Interrupted => text::INTERRUPTED,
            MessageState::Failed => text::FAILED,
            MessageState::Waiting { .. } => text::WAITING,
            MessageState::Lined(Some(Held::Failed)) => return Some(text::HELD_FAILED),
            MessageState::Lined(Some(Held::Interrupted)) => return Some(text::HELD_INTERRUPTED),
            MessageState::Lined(Some(Held::Waiting)) => return Some(text::HELD_WAITING),
            MessageState::Completed => return self.message.reason.as_deref(),
            _ => return None,
        };
        Some(self.message.reason.as_deref().unwrap_or(plain))
    }

    /// Seconds until it is tried again.
    fn due(&self) -> Option<u64> {
        match self.message.state {
            MessageState::Waiting { seconds } => Some(seconds),
            _ => None,
        }
    }

    fn in_line(&self) -> bool {
        matches!(self.message.state, MessageState::Lined(_))
    }

    /// It was cut, and has something to go on from.
    fn can_go_on(&self) -> bool {
        let has_text = self.message.source.as_ref().is_some_and(|source| !source.is_empty());
        has_text && self.problem().is_some()
    }

    /// Nothing is to come any more, and it is not as it should be.
    fn can_try_again(&self) -> bool {
        matches!(self.message.state, MessageState::Failed | MessageState::Interrupted | MessageState::Stopped)
    }
}

/// Folded reasoning.
#[derive(Template)]
#[template(path = "partials/thinking.html")]
pub(super) struct Thinking<'a> {
    pub id: MessageId,
    pub label: String,
    pub text: &'a str,
}

/// The place for the turn after `leaf`.
#[derive(Template)]
#[template(path = "partials/slot.html")]
pub(super) struct Slot {
    pub leaf: Option<MessageId>,
}
