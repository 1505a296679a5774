//! Browser sessions: the cookie, and when a session ends.

use crate::{
    app::App,
    base::{clock, sessions::Store},
};
use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};
use tower_sessions::{
    Expiry, Session, SessionManagerLayer,
    cookie::{Key, SameSite},
    service::SignedCookie,
};

/// The layer that reads and writes the signed cookie.
pub fn layer(app: &App) -> SessionManagerLayer<Store, SignedCookie> {
    let store = Store::new(app.pools.http.clone());
    let https = app.config.server.is_https();
    let key = Key::try_from(&app.secret.derive("cookies")[..]).expect("64 bytes are enough");
    SessionManagerLayer::new(store)
        .with_name(if https { "__Host-parlor" } else { "parlor" })
        .with_secure(https)
        .with_http_only(true)
        .with_same_site(SameSite::Lax)
        .with_path("/")
        .with_expiry(Expiry::OnSessionEnd)
        .with_signed(key)
}

/// When a session began and was last seen, and what its owner wished.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Stamp {
    began: OffsetDateTime,
    seen: OffsetDateTime,
    remember: bool,
}

const STAMP: &str = "stamp";

/// Marks a session as begun now.
///
/// # Errors
/// The store's.
pub async fn begin(app: &App, session: &Session, remember: bool) -> Result<(), tower_sessions::session::Error> {
    // always a new id, also for somebody who is signed in already: the old cookie is dead
    session.cycle_id().await?;
    set_expiry(app, session, remember);
    let now = clock::now();
    session.insert(STAMP, Stamp { began: now, seen: now, remember }).await
}

/// Whether a session is still good; marks it as seen, at most once a minute.
///
/// # Errors
/// The store's.
pub async fn is_alive(app: &App, session: &Session) -> Result<bool, tower_sessions::session::Error> {
    let Some(stamp) = session.get::<Stamp>(STAMP).await? else { return Ok(false) };
    let (idle, limit) = limits(app, stamp.remember);
    let now = clock::now();
    if now - stamp.seen > idle || now - stamp.began > limit {
        return Ok(false);
    }
    if now - stamp.seen > Duration::MINUTE {
        set_expiry(app, session, stamp.remember);
        session.insert(STAMP, Stamp { seen: now, ..stamp }).await?;
    }
    Ok(true)
}

fn set_expiry(app: &App, session: &Session, remember: bool) {
    // without "remember", the cookie ends with the browser; how long the server keeps it is in the stamp
    session.set_expiry(Some(if remember { Expiry::OnInactivity(limits(app, true).0) } else { Expiry::OnSessionEnd }));
}

fn limits(app: &App, remember: bool) -> (Duration, Duration) {
    let s = &app.config.sessions;
    if remember {
        (Duration::days(s.remembered_days.into()), Duration::days(s.remembered_limit_days.into()))
    } else {
        (Duration::hours(s.browser_hours.into()), Duration::days(s.browser_limit_days.into()))
    }
}
