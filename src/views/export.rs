//! A chat as a Markdown file, and as a page to print.

use super::{Image, Me, assets, page, text};
use crate::base::ids::ChatId;
use time::{OffsetDateTime, UtcOffset, macros::format_description};

/// One message of the file.
pub struct Passage<'a> {
    pub mine: bool,
    /// `provider/name`; empty for a person's.
    pub model: &'a str,
    pub text: &'a str,
    /// What a person sent along.
    pub images: Vec<Image>,
    pub at: OffsetDateTime,
    /// Why it ended as it did, if there is something to say.
    pub reason: Option<&'a str>,
}

/// What the file begins with.
#[must_use]
pub fn heading(title: &str) -> String {
    format!("# {}\n", title.replace(['\n', '\r'], " "))
}

/// A message under a heading of its own.
#[must_use]
pub fn passage(passage: &Passage<'_>) -> String {
    let who = passage.who();
    let form = format_description!("[year]-[month]-[day] [hour]:[minute] UTC");
    let at = passage.at.to_offset(UtcOffset::UTC).format(form).unwrap_or_default();
    let reason = passage.reason.map(|reason| format!("\n*{reason}*\n")).unwrap_or_default();
    let image = |image: &Image| format!("*{}: {}*\n\n", text::IMAGE, image.name.replace('*', "\\*"));
    let images: String = passage.images.iter().map(image).collect();
    format!("\n## {who} · {at}\n\n{images}{}\n{reason}", closed(passage.text.trim_end()))
}

impl Passage<'_> {
    /// A person, or a model by its name.
    fn who(&self) -> &str {
        match self.model.split_once('/').map_or(self.model, |(_, name)| name) {
            _ if self.mine => text::YOU,
            "" => text::ANSWER,
            name => name,
        }
    }
}

/// Where the messages go that are sent one after another; see [`super::LIVE_MARK`].
const MESSAGES_MARK: &str = "<!--parlor:messages-->";

/// The whole shown path of a chat, for paper.
#[derive(askama::Template)]
#[template(path = "pages/print/page.html")]
pub struct PrintPage {
    pub me: Me,
    pub id: ChatId,
    pub title: String,
}

page!(PrintPage);

impl PrintPage {
    /// What stands before the messages, and what behind them.
    ///
    /// # Panics
    /// Never: the mark is in the template.
    #[must_use]
    pub fn halves(&self) -> (String, String) {
        let page = self.render();
        let (before, behind) = page.split_once(MESSAGES_MARK).expect("the mark is in the template");
        (before.to_owned(), behind.to_owned())
    }
}

/// A message of that page.
#[derive(askama::Template)]
#[template(path = "partials/print_message.html")]
pub struct PrintMessage<'a> {
    pub passage: Passage<'a>,
    pub html: &'a str,
}

/// The text with a block of code that was cut off closed, lest it swallow what follows.
fn closed(text: &str) -> String {
    let mut open: Option<(char, usize)> = None;
    for line in text.lines() {
        let line = line.trim_start();
        let Some(mark) = line.chars().next().filter(|c| *c == '`' || *c == '~') else { continue };
        let count = line.chars().take_while(|c| *c == mark).count();
        let bare = line[count..].trim().is_empty();
        match open {
            None if count >= 3 && !(mark == '`' && line[count..].contains('`')) => open = Some((mark, count)),
            Some((m, n)) if m == mark && count >= n && bare => open = None,
            _ => {}
        }
    }
    match open {
        Some((mark, count)) => format!("{text}\n{}", mark.to_string().repeat(count)),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn passages() {
        let at = datetime!(2026-11-21 05:30:59 UTC);
        let mine = passage(&Passage { mine: true, model: "", text: "Hi\n", images: Vec::new(), at, reason: None });
        assert_eq!(mine, "\n## You · 2026-11-21 05:30 UTC\n\nHi\n");
        let cut = Passage { mine: false, model: "p/m", text: "```\nfn", images: Vec::new(), at, reason: Some("Cut.") };
        assert_eq!(passage(&cut), "\n## m · 2026-11-21 05:30 UTC\n\n```\nfn\n```\n\n*Cut.*\n");
    }

    #[test]
    fn code_is_closed() {
        for (text, end) in
            [("```\na\n```", "```\na\n```"), ("~~~~\n```\n~~~", "~~~~\n```\n~~~\n~~~~"), ("``` a ```", "``` a ```")]
        {
            assert_eq!(closed(text), end);
        }
    }
}
