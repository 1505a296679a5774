//! The event that tells what an answer used comes only to whoever asked for it; it is always asked for, since the ledger wants it.
//! Whoever did not reads the first of its choices, of which it has none: so it is taken out.

use bytes::{Bytes, BytesMut};
use memchr::memmem;

/// An event may be so long.
const MOST: usize = 16 * 1024 * 1024;

/// Takes the bytes of an event stream and hands out those of the other events.
#[derive(Default)]
pub struct Strip {
    /// The beginning of an event whose end has not come.
    held: BytesMut,
}

impl Strip {
    /// The bytes that can go on now; nothing of an event that is longer than any.
    pub fn push(&mut self, bytes: Bytes) -> Option<Bytes> {
        if self.held.is_empty() && bytes.ends_with(b"\n\n") && !tells(&bytes) {
            return Some(bytes);
        }
        self.held.extend_from_slice(&bytes);
        let mut out = BytesMut::new();
        while let Some(end) = event(&self.held) {
            let event = self.held.split_to(end);
            if !tells(&event) {
                out.extend_from_slice(&event);
            }
        }
        (self.held.len() <= MOST).then(|| out.freeze())
    }

    /// What is left when nothing more comes.
    #[must_use]
    pub fn end(self) -> Bytes {
        self.held.freeze()
    }
}

/// Where the first event ends, with the blank line after it.
fn event(bytes: &[u8]) -> Option<usize> {
    let at = |bytes: &[u8], end: &[u8]| memmem::find(bytes, end).map(|at| at + end.len());
    let first = at(bytes, b"\n\n");
    // the other two are looked for no further than that
    let before = &bytes[..first.unwrap_or(bytes.len())];
    [first, at(before, b"\r\n\r\n"), at(before, b"\n\r\n")].into_iter().flatten().min()
}

/// Whether there is an event without choices that tells what was used.
fn tells(bytes: &[u8]) -> bool {
    let is_empty = |at: usize| {
        let mut rest = bytes[at..].iter().filter(|b| !b.is_ascii_whitespace());
        [b':', b'[', b']'].iter().all(|expected| rest.next() == Some(expected))
    };
    memmem::find_iter(bytes, b"\"choices\"").any(|at| is_empty(at + 9)) && memmem::find(bytes, b"\"usage\"").is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_event_is_missing() {
        let word = "data: {\"choices\":[{\"delta\":{\"content\":\"Hi\"}}],\"usage\":null}\n\n";
        let told = "data: {\"choices\": [ ],\"usage\":{\"prompt_tokens\":1}}\n\n";
        let filter = "data: {\"choices\":[],\"prompt_filter_results\":[]}\n\n"; // Azure's first one
        let done = "data: [DONE]\n\n";
        let all = [filter, word, word, told, done].concat();
        for text in [all.clone(), all.replace('\n', "\r\n")] {
            let expected = if text == all {
                [filter, word, word, done].concat()
            } else {
                [filter, word, word, done].concat().replace('\n', "\r\n")
            };
            for size in [text.len(), 1, 5, 60] {
                let mut strip = Strip::default();
                let mut out = Vec::new();
                for piece in text.as_bytes().chunks(size) {
                    out.extend_from_slice(&strip.push(Bytes::copy_from_slice(piece)).unwrap());
                }
                out.extend_from_slice(&strip.end());
                assert_eq!(String::from_utf8(out).unwrap(), expected, "{size} at a time");
            }
        }
        let mut strip = Strip::default();
        assert_eq!(strip.push("data: cut".into()).unwrap(), "");
        assert_eq!(strip.end(), "data: cut", "nothing is lost");
    }
}
