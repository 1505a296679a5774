//! The law: patches lead to the snapshot, the end is the rendering of the whole, and on the way readers have
//! the rendering of what is shown. Under random texts and splits, and for a table of nasty ones.

use std::time::Duration;

use proptest::prelude::*;

use super::law::{self, Node, apply, parse};
use super::step::Mode;
use super::{Patch, Stream, Swap};
use crate::markdown::doc::Doc;
use crate::markdown::render;

mod linear;

struct Reader {
    stream: Stream,
    dom: Vec<Node>,
    bytes: usize,
    count: usize,
}

impl Reader {
    fn new(eager: bool) -> Self {
        let mut stream = Stream::new("m");
        stream.eager = eager;
        Self { stream, dom: Vec::new(), bytes: 0, count: 0 }
    }

    fn take(&mut self, patches: &[Patch]) {
        for patch in patches {
            self.bytes += patch.html.len() + 2 * patch.path.len();
            self.count += 1;
            apply(&mut self.dom, patch);
        }
    }

    fn push(&mut self, text: &str, now: Duration) {
        let patches = self.stream.push(text, now);
        self.take(&patches);
    }

    fn check(&self) {
        assert_eq!(self.dom, parse(&self.stream.snapshot()), "patches lead to the snapshot: {:?}", self.stream.text());
        if !self.stream.eager {
            return;
        }
        let stream = &self.stream;
        let shown = match &stream.mode {
            Mode::Start => stream.shown.start(),
            Mode::Para { done, .. } => *done,
            Mode::Fence { at, partial, .. } => at + partial,
            Mode::Table { at, .. } => *at,
            Mode::List { until, .. } => *until,
            Mode::Block(_) => {
                let start = stream.shown.start();
                start + Doc::parse_ended(&stream.text[start..]).source.len()
            }
        };
        let wanted: String =
            render::whole(&stream.text[..shown], "m", false).into_iter().map(|made| made.html).collect();
        assert_eq!(
            parse(&dull(&stream.snapshot())),
            parse(&wanted),
            "readers have what is shown: {:?}",
            &stream.text[..shown]
        );
    }

    fn end(&mut self, text: &str) {
        let patches = self.stream.finish();
        self.take(&patches);
        assert_eq!(self.stream.text(), text);
        assert_eq!(self.dom, parse(&render(text, "m")), "the end is the whole: {text:?}");
        assert_eq!(self.stream.snapshot(), render(text, "m"));
        assert!(self.stream.finish().is_empty());
    }
}

/// Without the colours.
fn dull(html: &str) -> String {
    let mut out = html.to_owned();
    for class in ["k", "s", "f", "c", "n"] {
        out = out.replace(&format!("<span class=\"{class}\">"), "<span>");
    }
    let label = out.replace("<figcaption><span>", "<figcaption><SPAN>");
    let mut dull = String::new();
    let mut rest = label.as_str();
    while let Some(at) = rest.find("<pre tabindex=\"0\"><code>") {
        let end = at + rest[at..].find("</code></pre>").unwrap_or(rest.len() - at);
        dull.push_str(&rest[..at]);
        dull.push_str(&rest[at..end].replace("<span>", "").replace("</span>", ""));
        rest = &rest[end..];
    }
    dull.push_str(rest);
    dull.replace("<SPAN>", "<span>")
}

fn run(pieces: &[&str], eager: bool, step: Duration) {
    let mut reader = Reader::new(eager);
    let mut now = Duration::ZERO;
    for piece in pieces {
        reader.push(piece, now);
        reader.check();
        now += step;
        if let Some(due) = reader.stream.due().filter(|due| *due <= now) {
            let patches = reader.stream.flush(due);
            reader.take(&patches);
            reader.check();
        }
    }
    reader.end(&pieces.concat());
}

fn chars(text: &str) -> Vec<&str> {
    let places: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
    places.windows(2).map(|pair| &text[pair[0]..pair[1]]).collect()
}

