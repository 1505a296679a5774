//! A person's chats in their order: those on top, the list, the archive; page by page.

use super::store;
use crate::{
    app::App,
    base::{Error, Result, ids::ChatId},
    domain::accounts::Viewer,
};
use std::{fmt, str::FromStr};
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

/// An entry that others come after, by the time of its last message: `1763700000000000.01890000-…`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    pub at: OffsetDateTime,
    pub id: ChatId,
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
        let at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros) * 1000).map_err(|_| Error::NotFound)?;
        Ok(Self { at, id: id.parse().map_err(|_| Error::NotFound)? })
    }
}

/// Some chats of the list or the archive, the last active first.
#[derive(Debug, Default)]
pub struct Page {
    pub chats: Vec<Listed>,
    /// There are older ones after this.
    pub older: Option<Cursor>,
}

impl Page {
    fn of(mut chats: Vec<Listed>) -> Self {
        let on_top = chats.iter().take_while(|chat| chat.pinned).count();
        let older = (chats.len() - on_top > PAGE).then(|| {
            chats.truncate(on_top + PAGE);
            let last = chats.last().expect("a page of them");
            Cursor { at: last.active_at, id: last.id }
        });
        Self { chats, older }
    }
}

/// One more, to know whether there are more.
const ASKED: i64 = 51;

/// The beginning of a viewer's list: what is on top, then the newest.
///
/// # Errors
/// The database's.
pub async fn shelf(app: &App, viewer: &Viewer) -> Result<Page> {
    Ok(Page::of(store::list::shelf(&app.pools.http, viewer.id, ASKED).await?))
}

/// How the list goes on after an entry.
///
/// # Errors
/// The database's.
pub async fn older(app: &App, viewer: &Viewer, after: Cursor) -> Result<Page> {
    Ok(Page::of(store::list::page(&app.pools.http, viewer.id, false, Some(after), ASKED).await?))
}

/// A viewer's archive, from the beginning or after an entry.
///
/// # Errors
/// The database's.
pub async fn archive(app: &App, viewer: &Viewer, after: Option<Cursor>) -> Result<Page> {
    Ok(Page::of(store::list::page(&app.pools.http, viewer.id, true, after, ASKED).await?))
}

/// Puts a chat elsewhere. Where it stands already, nothing changes.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn put(app: &App, viewer: &Viewer, id: ChatId, place: Place) -> Result<()> {
    let found = store::list::put(&app.pools.http, viewer.id, id, place).await?;
    if found { Ok(()) } else { Err(Error::NotFound) }
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
