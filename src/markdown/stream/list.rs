//! The open list: its items freeze one by one. An item is parsed as a list by itself; whether the list is
//! loose is carried along, and a list that turns loose is written anew, once.

use std::time::Duration;

use pulldown_cmark::{CodeBlockKind, Event, Tag};

use super::pace::Tail;
use super::shown::Open;
use super::step::{Mode, bytes, final_cuts, is_definite};
use super::{Patch, Stream};
use crate::markdown::doc::{Block, Doc, Kind};
use crate::markdown::render;

/// The parts of `Mode::List`, borrowed.
pub(super) struct ListState<'m> {
    pub start: Option<u64>,
    pub item: &'m mut usize,
    pub count: &'m mut usize,
    pub loose: &'m mut bool,
    /// Where the items begin, the open one included.
    pub items: &'m mut Vec<usize>,
    pub until: &'m mut usize,
    pub tail: &'m mut Tail,
}

impl Stream {
    pub(super) fn list(&mut self, list: &mut ListState, now: Duration, patches: &mut Vec<Patch>) -> Option<Mode> {
        let from = *list.item;
        let region = &self.text[from..];
        let may_show = self.eager || list.tail.may_show(region.len(), now);
        if !may_show && !list.tail.may_parse(region) {
            if region.len() > list.tail.shown {
                self.later(now);
            }
            return None;
        }
        list.tail.parsed = region.len();
        let doc = Doc::parse_ended(region);
        if doc.source.is_empty() {
            // A formula has begun with the item, and nothing of it is known before its end.
            return None;
        }
        let (length, region) = (region.len(), doc.source);
        let Some(first) = doc.blocks.first().filter(|block| matches!(block.kind, Kind::List(_))) else {
            return Some(Mode::Block(Tail::default()));
        };
        if let Some(cuts) = final_cuts(&doc) {
            return Some(self.freeze(from + cuts[0], patches));
        }
        let mut marks = doc.items(first);
        // Where what is surely of this item ends.
        let mut sure = doc.blocks.get(1).map_or(region.len(), |second| second.start);
        if marks.len() > 1 && marks.last().is_some_and(|last| !is_definite(Kind::List(None), &region[*last..])) {
            sure = marks.pop().unwrap_or(sure);
        }
        if marks.len() > 1 {
            let marks: Vec<usize> = marks.into_iter().map(|mark| from + mark).collect();
            for pair in marks.windows(2) {
                self.close_item(list, pair[0], pair[1], patches);
            }
            // What remains is a list of its own from its item on.
            *list.tail = Tail::default();
            return self.list(list, now, patches);
        }
        if !may_show {
            self.later(now);
            return None;
        }
        let text = &region[..sure];
        let doc = Doc::parse(text);
        let block = doc.blocks.first()?;
        let loose = *list.loose || doc.is_loose(block);
        let html = item_html(&doc, block, false, loose)?;
        let before = patches.len();
        if loose && !*list.loose {
            self.loosen(list, patches);
        }
        self.shown.tail(*list.count, html, patches);
        *list.until = from + sure;
        list.tail.did_show(length, bytes(&patches[before..]), now);
        None
    }

    fn close_item(&mut self, list: &mut ListState, from: usize, end: usize, patches: &mut Vec<Patch>) {
        let text = &self.text[from..end];
        let doc = Doc::parse(text);
        let loose = ends_blank(&doc) || doc.blocks.first().is_some_and(|block| doc.is_loose(block));
        if loose && !*list.loose {
            self.loosen(list, patches);
        }
        let (plain, light) = both(&self.text[from..end], *list.loose);
        self.shown.item(*list.count, &plain, light, patches);
        list.items.push(end);
        *list.count += 1;
        *list.item = end;
    }

    /// Writes the list anew, with paragraphs in its items.
    fn loosen(&mut self, list: &mut ListState, patches: &mut Vec<Patch>) {
        *list.loose = true;
        if *list.count == 0 && list.tail.shown == 0 {
            return;
        }
        let mut from = list.items.first().copied().unwrap_or(*list.item);
        let mut items = Vec::new();
        for end in list.items.iter().skip(1) {
            items.push(both(&self.text[from..*end], true));
            from = *end;
        }
        let open = Open::new(render::list_head(list.start), render::list_end(list.start), &[]).with_items(&items);
        self.shown.show_one(open, patches);
    }
}

/// Whether a blank line ends the item, which makes its list loose. One in a fence or in a comment that is still open is
/// part of that.
fn ends_blank(doc: &Doc) -> bool {
    let text = doc.source;
    let last = text.strip_suffix('\n').unwrap_or(text).rfind('\n').map_or(0, |newline| newline + 1);
    let inside = doc.events.iter().any(|(event, range)| {
        let holds = matches!(event, Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(_)) | Tag::HtmlBlock));
        holds && range.end > last
    });
    text[last..].trim().is_empty() && !inside
}

/// An item's slice, plain and highlighted.
fn both(text: &str, loose: bool) -> (String, String) {
    let doc = Doc::parse(text);
    let Some(block) = doc.blocks.first() else {
        return Default::default();
    };
    let plain = item_html(&doc, block, false, loose).unwrap_or_default();
    let code = render::block(&doc, block, false, loose).is_some_and(|made| made.code);
    let light = if code { item_html(&doc, block, true, loose).unwrap_or_default() } else { plain.clone() };
    (plain, light)
}

/// The items of a list block without the list around them.
fn item_html(doc: &Doc, block: &Block, light: bool, loose: bool) -> Option<String> {
    let Kind::List(start) = block.kind else {
        return None;
    };
    let html = render::block(doc, block, light, loose)?.html;
    let body = html.strip_prefix(&render::list_head(start))?.strip_suffix(render::list_end(start))?;
    Some(body.to_owned())
}
