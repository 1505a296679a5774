//! Events to elements. The longest file here, since it is one `match` over all that Markdown has; what has
//! rules of its own (links, raw HTML, colours, footnotes) is elsewhere.

use std::fmt::Write as _;
use std::ops::Range;

use pulldown_cmark::{Alignment, CodeBlockKind, Event, HeadingLevel, LinkType, Tag, TagEnd};

use super::doc::Doc;
use super::links::{self, escape};
use super::notes::Notes;
use super::render::{CODE_END, Made, PARAGRAPH, TABLE_END, code_head, language, list_end, list_head};
use super::{highlight, mathml, sanitize};

#[allow(clippy::struct_excessive_bools, reason = "places in a document, not options")]
/// Walks events and writes elements. Raw tags that stay open are closed with the element they stand in.
pub(super) struct Writer<'d, 'a> {
    doc: &'d Doc<'a>,
    light: bool,
    loose: bool,
    notes: Option<&'d mut Notes>,
    out: String,
    /// Running text not yet written: pieces are joined, so that an address is seen whole.
    text: String,
    /// Code was written that colours make a difference to.
    pub code: bool,
    /// Names of open raw elements, and how many there were when each open element began.
    raw: Vec<String>,
    marks: Vec<usize>,
    /// Per open Markdown link: whether it was written.
    links: Vec<bool>,
    /// Inside an image: its address and title; `text` gathers the words.
    images: Vec<(String, String)>,
    code_language: Option<String>,
    in_html: bool,
    aligns: Vec<Alignment>,
    cell: usize,
    in_head: bool,
    lists: Vec<Option<u64>>,
    /// Open elements are items where text is to become a paragraph; whether it has begun.
    items: Vec<(usize, bool)>,
}

impl<'d, 'a> Writer<'d, 'a> {
    pub fn new(doc: &'d Doc<'a>, light: bool, loose: bool, notes: Option<&'d mut Notes>) -> Self {
        Writer {
            doc,
            light,
            loose,
            notes,
            out: String::new(),
            text: String::new(),
            code: false,
            raw: Vec::new(),
            marks: Vec::new(),
            links: Vec::new(),
            images: Vec::new(),
            code_language: None,
            in_html: false,
            aligns: Vec::new(),
            cell: 0,
            in_head: false,
            lists: Vec::new(),
            items: Vec::new(),
        }
    }

    /// One top-level block; nothing when nothing remains of it.
    pub fn block(mut self, events: Range<usize>) -> Option<Made> {
        self.run(events);
        let code = self.code;
        let html = self.end();
        (!html.is_empty() && html != "<p dir=\"auto\"></p>").then_some(Made { html, code })
    }

    /// What was written.
    pub fn end(mut self) -> String {
        self.flush();
        self.out
    }

    /// Writes these events.
    pub fn run(&mut self, events: Range<usize>) {
        let doc = self.doc;
        let mut at = events.start;
        while at < events.end {
            match &doc.events[at].0 {
                Event::Start(Tag::FootnoteDefinition(_)) => {
                    at = self.skip(at);
                    continue;
                }
                Event::Start(tag) => self.open(tag, at),
                Event::End(tag) => self.close(*tag),
                Event::TaskListMarker(_) if self.stands_alone(at) => {
                    let loose = std::mem::take(&mut self.items);
                    self.inline(&doc.events[at].0);
                    self.items = loose;
                }
                event => self.inline(event),
            }
            at += 1;
        }
    }

    /// Whether a task's box has nothing behind it on its line: it is no paragraph then, in a loose list either.
    fn stands_alone(&self, at: usize) -> bool {
        let box_end = self.doc.events[at].1.end;
        self.doc.events.get(at + 1).is_none_or(|(next, range)| {
            let between = self.doc.source.get(box_end..range.start);
            matches!(next, Event::End(TagEnd::Item)) || between.is_some_and(|text| text.contains('\n'))
        })
    }

    /// The index behind the element that begins at `at`.
    fn skip(&self, at: usize) -> usize {
        let mut depth = 0_usize;
        for (offset, (event, _)) in self.doc.events[at..].iter().enumerate() {
            match event {
                Event::Start(_) => depth += 1,
                Event::End(_) => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return at + offset + 1;
            }
        }
        self.doc.events.len()
    }

    fn flush(&mut self) {
        if self.text.is_empty() || !self.images.is_empty() {
            return;
        }
        let text = std::mem::take(&mut self.text);
        if self.in_link() {
            escape(&text, &mut self.out);
        } else {
            links::link_bare(&text, &mut self.out);
        }
    }

    fn in_link(&self) -> bool {
        self.links.contains(&true) || self.raw.iter().any(|name| name == "a")
    }

