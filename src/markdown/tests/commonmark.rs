//! The examples of the CommonMark specification (0.31.2, from the npm package `commonmark-spec`) against our writer
//! before anything is sanitised. What is taken out or put in by the wall is no business of this file.

use super::super::doc::Doc;
use super::super::links::LINK;
use super::super::writer::Writer;

/// Every example that comes out otherwise, and why it should. One that is listed and agrees is a failure too.
const DEVIATIONS: [(usize, &str); 6] = [(12, FORMULA), (602, BARE), (606, BARE), (608, BARE), (611, BARE), (612, BARE)];
const FORMULA: &str = "what stands between `\\[` and `\\]` is a formula";
const BARE: &str = "GFM makes links of bare addresses, which CommonMark leaves alone";

struct Example {
    number: usize,
    text: String,
    html: String,
}

/// All examples of the specification, as its own `index.js` finds them.
fn examples() -> Vec<Example> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/markdown/node_modules/commonmark-spec/spec.txt");
    let spec = std::fs::read_to_string(path).unwrap_or_else(|why| {
        panic!("the examples of CommonMark are missing: run `bin/install --tests` ({path}: {why})")
    });
    assert!(spec.contains("version: '0.31.2'"), "another version of the specification: look at every deviation anew");
    let (spec, _) = spec.split_once("<!-- END TESTS -->").expect("the mark behind the last example");
    let fence = "`".repeat(32);
    let begin = format!("{fence} example\n");
    let parts = spec.split(begin.as_str()).skip(1);
    let example = |(at, part): (usize, &str)| {
        let (both, _) = part.split_once(&format!("\n{fence}")).expect("an example ends");
        // the HTML may be nothing, and the text too
        let (text, html) = format!("\n{both}\n")
            .split_once("\n.\n")
            .map(|(a, b)| (format!("{a}\n"), b.to_owned()))
            .expect("a dot between");
        Example { number: at + 1, text: text[1..].replace('→', "\t"), html: html.replace('→', "\t") }
    };
    parts.enumerate().map(example).collect()
}

/// Every block as the writer makes it, without the wall.
fn bare(text: &str) -> String {
    let text = super::super::render::normalise(text);
    let doc = Doc::parse(&text).bare();
    let blocks = doc.blocks.iter().map(|block| block.events.clone());
    blocks.filter_map(|events| Writer::new(&doc, false, false, None).block(events)).map(|made| made.html).collect()
}

/// Our HTML in CommonMark's spelling: without what we add to elements.
fn ours(html: &str) -> String {
    let head = "<figure class=\"code\"><figcaption><span>";
    let mut html =
        html.replace(" dir=\"auto\"", "").replace(LINK, "").replace("<hr>", "<hr />").replace("<br>", "<br />");
    html = html.replace("</code></pre></figure>", "</code></pre>");
    while let Some(at) = html.find(head) {
        let rest = &html[at + head.len()..];
        let (label, rest) = rest.split_once("</span>").expect("a label ends");
        let (_, code) = rest.split_once("<code>").expect("code begins");
        let class = if label == "text" { String::new() } else { format!(" class=\"language-{label}\"") };
        html = format!("{}<pre><code{class}>{code}", &html[..at]);
    }
    loose(&html)
}

/// CommonMark's HTML as our writer has it: its headings begin at 3 and images are links.
fn theirs(html: &str) -> String {
    let mut html = html.to_owned();
    for (from, to) in [(6, 6), (5, 6), (4, 6), (3, 5), (2, 4), (1, 3)] {
        html = html
            .replace(&format!("<h{from}>"), &format!("<h{to}>"))
            .replace(&format!("</h{from}>"), &format!("</h{to}>"));
    }
    let mut parts = html.split("<img src=\"");
    let mut html = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        // one of them is an image of the text's own, with no words
        let image = part.split_once(" />").and_then(|(image, rest)| {
            let (src, words) = image.split_once("\" alt=\"")?;
            let (alt, title) = words.split_once('"')?;
            let words = if alt.is_empty() { src } else { alt };
            Some(format!("<a href=\"{src}\"{title}>{words}</a>{rest}"))
        });
        html.push_str(&image.unwrap_or_else(|| format!("<img src=\"{part}")));
    }
    loose(&html.replace("<br />\n", "<br />"))
}

/// Without the line breaks beside the tags of blocks, which say nothing; those in code stay.
fn loose(html: &str) -> String {
    let is_block = |tag: &str| {
        let name: String = tag.trim_start_matches('/').chars().take_while(char::is_ascii_alphanumeric).collect();
        let blocks = "address blockquote dd del details div dl dt h1 h2 h3 h4 h5 h6 hr li ol p pre section table tbody td th thead tr ul";
        blocks.split(' ').any(|block| block == name)
    };
    let mut out = String::new();
    let mut in_code = false;
    let mut after_block = true;
    for (at, part) in html.split('<').enumerate() {
        let (tag, text) = if at == 0 { ("", part) } else { part.split_once('>').unwrap_or((part, "")) };
        if at > 0 {
            if is_block(tag) && !in_code {
                out.truncate(out.trim_end_matches('\n').len());
            }
            out.push('<');
            out.push_str(tag);
            out.push_str(if part.contains('>') { ">" } else { "" });
            after_block = is_block(tag);
            in_code = (in_code || tag == "pre") && tag != "/pre";
        }
        out.push_str(if after_block && !in_code { text.trim_start_matches('\n') } else { text });
    }
    out.truncate(out.trim_end_matches('\n').len());
    out
}

#[test]
fn all_examples() {
    let all = examples();
    assert_eq!(all.len(), 652, "the specification has this many examples");
    let mut wrong = Vec::new();
    for Example { number, text, html } in all {
        let (ours, theirs) = (ours(&bare(&text)), theirs(&html));
        let listed = DEVIATIONS.iter().find(|(listed, _)| *listed == number);
        match (ours == theirs, listed) {
            (true, Some(_)) => wrong.push(format!("example {number} is listed as a deviation and agrees")),
            (false, None) => wrong.push(format!("example {number}: {text:?}\n  theirs {theirs:?}\n  ours   {ours:?}")),
            _ => {}
        }
    }
    assert!(wrong.is_empty(), "{} of 652\n{}", wrong.len(), wrong.join("\n"));
}
