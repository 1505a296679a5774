//! Invitations: an administrator writes to an address, and whoever gets the letter may make the account of that address,
//! once. What must not live here: the letter's words, or a form.

mod store;

pub use store::Invitation;

use crate::{
    app::App,
    base::{
        Error, Result,
        config::Registration,
        crypto::{random_hex, sha256},
        ids::{InvitationId, UserId},
    },
    domain::{
        accounts::{self, Registering, User, Viewer},
        audit::{self, Actor},
        mail, tries,
    },
    outside::mail::Letter,
};
use sqlx::PgConnection;
use std::net::IpAddr;

/// The newest of them that are shown.
const SHOWN: i64 = 200;

/// Invites whoever has this address, and returns the link, which is nowhere to be had again. An open invitation to the same
/// address is replaced.
///
/// # Errors
/// [`Error::NotFound`] for whoever is no administrator; [`Error::Invalid`] for `email`; [`Error::Conflict`] while
/// registration is closed.
pub async fn invite(app: &App, viewer: &Viewer, email: &str, administrator: bool) -> Result<(String, String)> {
    only_administrators(viewer)?;
    if app.config.accounts.registration == Registration::Closed {
        return Err(Error::Conflict("Registration is closed: nobody can be invited.".into()));
    }
    let (email, key) = accounts::check_address(email)?;
    let days = app.config.accounts.invitation_days;
    let (token, role) = (random_hex(), if administrator { "administrator" } else { "member" });
    let mut tx = app.pools.http.begin().await?;
    if accounts::is_taken(&mut *tx, &key).await? {
        return Err(Error::invalid("email", "There is an account with this address already."));
    }
    store::revoke_open(&mut tx, &key).await?;
    store::insert(&mut tx, &email, &key, role, &sha256(token.as_bytes()), viewer.id, days).await?;
    let link = format!("{}/register?token={token}", app.public_url());
    let letter = Letter::Invitation { from: viewer.name.clone(), link: link.clone(), days };
    mail::post(&mut tx, app, &email, None, &letter).await?;
    audit::note(&mut tx, &Actor::from(viewer), "invitation.created", None, &format!("{email}, {role}")).await?;
    tx.commit().await?;
    Ok((email, link))
}

/// All that were made lately, the newest first.
///
/// # Errors
/// [`Error::NotFound`] for whoever is no administrator.
pub async fn list(app: &App, viewer: &Viewer) -> Result<Vec<Invitation>> {
    only_administrators(viewer)?;
    Ok(store::list(&app.pools.http, SHOWN).await?)
}

/// Makes an invitation worthless.
///
/// # Errors
/// [`Error::NotFound`] for whoever is no administrator, and for one that is not open any more.
pub async fn revoke(app: &App, viewer: &Viewer, id: InvitationId) -> Result<()> {
    only_administrators(viewer)?;
    let mut tx = app.pools.http.begin().await?;
    let email = store::revoke(&mut tx, id).await?.ok_or(Error::NotFound)?;
    audit::note(&mut tx, &Actor::from(viewer), "invitation.revoked", None, &email).await?;
    tx.commit().await?;
    Ok(())
}

/// Makes worthless what an account has invited to that is no administrator's any more, or goes, in the transaction of that.
///
/// # Errors
/// The database's.
pub async fn withdraw(tx: &mut PgConnection, by: UserId) -> Result<()> {
    Ok(store::withdraw(tx, by).await?)
}

/// Removes the invitations to an address, since its account goes; how the address was written in them.
///
/// # Errors
/// The database's.
pub async fn forget(tx: &mut PgConnection, email_key: &str) -> Result<Vec<String>> {
    Ok(store::forget(tx, email_key).await?)
}

/// The address that an open invitation is for.
///
/// # Errors
/// [`Error::NotFound`] for a token that is unknown, used, revoked or too old.
pub async fn address_of(app: &App, token: &str) -> Result<String> {
    if app.config.accounts.registration == Registration::Closed {
        return Err(Error::NotFound);
    }
    store::address_of(&app.pools.http, &sha256(token.as_bytes())).await?.ok_or(Error::NotFound)
}

/// Makes the account of an invitation, and uses it up by that alone.
///
/// # Errors
/// [`Error::NotFound`] as above; [`Error::Invalid`] by field.
pub async fn accept(app: &App, token: &str, form: &Registering, from: Option<IpAddr>) -> Result<User> {
    let email = address_of(app, token).await?;
    let form = Registering { email: email.clone(), name: form.name.clone(), password: form.password.clone() };
    let checked = accounts::check_invited(app, &form).await?;
    let mut tx = app.pools.http.begin().await?;
    // of two who come with it, the second waits here, and then finds it used
    let used = store::redeem(&mut tx, &sha256(token.as_bytes())).await?.ok_or(Error::NotFound)?;
    let administrator = used.role == "administrator";
    let user = accounts::create_invited(&mut tx, &checked, &used.email, administrator).await?;
    store::note_account(&mut tx, used.id, user.id).await?;
    audit::note(&mut tx, &user.actor(from), "invitation.used", Some(user.subject()), &used.role).await?;
    tx.commit().await?;
    tries::remember(app, &accounts::email_key(&user.email), from).await?;
    Ok(user)
}

fn only_administrators(viewer: &Viewer) -> Result<()> {
    if viewer.administrator { Ok(()) } else { Err(Error::NotFound) }
}
