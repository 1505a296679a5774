//! From chats to the list at the side, by day.

use crate::{
    app::App,
    base::{Result, clock, ids::ChatId},
    domain::{
        accounts::Viewer,
        chats::{
            self, Cursor, Listed, Page,
            folders::{self, Folder, Shelf},
        },
    },
    views::{self, ChatDay, ChatLink, FolderHead},
};
use time::{OffsetDateTime, UtcOffset};

/// The list at the side, by the reader's days, what is pinned on top.
pub async fn days(app: &App, viewer: &Viewer, current: Option<ChatId>) -> Result<Vec<ChatDay>> {
    let shelves = folders::shelves(app, viewer).await?;
    Ok(with_folders(&shelves, by_day(chats::shelf(app, viewer).await?, current, None, viewer.zone), current))
}

/// How the list goes on after an entry. Its first heading is left out if it stands above that entry already.
pub async fn more_days(app: &App, viewer: &Viewer, after: Cursor, current: Option<ChatId>) -> Result<Vec<ChatDay>> {
    let mut days = by_day(chats::older(app, viewer, after).await?, current, Some(after.at), viewer.zone);
    for day in &mut days {
        day.key.clear();
    }
    Ok(days)
}

/// The list of a page that was opened a while ago, down to the entry that it ended with.
pub fn grown_days(
    shelves: &[Shelf],
    page: &Page,
    upto: Option<Cursor>,
    current: Option<ChatId>,
    zone: UtcOffset,
) -> Vec<ChatDay> {
    let within = |chat: &&Listed| chat.pinned || upto.is_none_or(|upto| chat.cursor() >= upto);
    let chats = page.chats.iter().filter(within).cloned().collect();
    with_folders(shelves, by_day(Page { chats, older: page.older.or(upto) }, current, None, zone), current)
}

/// Folders stand below what is pinned and above the days.
fn with_folders(shelves: &[Shelf], mut days: Vec<ChatDay>, current: Option<ChatId>) -> Vec<ChatDay> {
    let above = usize::from(days.first().is_some_and(|day| day.key == PINNED));
    // where the list goes on is said by its last part
    let older = days.last_mut().and_then(|day| day.older.take());
    days.splice(above..above, shelves.iter().map(|shelf| folder(shelf, current)));
    if let Some(last) = days.last_mut() {
        last.older = older;
    }
    days
}

fn folder(shelf: &Shelf, current: Option<ChatId>) -> ChatDay {
    let Folder { id, name, opened } = shelf.folder.clone();
    ChatDay {
        key: format!("folder-{id}"),
        label: name,
        chats: shelf.chats.iter().map(|chat| link(chat.clone(), current)).collect(),
        older: None,
        folder: Some(FolderHead { id, opened, more: shelf.more }),
    }
}

fn link(chat: Listed, current: Option<ChatId>) -> ChatLink {
    let Listed { id, title, answering, pinned, .. } = chat;
    ChatLink { id, title, current: Some(id) == current, answering, pinned }
}

const PINNED: &str = "pinned";

fn by_day(page: Page, current: Option<ChatId>, after: Option<OffsetDateTime>, zone: UtcOffset) -> Vec<ChatDay> {
    let now = clock::now().to_offset(zone);
    let mut above = after.map(|at| views::text::day_of(now, at).0);
    let mut days: Vec<ChatDay> = Vec::new();
    for chat in page.chats {
        let (key, label) =
            if chat.pinned { (PINNED.to_owned(), views::pinned()) } else { views::text::day_of(now, chat.active_at) };
        let link = link(chat, current);
        match days.last_mut() {
            Some(day) if above.as_ref() == Some(&key) => day.chats.push(link),
            _ => {
                let known = days.is_empty() && above.as_ref() == Some(&key);
                let label = if known { String::new() } else { label };
                days.push(ChatDay { key: key.clone(), label, chats: vec![link], older: None, folder: None });
                above = Some(key);
            }
        }
    }
    if let (Some(last), Some(older)) = (days.last_mut(), page.older) {
        last.older = Some(older.to_string());
    }
    days
}
