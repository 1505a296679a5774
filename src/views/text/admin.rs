//! The words of the administrators' pages.

/// Their pages, in the order of the navigation.
pub const ADMIN_PAGES: [(&str, &str); 11] = [
    ("/admin/users", USERS),
    ("/admin/groups", super::GROUPS),
    ("/admin/invitations", super::INVITATIONS),
    ("/admin/limits", super::LIMITS),
    ("/admin/providers", PROVIDERS),
    ("/admin/models", super::MODELS),
    ("/admin/usage", super::USAGE),
    ("/admin/outbox", super::OUTBOX),
    ("/admin/jobs", super::JOBS),
    ("/admin/audit", AUDIT),
    ("/admin/system", SYSTEM),
];

pub const ADMINISTRATION: &str = "Administration";

// people
pub const USERS: &str = "Users";
pub const USERS_SEARCH: &str = "Search by address or name";
pub const USERS_NONE: &str = "No account has this in its address or name.";
pub const USERS_OLDER: &str = "Older accounts";
pub const USER_NEW: &str = "New account";
pub const USER_NEW_LEAD: &str =
    "Make an account for somebody. Tell them the password in a safe way; they can change it in their settings.";
pub const USER_CREATE: &str = "Make the account";
pub const USER_CREATED: &str = "The account was made.";
pub const USER_ROLE: &str = "Role";
pub const USER_MEMBER: &str = "Member";
pub const USER_DISABLED: &str = "disabled";
pub const USER_WHO: &str = "Account";
pub const USER_CHATS: &str = "Chats";
pub const USER_ACTIVE: &str = "Last message";
pub const USER_NEVER: &str = "never";
pub const USER_SINCE: &str = "Since";
pub const USER_LOG: &str = "What was done by or to this account";

pub const USER_ROLE_CHANGED: &str = "The role was changed.";
pub const USER_ROLE_CHANGE: &str = "Change the role";
pub const USER_DISABLE: &str = "Disable";
pub const USER_DISABLE_LEAD: &str =
    "Ends its sessions, keys and running answers within seconds. Nothing of it is deleted.";
pub const USER_IS_DISABLED: &str = "The account is disabled.";
pub const USER_ENABLE: &str = "Let it sign in again";
pub const USER_IS_ENABLED: &str = "The account can sign in again.";
pub const USER_LINK: &str = "Send a link to choose another password";
pub const USER_LINK_LEAD: &str =
    "It goes to the address of the account, and is shown here once, should no letter reach them.";
pub const USER_LINK_MADE: &str = "The link is on its way. It can be used once, and not for long:";
pub const USER_LIMITS: &str = "Limits";
pub const USER_LIMITS_LEAD: &str = "Messages that may be sent, calls that programs may make, and what all of it may cost. Empty: as the role has it; 0: no limit.";
pub const USER_LIMITS_CHANGED: &str = "The limits were changed.";
pub const USER_DELETE: &str = "Delete the account";
pub const USER_DELETE_LEAD: &str =
    "Everything of it goes at once, and cannot be brought back. The audit log keeps what was done, under a pseudonym.";
pub const USER_DELETE_CONFIRM: &str = "The address of the account, to be sure";
pub const USER_DELETED: &str = "The account is being deleted; it will be gone from here in a moment.";
pub const USER_ACTS: &str = "What can be done";

// the audit log
pub const AUDIT: &str = "Audit log";
pub const AUDIT_LEAD: &str =
    "Who did what to whom, and from where. It is kept when an account goes; then a pseudonym stands for it.";
pub const AUDIT_NONE: &str = "Nothing is written here yet.";
pub const AUDIT_OLDER: &str = "Older entries";
pub const AUDIT_WHEN: &str = "When";
pub const AUDIT_WHO: &str = "Who";
pub const AUDIT_WHAT: &str = "What";
pub const AUDIT_WHOM: &str = "To whom";
pub const AUDIT_FROM: &str = "From";

// the system
pub const SYSTEM: &str = "System";
pub const SYSTEM_VERSIONS: &str = "Versions";
pub const SYSTEM_MIGRATIONS: &str = "Migrations";
pub const SYSTEM_EXTENSIONS: &str = "Extensions";
pub const SYSTEM_PROCESSES: &str = "Processes";
pub const SYSTEM_PROCESSES_LEAD: &str = "Those that share this database, as they were seen in the last hour.";
pub const SYSTEM_KIND: &str = "Command";
pub const SYSTEM_WHERE: &str = "Machine";
pub const SYSTEM_VERSION: &str = "Version";
pub const SYSTEM_BEGAN: &str = "Started";
pub const SYSTEM_SEEN: &str = "Seen";
pub const SYSTEM_DATABASE: &str = "The database";
pub const SYSTEM_DATA: &str = "The data folder";
pub const SYSTEM_TABLES: &str = "The biggest tables, with their indexes";
pub const SYSTEM_TABLE: &str = "Table";
pub const SYSTEM_SIZE: &str = "Size";
pub const SYSTEM_ACCOUNTS: &str = "Accounts";

