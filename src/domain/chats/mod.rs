//! Chats and their trees of messages. A chat is found through its viewer: one that is not theirs does not exist.
//! What must not live here: how answers are made (generation/).

pub mod store;
pub mod way;

use crate::{
    app::App,
    base::{
        Error, Result,
        ids::{ChatId, MessageId},
    },
    domain::accounts::Viewer,
};
use sqlx::PgConnection;
use time::OffsetDateTime;

/// A chat, as its owner finds it.
#[derive(Debug, Clone)]
pub struct Chat {
    pub id: ChatId,
    pub title: String,
    /// `provider/name` of the model that was asked last.
    pub model: Option<String>,
    /// The end of the shown path.
    pub leaf: Option<MessageId>,
}

/// An entry of the list.
#[derive(Debug, Clone)]
pub struct Listed {
    pub id: ChatId,
    pub title: String,
    pub active_at: OffsetDateTime,
    pub answering: bool,
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

/// A viewer's newest chats, the last active first; at most 200.
///
/// # Errors
/// The database's.
pub async fn list(app: &App, viewer: &Viewer) -> Result<Vec<Listed>> {
    Ok(store::list(&app.pools.http, viewer.id, 200).await?)
}

/// Gives a chat another title.
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
    let found = store::rename(&app.pools.http, viewer.id, id, &title).await?;
    if found { Ok(()) } else { Err(Error::NotFound) }
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
