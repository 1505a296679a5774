//! Images that people send along: taken, kept, shown to their owner and to models, and removed when no message has them.
//! The bytes are in a folder (`outside/blobs.rs`), complete before there is a row (N10) and gone after it is gone. What must
//! not live here: how an image is decoded (raster.rs, pure), forms.

mod raster;
mod store;

use crate::{
    app::App,
    base::{
        Error, Result, crypto,
        error::OnConstraint as _,
        ids::{ChatId, FileId, MessageId, UserId},
        turnstile::Pass,
    },
    domain::accounts::Viewer,
};
use serde::Deserialize;
use sqlx::PgConnection;
use std::{collections::HashSet, io::ErrorKind, mem, slice, time::Duration};
use store::New;
pub use store::Seen;
use tokio::task;

/// Files of one message.
pub const MOST: usize = 8;
/// Uploads that a process takes at once, each of which is held whole; of one person [`MOST`].
const AT_ONCE: usize = 24;
/// Characters of a name; the end of a longer one, with its suffix, is kept.
const MOST_NAME: usize = 120;
/// What is in the folder and in no row, as of an upload that was cut off, is left for so long.
const UNKNOWN_FOR: Duration = Duration::from_hours(1);

/// A file as a page shows it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Attached {
    pub id: FileId,
    pub name: String,
    /// Of the copy that is shown, in pixels.
    pub width: u32,
    pub height: u32,
}

/// Where a file is.
pub struct Kept {
    blob: String,
    name: String,
    media_type: String,
    view_type: String,
}

/// A file to take away.
pub struct Content {
    pub name: String,
    pub media_type: String,
    pub bytes: Vec<u8>,
}

impl Content {
    /// The name without what stands behind its last point.
    #[must_use]
    pub fn stem(&self) -> &str {
        self.name.rsplit_once('.').map_or(self.name.as_str(), |(stem, _)| stem)
    }

    /// How files of this kind end.
    #[must_use]
    pub fn ending(&self) -> &'static str {
        match self.media_type.as_str() {
            "image/jpeg" => "jpg",
            "image/webp" => "webp",
            "image/gif" => "gif",
            _ => "png",
        }
    }
}

/// The name under which the copy of a blob is kept.
fn view_of(blob: &str) -> String {
    format!("{blob}.view")
}

/// Bytes that one file may have.
#[must_use]
pub fn max_bytes(app: &App) -> usize {
    app.config.files.max_mb as usize * 1024 * 1024
}

/// Somebody is about to send one: whether there is a place for it now. Held while it comes.
///
/// # Errors
/// [`Error::Limited`] while as many of theirs are coming as may; [`Error::Invalid`] when their files have no room.
pub async fn coming(app: &App, viewer: &Viewer) -> Result<Pass> {
    check_total(app, store::bytes_of(&mut *app.pools.http.acquire().await?, viewer.id).await?, 0)?;
    let pass = app.uploads.begin(viewer.id, MOST, AT_ONCE);
    pass.ok_or_else(|| Error::limited(Duration::from_secs(2), "Too many images are coming at this moment."))
}

/// Takes an image.
///
/// # Errors
/// [`Error::Invalid`] for what is no image, or too large; [`Error::Limited`] for too many within an hour;
/// [`Error::Conflict`] when there is no room for it.
pub async fn add(app: &App, viewer: &Viewer, name: &str, bytes: Vec<u8>) -> Result<Attached> {
    if bytes.len() > max_bytes(app) {
        return Err(too_large(app));
    }
    raster::kind(&bytes).map_err(|wrong| refused(wrong, name))?;
    take_upload(app, viewer).await?;
    let made = make(app, name, bytes, raster::MOST_PIXELS).await?;
    let mut tx = app.pools.http.begin().await?;
    match made.enter(app, &mut tx, viewer.id).await {
        Ok(attached) => {
            // should this fail, its outcome is not known: if there is no row, the hourly care removes the bytes
            tx.commit().await?;
            Ok(attached)
        }
        Err(error) => {
            made.discard(app).await;
            Err(error)
        }
    }
}

