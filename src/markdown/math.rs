//! Where formulas stand in a text: `$…$` and `\(…\)` in a line, `$$…$$` and `\[…\]` by themselves. Knows delimiters, not
//! LaTeX.
//!
//! Markdown must not read formulas (`_`, `*`, `\\`, a line that begins with `-` or is `=`), and its parser knows only
//! two of the four kinds. So formulas are found first and covered by bytes that mean nothing, each by one, the rest is
//! parsed, and then they are put back at their places.
//!
//! The rules for `$` are Pandoc's, so that prices stay prices: no white space behind the first and before the last, no
//! digit behind the last; and besides none of the letters and digits of ASCII before the first. Code goes first.

use std::ops::Range;

use memchr::memmem;
use pulldown_cmark::{Event, LinkType, Tag, TagEnd};

use super::doc::{Events, events};

/// A formula in a line is no longer than this (bytes), one by itself no longer than that.
const INLINE_MAX: usize = 512;
const DISPLAY_MAX: usize = 4096;

/// Covers formulas: no white space, no punctuation, and no part of any markup.
pub(super) const COVER: char = '\u{1}';

#[cfg(test)]
thread_local!(static SEEN: std::cell::Cell<usize> = const { std::cell::Cell::new(0) });

/// Bytes that this thread has looked at for the ends of formulas.
#[cfg(test)]
pub(super) fn seen() -> usize {
    SEEN.get()
}

/// What a formula is written between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    /// `$…$`
    Dollar,
    /// `\(…\)`
    Round,
    /// `$$…$$`
    Dollars,
    /// `\[…\]`
    Square,
}

impl Mark {
    /// Bytes of either delimiter.
    pub fn len(self) -> usize {
        if self == Self::Dollar { 1 } else { 2 }
    }

    fn end(self) -> &'static [u8] {
        match self {
            Self::Dollar => b"$",
            Self::Round => b"\\)",
            Self::Dollars => b"$$",
            Self::Square => b"\\]",
        }
    }

    pub fn is_display(self) -> bool {
        matches!(self, Self::Dollars | Self::Square)
    }
}

/// How a formula that has begun ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Close {
    /// The closing delimiter begins here (bytes).
    At(usize),
    /// Not in this text, but more of it may come.
    NotYet,
    Never,
}

/// The formula that begins at this place, if one may.
pub(super) fn open(text: &str, at: usize) -> Option<Mark> {
    let rest = text.as_bytes().get(at..)?;
    if !matches!(rest.first(), Some(b'$' | b'\\')) || is_escaped(text, at) {
        return None;
    }
    match rest {
        [b'\\', b'(', ..] => Some(Mark::Round),
        [b'\\', b'[', ..] => Some(Mark::Square),
        [b'$', b'$', ..] => Some(Mark::Dollars),
        [b'$', ..] => {
            let next = text[at + 1..].chars().next()?;
            let glued = text.as_bytes()[..at].last().is_some_and(u8::is_ascii_alphanumeric);
            (!next.is_whitespace() && !glued).then_some(Mark::Dollar)
        }
        _ => None,
    }
}

/// Where the formula with this mark, whose inside begins at `from`, ends.
pub(super) fn close(text: &str, from: usize, mark: Mark) -> Close {
    let bytes = text.as_bytes();
    let max = if mark.is_display() { DISPLAY_MAX } else { INLINE_MAX };
    // The far end is looked for quickly first: a text may begin a thousand formulas and end none.
    let far = from + max + mark.len();
    if mark.is_display() && far <= bytes.len() && memmem::find(&bytes[from..far], mark.end()).is_none() {
        return Close::Never;
    }
    let mut at = from;
    let mut line_is_blank = false;
    while let Some(&byte) = bytes.get(at) {
        #[cfg(test)]
        SEEN.set(SEEN.get() + 1);
        if at - from > max {
            return Close::Never;
        }
        match (byte, mark) {
            (b'\n' | b'`', Mark::Dollar | Mark::Round) => return Close::Never,
            (b'\n', _) if line_is_blank => return Close::Never,
            (b'\n', _) => line_is_blank = true,
            (b' ' | b'\t' | b'>', _) => {}
            (b'\\', _) => {
                line_is_blank = false;
                match (bytes.get(at + 1), mark) {
                    (Some(b')'), Mark::Round) | (Some(b']'), Mark::Square) => return end(text, from, at),
                    (Some(b'\n') | None, _) => {}
                    _ => at += 1,
                }
            }
            (b'$', Mark::Dollar) => {
                let tight = at > from && text[from..at].chars().next_back().is_some_and(|c| !c.is_whitespace());
                let free = bytes.get(at + 1).is_none_or(|next| !next.is_ascii_digit() && *next != b'$');
                return if tight && free { Close::At(at) } else { Close::Never };
            }
            (b'$', Mark::Dollars) if bytes.get(at + 1) == Some(&b'$') => return end(text, from, at),
            _ => line_is_blank = false,
        }
        at += 1;
    }
    Close::NotYet
}

