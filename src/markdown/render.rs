//! Whole texts, slices and blocks to HTML, one balanced element a block. What the stream needs to write parts of a block
//! (heads, ends) is public to it here, so that both write the same bytes.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::doc::{Block, Doc};
use super::links::{self, escape};
use super::notes::Notes;
use super::writer::Writer;

/// The icon of the button that copies a block of code.
pub const COPY_ICON: &str = "/assets/icons.svg#i-copy";

pub(super) const PARAGRAPH: &str = "<p dir=\"auto\">";
pub(super) const CODE_END: &str = "</code></pre></figure>";
pub(super) const TABLE_END: &str = "</tbody></table></div>";

/// The whole text as sanitised HTML: the top-level blocks one after another, footnotes last.
/// `scope` (a message id) prefixes the ids of footnotes, so that two messages can stand on one page.
#[must_use]
pub fn render(text: &str, scope: &str) -> String {
    whole(&normalise(text), scope, true).into_iter().map(|made| made.html).collect()
}

/// A person's own message as one paragraph: plain text, escaped, line breaks kept, bare addresses linked.
#[must_use]
pub fn plain(text: &str) -> String {
    let text = normalise(text);
    let text = text.trim_matches('\n');
    if text.trim().is_empty() {
        return String::new();
    }
    let mut out = String::from(PARAGRAPH);
    for (number, line) in text.split('\n').enumerate() {
        if number > 0 {
            out.push_str("<br>");
        }
        links::link_bare(line, &mut out);
    }
    out + "</p>"
}

/// Line ends as `\n`, no NUL.
pub(super) fn normalise(text: &str) -> Cow<'_, str> {
    if text.bytes().any(|byte| matches!(byte, b'\r' | b'\0')) {
        text.replace("\r\n", "\n").replace('\r', "\n").replace('\0', "\u{fffd}").into()
    } else {
        text.into()
    }
}

/// One element of the output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Made {
    pub html: String,
    /// Code is in it that is highlighted.
    pub code: bool,
}

/// Every top-level element of a (normalised) text.
pub(super) fn whole(text: &str, scope: &str, light: bool) -> Vec<Made> {
    let doc = Doc::parse(text);
    let mut notes = Notes::new(&doc, scope);
    let mut made: Vec<Made> = Vec::new();
    for block in &doc.blocks {
        made.extend(Writer::new(&doc, light, false, notes.as_mut()).block(block.events.clone()));
    }
    if let Some(notes) = notes.as_mut().filter(|notes| !notes.is_empty()) {
        made.push(notes.section(&doc, light));
    }
    made
}

/// The elements of one block of a parsed slice, without footnotes. `loose` makes paragraphs of the items of
/// the outermost list.
pub(super) fn block(doc: &Doc, block: &Block, light: bool, loose: bool) -> Option<Made> {
    Writer::new(doc, light, loose, None).block(block.events.clone())
}

/// The elements of a slice of text by itself.
pub(super) fn slice(text: &str, light: bool) -> Vec<Made> {
    let doc = Doc::parse(text);
    doc.blocks.iter().filter_map(|each| block(&doc, each, light, false)).collect()
}

/// The start of a list up to its first item.
pub(super) fn list_head(start: Option<u64>) -> String {
    match start {
        None => "<ul dir=\"auto\">".to_owned(),
        Some(1) => "<ol dir=\"auto\">".to_owned(),
        Some(start) => format!("<ol dir=\"auto\" start=\"{start}\">"),
    }
}

/// The end of the list that began with `list_head(start)`.
pub(super) fn list_end(start: Option<u64>) -> &'static str {
    if start.is_some() { "</ol>" } else { "</ul>" }
}

/// The first word of an info string: the language.
pub(super) fn language(info: &str) -> &str {
    let word = info.split(|c: char| c.is_whitespace() || matches!(c, ',' | '{')).find(|word| !word.is_empty());
    word.unwrap_or_default()
}

/// A block of code up to its first byte. Its chrome is ours.
pub(super) fn code_head(language: &str) -> String {
    let mut out = String::from("<figure class=\"code\"><figcaption><span>");
    let label: String = language.chars().take(32).collect();
    escape(if label.is_empty() { "text" } else { &label }, &mut out);
    let _ = write!(
        out,
        "</span><button class=\"icon copy\" type=\"button\" data-behavior=\"copy\" aria-label=\"Copy code\">\
         <svg aria-hidden=\"true\"><use href=\"{COPY_ICON}\"></use></svg></button></figcaption>\
         <pre tabindex=\"0\"><code>"
    );
    out
}
