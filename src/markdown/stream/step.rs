//! What happens to the open block when text has come, by its kind (the kinds share state and are read together,
//! so they stay in one file). Each `step` either freezes something or
//! changes its mind about the kind (and wants to be called again), or shows what may be shown now.

use std::time::Duration;

use super::list::ListState;
use super::pace::Tail;
use super::para::{self, Line, Scan};
use super::shown::Open;
use super::{PATIENCE, Patch, Stream};
use crate::markdown::doc::{Block, Doc, Kind};
use crate::markdown::links::escape;
use crate::markdown::render::{self, Made};

/// Stands before a piece of running text that is parsed by itself: a letter that no address begins with.
const GUARD: char = '漢';

/// The kind of the open block.
pub(super) enum Mode {
    /// Not known.
    Start,
    /// Anything without a better way: parsed and shown as a whole.
    Block(Tail),
    /// Running text; up to where it is shown, and whether more than what is settled is shown.
    Para { scan: Scan, done: usize, ahead: bool, tail: Tail },
    /// An open fence; the next byte to look at, and how much of that line is shown.
    Fence { fence: Fence, at: usize, partial: usize },
    /// A list; where its open item begins, and how many are frozen; up to where it is shown.
    List { start: Option<u64>, item: usize, count: usize, loose: bool, items: Vec<usize>, until: usize, tail: Tail },
    /// A table; where its header and its frozen rows end.
    Table { head: usize, at: usize },
}

impl Mode {
    /// The open block has nothing on the page yet.
    pub(super) fn shows_nothing(&self) -> bool {
        match self {
            Self::Start => true,
            Self::Para { tail, .. } => tail.shown == 0,
            _ => false,
        }
    }
}

/// A fence that is not indented; others are treated as any block.
pub(super) struct Fence {
    mark: u8,
    length: usize,
}

impl Fence {
    /// The fence that the line opens, with its info string.
    fn open(line: &str) -> Option<(Self, &str)> {
        let mark = *line.as_bytes().first().filter(|byte| matches!(byte, b'`' | b'~'))?;
        let info = line.trim_start_matches(char::from(mark));
        let length = line.len() - info.len();
        let good = length >= 3 && (mark != b'`' || !info.contains('`'));
        // Escapes and entities are the parser's business.
        let easy = !info.contains(['\\', '&']);
        (good && easy).then_some((Self { mark, length }, info.trim()))
    }

    /// Whether the line closes the fence, or could when more comes.
    fn closes(&self, line: &str, complete: bool) -> bool {
        let body = line.trim_start_matches(' ');
        let rest = body.trim_start_matches(char::from(self.mark));
        line.len() - body.len() <= 3
            && rest.trim_matches([' ', '\n']).is_empty() // the parser takes no tab there
            && (body.len() - rest.len() >= self.length || (!complete && rest.is_empty()))
    }
}

impl Stream {
    /// One step; true when another may follow at once.
    pub(super) fn step(&mut self, now: Duration, patches: &mut Vec<Patch>) -> bool {
        let mut mode = std::mem::replace(&mut self.mode, Mode::Start);
        let next = match &mut mode {
            Mode::Start => self.start(patches),
            Mode::Block(tail) => self.block(tail, now, patches),
            Mode::Para { scan, done, ahead, tail } => self.para(scan, done, ahead, tail, now, patches),
            Mode::Fence { fence, at, partial } => self.fence(fence, at, partial, patches),
            Mode::List { start, item, count, loose, items, until, tail } => {
                let mut list = ListState { start: *start, item, count, loose, items, until, tail };
                self.list(&mut list, now, patches)
            }
            Mode::Table { head, at } => self.table(*head, at, patches),
        };
        let again = next.is_some();
        self.mode = next.unwrap_or(mode);
        again
    }

    pub(super) fn later(&mut self, now: Duration) {
        self.retry = Some(now.saturating_add(PATIENCE));
    }