/// What an entry of the audit log says was done. An action without words here shows its own name.
#[must_use]
pub fn action(name: &str) -> &str {
    match name {
        "user.created" => "made the account",
        "user.registered" => "registered",
        "user.disabled" => "disabled the account",
        "user.enabled" => "enabled the account",
        "user.role" => "changed the role",
        "user.limits" | "limits.changed" => "changed the limits",
        "user.leaving" => "closed the account",
        "user.staying" => "took back its closing",
        "user.deleted" => "deleted the account",
        "user.gone" => "removed the account and all that was its own",
        "password.changed" => "changed the password",
        "password.reset" => "reset the password",
        "password.link" => "made a link to reset the password",
        "email.changed" => "changed the address",
        "key.created" => "made an API key",
        "key.revoked" => "revoked an API key",
        "tokens.reused" => "ended a program’s sign-in: an old token of it came again",
        "session.ended" => "ended a session",
        "sessions.ended" => "ended all other sessions",
        "invitation.created" => "invited",
        "invitation.revoked" => "took back an invitation",
        "invitation.used" => "came by invitation",
        "answer.requeued" => "had an answer made after all",
        "answer.dropped" => "let an answer rest that was given up",
        "prompt.changed" => "changed a shared prompt",
        "prompt.deleted" => "deleted a shared prompt",
        "letter.tried_again" => "sent a letter once more",
        other => other,
    }
}

/// Bytes for people: "4.2 GB".
#[must_use]
pub fn size(bytes: u64) -> String {
    let (mut value, mut units) = (bytes as f64, ["B", "kB", "MB", "GB", "TB"].into_iter());
    let mut unit = units.next().unwrap_or_default();
    for next in units {
        if value < 1000. {
            break;
        }
        value /= 1000.;
        unit = next;
    }
    if unit == "B" || value >= 100. { format!("{value:.0} {unit}") } else { format!("{value:.1} {unit}") }
}

/// Of the data folder's disk.
#[must_use]
pub fn room(path: &str, free: u64, total: u64) -> String {
    format!("{path}: {} of {} free", size(free), size(total))
}

#[must_use]
pub fn versions(parlor: &str, postgres: &str) -> String {
    format!("Parlor {parlor}, PostgreSQL {postgres}")
}

#[must_use]
pub fn extension(name: &str, there: bool) -> String {
    format!("{name}: {}", if there { "there" } else { "not there; Parlor runs without it" })
}

/// How complete the migrations are.
#[must_use]
pub fn migrations(applied: i64, newest: i64, behind: Option<usize>, ahead: bool) -> String {
    match (behind, ahead) {
        (Some(n), _) => format!("{applied} applied, up to {newest}; {n} still to be applied at the next start"),
        (None, true) => format!("{applied} applied, up to {newest}: by a newer version of Parlor than this process"),
        (None, false) => format!("{applied} applied, up to {newest}; complete"),
    }
}

// providers
pub const PROVIDERS: &str = "Providers";
pub const PROVIDERS_LEAD: &str = "Where models are, and the keys they are asked with: the least used one with room comes \
    next.";
pub const PROVIDER_NO_KEY: &str = "It is asked without a key, and without a limit.";

/// How a provider did in the last hour: its requests, those that failed and how most of them did, and the milliseconds to the
/// first token of half of them and of all but a few.
pub fn provider_did(requests: i64, failed: i64, fault: Option<&str>, first: Option<(f64, f64)>) -> String {
    let count = match requests {
        1 => "1 request".to_owned(),
        _ => format!("{} requests", super::grouped(requests)),
    };
    let failed = match (failed, fault) {
        (0, _) | (_, None) => ", none failed".to_owned(),
        (failed, Some(fault)) => {
            let share = failed as f64 * 100. / requests.max(1) as f64;
            format!(", {} failed ({share:.0} %), most as “{fault}”", super::grouped(failed))
        }
    };
    let first = first.map(|(half, most)| {
        format!(" The first token took {:.1} s for half of them, at most {:.1} s for 95 %.", half / 1e3, most / 1e3)
    });
    format!("In the last hour: {count}{failed}.{}", first.unwrap_or_default())
}

pub const KEY_NAME: &str = "Key";
pub const KEY_SHORT: &str = "a short key";
pub const KEY_STANDS: &str = "Now";
pub const KEY_REQUESTS: &str = "Requests a minute";
pub const KEY_TOKENS: &str = "Tokens a minute";
pub const KEY_ACTS: &str = "What to do";
pub const KEY_READY: &str = "ready";
pub const KEY_SET_ASIDE: &str = "not accepted";
pub const KEY_USE_AGAIN: &str = "Use again";
pub const KEY_USED_AGAIN: &str = "The key is asked with again, from now on.";
pub const KEY_GONE: &str = "There is no such key any more: it no longer stands in the settings.";
pub const NO_LIMIT: &str = "no limit";

/// What kind of provider it is.
pub fn provider_is(kind: &str, models: usize) -> String {
    let speaks = match kind {
        "anthropic" => "Speaks Anthropic's protocol.",
        "gemini" => "Speaks Gemini's protocol.",
        "demo" => "Built in, and no language model.",
        _ => "Speaks OpenAI's protocol.",
    };
    match models {
        0 => format!("{speaks} No model of it is known."),
        1 => format!("{speaks} It has 1 model."),
        _ => format!("{speaks} It has {models} models."),
    }
}

/// How much of a limit is used, if there is one.
pub fn of_limit((used, most): (i64, i64)) -> String {
    if most == 0 {
        return NO_LIMIT.to_owned();
    }
    format!("{} of {}", super::grouped(used), super::grouped(most))
}

pub fn key_full(seconds: u64) -> String {
    format!("used up, has room {}", super::due_in(seconds))
}

pub fn key_rests(seconds: u64) -> String {
    format!("rests, is asked again {}", super::due_in(seconds))
}

pub fn key_set_aside(at: time::OffsetDateTime, reason: &str) -> String {
    format!("since {}: {reason}", super::when(at))
}

#[cfg(test)]
mod tests {
    use super::size;

    #[test]
    fn sizes() {
        for (bytes, words) in
            [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (4_210_000_000, "4.2 GB"), (999_000_000_000_000, "999 TB")]
        {
            assert_eq!(size(bytes), words);
        }
    }
}
