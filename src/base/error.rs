//! One error for all acts, one variant per cause. How an error looks (status, page, JSON) is decided in
//! `http/respond.rs` alone; what is in here may be internal and is never shown as it is.

use std::time::Duration;

/// A field of a form or body and what is wrong with it, in a sentence for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    pub field: &'static str,
    pub message: String,
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
    /// Too much, too fast.
    #[error("limited for {retry_after:?}")]
    Limited { retry_after: Duration },
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

/// Classes of the database's errors that pass.
const PASSING: [&str; 4] = ["57", "53", "08", "40"];

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
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
    use super::Error;

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
