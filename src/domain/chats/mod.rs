//! Chats and their trees of messages. A chat is found through its viewer: one that is not theirs does not exist.
//! What must not live here: how answers are made (generation/).

pub mod folders;
mod list;
mod search;
pub mod store;
pub mod way;

pub use list::{Cursor, Listed, Page, Place, Side, all, archive, entry, grown, older, put, shelf, side};
pub use search::{Found, FoundChat, FoundMessage, MAX_QUERY, Piece, search};

use crate::{
    app::App,
    base::{
        Error, Result,
        ids::{ChatId, MessageId},
    },
    domain::{
        accounts::Viewer,
        feed::{self, What},
    },
};
use sqlx::PgConnection;

/// A chat, as its owner finds it.
#[derive(Debug, Clone)]
pub struct Chat {
    pub id: ChatId,
    pub title: String,
    /// `provider/name` of the model that was asked last.
    pub model: Option<String>,
    /// The end of the shown path.
    pub leaf: Option<MessageId>,
    pub pinned: bool,
    pub archived: bool,
}

/// Characters of a title at most.
pub const MAX_TITLE: usize = 120;

/// A viewer's chat.
///
/// # Errors
/// [`Error::NotFound`] also for one that belongs to somebody else.
pub async fn find(conn: &mut PgConnection, viewer: &Viewer, id: ChatId) -> Result<Chat> {
    store::find(conn, viewer.id, id).await?.ok_or(Error::NotFound)
}

/// Begins a chat in which nothing is said yet.
///
/// # Errors
/// [`Error::Invalid`] by field.
pub async fn create(app: &App, viewer: &Viewer, title: &str, typed: &way::Typed) -> Result<ChatId> {
    let title = clean_title(title);
    if title.chars().count() > MAX_TITLE {
        return Err(Error::invalid("title", format!("A title has at most {MAX_TITLE} characters.")));
    }
    let mut tx = app.pools.http.begin().await?;
    let way = way::check(app, &mut tx, viewer, typed, None).await?;
    let id = store::insert(&mut tx, viewer.id, if title.is_empty() { "New chat" } else { &title }).await?;
    if !title.is_empty() {
        store::rename(&mut tx, id, &title).await?;
    }
    store::set_way(&mut tx, viewer.id, id, &way).await?;
    feed::store::open(&mut tx, id).await?;
    feed::ring_list(&mut tx, viewer.id).await?;
    tx.commit().await?;
    Ok(id)
}

/// The model that a chat's next message is for, unless it names another.
///
/// # Errors
/// [`Error::Invalid`] when none was asked or chosen yet; [`Error::NotFound`].
pub async fn model_of(app: &App, viewer: &Viewer, id: ChatId) -> Result<String> {
    let chat = find(&mut *app.pools.http.acquire().await?, viewer, id).await?;
    chat.model.ok_or_else(|| Error::invalid("model", "Name a model: no other was asked here yet."))
}

/// Gives a chat another title, which is a person's from then on: no model overwrites it.
///
/// # Errors
/// [`Error::Invalid`] for an empty or too long one, [`Error::NotFound`].
pub async fn rename(app: &App, viewer: &Viewer, id: ChatId, title: &str) -> Result<()> {
    let title = clean_title(title);
    if title.is_empty() {
        return Err(Error::invalid("title", "A chat needs a title."));
    }
    if title.chars().count() > MAX_TITLE {
        return Err(Error::invalid("title", format!("A title has at most {MAX_TITLE} characters.")));
    }
    let mut tx = app.pools.http.begin().await?;
    store::lock(&mut tx, viewer.id, id).await?.ok_or(Error::NotFound)?;
    store::rename(&mut tx, id, &title).await?;
    let events = feed::append(&mut tx, id, &[(MessageId(id.0), What::Title)]).await?;
    tx.commit().await?;
    app.feed.hub.deliver(id, events);
    Ok(())
}

/// A chat's title as it is. For the feed of a chat, whose reader was let in before.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn title(app: &App, id: ChatId) -> Result<String> {
    store::title(&app.pools.http, id).await?.ok_or(Error::NotFound)
}

/// The title of a chat that was deleted a moment ago, for the word that offers to undo it.
///
/// # Errors
/// [`Error::NotFound`] also when it was longer ago.
pub async fn just_deleted(app: &App, viewer: &Viewer, id: ChatId) -> Result<String> {
    store::just_deleted(&app.pools.http, viewer.id, id).await?.ok_or(Error::NotFound)
}

/// The same of one that was put into the archive.
///
/// # Errors
/// [`Error::NotFound`] also when it was longer ago.
pub async fn just_archived(app: &App, viewer: &Viewer, id: ChatId) -> Result<String> {
    store::just_archived(&app.pools.http, viewer.id, id).await?.ok_or(Error::NotFound)
}

/// Brings a deleted chat back, as long as it is not removed for good; one that is not deleted stays as it is.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn restore(app: &App, viewer: &Viewer, id: ChatId) -> Result<()> {
    let mut tx = app.pools.http.begin().await?;
    if !store::restore(&mut tx, viewer.id, id).await? {
        return Err(Error::NotFound);
    }
    feed::ring_list(&mut tx, viewer.id).await?;
    tx.commit().await?;
    Ok(())
}

/// The title that a chat gets from its first message: the beginning of its first line, cut at a word.
#[must_use]
pub fn title_from(text: &str) -> String {
    const LENGTH: usize = 60;
    let line = text.lines().map(clean_title).find(|l| !l.is_empty()).unwrap_or_default();
    let line = line.trim_start_matches(['#', '>', '*', '-', '`', ' ']);
    if line.chars().count() <= LENGTH {
        return if line.is_empty() { "New chat".to_owned() } else { line.to_owned() };
    }
    let cut: String = line.chars().take(LENGTH).collect();
    let at_word = cut.rfind(' ').filter(|at| *at > LENGTH / 2).unwrap_or(cut.len());
    format!("{}…", cut[..at_word].trim_end())
}

/// One line, without control characters and doubled white space.
fn clean_title(text: &str) -> String {
    text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|w| !w.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Removes for good what was deleted over a day ago, in small batches.
///
/// # Errors
/// The database's.
pub async fn purge(app: &App) -> Result<()> {
    while store::purge(&app.pools.jobs, 50).await? == 50 {}
    Ok(())
}

/// Makes the partitions of the coming months; warns when the default one has rows.
///
/// # Errors
/// The database's.
pub async fn prepare_partitions(app: &App) -> Result<()> {
    store::make_partitions(&app.pools.jobs, 3).await?;
    if store::default_partition_has_rows(&app.pools.jobs).await? {
        tracing::warn!("messages_default has rows: a month's partition was missing; see `parlor doctor`");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::title_from;

    #[test]
    fn titles() {
        for (text, title) in
            [("Hello", "Hello"), ("\n\n  ## Plan a\tweek \nmore", "Plan a week"), ("", "New chat"), ("```", "New chat")]
        {
            assert_eq!(title_from(text), title);
        }
        let long = title_from(&"wörter und mehr ".repeat(20));
        assert!(long.ends_with('…') && long.chars().count() <= 61, "{long}");
        assert_eq!(title_from(&"読".repeat(100)).chars().count(), 61);
    }
}
