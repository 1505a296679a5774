//! Prompt templates: to pick one, to fill it in, to keep them.

use super::{ChatDay, Me, assets, dom, page, text};
use crate::base::ids::{ChatId, PromptId};

/// A template in a list.
pub struct PromptLink {
    pub id: PromptId,
    pub name: String,
    /// The beginning of its text.
    pub excerpt: String,
    pub shared: bool,
    /// Can be changed by who looks.
    pub mine: bool,
}

/// To pick one for the composer of a chat, or of a new one.
#[derive(askama::Template)]
#[template(path = "pages/prompts/pick.html")]
pub struct PickPage {
    pub me: Me,
    pub days: Vec<ChatDay>,
    pub chat: Option<ChatId>,
    pub prompts: Vec<PromptLink>,
}

/// To fill one in.
#[derive(askama::Template)]
#[template(path = "pages/prompts/fill.html")]
pub struct FillPage {
    pub me: Me,
    pub days: Vec<ChatDay>,
    pub chat: Option<ChatId>,
    pub id: PromptId,
    pub name: String,
    pub variables: Vec<String>,
}

/// To keep them: those there are, and a form for a new one.
#[derive(askama::Template)]
#[template(path = "pages/prompts/keep.html")]
pub struct PromptsPage {
    pub me: Me,
    pub days: Vec<ChatDay>,
    pub saved: bool,
    pub prompts: Vec<PromptLink>,
    pub form: PromptForm,
}

/// To change one.
#[derive(askama::Template)]
#[template(path = "pages/prompts/edit.html")]
pub struct PromptPage {
    pub me: Me,
    pub days: Vec<ChatDay>,
    pub id: PromptId,
    pub form: PromptForm,
}

page!(PickPage, FillPage, PromptsPage, PromptPage);

/// What a template is made of.
#[derive(Default)]
pub struct PromptForm {
    pub name: String,
    pub text: String,
    pub shared: bool,
    /// May be shared by who looks.
    pub may_share: bool,
    pub errors: Vec<(&'static str, String)>,
}

impl PromptForm {
    fn fault(&self, field: &str) -> Option<&str> {
        self.errors.iter().find(|(name, _)| *name == field).map(|(_, sentence)| sentence.as_str())
    }

    fn general(&self) -> Option<&str> {
        self.errors.iter().find(|(name, _)| !["name", "text"].contains(name)).map(|(_, sentence)| sentence.as_str())
    }
}

impl PickPage {
    /// What a link carries on, so that the way leads back to the chat.
    fn query(&self) -> String {
        self.chat.map(|chat| format!("?chat={chat}")).unwrap_or_default()
    }
}

impl FillPage {
    fn back(&self) -> String {
        self.chat.map_or_else(|| "/".to_owned(), |chat| format!("/chats/{chat}"))
    }
}
