//! Browser sessions: the cookie, what a session is named, and when it ends by itself.

use super::{Web, address::Address};
use crate::{
    app::App,
    base::{
        Error, Result, clock,
        ids::{SessionId, UserId},
        sessions::Store,
    },
    domain::accounts::{
        User,
        sessions::{self, Beginning},
    },
};
use axum::{
    extract::FromRequestParts,
    http::{header, request::Parts},
};
use serde::{Deserialize, Serialize};
use std::{convert::Infallible, net::IpAddr};
use time::{Duration, OffsetDateTime};
use tower_sessions::{
    Expiry, Session, SessionManagerLayer,
    cookie::{Key, SameSite},
    service::SignedCookie,
    session,
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
/// The [`SessionId`]. Apart from the stamp, which processes of an older version write anew.
const NAME: &str = "name";

/// Who asks, as far as the request tells.
#[derive(Debug, Clone)]
pub struct Guest {
    pub address: Option<IpAddr>,
    pub user_agent: String,
}

impl Guest {
    pub fn of(parts: &Parts) -> Self {
        let user_agent = parts.headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
        Self { address: Address::of(&parts.extensions).0, user_agent: user_agent.unwrap_or_default().to_owned() }
    }
}

impl FromRequestParts<Web> for Guest {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &Web) -> Result<Self, Infallible> {
        Ok(Self::of(parts))
    }
}

/// Marks a session as begun now.
///
/// # Errors
/// The store's.
pub async fn begin(app: &App, session: &Session, remember: bool) -> Result<(), session::Error> {
    // always a new id, also for somebody who is signed in already: the old cookie is dead
    session.cycle_id().await?;
    set_expiry(app, session, remember);
    let now = clock::now();
    session.insert(STAMP, Stamp { began: now, seen: now, remember }).await
}

/// Gives a session that has begun its row and its name.
///
/// # Errors
/// [`Error::Unauthenticated`] when it was ended meanwhile; or the database's.
pub async fn name(app: &App, session: &Session, user: UserId, guest: &Guest) -> Result<SessionId> {
    // its row stands on that of the store
    if session.id().is_none() {
        session.save().await.map_err(unavailable)?;
    }
    let stamp = session.get::<Stamp>(STAMP).await.map_err(unavailable)?.ok_or(Error::Unauthenticated)?;
    let store_id = session.id().map(|id| id.to_string()).unwrap_or_default();
    let Guest { address, user_agent } = guest;
    let Stamp { began, remember, .. } = stamp;
    let new = Beginning { user, store_id: &store_id, user_agent, address: *address, remember, began };
    let id = sessions::begin(app, new).await?;
    session.insert(NAME, id).await.map_err(unavailable)?;
    Ok(id)
}

/// The name of a session that is still good; marks it as seen, at most once a minute. One from before sessions had names
/// is given one.
///
/// # Errors
/// The store's.
pub async fn alive(app: &App, session: &Session, user: &User, guest: &Guest) -> Result<Option<SessionId>> {
    let Some(stamp) = session.get::<Stamp>(STAMP).await.map_err(unavailable)? else { return Ok(None) };
    let (idle, limit) = limits(app, stamp.remember);
    let now = clock::now();
    if now - stamp.seen > idle || now - stamp.began > limit {
        return Ok(None);
    }
    let id = match session.get::<SessionId>(NAME).await.map_err(unavailable)? {
        Some(id) if user.now.sessions.contains(&id) => id,
        Some(_) => return Ok(None),
        None if user.now.sessions_ended_at.is_some_and(|ended| stamp.began < ended) => return Ok(None),
        None => name(app, session, user.id, guest).await?,
    };
    if now - stamp.seen > Duration::MINUTE {
        set_expiry(app, session, stamp.remember);
        session.insert(STAMP, Stamp { seen: now, ..stamp }).await.map_err(unavailable)?;
        let store_id = session.id().map(|id| id.to_string()).unwrap_or_default();
        sessions::seen(app, id, &store_id, guest.address).await?;
    }
    Ok(Some(id))
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn unavailable(error: session::Error) -> Error {
    Error::Unavailable(error.to_string())
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
