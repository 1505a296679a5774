//! Looks: pages, partials and feed fragments as askama templates with typed inputs.
//! What must not live here: SQL, HTTP, look-ups, decisions. Every struct is filled by an entrance and rendered once.

mod account;
mod admin;
pub mod assets;
mod chat;
mod composer;
pub mod document;
pub mod dom;
mod entrance;
mod error;
pub mod export;
pub mod feed;
mod files;
mod folders;
mod groups;
mod import;
mod invitations;
mod jobs;
mod keys;
mod limits;
mod list;
pub mod live_list;
pub mod mail;
mod message;
mod models;
mod outbox;
mod outlook;
mod prompts;
mod providers;
mod rating;
mod search;
mod settings;
pub mod text;
mod tree;
mod usage;

pub use account::{DataFile, DataPage, LeavePage, LeavingPage, PasswordPage, SessionLine, SessionsPage};
pub use admin::{
    AuditPage, LogLine, MigrationsLine, NewUserPage, PersonLine, ProcessLine, SystemPage, UserLimits, UserNotice,
    UserPage, UsersPage,
};
pub use chat::{ChatPage, DeletePage, HomePage, LIVE_MARK, RenamePage, Stands, live_end};
pub use composer::{Composer, Left, ModelChoice};
pub use entrance::{ForgotPage, LoginPage, RegisterPage, ResetPage, Said, SayPage, SetupPage};
pub use error::ErrorPage;
pub use files::{AttachPage, Image, chip};
pub use folders::{FolderDeletePage, FolderLink, FolderPage, FoldersPage, MoveForm, MovePage};
pub use groups::{GroupForm, GroupLine, GroupMember, GroupPage, GroupsPage};
pub use import::{ImportFile, ImportPage};
pub use invitations::{InvitationLine, InvitationNotice, InvitationState, InvitationsPage};
pub use jobs::{Job, JobGroup, JobKind, JobNotice, JobsPage, QueueLine};
pub use keys::{KeyForm, KeyLine, KeysPage, NewKey};
pub use limits::{LimitField, LimitsPage, RoleLimits};
pub use list::{ChatDay, ChatLine, ChatLink, Chats, FolderHead, Me, PutAway, ShelfPage, list_anew, pinned};
pub use message::{Held, Message, MessageState, Turn, Versions};
pub use models::{Capability, ModelField, ModelGroup, ModelLine, ModelPage, ModelsPage};
pub use outbox::{LetterLine, LetterPage, LetterState, OutboxPage};
pub use outlook::ContextPage;
pub use prompts::{FillPage, PickPage, PromptForm, PromptLink, PromptPage, PromptsPage};
pub use providers::{
    KeptKey, KeptNotice, KeptPage, KeyStanding, ProviderGroup, ProviderKey, ProviderNotice, ProvidersPage,
};
pub use rating::{Rated, Rating, RatingPage};
pub use search::{Command, FoundLine, PaletteFound, SearchPage, Span, what};
pub use settings::{AddressPage, ChatSettingsPage, SettingsPage, WayForm};
pub use text::RESET_DONE;
pub use tree::{EditPage, MessagePage};
pub use usage::{UsageGroup, UsageKind, UsageLine, UsagePage};

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
