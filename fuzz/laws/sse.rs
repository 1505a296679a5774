//! What must hold of the decoder of event streams, whatever the bytes: however they are split, it finds what a slow and
//! literal reading of the standard finds in the whole. Used by the unit tests and by the fuzz target, which hand in the
//! decoder as a function from pieces to what was found.

/// Name and data of each event, and how it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub events: Vec<(String, String)>,
    pub end: End,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Between two events.
    Clean,
    /// Within an event or a line, which is dropped.
    Unfinished,
    TooLong,
}

/// The standard, step by step, on the whole stream at once.
pub fn literally(bytes: &[u8], limit: usize) -> Found {
    let mut events = Vec::new();
    let (mut name, mut data) = (String::new(), String::new());
    // line ends are found in the bytes, because the bound is on bytes; the text of a line is decoded whole
    let mut rest = bytes;
    let mut first = true;
    loop {
        let Some(end) = rest.iter().position(|b| matches!(b, b'\r' | b'\n')) else {
            let end = match () {
                () if rest.len() > limit => End::TooLong,
                () if rest.is_empty() && data.is_empty() => End::Clean,
                () => End::Unfinished,
            };
            return Found { events, end };
        };
        let line = &rest[..end];
        rest = if rest[end..].starts_with(b"\r\n") { &rest[end + 2..] } else { &rest[end + 1..] };
        if line.len() > limit {
            return Found { events, end: End::TooLong };
        }
        let line = String::from_utf8_lossy(line);
        let line = if std::mem::take(&mut first) { line.strip_prefix('\u{feff}').unwrap_or(&line) } else { &line };
        if line.is_empty() {
            if let Some(data) = data.strip_suffix('\n') {
                events.push((name.clone(), data.to_owned()));
            }
            name.clear();
            data.clear();
            continue;
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "data" => {
                data.push_str(value);
                if data.len() > limit {
                    return Found { events, end: End::TooLong };
                }
                data.push('\n');
            }
            "event" => value.clone_into(&mut name),
            _ => {}
        }
    }
}

/// Cuts `bytes` into pieces whose sizes are drawn from `sizes`, over and over.
pub fn pieces<'a>(bytes: &'a [u8], sizes: &[u8]) -> Vec<&'a [u8]> {
    let mut sizes = sizes.iter().copied().cycle();
    let mut rest = bytes;
    let mut pieces = Vec::new();
    while !rest.is_empty() {
        let size = usize::from(sizes.next().unwrap_or(1));
        if size == 0 {
            pieces.push(&rest[..0]); // nothing at all may come too
        }
        let (piece, after) = rest.split_at(size.clamp(1, rest.len()));
        pieces.push(piece);
        rest = after;
    }
    pieces
}

/// The law, on bytes as a fuzzer draws them: the first three say how the others are split.
pub fn check(drawn: &[u8], limit: usize, decode: impl Fn(&[&[u8]], usize) -> Found) {
    let (sizes, bytes) = drawn.split_at(drawn.len().min(3));
    let expected = literally(bytes, limit);
    assert_eq!(decode(&[bytes], limit), expected, "whole: {bytes:?}");
    assert_eq!(decode(&pieces(bytes, sizes), limit), expected, "split by {sizes:?}: {bytes:?}");
    assert_eq!(decode(&pieces(bytes, &[1]), limit), expected, "byte by byte: {bytes:?}");
}
