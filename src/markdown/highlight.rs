//! Colours for code: syntect's scopes mapped to five short classes. Nothing here knows Markdown or HTML
//! beyond a `span`.
//!
//! `k` keyword or storage, `s` string, `f` function, `c` comment, `n` number or constant.

use std::sync::LazyLock;

use syntect::parsing::{ParseState, Scope, ScopeStack, SyntaxReference, SyntaxSet};

use super::links::escape;

/// Code longer than this (bytes) stays plain: about 60 ms of work.
const MAX_BYTES: usize = 64 * 1024;
/// Code with a line longer than this (bytes) stays plain: patterns backtrack on those.
const MAX_LINE: usize = 2 * 1024;

static SYNTAXES: LazyLock<SyntaxSet> = LazyLock::new(two_face::syntax::extra_newlines);

/// Scope prefixes and their class; `' '` stops the search with no class.
static CLASSES: LazyLock<Vec<(Scope, char)>> = LazyLock::new(|| {
    [
        ("comment", 'c'),
        ("meta.interpolation", ' '),
        ("meta.embedded", ' '),
        ("meta.template.expression", ' '),
        ("string", 's'),
        ("constant", 'n'),
        ("keyword.operator.word", 'k'),
        ("keyword.operator.logical", 'k'),
        ("keyword.operator", ' '),
        ("keyword", 'k'),
        ("storage", 'k'),
        ("entity.name.tag", 'k'),
        ("entity.name.function", 'f'),
        ("support.function", 'f'),
        ("support.macro", 'f'),
        ("variable.function", 'f'),
    ]
    .into_iter()
    .map(|(name, class)| (Scope::new(name).expect("a short literal is a scope"), class))
    .collect()
});

/// The language, if this code is to be coloured: one that is known, and neither too much nor in lines too long.
fn syntax(language: &str, code: &str) -> Option<&'static SyntaxReference> {
    let fits = code.len() <= MAX_BYTES && code.lines().all(|line| line.len() <= MAX_LINE);
    if fits { find(language) } else { None }
}

/// Whether colours make a difference.
pub(super) fn applies(language: &str, code: &str) -> bool {
    syntax(language, code).is_some()
}

/// The code as escaped HTML with spans, or nothing when it is to stay plain.
pub(super) fn highlight(language: &str, code: &str) -> Option<String> {
    let syntax = syntax(language, code)?;
    let mut state = ParseState::new(syntax);
    let mut stack = ScopeStack::new();
    let mut pen = Pen { out: String::with_capacity(code.len() * 2), class: ' ' };
    for line in code.split_inclusive('\n') {
        let mut from = 0;
        for (at, op) in state.parse_line(line, &SYNTAXES).ok()? {
            pen.write(&line[from..at], &stack);
            from = at;
            stack.apply(&op).ok()?;
        }
        pen.write(&line[from..], &stack);
    }
    Some(pen.end())
}

fn find(language: &str) -> Option<&'static SyntaxReference> {
    let lower = language.to_ascii_lowercase();
    let token = match lower.as_str() {
        "" | "text" | "plain" | "plaintext" | "txt" => return None,
        "shell" | "console" | "sh" | "zsh" => "bash",
        "golang" => "go",
        "jsonc" | "json5" => "json",
        "c#" => "cs",
        "node" | "mjs" | "cjs" => "js",
        "jsx" => "tsx",
        "postgres" | "postgresql" | "mysql" | "sqlite" => "sql",
        other => other,
    };
    SYNTAXES.find_syntax_by_token(token)
}

/// Writes spans, joining neighbours of one class.
struct Pen {
    out: String,
    class: char,
}

impl Pen {
    fn write(&mut self, text: &str, stack: &ScopeStack) {
        if text.is_empty() {
            return;
        }
        let blank = text.chars().all(char::is_whitespace);
        let class = if blank { self.class } else { class_of(stack) };
        if class != self.class {
            self.close();
            if class != ' ' {
                self.out.push_str("<span class=\"");
                self.out.push(class);
                self.out.push_str("\">");
            }
            self.class = class;
        }
        escape(text, &mut self.out);
    }

    fn close(&mut self) {
        if self.class != ' ' {
            // White space at the end of a span belongs behind it.
            let kept = self.out.trim_end().len();
            let space = self.out.split_off(kept);
            self.out.push_str("</span>");
            self.out.push_str(&space);
        }
    }

    fn end(mut self) -> String {
        self.close();
        self.out
    }
}

fn class_of(stack: &ScopeStack) -> char {
    let found = stack
        .as_slice()
        .iter()
        .rev()
        .find_map(|scope| CLASSES.iter().find(|(prefix, _)| prefix.is_prefix_of(*scope)).map(|(_, class)| *class));
    match found {
        // An escape in a string is part of the string.
        Some('n') if stack.as_slice().iter().any(|scope| is_string(*scope)) => 's',
        Some(class) => class,
        None => ' ',
    }
}

fn is_string(scope: Scope) -> bool {
    CLASSES.iter().any(|(prefix, class)| *class == 's' && prefix.is_prefix_of(scope))
}
