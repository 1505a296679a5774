//! How often the open tail may be parsed and shown anew, so that work and bytes grow with the text.

use std::time::Duration;

use super::PATIENCE;

/// Blocks up to this size (bytes) are parsed at each new line; larger ones when they grew by a sixteenth.
const SMALL: usize = 4096;
/// A tail that cost this many times its text (bytes) is shown again only when it has doubled.
const BUDGET: usize = 5;

/// How far the open tail was parsed and shown.
#[derive(Clone, Copy, Default)]
pub(super) struct Tail {
    pub parsed: usize,
    pub shown: usize,
    pub at: Duration,
    /// Bytes of HTML in all, and the last time.
    spent: usize,
    cost: usize,
}

impl Tail {
    /// Whether it may be shown again: it grew by a quarter or a second passed, as long as it was cheap so far.
    pub fn may_show(&self, length: usize, now: Duration) -> bool {
        let cheap = self.spent + self.cost <= BUDGET * length;
        let grown = length >= self.shown + (self.shown / 4).max(1);
        let waited = length > self.shown && now >= self.at.saturating_add(PATIENCE);
        (cheap && (grown || waited)) || length >= 2 * self.shown
    }

    /// It was shown, with this many bytes of HTML.
    pub fn did_show(&mut self, length: usize, bytes: usize, now: Duration) {
        self.shown = length;
        self.at = now;
        self.spent += bytes;
        self.cost = bytes;
    }

    /// Whether it is worth a look for blocks that have ended: a new line has come.
    pub fn may_parse(&self, region: &str) -> bool {
        self.parsed == 0
            || (region.len() > self.parsed
                && (region.len() <= SMALL || region.len() - self.parsed >= region.len() / 16)
                && region.as_bytes()[self.parsed..].contains(&b'\n'))
    }
}