/// Counts it, whatever comes of it: decoding is what costs.
async fn take_upload(app: &App, viewer: &Viewer) -> Result<()> {
    let most = if viewer.administrator { 0 } else { app.config.limits.uploads_per_hour };
    let mut tx = app.pools.http.begin().await?;
    let again = store::take_upload(&mut tx, viewer.id, most.cast_signed()).await?;
    tx.commit().await?;
    let Some(again) = again else { return Ok(()) };
    let files = if most == 1 { "One image was".to_owned() } else { format!("{most} images were") };
    let sentence = format!("{files} sent within an hour, which is as many as can be.");
    Err(Error::limited(Duration::from_secs_f64(again), &sentence))
}

/// An image that comes along with a chat, on the disk and in no row yet. It was a copy of ours before.
///
/// # Errors
/// [`Error::Invalid`] for what is no image, or too large; [`Error::Conflict`] when there is no room for it.
pub async fn bring(app: &App, name: &str, bytes: Vec<u8>) -> Result<Made> {
    if bytes.len() > max_bytes(app) {
        return Err(too_large(app));
    }
    make(app, name, bytes, raster::COPY_PIXELS).await
}

/// An image that is on the disk, and in no row yet.
pub struct Made {
    blob: String,
    name: String,
    size: usize,
    view_size: usize,
    raster: raster::Made,
}

async fn make(app: &App, name: &str, bytes: Vec<u8>, most_pixels: u64) -> Result<Made> {
    let (name, blob, size) = (clean_name(name), crypto::random_hex(), bytes.len());
    let permit = app.decoding.acquire().await.map_err(Error::internal)?;
    let (made, bytes) =
        task::spawn_blocking(move || (raster::make(&bytes, most_pixels), bytes)).await.map_err(Error::internal)?;
    drop(permit);
    let mut raster = made.map_err(|wrong| refused(wrong, &name))?;
    let view = mem::take(&mut raster.view);
    let view_size = view.len();
    for (name, bytes) in [(blob.clone(), bytes), (view_of(&blob), view)] {
        if let Err(error) = app.blobs.put(&name, bytes).await {
            discard(app, &[blob]).await;
            return Err(no_room(&error));
        }
    }
    Ok(Made { blob, name, size, view_size, raster })
}

impl Made {
    /// Gives it a row; as long as the transaction is open, no other file of this person gets one.
    ///
    /// # Errors
    /// [`Error::Invalid`] when their files have no room.
    pub async fn enter(&self, app: &App, tx: &mut PgConnection, user: UserId) -> Result<Attached> {
        let raster = &self.raster;
        store::lock(&mut *tx, user).await?;
        let size = i64::try_from(self.size + self.view_size).map_err(Error::internal)?;
        check_total(app, store::bytes_of(&mut *tx, user).await?, size)?;
        let number = |n: u32| i32::try_from(n).map_err(Error::internal);
        let new = New {
            user,
            blob: &self.blob,
            name: &self.name,
            media_type: raster.media_type,
            size: i64::try_from(self.size).map_err(Error::internal)?,
            view_type: raster.view_type,
            view_size: i32::try_from(self.view_size).map_err(Error::internal)?,
            width: number(raster.width)?,
            height: number(raster.height)?,
        };
        let id = store::insert(tx, &new).await?;
        Ok(Attached { id, name: self.name.clone(), width: raster.width, height: raster.height })
    }

    /// Removes it again, since it gets no row.
    pub async fn discard(&self, app: &App) {
        discard(app, slice::from_ref(&self.blob)).await;
    }
}

fn refused(wrong: raster::Wrong, name: &str) -> Error {
    Error::invalid("file", wrong.sentence(&clean_name(name)))
}

fn check_total(app: &App, bytes: i64, more: i64) -> Result<()> {
    let total = app.config.files.total_mb;
    if total > 0 && bytes + more > i64::from(total) * 1024 * 1024 {
        let sentence =
            format!("Your files would have more than {total} MB. Delete chats with images that you no longer need.");
        return Err(Error::invalid("file", sentence));
    }
    Ok(())
}

