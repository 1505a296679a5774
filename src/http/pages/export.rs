//! A chat as a file, sent as it is read: however long it is, little of it is held.

use crate::{
    base::{Result, ids::ChatId},
    domain::export::{self, Export, Extent, Told, form},
    http::{
        Web,
        auth::Me,
        extract::{Asked, Id},
        present,
        respond::Failure,
        routes::{Access, Routes},
    },
    views::{
        self,
        export::{Passage, PrintMessage, PrintPage},
    },
};
use axum::{
    body::Body,
    extract::State,
    http::{HeaderValue, header},
    response::{Html, IntoResponse, Response},
};
use serde::Deserialize;
use std::fmt::Write as _;

pub fn routes(routes: Routes) -> Routes {
    routes.get("/chats/{id}/export", Access::Member, export).get("/chats/{id}/print", Access::Member, print)
}

#[derive(Deserialize)]
struct Wish {
    #[serde(default)]
    format: Format,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Format {
    #[default]
    Markdown,
    Json,
}

async fn export(
    State(web): State<Web>,
    Me(viewer): Me,
    Id(id): Id<ChatId>,
    Asked(wish): Asked<Wish>,
) -> Result<Response, Failure> {
    let (extent, kind, ending) = match wish.format {
        Format::Markdown => (Extent::Path, "text/markdown; charset=utf-8", "md"),
        Format::Json => (Extent::Tree, "application/json", "json"),
    };
    let export = export::begin(&web.app, &viewer, id, extent).await?;
    let head = &export.head;
    let disposition = attachment(&head.title, ending);
    let form = match wish.format {
        Format::Markdown => {
            let write: Write = |told, _| Ok(views::export::passage(&passage(told)));
            Form { begin: Some(views::export::heading(&head.title)), write, end: None }
        }
        Format::Json => Form { begin: Some(form::begin(head)?), write: form::line, end: Some(form::END.to_owned()) },
    };
    let mut response = ([(header::CONTENT_TYPE, kind)], send(web, export, form)).into_response();
    response.headers_mut().insert(header::CONTENT_DISPOSITION, disposition);
    Ok(response)
}

/// The whole shown path, for paper; a page of the chat has only its newest messages.
async fn print(State(web): State<Web>, Me(viewer): Me, Id(id): Id<ChatId>) -> Result<Response, Failure> {
    let export = export::begin(&web.app, &viewer, id, Extent::Path).await?;
    let page = PrintPage { me: present::me(&viewer), id, title: export.head.title.clone() };
    let (begin, end) = page.halves();
    Ok(Html(send(web, export, Form { begin: Some(begin), write: on_paper, end: Some(end) })).into_response())
}

/// How a message is written; whether it is the first.
type Write = fn(&Told, bool) -> Result<String>;

/// What a file begins and ends with, and how a message stands in it.
struct Form {
    begin: Option<String>,
    write: Write,
    end: Option<String>,
}

fn send(web: Web, export: Export, form: Form) -> Body {
    let file = File { web, export, form, said: false };
    let parts = futures::stream::try_unfold(file, |mut file| async move {
        match file.next().await {
            Ok(part) => Ok(part.map(|part| (part, file))),
            Err(error) => {
                // the connection breaks, so that nobody takes a part for the whole
                tracing::warn!(%error, "a chat could not be read to its end");
                Err(std::io::Error::other("cut off"))
            }
        }
    });
    Body::from_stream(parts)
}

struct File {
    web: Web,
    export: Export,
    form: Form,
    said: bool,
}

impl File {
    /// The next part of the file.
    async fn next(&mut self) -> Result<Option<String>> {
        if let Some(begin) = self.form.begin.take() {
            return Ok(Some(begin));
        }
        let Some(told) = self.export.next(&self.web.app).await? else { return Ok(self.form.end.take()) };
        let mut part = String::new();
        for one in &told {
            part.push_str(&(self.form.write)(one, !self.said)?);
            self.said = true;
        }
        Ok(Some(part))
    }
}

fn passage(told: &Told) -> Passage<'_> {
    let shown = &told.shown;
    Passage {
        mine: !shown.by_model,
        model: &shown.model,
        text: &shown.text,
        images: shown.images.iter().map(present::image).collect(),
        at: shown.created_at,
        reason: shown.reason.as_deref(),
    }
}

#[expect(clippy::unnecessary_wraps, reason = "a Write")]
fn on_paper(told: &Told, _first: bool) -> Result<String> {
    let html = told.shown.html.as_deref().unwrap_or_default();
    Ok(PrintMessage { passage: passage(told), html }.to_string())
}

/// An attachment named after the title: in plain letters, and for those who can read them in all.
pub(super) fn attachment(title: &str, ending: &str) -> HeaderValue {
    let name: String =
        title.chars().map(|c| if c.is_control() || "/\\:*?\"<>|".contains(c) { ' ' } else { c }).take(80).collect();
    let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
    let name = match name.trim_matches(['.', ' ']) {
        "" => "chat",
        name => name,
    };
    let words: Vec<_> = name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|w| !w.is_empty()).collect();
    let plain = if words.is_empty() { "chat".to_owned() } else { words.join("-") };
    let full = name.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(byte.into());
        } else {
            write!(out, "%{byte:02X}").expect("a String takes everything");
        }
        out
    });
    let value = format!("attachment; filename=\"{plain}.{ending}\"; filename*=UTF-8''{full}.{ending}");
    HeaderValue::from_str(&value).unwrap_or(HeaderValue::from_static("attachment"))
}

#[cfg(test)]
mod tests {
    use super::attachment;

    #[test]
    fn names_of_files_are_safe() {
        for (title, plain, full) in [
            ("Plan a week", "Plan-a-week", "Plan%20a%20week"),
            ("../../etc/pass\"wd.\r\n", "etc-pass-wd", "etc%20pass%20wd"),
            ("読む", "chat", "%E8%AA%AD%E3%82%80"),
            ("...", "chat", "chat"),
        ] {
            let value = attachment(title, "md");
            let expected = format!("attachment; filename=\"{plain}.md\"; filename*=UTF-8''{full}.md");
            assert_eq!(value.to_str().unwrap(), expected, "{title}");
        }
    }
}
