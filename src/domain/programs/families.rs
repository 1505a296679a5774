//! Programs that signed in with a password: a short access token, which is looked up at each use, and a refresh token,
//! which is good once. An old refresh token used again is in two hands: it ends the family.

use super::{Caller, store};
use crate::{
    app::App,
    base::{
        Result,
        crypto::{random_hex, sha256},
        ids::{FamilyId, UserId},
        jwt::Jwt,
    },
    domain::{
        accounts::{self, User, Viewer},
        audit::{self, Actor, Subject},
    },
};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

const ISSUER: &str = "parlor";
const AUDIENCE: &str = "parlor/api";

/// What a program gets.
pub struct Tokens {
    pub access: String,
    /// How long the access token is good, in seconds.
    pub expires_in: i64,
    pub refresh: String,
}

/// What an access token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    pub iss: String,
    pub aud: String,
    pub sub: UserId,
    pub sid: FamilyId,
    /// Seconds since 1970, by the database's clock.
    pub iat: i64,
    pub exp: i64,
}

/// What signs and opens access tokens.
#[must_use]
pub fn jwt(app: &App) -> Jwt {
    Jwt::new(&app.secret, ISSUER, AUDIENCE)
}

/// Signs a program in with its person's address and password, at the place `from`.
///
/// # Errors
/// As [`accounts::sign_in`].
pub async fn sign_in(app: &App, email: &str, password: &str, from: Option<IpAddr>) -> Result<Option<Tokens>> {
    match accounts::sign_in(app, email, password, from).await? {
        Some(user) => begin(app, &user).await.map(Some),
        None => Ok(None),
    }
}

/// Begins a family for somebody whose password was checked, or made, a moment ago.
///
/// # Errors
/// The database's.
pub async fn begin(app: &App, user: &User) -> Result<Tokens> {
    let refresh = random_hex();
    let begun =
        store::begin(&app.pools.http, user.id, &mark(user), &hash(&refresh), app.config.programs.refresh_days).await?;
    Ok(tokens(app, user.id, begun.family, begun.now, refresh))
}

/// Takes a refresh token for new tokens. Nothing for one that is unknown, too old or used: then its family ends.
///
/// # Errors
/// The database's.
pub async fn refresh(app: &App, token: &str, address: Option<IpAddr>) -> Result<Option<Tokens>> {
    let fresh = random_hex();
    let days = app.config.programs.refresh_days;
    let Some(turned) = store::rotate(&app.pools.http, &hash(token), &hash(&fresh), days).await? else {
        end_reused(app, token, address).await?;
        return Ok(None);
    };
    let Some(user) = alive(app, turned.user, &turned.mark).await? else { return Ok(None) };
    Ok(Some(tokens(app, user.id, turned.family, turned.now, fresh)))
}

/// Ends the family of a refresh token, also of an old one.
///
/// # Errors
/// The database's.
pub async fn end(app: &App, token: &str) -> Result<()> {
    Ok(store::end(&app.pools.http, &hash(token)).await?)
}

/// How many programs are signed in with a viewer's password.
///
/// # Errors
/// The database's.
pub async fn count(app: &App, viewer: &Viewer) -> Result<i64> {
    Ok(store::families(&app.pools.http, viewer.id).await?)
}

/// Who is behind an access token. Its family is looked up at each use, so what ends it ends it at once; and the clock is
/// the database's.
pub async fn who(app: &App, token: &str, address: Option<IpAddr>) -> Result<Option<Caller>> {
    let Some(Claims { sub, sid, exp, .. }) = jwt(app).open(token) else { return Ok(None) };
    let Some(mark) = store::family(&app.pools.http, sid, sub, exp).await? else { return Ok(None) };
    let user = alive(app, sub, &mark).await?;
    Ok(user.map(|user| Caller { family: Some(sid), ..Caller::new(&user, address, None) }))
}

/// Which of these are good no longer.
pub(super) async fn ended(app: &App, families: &[FamilyId]) -> Result<Vec<FamilyId>> {
    if families.is_empty() {
        return Ok(Vec::new());
    }
    let alive = store::alive(&app.pools.http, families).await?;
    let is_good = |(family, mark_then, now): (FamilyId, Vec<u8>, String)| (hash(&now) == *mark_then).then_some(family);
    let good: Vec<_> = alive.into_iter().filter_map(is_good).collect();
    Ok(families.iter().filter(|family| !good.contains(family)).copied().collect())
}

async fn end_reused(app: &App, token: &str, address: Option<IpAddr>) -> Result<()> {
    let mut tx = app.pools.http.begin().await?;
    if let Some((id, email)) = store::end_reused(&mut tx, &hash(token)).await? {
        let actor = Actor { address, ..Actor::program() };
        let subject = Subject { id, email: &email };
        audit::note(&mut tx, &actor, "tokens.reused", Some(subject), "an old refresh token was used again").await?;
    }
    tx.commit().await?;
    Ok(())
}

/// The account, unless it is disabled or has another password than when the program signed in.
async fn alive(app: &App, user: UserId, mark_then: &[u8]) -> Result<Option<User>> {
    let user = accounts::get(&app.pools.http, user).await?;
    Ok(user.filter(|user| mark(user) == mark_then))
}

/// As with the sessions of browsers, another password ends everything, whatever way it was changed.
fn mark(user: &User) -> [u8; 32] {
    hash(user.password_mark())
}

fn hash(text: &str) -> [u8; 32] {
    sha256(text.as_bytes())
}

fn tokens(app: &App, user: UserId, family: FamilyId, now: i64, refresh: String) -> Tokens {
    let expires_in = i64::from(app.config.programs.access_minutes) * 60;
    let claims = Claims {
        iss: ISSUER.to_owned(),
        aud: AUDIENCE.to_owned(),
        sub: user,
        sid: family,
        iat: now,
        exp: now + expires_in,
    };
    Tokens { access: jwt(app).sign(&claims), expires_in, refresh }
}
