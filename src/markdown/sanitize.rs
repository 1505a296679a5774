//! The wall for raw HTML in a text: an allow-list of elements, attributes and URL schemes (ammonia). What
//! comes out is balanced and holds nothing that styles, names, runs or loads. Only raw HTML goes through
//! here; what `render` writes itself is escaped and added around it afterwards.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::sync::LazyLock;

use super::links;

/// Elements that may stand in running text. Void ones are `br` and `wbr`; `img` becomes a link.
const INLINE: [&str; 27] = [
    "a", "abbr", "b", "bdi", "br", "cite", "code", "del", "dfn", "em", "i", "img", "ins", "kbd", "mark", "q", "s",
    "samp", "small", "span", "strong", "sub", "sup", "time", "u", "var", "wbr",
];
/// Elements that may stand in a block of HTML besides those.
const BLOCK: [&str; 28] = [
    "blockquote",
    "caption",
    "dd",
    "details",
    "div",
    "dl",
    "dt",
    "figcaption",
    "figure",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "li",
    "ol",
    "p",
    "pre",
    "section",
    "summary",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "tr",
    "ul",
];

static WALL: LazyLock<ammonia::Builder<'static>> = LazyLock::new(|| {
    let mut wall = ammonia::Builder::empty();
    let mut attributes: HashMap<&str, HashSet<&str>> = HashMap::new();
    attributes.insert("a", HashSet::from(["href"]));
    attributes.insert("img", HashSet::from(["src", "alt"]));
    attributes.insert("td", HashSet::from(["colspan", "rowspan"]));
    attributes.insert("th", HashSet::from(["colspan", "rowspan"]));
    attributes.insert("ol", HashSet::from(["start"]));
    attributes.insert("details", HashSet::from(["open"]));
    attributes.insert("time", HashSet::from(["datetime"]));
    wall.tags(INLINE.into_iter().chain(BLOCK).collect())
        .clean_content_tags(HashSet::from([
            "script",
            "style",
            "template",
            "iframe",
            "noscript",
            "object",
            "svg",
            "math",
            "select",
            "textarea",
            "title",
            "noembed",
            "noframes",
            "xmp",
            "plaintext",
            "audio",
            "video",
            "canvas",
        ]))
        .tag_attributes(attributes)
        .generic_attributes(HashSet::from(["title", "lang", "dir"]))
        .url_schemes(HashSet::from(["http", "https", "mailto"]))
        .url_relative(ammonia::UrlRelative::Deny)
        .link_rel(Some("noopener noreferrer nofollow"))
        .set_tag_attribute_value("a", "target", "_blank")
        .strip_comments(true);
    wall
});

/// A block of raw HTML, balanced and harmless; empty when nothing remains.
pub(super) fn block(html: &str) -> String {
    let clean = WALL.clean(html).to_string();
    let clean = images_to_links(&clean);
    if clean.trim().is_empty() { String::new() } else { clean }
}

/// One raw tag in running text.
pub(super) enum Inline {
    /// An element that stays open, with its start tag.
    Open(String, String),
    /// The end of an element of this name.
    Close(String),
    /// Complete by itself, maybe nothing.
    Whole(String),
}

/// What remains of one raw tag. `in_link` says that a link is open, where no second may begin.
pub(super) fn inline(tag: &str, in_link: bool) -> Inline {
    let nothing = Inline::Whole(String::new());
    let body = tag.strip_prefix('<').unwrap_or_default();
    let (closing, body) = body.strip_prefix('/').map_or((false, body), |rest| (true, rest));
    let length = body.bytes().take_while(u8::is_ascii_alphanumeric).count();
    let name = body[..length].to_ascii_lowercase();
    if !INLINE.contains(&name.as_str()) || body[length..].starts_with('-') {
        return nothing;
    }
    if closing {
        return Inline::Close(name);
    }
    if in_link && matches!(name.as_str(), "a" | "img") {
        return nothing;
    }
    let clean = WALL.clean(tag).to_string();
    if name == "img" {
        return Inline::Whole(images_to_links(&clean));
    }
    match clean.strip_suffix(&format!("</{name}>")) {
        Some(open) if open.ends_with('>') => Inline::Open(name, open.to_owned()),
        _ => Inline::Whole(if matches!(name.as_str(), "br" | "wbr") { format!("<{name}>") } else { String::new() }),
    }
}

/// Makes links of images, in what the wall has written: there `<` stands for a tag and nothing else, since
/// the serialiser escapes it in text and in attributes.
fn images_to_links(clean: &str) -> String {
    let mut out = String::with_capacity(clean.len());
    let mut rest = clean;
    while let Some(at) = rest.find("<img") {
        out.push_str(&rest[..at]);
        let end = rest[at..].find('>').map_or(rest.len(), |step| at + step + 1);
        image(&rest[at..end], &mut out);
        rest = &rest[end..];
    }
    out.push_str(rest);
    out
}

fn image(tag: &str, out: &mut String) {
    let value = |name: &str| {
        let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
        rest.split_once('"').map(|(value, _)| value).filter(|value| !value.is_empty())
    };
    let (src, alt) = (value("src"), value("alt"));
    if let Some(src) = src {
        // Values are escaped already, by the serialiser.
        let _ = write!(out, "<a href=\"{src}\"{}>{}</a>", links::LINK, alt.unwrap_or(src));
    } else {
        out.push_str(alt.unwrap_or_default());
    }
}
