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
        export::{PrintMessage, PrintPage},
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

/// What is sent.
enum Form {
    Markdown,
    Json,
    /// The page to print; what stands behind its messages.
    Page(PrintPage),
}

async fn export(
    State(web): State<Web>,
    Me(viewer): Me,
    Id(id): Id<ChatId>,
    Asked(wish): Asked<Wish>,
) -> Result<Response, Failure> {
    let (extent, form, kind, ending) = match wish.format {
        Format::Markdown => (Extent::Path, Form::Markdown, "text/markdown; charset=utf-8", "md"),
        Format::Json => (Extent::Tree, Form::Json, "application/json", "json"),
    };
    let export = export::begin(&web.app, &viewer, id, extent).await?;
    let disposition = attachment(&export.head.title, ending);
    let mut response = ([(header::CONTENT_TYPE, kind)], send(web, export, form)).into_response();
    response.headers_mut().insert(header::CONTENT_DISPOSITION, disposition);
    Ok(response)
}

/// The whole shown path, for paper; a page of the chat has only its newest messages.
async fn print(State(web): State<Web>, Me(viewer): Me, Id(id): Id<ChatId>) -> Result<Response, Failure> {
    let export = export::begin(&web.app, &viewer, id, Extent::Path).await?;
    let page = PrintPage { me: present::me(&viewer), id, title: export.head.title.clone() };
    Ok(Html(send(web, export, Form::Page(page))).into_response())
}

fn send(web: Web, export: Export, form: Form) -> Body {
    let file = File { web, export, form, begun: false, said: false, ended: false };
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
    begun: bool,
    said: bool,
    ended: bool,
}

impl File {
    /// The next part of the file.
    async fn next(&mut self) -> Result<Option<String>> {
        if !self.begun {
            self.begun = true;
            let begin = match &self.form {
                Form::Markdown => views::export::heading(&self.export.head.title),
                Form::Json => form::begin(&self.export.head)?,
                Form::Page(page) => page.halves().0,
            };
            return Ok(Some(begin));
        }
        let Some(told) = self.export.next(&self.web.app).await? else {
            if std::mem::replace(&mut self.ended, true) {
                return Ok(None);
            }
            return Ok(match &self.form {
                Form::Markdown => None,
                Form::Json => Some(form::END.to_owned()),
                Form::Page(page) => Some(page.halves().1),
            });
        };
        let mut part = String::new();
        for one in &told {
            part.push_str(&match self.form {
                Form::Markdown => passage(one),
                Form::Json => form::line(one, !self.said)?,
                Form::Page(_) => on_paper(one),
            });
            self.said = true;
        }
        Ok(Some(part))
    }
}

fn passage(told: &Told) -> String {
    let shown = &told.shown;
    views::export::passage(&views::export::Passage {
        mine: !shown.by_model,
        model: &shown.model,
        text: &shown.text,
        at: shown.created_at,
        reason: shown.reason.as_deref(),
    })
}

fn on_paper(told: &Told) -> String {
    let shown = &told.shown;
    let message = PrintMessage {
        mine: !shown.by_model,
        model: &shown.model,
        html: shown.html.as_deref().unwrap_or_default(),
        at: shown.created_at,
        reason: shown.reason.as_deref(),
    };
    message.to_string()
}

/// An attachment named after the title: in plain letters, and for those who can read them in all.
fn attachment(title: &str, ending: &str) -> HeaderValue {
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
