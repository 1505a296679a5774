//! Every word the pages say, in English; those of one's account are in text/account.rs. Another language is another file
//! with the same names.

mod account;
pub mod admin;
mod answers;
pub mod document;
pub mod files;
pub mod groups;
pub mod letters;
pub mod limits;
pub mod models;
pub mod programs;
pub mod prompts;
pub mod providers;
pub mod usage;

pub use crate::base::money::{grouped, money, units};
pub use account::*;
pub use admin::*;
pub use answers::*;
pub use document::*;
pub use files::*;
pub use groups::*;
pub use letters::*;
pub use limits::*;
pub use models::*;
pub use programs::*;
pub use prompts::*;
pub use providers::*;
pub use usage::*;

use time::{OffsetDateTime, UtcOffset, format_description::well_known::Rfc3339};

pub const LANG: &str = "en";
pub const PARLOR: &str = "Parlor";
pub const SKIP: &str = "Skip to the conversation";
pub const SKIP_MAIN: &str = "Skip to the content";

// the list
pub const CHATS: &str = "Chats";
pub const NEW_CHAT: &str = "New chat";
pub const LIST_OPEN: &str = "Show the list of chats";
pub const LIST_CLOSE: &str = "Hide the list of chats";
pub const LIST_EMPTY: &str = "Your chats will stand here.";
pub const LIST_ANSWERING: &str = "answering";
pub const SIGN_OUT: &str = "Sign out";
pub const ADMINISTRATOR: &str = "Administrator";

// a chat
pub const CONVERSATION: &str = "Conversation";
pub const CHAT_MENU: &str = "Menu of this chat";
pub const RENAME: &str = "Rename";
pub const RENAME_TITLE: &str = "Rename this chat";
pub const RENAME_LABEL: &str = "Title";
pub const DELETE: &str = "Delete";
pub const DELETE_TITLE: &str = "Delete this chat?";
pub const DELETE_BODY: &str = "goes with everything said in it. You can undo this right after.";
pub const SAVE: &str = "Save";
pub const CANCEL: &str = "Cancel";
pub const SHOW_ALL: &str = "Show all";
pub const SHOW_LESS: &str = "Show less";
pub const EARLIER: &str = "Earlier messages";
pub const LATER: &str = "Later messages";
pub const NEWEST_MESSAGES: &str = "To the newest messages";
pub const NEWEST: &str = "Newest";
pub const RECONNECTING: &str = "Reconnecting…";
pub const FEED_GONE: &str = "This page no longer receives news.";
pub const RELOAD: &str = "Reload";
pub const LIVE: &str = "The answer is being written and appears here block by block.";
pub const RELOADS: &str = "This page loads itself anew when the answer is tried again.";
pub const LIVE_WRITE: &str = "Write the next message";
pub const LIVE_WATCH: &str = "Watch it";
pub const STILL: &str = "An answer is being written.";
pub const STOP: &str = "Stop";
pub const DEMO: &str =
    "No model is set up yet. The built-in demo answers: it is no language model, it only shows the page.";

// a message
pub const YOU: &str = "You";
pub const ANSWER: &str = "Answer";
pub const COPY: &str = "Copy";
pub const COPIED: &str = "Copied.";
pub const AGAIN: &str = "Answer again";
pub const TRY_AGAIN: &str = "Try again";
pub const STARTING: &str = "starting";
pub const THINKING: &str = "Thinking";
pub const THINKING_STATE: &str = "thinking";
pub const ANSWERING: &str = "answering";
pub const THOUGHTS: &str = "Thoughts";
pub const STOPPED: &str = "Stopped.";
pub const INTERRUPTED: &str = "This answer was cut off. What had arrived is kept.";
pub const FAILED: &str = "This answer did not come.";
pub const WAITING: &str = "This answer could not be made yet.";
pub const CONTINUE: &str = "Continue";
pub const CANCEL_RETRY: &str = "Cancel";
pub const LINED: &str = "In line: sent after the answer above.";
pub const HELD_FAILED: &str = "Not sent yet, because the answer above did not come.";
pub const HELD_INTERRUPTED: &str = "Not sent yet, because the answer above was cut off.";
pub const HELD_WAITING: &str = "Not sent yet: the answer above is still to be tried again.";
pub const SEND_NOW: &str = "Send now";
pub const REMOVE: &str = "Remove";
pub const DUE_NOW: &str = "Tries again now";
pub const DUE_IN: &str = "Tries again in";
pub const SAY_ANSWERING: &str = "Answering.";
pub const SAY_FINISHED: &str = "Answer finished.";
pub const SAY_STOPPED: &str = "Answer stopped.";

