//! One's account: its sessions, its password, its data to take along, and leaving.

use super::{ChatDay, Me, assets, dom, page, text};
use crate::base::ids::{SessionId, TakeoutId};
use time::OffsetDateTime;

#[derive(askama::Template)]
#[template(path = "pages/sessions/page.html")]
pub struct SessionsPage {
    pub me: Me,
    pub days: Vec<ChatDay>,
    /// The one seen last first.
    pub sessions: Vec<SessionLine>,
    /// How many programs are signed in with the password.
    pub programs: i64,
    /// One or more have just been ended.
    pub ended: bool,
}

pub struct SessionLine {
    pub id: SessionId,
    /// In words; may be empty.
    pub device: String,
    pub address: Option<String>,
    pub remember: bool,
    pub began: OffsetDateTime,
    pub seen: OffsetDateTime,
    /// The session of the reader.
    pub this: bool,
}

#[derive(askama::Template)]
#[template(path = "pages/password/page.html")]
pub struct PasswordPage {
    pub me: Me,
    pub days: Vec<ChatDay>,
    pub saved: bool,
    /// Field and sentence.
    pub errors: Vec<(&'static str, String)>,
}

#[derive(askama::Template)]
#[template(path = "pages/leave/page.html")]
pub struct LeavePage {
    pub me: Me,
    pub days: Vec<ChatDay>,
    /// Of the account, and as it was typed.
    pub email: String,
    pub typed: String,
    pub errors: Vec<(&'static str, String)>,
}

/// The minute before an account goes.
#[derive(askama::Template)]
#[template(path = "pages/leaving/page.html")]
pub struct LeavingPage {
    pub email: String,
    /// Until then.
    pub seconds: u64,
    pub error: Option<String>,
}

#[derive(askama::Template)]
#[template(path = "pages/data/page.html")]
pub struct DataPage {
    pub me: Me,
    pub days: Vec<ChatDay>,
    pub file: Option<DataFile>,
}

/// A file of all one's data, in the making or made.
pub struct DataFile {
    pub id: TakeoutId,
    /// Chats.
    pub total: i32,
    pub done: i32,
    /// Bytes.
    pub size: i64,
    pub ended: Option<OffsetDateTime>,
    pub failed: bool,
}

page!(SessionsPage, PasswordPage, LeavePage, LeavingPage, DataPage);

/// A password to be typed.
struct Secret {
    name: &'static str,
    label: &'static str,
    /// To be chosen, not known.
    new: bool,
}

const OLD: Secret = Secret { name: "old", label: text::PASSWORD_OLD, new: false };
const NEW: Secret = Secret { name: "password", label: text::PASSWORD_NEW, new: true };
const CONFIRM: Secret = Secret { name: "password", label: text::PASSWORD, new: false };

impl SessionLine {
    fn device(&self) -> &str {
        if self.device.is_empty() { text::SESSION_UNKNOWN } else { &self.device }
    }
}

impl PasswordPage {
    fn fault(&self, field: &str) -> Option<&str> {
        find(&self.errors, |name| name == field)
    }

    fn general(&self) -> Option<&str> {
        find(&self.errors, |name| !["old", "password"].contains(&name))
    }
}

impl LeavePage {
    fn fault(&self, field: &str) -> Option<&str> {
        find(&self.errors, |name| name == field)
    }

    fn general(&self) -> Option<&str> {
        find(&self.errors, |name| !["email", "password"].contains(&name))
    }
}

impl DataPage {
    fn is_busy(&self) -> bool {
        self.file.as_ref().is_some_and(|file| file.ended.is_none())
    }
}

impl DataFile {
    fn bytes(&self) -> u64 {
        self.size.unsigned_abs()
    }

    /// A bar has an end that is not 0.
    fn most(&self) -> i32 {
        self.total.max(1)
    }
}

fn find<'a>(errors: &'a [(&'static str, String)], is: impl Fn(&str) -> bool) -> Option<&'a str> {
    errors.iter().find(|(name, _)| is(name)).map(|(_, sentence)| sentence.as_str())
}
