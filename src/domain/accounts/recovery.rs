//! A forgotten password: a wish for a link, the link, and another password by it. Whoever asks learns nothing of who has an
//! account: each wish is written down alike and answered at once, and a job looks later whether there is anybody to write
//! to.

use super::{User, check_address, password, sessions, store};
use crate::{
    app::App,
    base::{Error, Result, clock, queue},
    domain::{
        audit, mail,
        tokens::{self, Owned, Purpose},
    },
    outside::mail::Letter,
};
use sqlx::PgConnection;
use std::net::IpAddr;
use time::Duration;

/// So many links of a kind an account is sent in an hour, whoever asks for them.
const LINKS_AN_HOUR: i64 = 5;
pub(super) const HOUR: std::time::Duration = std::time::Duration::from_hours(1);

/// Takes a wish for a link to choose another password. The same for every address.
///
/// # Errors
/// [`Error::Invalid`] for what is no address at all.
pub async fn wish(app: &App, email: &str) -> Result<()> {
    let (_, email_key) = check_address(email)?;
    let mut tx = app.pools.http.begin().await?;
    store::wish(&mut tx, &email_key).await?;
    queue::enqueue(&mut tx, &mail::Look {}).await?;
    tx.commit().await?;
    Ok(())
}

/// Grants the wishes there are: a letter to the address that the account was made with, never to what was typed.
///
/// # Errors
/// The database's.
pub async fn grant_wishes(app: &App) -> Result<()> {
    loop {
        let mut tx = app.pools.jobs.begin().await?;
        let Some(owner) = store::take_wish(&mut tx).await? else { return Ok(()) };
        if let Some(user) = owner
            && may_send(&mut tx, &user, "reset").await?
        {
            send_link(&mut tx, app, &user).await?;
        }
        tx.commit().await?;
    }
}

/// Whether an account may be sent one more link of a kind. Its row is held.
pub(super) async fn may_send(tx: &mut PgConnection, user: &User, kind: &str) -> Result<bool> {
    Ok(mail::lately(tx, user.id, kind, HOUR).await? < LINKS_AN_HOUR)
}

/// Makes a link to choose another password, and sends it to the owner.
///
/// # Errors
/// The database's.
pub async fn send_link(tx: &mut PgConnection, app: &App, user: &User) -> Result<String> {
    let owned = Owned { user: user.id, address: user.email.clone() };
    let minutes = app.config.accounts.reset_minutes;
    let token = tokens::issue_to(tx, Purpose::Reset, &owned, Duration::minutes(minutes.into())).await?;
    let link = format!("{}/password/reset?token={token}", app.public_url());
    let letter = Letter::Reset { name: user.name.clone(), link: link.clone(), minutes };
    mail::post(tx, app, &user.email, Some(user.id), &letter).await?;
    Ok(link)
}

/// Whether a link is good, without using it up.
///
/// # Errors
/// The database's.
pub async fn is_good(app: &App, token: &str) -> Result<bool> {
    let mut conn = app.pools.http.acquire().await?;
    tokens::is_valid(&mut conn, Purpose::Reset, token).await
}

/// Chooses another password by a link. It is used up by that alone, not by a password that cannot be taken; every session
/// of the account ends.
///
/// # Errors
/// [`Error::NotFound`] for a link that is unknown, used or too old, or whose account has another address by now or is
/// disabled; [`Error::Invalid`] for the password.
pub async fn reset(app: &App, token: &str, new: &str, from: Option<IpAddr>) -> Result<()> {
    if !is_good(app, token).await? {
        return Err(Error::NotFound);
    }
    password::check(new).map_err(|message| Error::invalid("password", message))?;
    let hash = password::hash(app, new.to_owned()).await?;
    let mut tx = app.pools.http.begin().await?;
    let Owned { user, address } = tokens::redeem_owned(&mut tx, Purpose::Reset, token).await?.ok_or(Error::NotFound)?;
    let user = store::set_hash(&mut tx, user, &super::email_key(&address), &hash).await?.ok_or(Error::NotFound)?;
    sessions::end_all_of(&mut tx, user.id, None).await?;
    password_changed(&mut tx, app, &user).await?;
    audit::note(&mut tx, &user.actor(from), "password.reset", Some(user.subject()), "by a link").await?;
    tx.commit().await?;
    Ok(())
}

/// What follows from a changed password, in its transaction: links that were sent before are worthless, and the owner is
/// told, with the API keys that go on working. What programs signed in with hangs on the password, and is worthless too.
///
/// # Errors
/// The database's.
pub async fn password_changed(tx: &mut PgConnection, app: &App, user: &User) -> Result<()> {
    // also a wish for another address: whoever knew the old password may have made it
    tokens::forget_all_of(tx, user.id).await?;
    let letter = Letter::PasswordChanged {
        name: user.name.clone(),
        when: instant(),
        forgot: format!("{}/password/forgot", app.public_url()),
        keys: store::key_names(tx, user.id).await?,
    };
    mail::post(tx, app, &user.email, Some(user.id), &letter).await?;
    Ok(())
}

/// Now, as letters say it.
pub(super) fn instant() -> String {
    let now = clock::now();
    format!("{} {} {}, {:02}:{:02} UTC", now.day(), now.month(), now.year(), now.hour(), now.minute())
}