// acts on a message
pub const EDIT: &str = "Edit";
pub const EDIT_MESSAGE: &str = "Edit your message";
pub const EDIT_ANSWER: &str = "Edit this answer";
pub const EDIT_HINT: &str = "What was said before stays; this stands beside it.";
pub const EDIT_HINT_LINE: &str = "It was not sent yet, so it is changed where it stands.";
pub const SAVE_ASK: &str = "Save and ask";
pub const ASK: &str = "Ask";
pub const EDITED: &str = "edited";
pub const MORE: &str = "More";
pub const MORE_TITLE: &str = "What to do with this message";
pub const YOUR_MESSAGE: &str = "Your message";
pub const AGAIN_WITH: &str = "Answer again with";
pub const AGAIN_DO: &str = "Ask";
pub const READ_ALOUD: &str = "Read aloud";
pub const READ_STOP: &str = "Stop reading";
pub const LINK: &str = "Link to this message";
pub const FORK: &str = "Go on from here in a new chat";
pub const DELETE_MESSAGE: &str = "Delete…";
pub const DELETE_FOLLOWS: &str = "Everything that follows this message goes with it. You can undo it right after.";
pub const DELETED: &str = "Deleted, with what followed.";
pub const UNDO: &str = "Undo";
pub const LIKE: &str = "Like";
pub const DISLIKE: &str = "Dislike";
pub const RATING: &str = "What you think of this answer";
pub const RATING_LIKED: &str = "You like this answer";
pub const RATING_DISLIKED: &str = "You dislike this answer";
pub const NOTE_ADD: &str = "Say why";
pub const NOTE_CHANGE: &str = "Change why";
pub const NOTE: &str = "Why?";
pub const NOTE_HINT: &str = "If you like. It is kept with the answer.";
pub const NOTE_SAVE: &str = "Save";
pub const BACK_TO_CHAT: &str = "Back to the chat";
pub const VERSIONS: &str = "Versions";
pub const VERSION_BEFORE: &str = "The version before";
pub const VERSION_AFTER: &str = "The next version";

// the composer
pub const MESSAGE: &str = "Message";
pub const WRITE: &str = "Write a message";
pub const SEND: &str = "Send";
pub const MODEL: &str = "Model";
pub const NOT_SENT: &str = "That was not sent. Your text is still here; please try again.";

// the empty room
pub const OPENERS: &str = "Ways to begin";
/// Shown, said below it, put into the composer.
pub const OPENING: [(&str, &str, &str); 4] = [
    (
        "Explain a paper",
        "paste it, ask what it really says",
        "Explain this paper to me: what does it claim, how does it show it, and where is it weak?\n\n",
    ),
    ("Plan a week", "from a list of wishes", "Plan my week. These are my wishes and the hours I have:\n\n"),
    ("Review my code", "kindly, then strictly", "Review this code, first kindly, then strictly:\n\n```\n\n```"),
    ("Draft a letter", "in my own voice", "Draft a letter for me. To whom, about what, and in which tone:\n\n"),
];

// the way in
pub const SIGN_IN: &str = "Sign in";
pub const SIGN_IN_LEAD: &str = "Welcome back.";
pub const REGISTER: &str = "Create an account";
pub const REGISTER_LEAD: &str = "A name, an address and a password: that is all.";
pub const SETUP: &str = "Set up Parlor";
pub const SETUP_LEAD: &str =
    "You are the first here. This account looks after the house: it becomes the administrator.";
