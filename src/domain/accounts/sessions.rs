//! The sessions of a person: which there are, and their end. What must not live here: cookies, and how long a session
//! lasts by itself (http/sessions.rs).

use super::{
    Viewer,
    device::device,
    store::sessions::{self as store, New},
};
use crate::{
    app::App,
    base::{
        Error, Result,
        ids::{SessionId, UserId},
    },
    domain::audit::{self, Actor},
};
use sqlx::PgConnection;
use std::net::IpAddr;
use time::OffsetDateTime;

pub use super::store::sessions::Session;

/// Sessions of one person at most; then those go that were not seen for the longest time.
const MOST: i64 = 100;

/// A session that begins, or that began before sessions had names.
#[derive(Debug, Clone, Copy)]
pub struct Beginning<'a> {
    pub user: UserId,
    /// Under which the session store keeps it.
    pub store_id: &'a str,
    pub user_agent: &'a str,
    pub address: Option<IpAddr>,
    pub remember: bool,
    pub began: OffsetDateTime,
}

/// Gives a session its name.
///
/// # Errors
/// [`Error::Unauthenticated`] when it was ended meanwhile.
pub async fn begin(app: &App, new: Beginning<'_>) -> Result<SessionId> {
    let Beginning { user, store_id, user_agent, address, remember, began } = new;
    let device = device(user_agent);
    let address = address.map(|address| address.to_string());
    let new = New { user, store_id, device: &device, address, remember, began };
    let id = store::insert(&app.pools.http, &new).await?.ok_or(Error::Unauthenticated)?;
    store::keep(&app.pools.http, user, MOST).await?;
    Ok(id)
}

/// Notes that a session was seen, and where.
///
/// # Errors
/// The database's.
pub async fn seen(app: &App, id: SessionId, store_id: &str, address: Option<IpAddr>) -> Result<()> {
    Ok(store::touch(&app.pools.http, id, store_id, address.map(|address| address.to_string())).await?)
}

/// A viewer's sessions, the one seen last first.
///
/// # Errors
/// The database's.
pub async fn all(app: &App, viewer: &Viewer) -> Result<Vec<Session>> {
    let settings = &app.config.sessions;
    let idle = f64::from(settings.browser_hours) * 3600.;
    let remembered = f64::from(settings.remembered_days) * 86400.;
    Ok(store::of(&app.pools.http, viewer.id, idle, remembered).await?)
}

/// Ends one of a viewer's sessions. Its pages hear of it within seconds, in whatever process they are open.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn end(app: &App, viewer: &Viewer, id: SessionId) -> Result<()> {
    let mut tx = app.pools.http.begin().await?;
    if !store::end(&mut tx, viewer.id, id).await? {
        return Err(Error::NotFound);
    }
    audit::note(&mut tx, &Actor::from(viewer), "session.ended", Some(viewer.subject()), "").await?;
    tx.commit().await?;
    Ok(())
}

/// Ends all of a viewer's sessions but this one.
///
/// # Errors
/// The database's.
pub async fn end_others(app: &App, viewer: &Viewer, this: SessionId) -> Result<()> {
    let mut tx = app.pools.http.begin().await?;
    let ended = store::end_all(&mut tx, viewer.id, Some(this)).await?;
    let details = format!("{ended} others");
    audit::note(&mut tx, &Actor::from(viewer), "sessions.ended", Some(viewer.subject()), &details).await?;
    tx.commit().await?;
    Ok(())
}

/// Which of these have ended: there is no such session any more, or its account is disabled.
///
/// # Errors
/// The database's.
pub async fn ended(app: &App, ids: &[SessionId]) -> Result<Vec<SessionId>> {
    Ok(store::ended(&app.pools.http, ids).await?)
}

/// Ends all sessions of an account, but this one; how many there were. In the transaction of what it is done for.
///
/// # Errors
/// The database's.
pub async fn end_all_of(tx: &mut PgConnection, user: UserId, but: Option<SessionId>) -> Result<u64> {
    Ok(store::end_all(tx, user, but).await?)
}