/// A formula with nothing in it is none.
fn end(text: &str, from: usize, at: usize) -> Close {
    if text[from..at].trim().is_empty() { Close::Never } else { Close::At(at) }
}

/// Whether an odd number of backslashes stands before.
fn is_escaped(text: &str, at: usize) -> bool {
    text.as_bytes()[..at].iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 1
}

/// A formula with its delimiters.
struct Span {
    mark: Mark,
    range: Range<usize>,
    /// `>` of the quotes that it stands in.
    quotes: usize,
}

impl Span {
    fn tex(&self, source: &str) -> String {
        let inside = &source[self.range.start + self.mark.len()..self.range.end - self.mark.len()];
        let mut lines = inside.split('\n');
        let first = lines.next().unwrap_or_default().to_owned();
        lines.fold(first, |tex, line| tex + "\n" + &line[prefix(line, self.quotes)..])
    }
}

/// Bytes of white space and at most this many `>` that a line begins with.
fn prefix(line: &str, quotes: usize) -> usize {
    let mut left = quotes;
    let belongs = |byte: &u8| match *byte {
        b' ' | b'\t' => true,
        b'>' if left > 0 => {
            left -= 1;
            true
        }
        _ => false,
    };
    line.bytes().take_while(belongs).count()
}

/// The events of the source with its formulas among them; and where the line begins on which a formula by itself has
/// begun that more text may still end.
pub(super) fn parse(source: &str) -> (Events<'_>, Option<usize>) {
    let plain = events(source);
    if !source.contains('$') && !source.contains("\\(") && !source.contains("\\[") {
        return (plain, None);
    }
    // Formulas on lines of their own go first: what those lines begin with must make no lists and no headings.
    let (mut spans, open) = on_lines(source, &plain);
    if spans.is_empty() {
        in_lines(source, &plain, &mut spans);
    } else {
        let covered = cover(source, &spans);
        in_lines(&covered, &events(&covered), &mut spans);
    }
    if spans.is_empty() {
        return (plain, open);
    }
    (uncover(source, &cover(source, &spans), &spans).unwrap_or(plain), open)
}

/// Formulas by themselves that a line begins with, outside code, raw HTML and tables.
fn on_lines(source: &str, plain: &Events) -> (Vec<Span>, Option<usize>) {
    let mut literal = plain.iter().filter_map(|(event, range)| {
        matches!(event, Event::Start(Tag::CodeBlock(_) | Tag::HtmlBlock | Tag::Table(_))).then_some(range.clone())
    });
    let mut next = literal.next();
    let mut spans: Vec<Span> = Vec::new();
    let mut at = 0;
    while at < source.len() {
        let end = source[at..].find('\n').map_or(source.len(), |newline| at + newline + 1);
        let (inset, quotes) = inset(&source[at..end]);
        let start = at + inset;
        while next.as_ref().is_some_and(|range| range.end <= start) {
            next = literal.next();
        }
        if matches!(&source[start..], "$" | "\\") {
            return (spans, Some(at)); // half a delimiter
        }
        let is_literal = next.as_ref().is_some_and(|range| range.contains(&start));
        if let Some(mark) = open(source, start).filter(|mark| mark.is_display() && !is_literal) {
            match close(source, start + mark.len(), mark) {
                Close::At(close) => {
                    let range = start..close + mark.len();
                    at = source[range.end..].find('\n').map_or(source.len(), |newline| range.end + newline + 1);
                    spans.push(Span { mark, range, quotes });
                    continue;
                }
                Close::NotYet => return (spans, Some(at)),
                Close::Never => {}
            }
        }
        at = end;
    }
    (spans, None)
}

