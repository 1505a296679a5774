//! Footnotes: numbered by first mention, gathered at the end, with ids that begin with the message's.

use std::fmt::Write as _;
use std::ops::Range;

use super::doc::Doc;
use super::render::Made;
use super::writer::Writer;

/// The footnotes of a text while it is written.
pub(super) struct Notes {
    scope: String,
    bodies: Vec<(String, Range<usize>)>,
    /// Labels in the order of their first mention, with the number of mentions.
    order: Vec<(String, usize)>,
}

impl Notes {
    pub fn new(doc: &Doc, scope: &str) -> Option<Self> {
        let bodies = doc.notes();
        let scope = scope.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')).collect();
        (!bodies.is_empty()).then_some(Self { scope, bodies, order: Vec::new() })
    }

    /// No note of the text was mentioned.
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// Writes the link to a note.
    pub fn mention(&mut self, label: &str, out: &mut String) {
        let label = same_case(label);
        let at = self.order.iter().position(|(known, _)| *known == label).unwrap_or_else(|| {
            self.order.push((label, 0));
            self.order.len() - 1
        });
        self.order[at].1 += 1;
        let (scope, number, time) = (&self.scope, at + 1, self.order[at].1);
        let _ = write!(
            out,
            "<sup><a href=\"#{scope}-fn-{number}\" id=\"{scope}-fnref-{number}-{time}\" aria-label=\"Footnote {number}\">{number}</a></sup>"
        );
    }

    /// The notes that were mentioned, with links back.
    pub fn section(&mut self, doc: &Doc, light: bool) -> Made {
        let mut bodies = Vec::new();
        // Bodies may mention further notes, so the list may grow while it is walked.
        while let Some((label, _)) = self.order.get(bodies.len()) {
            let range = self.bodies.iter().find(|(known, _)| known == label).map(|(_, range)| range.clone());
            let mut writer = Writer::new(doc, light, false, Some(self));
            writer.run(range.unwrap_or(0..0));
            let code = writer.code;
            bodies.push((writer.end(), code));
        }
        let mut html = String::from("<section class=\"footnotes\" aria-label=\"Footnotes\"><ol dir=\"auto\">");
        for (at, (body, _)) in bodies.iter().enumerate() {
            let (scope, number) = (&self.scope, at + 1);
            let _ = write!(html, "<li id=\"{scope}-fn-{number}\">{body}");
            for time in 1..=self.order[at].1 {
                let _ = write!(
                    html,
                    " <a href=\"#{scope}-fnref-{number}-{time}\" aria-label=\"Back to mention {time} of footnote {number}\">↩</a>"
                );
            }
            html.push_str("</li>");
        }
        html.push_str("</ol></section>");
        Made { html, code: bodies.iter().any(|(_, code)| *code) }
    }
}

/// Labels are one whatever their case, as those of links.
pub(super) fn same_case(label: &str) -> String {
    label.to_lowercase()
}
