//! From chats to the list at the side, by day.

use crate::{
    app::App,
    base::{Result, clock, ids::ChatId},
    domain::{
        accounts::Viewer,
        chats::{
            self, Cursor, Listed, Page, Side,
            folders::{Folder, Shelf},
        },
    },
    views::{self, ChatDay, ChatLink, FolderHead, text},
};
use time::{Duration, OffsetDateTime, UtcOffset};

/// The list at the side, by the reader's days, what is pinned on top.
pub async fn days(app: &App, viewer: &Viewer, current: Option<ChatId>) -> Result<Vec<ChatDay>> {
    let side = chats::side(app, viewer).await?;
    Ok(with_folders(&side.folders, by_day(side.page, current, None, viewer.zone), current))
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
pub fn grown_days(side: &Side, upto: Option<Cursor>, current: Option<ChatId>, zone: UtcOffset) -> Vec<ChatDay> {
    let page = &side.page;
    let within = |chat: &&Listed| chat.pinned || upto.is_none_or(|upto| chat.cursor() >= upto);
    let chats = page.chats.iter().filter(within).cloned().collect();
    with_folders(&side.folders, by_day(Page { chats, older: page.older.or(upto) }, current, None, zone), current)
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
    let mut above = after.map(|at| day_name(now, at).0);
    let mut days: Vec<ChatDay> = Vec::new();
    for chat in page.chats {
        let (key, label) =
            if chat.pinned { (PINNED.to_owned(), views::pinned()) } else { day_name(now, chat.active_at) };
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

/// A day as the list has it, by the clock that says `now`: its name for machines, and for people.
fn day_name(now: OffsetDateTime, at: OffsetDateTime) -> (String, String) {
    let (today, day) = (now.date(), at.to_offset(now.offset()).date());
    if day >= today {
        ("today".into(), text::TODAY.into())
    } else if day >= today - Duration::DAY {
        ("yesterday".into(), text::YESTERDAY.into())
    } else if day >= today - Duration::WEEK {
        ("week".into(), text::LAST_WEEK.into())
    } else {
        (format!("{}-{}", day.year(), u8::from(day.month())), text::month(day))
    }
}

#[cfg(test)]
mod tests {
    use super::day_name;
    use time::macros::{datetime, offset};

    #[test]
    fn days_have_names() {
        let now = datetime!(2026-11-20 12:00 UTC);
        for (at, key, label) in [
            (datetime!(2026-11-20 00:00 UTC), "today", "Today"),
            (datetime!(2026-11-19 23:59 UTC), "yesterday", "Yesterday"),
            (datetime!(2026-11-14 12:00 UTC), "week", "Previous 7 days"),
            (datetime!(2026-10-02 12:00 UTC), "2026-10", "October 2026"),
        ] {
            assert_eq!(day_name(now, at), (key.to_owned(), label.to_owned()));
        }
        // in Tokyo it is tomorrow already, in Los Angeles still yesterday
        let late = datetime!(2026-11-20 20:00 UTC);
        assert_eq!(day_name(late.to_offset(offset!(+9)), now).0, "yesterday");
        assert_eq!(day_name(datetime!(2026-11-21 02:00 UTC).to_offset(offset!(-8)), now).0, "today");
    }
}