    pub(super) fn freeze(&mut self, end: usize, patches: &mut Vec<Patch>) -> Mode {
        self.shown.freeze(&self.text, end, patches);
        Mode::Start
    }

    fn start(&mut self, patches: &mut Vec<Patch>) -> Option<Mode> {
        let from = self.shown.start();
        let region = &self.text[from..];
        let body = region.trim_start_matches([' ', '\t', '\n']);
        if body.is_empty() {
            return None;
        }
        let at = from + region[..region.len() - body.len()].rfind('\n').map_or(0, |newline| newline + 1);
        let line = &self.text[at..];
        let newline = line.find('\n');
        if let Some((fence, info)) = Fence::open(&line[..newline.unwrap_or(line.len())]) {
            let head = render::code_head(render::language(info));
            let at = at + newline? + 1;
            self.shown.show_one(Open::new(head, render::CODE_END, &[1, 0]), patches);
            return Some(Mode::Fence { fence, at, partial: 0 });
        }
        match para::line(line) {
            Line::Wait => None,
            Line::Text => {
                let scan = Scan::new(at);
                Some(Mode::Para { scan, done: at, ahead: false, tail: Tail::default() })
            }
            // A mark or two may become anything.
            Line::Doubtful if newline.is_none() && line.len() < 3 && !self.eager => None,
            Line::Doubtful => Some(Mode::Block(Tail::default())),
        }
    }

    fn block(&mut self, tail: &mut Tail, now: Duration, patches: &mut Vec<Patch>) -> Option<Mode> {
        let from = self.shown.start();
        let region = &self.text[from..];
        let may_show = self.eager || tail.may_show(region.len(), now);
        if !may_show && !tail.may_parse(region) {
            if region.len() > tail.shown {
                self.later(now);
            }
            return None;
        }
        tail.parsed = region.len();
        let doc = Doc::parse_ended(region);
        if let Some(cuts) = final_cuts(&doc) {
            let cuts: Vec<usize> = cuts.into_iter().map(|cut| from + cut).collect();
            for cut in cuts {
                self.freeze(cut, patches);
            }
            return Some(Mode::Start);
        }
        if let [only] = doc.blocks.as_slice()
            && let Some(mode) = special(&doc, only, from)
        {
            return Some(self.enter(mode, patches));
        }
        if !may_show {
            self.later(now);
            return None;
        }
        let made: Vec<Made> = doc.blocks.iter().filter_map(|each| render::block(&doc, each, false, false)).collect();
        let length = region.len();
        let before = patches.len();
        self.shown.show(made, patches);
        tail.did_show(length, bytes(&patches[before..]), now);
        None
    }

    fn enter(&mut self, mode: Mode, patches: &mut Vec<Patch>) -> Mode {
        match &mode {
            Mode::List { start, .. } => {
                let open = Open::new(render::list_head(*start), render::list_end(*start), &[]).with_items(&[]);
                // Its first item follows in the same run.
                self.shown.show_one(open, patches);
            }
            Mode::Table { head, .. } => {
                let header = render::slice(&self.text[self.shown.start()..*head], false).into_iter().next();
                let html = header.map(|made| made.html).unwrap_or_default();
                if let Some(head) = html.strip_suffix(render::TABLE_END) {
                    self.shown.show_one(Open::new(head.to_owned(), render::TABLE_END, &[0, 1]), patches);
                }
            }
            _ => {}
        }
        mode
    }

