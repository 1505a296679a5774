//! What is said to a request that is not met, and on a page that is held open.

use time::Date;

/// A title and a sentence for an answer of this status.
pub fn refused(status: u16) -> (&'static str, &'static str) {
    match status {
        401 => ("Please sign in", SESSION_ENDED),
        403 => ("Not allowed", "This is not open to you."),
        404 => ("Nothing here", "There is nothing at this address, or it is not yours to see."),
        405 => ("Not like this", "This address cannot be used in this way."),
        409 => ("Not now", "This contradicts what is going on. Reload the page and try again."),
        413 => ("Too much at once", "This is more than can be sent at once."),
        422 | 400 | 415 => ("That cannot be taken", "Something in this request cannot be taken."),
        429 => ("A little slower", "That was a little fast. Try again in a moment."),
        503 => (
            "One moment",
            "Parlor cannot reach its database, or is starting or stopping. Try again in a moment; nothing is lost.",
        ),
        _ => ("Something went wrong", "That is our fault. It is written down; try again."),
    }
}

pub const SESSION_ENDED: &str = "Your session has ended. Sign in again; nothing is lost.";
pub const HELD_COMPLETE: &str = "The answer is complete.";
pub const HELD_STOPPED: &str = "The answer was stopped.";
pub const HELD_WAITS: &str = "The answer could not be made yet; it is tried again.";
pub const HELD_OVER: &str = "The answer has ended.";
pub const HELD_LATER: &str = "The answer is still being written.";

/// On the page of a new chat.
pub fn greeting(first_name: &str) -> String {
    format!("Hello, {first_name}. What is on your mind?")
}

/// `providers` have not told their models; they are asked again every so many seconds.
pub fn no_models(providers: &str, seconds: u64) -> String {
    format!(
        "No model can be asked yet: {providers} has not told its models. Parlor asks again every {seconds} seconds; reload this page then."
    )
}

// the days of the list
pub const TODAY: &str = "Today";
pub const YESTERDAY: &str = "Yesterday";
pub const LAST_WEEK: &str = "Previous 7 days";

/// A month of a year, for people.
pub fn month(day: Date) -> String {
    format!("{} {}", day.month(), day.year())
}
