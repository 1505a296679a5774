//! The books of what readers have: which slices are frozen, and the elements of the open block. Writes the
//! patches that lead from there to what is wanted. Knows nothing of time.

use super::{Patch, Swap};
use crate::markdown::render::{self, Made};

/// FNV-1a, over bytes in any pieces.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Hash(u64);

impl Hash {
    pub fn of(text: &str) -> Self {
        Self(0xcbf2_9ce4_8422_2325).with(text)
    }

    pub fn with(self, text: &str) -> Self {
        Self(text.bytes().fold(self.0, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)))
    }
}

/// One element of the open block as readers have it: `head body tail end`.
pub(super) struct Open {
    head: String,
    body: String,
    /// The open item of a list.
    tail: String,
    end: &'static str,
    /// From the element to where the body stands.
    inner: &'static [usize],
    /// Of head and body without highlighting.
    hash: Hash,
    /// Code in the body is highlighted already (that in the tail is not).
    light: bool,
}

impl Open {
    pub fn new(head: String, end: &'static str, inner: &'static [usize]) -> Self {
        let hash = Hash::of(&head);
        Self { head, body: String::new(), tail: String::new(), end, inner, hash, light: false }
    }

    /// An element as a whole, plain.
    pub fn whole(html: String) -> Self {
        Self::new(html, "", &[])
    }

    /// With a list's items in place.
    pub fn with_items(mut self, items: &[(String, String)]) -> Self {
        self.light = true;
        for (plain, light) in items {
            self.add(plain, light);
        }
        self
    }

    pub fn with_body(mut self, body: &str) -> Self {
        self.add(body, body);
        self
    }

    fn add(&mut self, plain: &str, light: &str) {
        self.hash = self.hash.with(plain);
        self.body.push_str(light);
    }

    fn html(&self) -> String {
        [&self.head, &self.body, &self.tail, self.end].concat()
    }

    /// Whether all code in it is highlighted; an open item's never is.
    fn is_light(&self) -> bool {
        self.light && !self.tail.contains("<figure")
    }

    fn plain_hash(&self) -> Hash {
        self.hash.with(&self.tail).with(self.end)
    }

    /// What has to be added to its body for it to become this, if that is all. The end of a block comes at its own pace;
    /// a long one is not sent again for that.
    fn lacks<'a>(&self, made: &'a Made) -> Option<&'a str> {
        let plain = !made.code && self.tail.is_empty() && !self.body.is_empty();
        let body = if plain { made.html.strip_prefix(&self.head)?.strip_suffix(self.end)? } else { return None };
        body.strip_prefix(&self.body)
    }

    /// The patch that adds to the body of the element at this place.
    fn more(&self, at: usize, html: &str) -> Patch {
        let path = std::iter::once(at).chain(self.inner.iter().copied()).collect();
        Patch { path, swap: Swap::Append, html: html.to_owned() }
    }
}

#[derive(Default)]
pub(super) struct Shown {
    /// Where each frozen slice ends (bytes), and how many elements are frozen with it.
    slices: Vec<(usize, usize)>,
    /// Plain hashes of the frozen elements.
    frozen: Vec<Hash>,
    open: Vec<Open>,
}

impl Shown {
    /// Where the open block begins.
    pub fn start(&self) -> usize {
        self.slices.last().map_or(0, |(end, _)| *end)
    }

    pub fn slices(&self) -> usize {
        self.slices.len()
    }

    pub fn is_open(&self) -> bool {
        !self.open.is_empty()
    }

    /// Everything readers have.
    pub fn html(&self, text: &str) -> String {
        let (mut html, _) = self.frozen_since(0, text);
        for open in &self.open {
            html.push_str(&open.html());
        }
        html
    }

    /// The HTML of the frozen slices from the `from`th on, and how many elements they are.
    pub fn frozen_since(&self, from: usize, text: &str) -> (String, usize) {
        let mut html = String::new();
        let mut at = from.checked_sub(1).map_or(0, |before| self.slices[before].0);
        for (end, _) in &self.slices[from..] {
            html.extend(render::slice(&text[at..*end], true).into_iter().map(|made| made.html));
            at = *end;
        }
        let before = from.checked_sub(1).map_or(0, |before| self.slices[before].1);
        (html, self.frozen.len() - before)
    }

    /// The open block becomes these elements, plain.
    pub fn show(&mut self, wanted: Vec<Made>, patches: &mut Vec<Patch>) {
        let count = wanted.len();
        for (at, made) in wanted.into_iter().enumerate() {
            let same = self.open.get(at).is_some_and(|open| !open.light && open.plain_hash() == Hash::of(&made.html));
            if !same {
                self.put(at, Open::whole(made.html), patches);
            }
        }
        self.drop_from(count, patches);
    }

    /// The open block becomes this one element.
    pub fn show_one(&mut self, open: Open, patches: &mut Vec<Patch>) {
        let same =
            self.open.first().is_some_and(|old| old.light == open.light && old.plain_hash() == open.plain_hash());
        if same {
            self.open[0] = open;
        } else {
            self.put(0, open, patches);
        }
        self.drop_from(1, patches);
    }

    fn put(&mut self, at: usize, open: Open, patches: &mut Vec<Patch>) {
        let html = open.html();
        if at < self.open.len() {
            patches.push(Patch { path: vec![self.frozen.len() + at], swap: Swap::Replace, html });
            self.open[at] = open;
        } else {
            patches.push(Patch { path: Vec::new(), swap: Swap::Append, html });
            self.open.push(open);
        }
    }

