//! The page that takes a file of chats. It alone reads more than a form may have.

use crate::{
    base::Error,
    domain::{accounts::Viewer, import},
    http::{
        Web,
        auth::Me,
        present,
        respond::{self, Failure},
        routes::{Access, Routes},
    },
    views::{ImportFile, ImportPage},
};
use axum::{
    extract::{DefaultBodyLimit, Multipart, State, multipart::MultipartRejection},
    handler::Handler as _,
    http::StatusCode,
    response::{Html, IntoResponse, Redirect, Response},
};

/// Of the form around the file.
const AROUND: usize = 16 * 1024;

pub fn routes(routes: Routes) -> Routes {
    let take = take.layer(DefaultBodyLimit::max(import::MAX_FILE + AROUND));
    routes.get("/settings/import", Access::Member, show).post("/settings/import", Access::Member, take)
}

async fn show(State(web): State<Web>, Me(viewer): Me) -> Result<Html<String>, Failure> {
    Ok(Html(import_page(&web, &viewer, None).await?))
}

async fn take(
    State(web): State<Web>,
    Me(viewer): Me,
    form: Result<Multipart, MultipartRejection>,
) -> Result<Response, Failure> {
    let result = match file(form).await {
        Ok((name, bytes)) => import::accept(&web.app, &viewer, &name, bytes).await,
        Err(error) => Err(error),
    };
    let Err(error) = result else { return Ok(Redirect::to("/settings/import").into_response()) };
    let status = respond::status(&error);
    let sentence = match error {
        Error::Invalid(fields) => fields.into_iter().map(|f| f.message).collect::<Vec<_>>().join(" "),
        Error::Conflict(sentence) => sentence,
        other => return Err(other.into()),
    };
    Ok((status, Html(import_page(&web, &viewer, Some(sentence)).await?)).into_response())
}

/// The file of the form: its name and its bytes.
async fn file(form: Result<Multipart, MultipartRejection>) -> Result<(String, Vec<u8>), Error> {
    let broken = || Error::invalid("file", "This file did not come whole. Choose it again.");
    let mut form = form.map_err(|_| broken())?;
    while let Some(field) = form.next_field().await.map_err(|_| broken())? {
        if field.name() != Some("file") {
            continue;
        }
        let name = field.file_name().unwrap_or_default().to_owned();
        let bytes = field.bytes().await.map_err(|error| match error.status() {
            StatusCode::PAYLOAD_TOO_LARGE => {
                let most = import::MAX_FILE / 1024 / 1024;
                Error::invalid("body", format!("This file is too large: at most {most} MB can be taken at once."))
            }
            _ => broken(),
        })?;
        if name.is_empty() && bytes.is_empty() {
            break;
        }
        return Ok((name, bytes.into()));
    }
    Err(Error::invalid("file", "Choose a file first."))
}

async fn import_page(web: &Web, viewer: &Viewer, error: Option<String>) -> Result<String, Failure> {
    let files = import::progress(&web.app, viewer).await?;
    let file = |p: import::Progress| {
        let import::Progress { name, total, done, left_out, chat, ended } = p;
        ImportFile { name, total, done, left_out, chat, ended }
    };
    let days = present::days(&web.app, viewer, None).await?;
    Ok(ImportPage { me: present::me(viewer), days, error, files: files.into_iter().map(file).collect() }.render())
}