pub const SETUP_DO: &str = "Create the administrator";
pub const EMAIL: &str = "Email";
pub const NAME: &str = "Name";
pub const NAME_HINT: &str = "How you are greeted.";
pub const PASSWORD: &str = "Password";
pub const PASSWORD_HINT: &str = "At least 8 characters. A short sentence is a good one.";
pub const REVEAL: &str = "Show the password";
pub const REMEMBER: &str = "Stay signed in for 14 days";
pub const NO_ACCOUNT: &str = "No account yet?";
pub const HAVE_ACCOUNT: &str = "Already have an account?";

// the administrators' page of jobs
pub const JOBS: &str = "Jobs";
pub const JOBS_QUIET: &str = "All is quiet: every answer that was asked for has ended.";
pub const JOBS_COUNTS: &str = "How many answers stand how";
pub const JOB_WHOSE: &str = "Whose";
pub const JOB_WHAT: &str = "What";
pub const JOB_TRIES: &str = "Tries";
pub const JOB_NEXT: &str = "Next try";
pub const JOB_ACTS: &str = "What to do";
pub const JOB_DUE: &str = "now";
pub const JOB_CONTINUES: &str = "goes on with a cut answer";
pub const BEHIND_FAILED: &str = "one that did not come";
pub const BEHIND_INTERRUPTED: &str = "one that was cut off";
pub const BEHIND_WAITING: &str = "one that waits to be tried again";
pub const BEHIND: &str = "one that is still to end";
pub const REQUEUE: &str = "Requeue";
pub const DROP: &str = "Drop";
pub const JOB_REQUEUED: &str = "Requeued. The answer is being made anew, beside the one that was given up.";
pub const JOB_DROPPED: &str = "Dropped. It stays in its chat as it is, and is no longer listed here.";
pub const JOB_GONE: &str =
    "This is no dead letter any more: it was requeued or dropped meanwhile, or its owner tried again.";
pub const JOB_NO_MODEL: &str =
    "Its model is not available any more, so it cannot be requeued. Its owner can choose another one and try again.";

/// The words of one list of the page.
pub struct JobWords {
    pub name: &'static str,
    /// What it means.
    pub lead: &'static str,
    /// Instead of an empty list.
    pub none: &'static str,
    /// What the time of each is the beginning of.
    pub since: &'static str,
    pub why: &'static str,
}

pub const JOBS_DEAD: JobWords = JobWords {
    name: "Dead letters",
    lead: "Given up after every try. Requeue has the answer made after all; Drop lets it rest.",
    none: "No answer was given up.",
    since: "Given up",
    why: "Why",
};
pub const JOBS_WAITING: JobWords = JobWords {
    name: "Waiting",
    lead: "Could not be made yet, and are tried again by themselves.",
    none: "No answer waits to be tried again.",
    since: "Asked",
    why: "Why",
};
pub const JOBS_QUEUED: JobWords = JobWords {
    name: "Queued",
    lead: "Wait for a worker.",
    none: "No answer waits for a worker.",
    since: "Queued",
    why: "",
};
pub const JOBS_RUNNING: JobWords = JobWords {
    name: "Running",
    lead: "Are being written.",
    none: "No answer is being written.",
    since: "Begun",
    why: "",
};
pub const JOBS_LINED: JobWords = JobWords {
    name: "In line",
    lead: "Come when the answer before them has ended.",
    none: "No message stands in line.",
    since: "Asked",
    why: "Behind",
};

// errors
pub const ERROR_HOME: &str = "To your chats";
pub const ERROR_ID: &str = "If you ask for help, name this request:";

// keys
pub const KEYS: &str = "Keyboard shortcuts";
pub const CLOSE: &str = "Close";
/// Keys, separated by blanks (`mod` is ⌘ or Ctrl), and what they do.
pub const KEY_LIST: [(&str, &str); 13] = [
    ("Enter", "Send"),
    ("Shift Enter", "New line"),
    ("Esc", "Stop the answer"),
    ("/", "Prompts, in an empty composer"),
    ("↑", "Edit the last message, in an empty composer"),
    ("mod K", "Search and commands"),
    ("mod Shift O", "New chat"),
    ("mod Shift S", "Show or hide the list"),
    ("mod Shift C", "Copy the last answer"),
    ("J", "Next message"),
    ("K", "Previous message"),
    ("F2", "Rename the chat, in the list"),
    ("mod /", "This list"),
];

