//! The composer. Its form, Stop and Send are partials of their own: the form belongs to the page, Stop to the answer that
//! is being written, Send to the end of the path.

use askama::Template;

use super::{Image, assets, dom, files::Chip, text};
use crate::base::ids::MessageId;

/// A model to pick.
pub struct ModelChoice {
    pub id: String,
    pub name: String,
    /// What it costs, how much it takes, what it can do; in a few words.
    pub about: String,
    pub chosen: bool,
}

impl ModelChoice {
    /// The one that was chosen, and is not there any more.
    #[must_use]
    pub fn gone(id: &str) -> Self {
        Self { id: id.to_owned(), name: format!("{id} {}", text::MODEL_GONE), about: String::new(), chosen: true }
    }
}

pub struct Composer {
    pub action: String,
    /// Where prompts are picked for it.
    pub prompts: String,
    /// Where it is told what the next message is sent with; nothing in a new chat.
    pub context: Option<String>,
    /// Makes a resubmission harmless; new with every form.
    pub key: String,
    /// The message to answer to; none in a new chat.
    pub parent: Option<MessageId>,
    /// Images that go along.
    pub files: Vec<Image>,
    /// Where one is added without scripts.
    pub attach: String,
    /// MB that an image may have.
    pub max_mb: u32,
    pub models: Vec<ModelChoice>,
    /// What is left of what may be sent and spent, for the head of the picker; nothing without a limit.
    pub quota: Option<String>,
    /// Why nothing can be sent, as a sentence.
    pub no_models: Option<String>,
    pub text: String,
    pub error: Option<String>,
    /// Characters, not bytes.
    pub max_chars: usize,
    /// The answer on the path that is being written: it can be stopped from here.
    pub answering: Option<MessageId>,
    pub focus: bool,
    /// How many more may be sent, when they are few.
    pub left: Option<Left>,
}

/// A limit that is nearly used up.
pub struct Left {
    pub left: u32,
    pub most: u32,
    /// Else a minute.
    pub a_day: bool,
}

impl Composer {
    /// Form and button. `enhanced` posts through htmx, which needs the slot on the page.
    pub(super) fn whole(&self, enhanced: bool) -> Whole<'_> {
        let send = Send { leaf: self.parent, disabled: self.no_models.is_some() };
        Whole { form: self.form(enhanced), stop: self.answering.map(|answer| Stop { answer }), send }
    }

    pub(super) fn form(&self, enhanced: bool) -> Form<'_> {
        Form { composer: self, enhanced }
    }
}

#[derive(Template)]
#[template(path = "partials/composer.html")]
pub(super) struct Whole<'a> {
    form: Form<'a>,
    stop: Option<Stop>,
    send: Send,
}

impl Whole<'_> {
    /// The same without Stop, whatever is running.
    pub(super) fn idle(mut self) -> Self {
        self.stop = None;
        self
    }
}

#[derive(Template)]
#[template(path = "partials/composer_form.html")]
pub(super) struct Form<'a> {
    composer: &'a Composer,
    enhanced: bool,
}

impl Form<'_> {
    fn chips(&self) -> impl Iterator<Item = Chip<'_>> {
        self.composer.files.iter().map(|image| Chip { image })
    }
}

/// Stop, while an answer is being written.
#[derive(Template)]
#[template(path = "partials/stop.html")]
pub(super) struct Stop {
    pub answer: MessageId,
}

/// Send, and the parent of what is sent next.
#[derive(Template)]
#[template(path = "partials/send.html")]
pub(super) struct Send {
    pub leaf: Option<MessageId>,
    pub disabled: bool,
}
