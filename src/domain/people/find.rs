//! The accounts of others, for administrators: finding them, making new ones, and what was done. For everybody else there is
//! nothing here.

use super::store::find as store;
use crate::{
    app::App,
    base::{Error, Result, ids::UserId},
    domain::{
        accounts::{self, Registering, User, Viewer, recovery},
        audit::{self, Actor},
    },
};
use uuid::Uuid;

pub use super::store::find::Person;

/// Accounts of one page.
pub const PAGE: i64 = 50;

/// Accounts whose address or name holds the words, the newest first; those made before one.
///
/// # Errors
/// [`Error::NotFound`] for whoever is no administrator.
pub async fn find(app: &App, viewer: &Viewer, words: &str, before: Option<Uuid>) -> Result<Vec<Person>> {
    administrators_only(viewer)?;
    Ok(store::find(&app.pools.http, words.trim(), before, PAGE).await?)
}

/// One account.
///
/// # Errors
/// [`Error::NotFound`], also for whoever is no administrator.
pub async fn look(app: &App, viewer: &Viewer, id: UserId) -> Result<Person> {
    administrators_only(viewer)?;
    store::one(&app.pools.http, id).await?.ok_or(Error::NotFound)
}

/// Makes an account for somebody. Its password can be told to them, and changed by them.
///
/// # Errors
/// [`Error::Invalid`] by field; [`Error::NotFound`] for whoever is no administrator.
pub async fn create(app: &App, viewer: &Viewer, form: &Registering, administrator: bool) -> Result<User> {
    administrators_only(viewer)?;
    accounts::create(app, form, administrator, &Actor::from(viewer)).await
}

/// Makes a link by which the owner of an account can choose another password, and sends it to them; the administrator sees it
/// too, once, for those whom no letter reaches.
///
/// # Errors
/// [`Error::NotFound`], also for whoever is no administrator; [`Error::Conflict`] for an account that is disabled.
pub async fn reset_link(app: &App, viewer: &Viewer, id: UserId) -> Result<String> {
    administrators_only(viewer)?;
    let person = store::one(&app.pools.http, id).await?.ok_or(Error::NotFound)?;
    let user = accounts::get(&app.pools.http, id).await?;
    let user =
        user.ok_or_else(|| Error::Conflict("This account is disabled: let it sign in again first.".to_owned()))?;
    let mut tx = app.pools.http.begin().await?;
    let link = recovery::send_link(&mut tx, app, &user).await?;
    let subject = audit::Subject { id, email: &person.email };
    audit::note(&mut tx, &Actor::from(viewer), "password.link", Some(subject), "").await?;
    tx.commit().await?;
    Ok(link)
}

/// Deletes an account, when `email` says which; it is gone within seconds.
///
/// # Errors
/// [`Error::Invalid`] for an `email` that is not the account's; else as [`super::delete`].
pub async fn delete(app: &App, viewer: &Viewer, id: UserId, email: &str) -> Result<()> {
    let person = look(app, viewer, id).await?;
    if email.trim().to_lowercase() != person.email.to_lowercase() {
        return Err(Error::invalid("email", "This is not the address of the account."));
    }
    super::delete(app, &Actor::from(viewer), id).await
}

/// The newest entries of the audit log before one; `about`: only what was done by or to this account.
///
/// # Errors
/// [`Error::NotFound`] for whoever is no administrator.
pub async fn log(app: &App, viewer: &Viewer, about: Option<UserId>, before: Option<Uuid>) -> Result<Vec<audit::Entry>> {
    administrators_only(viewer)?;
    Ok(audit::entries(&app.pools.http, about, before, PAGE).await?)
}

fn administrators_only(viewer: &Viewer) -> Result<()> {
    if viewer.administrator { Ok(()) } else { Err(Error::NotFound) }
}