    fn para(
        &mut self,
        scan: &mut Scan,
        done: &mut usize,
        ahead: &mut bool,
        tail: &mut Tail,
        now: Duration,
        patches: &mut Vec<Patch>,
    ) -> Option<Mode> {
        let from = self.shown.start();
        scan.run(&self.text);
        if let Some(end) = scan.closed {
            return Some(self.freeze(end, patches));
        }
        if !scan.simple {
            return Some(Mode::Block(*tail));
        }
        let length = self.text.len() - from;
        // What comes first is shown as it is, its last word too: a reader waits for it.
        let sight = tail.shown == 0 && !self.eager;
        if !*ahead && !sight && scan.safe > *done {
            let piece = &self.text[*done..scan.safe];
            let first = !self.shown.is_open() || tail.shown == 0;
            let Some(html) = (if first { lone(&self.text[from..scan.safe]) } else { inner(piece) }) else {
                return Some(Mode::Block(*tail));
            };
            if first {
                let open = Open::new(render::PARAGRAPH.to_owned(), "</p>", &[]).with_body(&html);
                self.shown.show_one(open, patches);
            } else {
                self.shown.append(&html, patches);
            }
            *done = scan.safe;
            tail.shown = *done - from;
            tail.at = now;
        }
        let pending = self.text.len() - *done;
        if self.text[*done..].trim_end().is_empty() {
            return None;
        }
        let clean = scan.is_settled() && scan.safe > *done && !sight;
        let quick = *ahead || pending > 80 || sight;
        let waited = now >= tail.at.saturating_add(PATIENCE);
        if !self.eager && (quick || waited) && tail.may_show(length, now) {
            let until = if clean { scan.safe } else { self.text.len() };
            let Some(html) = lone(&self.text[from..until]) else {
                return Some(Mode::Block(*tail));
            };
            let open = Open::new(render::PARAGRAPH.to_owned(), "</p>", &[]).with_body(&html);
            let before = patches.len();
            self.shown.show_one(open, patches);
            tail.did_show(until - from, bytes(&patches[before..]), now);
            let settled = clean || (scan.is_settled() && scan.safe == self.text.trim_end().len());
            *done = if settled { scan.safe } else { self.text.len() };
            *ahead = !settled;
        }
        if !self.text[*done..].trim_end().is_empty() {
            self.later(now);
        }
        None
    }

    fn fence(&mut self, fence: &Fence, at: &mut usize, partial: &mut usize, patches: &mut Vec<Patch>) -> Option<Mode> {
        let mut new = String::new();
        let mut closed = None;
        while let Some(length) = self.text[*at..].find('\n') {
            let line = &self.text[*at..=*at + length];
            if *partial == 0 && fence.closes(line, true) {
                closed = Some(*at + length + 1);
                break;
            }
            escape(&line[*partial..], &mut new);
            *at += length + 1;
            *partial = 0;
        }
        if let Some(end) = closed {
            return Some(self.freeze(end, patches));
        }
        let line = &self.text[*at..];
        if *partial > 0 || !fence.closes(line, false) {
            escape(&line[*partial..], &mut new);
            *partial = line.len();
        }
        self.shown.append(&new, patches);
        None
    }

    fn table(&mut self, head: usize, at: &mut usize, patches: &mut Vec<Patch>) -> Option<Mode> {
        let from = self.shown.start();
        let fresh = &self.text[*at..];
        let length = fresh.rfind('\n').map_or(0, |newline| newline + 1);
        if length == 0 {
            return None;
        }
        let blank = after_blank_line(&fresh[..length]);
        let fresh = &fresh[..blank.unwrap_or(length)];
        let header = &self.text[from..head];
        let both = format!("{header}{fresh}");
        let doc = Doc::parse(&both);
        if let Some(second) = doc.blocks.get(1) {
            // The line that ended it is complete.
            return Some(self.freeze(*at + second.start.saturating_sub(header.len()), patches));
        }
        if let Some(blank) = blank {
            return Some(self.freeze(*at + blank, patches));
        }
        let made = doc.blocks.first().and_then(|only| render::block(&doc, only, false, false));
        let empty = render::slice(header, false).into_iter().next();
        let rows = made.zip(empty).and_then(|(made, empty)| {
            let body = made.html.strip_suffix(render::TABLE_END)?;
            body.strip_prefix(empty.html.strip_suffix(render::TABLE_END)?).map(str::to_owned)
        });
        let Some(rows) = rows else {
            return Some(Mode::Block(Tail::default()));
        };
        self.shown.append(&rows, patches);
        *at += length;
        None
    }
}