    pub fn drop_from(&mut self, count: usize, patches: &mut Vec<Patch>) {
        while self.open.len() > count {
            self.open.pop();
            let path = vec![self.frozen.len() + self.open.len()];
            patches.push(Patch { path, swap: Swap::Remove, html: String::new() });
        }
    }

    /// More at the end of the body of the open element (which has no tail).
    pub fn append(&mut self, html: &str, patches: &mut Vec<Patch>) {
        let base = self.frozen.len();
        if let Some(open) = self.open.first_mut().filter(|_| !html.is_empty()) {
            open.add(html, html);
            patches.push(open.more(base, html));
        }
    }

    /// The open item, the `at`th of the open list, looks like this now.
    pub fn tail(&mut self, at: usize, html: String, patches: &mut Vec<Patch>) {
        let base = self.frozen.len();
        let Some(open) = self.open.first_mut().filter(|open| open.tail != html) else {
            return;
        };
        let patch = if open.tail.is_empty() {
            Patch { path: vec![base], swap: Swap::Append, html: html.clone() }
        } else {
            Patch { path: vec![base, at], swap: Swap::Replace, html: html.clone() }
        };
        patches.push(patch);
        open.tail = html;
    }

    /// The `at`th item of the open list is final.
    pub fn item(&mut self, at: usize, plain: &str, light: String, patches: &mut Vec<Patch>) {
        self.tail(at, light, patches);
        if let Some(open) = self.open.first_mut() {
            let tail = std::mem::take(&mut open.tail);
            open.add(plain, &tail);
        }
    }

    /// The text up to `end` will not change: its elements are shown as they stay.
    pub fn freeze(&mut self, text: &str, end: usize, patches: &mut Vec<Patch>) {
        let slice = &text[self.start()..end];
        let plain = render::slice(slice, false);
        let mut light = None;
        for (at, made) in plain.iter().enumerate() {
            let hash = Hash::of(&made.html);
            let same =
                self.open.get(at).is_some_and(|open| (open.is_light() || !made.code) && open.plain_hash() == hash);
            let more = self.open.get(at).and_then(|open| Some(open.more(self.frozen.len() + at, open.lacks(made)?)));
            if let Some(more) = more.filter(|_| !same) {
                patches.push(more);
            } else if !same {
                let html = if made.code {
                    light.get_or_insert_with(|| render::slice(slice, true))[at].html.clone()
                } else {
                    made.html.clone()
                };
                self.put(at, Open::whole(html), patches);
            }
        }
        self.open.drain(..plain.len());
        self.frozen.extend(plain.iter().map(|made| Hash::of(&made.html)));
        self.slices.push((end, self.frozen.len()));
    }

    /// From what readers have to `wanted` (plain); `html` gives the final HTML of one of them.
    pub fn settle(&self, wanted: &[Made], mut html: impl FnMut(usize) -> String) -> Vec<Patch> {
        // Per element: its plain hash, and whether its code is highlighted.
        let had: Vec<(Hash, bool)> = (self.frozen.iter().map(|hash| (*hash, true)))
            .chain(self.open.iter().map(|open| (open.plain_hash(), open.is_light())))
            .collect();
        let same = |old: &(Hash, bool), new: &Made| old.0 == Hash::of(&new.html) && (old.1 || !new.code);
        let (old_len, new_len) = (had.len(), wanted.len());
        let mut first = had.iter().zip(wanted).take_while(|(old, new)| same(old, new)).count();
        let mut last = 0;
        while last < old_len.min(new_len) - first && same(&had[old_len - 1 - last], &wanted[new_len - 1 - last]) {
            last += 1;
        }
        if old_len == first + last && last > 0 && new_len > old_len {
            // Something new between two that stay: one of them is replaced together with it.
            if first > 0 { first -= 1 } else { last -= 1 }
        }
        let (old_end, new_end) = (old_len - last, new_len - last);
        let mut patches = Vec::new();
        for at in (new_end.max(first)..old_end).rev() {
            patches.push(Patch { path: vec![at], swap: Swap::Remove, html: String::new() });
        }
        let pairs = (old_end.min(new_end)).saturating_sub(first);
        for at in (first..first + pairs).rev() {
            // The last of the old ones takes all that is left over, unless that can be appended.
            let until = if at + 1 == first + pairs && last > 0 { new_end } else { at + 1 };
            if until == at + 1 && same(&had[at], &wanted[at]) {
                continue;
            }
            let open = at.checked_sub(self.frozen.len()).and_then(|at| self.open.get(at)).filter(|_| until == at + 1);
            patches.push(open.and_then(|open| Some(open.more(at, open.lacks(&wanted[at])?))).unwrap_or_else(|| {
                let html = (at..until).map(&mut html).collect();
                Patch { path: vec![at], swap: Swap::Replace, html }
            }));
        }
        if last == 0 && new_end > first + pairs {
            let html = (first + pairs..new_end).map(&mut html).collect();
            patches.push(Patch { path: Vec::new(), swap: Swap::Append, html });
        }
        patches
    }

    /// Drops the open block, when the stream has ended.
    pub fn forget(&mut self) {
        self.open = Vec::new();
    }
}
