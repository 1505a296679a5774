//! Keys that people make for programs: shown once, kept as a hash. What a key may do is a part of what its maker may, when
//! it is made and whenever it is used.

use super::{Caller, Scope, Scopes, store};
use crate::{
    app::App,
    base::{
        Error, Result,
        crypto::sha256,
        error::{FieldError, OnConstraint},
        ids::{KeyId, UserId},
    },
    domain::{
        accounts::{self, Viewer},
        audit::{self, Actor, Subject},
    },
};
use rand::distr::{Alphanumeric, SampleString};
use std::net::IpAddr;
use time::OffsetDateTime;

/// How every key begins, so that it is known for one wherever it turns up.
const PREFIX: &str = "parlor_";
/// Of 62 kinds: 256 random bits.
const RANDOM: usize = 43;
/// A checksum at the end: what was cut or mistyped is refused without looking it up.
const CHECK: usize = 6;
/// How many characters after [`PREFIX`] stay visible.
const VISIBLE: usize = 6;
/// Days.
const LONGEST: u32 = 3650;

/// A key, without what makes it one.
#[derive(Debug, Clone)]
pub struct Key {
    pub id: KeyId,
    pub name: String,
    /// How it begins.
    pub prefix: String,
    /// What it can do now.
    pub scopes: Scopes,
    pub created_at: OffsetDateTime,
    pub expires_at: Option<OffsetDateTime>,
    /// To a minute.
    pub used_at: Option<OffsetDateTime>,
    pub expired: bool,
}

/// What somebody wants a key to be.
#[derive(Debug, Clone, Default)]
pub struct Wish {
    pub name: String,
    /// By their names.
    pub scopes: Vec<String>,
    /// Without, it is good until it is revoked.
    pub expires_in_days: Option<u32>,
}

/// A key that was made, and the one time that it is told.
pub struct Made {
    pub key: Key,
    pub secret: String,
}

/// A person's keys, the newest first.
///
/// # Errors
/// The database's.
pub async fn list(app: &App, viewer: &Viewer) -> Result<Vec<Key>> {
    let mut keys = store::keys(&app.pools.http, viewer.id).await?;
    let rights = Scopes::of(viewer);
    for key in &mut keys {
        key.scopes = key.scopes.and(rights);
    }
    Ok(keys)
}

/// Makes a key for whoever asks. One that is made with another key is good no longer than that, and is revoked with it.
///
/// # Errors
/// [`Error::Invalid`] by field, also for a scope that the caller does not have; [`Error::Conflict`] when there are too
/// many.
pub async fn make(app: &App, caller: &Caller, wish: &Wish) -> Result<Made> {
    let owner = Subject { id: caller.viewer.id, email: &caller.viewer.email };
    create(app, &Actor::from(&caller.viewer), owner, caller.scopes, caller.key, wish).await
}

/// Makes a key for the account of an address, at the command line.
///
/// # Errors
/// [`Error::NotFound`], or as [`make`].
pub async fn make_for(app: &App, email: &str, wish: &Wish) -> Result<Made> {
    let user = accounts::find(app, email).await?;
    let owner = Subject { id: user.id, email: &user.email };
    create(app, &Actor::operator(), owner, Scopes::of(&Viewer::from(&user)), None, wish).await
}

/// Makes a key worthless.
///
/// # Errors
/// [`Error::NotFound`] for one that is not theirs.
pub async fn revoke(app: &App, viewer: &Viewer, id: KeyId) -> Result<()> {
    let mut tx = app.pools.http.begin().await?;
    let (name, prefix) = store::delete_key(&mut tx, viewer.id, id).await?.ok_or(Error::NotFound)?;
    let owner = Subject { id: viewer.id, email: &viewer.email };
    audit::note(&mut tx, &Actor::from(viewer), "key.revoked", Some(owner), &format!("{name} ({prefix}…)")).await?;
    tx.commit().await?;
    Ok(())
}

/// Whether a bearer token is meant to be a key.
pub fn is_key(bearer: &str) -> bool {
    bearer.starts_with(PREFIX)
}

/// Who is behind a key.
pub async fn who(app: &App, secret: &str, address: Option<IpAddr>) -> Result<Option<Caller>> {
    if !is_whole(secret) {
        return Ok(None);
    }
    let Some(found) = store::key(&app.pools.http, &sha256(secret.as_bytes())).await? else { return Ok(None) };
    let Some(user) = accounts::get(&app.pools.http, found.user).await? else { return Ok(None) };
    if found.used_long_ago {
        store::mark_used(&app.pools.http, found.id).await?;
    }
    Ok(Some(Caller { key: Some(found.id), ..Caller::new(&user, address, Some(found.scopes)) }))
}

