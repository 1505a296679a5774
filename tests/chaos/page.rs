//! A page as a browser would have it: a small tree of elements, and what the feed's fragments do to it. Pure. It knows
//! the wrappers: a `<hx-patch>` finds its target in its turn, an `<hx-partial>` before anything of its event is put in.

use super::html::{Node, join, parse};

/// Where an element is: the index of the child at every step down.
type Place = Vec<usize>;

/// What became of one event's fragments.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// Patches that aimed below a message that is there, at an element that is not.
    pub missed: Vec<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    roots: Vec<Node>,
}

impl Page {
    pub fn parse(html: &str) -> Self {
        Self { roots: parse(html) }
    }

    /// Only these elements, by id prefix, at any depth; the outermost ones.
    pub fn only(html: &str, wanted: impl Fn(&str) -> bool) -> Self {
        fn walk(nodes: Vec<Node>, wanted: &impl Fn(&str) -> bool, found: &mut Vec<Node>) {
            for node in nodes {
                if node.attribute("id").is_some_and(wanted) {
                    found.push(node);
                } else if let Node::Element { children, .. } = node {
                    walk(children, wanted, found);
                }
            }
        }
        let mut roots = Vec::new();
        walk(parse(html), &wanted, &mut roots);
        Self { roots }
    }

    /// One spelling for equal pages.
    pub fn spelled(&self) -> String {
        let mut out = String::new();
        for root in &self.roots {
            root.write(&mut out);
        }
        out
    }

    /// The words of an element.
    pub fn words(&self, id: &str) -> Option<String> {
        let mut out = String::new();
        self.at(&self.place(id)?).words(&mut out);
        Some(out)
    }

    /// The words of a child of an element, by the child's class.
    pub fn sentence(&self, id: &str, class: &str) -> Option<String> {
        let mut out = String::new();
        let child = self.at(&self.place(id)?).children().iter().find(|child| child.has_class(class))?;
        for child in child.children() {
            child.words(&mut out);
        }
        Some(out)
    }

    pub fn attribute(&self, id: &str, name: &str) -> Option<String> {
        self.at(&self.place(id)?).attribute(name).map(str::to_owned)
    }

    pub fn has(&self, id: &str) -> bool {
        self.place(id).is_some()
    }

    /// Every id on the page, in order.
    pub fn ids(&self) -> Vec<String> {
        fn walk(nodes: &[Node], found: &mut Vec<String>) {
            for node in nodes {
                found.extend(node.attribute("id").map(str::to_owned));
                walk(node.children(), found);
            }
        }
        let mut found = Vec::new();
        walk(&self.roots, &mut found);
        found
    }

    /// Where the forms on the page lead to, in order.
    pub fn actions(&self) -> Vec<String> {
        fn walk(nodes: &[Node], found: &mut Vec<String>) {
            for node in nodes {
                found.extend(node.attribute("action").map(str::to_owned));
                walk(node.children(), found);
            }
        }
        let mut found = Vec::new();
        walk(&self.roots, &mut found);
        found
    }

    fn place(&self, id: &str) -> Option<Place> {
        fn walk(nodes: &[Node], id: &str, place: &mut Place) -> bool {
            for (at, node) in nodes.iter().enumerate() {
                place.push(at);
                if node.attribute("id") == Some(id) || walk(node.children(), id, place) {
                    return true;
                }
                place.pop();
            }
            false
        }
        let mut place = Vec::new();
        walk(&self.roots, id, &mut place).then_some(place)
    }

    fn at(&self, place: &Place) -> &Node {
        let mut node = &self.roots[place[0]];
        for at in &place[1..] {
            node = &node.children()[*at];
        }
        node
    }

    fn siblings(&mut self, place: &Place) -> &mut Vec<Node> {
        let mut nodes = &mut self.roots;
        for at in &place[..place.len() - 1] {
            nodes = nodes[*at].children_mut().expect("a place leads through elements");
        }
        nodes
    }