    /// The address, when it may be a link here.
    fn allowed<'u>(&self, url: &'u str) -> Option<&'u str> {
        if self.doc.is_bare() { Some(url) } else { links::allowed(url).filter(|_| !self.in_link()) }
    }

    fn inline(&mut self, event: &Event) {
        if self.code_language.is_some() || self.in_html {
            if let Event::Text(text) | Event::Html(text) = event {
                self.text.push_str(text);
            }
            return;
        }
        if *event == Event::Rule {
            self.end_implied();
            self.flush();
            return self.out.push_str("<hr>");
        }
        self.begin_implied();
        match event {
            Event::Text(text) => return self.text.push_str(text),
            Event::SoftBreak => return self.text.push('\n'),
            Event::Code(text) | Event::InlineMath(text) | Event::DisplayMath(text) if !self.images.is_empty() => {
                return self.text.push_str(text);
            }
            Event::HardBreak if !self.images.is_empty() => return self.text.push('\n'),
            _ if !self.images.is_empty() => return,
            _ => self.flush(),
        }
        match event {
            Event::Code(text) => {
                self.out.push_str("<code>");
                escape(text, &mut self.out);
                self.out.push_str("</code>");
            }
            Event::InlineMath(tex) => mathml::write(tex, false, &mut self.out),
            Event::DisplayMath(tex) => mathml::write(tex, true, &mut self.out),
            Event::HardBreak => self.out.push_str("<br>"),
            Event::TaskListMarker(done) => {
                let (state, label) = if *done { (" checked", "Done") } else { ("", "To do") };
                let _ = write!(self.out, "<input type=\"checkbox\" disabled{state} aria-label=\"{label}\"> ");
            }
            Event::FootnoteReference(label) => {
                if let Some(notes) = self.notes.as_mut() {
                    notes.mention(label, &mut self.out);
                } else {
                    let _ = write!(self.text, "[^{label}]");
                }
            }
            Event::InlineHtml(tag) | Event::Html(tag) => self.raw_tag(tag),
            _ => {}
        }
    }

    fn raw_tag(&mut self, tag: &str) {
        if self.doc.is_bare() {
            return self.out.push_str(tag);
        }
        match sanitize::inline(tag, self.in_link()) {
            sanitize::Inline::Whole(html) => self.out.push_str(&html),
            sanitize::Inline::Open(name, html) => {
                self.out.push_str(&html);
                self.raw.push(name);
            }
            sanitize::Inline::Close(name) => {
                let floor = self.marks.last().copied().unwrap_or(0);
                if let Some(at) = self.raw[floor..].iter().rposition(|open| *open == name) {
                    self.close_raw(floor + at);
                }
            }
        }
    }

    fn close_raw(&mut self, down_to: usize) {
        while self.raw.len() > down_to {
            let name = self.raw.pop().unwrap_or_default();
            let _ = write!(self.out, "</{name}>");
        }
    }

    /// In a list made loose: text directly in an item begins a paragraph.
    fn begin_implied(&mut self) {
        let depth = self.marks.len();
        if let Some((at, begun)) = self.items.last_mut()
            && *at == depth
            && !*begun
        {
            *begun = true;
            self.out.push_str("<p>");
        }
    }

    fn end_implied(&mut self) {
        let depth = self.marks.len();
        let Some((at, begun)) = self.items.last_mut() else {
            return;
        };
        if *at == depth && *begun {
            *begun = false;
            self.flush();
            self.close_raw(self.marks.last().copied().unwrap_or(0));
            self.out.push_str("</p>");
        }
    }

    fn open(&mut self, tag: &Tag, at: usize) {
        if matches!(tag, Tag::Emphasis | Tag::Strong | Tag::Strikethrough | Tag::Link { .. } | Tag::Image { .. }) {
            self.begin_implied();
        } else {
            self.end_implied();
        }
        self.flush();
        self.marks.push(self.raw.len());
        let quiet = !self.images.is_empty();
        match tag {
            Tag::Image { dest_url, title, .. } => self.images.push((dest_url.to_string(), title.to_string())),
            _ if quiet => {}
            // Inside another block, which takes its direction from the words in it: they must not have one of their own.
            Tag::Paragraph => self.out.push_str(if self.marks.len() > 1 { "<p>" } else { PARAGRAPH }),
            Tag::Heading { level, .. } => {
                let _ = write!(self.out, "<h{} dir=\"auto\">", rank(*level));
            }
            Tag::BlockQuote(_) => self.out.push_str("<blockquote dir=\"auto\">"),
            Tag::CodeBlock(CodeBlockKind::Fenced(info)) => {
                self.code_language = Some(language(info).to_owned());
            }
            Tag::CodeBlock(CodeBlockKind::Indented) => self.code_language = Some(String::new()),
            Tag::HtmlBlock => self.in_html = true,
            Tag::List(start) => {
                self.out.push_str(&list_head(*start));
                self.lists.push(*start);
            }
            Tag::Item => self.item(at),
            Tag::Table(aligns) => {
                self.aligns.clone_from(aligns);
                self.out.push_str(
                    "<div class=\"table\" tabindex=\"0\" role=\"group\" aria-label=\"Table\"><table dir=\"auto\">",
                );
            }
            Tag::TableHead => {
                self.in_head = true;
                self.cell = 0;
                self.out.push_str("<thead><tr>");
            }
            Tag::TableRow => {
                self.cell = 0;
                self.out.push_str("<tr>");
            }
            Tag::TableCell => self.table_cell(),
            Tag::Emphasis => self.out.push_str("<em>"),
            Tag::Strong => self.out.push_str("<strong>"),
            Tag::Strikethrough => self.out.push_str("<del>"),
            Tag::Link { link_type, dest_url, title, .. } => {
                let url =
                    if *link_type == LinkType::Email { format!("mailto:{dest_url}") } else { dest_url.to_string() };
                let url = self.allowed(&url);
                if let Some(url) = url {
                    links::open(url, title, &mut self.out);
                }
                self.links.push(url.is_some());
            }
            _ => {}
        }
    }

    fn item(&mut self, at: usize) {
        let task = self.doc.events[at + 1..].iter().take(2).any(|(event, _)| matches!(event, Event::TaskListMarker(_)))
            && !matches!(self.doc.events[at + 1].0, Event::Start(Tag::List(_)));
        self.out.push_str(if task { "<li class=\"task\">" } else { "<li>" });
        if self.loose && self.lists.len() == 1 {
            self.items.push((self.marks.len(), false));
        }
    }

    fn table_cell(&mut self) {
        let name = if self.in_head { "th" } else { "td" };
        let class = match self.aligns.get(self.cell) {
            Some(Alignment::Left) => " class=\"align-left\"",
            Some(Alignment::Center) => " class=\"align-center\"",
            Some(Alignment::Right) => " class=\"align-right\"",
            _ => "",
        };
        let _ = write!(self.out, "<{name}{class}>");
        self.cell += 1;
    }

    fn close(&mut self, tag: TagEnd) {
        if tag == TagEnd::Item {
            self.end_implied();
        }
        if !matches!(tag, TagEnd::CodeBlock | TagEnd::HtmlBlock) {
            self.flush();
        }
        let mark = self.marks.pop().unwrap_or(0);
        self.close_raw(mark);
        let quiet = !self.images.is_empty();
        match tag {
            TagEnd::Image => self.end_image(),
            _ if quiet => {}
            TagEnd::Paragraph => self.out.push_str("</p>"),
            TagEnd::Heading(level) => {
                let _ = write!(self.out, "</h{}>", rank(level));
            }
            TagEnd::BlockQuote(_) => self.out.push_str("</blockquote>"),
            TagEnd::CodeBlock => self.end_code(),
            TagEnd::HtmlBlock => self.end_html(),
            TagEnd::List(_) => {
                let start = self.lists.pop().unwrap_or_default();
                self.out.push_str(list_end(start));
            }
            TagEnd::Item => {
                if self.items.last().is_some_and(|(at, _)| *at == self.marks.len() + 1) {
                    self.items.pop();
                }
                self.out.push_str("</li>");
            }
            TagEnd::Table => self.out.push_str(TABLE_END),
            TagEnd::TableHead => {
                self.in_head = false;
                self.out.push_str("</tr></thead><tbody>");
            }
            TagEnd::TableRow => self.out.push_str("</tr>"),
            TagEnd::TableCell => self.out.push_str(if self.in_head { "</th>" } else { "</td>" }),
            TagEnd::Emphasis => self.out.push_str("</em>"),
            TagEnd::Strong => self.out.push_str("</strong>"),
            TagEnd::Strikethrough => self.out.push_str("</del>"),
            TagEnd::Link if self.links.pop() == Some(true) => self.out.push_str("</a>"),
            _ => {}
        }
    }

    /// A picture from elsewhere would tell its server who reads what: it becomes a link.
    fn end_image(&mut self) {
        let (url, title) = self.images.pop().unwrap_or_default();
        if !self.images.is_empty() {
            return;
        }
        let alt = std::mem::take(&mut self.text);
        let words = if alt.trim().is_empty() { url.as_str() } else { alt.as_str() };
        match self.allowed(&url) {
            Some(url) => {
                links::open(url, &title, &mut self.out);
                escape(words, &mut self.out);
                self.out.push_str("</a>");
            }
            None => escape(&alt, &mut self.out),
        }
    }

    fn end_code(&mut self) {
        let language = self.code_language.take().unwrap_or_default();
        let code = std::mem::take(&mut self.text);
        self.out.push_str(&code_head(&language));
        self.code |= highlight::applies(&language, &code);
        match self.light.then(|| highlight::highlight(&language, &code)).flatten() {
            Some(html) => self.out.push_str(&html),
            None => escape(&code, &mut self.out),
        }
        self.out.push_str(CODE_END);
    }

    /// A `section`, because an `li` inside a `div` would end an item around it.
    fn end_html(&mut self) {
        self.in_html = false;
        let html = std::mem::take(&mut self.text);
        if self.doc.is_bare() {
            return self.out.push_str(&html);
        }
        let html = sanitize::block(&html);
        if !html.is_empty() {
            let _ = write!(self.out, "<section dir=\"auto\">{html}</section>");
        }
    }
}

fn rank(level: HeadingLevel) -> usize {
    (level as usize + 2).min(6)
}