/// Texts that the law holds for at every moment.
const NASTY: [&str; 84] = [
    r"Prices: $5 and $10, or $5-$10, in US$; and $HOME/$x.",
    r"The norm $\|x\|_2 = \sqrt{x_1^2 * x_2^2}$ and \(y^*\) with \(z^*\), then *words* and `$c$`.",
    "Thus\n\n\\[\na\n= b\n+ c\n- d\n\\]\n\nand so on.",
    "Thus:\n$$\na\n=\nb\n$$\nand *so* on.\n\nEnd",
    "1. First:\n   \\[\n   a\n   + b\n   \\]\n2. Second $x$\n\n   $$y$$\n",
    "> $$\n> a\n> - b\n> $$\n> end",
    "| a | b |\n|---|---|\n| $x$ | $y|z$ |\n| \\(w\\) | $$v$$ |\n",
    "```sh\necho $HOME\n$$\n```\n\n$$\nopen\n\nnot any more",
    "a $$b$$ c \\[d\n- e\n\\] f $g$h $i$1 [$j$](https://x.org/$k) <$l$> \\\\(m\\)",
    "漢字$x$漢字 **$y$** *a \\(b* c\\) _$z$_",
    "",
    "\n \n\t\n",
    "Hello, world. This is *running* text with `code` and **bold** words.\n\nNext one.",
    "Setext\n===\n\nPara\n---\nmore",
    "> quote\nlazy\n-x\n\n> again\n> - a\n>   - b\nlazy",
    "- a\n- b\n- c",
    "- a\n- b\n\n- c loose\n\n  second\n- d",
    "- a\n\n\n- b\n\n\n\n- c\npara",
    "- a\n  - b\n    - c\n\n      deep\n- d\n\nend",
    "1. one\n2. two\n10. ten\n\n3) other\n",
    "3. three\n   ```rust\n   fn x() {}\n   ```\n4. four\n\n   ```\n   open",
    "- [ ] to do\n- [x] done\n\n- [X] loose",
    "- a\n* b\n+ c",
    "-\n- a\n-\n  b\n- ",
    "- a\n---\n- b\n***\n",
    "- ```\n\n- a",
    "- <!--\n\n- a",
    "- <div>\n\n- a",
    "- ```rust\n  let a;\n  ```",
    "- a\n- ```rust\n  let a;\n  ```\n\nthe end",
    "```\n```\t\n\na\n``` \nb",
    "- a\n  - ```\n\n- b\n  ```\n  c\n  ```\n\n- d",
    "- > ```\n\n- ~~~\n  x\n\n\n- b",
    "| a |\n|---|\nx\n<!-- a\n\nb -->\n\nc",
    "para\n||---|---|\n- |---|---|\n| x |",
    "- [x] \n  a\n\n- [x] a",
    "a\n|b\n|---|---|\n|c|d|",
    "| a | b |\n|---|--:|\n| 1 | 2 |\n| 3 |\n| `x|y` | **4** | 5 |\npara\n",
    "| a | b |\n|---|--:|",
    "| a | b |\n|---|--:|\n",
    "a | b\n--|--\n1 | 2\n\nc | d\n> x",
    "x\na | b\n--|--\n1 | 2\n- l",
    "| a |\n|---|\n| 1 |\n```\ncode\n```\n| 2 |",
    "```rust\nfn main() {\n    println!(\"hi\");\n}\n```\nafter",
    "~~~\n```\nx\n~~~~\n\ny",
    "````md\n```rust\nx\n```\n````\n",
    "  ```py\n  a = 1\n    b\n c\n  ``\n  ```x\n  ```  \ntext",
    "```\n\n\n  \n```",
    "```a`b\nnot code\n```\ncode",
    "``` c++ {1,2}\nx<y>&\"\n```",
    "``inline `` start\nof text",
    "    indented\n\n    more\n\tx\n\nend",
    "para\n    not code\n\n    code\npara",
    "<div>\n<b>bold\n\n**md**\n\n</div></div>\n\nafter",
    "<details>\n<summary>x</summary>\n\ntext\n\n</details>\n\nend",
    "<script>\nalert(1)\n\n</script>\n\nafter",
    "<!-- comment\n\nstill -->\nafter\n\n<p>x",
    "text <b>raw <i>tags</b> x</i> and <span onclick=x>y\n\nnext",
    "- item <b>open\n- other <li> x\n  <li>raw</li>\n",
    "![alt](https://x.org/a.png) and [a *b*](https://x.org (t)) [c](javascript:x)",
    "[![badge](https://x.org/b.svg)](https://x.org) **a [b**](https://c.d)",
    "See https://x.org/a_b_(c)?d=e&f. And www.a.org, me@x.org! (http://y.z)",
    "https://a.b/c*d*e **https://x.y** _www.q.r_ ~~a@b.cd~~ `http://no.no`",
    "5*3 and 2 * 3 and *unmatched [bracket and `tick and ~tilde and _under\nnext line here",
    "**bold** *it*al ***both*** __a__ _b_ ~~c~~ ~d~ a_b_c 2**3**4 **\"q\"**x",
    "*a **b* c** [x*](y) *z* \\*no\\* \\\\ &amp; &lt;b&gt; &#42;x&#42; &copy",
    "line one  \nhard\\\nbreak   \nend ",
    "漢字が**太字**です。「*引用*」見https://x.org/a。と*続*く www.例.jp",
    "🙂 emoji 👩‍👩‍👧 **🙂** e\u{301} ไทยภาษา *x* العربية",
    "a\u{a0}b\u{2003}*c*\u{2003}d “*q*”",
    "# H1\n## H2 ##\n#notitle\n###### six\n#\n# ",
    "***\n---\n_ _ _\n* * *\n",
    "a\n\n\n\nb\n  \nc\n \t\n",
    "1986\\. A year\n1986. no\nx\n1. list",
    "*\n**\n***\n",
    "a\n=\nb\n-\n",
    "> ```rust\n> fn a() {}\n> ```\n> - x\n\nend",
    "- > quote\n  > more\n- # head\n- ---\n-     code\n",
    " - a\n  - b\n   - c\n    - d\n",
    "- a\n\n      code\n\n- b\n\n\n      x",
    "text\n- a\ntext\n1. b\n2) c\ntext",
    "a\\\n\n`b\n\nc` *d\n\ne* [f\n\n](g)",
    "**Note:** one\n**Two:** x\n`c` d\n(e) f\n\"g\"\n",
    "x &am *p; q* http://a.b:80/?x=[1](2) [a](b(c)d) [e]( f ) ![g][h] ]",
];

