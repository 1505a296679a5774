//! The one place that reads this machine's clock. Promises rest on the database's `now()`; this one only serves
//! greetings, day labels and cookies.

use time::OffsetDateTime;

/// The wall clock of this machine, in UTC.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the one place that may")]
pub fn now() -> OffsetDateTime {
    OffsetDateTime::now_utc()
}
