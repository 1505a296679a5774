//! The event stream format (WHATWG HTML, 9.2.6 "Interpreting an event stream"), as pure bytes in, events out. It runs
//! once per token, so an event costs two copies of its bytes and no allocation. What must not live here: what an event
//! means, and any IO. Left out of the format, because no provider's answer is ever resumed: `id` and `retry`.

use memchr::{memchr, memchr2};

/// Bytes that one line, or the data of one event, may hold. Far above what any provider sends at once (a token is some
/// 300 bytes; an answer that comes whole, some 100 kB), and all that a hostile one can make us keep.
pub const MAX_EVENT: usize = 1024 * 1024;

const BOM: &[u8] = "\u{feff}".as_bytes();

/// One event. It is borrowed from the decoder and good until the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event<'a> {
    /// Empty if the stream did not name it.
    pub name: &'a str,
    pub data: &'a str,
}

/// A line, or the data of an event, is longer than allowed. The decoder is of no use any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a line or an event of more than {0} bytes")]
pub struct TooLong(usize);

/// Takes the stream in pieces of any size; where they are split makes no difference.
pub struct Decoder {
    limit: usize,
    /// The line whose end has not come yet.
    line: Vec<u8>,
    /// The last byte was a CR: an LF right after it belongs to the same line's end.
    after_cr: bool,
    /// No line has ended yet: a BOM may stand before it.
    at_start: bool,
    name: String,
    data: String,
    /// There was a `data` field, if only an empty one.
    has_data: bool,
}

impl Default for Decoder {
    fn default() -> Self {
        Self::with_limit(MAX_EVENT)
    }
}

impl Decoder {
    /// A decoder with another bound than [`MAX_EVENT`].
    #[must_use]
    pub fn with_limit(limit: usize) -> Self {
        Self {
            limit,
            line: Vec::new(),
            after_cr: false,
            at_start: true,
            name: String::new(),
            data: String::new(),
            has_data: false,
        }
    }

    /// Takes the next bytes and hands over each event that they complete.
    ///
    /// # Errors
    /// [`TooLong`]; the events before it have been handed over.
    pub fn push(&mut self, mut bytes: &[u8], mut event: impl FnMut(Event<'_>)) -> Result<(), TooLong> {
        while let Some(first) = bytes.first() {
            if std::mem::take(&mut self.after_cr) && *first == b'\n' {
                bytes = &bytes[1..];
                continue;
            }
            let end = memchr2(b'\n', b'\r', bytes);
            let part = &bytes[..end.unwrap_or(bytes.len())];
            if self.line.len() + part.len() > self.limit {
                return Err(TooLong(self.limit));
            }
            let Some(end) = end else {
                self.line.extend_from_slice(part);
                return Ok(());
            };
            self.after_cr = bytes[end] == b'\r';
            bytes = &bytes[end + 1..];
            if self.line.is_empty() {
                self.take(part, &mut event)?;
            } else {
                let mut line = std::mem::take(&mut self.line);
                line.extend_from_slice(part);
                self.take(&line, &mut event)?;
                line.clear();
                self.line = line;
            }
        }
        Ok(())
    }

    /// Whether a line or an event has begun and not ended. At the end of the stream it is dropped, as the standard wants it.
    #[must_use]
    pub fn is_unfinished(&self) -> bool {
        self.has_data || !self.line.is_empty()
    }

    /// One whole line, without its end.
    fn take(&mut self, mut line: &[u8], event: &mut impl FnMut(Event<'_>)) -> Result<(), TooLong> {
        if std::mem::take(&mut self.at_start) {
            line = line.strip_prefix(BOM).unwrap_or(line);
        }
        if line.is_empty() {
            if std::mem::take(&mut self.has_data) {
                event(Event { name: &self.name, data: &self.data });
            }
            self.name.clear();
            self.data.clear();
            return Ok(());
        }
        let (field, value) = match memchr(b':', line) {
            Some(colon) => (&line[..colon], &line[colon + 1..]),
            None => (line, &[][..]),
        };
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match field {
            b"data" => {
                // line ends and colons are ASCII, so decoding the value alone is decoding the stream
                let value = String::from_utf8_lossy(value);
                if self.data.len() + value.len() + usize::from(self.has_data) > self.limit {
                    return Err(TooLong(self.limit));
                }
                if std::mem::replace(&mut self.has_data, true) {
                    self.data.push('\n');
                }
                self.data.push_str(&value);
            }
            b"event" => {
                self.name.clear();
                self.name.push_str(&String::from_utf8_lossy(value));
            }
            // a comment (its field is empty), or one that this version of the format does not know
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "../../../fuzz/laws/sse.rs"]
mod law;

#[cfg(test)]
mod tests;
