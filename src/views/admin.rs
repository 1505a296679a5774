//! The administrators' pages about people, what was done, and the system.

use super::{ChatDay, Me, assets, dom, page, text};
use crate::base::ids::UserId;
use time::OffsetDateTime;

/// Everybody, or who was searched for.
#[derive(askama::Template)]
#[template(path = "pages/users/page.html")]
pub struct UsersPage {
    pub me: Me,
    pub days: Vec<ChatDay>,
    /// An account was, before this page.
    pub deleted: bool,
    pub q: String,
    pub people: Vec<PersonLine>,
    /// The way to those after these.
    pub older: Option<String>,
}

/// One account, and what can be done with it.
#[derive(askama::Template)]
#[template(path = "pages/user/page.html")]
pub struct UserPage {
    pub me: Me,
    pub days: Vec<ChatDay>,
    pub person: PersonLine,
    /// What was done before this page.
    pub notice: Option<UserNotice>,
    /// Why it was not done.
    pub refused: Option<String>,
    /// A link to choose another password, shown once.
    pub link: Option<String>,
    pub limits: UserLimits,
    pub entries: Vec<LogLine>,
}

/// The form for a new account.
#[derive(askama::Template)]
#[template(path = "pages/user_new/page.html")]
pub struct NewUserPage {
    pub me: Me,
    pub days: Vec<ChatDay>,
    pub email: String,
    pub name: String,
    pub administrator: bool,
    /// Field and sentence.
    pub errors: Vec<(&'static str, String)>,
}

/// What was done.
#[derive(askama::Template)]
#[template(path = "pages/audit/page.html")]
pub struct AuditPage {
    pub me: Me,
    pub days: Vec<ChatDay>,
    pub entries: Vec<LogLine>,
    pub older: Option<String>,
}

/// How the installation stands.
#[derive(askama::Template)]
#[template(path = "pages/system/page.html")]
pub struct SystemPage {
    pub me: Me,
    pub days: Vec<ChatDay>,
    pub version: &'static str,
    pub postgres: String,
    pub migrations: MigrationsLine,
    /// Name, and whether it is there.
    pub extensions: Vec<(&'static str, bool)>,
    pub accounts: i64,
    pub chats: i64,
    /// Bytes.
    pub database: u64,
    /// The data folder, and bytes free and in all.
    pub data: Option<(String, u64, u64)>,
    pub processes: Vec<ProcessLine>,
    /// Name and bytes.
    pub tables: Vec<(String, u64)>,
}

/// How complete the migrations are.
pub struct MigrationsLine {
    pub applied: i64,
    pub newest: i64,
    /// Still to be applied.
    pub behind: Option<usize>,
    /// A newer program has migrated.
    pub ahead: bool,
}

/// What was done before an account's page.
#[derive(Debug, Clone, Copy)]
pub enum UserNotice {
    Created,
    Role,
    Disabled,
    Enabled,
    Limits,
    Link,
}

/// Numbers that may be typed, as they were, and whether one of them cannot be taken.
pub struct UserLimits {
    pub minute: String,
    pub day: String,
    pub calls: String,
    /// In whole units of the currency.
    pub budget: String,
    pub currency: String,
    pub wrong: bool,
}

page!(UsersPage, UserPage, NewUserPage, AuditPage, SystemPage);

/// An account in the list.
pub struct PersonLine {
    pub id: UserId,
    pub email: String,
    pub name: String,
    pub administrator: bool,
    pub disabled: bool,
    pub created: OffsetDateTime,
    pub chats: i64,
    pub active: Option<OffsetDateTime>,
}

/// An entry of the audit log.
pub struct LogLine {
    pub at: OffsetDateTime,
    pub actor: String,
    pub action: String,
    pub subject: String,
    pub address: Option<String>,
    pub details: String,
}

/// A process that shares the database.
pub struct ProcessLine {
    pub kind: String,
    pub host: String,
    pub pid: i32,
    pub version: String,
    pub began: OffsetDateTime,
    /// Seconds since it was seen.
    pub silent: f64,
}

impl PersonLine {
    fn role(&self) -> &'static str {
        if self.administrator { text::ADMINISTRATOR } else { text::USER_MEMBER }
    }
}

impl NewUserPage {
    fn fault(&self, field: &str) -> Option<&str> {
        self.errors.iter().find(|(name, _)| *name == field).map(|(_, sentence)| sentence.as_str())
    }

    fn general(&self) -> Option<&str> {
        let shown = ["email", "name", "password"];
        self.errors.iter().find(|(name, _)| !shown.contains(name)).map(|(_, sentence)| sentence.as_str())
    }
}

impl UserNotice {
    fn words(self) -> &'static str {
        match self {
            Self::Created => text::USER_CREATED,
            Self::Role => text::USER_ROLE_CHANGED,
            Self::Disabled => text::USER_IS_DISABLED,
            Self::Enabled => text::USER_IS_ENABLED,
            Self::Limits => text::USER_LIMITS_CHANGED,
            Self::Link => text::USER_LINK_MADE,
        }
    }
}

impl SystemPage {
    /// Names and words.
    fn facts(&self) -> Vec<(&'static str, String)> {
        let migrations = &self.migrations;
        let extensions: Vec<_> = self.extensions.iter().map(|(name, there)| text::extension(name, *there)).collect();
        let mut facts = vec![
            (text::SYSTEM_VERSIONS, text::versions(self.version, &self.postgres)),
            (
                text::SYSTEM_MIGRATIONS,
                text::migrations(migrations.applied, migrations.newest, migrations.behind, migrations.ahead),
            ),
            (text::SYSTEM_EXTENSIONS, extensions.join("; ")),
            (text::SYSTEM_ACCOUNTS, text::grouped(self.accounts)),
            (text::USER_CHATS, text::grouped(self.chats)),
            (text::SYSTEM_DATABASE, text::size(self.database)),
        ];
        if let Some((path, free, total)) = &self.data {
            facts.push((text::SYSTEM_DATA, text::room(path, *free, *total)));
        }
        facts
    }
}