/// What stands in line behind the answer that is being written.
pub fn in_line(count: usize) -> String {
    match count {
        0 => String::new(),
        1 => "1 message is in line behind it.".into(),
        _ => format!("{count} messages are in line behind it."),
    }
}

/// The words on folded reasoning that is over.
pub fn thought(seconds: Option<u32>) -> String {
    match seconds {
        Some(seconds) if seconds >= 60 => {
            format!("Thought for {} min {} s", seconds / 60, seconds % 60)
        }
        Some(seconds) => format!("Thought for {seconds} s"),
        None => THOUGHTS.into(),
    }
}

/// The time until an answer is tried again, as a clock shows it.
pub fn clock(seconds: u64) -> String {
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

/// How often an answer was tried.
pub fn tries(attempt: i32, retries: i32) -> String {
    let put_off = match retries {
        0 => return if attempt > 0 { format!("attempt {attempt}") } else { "none yet".into() },
        1 => "put off once".into(),
        _ => format!("put off {retries} times"),
    };
    if attempt > 0 { format!("{put_off}, then attempt {attempt}") } else { put_off }
}

/// When an answer is tried again.
pub fn due_in(seconds: u64) -> String {
    format!("in {}", clock(seconds))
}

/// How long ago, roughly.
pub fn ago(seconds: f64) -> String {
    format!("{} ago", span(seconds))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
fn span(seconds: f64) -> String {
    let seconds = seconds.clamp(0., 1e12) as u64;
    match seconds {
        0..=59 => format!("{seconds} s"),
        60..=3599 => format!("{} min", seconds / 60),
        3600..=172_799 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// What is not on the list any more.
pub fn and_more(count: i64) -> String {
    format!("and {} more", grouped(count))
}

/// Whether workers take jobs: how many jobs wait for them, for how long, and who is there to take them.
pub fn queue(pending: i64, oldest: f64, failed: i64, killed: i64, workers: i64) -> String {
    let jobs = match pending {
        0 => "no job waits to be taken".into(),
        1 => format!("1 job waits to be taken, for {}", span(oldest)),
        _ => format!("{} jobs wait to be taken, the oldest for {}", grouped(pending), span(oldest)),
    };
    let workers = match workers {
        0 => "no worker was seen in the last 30 s".into(),
        1 => "1 worker is there".into(),
        _ => format!("{workers} workers are there"),
    };
    format!("The queue: {jobs}; {} failed, {} killed; {workers}.", grouped(failed), grouped(killed))
}

/// `gpt-5-mini · 1,412 tokens`, as far as known.
pub fn facts(model: &str, tokens: Option<i64>) -> String {
    let model = model.split_once('/').map_or(model, |(_provider, name)| name);
    let model = if model.is_empty() { EDITED } else { model };
    match tokens {
        Some(1) => format!("{model} · 1 token"),
        Some(tokens) => format!("{model} · {} tokens", grouped(tokens)),
        None => model.into(),
    }
}

/// A day, for people.
pub fn day(at: OffsetDateTime) -> String {
    let at = at.to_offset(UtcOffset::UTC);
    format!("{} {} {}", at.day(), at.month(), at.year())
}

/// An instant, for people; a script tells it in the reader's zone.
pub fn when(at: OffsetDateTime) -> String {
    let utc = at.to_offset(UtcOffset::UTC);
    format!("{}, {:02}:{:02} UTC", day(at), utc.hour(), utc.minute())
}

/// The same for machines; to the second, since HTML takes no microseconds.
pub fn moment(at: OffsetDateTime) -> String {
    at.truncate_to_second().format(&Rfc3339).expect("years have four digits")
}

/// Why a message is not sent; the counter says how long it is.
pub fn too_long(max_chars: usize) -> String {
    format!(
        "This message is too long: at most {} characters can be sent. Shorten it, or send it in parts.",
        grouped(i64::try_from(max_chars).unwrap_or(i64::MAX))
    )
}

/// The title of a browser's tab.
pub fn tab(title: &str) -> String {
    format!("{title} · {PARLOR}")
}

// the list's menus, the archive
pub const ROW_MENU: &str = "Menu of";
pub const PIN: &str = "Pin";
pub const UNPIN: &str = "Unpin";
pub const PINNED: &str = "Pinned";
pub const TO_ARCHIVE: &str = "Archive";
pub const ARCHIVE: &str = "Archive";
pub const ARCHIVE_LEAD: &str = "Out of the list, and still found by searching. Writing in one brings it back.";
pub const ARCHIVE_EMPTY: &str = "Nothing is in the archive.";
pub const BRING_BACK: &str = "Bring back";
pub const CHAT_DELETED: &str = "Deleted:";
pub const ARCHIVED: &str = "In the archive:";
pub const OLDER: &str = "Older chats";
pub const NO_OLDER: &str = "There are no chats here.";
pub const NEWEST_CHATS: &str = "To the newest";
pub const PAGES: &str = "Pages";

// finding
pub const SEARCH: &str = "Search";
pub const SEARCH_LABEL: &str = "Words to look for";
pub const SEARCH_HINT: &str = "Words in chats and messages";
pub const SEARCH_HELP: &str =
    "All words have to be there; “in quotes” they stand together, and a minus before a word leaves it out.";
pub const NOTHING_FOUND: &str = "Nothing was found.";
pub const FOUND_OLDER: &str = "Older ones";
pub const PALETTE: &str = "Search and commands";
pub const PALETTE_HINT: &str = "Search, or say what to do";
pub const PALETTE_FOUND: &str = "What was found";
pub const FOUND_ALL: &str = "All that is found";
pub const COMMANDS: &str = "Commands";
pub const FOUND: &str = "Chats and messages";
pub const TOGGLE_LIST: &str = "Show or hide the list";
pub const A_CHAT: &str = "Chat";

/// How much was found, on this page.
pub fn found(count: usize, more: bool) -> String {
    match (count, more) {
        (1, false) => "Found once.".into(),
        (_, false) => format!("Found {count} times."),
        (_, true) => format!("The newest {count}."),
    }
}

// settings
pub const SETTINGS: &str = "Settings";
pub const SETTINGS_LEAD: &str = "How you want to be answered, and how this place looks to you.";
pub const SETTINGS_SAVED: &str = "Saved.";
pub const CHAT_SETTINGS: &str = "Settings of this chat";
pub const CHAT_SETTINGS_ITEM: &str = "Settings";
pub const EXPORT_MARKDOWN: &str = "Save as Markdown";
pub const EXPORT_JSON: &str = "Save everything (.json)";
pub const PRINT: &str = "Print";

pub const TEMPERATURE: &str = "Temperature";
pub const TEMPERATURE_EMPTY: &str = "empty";
pub const MODEL_LAST: &str = "The one I asked last";
pub const MODEL_GONE: &str = "(not available now)";
pub const THEME: &str = "Theme";
/// Names in forms, and words.
pub const LETTERS: &str = "Letters of answers";
pub const LETTER_KINDS: [(&str, &str); 2] = [("sans", "Plain"), ("serif", "As in a book")];
pub const THEMES: [(&str, &str); 3] = [("system", "As the system"), ("light", "Light"), ("dark", "Dark")];

/// The words of a form for how to be answered.
pub struct WayWords {
    pub text: &'static str,
    pub text_hint: &'static str,
    pub model: &'static str,
    pub model_hint: &'static str,
    pub temperature_hint: &'static str,
}

pub const WAY_OWN: WayWords = WayWords {
    text: "Instructions",
    text_hint: "Told to every model before each conversation: who you are, how you like answers. Up to 4,000 characters.",
    model: "Model of a new chat",
    model_hint: "Another one can be chosen under each message.",
    temperature_hint: "From 0 (steady) to 2 (wild). Empty: as the provider has it. Some models take none.",
};
pub const WAY_OF_CHAT: WayWords = WayWords {
    text: "System prompt",
    text_hint: "Told to the model in this chat, after your own instructions. Up to 4,000 characters.",
    model: "Model",
    model_hint: "Asked with your next message.",
    temperature_hint: "From 0 (steady) to 2 (wild). Empty: as in your own settings. Some models take none.",
};

/// The pages of the settings.
pub const SETTINGS_PAGES: [(&str, &str); 10] = [
    ("/settings", "Your way"),
    ("/settings/prompts", PROMPTS),
    ("/settings/import", IMPORT),
    ("/settings/email", ADDRESS),
    ("/settings/password", PASSWORD),
    ("/settings/sessions", SESSIONS),
    ("/settings/keys", API_KEYS),
    ("/settings/usage", USAGE),
    ("/settings/data", DATA),
    ("/settings/delete", LEAVE),
];

// import
pub const IMPORT: &str = "Import";
pub const IMPORT_LEAD: &str = "Bring back chats that were saved with everything said in them.";
pub const IMPORT_FILE: &str = "File";
pub const IMPORT_HINT: &str = "A .json file: saved from the menu of a chat, conversations.json of ChatGPT's export, or Open WebUI's export of chats. Up to 128 MB.";
pub const IMPORT_DO: &str = "Import";
pub const IMPORTS: &str = "Your last files";
pub const IMPORT_OPEN: &str = "Open the last one";

/// Of a file of chats.
pub fn left_out(chats: i32) -> String {
    if chats == 1 { "1 chat could not be read.".into() } else { format!("{chats} chats could not be read.") }
}

pub fn importing(done: i32, total: i32) -> String {
    format!("{done} of {total} chats are made.")
}

pub fn imported(done: i32) -> String {
    if done == 1 { "1 chat is here.".into() } else { format!("{} chats are here.", grouped(done.into())) }
}

// folders
pub const FOLDER: &str = "Folder";
pub const FOLDERS: &str = "Folders";
pub const FOLDERS_LEAD: &str = "They stand above your chats and hold those you put there, from the menu of a chat.";
pub const FOLDERS_NONE: &str = "There are no folders yet.";
pub const FOLDER_NEW: &str = "A new folder";
pub const FOLDER_MAKE: &str = "Make it";
pub const FOLDER_NAME: &str = "Name";
pub const FOLDER_EDIT: &str = "Change this folder";
pub const FOLDER_OPENED: &str = "Show its chats in the list";
pub const FOLDER_EMPTY: &str = "Nothing is in it yet.";
pub const FOLDER_ALL: &str = "All its chats";
pub const FOLDER_SHOW: &str = "Its chats";
pub const FOLDER_DELETE: &str = "Delete this folder?";
pub const FOLDER_DELETE_ITEM: &str = "Delete this folder…";
pub const FOLDER_DELETE_BODY: &str = "goes; its chats stay, and are in the list again.";
pub const MOVE: &str = "Move";
pub const MOVE_TITLE: &str = "Move to a folder";
pub const MOVE_ITEM: &str = "Move to a folder…";
pub const MOVE_OUT: &str = "Out of its folder, into the list";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_are_grouped_by_thousands() {
        assert_eq!(facts("m", Some(1_234_567)), "m · 1,234,567 tokens");
        assert_eq!(facts("m", Some(412)), "m · 412 tokens");
        assert_eq!(facts("provider/m", None), "m");
    }

    #[test]
    fn tries_and_times() {
        for (attempt, retries, words) in
            [(0, 0, "none yet"), (2, 0, "attempt 2"), (0, 1, "put off once"), (1, 2, "put off 2 times, then attempt 1")]
        {
            assert_eq!(tries(attempt, retries), words);
        }
        for (seconds, words) in [
            (-1., "0 s ago"),
            (59.9, "59 s ago"),
            (61., "1 min ago"),
            (7200., "2 h ago"),
            (172_799., "47 h ago"),
            (172_800., "2 days ago"),
        ] {
            assert_eq!(ago(seconds), words);
        }
        let line = queue(1200, 65., 0, 1, 0);
        assert_eq!(
            line,
            "The queue: 1,200 jobs wait to be taken, the oldest for 1 min; 0 failed, 1 killed; \
             no worker was seen in the last 30 s."
        );
    }

    #[test]
    fn clocks() {
        for (seconds, shown) in [(0, "0:00"), (58, "0:58"), (600, "10:00"), (3600, "1:00:00"), (86_399, "23:59:59")] {
            assert_eq!(clock(seconds), shown);
        }
    }
}