/// Whether a line that begins a block or an item will still do so when more of it comes.
pub(super) fn is_definite(kind: Kind, line: &str) -> bool {
    let body = line.trim_start_matches(' ');
    if kind == Kind::Table {
        // Its second line makes it one, and could still have too many columns.
        return line.matches('\n').count() >= 2;
    }
    line.contains('\n')
        || match kind {
            Kind::Paragraph => para::line(body) == Line::Text,
            Kind::List(_) => {
                let marker = body.trim_start_matches(|c: char| c.is_ascii_digit());
                let item = marker.strip_prefix(['-', '*', '+', '.', ')']).unwrap_or_default();
                // Rules and the second line of a table look alike.
                item.starts_with(' ') && !item.trim_start_matches([' ', '\t', '-', '*', '_', '|', ':']).is_empty()
            }
            Kind::Heading => body.starts_with('#') && !body.trim_start_matches('#').trim_start().is_empty(),
            _ => body.starts_with('>'),
        }
}

/// Where the blocks that can no longer change end, if there are any: each ends where the next surely begins.
pub(super) fn final_cuts(doc: &Doc) -> Option<Vec<usize>> {
    let region = doc.source;
    let count = doc.blocks.len();
    let last = doc.blocks.last()?;
    if count == 1 {
        let end = region[last.end..].find('\n').map(|newline| last.end + newline + 1);
        let end = if last.end > 0 && region.as_bytes()[last.end - 1] == b'\n' { Some(last.end) } else { end }?;
        let rest = &region[end..];
        let done = match last.kind {
            Kind::Heading | Kind::Rule => rest.trim().is_empty(),
            Kind::Paragraph => rest.trim().is_empty() && rest.contains('\n'),
            _ => false,
        };
        return done
            .then(|| vec![if last.kind == Kind::Paragraph { end + rest.find('\n').unwrap_or(0) + 1 } else { end }]);
    }
    let open = if is_definite(last.kind, &region[last.start..]) { count - 1 } else { count - 2 };
    let cuts: Vec<usize> = doc.blocks[1..=open].iter().map(|block| block.start).collect();
    (!cuts.is_empty()).then_some(cuts)
}

/// Lists and tables have their own way once their first lines are complete.
fn special(doc: &Doc, block: &Block, from: usize) -> Option<Mode> {
    let region = &doc.source[block.start..];
    let newline = region.find('\n')?;
    match block.kind {
        Kind::List(start) => {
            let item = from + block.start;
            let items = vec![item];
            Some(Mode::List { start, item, count: 0, loose: false, items, until: item, tail: Tail::default() })
        }
        Kind::Table => {
            let head = newline + 1 + region[newline + 1..].find('\n')? + 1;
            let head = from + block.start + head;
            Some(Mode::Table { head, at: head })
        }
        _ => None,
    }
}

pub(super) fn bytes(patches: &[Patch]) -> usize {
    patches.iter().map(|patch| patch.html.len()).sum()
}

/// The inner HTML of a text that is one paragraph.
fn lone(text: &str) -> Option<String> {
    let mut made = render::slice(text, false).into_iter();
    let html = made.next()?.html;
    let body = html.strip_prefix(render::PARAGRAPH)?.strip_suffix("</p>")?;
    made.next().is_none().then(|| body.to_owned())
}

/// The HTML of a piece of running text that follows other text.
fn inner(piece: &str) -> Option<String> {
    if piece.chars().all(|c| c.is_alphanumeric() || matches!(c, ' ' | ',' | '\'')) {
        return Some(piece.to_owned());
    }
    lone(&format!("{GUARD}{piece}"))?.strip_prefix(GUARD).map(str::to_owned)
}

/// Where the first blank line ends (bytes).
fn after_blank_line(text: &str) -> Option<usize> {
    let mut end = 0;
    text.split_inclusive('\n').find_map(|line| {
        end += line.len();
        line.trim().is_empty().then_some(end)
    })
}
