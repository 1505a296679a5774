//! One error for all acts, one variant per cause. How an error looks (status, page, JSON) is decided in
//! `http/respond.rs` alone; what is in here may be internal and is never shown as it is.

use std::time::Duration;

/// A field of a form or body and what is wrong with it, in a sentence for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    pub field: &'static str,
    pub message: String,
}

/// How much is left of what may be done in a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    /// As many as may be done in any `period`.
    pub most: u32,
    pub left: u32,
    /// Seconds of the sliding window.
    pub period: u32,
    /// Seconds until the oldest one leaves the window, so that there is one more.
    pub reset: u32,
}

/// Why an act did not happen.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Input that cannot be taken, by field.
    #[error("invalid input: {}", .0.iter().map(|f| f.field).collect::<Vec<_>>().join(", "))]
    Invalid(Vec<FieldError>),
    /// Nobody is signed in.
    #[error("not signed in")]
    Unauthenticated,
    /// Signed in, but this is not theirs to do.
    #[error("forbidden")]
    Forbidden,
    /// There is no such thing, or the viewer may not know of it.
    #[error("not found")]
    NotFound,
    /// It contradicts the present state. The sentence is for people.
    #[error("conflict: {0}")]
    Conflict(String),
    /// Too much, too fast. The sentence is for people, and tells how long to wait.
    #[error("limited for {retry_after:?}")]
    Limited { retry_after: Duration, sentence: String, allowance: Option<Allowance> },
    /// The database or another part is out of reach for the moment.
    #[error("unavailable: {0}")]
    Unavailable(String),
    /// A fault of ours.
    #[error("internal: {0}")]
    Internal(#[source] anyhow::Error),
}

pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// One field, one sentence.
    pub fn invalid(field: &'static str, message: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldError { field, message: message.into() }])
    }

    /// Too early. The sentence ends with how long to wait.
    pub fn limited(retry_after: Duration, sentence: &str) -> Self {
        let sentence = format!("{sentence} Try again in {}.", in_words(retry_after));
        Self::Limited { retry_after, sentence, allowance: None }
    }

    /// A fault of ours, from anything that can be told in a log.
    pub fn internal(cause: impl Into<anyhow::Error>) -> Self {
        Self::Internal(cause.into())
    }

    /// Whether the same act may succeed a moment later without anybody changing anything.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Limited { .. })
    }
}

/// A time to wait in whole seconds, the begun one included: whoever comes back too early waits twice.
#[must_use]
pub fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

fn in_words(wait: Duration) -> String {
    let seconds = whole_seconds(wait);
    let of = |n: u64, unit: &str| if n == 1 { format!("1 {unit}") } else { format!("{n} {unit}s") };
    match seconds {
        0..=119 => of(seconds.max(1), "second"),
        120..=7_199 => of(seconds.div_ceil(60), "minute"),
        _ => of(seconds.div_ceil(3600), "hour"),
    }
}

/// Classes of the database's errors that pass.
const PASSING: [&str; 4] = ["57", "53", "08", "40"];

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        // whoever asks may send what no text of the database can hold: NUL
        if error.as_database_error().and_then(sqlx::error::DatabaseError::code).is_some_and(|code| code == "22021") {
            return Self::invalid("form", "A field holds a character that cannot be kept (NUL). Remove it.");
        }
        let passing = match &error {
            sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::Io(_) | sqlx::Error::WorkerCrashed => {
                true
            }
            // 57: operator intervention (shutdown, cancelled statement), 53: resources, 08: connection, 40: a deadlock's
            // loser, 55P03: lock, 25P03: this process slept in a transaction, which was ended meanwhile
            sqlx::Error::Database(e) => e
                .code()
                .is_some_and(|c| PASSING.iter().any(|class| c.starts_with(class)) || c == "55P03" || c == "25P03"),
            _ => false,
        };
        if passing { Self::Unavailable(error.to_string()) } else { Self::Internal(error.into()) }
    }
}

/// Turns the violation of a named constraint into an error of a field.
pub trait OnConstraint<T> {
    /// If the database refused because of `constraint`, returns `error()` instead.
    ///
    /// # Errors
    /// The given one for that constraint; every other database error as [`Error`] has it.
    fn on_constraint(self, constraint: &str, error: impl FnOnce() -> Error) -> Result<T>;
}

impl<T> OnConstraint<T> for Result<T, sqlx::Error> {
    fn on_constraint(self, constraint: &str, error: impl FnOnce() -> Error) -> Result<T> {
        self.map_err(|e| match &e {
            sqlx::Error::Database(d) if d.constraint() == Some(constraint) => error(),
            _ => e.into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Error, in_words};
    use std::time::Duration;

    #[test]
    fn waits_are_rounded_up() {
        for (seconds, words) in [
            (0., "1 second"),
            (0.3, "1 second"),
            (1.2, "2 seconds"),
            (119., "119 seconds"),
            (121., "3 minutes"),
            (7100., "119 minutes"),
            (7201., "3 hours"),
        ] {
            assert_eq!(in_words(Duration::from_secs_f64(seconds)), words);
        }
    }

    #[test]
    fn a_database_out_of_reach_is_passing() {
        for (error, passing) in [
            (sqlx::Error::PoolTimedOut, true),
            (sqlx::Error::Io(std::io::ErrorKind::ConnectionReset.into()), true),
            (sqlx::Error::RowNotFound, false),
        ] {
            let text = error.to_string();
            assert_eq!(Error::from(error).is_passing(), passing, "{text}");
        }
    }
}
