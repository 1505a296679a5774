//! Finding chats by their titles and messages by their words, the newest first. Only what is the viewer's own, and not
//! in deleted chats. Any input is a query; one without words finds nothing.

use super::store::search as store;
use crate::{
    app::App,
    base::{
        Result,
        ids::{ChatId, MessageId},
    },
    domain::accounts::Viewer,
};
use time::OffsetDateTime;

/// Characters of a query at most; what comes after is passed over.
pub const MAX_QUERY: usize = 200;

/// A piece of a found text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    pub text: String,
    /// One of the words that were looked for.
    pub hit: bool,
}

/// A chat whose title was found.
#[derive(Debug)]
pub struct FoundChat {
    pub id: ChatId,
    pub title: Vec<Piece>,
    pub at: OffsetDateTime,
}

/// A message that was found.
#[derive(Debug)]
pub struct FoundMessage {
    pub id: MessageId,
    pub chat: ChatId,
    /// Its chat's.
    pub title: String,
    pub by_model: bool,
    pub snippet: Vec<Piece>,
    pub at: OffsetDateTime,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Found {
    pub chats: Vec<FoundChat>,
    pub messages: Vec<FoundMessage>,
    /// There are messages older than this one.
    pub older: Option<MessageId>,
}

/// Looks for words, at most `most` chats and `most` messages, those before `before` if one is given.
///
/// # Errors
/// The database's.
pub async fn search(app: &App, viewer: &Viewer, words: &str, before: Option<MessageId>, most: usize) -> Result<Found> {
    let words: String = words.chars().filter(|c| *c != '\0').take(MAX_QUERY).collect();
    if words.trim().is_empty() {
        return Ok(Found::default());
    }
    let limit = i64::try_from(most).unwrap_or(i64::MAX);
    let mut conn = app.pools.http.acquire().await?;
    let chats = match before {
        None => store::titles(&mut conn, viewer.id, &words, limit).await?,
        Some(_) => Vec::new(),
    };
    let mut messages = store::messages(&mut conn, viewer.id, &words, before, limit.saturating_add(1)).await?;
    let more = messages.len() > most;
    messages.truncate(most);
    let older = messages.last().filter(|_| more).map(|message| message.id);
    Ok(Found { chats, messages, older })
}

/// Parts a text at the marks that the database put round what was found.
pub(super) fn pieces(marked: &str) -> Vec<Piece> {
    let mut found = Vec::new();
    let mut hit = false;
    for part in marked.split_inclusive([store::BEGIN, store::END]) {
        let text = part.trim_end_matches([store::BEGIN, store::END]);
        if !text.is_empty() {
            found.push(Piece { text: text.to_owned(), hit });
        }
        hit = part.ends_with(store::BEGIN);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{Piece, pieces};

    #[test]
    fn marks_part_a_text() {
        let piece = |text: &str, hit| Piece { text: text.into(), hit };
        for (marked, parts) in [
            ("", vec![]),
            ("plain <b>", vec![piece("plain <b>", false)]),
            ("a \u{1}b\u{2} c", vec![piece("a ", false), piece("b", true), piece(" c", false)]),
            ("\u{1}a\u{2}\u{1}b\u{2}", vec![piece("a", true), piece("b", true)]),
            ("\u{2}a\u{1}b", vec![piece("a", false), piece("b", true)]),
        ] {
            assert_eq!(pieces(marked), parts, "{marked:?}");
        }
    }
}
