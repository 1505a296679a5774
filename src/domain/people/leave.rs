//! Leaving: an account is closed a minute after its owner confirmed it, or at once by an administrator, and then goes in
//! steps that can be done again from the start: whoever is killed in between, another process goes on. What stays is in
//! the audit log, under a pseudonym. What must not live here: the tables of other rooms that go with the account's row.

use super::{end_what_is_open, keep_one_administrator, reach, store};
use crate::{
    app::App,
    base::{Error, Result, ids::SessionId, ids::UserId, queue},
    domain::{
        accounts::{self, Viewer, sessions},
        audit::{self, Actor},
        files, generation, invitations, mail, tries,
    },
};
use std::time::Duration;

/// So long an owner can undo it.
pub const MINUTE: Duration = Duration::from_mins(1);
/// So often it is looked whose time has come.
const EVERY: Duration = Duration::from_secs(3);
/// Chats that go in one transaction.
const BATCH: i64 = 10;

/// Closes a viewer's own account in a minute. Ends all other sessions.
///
/// # Errors
/// [`Error::Invalid`] for `password`, or for `email` when it is not the account's; [`Error::Conflict`] for the last
/// administrator.
pub async fn leave(app: &App, viewer: &Viewer, this: SessionId, password: &str, email: &str) -> Result<()> {
    if accounts::email_key(email) != accounts::email_key(&viewer.email) {
        return Err(Error::invalid("email", "This is not the address of your account."));
    }
    accounts::confirm(app, viewer, "password", password).await?;
    let mut tx = app.pools.http.begin().await?;
    store::one_at_a_time(&mut tx).await?;
    let standing = store::standing(&mut tx, viewer.id).await?.ok_or(Error::NotFound)?;
    keep_one_administrator(&mut tx, &standing, "deleted").await?;
    store::set_leaving(&mut tx, viewer.id, MINUTE.as_secs_f64()).await?;
    sessions::end_all_of(&mut tx, viewer.id, Some(this)).await?;
    audit::note(&mut tx, &Actor::from(viewer), "user.leaving", Some(standing.subject()), "").await?;
    tx.commit().await?;
    Ok(())
}

/// Undoes [`leave`], as long as its minute is not over.
///
/// # Errors
/// [`Error::Conflict`] when it is too late.
pub async fn stay(app: &App, viewer: &Viewer) -> Result<()> {
    let mut tx = app.pools.http.begin().await?;
    if store::set_staying(&mut tx, viewer.id).await? {
        audit::note(&mut tx, &Actor::from(viewer), "user.staying", Some(viewer.subject()), "").await?;
        tx.commit().await?;
        return Ok(());
    }
    match store::standing(&mut tx, viewer.id).await? {
        Some(standing) if !standing.leaves => Ok(()),
        _ => Err(Error::Conflict("It is too late: this account is being deleted.".to_owned())),
    }
}

/// Deletes an account at once, by an administrator or an operator: it is closed with the commit, and goes within seconds.
///
/// # Errors
/// As [`super::disable`].
pub async fn delete(app: &App, actor: &Actor, user: UserId) -> Result<()> {
    let mut tx = app.pools.http.begin().await?;
    let standing = reach(&mut tx, actor, user).await?;
    keep_one_administrator(&mut tx, &standing, "deleted").await?;
    store::set_leaving(&mut tx, user, 0.).await?;
    store::set_disabled(&mut tx, user, true).await?;
    end_what_is_open(&mut tx, user).await?;
    audit::note(&mut tx, actor, "user.deleted", Some(standing.subject()), "").await?;
    tx.commit().await?;
    generation::withdraw(app, user).await
}

/// Lets those go whose time has come, until the process ends.
pub async fn look_after(app: App) {
    loop {
        tokio::select! {
            () = app.stopping.begun.cancelled() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
        if let Err(error) = once(&app).await {
            tracing::warn!(%error, "accounts that are to go could not be looked after; trying again");
        }
    }
}

async fn once(app: &App) -> Result<()> {
    for user in store::due(&app.pools.jobs, 10).await? {
        go(app, user).await?;
    }
    Ok(())
}

/// Removes an account whose time has come, with all that is its own. Each step is harmless when done twice, also by two
/// processes at once; the account's row goes last.
///
/// # Errors
/// The database's; what is gone by then stays gone, and the next call goes on.
pub async fn go(app: &App, user: UserId) -> Result<()> {
    let db = &app.pools.jobs;
    let mut tx = db.begin().await?;
    if !store::close(&mut tx, user).await? {
        return Ok(());
    }
    end_what_is_open(&mut tx, user).await?;
    tx.commit().await?;
    generation::withdraw(app, user).await?;
    loop {
        let mut tx = db.begin().await?;
        let (chats, answers) = store::some_chats(&mut tx, user, BATCH).await?;
        if chats.is_empty() {
            break;
        }
        queue::forget(&mut tx, "generation_id", &answers).await?;
        store::remove_chats(&mut tx, &chats).await?;
        tx.commit().await?;
        if app.stopping.begun.is_cancelled() {
            return Ok(());
        }
    }
    files::forget(app, user).await?;
    let mut tx = db.begin().await?;
    let imports = store::remove_belongings(&mut tx, user).await?;
    queue::forget(&mut tx, "import_id", &imports).await?;
    tx.commit().await?;
    let mut tx = db.begin().await?;
    let mut letters = Vec::new();
    if let Some(standing) = store::standing(&mut tx, user).await? {
        let key = accounts::email_key(&standing.email);
        let mut written = invitations::forget(&mut tx, &key).await?;
        written.push(standing.email);
        audit::forget_addresses(&mut tx, user, &written).await?;
        letters = mail::forget(&mut tx, user, &written).await?;
        tries::forget(&mut tx, &key).await?;
    }
    audit::forget(&mut tx, user).await?;
    if store::remove(&mut tx, user).await? {
        let gone = audit::pseudonym(user);
        let subject = audit::Subject { id: user, email: &gone };
        audit::note(&mut tx, &Actor::program(), "user.gone", Some(subject), "").await?;
        tracing::info!("an account was deleted with all that was its own");
    }
    // before the commit: should it fail, this is done again
    mail::remove_written(app, &letters).await?;
    tx.commit().await?;
    Ok(())
}