    /// The element that a selector of a fragment means: `#id`, then `> :nth-child(n)` or `> [name='value']` any number
    /// of times; before it maybe `body:has(#id:is([name='value'], …))`. `Err` when the message is here and its element is
    /// not.
    fn select(&self, selector: &str) -> Result<Option<Place>, ()> {
        if let Some((other, selector)) = selector.strip_prefix("body:has(#").and_then(|rest| rest.split_once(")) ")) {
            let (id, wanted) = other.split_once(":is(").ok_or(())?;
            let is = |(name, value): (&str, &str)| self.attribute(id, name).as_deref() == Some(value);
            let any = wanted.split(", ").filter_map(name_and_value).any(is);
            return if any { self.select(selector) } else { Ok(None) };
        }
        let mut parts = selector.split(" > ");
        let id = parts.next().unwrap_or_default().trim_start_matches('#');
        let Some(mut place) = self.place(id) else { return Ok(None) };
        for part in parts {
            if let Some((name, value)) = name_and_value(part) {
                let found = self.at(&place).children().iter().position(|child| child.attribute(name) == Some(value));
                let Some(at) = found else { return Ok(None) };
                place.push(at);
                continue;
            }
            let n: usize = part.trim_start_matches(":nth-child(").trim_end_matches(')').parse().map_err(drop)?;
            let children = self.at(&place).children();
            let elements = children.iter().enumerate().filter(|(_, child)| child.is_element());
            let (at, _) = elements.into_iter().nth(n.wrapping_sub(1)).ok_or(())?;
            place.push(at);
        }
        Ok(Some(place))
    }

    /// Does what the data of one event says.
    pub fn apply(&mut self, data: &str) -> Applied {
        let wrappers: Vec<Node> = parse(data).into_iter().filter(Node::is_element).collect();
        // the targets of partials are found before anything of the event is put in; those of patches in their turn
        let there: Vec<bool> =
            wrappers.iter().map(|w| w.attribute("hx-target").is_some_and(|t| self.has(&t[1..]))).collect();
        let mut applied = Applied::default();
        for (wrapper, there) in wrappers.into_iter().zip(there) {
            let (Some(target), Some(swap)) = (wrapper.attribute("hx-target"), wrapper.attribute("hx-swap")) else {
                continue;
            };
            if wrapper.tag() == "hx-partial" && !there {
                continue;
            }
            match self.select(target) {
                Ok(Some(place)) => {
                    let swap = swap.to_owned();
                    let Node::Element { children, .. } = wrapper else { continue };
                    self.swap(&place, &swap, children);
                }
                Ok(None) => {}
                Err(()) => applied.missed.push(format!("{target} {swap}")),
            }
        }
        applied
    }

    fn swap(&mut self, place: &Place, swap: &str, content: Vec<Node>) {
        let at = place[place.len() - 1];
        let siblings = self.siblings(place);
        let children = siblings[at].children_mut().expect("targets are elements");
        match swap {
            "beforeend" => children.extend(content),
            "innerHTML" => *children = content,
            "textContent" => {
                let mut text = String::new();
                for node in &content {
                    node.words(&mut text);
                }
                *children = vec![Node::Text(text)];
            }
            "beforebegin" => drop(siblings.splice(at..at, content)),
            "outerHTML" | "outerMorph" => drop(siblings.splice(at..=at, content)),
            "delete" => drop(siblings.remove(at)),
            other => panic!("the feed uses a swap that this reader does not know: {other}"),
        }
        join(self.siblings(place));
        if let Some(children) = self.siblings(place).get_mut(at).and_then(Node::children_mut) {
            join(children);
        }
    }
}

/// `[name='value']`.
fn name_and_value(part: &str) -> Option<(&str, &str)> {
    part.strip_prefix('[')?.strip_suffix("']")?.split_once("='")
}
