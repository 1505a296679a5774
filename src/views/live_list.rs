//! What an open page is told when its owner's list changed: what differs, or the list whole. Unlike all else that comes by
//! a feed it is one person's own, and it knows which chat the page shows.

use super::{
    assets, dom,
    feed::{escaped, partial, patch},
    list::{self, Answering, ChatDay, ChatLink},
    text,
};
use crate::base::ids::{ChatId, FolderId};
use std::hash::{DefaultHasher, Hash, Hasher};

/// The beginning of the list: what was not loaded by scrolling.
#[derive(askama::Template)]
#[template(path = "partials/days.html")]
struct Newest<'a> {
    days: &'a [ChatDay],
}

/// One heading of it with its chats.
#[derive(askama::Template)]
#[template(path = "partials/day.html")]
struct Day<'a> {
    day: &'a ChatDay,
}

/// One chat of it.
#[derive(askama::Template)]
#[template(path = "partials/chat_row.html")]
struct Row<'a> {
    chat: &'a ChatLink,
}

/// The link to what is older.
#[derive(askama::Template)]
#[template(path = "partials/older.html")]
struct Older<'a> {
    older: &'a str,
}

/// Where a page's list ends, and what is in it, as the page tells it when it comes to follow.
#[derive(askama::Template)]
#[template(path = "partials/list_stamp.html")]
struct Stamp {
    stamp: String,
}

