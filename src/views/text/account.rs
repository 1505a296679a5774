//! The words of one's account: sessions, password, data to take along, leaving.

use super::grouped;

pub const SESSIONS: &str = "Sessions";
pub const SESSIONS_LEAD: &str = "Where you are signed in. End what you do not know, and change your password then: an ended session is over within seconds.";
pub const SESSIONS_ENDED: &str = "Ended.";
pub const SESSIONS_END: &str = "End all others";
/// How many programs are signed in, and what ends them.
#[must_use]
pub fn session_programs(count: i64) -> String {
    let programs = if count == 1 { "One program is".to_owned() } else { format!("{count} programs are") };
    format!("{programs} signed in with your password as well. To end all others ends that too.")
}
pub const SESSION_END: &str = "End";
pub const SESSION_THIS: &str = "this one";
pub const SESSION_SEEN: &str = "last seen";
pub const SESSION_BEGAN: &str = "since";
pub const SESSION_REMEMBERED: &str = "remembered";
pub const SESSION_UNKNOWN: &str = "An unknown device";
pub const PASSWORD_LEAD: &str = "A new password ends all your other sessions. This one goes on.";
pub const PASSWORD_OLD: &str = "The password you have";
pub const PASSWORD_NEW: &str = "The new one";
pub const PASSWORD_CHANGE: &str = "Change the password";
pub const PASSWORD_SAVED: &str = "The password is changed, and your other sessions are ended.";
pub const LEAVE: &str = "Delete account";
pub const LEAVE_LEAD: &str = "Your chats, prompts, folders, ratings, keys and settings go for good, a minute after you confirm it; until then it can be undone. What you did stays in the log of this place, and what it cost in its ledger, under a name that nobody knows.";
pub const LEAVE_DATA: &str = "Take your data along first.";
pub const LEAVE_EMAIL: &str = "Your address, to be sure";
pub const LEAVE_EMAIL_HINT: &str = "Type";
pub const LEAVE_DO: &str = "Delete my account";
pub const LEAVING: &str = "Your account goes";
pub const LEAVING_LEAD: &str = "With all that is yours here:";
pub const LEAVING_IN: &str = "It can be undone for";
pub const LEAVING_NOW: &str = "It is being deleted now.";
pub const STAY: &str = "Keep my account";
pub const DATA: &str = "Your data";
pub const DATA_LEAD: &str = "All that is yours here in one file: your account, settings, prompts, folders, ratings, sessions, what you used and what the log says about you, and each chat twice: as JSON, which can be imported again, and as Markdown.";
pub const DATA_ASK: &str = "Make the file";
pub const DATA_AGAIN: &str = "Make it anew";
pub const DATA_BUSY: &str = "The file is being made";
pub const DATA_READY: &str = "The file is ready";
pub const DATA_KEPT: &str = "kept for a day, from";
pub const DATA_TAKE: &str = "Download";
pub const DATA_RELOAD: &str = "See how far it is";
pub const DATA_FAILED: &str = "The file could not be made. That is our fault; try again.";

pub fn chats(count: i32) -> String {
    if count == 1 { "1 chat".to_owned() } else { format!("{} chats", grouped(count.into())) }
}

/// How far the file of one's data is.
pub fn packing(done: i32, total: i32) -> String {
    format!("{} of {}", grouped(done.into()), chats(total))
}
