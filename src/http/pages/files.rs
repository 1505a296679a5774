//! Images on their way to a message: taken by a form of their own, shown by the composer, given to whoever sent them.

use crate::{
    base::{
        Error,
        ids::{ChatId, FileId},
    },
    domain::{
        accounts::Viewer,
        files::{self, Attached, Content},
    },
    http::{
        Web,
        auth::Me,
        chat_file::attachment,
        extract::{Asked, Id, file_ids, optional},
        present,
        respond::{self, Failure},
        routes::{Access, Routes},
    },
    views::{self, AttachPage},
};
use axum::{
    extract::{DefaultBodyLimit, Multipart, State, multipart::Field, multipart::MultipartRejection},
    handler::Handler as _,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Redirect, Response},
};
use serde::Deserialize;

/// No setting lets a file have more, with the form around it; what may come is looked at as it comes.
const MOST_BODY: usize = 101 * 1024 * 1024;

pub fn routes(routes: Routes) -> Routes {
    let take = take.layer(DefaultBodyLimit::max(MOST_BODY));
    routes
        .get("/files/new", Access::Member, show_new)
        .post("/files", Access::Member, take)
        .get("/files/{id}", Access::Member, original)
        .get("/files/{id}/view", Access::Member, view)
}

/// Where a message is being written, and what it has already.
#[derive(Default, Deserialize)]
struct Place {
    #[serde(default)]
    chat: String,
    #[serde(default)]
    file: String,
}

impl Place {
    fn read(&self) -> Result<(Option<ChatId>, Vec<FileId>), Error> {
        Ok((optional("chat", &self.chat)?, file_ids(&self.file)?))
    }
}

async fn show_new(State(web): State<Web>, Me(viewer): Me, Asked(place): Asked<Place>) -> Result<Html<String>, Failure> {
    place.read().map_err(|_| Error::NotFound)?;
    Ok(Html(page(&web, &viewer, place, None).await?))
}

async fn page(web: &Web, viewer: &Viewer, place: Place, error: Option<String>) -> Result<String, Failure> {
    let days = present::days(&web.app, viewer, place.chat.parse().ok()).await?;
    let max_mb = web.app.config.files.max_mb;
    let back = composer(&place.chat, &place.file);
    let page = AttachPage { me: present::me(viewer), days, chat: place.chat, files: place.file, back, max_mb, error };
    Ok(page.render())
}

/// The page where the message is written, with these files in its composer.
fn composer(chat: &str, files: &str) -> String {
    let page = if chat.is_empty() { "/".to_owned() } else { format!("/chats/{chat}") };
    if files.is_empty() { page } else { format!("{page}?file={files}") }
}

/// A plain form is answered by the page that it came from, a script by what the composer shows of the file.
async fn take(
    State(web): State<Web>,
    Me(viewer): Me,
    headers: HeaderMap,
    form: Result<Multipart, MultipartRejection>,
) -> Result<Response, Failure> {
    let mut place = Place::default();
    let taken = add(&web, &viewer, &mut place, form).await;
    let fragment = headers.contains_key("hx-request");
    match taken {
        Ok(file) if fragment => Ok(Html(views::chip(&present::image(&file))).into_response()),
        Ok(file) => {
            let mut all: Vec<_> = file_ids(&place.file)?.iter().map(ToString::to_string).collect();
            all.push(file.id.to_string());
            Ok(Redirect::to(&composer(&place.chat, &all.join(","))).into_response())
        }
        Err(error @ (Error::Invalid(_) | Error::Conflict(_) | Error::Limited { .. })) if !fragment => {
            let page = page(&web, &viewer, place, Some(respond::sentence(&error))).await?;
            Ok(respond::refused(&error, page))
        }
        Err(error) => Err(error.into()),
    }
}

async fn add(
    web: &Web,
    viewer: &Viewer,
    place: &mut Place,
    form: Result<Multipart, MultipartRejection>,
) -> Result<Attached, Error> {
    let _pass = files::coming(&web.app, viewer).await?;
    let (name, bytes) = read(web, place, form).await?;
    files::add(&web.app, viewer, &name, bytes).await
}

/// The file of the form: its name and its bytes. What stands before it in the form says where the message is written.
async fn read(
    web: &Web,
    place: &mut Place,
    form: Result<Multipart, MultipartRejection>,
) -> Result<(String, Vec<u8>), Error> {
    let mut form = form.map_err(|_| broken())?;
    while let Some(field) = form.next_field().await.map_err(|_| broken())? {
        match field.name() {
            Some("chat") => place.chat = small(field).await?,
            Some("kept") => place.file = small(field).await?,
            Some("file") => {
                place.read()?;
                let name = field.file_name().unwrap_or_default().to_owned();
                let bytes = bytes(web, field).await?;
                if name.is_empty() && bytes.is_empty() {
                    break;
                }
                return Ok((name, bytes));
            }
            _ => return Err(Error::invalid("form", "This form is an older one. Reload the page and try again.")),
        }
    }
    Err(Error::invalid("file", "Choose an image first."))
}

fn broken() -> Error {
    Error::invalid("file", "This image did not come whole. Choose it again.")
}

/// A field of a few ids.
async fn small(mut field: Field<'_>) -> Result<String, Error> {
    let mut text = Vec::new();
    while let Some(chunk) = field.chunk().await.map_err(|_| broken())? {
        text.extend_from_slice(&chunk);
        if text.len() > 1000 {
            return Err(broken());
        }
    }
    String::from_utf8(text).map_err(|_| broken())
}

async fn bytes(web: &Web, mut field: Field<'_>) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    while let Some(chunk) = field.chunk().await.map_err(|error| match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => files::too_large(&web.app),
        _ => broken(),
    })? {
        if bytes.len() + chunk.len() > files::max_bytes(&web.app) {
            return Err(files::too_large(&web.app));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

async fn original(State(web): State<Web>, Me(viewer): Me, Id(id): Id<FileId>) -> Result<Response, Failure> {
    Ok(send(files::original(&web.app, &viewer, id).await?))
}

async fn view(State(web): State<Web>, Me(viewer): Me, Id(id): Id<FileId>) -> Result<Response, Failure> {
    Ok(send(files::view(&web.app, &viewer, id).await?))
}

/// To be kept or drawn by a page of ours, and never to be a page itself (S19).
fn send(content: Content) -> Response {
    let headers = [
        (header::CONTENT_DISPOSITION, attachment(content.stem(), content.ending())),
        (header::CACHE_CONTROL, HeaderValue::from_static("private, max-age=3600")),
        (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
    ];
    ([(header::CONTENT_TYPE, content.media_type)], headers, content.bytes).into_response()
}
