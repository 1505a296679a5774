//! The words of prompts.

pub const PROMPTS: &str = "Prompts";
pub const PROMPTS_LEAD: &str =
    "Texts that you use again and again. Press / in an empty composer, or Prompts below it, to put one there.";
pub const PROMPTS_NONE: &str = "There are no prompts yet.";
pub const PROMPTS_KEEP: &str = "Make and change prompts";
pub const PROMPT_SHARED: &str = "shared";
pub const PROMPT_NEW: &str = "A new prompt";
pub const PROMPT_EDIT: &str = "Change a prompt";
pub const PROMPT_NAME: &str = "Name";
pub const PROMPT_TEXT: &str = "Text";
pub const PROMPT_TEXT_HINT: &str = "What stands in {{double braces}}, like {{language}}, is asked for each time.";
pub const PROMPT_SHARE: &str = "Share it with everybody here";
pub const PROMPT_USE: &str = "Put into the composer";
pub const PROMPT_DELETE: &str = "Delete this prompt";
pub const PROMPT_DELETE_BODY: &str = "It is gone then, for everybody. What was sent with it stays.";

pub const LANGUAGE: &str = "Language of your chats";
pub const LANGUAGE_HINT: &str =
    "Used for searching: in English, “chats” also finds “chat”. What was written before keeps the language it had.";

/// A language by its name in the database.
pub fn language(name: &str) -> String {
    let mut letters = name.chars();
    match letters.next() {
        _ if name == "simple" => "Any: words are found as they are written".to_owned(),
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => String::new(),
    }
}