/// Texts that only the end makes right: definitions and notes.
const LATE: [&str; 8] = [
    "See [this] and [that][1].\n\n[this]: https://x.org\n\n- [1]\n\n[1]: https://y.org 'T'\n",
    "A[^a] note[^b].\n\n[^a]: first[^b]\n\n    more\n\nB\n\n[^b]: second\n",
    "[a]: https://x.org\n\n[a] b\n\nc",
    "x\n\n[^1]: unused\n\ny [^2]",
    "- a [^n]\n\n  [^n]: in a list\n- b",
    "[x]:\nhttps://a.b\n'title\nmore'\n\n[x]",
    "[a]: <javascript:x>\n[a]\n\n> [b]: https://b.c\n\n[b]",
    "```rust\nlet a;\n```\n\n[q]\n\n```rust\nlet b;\n```\n\n[q]: https://q.r\n",
];

#[test]
fn by_character() {
    for text in NASTY {
        run(&chars(text), true, Duration::ZERO);
        let crlf = text.replace('\n', "\r\n");
        run(&chars(&crlf), true, Duration::ZERO);
    }
}

#[test]
fn throttled() {
    for text in NASTY.into_iter().chain(LATE) {
        for millis in [0, 7, 45, 300, 1100] {
            run(&chars(text), false, Duration::from_millis(millis));
        }
    }
}

#[test]
fn in_two() {
    for text in NASTY {
        for (at, _) in text.char_indices() {
            run(&[&text[..at], &text[at..]], true, Duration::ZERO);
        }
    }
    for text in LATE {
        for (at, _) in text.char_indices() {
            run(&[&text[..at], &text[at..]], false, Duration::from_secs(1));
        }
    }
}

/// Texts made of what Markdown is made of.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        6 => "[a-z]{1,6}".prop_map(String::from),
        4 => Just(" ".to_owned()),
        4 => Just("\n".to_owned()),
        2 => Just("\n\n".to_owned()),
        3 => prop::sample::select(vec![
            "- ", "* ", "1. ", "2) ", "# ", "> ", "  ", "    ", "```", "```rust\n", "~~~", "`", "*", "**", "_", "~~", "[", "](", ")",
            "|", "|---|---|\n", "| a | b |\n", "---\n", "===\n", "<b>", "</b>", "<div>", "</div>", "<!--", "-->", "<script>", "\\",
            "&amp;", "https://x.org", "www.a.b", "me@x.org", "!", ".", "漢", "🙂", "- [x] ", "\t", "\r\n", "\r", "(", "\"", "'", ":",
            "$", "$", "$$", "$$\n", "\\(", "\\)", "\\[", "\\[\n", "\\]", "$x_1$ ", "1",
        ]).prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

