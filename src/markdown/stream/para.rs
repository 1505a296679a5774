//! Running text as it grows: up to where is its inline markup settled whatever follows? Works on characters,
//! looks at each once, and says "not simple" when in doubt; the block is then treated as any other.

use crate::markdown::math::{self, Close};

/// Whether a line that begins so goes on with (or begins) a paragraph.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line {
    Text,
    Doubtful,
    /// Too short to tell.
    Wait,
}

pub(super) fn line(rest: &str) -> Line {
    let mut chars = rest.chars();
    let Some(first) = chars.next() else {
        return Line::Wait;
    };
    match first {
        '0'..='9' => match rest.trim_start_matches(|c: char| c.is_ascii_digit()).chars().next() {
            None => Line::Wait,
            Some('.' | ')') => Line::Doubtful,
            Some(_) => Line::Text,
        },
        '*' => {
            let run = rest.len() - rest.trim_start_matches('*').len();
            match rest[run..].chars().next() {
                None if run <= 2 => Line::Wait,
                Some(c) if run <= 2 && c.is_alphanumeric() => Line::Text,
                _ => Line::Doubtful,
            }
        }
        '`' => match chars.next() {
            None => Line::Wait,
            Some('`') => Line::Doubtful,
            Some(_) => Line::Text,
        },
        '$' | '\\' => match (first, chars.next()) {
            (_, None) => Line::Wait,
            ('$', Some('$')) => Line::Doubtful,
            ('$', _) | (_, Some('(')) => Line::Text,
            _ => Line::Doubtful,
        },
        '(' | ')' | '"' | '\'' | '.' | ',' | ';' | '?' | '%' | '/' | '&' | '{' | '}' => Line::Text,
        c if c.is_alphanumeric() || (!c.is_ascii() && !c.is_whitespace() && !c.is_control()) => Line::Text,
        _ => Line::Doubtful,
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pending {
    Run(char, usize),
    Bracket,
    /// Between the parentheses of a link, with how many are open.
    Target(usize),
}

/// The state at one place of a paragraph. Offsets are absolute.
#[derive(Debug)]
pub(super) struct Scan {
    at: usize,
    previous: char,
    pending: Vec<Pending>,
    /// In a code span, the length of its fence.
    code: usize,
    /// Only letters since the last white space: no address can begin there.
    word_plain: bool,
    /// Everything before is settled.
    pub safe: usize,
    pub simple: bool,
    /// A blank line was seen; the offset behind it.
    pub closed: Option<usize>,
}

impl Scan {
    pub fn new(start: usize) -> Self {
        Self {
            at: start,
            previous: ' ',
            pending: Vec::new(),
            code: 0,
            word_plain: true,
            safe: start,
            simple: true,
            closed: None,
        }
    }

    /// Nothing is open at `safe`, which is as far as was looked, a word apart.
    pub fn is_settled(&self) -> bool {
        self.pending.is_empty() && self.code == 0
    }

    /// Looks at what is new.
    pub fn run(&mut self, text: &str) {
        while self.simple && self.closed.is_none() && self.one(text) {}
    }

    /// One character or run of the same; false when more text is needed.
    fn one(&mut self, text: &str) -> bool {
        let rest = &text[self.at..];
        let mut chars = rest.chars();
        let Some(c) = chars.next() else { return false };
        let Some(next) = chars.next() else {
            // The very last character: only white space is surely that.
            if c == ' ' && !self.previous.is_whitespace() && self.is_settled() {
                self.safe = self.at;
            }
            return false;
        };
        if c.is_whitespace() && !self.previous.is_whitespace() && self.is_settled() {
            self.safe = self.at;
        }
        if self.code == 0
            && let Some(mark) = math::open(text, self.at)
        {
            if mark.is_display() || self.in_target().is_some() {
                self.simple = false;
                return false;
            }
            match math::close(text, self.at + mark.len(), mark) {
                // What stands behind it has a say.
                Close::At(end) if end + mark.len() < text.len() => {
                    self.at = end + mark.len();
                    self.previous = math::COVER;
                    self.word_plain = false;
                    return true;
                }
                Close::At(_) | Close::NotYet => return false,
                Close::Never => {}
            }
        }
        let mut length = c.len_utf8();
        match c {
            '\n' => return self.new_line(text),
            '`' => {
                length = rest.len() - rest.trim_start_matches('`').len();
                if length == rest.len() {
                    return false;
                }
                if self.code == 0 {
                    self.code = length;
                } else if self.code == length {
                    self.code = 0;
                }
            }
            _ if self.code > 0 => {}
            '\\' => {
                if next.is_ascii_punctuation() {
                    length += 1;
                    if chars.next().is_none() {
                        return false;
                    }
                }
                // A hard break, or an escape in an address: rare.
                self.simple &= self.in_target().is_none() && next != '\n';
            }
            '*' | '_' | '~' => {
                let behind = rest.trim_start_matches(c);
                length = rest.len() - behind.len();
                let Some(next) = behind.chars().next() else {
                    return false;
                };
                self.run_of(c, length, next);
            }
            '<' if next.is_ascii_alphabetic() || matches!(next, '/' | '!' | '?') => {
                self.simple = false;
            }
            '[' => self.pending.push(Pending::Bracket),
            ']' => length += self.end_bracket(next),
            '(' | ')' | '"' | '\'' | '<' => self.parenthesis(c),
            _ => {}
        }
        self.word(c);
        self.at += length;
        self.previous = text[..self.at].chars().next_back().unwrap_or(' ');
        true
    }

    fn word(&mut self, c: char) {
        if c.is_whitespace() {
            self.word_plain = true;
        } else if matches!(c, '.' | ':' | '/' | '@' | '&' | '\\' | '`' | '!') {
            self.word_plain = false;
        } else if c >= '\u{e00}' && c.is_alphabetic() && self.word_plain && self.is_settled() {
            // Scripts without spaces: any place between two letters will do.
            self.safe = self.at + c.len_utf8();
        }
    }

    fn new_line(&mut self, text: &str) -> bool {
        let rest = &text[self.at + 1..];
        let trimmed = rest.trim_start_matches([' ', '\t']);
        if let Some(behind) = trimmed.strip_prefix('\n') {
            self.closed = Some(text.len() - behind.len());
            return false;
        }
        match line(trimmed) {
            Line::Wait => return false,
            Line::Doubtful => self.simple = false,
            Line::Text => {}
        }
        self.simple &= self.in_target().is_none();
        self.word_plain = true;
        self.previous = ' ';
        self.at = text.len() - trimmed.len();
        true
    }

    fn in_target(&self) -> Option<usize> {
        match self.pending.last() {
            Some(Pending::Target(open)) => Some(*open),
            _ => None,
        }
    }

    fn parenthesis(&mut self, c: char) {
        let Some(open) = self.in_target() else { return };
        match (c, open) {
            ('(', _) => self.set_target(open + 1),
            (')', 1) => {
                self.pending.pop();
            }
            (')', _) => self.set_target(open - 1),
            _ => self.simple = false,
        }
    }

    fn set_target(&mut self, open: usize) {
        if let Some(last) = self.pending.last_mut() {
            *last = Pending::Target(open);
        }
    }

    /// How many more bytes belong to it.
    fn end_bracket(&mut self, next: char) -> usize {
        match self.pending.last() {
            Some(Pending::Bracket) if next == '(' => {
                self.pending.pop();
                self.pending.push(Pending::Target(1));
                1
            }
            Some(Pending::Bracket) => {
                self.pending.pop();
                0
            }
            None => 0,
            Some(_) => {
                self.simple = false;
                0
            }
        }
    }

    /// A run of `*`, `_` or `~`, by the usual rules for what may open and close.
    fn run_of(&mut self, c: char, length: usize, next: char) {
        let before = self.previous;
        let odd = |c: char| !c.is_ascii() && !c.is_alphanumeric() && !c.is_whitespace();
        let formula = matches!(next, '$' | '\\');
        if formula || self.in_target().is_some() || odd(before) || odd(next) || length > if c == '~' { 2 } else { 3 } {
            self.simple = false;
            return;
        }
        let punctuation = |c: char| c.is_ascii_punctuation();
        let left = !next.is_whitespace() && (!punctuation(next) || before.is_whitespace() || punctuation(before));
        let right = !before.is_whitespace() && (!punctuation(before) || next.is_whitespace() || punctuation(next));
        let (opens, closes) = if c == '_' {
            (left && (!right || punctuation(before)), right && (!left || punctuation(next)))
        } else {
            (left, right)
        };
        if closes && self.pending.last() == Some(&Pending::Run(c, length)) {
            self.pending.pop();
        } else if closes && !self.pending.is_empty() {
            self.simple = false;
        } else if opens {
            self.pending.push(Pending::Run(c, length));
        }
    }
}