/// For a file that is larger than one may be.
#[must_use]
pub fn too_large(app: &App) -> Error {
    Error::invalid("body", format!("This file is too large: at most {} MB can be taken.", app.config.files.max_mb))
}

fn no_room(error: &std::io::Error) -> Error {
    tracing::error!(%error, "a file could not be written; see the folder of files (files.dir)");
    let what = match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "There is no room left for files",
        _ => "Files cannot be kept at the moment",
    };
    Error::Conflict(format!("{what}. Tell an administrator. You can send your message without the image."))
}

/// One line, without a path, and not too long.
#[must_use]
pub fn clean_name(name: &str) -> String {
    let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let clean: String = name.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let clean = clean.trim();
    let length = clean.chars().count();
    if clean.is_empty() {
        return "image".to_owned();
    }
    clean.chars().skip(length.saturating_sub(MOST_NAME)).collect()
}

/// Those of a viewer's own files that these are, in that order; others are left out.
///
/// # Errors
/// The database's.
pub async fn own(app: &App, viewer: &Viewer, ids: &[FileId]) -> Result<Vec<Attached>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    Ok(store::of(&mut *app.pools.http.acquire().await?, viewer.id, ids).await?)
}

/// The file of a viewer's that came after this one.
///
/// # Errors
/// The database's.
pub async fn next(app: &App, viewer: &Viewer, after: Option<FileId>) -> Result<Option<FileId>> {
    Ok(store::next(&app.pools.jobs, viewer.id, after).await?)
}

/// A file as it came.
///
/// # Errors
/// [`Error::NotFound`] also for another's.
pub async fn original(app: &App, viewer: &Viewer, id: FileId) -> Result<Content> {
    let kept = store::find(&app.pools.http, viewer.id, id).await?.ok_or(Error::NotFound)?;
    let bytes = read(app, &kept.blob).await?;
    Ok(Content { name: kept.name, media_type: kept.media_type, bytes })
}

/// The copy of a file that is shown.
///
/// # Errors
/// [`Error::NotFound`] also for another's.
pub async fn view(app: &App, viewer: &Viewer, id: FileId) -> Result<Content> {
    let kept = store::find(&app.pools.http, viewer.id, id).await?.ok_or(Error::NotFound)?;
    let bytes = read(app, &view_of(&kept.blob)).await?;
    Ok(Content { name: kept.name, media_type: kept.view_type, bytes })
}

/// The copy of a file that a model is to see.
///
/// # Errors
/// [`Error::Internal`] when it is not there, or cannot be read.
pub async fn read_seen(app: &App, seen: &Seen) -> Result<Vec<u8>> {
    read(app, &view_of(&seen.blob)).await
}

async fn read(app: &App, blob: &str) -> Result<Vec<u8>> {
    app.blobs.get(blob).await.map_err(Error::internal)
}

/// Attaches a person's own files to a message (S2), in the transaction that makes it.
///
/// # Errors
/// [`Error::Invalid`] for too many, and for one that is not there or not theirs.
pub async fn attach(tx: &mut PgConnection, user: UserId, at: (ChatId, MessageId), ids: &[FileId]) -> Result<()> {
    if ids.is_empty() {
        return Ok(());
    }
    let gone = || Error::invalid("file", "An image of this message is no longer there. Remove it, or add it anew.");
    let attached = store::attach(tx, user, at, ids).await.on_constraint("attachments_file_id_fkey", gone)?;
    if attached == ids.len() as u64 { Ok(()) } else { Err(gone()) }
}

/// The ids as they are attached: each once.
///
/// # Errors
/// [`Error::Invalid`] for too many.
pub fn checked(ids: &[FileId]) -> Result<Vec<FileId>> {
    let mut seen = HashSet::new();
    let ids: Vec<_> = ids.iter().copied().filter(|id| seen.insert(*id)).collect();
    if ids.len() > MOST {
        return Err(Error::invalid("file", format!("A message can have at most {MOST} images.")));
    }
    Ok(ids)
}

