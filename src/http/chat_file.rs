//! A chat as a file, sent as it is read: however long it is, little of it is held. For people and for programs. What must not
//! live here: what is in it (domain/export).

use super::{Web, present, respond::Failure};
use crate::{
    base::{Result, ids::ChatId},
    domain::{
        accounts::Viewer,
        export::{self, Export, Extent, Told, form},
    },
    views::{self, export::Passage},
};
use axum::{
    body::Body,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use std::fmt::Write as _;

/// What it is written in.
#[derive(Debug, Clone, Copy, Default, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// The shown path, to be read.
    #[default]
    Markdown,
    /// The whole tree, which can be imported again.
    Json,
}

/// A viewer's chat, to be saved.
///
/// # Errors
/// [`NotFound`](crate::base::Error::NotFound).
pub async fn file(web: &Web, viewer: &Viewer, id: ChatId, format: Format) -> Result<Response, Failure> {
    let (extent, kind, ending) = match format {
        Format::Markdown => (Extent::Path, "text/markdown; charset=utf-8", "md"),
        Format::Json => (Extent::Tree, "application/json", "json"),
    };
    let export = export::begin(&web.app, viewer, id, extent).await?;
    let head = &export.head;
    let disposition = attachment(&head.title, ending);
    let form = match format {
        Format::Markdown => {
            let write: Write = |told, _| Ok(views::export::passage(&passage(told)));
            Form { begin: Some(views::export::heading(&head.title)), write, end: None }
        }
        Format::Json => Form { begin: Some(form::begin(head)?), write: form::line, end: Some(form::END.to_owned()) },
    };
    let mut response = ([(header::CONTENT_TYPE, kind)], send(web.clone(), export, form)).into_response();
    response.headers_mut().insert(header::CONTENT_DISPOSITION, disposition);
    Ok(response)
}

/// How a message is written; whether it is the first.
pub type Write = fn(&Told, bool) -> Result<String>;

/// What a file begins and ends with, and how a message stands in it.
pub struct Form {
    pub begin: Option<String>,
    pub write: Write,
    pub end: Option<String>,
}

/// The messages of a chat, as they are read.
pub fn send(web: Web, export: Export, form: Form) -> Body {
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

/// A message, as it stands in a file.
pub fn passage(told: &Told) -> Passage<'_> {
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

/// An attachment named after the title: in plain letters, and for those who can read them in all.
pub fn attachment(title: &str, ending: &str) -> HeaderValue {
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
