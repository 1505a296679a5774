//! HTML as a tree: read from what our templates write, spelled in one way to be compared. Pure.

use std::fmt::Write as _;

const VOID: [&str; 9] = ["br", "hr", "img", "input", "meta", "link", "col", "wbr", "source"];

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node {
    Text(String),
    Element { tag: String, attributes: Vec<(String, String)>, children: Vec<Node> },
}

impl Node {
    pub fn attribute(&self, name: &str) -> Option<&str> {
        match self {
            Self::Element { attributes, .. } => attributes.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str()),
            Self::Text(_) => None,
        }
    }

    pub fn is_element(&self) -> bool {
        matches!(self, Self::Element { .. })
    }

    pub fn tag(&self) -> &str {
        match self {
            Self::Element { tag, .. } => tag,
            Self::Text(_) => "",
        }
    }

    pub fn children(&self) -> &[Node] {
        match self {
            Self::Element { children, .. } => children,
            Self::Text(_) => &[],
        }
    }

    pub fn children_mut(&mut self) -> Option<&mut Vec<Node>> {
        match self {
            Self::Element { children, .. } => Some(children),
            Self::Text(_) => None,
        }
    }

    pub fn has_class(&self, class: &str) -> bool {
        self.attribute("class").is_some_and(|all| all.split(' ').any(|one| one == class))
    }

    /// What is read: not the names of buttons, nor what is kept for copying, nor what a held-open page says at its end.
    pub fn words(&self, out: &mut String) {
        match self {
            Self::Text(text) => out.push_str(text),
            Self::Element { tag, children, .. } => {
                if !matches!(tag.as_str(), "button" | "template" | "figcaption" | "svg") && !self.has_class("live-end")
                {
                    for child in children {
                        child.words(out);
                    }
                }
            }
        }
    }

    /// One spelling for equal trees; how long is left of a countdown does not count, nor what the reader thinks of an
    /// answer, which no feed brings.
    pub fn write(&self, out: &mut String) {
        match self {
            Self::Text(text) => out.push_str(text),
            Self::Element { tag, attributes, children } => {
                let _ = write!(out, "<{tag}");
                for (name, value) in attributes.iter().filter(|(name, _)| name != "data-seconds") {
                    let _ = write!(out, " {name}={value:?}");
                }
                out.push('>');
                let told = !self.has_class("due") && !self.has_class("rating");
                for child in children.iter().filter(|_| told) {
                    child.write(out);
                }
                let _ = write!(out, "</{tag}>");
            }
        }
    }
}

/// Texts beside one another are one text; an empty one is none.
pub fn join(nodes: &mut Vec<Node>) {
    nodes.retain(|node| !matches!(node, Node::Text(text) if text.is_empty()));
    nodes.dedup_by(|later, earlier| match (earlier, later) {
        (Node::Text(earlier), Node::Text(later)) => {
            earlier.push_str(later);
            true
        }
        _ => false,
    });
}

/// Reads HTML as our templates write it: balanced, attributes in double quotes.
pub fn parse(html: &str) -> Vec<Node> {
    let mut open: Vec<Node> = vec![element("", Vec::new())];
    let mut rest = html;
    while !rest.is_empty() {
        let end = rest.find('<').unwrap_or(rest.len());
        if end > 0 {
            put(&mut open, Node::Text(decode(&rest[..end])));
            rest = &rest[end..];
            continue;
        }
        if let Some(after) = rest.strip_prefix("<!--") {
            rest = after.split_once("-->").map_or("", |(_, rest)| rest);
        } else if let Some(after) = rest.strip_prefix("<!") {
            rest = after.split_once('>').map_or("", |(_, rest)| rest);
        } else if let Some(after) = rest.strip_prefix("</") {
            let (tag, after) = after.split_once('>').unwrap_or((after, ""));
            rest = after;
            // an end without a beginning is passed over, as browsers do
            if let Some(depth) = open.iter().rposition(|node| node.tag() == tag).filter(|depth| *depth > 0) {
                while open.len() > depth {
                    let node = open.pop().expect("at least as many as that");
                    put(&mut open, node);
                }
            }
        } else {
            let (tag, attributes, closed, after) = start(&rest[1..]);
            rest = after;
            let node = element(&tag, attributes);
            if closed || VOID.contains(&tag.as_str()) { put(&mut open, node) } else { open.push(node) }
        }
    }
    while open.len() > 1 {
        let node = open.pop().expect("more than one");
        put(&mut open, node);
    }
    let mut root = open.remove(0);
    std::mem::take(root.children_mut().expect("the root is an element"))
}

fn element(tag: &str, attributes: Vec<(String, String)>) -> Node {
    Node::Element { tag: tag.to_owned(), attributes, children: Vec::new() }
}

fn put(open: &mut [Node], node: Node) {
    let children = open.last_mut().and_then(Node::children_mut).expect("the root stays open");
    children.push(node);
    join(children);
}

/// A start tag after its `<`: name, attributes, whether it closes itself, and what follows.
fn start(text: &str) -> (String, Vec<(String, String)>, bool, &str) {
    let end = text.find(|c: char| c.is_whitespace() || c == '>' || c == '/').unwrap_or(text.len());
    let tag = text[..end].to_owned();
    let mut rest = &text[end..];
    let mut attributes = Vec::new();
    loop {
        rest = rest.trim_start();
        if let Some(after) = rest.strip_prefix("/>") {
            return (tag, attributes, true, after);
        }
        if let Some(after) = rest.strip_prefix('>') {
            return (tag, attributes, false, after);
        }
        let end = rest.find(|c: char| c.is_whitespace() || c == '=' || c == '>').unwrap_or(rest.len());
        if end == 0 {
            return (tag, attributes, false, rest.get(1..).unwrap_or_default());
        }
        let name = rest[..end].to_owned();
        rest = &rest[end..];
        let value = match rest.strip_prefix("=\"") {
            Some(quoted) => {
                let (value, after) = quoted.split_once('"').unwrap_or((quoted, ""));
                rest = after;
                decode(value)
            }
            None => String::new(),
        };
        attributes.push((name, value));
    }
}

fn decode(text: &str) -> String {
    let mut parts = text.split('&');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let known = part.split_once(';').and_then(|(name, rest)| {
            let char = match name {
                "amp" => '&',
                "lt" => '<',
                "gt" => '>',
                "quot" => '"',
                "apos" => '\'',
                "nbsp" => '\u{a0}',
                _ => match name.strip_prefix("#x") {
                    Some(hex) => char::from_u32(u32::from_str_radix(hex, 16).ok()?)?,
                    None => char::from_u32(name.strip_prefix('#')?.parse().ok()?)?,
                },
            };
            Some((char, rest))
        });
        if let Some((char, rest)) = known {
            out.push(char);
            out.push_str(rest);
        } else {
            out.push('&');
            out.push_str(part);
        }
    }
    out
}
