//! The decoder as tables, as a law over generated streams, and over seeded random bytes (what the fuzz target does, on
//! stable Rust and for a moment only).

use super::{
    Decoder, MAX_EVENT, TooLong,
    law::{End, Found, check, literally, pieces},
};
use proptest::prelude::*;
use rand::{Rng, SeedableRng, rngs::StdRng};

fn decode(pieces: &[&[u8]], limit: usize) -> Found {
    let mut decoder = Decoder::with_limit(limit);
    let mut events = Vec::new();
    for piece in pieces {
        let taken = decoder.push(piece, |e| events.push((e.name.to_owned(), e.data.to_owned())));
        if let Err(error) = taken {
            assert_eq!(error, TooLong(limit));
            return Found { events, end: End::TooLong };
        }
    }
    let end = if decoder.is_unfinished() { End::Unfinished } else { End::Clean };
    Found { events, end }
}

/// The data of the events, whole and split at every byte.
fn reads(stream: impl AsRef<[u8]>, expected: &[&str]) {
    let stream = stream.as_ref();
    let data = |found: Found| found.events.into_iter().map(|(_, data)| data).collect::<Vec<_>>();
    assert_eq!(data(decode(&[stream], MAX_EVENT)), expected, "{:?}", String::from_utf8_lossy(stream));
    assert_eq!(data(decode(&pieces(stream, &[1]), MAX_EVENT)), expected, "{:?}", String::from_utf8_lossy(stream));
}

#[test]
fn lines_end_in_three_ways() {
    reads("data: a\n\ndata: b\n\n", &["a", "b"]);
    reads("data: a\r\rdata: b\r\r", &["a", "b"]);
    reads("data: a\r\n\r\ndata: b\r\n\r\n", &["a", "b"]);
    reads("data: a\r\n\ndata: b\n\r\ndata: c\n\rdata: d\r\r\n", &["a", "b", "c", "d"]);
    // an LF after an event that a CR ended is the rest of that end, not another blank line
    reads("data: a\r\r\ndata: b\n\n", &["a", "b"]);
    reads("data: a\r\ndata: b\r\n\r\n", &["a\nb"]);
}

#[test]
fn an_event_is_there_as_soon_as_its_blank_line_begins() {
    let mut decoder = Decoder::default();
    let mut seen = 0;
    decoder.push(b"data: a\r\n\r", |_| seen += 1).unwrap();
    assert_eq!(seen, 1, "not only when the next byte says that no LF belonged to it");
    let mut seen = 0;
    decoder.push(b"\n", |_| seen += 1).unwrap();
    assert_eq!(seen, 0);
}

#[test]
fn one_bom_may_stand_at_the_start() {
    reads("\u{feff}data: a\n\n", &["a"]);
    reads("\u{feff}\u{feff}data: a\n\ndata: b\n\n", &["b"]);
    reads("\n\u{feff}data: a\n\ndata: b\n\n", &["b"]);
    reads("data: \u{feff}a\n\n", &["\u{feff}a"]);
    reads(b"\xef\xbbdata: a\n\ndata: b\n\n", &["b"]);
}

#[test]
fn fields() {
    reads("data:a\n\ndata: a\n\ndata:  a\n\ndata:\ta\n\n", &["a", "a", " a", "\ta"]);
    reads("data: a: b:c\n\n", &["a: b:c"]);
    reads("data\n\ndata:\n\ndata: \n\n", &["", "", ""]);
    reads("data\ndata\n\n", &["\n"]);
    reads("data: a\ndata:\ndata: b\n\n", &["a\n\nb"]);
    reads(": a comment\n:\n:data: no\ndata: a\n: within\n\n", &["a"]);
    reads("id: 7\nretry: 10\nDATA: no\ndata : no\n data: no\nnonsense\ndata: a\n\n", &["a"]);
    reads("\n\n\nevent: only a name\n\nid\n\n", &[]);
}

#[test]
fn an_event_may_be_named() {
    let stream = b"event: one\ndata: a\n\ndata: b\n\nevent: x\nevent:two\ndata: c\n\nevent: lost\n\ndata: d\n\nevent: x\nevent\ndata: e\n\n";
    let found = decode(&[stream], MAX_EVENT);
    let expected = [("one", "a"), ("", "b"), ("two", "c"), ("", "d"), ("", "e")];
    assert_eq!(found.events, expected.map(|(name, data)| (name.to_owned(), data.to_owned())));
}

#[test]
fn bytes_that_are_no_text() {
    reads("data: a\0b\n\n", &["a\0b"]);
    reads("data: 読書室 🪑\n\n", &["読書室 🪑"]); // each character is split somewhere
    reads(b"data: a\xffb\n\n", &["a\u{fffd}b"]);
    reads(b"data: \xf0\x9f\xaa\n\n", &["\u{fffd}"]); // a character that lacks its end
    reads(b"data: \xe8\xaa\ndata: \xad\n\n", &["\u{fffd}\n\u{fffd}"]); // and one that a line's end splits
    reads(b"data: \xc0\xaf\xed\xa0\x80\n\n", &["\u{fffd}".repeat(5).as_str()]);
    let found = decode(&[b"event: \xff\ndata: a\n\n"], MAX_EVENT);
    assert_eq!(found.events, [("\u{fffd}".to_owned(), "a".to_owned())]);
}

#[test]
fn what_the_stream_ends_in_is_no_event() {
    let end = |stream: &str| decode(&[stream.as_bytes()], MAX_EVENT);
    for stream in ["data: a", "data: a\n", "data: a\r\n", "data", ":", "\u{feff}"] {
        assert_eq!(end(stream), Found { events: Vec::new(), end: End::Unfinished }, "{stream:?}");
    }
    for stream in ["", "\n", "\r\n", ": comment\n", "event: a\n", "id: 1\n\n"] {
        assert_eq!(end(stream), Found { events: Vec::new(), end: End::Clean }, "{stream:?}");
    }
}

