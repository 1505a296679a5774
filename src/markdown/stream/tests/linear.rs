//! The work for an answer grows with its length and not with its square, in bytes sent and in bytes parsed, for the shapes
//! that are one single block.

use std::time::Duration;

use crate::markdown::{Stream, doc, math, render};

/// What an event has around its fragment, about.
const AROUND: usize = 150;

/// One block of about this many bytes.
fn shapes(bytes: usize) -> [(&'static str, String); 6] {
    let fill = |unit: &str| unit.repeat(bytes / unit.len());
    [
        ("paragraph", fill("Some **bold** words and `code`, and then plain ones that run on without an end. ")),
        ("list", fill("- an item of the list with **some** words that take a line\n")),
        ("table", format!("| a | b | c |\n|---|--:|:-:|\n{}", fill("| one cell | another one | and a third |\n"))),
        ("formulas", fill("The value $x_1$ of \\(y\\) and words that go on until the next one comes, at $5 or so. ")),
        ("formulas by themselves", fill("Some words, and then\n\n$$\na\n- b\n$$\n\n")),
        // 2,000 lines of it are 100 kB
        ("code", format!("```rust\n{}```\n", fill("    let sum = first(second) + 12; // and some words\n"))),
    ]
}

/// What it costs to say `text` twenty characters at a time: bytes sent, events, bytes parsed.
fn cost(text: &str) -> (usize, usize, usize) {
    let parsed = doc::parsed();
    let mut stream = Stream::new("m");
    let (mut bytes, mut events, mut now) = (0, 0, Duration::ZERO);
    let mut take = |patches: Vec<super::Patch>| {
        bytes += patches.iter().map(|patch| patch.html.len()).sum::<usize>();
        events += patches.len();
    };
    for piece in super::law::pieces(text, &[20]) {
        take(stream.push(piece, now));
        // a quick provider: 1,000 characters a second
        now += Duration::from_millis(20);
        while let Some(due) = stream.due().filter(|due| *due <= now) {
            take(stream.flush(due));
        }
    }
    take(stream.finish());
    (bytes, events, doc::parsed() - parsed)
}

/// Beginnings of formulas that never end, or not where they would have to.
#[test]
fn what_formulas_never_come_to_is_not_looked_for_again_and_again() {
    for unit in ["\\[ a ", "\\[ a\n", "$$ a\n", "- \\[ a\n", "$a ", "\\(a ", "$$a$ ", "\\[a\\)\n", "> \\[\n"] {
        let text = unit.repeat(100_000 / unit.len());
        let seen = math::seen();
        let html = render(&text, "m");
        let seen = math::seen() - seen;
        assert!(!html.is_empty() && seen <= 400 * text.len(), "{unit:?}: {} times its bytes", seen / text.len());
    }
}

#[test]
fn ten_times_the_text_is_ten_times_the_work() {
    for ((name, short), (_, long)) in shapes(10_000).into_iter().zip(shapes(100_000)) {
        let ((bytes_short, _, parsed_short), (bytes, events, parsed)) = (cost(&short), cost(&long));
        let html = render(&long, "m").len();
        assert!(bytes <= 3 * html + AROUND * events, "{name}: {bytes} bytes in {events} events for {html} of HTML");
        assert!(bytes <= 12 * bytes_short, "{name}: {bytes} bytes for 100 kB, {bytes_short} for 10 kB");
        assert!(parsed <= 12 * parsed_short, "{name}: {parsed} bytes parsed for 100 kB, {parsed_short} for 10 kB");
        assert!(parsed <= 40 * long.len(), "{name}: {parsed} bytes parsed for {}", long.len());
    }
}
