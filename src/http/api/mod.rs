//! ENTRANCE for programs: JSON in, JSON out, one file per noun. What must not live here: cookies, a rule of the product,
//! a decision by role.

#![expect(unused_qualifications, reason = "what utoipa's macros write")]

mod auth;
mod body;
mod conversations;
mod files;
mod health;
mod keys;
mod messages;
mod models;
mod moving;
pub mod openapi;
mod paging;
mod problem;
mod prompts;
mod search;
mod tags;
mod usage;

use super::routes::Routes;
use time::{OffsetDateTime, UtcOffset, format_description::well_known::Rfc3339};

pub fn routes(routes: Routes) -> Routes {
    let routes = health::routes(auth::routes(routes));
    let routes = messages::routes(conversations::routes(routes));
    let routes = search::routes(files::routes(moving::routes(routes)));
    let routes = keys::routes(prompts::routes(routes));
    openapi::routes(usage::routes(models::routes(routes)))
}

/// A time as programs read it: RFC 3339, in UTC.
fn time(at: OffsetDateTime) -> String {
    // what was imported may be of any year
    let at = at.checked_to_offset(UtcOffset::UTC).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    at.format(&Rfc3339).unwrap_or_else(|_| "1970-01-01T00:00:00Z".to_owned())
}
