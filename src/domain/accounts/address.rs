//! Another address for an account: wished for with the password, and taken when the link sent to it is followed.

use super::{Viewer, check_address, confirm as confirm_password, email_key, recovery, store, taken};
use crate::{
    app::App,
    base::{Error, Result, error::OnConstraint},
    domain::{
        audit, mail,
        tokens::{self, Owned, Purpose},
        tries,
    },
    outside::mail::Letter,
};
use std::net::IpAddr;
use time::Duration;

/// Sends a link to the address that is to be the new one; returns it as it was taken.
///
/// # Errors
/// [`Error::Invalid`] for `email` or `password`; [`Error::Limited`] after several within an hour.
pub async fn wish(app: &App, viewer: &Viewer, email: &str, password: &str) -> Result<String> {
    let (email, key) = check_address(email)?;
    let user = confirm_password(app, viewer, "password", password).await?;
    if key == email_key(&user.email) && email == user.email {
        return Err(Error::invalid("email", "This is your address already."));
    }
    if key != email_key(&user.email) && store::is_taken(&app.pools.http, &key).await? {
        return Err(Error::invalid("email", "There is an account with this address already."));
    }
    let minutes = app.config.accounts.reset_minutes;
    let mut tx = app.pools.http.begin().await?;
    // held: of two wishes at the same moment, the second counts the first one's letter
    let user = store::owner(&mut tx, user.id).await?.ok_or(Error::Unauthenticated)?;
    // they go to whatever address was typed
    if !recovery::may_send(&mut tx, &user, "confirm_address").await? {
        return Err(Error::limited(recovery::HOUR, "Several links to confirm an address were sent within an hour."));
    }
    // the last wish counts
    tokens::forget_of(&mut tx, Purpose::NewAddress, user.id).await?;
    let owned = Owned { user: user.id, address: email.clone() };
    let token = tokens::issue_to(&mut tx, Purpose::NewAddress, &owned, Duration::minutes(minutes.into())).await?;
    let link = format!("{}/settings/email/confirm?token={token}", app.public_url());
    mail::post(&mut tx, app, &email, Some(user.id), &Letter::ConfirmAddress { name: user.name, link, minutes }).await?;
    tx.commit().await?;
    Ok(email)
}

/// Whether a link is good, without using it up.
///
/// # Errors
/// The database's.
pub async fn is_good(app: &App, token: &str) -> Result<bool> {
    let mut conn = app.pools.http.acquire().await?;
    tokens::is_valid(&mut conn, Purpose::NewAddress, token).await
}

/// Takes the address that a link was sent to; the one before is told.
///
/// # Errors
/// [`Error::NotFound`] for a link that is unknown, used or too old, or whose account is disabled; [`Error::Conflict`] if
/// somebody has the address by now.
pub async fn confirm(app: &App, token: &str, from: Option<IpAddr>) -> Result<String> {
    let mut tx = app.pools.http.begin().await?;
    let Owned { user, address } =
        tokens::redeem_owned(&mut tx, Purpose::NewAddress, token).await?.ok_or(Error::NotFound)?;
    let user = store::owner(&mut tx, user).await?.ok_or(Error::NotFound)?;
    store::set_email(&mut tx, user.id, &address, &email_key(&address)).await.on_constraint(
        "users_email_key",
        || {
            let Error::Invalid(fields) = taken() else { return Error::NotFound };
            Error::Conflict(fields.into_iter().map(|f| f.message).collect())
        },
    )?;
    // links to choose another password that lie at the address before
    tokens::forget_of(&mut tx, Purpose::Reset, user.id).await?;
    let letter = Letter::AddressChanged { name: user.name.clone(), to: address.clone(), when: recovery::instant() };
    mail::post(&mut tx, app, &user.email, Some(user.id), &letter).await?;
    tries::forget(&mut tx, &email_key(&user.email)).await?;
    audit::note(&mut tx, &user.actor(from), "email.changed", Some(user.subject()), &format!("to {address}")).await?;
    tx.commit().await?;
    Ok(address)
}
