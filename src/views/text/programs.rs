//! The words about programs: the page of API keys.

pub const API_KEYS: &str = "API keys";
pub const API_KEYS_LEAD: &str =
    "A key lets a program use Parlor in your name, without your password. Give each program a key of its own.";
pub const API_KEYS_NONE: &str = "You have no keys yet.";
pub const API_KEY_NEW: &str = "A new key";
pub const API_KEY_NAME: &str = "What it is for";
pub const API_KEY_NAME_HINT: &str = "For example the program, or the machine that it runs on.";
pub const API_KEY_SCOPES: &str = "What it may do";
pub const API_KEY_EXPIRES: &str = "How long it is good";
pub const API_KEY_MAKE: &str = "Make the key";
pub const API_KEY_MADE: &str = "Copy the key now. It is shown this one time, and kept nowhere.";
pub const API_KEY_COPY: &str = "Copy the key";
pub const API_KEY_REVOKE: &str = "Revoke";
pub const API_KEY_REVOKE_SURE: &str = "Whatever uses it is refused from then on. This cannot be undone.";
pub const API_KEY_REVOKED: &str = "Revoked. Whatever used this key is refused from now on.";
pub const API_KEY_MADE_AT: &str = "made";
pub const API_KEY_USED_AT: &str = "last used";
pub const API_KEY_UNUSED: &str = "never used";
pub const API_KEY_UNTIL: &str = "good until";
pub const API_KEY_FOR_EVER: &str = "good until revoked";
pub const API_KEY_EXPIRED: &str = "expired";

/// Days as forms say them, and words.
pub const API_KEY_DAYS: [(&str, &str); 4] =
    [("", "Until I revoke it"), ("30", "30 days"), ("90", "90 days"), ("365", "One year")];

/// What a scope lets a program do.
pub fn scope(name: &str) -> &str {
    match name {
        "chats:read" => "Read my chats",
        "chats:write" => "Write in my chats, make and delete them",
        "models" => "See which models there are, and call them",
        "keys" => "See, make and revoke my API keys",
        "admin" => "Administer this Parlor",
        other => other,
    }
}

/// What the button to revoke a key is called, so that it can be told from the others by ear.
pub fn revoke_key(name: &str) -> String {
    format!("{API_KEY_REVOKE} {name}")
}
