//! A parsed text as top-level blocks with their places in the source. The only file that sets up the parser.

use std::ops::Range;

use pulldown_cmark::{Event, Options, Parser, Tag};

use super::math;
use super::notes::same_case;

/// What the parser says, with places in the source (bytes).
pub(super) type Events<'a> = Vec<(Event<'a>, Range<usize>)>;

/// The events of the dialect without formulas, which [`Doc::parse`] brings in.
pub(super) fn events(source: &str) -> Events<'_> {
    let options =
        Options::ENABLE_TABLES | Options::ENABLE_FOOTNOTES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    Parser::new_ext(source, options).into_offset_iter().collect()
}

/// What a top-level block is, as far as the stream must know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Paragraph,
    Heading,
    Rule,
    List(Option<u64>),
    Table,
    Note,
    Other,
}

pub(super) struct Block {
    pub kind: Kind,
    /// Indices into `Doc::events`.
    pub events: Range<usize>,
    /// Where its first line begins (byte).
    pub start: usize,
    /// Where it ends (byte), maybe before white space.
    pub end: usize,
}

pub(super) struct Doc<'a> {
    pub source: &'a str,
    pub events: Events<'a>,
    pub blocks: Vec<Block>,
    /// Where the line begins on which a formula by itself has begun that has not ended.
    open: Option<usize>,
    #[cfg(test)]
    bare: bool,
}

#[cfg(test)]
thread_local!(static PARSED: std::cell::Cell<usize> = const { std::cell::Cell::new(0) });

/// Bytes that this thread has parsed.
#[cfg(test)]
pub(super) fn parsed() -> usize {
    PARSED.get()
}

impl<'a> Doc<'a> {
    pub fn parse(source: &'a str) -> Self {
        #[cfg(test)]
        PARSED.set(PARSED.get() + source.len());
        let (events, open) = math::parse(source);
        let mut blocks: Vec<Block> = Vec::new();
        let mut depth = 0_usize;
        for (at, (event, range)) in events.iter().enumerate() {
            if depth == 0 {
                let start = line_start(source, range.start);
                blocks.push(Block { kind: kind(event), events: at..at + 1, start, end: range.end });
            }
            match event {
                Event::Start(_) => depth += 1,
                Event::End(_) => depth -= 1,
                _ => {}
            }
            if depth == 0
                && let Some(block) = blocks.last_mut()
            {
                block.events.end = at + 1;
            }
        }
        Self {
            source,
            events,
            blocks,
            open,
            #[cfg(test)]
            bare: false,
        }
    }

    /// The same text up to a formula by itself that has begun and not ended: what is behind that may become anything.
    pub fn parse_ended(source: &'a str) -> Self {
        let doc = Self::parse(source);
        match doc.open {
            Some(open) => Self::parse(&source[..open]),
            None => doc,
        }
    }

    /// The same, to be written before any sanitising: what the dialect is measured by, and nothing else.
    #[cfg(test)]
    pub fn bare(mut self) -> Self {
        self.bare = true;
        self
    }

    /// Whether every link, image and raw tag of the text is written as it is. Never, but in tests of the dialect.
    pub fn is_bare(&self) -> bool {
        #[cfg(test)]
        return self.bare;
        #[cfg(not(test))]
        return false;
    }

    /// The first lines of the items of a list (bytes).
    pub fn items(&self, block: &Block) -> Vec<usize> {
        let mut depth = 0_usize;
        let mut items = Vec::new();
        for (event, range) in &self.events[block.events.clone()] {
            match event {
                Event::Start(tag) => {
                    if depth == 1 && matches!(tag, Tag::Item) {
                        items.push(line_start(self.source, range.start));
                    }
                    depth += 1;
                }
                Event::End(_) => depth -= 1,
                _ => {}
            }
        }
        items
    }

    /// Whether an item of this list holds paragraphs of its own, which makes the list loose.
    pub fn is_loose(&self, block: &Block) -> bool {
        let mut depth = 0_usize;
        self.events[block.events.clone()].iter().any(|(event, _)| {
            let found = depth == 2 && matches!(event, Event::Start(Tag::Paragraph));
            match event {
                Event::Start(_) => depth += 1,
                Event::End(_) => depth -= 1,
                _ => {}
            }
            found
        })
    }

    /// The bodies of the footnotes (event ranges without start and end), by label; the first of a label counts.
    pub fn notes(&self) -> Vec<(String, Range<usize>)> {
        let mut open: Vec<(String, usize)> = Vec::new();
        let mut notes: Vec<(String, Range<usize>)> = Vec::new();
        for (at, (event, _)) in self.events.iter().enumerate() {
            match event {
                Event::Start(Tag::FootnoteDefinition(label)) => {
                    open.push((same_case(label), at + 1));
                }
                Event::End(pulldown_cmark::TagEnd::FootnoteDefinition) => {
                    if let Some((label, from)) = open.pop()
                        && !notes.iter().any(|(known, _)| *known == label)
                    {
                        notes.push((label, from..at));
                    }
                }
                _ => {}
            }
        }
        notes
    }
}

fn kind(event: &Event) -> Kind {
    match event {
        Event::Rule => Kind::Rule,
        Event::Start(Tag::Paragraph) => Kind::Paragraph,
        Event::Start(Tag::Heading { .. }) => Kind::Heading,
        Event::Start(Tag::List(start)) => Kind::List(*start),
        Event::Start(Tag::Table(_)) => Kind::Table,
        Event::Start(Tag::FootnoteDefinition(_)) => Kind::Note,
        _ => Kind::Other,
    }
}

fn line_start(source: &str, at: usize) -> usize {
    source.as_bytes()[..at].iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1)
}
