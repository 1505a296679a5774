//! The incremental stream: text in as it comes, changes of the page out. Pure; time is passed in.
//!
//! The text is cut into *slices*, each a top-level block with the white space before it. What is behind a
//! slice that can no longer change is never parsed again; `shown` keeps the books of what readers have;
//! `step` drives the open block by its kind (`para` for running text). All comparisons are of *plain* HTML
//! (without highlighting) by hash, since highlighting depends on nothing but the code.
//!
//! Known exception until `finish`: link definitions and footnotes outside a block are not seen.

mod list;
mod pace;
mod para;
mod shown;
mod step;

#[cfg(test)]
#[path = "../../../fuzz/laws/markdown.rs"]
mod law;

#[cfg(test)]
mod tests;

use std::time::Duration;

use super::render;
use shown::Shown;
use step::Mode;

/// One change below the container of a message's blocks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Patch {
    /// 0-based indices of *element* children from the container down; empty for the container itself.
    pub path: Vec<usize>,
    /// What to do there.
    pub swap: Swap,
    /// The fragment: text, or whole elements. Empty for `Swap::Remove`.
    pub html: String,
}

/// How a patch meets the element at its path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Swap {
    /// As the last children of the element.
    Append,
    /// Instead of the element; the fragment may hold several.
    Replace,
    /// The element goes.
    Remove,
}

/// At most 25 patches a second.
const GAP: Duration = Duration::from_millis(40);
/// A tail that did not grow by a quarter is replaced after this.
const PATIENCE: Duration = Duration::from_secs(1);

/// One answer as it arrives.
pub struct Stream {
    scope: String,
    /// With line ends as `\n`; offsets below are into this.
    text: String,
    /// As it was pushed, when that differs.
    raw: Option<String>,
    after_return: bool,
    shown: Shown,
    mode: Mode,
    /// Bytes of text looked at by the last run.
    seen: usize,
    /// Something known is not shown yet, and the growth rule wants another look then.
    retry: Option<Duration>,
    /// No patch before.
    next: Duration,
    /// Top-level elements handed out by `settled`.
    settled: usize,
    settled_slices: usize,
    finished: bool,
    /// No throttle: every look parses and shows everything (the law is tested so).
    eager: bool,
}

impl Stream {
    /// An empty answer. `scope` prefixes the ids of footnotes, as in [`super::render`].
    #[must_use]
    pub fn new(scope: &str) -> Self {
        Self {
            scope: scope.to_owned(),
            text: String::new(),
            raw: None,
            after_return: false,
            shown: Shown::default(),
            mode: Mode::Start,
            seen: 0,
            retry: None,
            next: Duration::ZERO,
            settled: 0,
            settled_slices: 0,
            finished: false,
            eager: false,
        }
    }

    /// Takes more text. `now` is any monotonic time.
    pub fn push(&mut self, text: &str, now: Duration) -> Vec<Patch> {
        self.take(text);
        if now < self.next && !self.eager { Vec::new() } else { self.run(now) }
    }

    /// When [`Stream::flush`] wants to be called if nothing is pushed before; nothing when all is shown.
    #[must_use]
    pub fn due(&self) -> Option<Duration> {
        if self.finished {
            None
        } else if self.seen < self.text.len() {
            Some(self.next)
        } else {
            self.retry.map(|retry| retry.max(self.next))
        }
    }

    /// Emits what the throttle held back, as far as it is due.
    pub fn flush(&mut self, now: Duration) -> Vec<Patch> {
        let due = self.due().is_some_and(|due| due <= now);
        if due && now >= self.next { self.run(now) } else { Vec::new() }
    }

    /// What a reader has who applied every patch so far: the inner HTML of the container. Rendered on
    /// demand, so that only the text is kept.
    #[must_use]
    pub fn snapshot(&self) -> String {
        if self.finished {
            return render::whole(&self.text, &self.scope, true).into_iter().map(|made| made.html).collect();
        }
        self.shown.html(&self.text)
    }

    /// Turns what was emitted into exactly `render` of the whole text. Nothing may be pushed afterwards.
    pub fn finish(&mut self) -> Vec<Patch> {
        if std::mem::replace(&mut self.finished, true) {
            return Vec::new();
        }
        let (text, scope) = (&self.text, &self.scope);
        let plain = render::whole(text, scope, false);
        let mut light = None;
        let patches = self.shown.settle(&plain, |at| {
            if plain[at].code {
                light.get_or_insert_with(|| render::whole(text, scope, true))[at].html.clone()
            } else {
                plain[at].html.clone()
            }
        });
        self.shown.forget();
        patches
    }

    /// All text pushed so far, byte for byte.
    #[must_use]
    pub fn text(&self) -> &str {
        self.raw.as_deref().unwrap_or(&self.text)
    }

    /// HTML of the top-level blocks that became final since the last call, highlighted. For the page held
    /// open without JavaScript, instead of the patches.
    pub fn settled(&mut self) -> String {
        let (html, elements) = self.shown.frozen_since(self.settled_slices, &self.text);
        self.settled_slices = self.shown.slices();
        self.settled += elements;
        html
    }

    /// The blocks of `render(whole text)` that `settled` has not handed out.
    pub fn settled_rest(&mut self) -> String {
        let made = render::whole(&self.text, &self.scope, true);
        let rest = made.iter().skip(self.settled).map(|made| made.html.as_str()).collect();
        self.settled = self.settled.max(made.len());
        rest
    }

    fn take(&mut self, text: &str) {
        let odd = text.bytes().any(|byte| matches!(byte, b'\r' | b'\0'));
        if odd && self.raw.is_none() {
            self.raw = Some(self.text.clone());
        }
        if let Some(raw) = &mut self.raw {
            raw.push_str(text);
        }
        if !odd && !self.after_return {
            return self.text.push_str(text);
        }
        let rest = if self.after_return { text.strip_prefix('\n').unwrap_or(text) } else { text };
        if !text.is_empty() {
            self.after_return = text.ends_with('\r');
        }
        self.text.push_str(&render::normalise(rest));
    }

    fn run(&mut self, now: Duration) -> Vec<Patch> {
        if self.finished {
            return Vec::new();
        }
        self.retry = None;
        let mut patches = Vec::new();
        while self.step(now, &mut patches) {}
        if self.mode.shows_nothing() {
            // What was shown of a line that turned out to be something else.
            self.shown.drop_from(0, &mut patches);
        }
        self.seen = self.text.len();
        merge(&mut patches);
        if !patches.is_empty() {
            let gap = GAP * u32::try_from(patches.len().min(25)).unwrap_or(25);
            self.next = now.saturating_add(gap);
        }
        patches
    }
}

/// Joins appends to one place.
fn merge(patches: &mut Vec<Patch>) {
    patches.dedup_by(|later, earlier| {
        let same = earlier.swap == Swap::Append && later.swap == Swap::Append && earlier.path == later.path;
        if same {
            earlier.html.push_str(&later.html);
        }
        same
    });
}
