//! A chat as a file, sent as it is read: however long it is, little of it is held.

use crate::{
    base::{Result, ids::ChatId},
    domain::export::{self, Export, Extent, Told, form},
    http::{
        Web,
        auth::Me,
        extract::{Asked, Id},
        respond::Failure,
        routes::{Access, Routes},
    },
    views,
};
use axum::{
    body::Body,
    extract::State,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use std::fmt::Write as _;

pub fn routes(routes: Routes) -> Routes {
    routes.get("/chats/{id}/export", Access::Member, export)
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
    let disposition = attachment(&export.head.title, ending);
    let file = File { web, export, format: wish.format, begun: false, said: false, ended: false };
    let body = futures::stream::try_unfold(file, |mut file| async move {
        match file.next().await {
            Ok(part) => Ok(part.map(|part| (part, file))),
            Err(error) => {
                // the connection breaks, so that nobody takes a part for the whole
                tracing::warn!(%error, "a chat could not be read to its end");
                Err(std::io::Error::other("cut off"))
            }
        }
    });
    let mut response = Body::from_stream(body).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CONTENT_DISPOSITION, disposition);
    Ok(response)
}

struct File {
    web: Web,
    export: Export,
    format: Format,
    begun: bool,
    said: bool,
    ended: bool,
}

impl File {
    /// The next part of the file.
    async fn next(&mut self) -> Result<Option<String>> {
        if !self.begun {
            self.begun = true;
            let begin = match self.format {
                Format::Markdown => views::export::heading(&self.export.head.title),
                Format::Json => form::begin(&self.export.head)?,
            };
            return Ok(Some(begin));
        }
        let Some(told) = self.export.next(&self.web.app).await? else {
            let end = (!self.ended && matches!(self.format, Format::Json)).then(|| form::END.to_owned());
            self.ended = true;
            return Ok(end);
        };
        let mut part = String::new();
        for one in &told {
            part.push_str(&match self.format {
                Format::Markdown => passage(one),
                Format::Json => form::line(one, !self.said)?,
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
