//! The administrators' pages of letters. What a letter says is shown only where there is no mail server, as text: its HTML
//! part carries its styles inline, which a page of ours may not, so that is a file to be saved.

use crate::{
    base::{Error, ids::LetterId},
    domain::{
        accounts::Viewer,
        mail::{Entry, State as Sending},
        outbox,
    },
    http::{
        Web,
        auth::Me,
        extract::{self, Asked, Id},
        present,
        respond::{self, Failure},
        routes::{Access, Routes},
    },
    outside::mail::Written,
    views::{self, LetterLine, LetterPage, LetterState, OutboxPage},
};
use axum::{
    extract::State,
    http::header,
    response::{Html, IntoResponse, Redirect, Response},
};
use serde::Deserialize;

pub fn routes(routes: Routes) -> Routes {
    routes
        .get("/admin/outbox", Access::Administrator, show)
        .get("/admin/outbox/{id}", Access::Administrator, show_letter)
        .get("/admin/outbox/{id}/eml", Access::Administrator, save)
        .get("/admin/outbox/{id}/html", Access::Administrator, save_html)
        .post("/admin/outbox/{id}/retry", Access::Administrator, try_again)
}

#[derive(Default, Deserialize)]
struct Query {
    #[serde(default)]
    before: String,
    tried: Option<String>,
}

async fn show(State(web): State<Web>, Me(viewer): Me, Asked(q): Asked<Query>) -> Result<Html<String>, Failure> {
    Ok(Html(page(&web, &viewer, &q, None).await?))
}

async fn page(web: &Web, viewer: &Viewer, q: &Query, refused: Option<String>) -> Result<String, Failure> {
    let before = extract::optional("before", &q.before).map_err(|_| Error::NotFound)?;
    let (letters, more) = outbox::list(&web.app, viewer, before).await?;
    let page = OutboxPage {
        me: present::me(viewer),
        days: present::days(&web.app, viewer, None).await?,
        folder: web.app.mailer.folder().map(|folder| folder.display().to_string()),
        older: letters.last().map(|letter| letter.id).filter(|_| more),
        letters: letters.into_iter().map(line).collect(),
        tried: q.tried.is_some(),
        refused,
    };
    Ok(page.render())
}

async fn try_again(State(web): State<Web>, Me(viewer): Me, Id(id): Id<LetterId>) -> Result<Response, Failure> {
    match outbox::try_again(&web.app, &viewer, id).await {
        Ok(()) => Ok(Redirect::to("/admin/outbox?tried").into_response()),
        Err(error @ Error::Conflict(_)) => {
            let page = page(&web, &viewer, &Query::default(), Some(respond::sentence(&error))).await?;
            Ok((respond::status(&error), Html(page)).into_response())
        }
        Err(error) => Err(error.into()),
    }
}

async fn show_letter(State(web): State<Web>, Me(viewer): Me, Id(id): Id<LetterId>) -> Result<Html<String>, Failure> {
    let (entry, letter) = outbox::find(&web.app, &viewer, id).await?;
    let written = letter.map(|letter| views::mail::write(&letter)).map(|words| (words.subject, words.text));
    let days = present::days(&web.app, &viewer, None).await?;
    Ok(Html(LetterPage { me: present::me(&viewer), days, line: line(entry), written }.render()))
}

async fn save(State(web): State<Web>, Me(viewer): Me, Id(id): Id<LetterId>) -> Result<Response, Failure> {
    let (entry, words) = read(&web, &viewer, id).await?;
    let message = web.app.mailer.compose(id.0, &entry.recipient, &words);
    let bytes = message.map_err(|fault| Error::internal(anyhow::anyhow!(fault.detail)))?.formatted();
    Ok(file("message/rfc822", &format!("{}.eml", entry.kind), bytes))
}

async fn save_html(State(web): State<Web>, Me(viewer): Me, Id(id): Id<LetterId>) -> Result<Response, Failure> {
    let (entry, words) = read(&web, &viewer, id).await?;
    Ok(file("text/html; charset=utf-8", &format!("{}.html", entry.kind), words.html.into_bytes()))
}

async fn read(web: &Web, viewer: &Viewer, id: LetterId) -> Result<(Entry, Written), Failure> {
    let (entry, letter) = outbox::find(&web.app, viewer, id).await?;
    let letter = letter.ok_or(Error::NotFound)?;
    Ok((entry, views::mail::write(&letter)))
}

/// To be saved, never shown by the browser in our name.
fn file(kind: &'static str, name: &str, bytes: Vec<u8>) -> Response {
    let disposition = format!("attachment; filename=\"{name}\"");
    ([(header::CONTENT_TYPE, kind.to_owned()), (header::CONTENT_DISPOSITION, disposition)], bytes).into_response()
}

fn line(entry: Entry) -> LetterLine {
    LetterLine {
        id: entry.id,
        to: entry.recipient,
        kind: entry.kind,
        at: entry.created_at,
        state: match entry.state {
            Sending::Queued => LetterState::Queued,
            Sending::Sending => LetterState::Sending,
            Sending::Sent => LetterState::Sent,
            Sending::Written => LetterState::Written,
            Sending::Failed => LetterState::Failed,
        },
        attempts: entry.attempts,
        next: entry.next_attempt_at,
        error: entry.last_error,
        whole: entry.whole,
    }
}
