//! Folders that hold chats, each a person's own. A folder is found through its viewer, as a chat is. What is pinned stands
//! on top of the list whatever folder it is in, and what is archived is in none that is shown.

use super::{
    list::{Cursor, Listed, Page},
    store::folders as store,
};
use crate::{
    app::App,
    base::{
        Error, Result,
        ids::{ChatId, FolderId},
    },
    domain::{accounts::Viewer, feed},
};
use sqlx::PgConnection;
use std::collections::HashMap;

/// Characters of a name at most.
pub const MAX_NAME: usize = 60;
/// Folders of one person at most.
const MAX_FOLDERS: i64 = 100;
/// Chats of an open folder in the list, at most and at least; the others are on its page.
const SHOWN: usize = 30;
const SHOWN_OF_MANY: usize = 5;
/// Chats of all open folders in the list, about.
const SHOWN_IN_ALL: usize = 300;
/// Chats on a folder's page.
const PAGE: usize = 50;
const ASKED: i64 = 51;

/// A folder.
#[derive(Debug, Clone)]
pub struct Folder {
    pub id: FolderId,
    pub name: String,
    /// Its chats are shown in the list.
    pub opened: bool,
}

/// A folder as the list has it.
#[derive(Debug, Clone)]
pub struct Shelf {
    pub folder: Folder,
    /// The newest of its chats; none of a folder that is not opened.
    pub chats: Vec<Listed>,
    /// There are more than these.
    pub more: bool,
}

/// A viewer's folders, by name.
///
/// # Errors
/// The database's.
pub async fn all(app: &App, viewer: &Viewer) -> Result<Vec<Folder>> {
    Ok(store::all(&mut *app.pools.http.acquire().await?, viewer.id).await?)
}

/// A viewer's folder.
///
/// # Errors
/// [`Error::NotFound`] also for one that belongs to somebody else.
pub async fn find(app: &App, viewer: &Viewer, id: FolderId) -> Result<Folder> {
    store::find(&app.pools.http, viewer.id, id).await?.ok_or(Error::NotFound)
}

/// A viewer's folders with what the list shows of them.
pub(super) async fn shelves(conn: &mut PgConnection, viewer: &Viewer) -> Result<Vec<Shelf>> {
    let folders = store::all(conn, viewer.id).await?;
    if folders.is_empty() {
        return Ok(Vec::new());
    }
    let open = folders.iter().filter(|folder| folder.opened).count().max(1);
    let most = (SHOWN_IN_ALL / open).clamp(SHOWN_OF_MANY, SHOWN);
    let asked = i64::try_from(most + 1).unwrap_or(i64::MAX);
    let mut chats: HashMap<FolderId, Vec<Listed>> = HashMap::new();
    for (folder, chat) in store::shelves(conn, viewer.id, asked).await? {
        chats.entry(folder).or_default().push(chat);
    }
    let shelf = |folder: Folder| {
        let mut chats = chats.remove(&folder.id).unwrap_or_default();
        let more = chats.len() > most;
        chats.truncate(most);
        Shelf { folder, chats, more }
    };
    Ok(folders.into_iter().map(shelf).collect())
}

/// The chats of a folder, from the beginning or after an entry.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn chats(app: &App, viewer: &Viewer, id: FolderId, after: Option<Cursor>) -> Result<(Folder, Page)> {
    let folder = find(app, viewer, id).await?;
    let found = store::chats(&app.pools.http, viewer.id, id, after, ASKED).await?;
    Ok((folder, Page::of(found, PAGE)))
}

/// Makes a folder.
///
/// # Errors
/// [`Error::Invalid`] for a name that is empty or too long, or when there are as many as one can have.
pub async fn create(app: &App, viewer: &Viewer, name: &str) -> Result<FolderId> {
    let name = clean(name)?;
    let mut tx = app.pools.http.begin().await?;
    let id = insert(&mut tx, viewer, &name).await?;
    feed::ring_list(&mut tx, viewer.id).await?;
    tx.commit().await?;
    Ok(id)
}

async fn insert(tx: &mut PgConnection, viewer: &Viewer, name: &str) -> Result<FolderId> {
    store::lock(tx, viewer.id).await?;
    if store::count(tx, viewer.id).await? >= MAX_FOLDERS {
        let message = format!("There are {MAX_FOLDERS} folders already, as many as one can have. Delete one first.");
        return Err(Error::invalid("name", message));
    }
    Ok(store::insert(tx, viewer.id, name).await?)
}

/// Gives a folder another name, and says whether the list shows its chats.
///
/// # Errors
/// [`Error::Invalid`] for a name that is empty or too long; [`Error::NotFound`].
pub async fn change(app: &App, viewer: &Viewer, id: FolderId, name: &str, opened: bool) -> Result<()> {
    let name = clean(name)?;
    write(app, viewer, id, Some(&name), opened).await
}

/// Opens or folds a folder in the list.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn open(app: &App, viewer: &Viewer, id: FolderId, opened: bool) -> Result<()> {
    write(app, viewer, id, None, opened).await
}

async fn write(app: &App, viewer: &Viewer, id: FolderId, name: Option<&str>, opened: bool) -> Result<()> {
    let mut tx = app.pools.http.begin().await?;
    if !store::change(&mut tx, viewer.id, id, name, opened).await? {
        return Err(Error::NotFound);
    }
    feed::ring_list(&mut tx, viewer.id).await?;
    tx.commit().await?;
    Ok(())
}

/// Deletes a folder; its chats are in the list again.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn delete(app: &App, viewer: &Viewer, id: FolderId) -> Result<()> {
    let mut tx = app.pools.http.begin().await?;
    if !store::delete(&mut tx, viewer.id, id).await? {
        return Err(Error::NotFound);
    }
    feed::ring_list(&mut tx, viewer.id).await?;
    tx.commit().await?;
    Ok(())
}

/// Which folder a chat is in.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn of(app: &App, viewer: &Viewer, chat: ChatId) -> Result<Option<FolderId>> {
    store::of(&app.pools.http, viewer.id, chat).await?.ok_or(Error::NotFound)
}

/// Puts a chat into a folder, or back into the list.
///
/// # Errors
/// [`Error::NotFound`] also for a folder that belongs to somebody else.
pub async fn put(app: &App, viewer: &Viewer, chat: ChatId, folder: Option<FolderId>) -> Result<()> {
    let mut tx = app.pools.http.begin().await?;
    if !store::put(&mut tx, viewer.id, chat, folder).await? {
        return Err(Error::NotFound);
    }
    feed::ring_list(&mut tx, viewer.id).await?;
    tx.commit().await?;
    Ok(())
}

/// Puts a chat into a folder that is made for it.
///
/// # Errors
/// As of [`create`] and [`put`].
pub async fn put_in_new(app: &App, viewer: &Viewer, chat: ChatId, name: &str) -> Result<()> {
    let name = clean(name)?;
    let mut tx = app.pools.http.begin().await?;
    let folder = insert(&mut tx, viewer, &name).await?;
    if !store::put(&mut tx, viewer.id, chat, Some(folder)).await? {
        return Err(Error::NotFound);
    }
    feed::ring_list(&mut tx, viewer.id).await?;
    tx.commit().await?;
    Ok(())
}

fn clean(name: &str) -> Result<String> {
    let name = super::clean_title(name);
    if name.is_empty() {
        return Err(Error::invalid("name", "A folder needs a name."));
    }
    if name.chars().count() > MAX_NAME {
        return Err(Error::invalid("name", format!("A folder's name has at most {MAX_NAME} characters.")));
    }
    Ok(name)
}
