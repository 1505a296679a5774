//! The outbox as administrators see it: which letters there are and how they stand; and, where there is no mail server, the
//! letters themselves. What must not live here: sending (domain/mail).

use crate::{
    app::App,
    base::{Error, Result, ids::LetterId},
    domain::{
        accounts::Viewer,
        audit::{self, Actor},
        mail::{self, Entry},
    },
    outside::mail::Letter,
};

/// So many letters to a page.
pub const PAGE: i64 = 50;

/// A page of letters, the newest first, and whether there are older ones.
///
/// # Errors
/// [`Error::NotFound`] for whoever is no administrator.
pub async fn list(app: &App, viewer: &Viewer, before: Option<LetterId>) -> Result<(Vec<Entry>, bool)> {
    only_administrators(viewer)?;
    let mut letters = mail::list(app, before, PAGE + 1).await?;
    let more = i64::try_from(letters.len()).is_ok_and(|found| found > PAGE);
    letters.truncate(usize::try_from(PAGE).unwrap_or(usize::MAX));
    Ok((letters, more))
}

/// One letter; what it says only if it was written here for want of a server.
///
/// # Errors
/// [`Error::NotFound`], also for whoever is no administrator.
pub async fn find(app: &App, viewer: &Viewer, id: LetterId) -> Result<(Entry, Option<Letter>)> {
    only_administrators(viewer)?;
    mail::find(app, id).await
}

/// Sends a letter that has failed once more.
///
/// # Errors
/// [`Error::NotFound`] as above; [`Error::Conflict`] if it has not failed, or is too old.
pub async fn try_again(app: &App, viewer: &Viewer, id: LetterId) -> Result<()> {
    let (entry, _) = find(app, viewer, id).await?;
    let mut tx = app.pools.http.begin().await?;
    mail::try_again(&mut tx, id).await?;
    let what = format!("{}, to {}", entry.kind, entry.recipient);
    audit::note(&mut tx, &Actor::from(viewer), "letter.tried_again", None, &what).await?;
    tx.commit().await?;
    Ok(())
}

fn only_administrators(viewer: &Viewer) -> Result<()> {
    if viewer.administrator { Ok(()) } else { Err(Error::NotFound) }
}
