//! Markdown for a terminal, as it comes: letters go out at once, marks become bold, dim or coloured. Pure. What is not a mark
//! stays as it was written. What must not live here: where the text comes from.

const RESET: &str = "\u{1b}[0m";
const BOLD: &str = "\u{1b}[1m";
const DIM: &str = "\u{1b}[2m";
const CODE: &str = "\u{1b}[36m";

/// See the head of this file.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "styles, each on or off")]
pub struct Terminal {
    /// Of the line that is being written: what may still be a mark.
    held: String,
    in_fence: bool,
    heading: bool,
    bold: bool,
    code: bool,
    /// Letters of this line that went out.
    column: usize,
}

impl Terminal {
    /// What is to be written for the next piece.
    pub fn push(&mut self, text: &str) -> String {
        let mut out = String::new();
        for letter in text.chars().filter(|c| *c == '\n' || *c == '\t' || !c.is_control()) {
            self.letter(letter, &mut out);
        }
        out
    }

    /// What is left at the end.
    pub fn end(&mut self) -> String {
        let mut out = String::new();
        self.line_ends(&mut out);
        if self.in_fence {
            out.push_str(RESET);
        }
        *self = Self::default();
        out
    }

    fn letter(&mut self, letter: char, out: &mut String) {
        if letter == '\n' {
            self.line_ends(out);
            out.push('\n');
            self.column = 0;
            return;
        }
        // a mark at the beginning of a line: #, ``` or ~~~
        let may_begin =
            self.column == 0 && (self.held.is_empty() || self.held.chars().all(|c| c == letter || c == '#'));
        if may_begin && (letter == '`' || letter == '~' || letter == '#' && !self.in_fence) {
            self.held.push(letter);
            return;
        }
        if self.column == 0 && self.is_fence() {
            self.held.push(letter); // the language
            return;
        }
        if self.column == 0 && letter == ' ' && !self.held.is_empty() && self.held.chars().all(|c| c == '#') {
            self.held.clear();
            self.heading = true;
            out.push_str(BOLD);
            return;
        }
        if !self.in_fence && letter == '*' && self.held != "*" {
            self.flush(out);
            self.held.push('*');
            return;
        }
        if !self.in_fence && letter == '*' {
            self.held.clear();
            self.bold = !self.bold;
            self.restyle(out);
            return;
        }
        self.flush(out);
        if !self.in_fence && letter == '`' {
            self.code = !self.code;
            self.restyle(out);
            self.column += 1;
            return;
        }
        out.push(letter);
        self.column += 1;
    }

    fn is_fence(&self) -> bool {
        self.held.starts_with("```") || self.held.starts_with("~~~")
    }

    /// What was no mark after all.
    fn flush(&mut self, out: &mut String) {
        let held = std::mem::take(&mut self.held);
        if held.chars().all(|c| c == '`') && !self.in_fence && held.len() % 2 == 1 {
            self.code = !self.code;
            self.restyle(out);
            self.column += held.len();
            return;
        }
        self.column += held.chars().count();
        out.push_str(&held);
    }

    fn restyle(&self, out: &mut String) {
        out.push_str(RESET);
        if self.heading || self.bold {
            out.push_str(BOLD);
        }
        if self.code {
            out.push_str(CODE);
        }
    }

    fn line_ends(&mut self, out: &mut String) {
        if self.column == 0 && self.is_fence() {
            self.in_fence = !self.in_fence;
            let label = self.held.trim_start_matches(['`', '~']).trim().to_owned();
            self.held.clear();
            out.push_str(if self.in_fence { DIM } else { RESET });
            out.push_str(&label);
            out.push_str(if self.in_fence { CODE } else { "" });
            return;
        }
        self.flush(out);
        if self.heading || self.bold || self.code {
            (self.heading, self.bold, self.code) = (false, false, false);
            out.push_str(RESET);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Styles as marks that can be read.
    fn shown(text: &str, size: usize) -> String {
        let mut terminal = Terminal::default();
        let letters: Vec<char> = text.chars().collect();
        let mut out = String::new();
        for piece in letters.chunks(size) {
            out.push_str(&terminal.push(&piece.iter().collect::<String>()));
        }
        out.push_str(&terminal.end());
        out.replace(RESET, "<>").replace(BOLD, "<b>").replace(DIM, "<d>").replace(CODE, "<c>")
    }

    #[test]
    fn marks_become_styles_however_they_come() {
        for (text, expected) in [
            ("plain\ntext", "plain\ntext"),
            ("# Head\nrest", "<b>Head<>\nrest"),
            ("#tag", "#tag"),
            ("a **b** c", "a <><b>b<> c"),
            ("a * b *c*", "a * b *c*"),
            ("a `b*c` d", "a <><c>b*c<> d"),
            ("`b` d", "<><c>b<> d"),
            ("```rust\nlet a = \"**\";\n# x\n```\nend", "<d>rust<c>\nlet a = \"**\";\n# x\n<>\nend"),
            ("- one\n- two", "- one\n- two"),
            ("open **bold", "open <><b>bold<>"),
            ("esc \u{1b}[2J", "esc [2J"),
        ] {
            for size in [1, 2, 100] {
                assert_eq!(shown(text, size), expected, "{text:?}, {size} at a time");
            }
        }
    }
}
