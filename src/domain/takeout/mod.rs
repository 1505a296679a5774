//! All of one's data to take along: one ZIP file, made by a worker in pieces and kept in the database for a day, because any
//! process of any machine may be asked for it. What must not live here: how Markdown looks (views/), headers (http/).

mod pack;
mod store;

pub use pack::{Face, care};
pub use store::Takeout;

use crate::{
    app::App,
    base::{Error, Result, ids::TakeoutId},
    domain::{
        accounts::Viewer,
        audit::{self, Actor},
    },
};

/// Has a file made of a viewer's data, instead of the one there is; one at a time.
///
/// # Errors
/// The database's.
pub async fn ask(app: &App, viewer: &Viewer) -> Result<()> {
    let mut tx = app.pools.http.begin().await?;
    if !store::insert(&mut tx, viewer.id).await? {
        return Ok(());
    }
    audit::note(&mut tx, &Actor::from(viewer), "data.asked", Some(viewer.subject()), "").await?;
    tx.commit().await?;
    Ok(())
}

/// A viewer's newest file, in the making or made within the last day.
///
/// # Errors
/// The database's.
pub async fn newest(app: &App, viewer: &Viewer) -> Result<Option<Takeout>> {
    Ok(store::newest(&app.pools.http, viewer.id).await?)
}

/// Opens a viewer's file; how many bytes it has. Its parts are read one by one ([`part`]).
///
/// # Errors
/// [`Error::NotFound`].
pub async fn open(app: &App, viewer: &Viewer, id: TakeoutId) -> Result<u64> {
    let mut tx = app.pools.http.begin().await?;
    let size = store::size(&mut tx, viewer.id, id).await?.ok_or(Error::NotFound)?;
    audit::note(&mut tx, &Actor::from(viewer), "data.taken", Some(viewer.subject()), "").await?;
    tx.commit().await?;
    Ok(u64::try_from(size).unwrap_or_default())
}

/// A part of a file that was opened, from 0; nothing after the last one.
///
/// # Errors
/// The database's.
pub async fn part(app: &App, id: TakeoutId, number: i32) -> Result<Option<Vec<u8>>> {
    Ok(store::part(&app.pools.http, id, number).await?)
}

/// Lets files go that are older than a day.
///
/// # Errors
/// The database's.
pub async fn tidy(app: &App) -> Result<()> {
    Ok(store::tidy(&app.pools.jobs).await?)
}