/// The list as a page has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    days: Vec<KnownDay>,
    upto: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct KnownDay {
    key: String,
    label: String,
    /// Of a folder: whether it is opened, and whether there is more in it.
    folder: Option<(bool, bool)>,
    chats: Vec<KnownChat>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct KnownChat {
    id: ChatId,
    title: u64,
    pinned: bool,
    answering: bool,
}

impl KnownDay {
    /// Whether that row of it is still the same row.
    fn has(&self, row: &KnownChat) -> bool {
        self.chats.iter().any(|chat| (chat.id, chat.pinned) == (row.id, row.pinned))
    }
}

impl Known {
    #[must_use]
    pub fn of(days: &[ChatDay]) -> Self {
        let known = |day: &ChatDay| KnownDay {
            key: day.key.clone(),
            label: day.label.clone(),
            folder: day.folder.map(|folder| (folder.opened, folder.more)),
            chats: day
                .chats
                .iter()
                .map(|c| KnownChat { id: c.id, title: hash(&c.title), pinned: c.pinned, answering: c.answering })
                .collect(),
        };
        Self { days: days.iter().map(known).collect(), upto: list::older(days).map(str::to_owned) }
    }

    /// Equal for equal lists: `END~HASH`, the end being empty when the page has all.
    #[must_use]
    pub fn stamp(&self) -> String {
        format!("{}~{:016x}", self.upto.as_deref().unwrap_or_default(), hash(&self.days))
    }
}

/// The stamp of the list on a page that is rendered whole.
pub(super) fn stamp(days: &[ChatDay]) -> String {
    Stamp { stamp: Known::of(days).stamp() }.to_string()
}

/// The same for every process of this version; another one's only costs a list sent whole.
fn hash(what: &(impl Hash + ?Sized)) -> u64 {
    let mut hasher = DefaultHasher::new();
    what.hash(&mut hasher);
    hasher.finish()
}

/// The list whole. With `cut`, what was loaded by scrolling is to be loaded again.
#[must_use]
pub fn whole(days: &[ChatDay], cut: bool) -> String {
    let mut out = partial(dom::NEWEST, "innerMorph", Newest { days });
    if cut {
        let older = list::older(days);
        let link = older.map_or_else(String::new, |older| Older { older }.to_string());
        out.push_str(&partial(dom::REST, "innerHTML", link));
    }
    out + &partial(dom::LIST_STAMP, "outerHTML", stamp(days))
}

/// A folder as it stands in the list; nothing if it is gone.
#[must_use]
pub fn folder(days: &[ChatDay], id: FolderId) -> String {
    let day = days.iter().find(|day| day.folder.is_some_and(|folder| folder.id == id));
    day.map_or_else(String::new, |day| partial(&dom::day(&day.key), "outerMorph", Day { day }))
}

/// What a page with that list lacks; nothing if it lacks nothing.
#[must_use]
pub fn news(before: &Known, now: &Known, days: &[ChatDay]) -> String {
    if before == now {
        return String::new();
    }
    let same_headings =
        before.days.len() == now.days.len() && before.days.iter().zip(&now.days).all(|(a, b)| a.key == b.key);
    if !same_headings {
        return whole(days, false);
    }
    // first of all what leaves its heading: it may come back under another one, by the same id
    let leaves = |(before, now): (&KnownDay, &KnownDay)| -> String {
        let gone = before.chats.iter().filter(|known| !now.has(known));
        gone.map(|known| partial(&dom::row(known.id), "delete", "")).collect()
    };
    let mut out: String = before.days.iter().zip(&now.days).map(leaves).collect();
    for ((before, now), day) in before.days.iter().zip(&now.days).zip(days) {
        let moved =
            if (&before.label, before.folder) == (&now.label, now.folder) { moves(before, now, day) } else { None };
        let Some((moves, fresh)) = moved else {
            out.push_str(&partial(&dom::day(&day.key), "outerMorph", Day { day }));
            continue;
        };
        out.push_str(&moves);
        for (now, chat) in now.chats.iter().zip(&day.chats).filter(|(now, _)| !fresh.contains(&now.id)) {
            let Some(before) = before.chats.iter().find(|before| before.id == now.id) else { continue };
            if before.title != now.title {
                out.push_str(&partial(&dom::link_title(chat.id), "textContent", escaped(&chat.title)));
            }
            if before.answering != now.answering {
                let mark = if chat.answering { Answering.to_string() } else { String::new() };
                out.push_str(&partial(&dom::link_live(chat.id), "innerHTML", mark));
            }
        }
    }
    out + &partial(dom::LIST_STAMP, "outerHTML", stamp(days))
}

/// More than so many chats of a day that come, go or move: the day is sent whole.
const FEW: usize = 3;

/// What brings the chats of a day that are left into their order, and those that it brings anew; nothing when it would be
/// too much.
fn moves(before: &KnownDay, now: &KnownDay, day: &ChatDay) -> Option<(String, Vec<ChatId>)> {
    let (mut out, mut fresh) = (String::new(), Vec::new());
    let mut order: Vec<ChatId> = before.chats.iter().filter(|known| now.has(known)).map(|known| known.id).collect();
    let mut changes = before.chats.len() - order.len();
    for (at, chat) in day.chats.iter().enumerate() {
        if order.get(at) == Some(&chat.id) {
            continue;
        }
        if let Some(from) = order.iter().position(|id| *id == chat.id) {
            order.remove(from);
        }
        // also where it should not be: the answer to what the reader did may have brought it already
        out.push_str(&partial(&dom::row(chat.id), "delete", ""));
        out.push_str(&match at.checked_sub(1) {
            Some(above) => partial(&dom::row(order[above]), "afterend", Row { chat }),
            None => patch(&format!("#{} .list__rows", dom::day(&day.key)), "afterbegin", Row { chat }),
        });
        order.insert(at, chat.id);
        fresh.push(chat.id);
        changes += 1;
    }
    (changes <= FEW && (now.folder.is_none() || changes == 0)).then_some((out, fresh))
}

#[cfg(test)]
mod tests {
    use super::super::list::ChatLink;
    use super::*;

    type Chat<'a> = (u128, &'a str, bool);

    fn days(parts: &[(&str, &[Chat])]) -> Vec<ChatDay> {
        let link = |&(id, title, answering): &Chat| ChatLink {
            id: ChatId(uuid::Uuid::from_u128(id)),
            title: title.to_owned(),
            current: false,
            answering,
            pinned: false,
        };
        let day = |&(key, chats): &(&str, &[Chat])| ChatDay {
            key: key.to_owned(),
            label: key.to_owned(),
            chats: chats.iter().map(link).collect(),
            older: None,
            folder: None,
        };
        parts.iter().map(day).collect()
    }

    fn told(before: &[ChatDay], now: &[ChatDay]) -> String {
        news(&Known::of(before), &Known::of(now), now)
    }

    #[test]
    fn only_what_differs_is_told() {
        let before = days(&[("today", &[(1, "a", false), (2, "b", false)]), ("week", &[(3, "c", false)])]);
        assert_eq!(told(&before, &before), "");
        let answering = days(&[("today", &[(1, "a", false), (2, "b", true)]), ("week", &[(3, "c", false)])]);
        let out = told(&before, &answering);
        assert!(out.starts_with("<hx-patch hx-target=\"#cl-0") && out.matches("<hx-patch").count() == 2, "{out}");
        assert!(told(&answering, &before).contains("hx-swap=\"innerHTML\"></hx-patch>"), "the mark goes");
        let titled = days(&[("today", &[(1, "a & b", false), (2, "b", false)]), ("week", &[(3, "c", false)])]);
        let out = told(&before, &titled);
        assert!(out.contains("hx-swap=\"textContent\">a &amp; b</hx-patch>"), "{out}");
        // what moved is taken from its place and put into the new one
        let moved = days(&[("today", &[(2, "b", false), (1, "a", false)]), ("week", &[(3, "c", false)])]);
        let out = told(&before, &moved);
        let (taken, put) = ("hx-swap=\"delete\"></hx-patch>", "#day-today .list__rows\" hx-swap=\"afterbegin\"><li");
        assert!(out.contains(taken) && out.contains(put) && out.matches("<hx-patch").count() == 3, "{out}");
        let came = days(&[("today", &[(1, "a", false), (4, "d", true), (2, "b", false)]), ("week", &[])]);
        let out = told(&before, &came);
        assert!(out.contains("hx-swap=\"afterend\"><li") && !out.contains("list__rows"), "behind the one above: {out}");
        assert_eq!(out.matches(taken).count(), 2, "what went, and what comes, which may be there already: {out}");
        // it is put under a heading above only once its old row is gone: both have the same id
        let raised = days(&[("today", &[(3, "c", false), (1, "a", false), (2, "b", false)]), ("week", &[])]);
        let out = told(&before, &raised);
        assert!(out.find(taken) < out.find(put) && out.matches(taken).count() == 2, "{out}");
        // too much of it, or in a folder: the day whole
        let reversed = |n: u128| {
            days(&[("today", &(0..5).map(|i| (if n == 0 { i } else { 4 - i }, "x", false)).collect::<Vec<_>>())])
        };
        let out = told(&reversed(0), &reversed(1));
        assert!(out.starts_with("<hx-patch hx-target=\"#day-today\" hx-swap=\"outerMorph\">"), "{out}");
        // a heading that comes or goes: all of it
        let other = days(&[("today", &[(1, "a", false), (2, "b", false), (3, "c", false)])]);
        assert!(told(&before, &other).starts_with("<hx-patch hx-target=\"#newest-chats\" hx-swap=\"innerMorph\">"));
    }

    #[test]
    fn equal_lists_have_equal_stamps() {
        let one = days(&[("today", &[(1, "a", false)])]);
        let mut current = days(&[("today", &[(1, "a", false)])]);
        current[0].chats[0].current = true;
        assert_eq!(Known::of(&one).stamp(), Known::of(&current).stamp(), "wherever the reader is");
        let other = days(&[("today", &[(1, "a", true)])]);
        assert_ne!(Known::of(&one).stamp(), Known::of(&other).stamp());
        let mut ended = days(&[("today", &[(1, "a", false)])]);
        ended[0].older = Some("17.x".to_owned());
        assert!(Known::of(&ended).stamp().starts_with("17.x~") && Known::of(&one).stamp().starts_with('~'));
    }
}