/// Attaches these instead of what a message has.
///
/// # Errors
/// As [`attach`].
pub async fn replace(tx: &mut PgConnection, user: UserId, at: (ChatId, MessageId), ids: &[FileId]) -> Result<()> {
    store::detach(tx, at.0, at.1).await?;
    attach(tx, user, at, ids).await
}

/// What is attached to a message, in its order.
///
/// # Errors
/// The database's.
pub async fn of_message(conn: &mut PgConnection, chat: ChatId, message: MessageId) -> Result<Vec<Attached>> {
    Ok(store::of_message(conn, chat, message).await?)
}

/// What is attached to these messages of a chat.
///
/// # Errors
/// The database's.
pub async fn seen(conn: &mut PgConnection, chat: ChatId, messages: &[MessageId]) -> sqlx::Result<Vec<Seen>> {
    store::seen(conn, chat, messages).await
}

/// Removes a file that belongs to no message.
///
/// # Errors
/// [`Error::NotFound`] for one that is not theirs; [`Error::Conflict`] for one that a message has.
pub async fn remove(app: &App, viewer: &Viewer, id: FileId) -> Result<()> {
    let mut tx = app.pools.http.begin().await?;
    store::find(&mut *tx, viewer.id, id).await?.ok_or(Error::NotFound)?;
    let removed = store::remove_unattached(&mut tx, viewer.id, id).await?;
    let blob = removed.ok_or_else(|| Error::Conflict("A message has this file. Delete the message.".to_owned()))?;
    tx.commit().await?;
    discard(app, &[blob]).await;
    Ok(())
}

/// Removes all files of a person whose chats are gone.
///
/// # Errors
/// The database's.
pub async fn forget(app: &App, user: UserId) -> Result<()> {
    let blobs = store::remove_of(&mut *app.pools.jobs.acquire().await?, user).await?;
    discard(app, &blobs).await;
    Ok(())
}

/// Forgets uploads that no longer count, and removes what no message has had for a day, and what is in the folder without being known.
///
/// # Errors
/// The database's, and the folder's.
pub async fn care(app: &App) -> Result<()> {
    const BATCH: i64 = 100;
    store::forget_uploads(&app.pools.jobs).await?;
    loop {
        let blobs = store::remove_unused(&app.pools.jobs, BATCH).await?;
        discard(app, &blobs).await;
        if blobs.len() < 100 {
            break;
        }
    }
    for shelf in 0..=u8::MAX {
        let names = app.blobs.older_than(UNKNOWN_FOR, shelf).await.map_err(Error::internal)?;
        if names.is_empty() {
            continue;
        }
        let stem = |name: &str| name.split('.').next().unwrap_or_default().to_owned();
        let stems: HashSet<_> = names.iter().map(|name| stem(name)).collect();
        let stems: Vec<_> = stems.into_iter().collect();
        let known: HashSet<_> = store::known(&app.pools.jobs, &stems).await?.into_iter().collect();
        let is_known = |name: &str| {
            let stem = stem(name);
            known.contains(&stem) && (name == stem || name == view_of(&stem))
        };
        for name in names.iter().filter(|name| !is_known(name)) {
            app.blobs.remove(name).await.map_err(Error::internal)?;
        }
    }
    Ok(())
}

/// Removes bytes that no row names any more. What is left behind, the hourly care finds.
async fn discard(app: &App, blobs: &[String]) {
    for blob in blobs {
        for name in [blob.clone(), view_of(blob)] {
            if let Err(error) = app.blobs.remove(&name).await {
                tracing::warn!(%error, "the bytes of a removed file are still there");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{MOST_NAME, clean_name};

    #[test]
    fn names() {
        for (name, clean) in [
            ("cat.png", "cat.png"),
            ("C:\\Users\\ann\\a b.jpg", "a b.jpg"),
            ("../../etc/passwd", "passwd"),
            ("", "image"),
            ("a\r\nb", "a  b"),
        ] {
            assert_eq!(clean_name(name), clean);
        }
        let long = clean_name(&format!("{}.png", "ä".repeat(300)));
        assert!(long.chars().count() == MOST_NAME && long.ends_with("ä.png"));
    }
}