#[test]
fn a_line_has_a_bound() {
    let ends = |stream: &str, limit: usize| {
        let found = decode(&[stream.as_bytes()], limit);
        check(format!("\u{1}\u{2}\u{3}{stream}").as_bytes(), limit, decode);
        (found.events.len(), found.end)
    };
    assert_eq!(ends("data: 78\n\n", 8), (1, End::Clean));
    assert_eq!(ends("data: 789\n\n", 8), (0, End::TooLong));
    assert_eq!(ends("data: 78", 8), (0, End::Unfinished));
    assert_eq!(ends("data: 789", 8), (0, End::TooLong));
    assert_eq!(ends(": comment\n", 8), (0, End::TooLong));
    assert_eq!(ends("data: 1\n\ndata: 2\n\n: comment\n\ndata: 3\n\n", 8), (2, End::TooLong));
}

#[test]
fn the_data_of_an_event_has_a_bound() {
    let ends = |stream: &str, limit: usize| {
        let found = decode(&[stream.as_bytes()], limit);
        check(format!("\u{1}\u{2}\u{3}{stream}").as_bytes(), limit, decode);
        (found.events.len(), found.end)
    };
    assert_eq!(ends("data:123\ndata:5678\n\n", 9), (1, End::Clean));
    assert_eq!(ends("data:1234\ndata:6789\n\n", 9), (1, End::Clean));
    assert_eq!(ends("data:1234\ndata:678\ndata\n\n", 9), (1, End::Clean));
    assert_eq!(ends("data:1234\ndata:6789\ndata\n\n", 9), (0, End::TooLong));
    // it is on one event, not on all
    assert_eq!(ends(&"data:6789\n\n".repeat(5), 9), (5, End::Clean));
    // an invalid byte becomes three
    assert_eq!(decode(&[b"data:\xff\xff\xff\n\n"], 8).end, End::TooLong);
}

#[test]
fn the_bounds_are_those_of_the_documentation() {
    let whole = |data: usize| format!("data:{}\n\n", "x".repeat(data));
    assert_eq!(decode(&[whole(MAX_EVENT - 5).as_bytes()], MAX_EVENT).events.len(), 1);
    let mut decoder = Decoder::default();
    assert_eq!(decoder.push(whole(MAX_EVENT - 4).as_bytes(), |_| {}), Err(TooLong(1_048_576)));
}

#[test]
fn a_line_without_end_is_not_kept() {
    let mut decoder = Decoder::default();
    let piece = vec![b'x'; 64 * 1024];
    let taken = (0..1000).take_while(|_| decoder.push(&piece, |_| {}).is_ok()).count();
    assert_eq!(taken, 16);
    assert!(decoder.line.capacity() <= 2 * MAX_EVENT, "{}", decoder.line.capacity());
}

/// Bits of streams, chosen so that every rule meets every other.
fn bit() -> impl Strategy<Value = Vec<u8>> {
    let text: &[&str] = &[
        "data", "data:", "data: ", "event:", "event: ", "id: 1", "retry: 1", ":", " ", "\n", "\n\n", "\r", "\r\r",
        "\r\n", "\r\n\r\n", "\u{feff}", "\0", "a", "ab: c", "読", "🪑", "[DONE]", "x x", "nonsense",
    ];
    let text: Vec<Vec<u8>> = text.iter().map(|t| t.as_bytes().to_vec()).collect();
    prop_oneof![
        8 => prop::sample::select(text),
        1 => prop::collection::vec(any::<u8>(), 1..4),
        1 => prop::sample::select(vec![b"\xe8".to_vec(), b"\xe8\xaa".to_vec(), b"\xf0\x9f".to_vec(), b"\xff".to_vec()]),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// However the bytes are split, the events are those of the standard.
    #[test]
    fn any_split_gives_the_same_events(
        bits in prop::collection::vec(bit(), 0..40),
        sizes in prop::collection::vec(0..9_u8, 1..20),
        limit in prop_oneof![Just(MAX_EVENT), 1..40_usize],
    ) {
        let stream = bits.concat();
        let expected = literally(&stream, limit);
        prop_assert_eq!(decode(&[&stream], limit), expected.clone());
        prop_assert_eq!(decode(&pieces(&stream, &sizes), limit), expected.clone());
        prop_assert_eq!(decode(&pieces(&stream, &[1]), limit), expected);
    }
}

/// What `cargo fuzz run sse` does for as long as one likes, here for 20,000 inputs that are the same every time.
#[test]
fn random_bytes_keep_the_law() {
    let alphabet = b"\n\n\n\r\r::  aaddttedvn\0\xef\xbb\xbf\xff\xe8\xaa\xad";
    let mut random = StdRng::seed_from_u64(20_261_121);
    let mut with_events = 0;
    for n in 0..20_000 {
        let length = random.random_range(0..120);
        let mut drawn: Vec<u8> = (0..length)
            .map(|_| if n % 4 == 0 { random.random() } else { alphabet[random.random_range(0..alphabet.len())] })
            .collect();
        // chance alone seldom writes a field's name
        for _ in 0..random.random_range(0..6) {
            let at = random.random_range(0..=drawn.len());
            drawn.splice(at..at, b"\ndata:".iter().copied());
        }
        check(&drawn, 64, decode);
        with_events += usize::from(!literally(&drawn, 64).events.is_empty());
    }
    assert!(with_events > 2000, "only {with_events} of them held an event: the draw is too poor to mean anything");
}