/// The same cases each time, unless more of them are asked for by `LAW_CASES`: then others each time.
fn seed() -> proptest::test_runner::RngSeed {
    if std::env::var_os("LAW_CASES").is_some() {
        proptest::test_runner::RngSeed::Random
    } else {
        proptest::test_runner::RngSeed::Fixed(20_261_120)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: std::env::var("LAW_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(300), failure_persistence: None, rng_seed: seed(), ..ProptestConfig::default() })]

    #[test]
    fn readers_have_what_is_shown(text in text(), sizes in prop::collection::vec(1_u8..9, 1..6)) {
        // A link definition is seen by the whole text and not by the block.
        prop_assume!(!text.contains("]:"));
        run(&law::pieces(&text, &sizes), true, Duration::ZERO);
    }

    #[test]
    fn patches_lead_to_the_snapshot_and_the_end(
        text in text(), sizes in prop::collection::vec(1_u8..9, 1..6), millis in 0_u64..700,
    ) {
        run(&law::pieces(&text, &sizes), false, Duration::from_millis(millis));
    }

    #[test]
    fn the_law_of_the_fuzz_target(drawn in prop::collection::vec(prop_oneof![1 => 97_u8..=122, 1 => 32_u8..=64, 3 => 128_u8..=201], 0..40)) {
        law::check(&drawn);
    }
}

/// Prose with all that answers are made of.
fn mixed(bytes: usize) -> String {
    let part = "## A heading here\n\nSome **bold** running text with `code`, a [link](https://x.org/a) and https://y.org/b that goes on \
                for a while, as text does when it explains something at length to a patient reader.\n\n\
                - first item of *some* length\n- second item, longer than the first one by a few words\n  - nested\n- third\n\n\
                1. one\n2. two\n\n```rust\nfn main() {\n    let batch = vec![first]; // comment\n    println!(\"hello {}\", 42);\n}\n```\n\n\
                | streams | batch | delay |\n|---|--:|:-:|\n| 1 | 1 | 1.1 ms |\n| 100 | 18 | 4.0 ms |\n\n> quoted words of somebody\n\n";
    part.repeat(bytes / part.len() + 1)
}

/// 100 kB of each kind.
fn large() -> Vec<(&'static str, String)> {
    let words = "plain words that run on and on, without an end ";
    let marked = "some **bold** words and `code` and [a link](https://x.org) then *more* ";
    let open = "an *unmatched star and 2*3 and `more [of it ";
    let fill = |unit: &str| unit.repeat(100_000 / unit.len());
    vec![
        ("paragraph", fill(words)),
        ("marked paragraph", fill(marked)),
        ("open paragraph", format!("a *b {}", fill(words))),
        ("messy paragraph", fill(open)),
        ("one word", fill("word")),
        ("lines", fill("one line of it\n")),
        ("han", fill("漢字が続く。")),
        ("list", fill("- an item of the list with **some** words\n")),
        ("loose list", fill("- an item of the list\n\n  and more of it\n\n")),
        ("one item", format!("- {}", fill(words))),
        (
            "code list",
            fill(
                "1. Now do this step, which is explained here:\n   ```sh\n   cd project\n   cargo build --release\n   cargo test --all\n   ```\n   and go on with the rest when all of them have passed, which takes a while.\n",
            ),
        ),
        ("table", format!("| a | b | c |\n|---|---|---|\n{}", fill("| one cell | another | and a third |\n"))),
        ("code", format!("```\n{}```\n", fill("let line = of(code);\n"))),
        ("rust", format!("```rust\n{}```\n", "    let line = of(code) + 12; // words\n".repeat(1500))),
        ("quote", fill("> a line of the quote\n")),
        ("html", format!("<div>\n{}", fill("some text <b>in</b> a block\n"))),
        ("indented code", fill("    a line of code\n")),
        ("mixed", mixed(100_000)),
    ]
}

#[test]
fn bytes_grow_with_the_text() {
    for (name, text) in large() {
        // As fast as providers are, and as slow.
        for (size, millis) in [(4, 1), (4, 20), (24, 100), (200, 1000)] {
            let mut reader = Reader::new(false);
            reader.dom = Vec::new();
            let mut now = Duration::ZERO;
            let (mut bytes, mut count) = (0, 0);
            for piece in law::pieces(&text, &[size]) {
                now += Duration::from_millis(millis);
                let mut patches = reader.stream.push(piece, now);
                patches.extend(reader.stream.flush(now));
                bytes += patches.iter().map(|patch| patch.html.len() + 2 * patch.path.len()).sum::<usize>();
                count += patches.len();
            }
            bytes += reader.stream.finish().iter().map(|patch| patch.html.len()).sum::<usize>();
            assert!(bytes <= 12 * text.len(), "{name} at {size} B per {millis} ms: {} times", bytes / text.len());
            let seconds = usize::try_from(now.as_secs()).unwrap() + 1;
            assert!(count <= 25 * seconds + 25, "{name}: {count} patches in {seconds} s");
        }
    }
}

#[test]
fn running_text_and_code_are_appended() {
    let mut stream = Stream::new("m");
    stream.eager = true;
    let now = Duration::ZERO;
    stream.push("Hello there ", now);
    let patches = stream.push("big **wide** world, ", now);
    assert_eq!(
        patches,
        [Patch { path: vec![0], swap: Swap::Append, html: " big <strong>wide</strong> world,".into() }]
    );
    stream.push("\n\n```rust\nfn", now);
    let patches = stream.push(" main() {", now);
    assert_eq!(patches, [Patch { path: vec![1, 1, 0], swap: Swap::Append, html: " main() {".into() }]);
    let patches = stream.push("}\n```\n", now);
    assert_eq!((patches.len(), patches[0].swap, &patches[0].path), (1, Swap::Replace, &vec![1]));
    assert!(patches[0].html.contains("class=\"k\""));
    stream.push("- a\n- b\n", now);
    let patches = stream.push("- c", now);
    assert_eq!(patches, [Patch { path: vec![2], swap: Swap::Append, html: "<li>c</li>".into() }]);
    stream.push("\n\n| a |\n|---|\n", now);
    let patches = stream.push("| 1 |\n", now);
    assert_eq!(patches, [Patch { path: vec![3, 0, 1], swap: Swap::Append, html: "<tr><td>1</td></tr>".into() }]);
}

#[test]
fn what_is_held_back_is_due() {
    let mut stream = Stream::new("m");
    let at = Duration::from_millis;
    assert_eq!(stream.due(), None);
    assert_eq!(stream.push("One two ", at(0)).len(), 1);
    assert!(stream.push("three ", at(10)).is_empty());
    assert_eq!(stream.due(), Some(at(40)));
    assert!(stream.flush(at(39)).is_empty());
    assert_eq!(stream.flush(at(40))[0].html, " three");
    assert_eq!(stream.due(), None);
    assert!(stream.push("**open ", at(100)).is_empty());
    let due = stream.due().expect("something is held back");
    assert_eq!(stream.flush(due)[0].swap, Swap::Replace);
}

#[test]
fn settled_blocks_add_up() {
    for text in NASTY.into_iter().chain(LATE) {
        let mut stream = Stream::new("m");
        let mut page = String::new();
        for (at, piece) in chars(text).into_iter().enumerate() {
            stream.push(piece, Duration::from_millis(40 * at as u64));
            page.push_str(&stream.settled());
        }
        page.push_str(&stream.settled_rest());
        if NASTY.contains(&text) {
            assert_eq!(page, render(&text.replace("\r\n", "\n"), "m"), "{text:?}");
        }
        assert_eq!(stream.settled_rest(), "");
    }
}

#[test]
fn a_long_block_is_not_sent_again_for_its_end() {
    let code = "    total = compute(values[1], 2)\n".repeat(3000);
    let running = "words of a paragraph and more of them ".repeat(2000);
    for text in [format!("```python\n{code}```\n"), format!("```python\n{code}```"), format!("{running}\n\nAnd one.")] {
        let mut stream = Stream::new("m");
        let mut now = Duration::ZERO;
        let mut patches = Vec::new();
        for piece in law::pieces(&text, &[20]) {
            now += Duration::from_millis(4);
            patches.extend(stream.push(piece, now));
        }
        patches.extend(stream.finish());
        let bytes: usize = patches.iter().map(|patch| patch.html.len()).sum();
        assert!(bytes < text.len() * 11 / 10, "{bytes} bytes for {} of {:?}…", text.len(), &text[..20]);
    }
}
