//! The composer. Its form and its send button are two partials: the form belongs to the page, the button to the path.

use askama::Template;

use super::{assets, dom, text};
use crate::base::ids::MessageId;

/// A model to pick.
pub struct ModelChoice {
    pub id: String,
    pub name: String,
    pub chosen: bool,
}

pub struct Composer {
    pub action: String,
    /// Makes a resubmission harmless; new with every form.
    pub key: String,
    /// The message to answer to; none in a new chat.
    pub parent: Option<MessageId>,
    pub models: Vec<ModelChoice>,
    /// Why nothing can be sent, as a sentence.
    pub no_models: Option<String>,
    pub text: String,
    pub error: Option<String>,
    /// Characters, not bytes.
    pub max_chars: usize,
    /// The running answer: then it says Stop instead of Send.
    pub answering: Option<MessageId>,
    pub focus: bool,
}

impl Composer {
    /// Form and button. `enhanced` posts through htmx, which needs the slot on the page.
    pub(super) fn whole(&self, enhanced: bool) -> Whole<'_> {
        Whole { form: self.form(enhanced), send: self.send() }
    }

    pub(super) fn form(&self, enhanced: bool) -> Form<'_> {
        Form { composer: self, enhanced }
    }

    fn send(&self) -> Send {
        Send {
            leaf: self.answering.or(self.parent),
            answering: self.answering.is_some(),
            disabled: self.no_models.is_some(),
        }
    }
}

#[derive(Template)]
#[template(path = "partials/composer.html")]
pub(super) struct Whole<'a> {
    form: Form<'a>,
    send: Send,
}

impl Whole<'_> {
    /// The same with Send, whatever is running.
    pub(super) fn idle(mut self) -> Self {
        self.send.answering = false;
        self
    }
}

#[derive(Template)]
#[template(path = "partials/composer_form.html")]
pub(super) struct Form<'a> {
    composer: &'a Composer,
    enhanced: bool,
}

/// Send or stop, and the parent of what is sent next.
#[derive(Template)]
#[template(path = "partials/send.html")]
pub(super) struct Send {
    pub leaf: Option<MessageId>,
    pub answering: bool,
    pub disabled: bool,
}
