//! Browser sessions: the store with its one correction, the cookie, and when a session ends.

use crate::{app::App, base::clock};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};
use tower_sessions::{
    Expiry, Session, SessionManagerLayer, SessionStore,
    cookie::{Key, SameSite},
    service::SignedCookie,
    session::{Id, Record},
    session_store,
};
use tower_sessions_sqlx_store::PostgresStore;

/// The published store saves by upsert, so a slow request that saves after a sign-out would bring the session back.
/// Here saving only ever changes a session that still exists.
#[derive(Clone, Debug)]
pub struct Store(PostgresStore, sqlx::PgPool);

impl Store {
    pub fn new(app: &App) -> Self {
        Self(PostgresStore::new(app.pools.http.clone()), app.pools.http.clone())
    }
}

#[async_trait]
impl SessionStore for Store {
    async fn create(&self, record: &mut Record) -> session_store::Result<()> {
        self.0.create(record).await
    }

    async fn save(&self, record: &Record) -> session_store::Result<()> {
        let data = rmp_serde::to_vec(record).map_err(|e| session_store::Error::Encode(e.to_string()))?;
        sqlx::query("update tower_sessions.session set data = $2, expiry_date = $3 where id = $1")
            .bind(record.id.to_string())
            .bind(data)
            .bind(record.expiry_date)
            .execute(&self.1)
            .await
            .map_err(|e| session_store::Error::Backend(e.to_string()))?;
        Ok(())
    }

    async fn load(&self, id: &Id) -> session_store::Result<Option<Record>> {
        self.0.load(id).await
    }

    async fn delete(&self, id: &Id) -> session_store::Result<()> {
        self.0.delete(id).await
    }
}

/// The layer that reads and writes the signed cookie.
pub fn layer(app: &App) -> SessionManagerLayer<Store, SignedCookie> {
    let store = Store::new(app);
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
