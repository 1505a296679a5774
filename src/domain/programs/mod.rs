//! Programs: what they sign in with, and what they may do with it. A program that knows its person's password gets an
//! access token and a refresh token (`families`); one that does not is given a key (`keys`). What must not live here:
//! headers, cookies, JSON.

mod families;
mod keys;
mod scope;
mod store;

pub use families::{Claims, Tokens, begin, count, end, jwt, refresh, sign_in};
pub use keys::{Key, Made, Wish, list, make, make_for, revoke};
pub use scope::{Scope, Scopes};

use crate::{
    app::App,
    base::{
        Result,
        ids::{FamilyId, KeyId},
    },
    domain::accounts::{User, Viewer},
};
use std::net::IpAddr;

/// A program that asks, for the person whose it is.
#[derive(Debug, Clone)]
pub struct Caller {
    pub viewer: Viewer,
    /// What it may do now: never more than its person may.
    pub scopes: Scopes,
    /// The key it came with; nothing for an access token.
    pub key: Option<KeyId>,
    /// The family of the access token that it came with.
    pub family: Option<FamilyId>,
}

impl Caller {
    /// The person in their own browser, who may do all that they may.
    #[must_use]
    pub fn in_person(viewer: Viewer) -> Self {
        Self { scopes: Scopes::of(&viewer), viewer, key: None, family: None }
    }

    /// S5: what was granted counts only as far as the person still may it.
    fn new(user: &User, address: Option<IpAddr>, granted: Option<Scopes>) -> Self {
        let viewer = Viewer { address, ..Viewer::from(user) };
        let rights = Scopes::of(&viewer);
        Self { scopes: granted.map_or(rights, |granted| granted.and(rights)), viewer, key: None, family: None }
    }
}

/// Who is behind a bearer token, key or access token: the one check, whatever the way it was presented.
///
/// # Errors
/// The database's. A token that is unknown, too old, revoked or of a disabled account is nobody's.
pub async fn who(app: &App, bearer: &str, address: Option<IpAddr>) -> Result<Option<Caller>> {
    if keys::is_key(bearer) { keys::who(app, bearer, address).await } else { families::who(app, bearer, address).await }
}

/// Which of these keys and families are good no longer: revoked, too old, or of a disabled account. A family ends also with the
/// password that it was begun with.
///
/// # Errors
/// The database's.
pub async fn ended(app: &App, keys: &[KeyId], families: &[FamilyId]) -> Result<(Vec<KeyId>, Vec<FamilyId>)> {
    let keys = if keys.is_empty() { Vec::new() } else { store::ended_keys(&app.pools.http, keys).await? };
    Ok((keys, families::ended(app, families).await?))
}

/// Removes what is over.
///
/// # Errors
/// The database's.
pub async fn tidy(app: &App) -> Result<()> {
    Ok(store::tidy(&app.pools.jobs).await?)
}
