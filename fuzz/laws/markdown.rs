//! What must hold of Markdown as it arrives, whatever the text and its splits: the patches lead a reader from nothing to
//! what the stream says that readers have, and at the end to the rendering of the whole text at once. Used by the unit
//! tests and by the fuzz target. The crate that takes it in has the module `markdown`.

use std::time::Duration;

use crate::markdown::{Patch, Stream, Swap, render};

/// Just enough of a document for our own, always balanced, output.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    Text(String),
    Element { tag: String, children: Vec<Node> },
}

pub fn parse(html: &str) -> Vec<Node> {
    let mut stack: Vec<(String, Vec<Node>)> = vec![(String::new(), Vec::new())];
    let mut rest = html;
    while !rest.is_empty() {
        if let Some(tag) = rest.strip_prefix('<') {
            let end = tag.find('>').expect("a tag ends");
            let (tag, after) = (&tag[..end], &tag[end + 1..]);
            let name = tag.split(' ').next().unwrap();
            if let Some(closing) = tag.strip_prefix('/') {
                let (tag, children) = stack.pop().unwrap();
                assert_eq!(tag.split(' ').next().unwrap(), closing, "balanced: {html}");
                add(&mut stack.last_mut().expect("inside the container").1, Node::Element { tag, children });
            } else if matches!(name, "br" | "hr" | "input" | "wbr") {
                add(&mut stack.last_mut().unwrap().1, Node::Element { tag: tag.to_owned(), children: Vec::new() });
            } else {
                stack.push((tag.to_owned(), Vec::new()));
            }
            rest = after;
        } else {
            let end = rest.find('<').unwrap_or(rest.len());
            add(&mut stack.last_mut().unwrap().1, Node::Text(rest[..end].to_owned()));
            rest = &rest[end..];
        }
    }
    assert_eq!(stack.len(), 1, "balanced: {html}");
    stack.pop().unwrap().1
}

fn add(children: &mut Vec<Node>, node: Node) {
    match (children.last_mut(), node) {
        (Some(Node::Text(before)), Node::Text(text)) => before.push_str(&text),
        (_, node) => children.push(node),
    }
}

fn nth(children: &[Node], index: usize) -> usize {
    let mut elements = children.iter().enumerate().filter(|(_, node)| matches!(node, Node::Element { .. }));
    elements.nth(index).unwrap_or_else(|| panic!("no child {index} in {children:?}")).0
}

/// What a browser does with a patch.
pub fn apply(children: &mut Vec<Node>, patch: &Patch) {
    fn at<'n>(children: &'n mut Vec<Node>, path: &[usize]) -> &'n mut Vec<Node> {
        let Some((first, rest)) = path.split_first() else {
            return children;
        };
        let place = nth(children, *first);
        let Node::Element { children, .. } = &mut children[place] else { unreachable!() };
        at(children, rest)
    }
    let new = parse(&patch.html);
    if patch.swap == Swap::Append {
        let target = at(children, &patch.path);
        for node in new {
            add(target, node);
        }
        return;
    }
    let (last, parents) = patch.path.split_last().expect("an element");
    let siblings = at(children, parents);
    let place = nth(siblings, *last);
    siblings.splice(place..=place, if patch.swap == Swap::Replace { new } else { Vec::new() });
}

/// What Markdown is made of: a drawn byte above 127 stands for one of these, any other for its character.
const PIECES: [&str; 74] = [
    "\n",
    "\n\n",
    "- ",
    "* ",
    "+ ",
    "1. ",
    "2) ",
    "# ",
    "## ",
    "> ",
    "  ",
    "    ",
    "```",
    "```rust\n",
    "~~~",
    "`",
    "``",
    "*",
    "**",
    "_",
    "__",
    "~~",
    "~",
    "[",
    "](",
    ")",
    "![",
    "|",
    "|---|---|\n",
    "|---|\n",
    "| a | b |\n",
    "---\n",
    "===\n",
    "***\n",
    "<b>",
    "</b>",
    "<div>",
    "</div>",
    "<!--",
    "-->",
    "<script>",
    "<a href=https://x.org>",
    "\\",
    "\\\n",
    "  \n",
    "&amp;",
    "&#42;",
    "https://x.org",
    "www.a.b",
    "me@x.org",
    "mailto:",
    "漢",
    "。",
    "🙂",
    "- [x] ",
    "[ ]",
    "\t",
    "\r\n",
    "\r",
    "\0",
    "[^1]",
    "\n[^1]: ",
    "\n[a]: ",
    "\u{a0}",
    "$",
    "$",
    "$$",
    "$$\n",
    "\\(",
    "\\)",
    "\\[",
    "\\[\n",
    "\\]",
    "$x_1$ ",
];

/// The text that these bytes stand for.
pub fn text(drawn: &[u8]) -> String {
    let mut text = String::new();
    for byte in drawn {
        match byte.checked_sub(128) {
            Some(piece) => text.push_str(PIECES[usize::from(piece) % PIECES.len()]),
            None => text.push(char::from(*byte)),
        }
    }
    text
}

/// Cuts `text` into pieces with as many characters as `sizes` say, over and over.
pub fn pieces<'t>(text: &'t str, sizes: &[u8]) -> Vec<&'t str> {
    let mut sizes = sizes.iter().copied().cycle();
    let mut rest = text;
    let mut pieces = Vec::new();
    while !rest.is_empty() {
        let size = usize::from(sizes.next().unwrap_or(1)).max(1);
        let at = rest.char_indices().map(|(at, _)| at).nth(size).unwrap_or(rest.len());
        pieces.push(&rest[..at]);
        rest = &rest[at..];
    }
    pieces
}

/// The law, for one text, one split and one pace.
pub fn hold(text: &str, pieces: &[&str], pace: Duration) {
    let mut stream = Stream::new("m");
    let mut readers = Vec::new();
    let mut now = Duration::ZERO;
    let mut take = |stream: &Stream, patches: Vec<Patch>| {
        for patch in &patches {
            apply(&mut readers, patch);
        }
        assert_eq!(readers, parse(&stream.snapshot()), "patches lead to the snapshot: {pieces:?} at {pace:?}");
    };
    for piece in pieces {
        let patches = stream.push(piece, now);
        take(&stream, patches);
        now += pace;
        if let Some(due) = stream.due().filter(|due| *due <= now) {
            let patches = stream.flush(due);
            take(&stream, patches);
        }
    }
    let patches = stream.finish();
    take(&stream, patches);
    assert_eq!(stream.text(), text, "nothing is lost of the text");
    assert_eq!(stream.snapshot(), render(text, "m"), "the end is the whole: {pieces:?} at {pace:?}");
}

/// The law, on bytes as a fuzzer draws them: the first four say how the others are split, and how fast they come.
pub fn check(drawn: &[u8]) {
    let (first, rest) = drawn.split_at(drawn.len().min(4));
    let text = text(rest);
    let (pace, sizes) = first.split_first().map_or((0, first), |(pace, sizes)| (*pace, sizes));
    hold(&text, &pieces(&text, sizes), Duration::from_millis(5 * u64::from(pace)));
    hold(&text, &[&text], Duration::ZERO);
}