async fn create(
    app: &App,
    actor: &Actor,
    owner: Subject<'_>,
    within: Scopes,
    by: Option<KeyId>,
    wish: &Wish,
) -> Result<Made> {
    let (name, scopes) = check(wish, within)?;
    let secret = generate();
    let prefix = &secret[..PREFIX.len() + VISIBLE];
    let hash = sha256(secret.as_bytes());
    let mut tx = app.pools.http.begin().await?;
    if store::count_locked(&mut tx, owner.id).await? >= i64::from(app.config.programs.keys) {
        return Err(Error::Conflict(
            "You have as many keys as one may have. Revoke one that is not needed.".to_owned(),
        ));
    }
    let new = store::NewKey { name: &name, prefix, hash: &hash, scopes, days: wish.expires_in_days, by };
    // the key that it is made with may have been revoked a moment ago
    let key = store::insert_key(&mut tx, owner.id, &new)
        .await
        .on_constraint("api_keys_made_by_fkey", || Error::Unauthenticated)?;
    let details = format!("{name} ({prefix}…): {}", scopes.names().join(", "));
    audit::note(&mut tx, actor, "key.created", Some(owner), &details).await?;
    tx.commit().await?;
    Ok(Made { key, secret })
}

fn check(wish: &Wish, within: Scopes) -> Result<(String, Scopes)> {
    let mut errors = Vec::new();
    let mut wrong = |field, message: &str| errors.push(FieldError { field, message: message.to_owned() });
    let name = wish.name.trim();
    if name.is_empty() {
        wrong("name", "Say what the key is for.");
    } else if name.chars().count() > 80 || name.chars().any(char::is_control) {
        wrong("name", "A name has at most 80 characters, on one line.");
    }
    let known: Option<Scopes> = wish.scopes.iter().map(|name| Scope::parse(name)).collect();
    let scopes = known.unwrap_or_default();
    if known.is_none() || scopes.and(within) != scopes {
        wrong("scopes", "A key can do no more than whoever makes it, and nothing that is not known here.");
    } else if scopes.is_empty() {
        wrong("scopes", "Choose what the key may do.");
    }
    if wish.expires_in_days.is_some_and(|days| !(1..=LONGEST).contains(&days)) {
        wrong("expires_in_days", "A key is good for 1 to 3650 days, or until it is revoked.");
    }
    if errors.is_empty() { Ok((name.to_owned(), scopes)) } else { Err(Error::Invalid(errors)) }
}

fn generate() -> String {
    let random = Alphanumeric.sample_string(&mut rand::rng(), RANDOM);
    let check = checksum(&random);
    format!("{PREFIX}{random}{check}")
}

fn checksum(random: &str) -> String {
    hex::encode(&sha256(random.as_bytes())[..CHECK / 2])
}

/// Whether it has the form of a key and nothing was cut off or mistyped.
fn is_whole(secret: &str) -> bool {
    let Some(rest) = secret.strip_prefix(PREFIX) else { return false };
    rest.len() == RANDOM + CHECK && rest.is_ascii() && checksum(&rest[..RANDOM]) == rest[RANDOM..]
}

/// For the store: what a row may do. A scope of a newer program is none here.
pub(super) fn read_scopes(names: &[String]) -> Scopes {
    names.iter().filter_map(|name| Scope::parse(name)).collect()
}

/// Whose key it is, and what it was made for.
pub(super) struct Found {
    pub id: KeyId,
    pub user: UserId,
    pub scopes: Scopes,
    /// More than a minute ago, or never.
    pub used_long_ago: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_whole_or_nothing() {
        let key = generate();
        assert!(is_key(&key) && is_whole(&key), "{key}");
        assert_ne!(key, generate());
        for bad in
            [&key[..key.len() - 1], &key.to_uppercase(), &format!("{key}0"), "parlor_", "", &key.replace("parlor_", "")]
        {
            assert!(!is_whole(bad), "{bad}");
        }
        let mut typo = key.into_bytes();
        typo[10] = if typo[10] == b'a' { b'b' } else { b'a' };
        assert!(!is_whole(std::str::from_utf8(&typo).unwrap()));
        assert!(!is_whole(&format!("parlor_{}", "ä".repeat(49))));
    }

    #[test]
    fn s5_a_key_is_made_for_no_more_than_its_maker_may() {
        let wish = |scopes: &[&str]| Wish {
            name: " laptop ".to_owned(),
            scopes: scopes.iter().map(|s| (*s).to_owned()).collect(),
            expires_in_days: None,
        };
        let member: Scopes = [Scope::Models, Scope::Keys].into_iter().collect();
        for (scopes, fine) in [
            (&["models"][..], true),
            (&["models", "keys"], true),
            (&["models", "models"], true),
            (&["admin"], false),
            (&["models", "admin"], false),
            (&["chats:read"], false),
            (&["everything"], false),
            (&[""], false),
            (&[], false),
        ] {
            assert_eq!(check(&wish(scopes), member).is_ok(), fine, "{scopes:?}");
        }
        assert_eq!(check(&wish(&["models"]), member).unwrap().0, "laptop");
        for days in [0, 3651, u32::MAX] {
            assert!(check(&Wish { expires_in_days: Some(days), ..wish(&["models"]) }, member).is_err());
        }
        for name in ["", " ", "a\nb", &"x".repeat(81)] {
            assert!(check(&Wish { name: name.to_owned(), ..wish(&["models"]) }, member).is_err());
        }
    }
}
