//! Looks: pages, partials and feed fragments as askama templates with typed inputs.
//! What must not live here: SQL, HTTP, look-ups, decisions. Every struct is filled by an entrance and rendered once.

pub mod assets;
mod chat;
mod composer;
pub mod dom;
mod entrance;
mod error;
pub mod export;
pub mod feed;
mod import;
mod jobs;
mod list;
mod message;
mod prompts;
mod search;
mod settings;
mod text;
mod tree;

pub use chat::{ChatPage, DeletePage, HomePage, LIVE_MARK, RenamePage, live_end};
pub use composer::{Composer, ModelChoice};
pub use entrance::{LoginPage, RegisterPage, SetupPage};
pub use error::ErrorPage;
pub use import::{ImportFile, ImportPage};
pub use jobs::{Job, JobGroup, JobKind, JobNotice, JobsPage, QueueLine};
pub use list::{ChatDay, ChatLine, ChatLink, Chats, Me, PutAway, ShelfPage, list_anew, pinned};
pub use message::{Held, Message, MessageState, Turn, Versions};
pub use prompts::{FillPage, PickPage, PromptForm, PromptLink, PromptPage, PromptsPage};
pub use search::{Command, FoundLine, PaletteFound, SearchPage, Span, what};
pub use settings::{ChatSettingsPage, SettingsPage, WayForm};
pub use tree::{EditPage, MessagePage};

/// Gives page structs an infallible `render`: writing to a string only fails when a template's own value does.
macro_rules! page {
    ($($name:ident),+) => {$(
        impl $name {
            /// The whole page as HTML.
            pub fn render(&self) -> String {
                askama::Template::render(self).expect("writing to a String cannot fail")
            }
        }
    )+};
}
use page;