/// Bytes of white space, quotes and list markers that a line begins with, and how many quotes that are.
fn inset(line: &str) -> (usize, usize) {
    let mut quotes = 0;
    let mut rest = line;
    loop {
        rest = rest.trim_start_matches([' ', '\t']);
        if let Some(behind) = rest.strip_prefix('>') {
            quotes += 1;
            rest = behind;
            continue;
        }
        let digits = rest.trim_start_matches(|c: char| c.is_ascii_digit());
        let marker = if digits.len() < rest.len() {
            digits.strip_prefix(['.', ')'])
        } else {
            rest.strip_prefix(['-', '*', '+'])
        };
        match marker.filter(|behind| behind.starts_with([' ', '\t'])) {
            Some(behind) => rest = behind,
            None => return (line.len() - rest.len(), quotes),
        }
    }
}

/// Formulas in running text: each in one paragraph, heading, item or cell.
fn in_lines(text: &str, plain: &Events, spans: &mut Vec<Span>) {
    let mut literal = false;
    let mut words: Vec<Range<usize>> = Vec::new();
    for (event, range) in plain {
        match event {
            Event::Text(_) if !literal => words.push(range.clone()),
            Event::Start(Tag::Link { link_type: LinkType::Autolink | LinkType::Email, .. }) => literal = true,
            Event::End(TagEnd::Link) => literal = false,
            Event::Start(Tag::Emphasis | Tag::Strong | Tag::Strikethrough | Tag::Link { .. } | Tag::Image { .. })
            | Event::End(TagEnd::Emphasis | TagEnd::Strong | TagEnd::Strikethrough | TagEnd::Image) => {}
            Event::Start(_) | Event::End(_) => {
                literal = matches!(event, Event::Start(Tag::CodeBlock(_) | Tag::HtmlBlock));
                in_words(text, &std::mem::take(&mut words), spans);
            }
            _ => {}
        }
    }
    spans.sort_by_key(|span| span.range.start);
}

/// Formulas that begin in one of these pieces of running text and end before the last of them does.
fn in_words(text: &str, words: &[Range<usize>], spans: &mut Vec<Span>) {
    let Some(last) = words.last() else { return };
    let text = &text[..last.end];
    let mut behind = 0;
    for piece in words {
        // An escape is a piece of its own, without its backslash.
        let mut at = if text[..piece.start].ends_with('\\') { piece.start - 1 } else { piece.start };
        while let Some(step) = text.get(at.max(behind)..piece.end).and_then(|rest| rest.find(['$', '\\'])) {
            at = at.max(behind) + step;
            let found = open(text, at).map(|mark| (mark, close(text, at + mark.len(), mark)));
            if let Some((mark, Close::At(close))) = found {
                behind = close + mark.len();
                spans.push(Span { mark, range: at..behind, quotes: usize::MAX });
            }
            at += found.map_or(1, |(mark, _)| mark.len());
        }
    }
}

/// The text with its formulas covered, byte for byte, but for what their lines begin with.
fn cover(source: &str, spans: &[Span]) -> String {
    let mut covered = String::with_capacity(source.len());
    let mut behind = 0;
    for span in spans {
        covered.push_str(&source[behind..span.range.start]);
        for (number, line) in source[span.range.clone()].split('\n').enumerate() {
            let kept = if number == 0 { 0 } else { prefix(line, span.quotes) };
            if number > 0 {
                covered.push('\n');
            }
            covered.push_str(&line[..kept]);
            covered.extend(std::iter::repeat_n(COVER, line.len() - kept));
        }
        behind = span.range.end;
    }
    covered + &source[behind..]
}

/// The events of the covered text with the formulas at their places; nothing if one of them is not found.
fn uncover(source: &str, covered: &str, spans: &[Span]) -> Option<Events<'static>> {
    let mut found = Vec::new();
    let mut left = spans.iter().peekable();
    let mut behind = 0;
    for (event, range) in events(covered) {
        if !matches!(event, Event::Text(_) | Event::SoftBreak) || range.is_empty() {
            found.push((event.into_static(), range));
            continue;
        }
        let mut at = range.start.max(behind);
        while let Some(span) = left.next_if(|span| range.contains(&span.range.start)) {
            if span.range.start > at {
                found.push((Event::Text(source[at..span.range.start].to_owned().into()), at..span.range.start));
            }
            let tex = span.tex(source).into();
            let event = if span.mark.is_display() { Event::DisplayMath(tex) } else { Event::InlineMath(tex) };
            found.push((event, span.range.clone()));
            behind = span.range.end;
            at = behind.min(range.end);
        }
        if at == range.start {
            found.push((event.into_static(), range));
        } else if at < range.end {
            found.push((Event::Text(source[at..range.end].to_owned().into()), at..range.end));
        }
    }
    left.peek().is_none().then_some(found)
}
