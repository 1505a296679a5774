//! Bytes as a fuzzer draws them against the law of the event stream decoder.
#![no_main]

#[path = "../laws/sse.rs"]
mod law;
#[allow(dead_code)]
#[path = "../../src/outside/llm/sse.rs"]
mod sse;

use law::{End, Found};

/// Small, so that the bounds are met often.
const LIMIT: usize = 64;

fn decode(pieces: &[&[u8]], limit: usize) -> Found {
    let mut decoder = sse::Decoder::with_limit(limit);
    let mut events = Vec::new();
    for piece in pieces {
        if decoder.push(piece, |e| events.push((e.name.to_owned(), e.data.to_owned()))).is_err() {
            return Found { events, end: End::TooLong };
        }
    }
    let end = if decoder.is_unfinished() { End::Unfinished } else { End::Clean };
    Found { events, end }
}

libfuzzer_sys::fuzz_target!(|drawn: &[u8]| law::check(drawn, LIMIT, decode));
