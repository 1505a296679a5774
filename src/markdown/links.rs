//! Which addresses may be links, and where bare ones stand in running text. Nothing here knows Markdown.

use std::fmt::Write as _;

/// What every link to the outside carries.
pub(super) const LINK: &str = r#" rel="noopener noreferrer nofollow" target="_blank""#;

/// Escapes text for element content and for attributes in double quotes.
pub(super) fn escape(text: &str, out: &mut String) {
    let mut from = 0;
    for (at, byte) in text.bytes().enumerate() {
        let entity = match byte {
            b'&' => "&amp;",
            b'<' => "&lt;",
            b'>' => "&gt;",
            b'"' => "&quot;",
            _ => continue,
        };
        out.push_str(&text[from..at]);
        out.push_str(entity);
        from = at + 1;
    }
    out.push_str(&text[from..]);
}

/// The address when it is absolute with a scheme of ours (`http`, `https`, `mailto`), else nothing: a link
/// of the text never leads into this site, and never runs.
pub(super) fn allowed(url: &str) -> Option<&str> {
    let url = url.trim();
    let (scheme, rest) = url.split_once(':')?;
    let known = if scheme.eq_ignore_ascii_case("mailto") {
        !rest.is_empty()
    } else {
        (scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https"))
            && rest.len() > 2
            && rest.starts_with("//")
    };
    (known && !url.chars().any(char::is_control)).then_some(url)
}

/// The start tag of a link to `url`, which `allowed` has passed.
pub(super) fn open(url: &str, title: &str, out: &mut String) {
    out.push_str("<a href=\"");
    escape(url, out);
    if !title.is_empty() {
        out.push_str("\" title=\"");
        escape(title, out);
    }
    let _ = write!(out, "\"{LINK}>");
}

/// Escapes `text` and makes links of the bare addresses in it, by the rules of GFM's extended autolinks.
pub(super) fn link_bare(text: &str, out: &mut String) {
    if !text.bytes().any(|byte| matches!(byte, b'.' | b'@' | b':')) {
        return escape(text, out);
    }
    let mut from = 0;
    let mut at = 0;
    while let Some(step) = text[at..].find([':', '@', 'w', 'W']) {
        at += step;
        let found = match text.as_bytes()[at] {
            b':' => scheme(text, from, at),
            b'@' => email(text, from, at),
            _ => www(text, from, at),
        };
        if let Some((start, end, prefix)) = found {
            escape(&text[from..start], out);
            let shown = &text[start..end];
            open(&format!("{prefix}{shown}"), "", out);
            escape(shown, out);
            out.push_str("</a>");
            from = end;
            at = end;
        } else {
            at += 1;
        }
    }
    escape(&text[from..], out);
}

type Found = Option<(usize, usize, &'static str)>;

fn scheme(text: &str, from: usize, colon: usize) -> Found {
    if !text[colon..].starts_with("://") {
        return None;
    }
    let head = &text[from..colon];
    let letters = head.bytes().rev().take(6).take_while(u8::is_ascii_alphanumeric).count();
    let word = &head[head.len() - letters..];
    if !word.eq_ignore_ascii_case("http") && !word.eq_ignore_ascii_case("https") {
        return None;
    }
    let host = colon + 3;
    let end = extent(text, host);
    let domain = &text[host..end];
    let good = domain.starts_with(|c: char| c.is_alphanumeric() || c == '[');
    good.then_some((colon - letters, end, ""))
}

fn www(text: &str, from: usize, at: usize) -> Found {
    let before = text[from..at].chars().next_back();
    let free = before.is_none_or(|c| c.is_whitespace() || !c.is_ascii() || "*_~(\"'".contains(c));
    let is_www = text.get(at..at + 4).is_some_and(|head| head.eq_ignore_ascii_case("www."));
    if !free || !is_www {
        return None;
    }
    let end = extent(text, at);
    let host = text[at + 4..end.max(at + 4)].split(['/', '?', '#', ':']).next().unwrap_or("");
    let good = host.contains('.') && host.starts_with(char::is_alphanumeric) && !host.contains("..");
    good.then_some((at, end, "https://"))
}

fn email(text: &str, from: usize, sign: usize) -> Found {
    let local = |byte: &u8| byte.is_ascii_alphanumeric() || b".-_+".contains(byte);
    let host = |byte: &u8| byte.is_ascii_alphanumeric() || b".-_".contains(byte);
    let before = text.as_bytes()[from..sign].iter().rev().take_while(|byte| local(byte)).count();
    let after = text.as_bytes()[sign + 1..].iter().take_while(|byte| host(byte)).count();
    let domain = text[sign + 1..sign + 1 + after].trim_end_matches('.');
    let good = before > 0
        && domain.contains('.')
        && !domain.contains("..")
        && !domain.starts_with('.')
        && !domain.ends_with(['-', '_']);
    good.then_some((sign - before, sign + 1 + domain.len(), "mailto:"))
}

/// Where the address that goes on at `start` ends: at white space, `<`, or wide punctuation; without
/// trailing punctuation, closing parentheses that were not opened in it, or something like an entity.
fn extent(text: &str, start: usize) -> usize {
    let stops = |c: char| {
        c.is_whitespace() || c == '<' || c == '"' || matches!(c, '\u{3000}'..='\u{303f}' | '\u{ff00}'..='\u{ffef}')
    };
    let mut url = &text[start..];
    url = &url[..url.find(stops).unwrap_or(url.len())];
    let mut opened = url.matches('(').count();
    let mut closed = url.matches(')').count();
    loop {
        match url.chars().next_back() {
            Some('?' | '!' | '.' | ',' | ':' | '*' | '_' | '~' | '\'' | '|' | '`') => {}
            Some(')') if closed > opened => closed -= 1,
            Some('(') => opened -= 1,
            Some(';') => {
                let name = url[..url.len() - 1].trim_end_matches(|c: char| c.is_ascii_alphanumeric());
                if name.ends_with('&') && name.len() + 1 < url.len() {
                    url = &name[..name.len() - 1];
                    continue;
                }
            }
            _ => return start + url.len(),
        }
        url = &url[..url.len() - url.chars().next_back().map_or(0, char::len_utf8)];
    }
}
