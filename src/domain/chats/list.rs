//! A person's chats in their order: those on top, the list, the archive; page by page.

use super::{
    folders::{self, Shelf},
    store,
};
use crate::{
    app::App,
    base::{Error, Result, ids::ChatId},
    domain::{accounts::Viewer, feed},
};
use std::{cmp::Ordering, fmt, str::FromStr};
use time::OffsetDateTime;

/// How many chats a page has.
const PAGE: usize = 50; // one less than ASKED

/// An entry of the list.
#[derive(Debug, Clone)]
pub struct Listed {
    pub id: ChatId,
    pub title: String,
    pub active_at: OffsetDateTime,
    pub answering: bool,
    pub pinned: bool,
}

impl Listed {
    /// Its entry.
    #[must_use]
    pub fn cursor(&self) -> Cursor {
        Cursor { at: self.active_at, id: self.id }
    }
}

/// Where a chat stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// On top of the list.
    Pinned,
    /// In the list, by the time of its last message.
    Listed,
    /// In the archive. Its next message brings it back to the list.
    Archived,
}

/// An entry that others come after, by the time of its last message: `1763700000000000.01890000-…`. Of two, the one
/// further down the list is less.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    pub at: OffsetDateTime,
    pub id: ChatId,
}

impl Ord for Cursor {
    fn cmp(&self, other: &Self) -> Ordering {
        self.at.cmp(&other.at).then(other.id.0.cmp(&self.id.0))
    }
}

impl PartialOrd for Cursor {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.at.unix_timestamp_nanos() / 1000, self.id)
    }
}

impl FromStr for Cursor {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (at, id) = text.split_once('.').ok_or(Error::NotFound)?;
        let micros: i64 = at.parse().map_err(|_| Error::NotFound)?;
        // of years that the database knows too: 1970 to 9999
        if !(0..253_402_300_800_000_000).contains(&micros) {
            return Err(Error::NotFound);
        }
        let at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros) * 1000).map_err(|_| Error::NotFound)?;
        Ok(Self { at, id: id.parse().map_err(|_| Error::NotFound)? })
    }
}

/// Some chats of the list or the archive, the last active first.
#[derive(Debug, Clone, Default)]
pub struct Page {
    pub chats: Vec<Listed>,
    /// There are older ones after this.
    pub older: Option<Cursor>,
}

impl Page {
    /// A page of those that were found; as many as `most` are not too many for one.
    pub(super) fn of(mut chats: Vec<Listed>, most: usize) -> Self {
        let on_top = chats.iter().take_while(|chat| chat.pinned).count();
        let older = (chats.len() - on_top > most).then(|| {
            chats.truncate(on_top + PAGE);
            chats.last().expect("a page of them").cursor()
        });
        Self { chats, older }
    }
}

/// One more, to know whether there are more.
const ASKED: i64 = 51;

/// The list at the side of every page.
#[derive(Debug, Clone)]
pub struct Side {
    pub folders: Vec<Shelf>,
    /// What is on top, then the newest that are in no folder.
    pub page: Page,
}

/// A viewer's chats, or their archive, in folders or not, after an entry: the last active first, also of what is on top.
///
/// # Errors
/// The database's.
pub async fn all(app: &App, viewer: &Viewer, archived: bool, after: Option<Cursor>) -> Result<Page> {
    let mut chats = store::list::all(&app.pools.http, viewer.id, archived, after, ASKED).await?;
    let more = chats.len() > PAGE;
    chats.truncate(PAGE);
    let older = chats.last().filter(|_| more).map(Listed::cursor);
    Ok(Page { chats, older })
}

/// The beginning of a viewer's chats: what is on top, then the newest.
///
/// # Errors
/// The database's.
pub async fn shelf(app: &App, viewer: &Viewer) -> Result<Page> {
    let mut conn = app.pools.http.acquire().await?;
    Ok(Page::of(store::list::shelf(&mut conn, viewer.id, None, ASKED).await?.0, PAGE))
}

/// The beginning of a viewer's list.
///
/// # Errors
/// The database's.
pub async fn side(app: &App, viewer: &Viewer) -> Result<Side> {
    read_side(app, viewer, None, (ASKED, PAGE)).await
}

/// By one connection.
async fn read_side(app: &App, viewer: &Viewer, upto: Option<Cursor>, (ask, most): (i64, usize)) -> Result<Side> {
    let mut conn = app.pools.http.acquire().await?;
    let (chats, any_folders) = store::list::shelf(&mut conn, viewer.id, upto, ask).await?;
    let folders = if any_folders { folders::shelves(&mut conn, viewer).await? } else { Vec::new() };
    Ok(Side { folders, page: Page::of(chats, most) })
}

/// How many chats an open page may have come to have before it is cut to a page's length again.
const GROWN: usize = 200;
const ASKED_GROWN: i64 = 201;

/// The beginning of a viewer's list as an open page has it: down to the entry that its first page ended with, or to the
/// very end. When that has become too much it is a page again, and says where it ends.
///
/// # Errors
/// The database's.
pub async fn grown(app: &App, viewer: &Viewer, upto: Option<Cursor>) -> Result<Side> {
    read_side(app, viewer, upto, (ASKED_GROWN, GROWN)).await
}

/// How the list goes on after an entry.
///
/// # Errors
/// The database's.
pub async fn older(app: &App, viewer: &Viewer, after: Cursor) -> Result<Page> {
    Ok(Page::of(store::list::page(&app.pools.http, viewer.id, false, Some(after), ASKED).await?, PAGE))
}

/// A viewer's archive, from the beginning or after an entry.
///
/// # Errors
/// The database's.
pub async fn archive(app: &App, viewer: &Viewer, after: Option<Cursor>) -> Result<Page> {
    Ok(Page::of(store::list::page(&app.pools.http, viewer.id, true, after, ASKED).await?, PAGE))
}

/// The entry of a chat that is in the list by the time of its last message, and nowhere else.
///
/// # Errors
/// The database's.
pub async fn entry(app: &App, viewer: &Viewer, id: ChatId) -> Result<Option<Cursor>> {
    Ok(store::list::entry(&app.pools.http, viewer.id, id).await?)
}

/// Puts a chat elsewhere. Where it stands already, nothing changes.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn put(app: &App, viewer: &Viewer, id: ChatId, place: Place) -> Result<()> {
    let mut tx = app.pools.http.begin().await?;
    if !store::list::put(&mut tx, viewer.id, id, place).await? {
        return Err(Error::NotFound);
    }
    feed::ring_list(&mut tx, viewer.id).await?;
    tx.commit().await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::Cursor;

    #[test]
    fn cursors_and_back() {
        let text = "1763700000123456.01890000-0000-7000-8000-000000000001";
        assert_eq!(text.parse::<Cursor>().unwrap().to_string(), text);
        for wrong in ["", "1", ".", "x.y", "1.2", "99999999999999999999.01890000-0000-7000-8000-000000000001"] {
            assert!(wrong.parse::<Cursor>().is_err(), "{wrong}");
        }
        let far = format!("{}.01890000-0000-7000-8000-000000000001", i64::MAX);
        assert!(far.parse::<Cursor>().is_err());
    }
}
