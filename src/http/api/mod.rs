//! ENTRANCE for programs: JSON in, JSON out, one file per noun. What must not live here: cookies, a rule of the product,
//! a decision by role.

mod auth;
mod body;
mod keys;
mod models;

use super::routes::Routes;
use time::{OffsetDateTime, UtcOffset, format_description::well_known::Rfc3339};

pub fn routes(routes: Routes) -> Routes {
    models::routes(keys::routes(auth::routes(routes)))
}

/// A time as programs read it: RFC 3339, in UTC.
fn time(at: OffsetDateTime) -> String {
    at.to_offset(UtcOffset::UTC).format(&Rfc3339).expect("times of the database have four digits of year")
}
