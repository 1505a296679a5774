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
    address(url, out);
    if !title.is_empty() {
        out.push_str("\" title=\"");
        escape(title, out);
    }
    let _ = write!(out, "\"{LINK}>");
}

/// An address as an attribute: what may not stand in one as it is becomes `%XX`, as CommonMark's examples have it. An
/// IPv6 host keeps its brackets, for without them it is none.
fn address(url: &str, out: &mut String) {
    let host = url.find("://").map_or(0, |at| at + 3);
    let path = url[host..].find(['/', '?', '#']).map_or(url.len(), |at| host + at);
    for (at, byte) in url.bytes().enumerate() {
        let bracket = matches!(byte, b'[' | b']') && (host..path).contains(&at);
        match byte {
            b'&' => out.push_str("&amp;"),
            _ if bracket || byte.is_ascii_alphanumeric() || b"-_.+!*'(),%#@?=;:/$~".contains(&byte) => {
                out.push(char::from(byte));
            }
            _ => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
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
    let head = &text[from..colon];
    let letters = head.bytes().rev().take(6).take_while(u8::is_ascii_alphanumeric).count();
    let start = colon - letters;
    let word = &text[start..colon];
    if word.eq_ignore_ascii_case("mailto") {
        // only with nothing but the address itself behind it
        let sign = text[colon + 1..].find('@').map(|at| colon + 1 + at)?;
        let (local, end, _) = email(text, colon + 1, sign)?;
        return (local == colon + 1).then_some((start, end, ""));
    }
    if !text[colon..].starts_with("://") || !(word.eq_ignore_ascii_case("http") || word.eq_ignore_ascii_case("https")) {
        return None;
    }
    let host = colon + 3;
    let good = text[host..].starts_with('[') || domain(&text[host..]).is_some();
    let end = extent(text, host);
    (good && end > host).then_some((start, end, ""))
}

fn www(text: &str, from: usize, at: usize) -> Found {
    let before = text[from..at].chars().next_back();
    let free = before.is_none_or(|c| c.is_whitespace() || !c.is_ascii() || "*_~(\"'".contains(c));
    let is_www = text.get(at..at + 4).is_some_and(|head| head.eq_ignore_ascii_case("www."));
    let good = free && is_www && domain(&text[at..]).is_some_and(|domain| domain.contains('.'));
    good.then(|| (at, extent(text, at), "http://"))
}

/// The host's name that the text begins with: segments of letters, digits, `-` and `_` with a dot between them, the last
/// two without `_`.
fn domain(text: &str) -> Option<&str> {
    let length = text.find(|c: char| !c.is_alphanumeric() && !matches!(c, '.' | '-' | '_')).unwrap_or(text.len());
    let name = text[..length].trim_end_matches(['.', '_']);
    let whole = name.split('.').all(|segment| !segment.is_empty());
    (whole && !name.rsplit('.').take(2).any(|segment| segment.contains('_'))).then_some(name)
}

fn email(text: &str, from: usize, sign: usize) -> Found {
    let local = |byte: &u8| byte.is_ascii_alphanumeric() || b".-_+".contains(byte);
    let before = text.as_bytes()[from..sign].iter().rev().take_while(|byte| local(byte)).count();
    let behind = &text.as_bytes()[sign + 1..];
    let in_host = |at: &usize| match behind[*at] {
        b'.' => behind.get(at + 1).is_some_and(u8::is_ascii_alphanumeric),
        byte => byte.is_ascii_alphanumeric() || b"-_".contains(&byte),
    };
    let after = (0..behind.len()).take_while(in_host).count();
    let domain = &text[sign + 1..sign + 1 + after];
    let good = before > 0 && domain.contains('.') && !domain.starts_with('.') && !domain.ends_with(['-', '_']);
    // somebody's address for chats is not one for letters
    let chat = text[from..sign - before].to_ascii_lowercase().ends_with("xmpp:");
    (good && !chat).then_some((sign - before, sign + 1 + after, "mailto:"))
}

/// Where the address that goes on at `start` ends: at white space, `<`, a double quote or wide punctuation; without
/// trailing punctuation, closing brackets that were not opened in it, or something like an entity.
fn extent(text: &str, start: usize) -> usize {
    let stops = |c: char| {
        c.is_whitespace() || c == '<' || c == '"' || matches!(c, '\u{3000}'..='\u{303f}' | '\u{ff00}'..='\u{ffef}')
    };
    let mut url = &text[start..];
    url = &url[..url.find(stops).unwrap_or(url.len())];
    let extra = |open: char, close: char| url.matches(close).count().saturating_sub(url.matches(open).count());
    let (mut round, mut square) = (extra('(', ')'), extra('[', ']'));
    loop {
        match url.chars().next_back() {
            Some('?' | '!' | '.' | ',' | ':' | '*' | '_' | '~' | '\'' | '|' | '`') => {}
            Some(')') if round > 0 => round -= 1,
            Some(']') if square > 0 => square -= 1,
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
