//! Files that are sent along with messages.

use super::problem;
use crate::{
    base::{Error, ids::FileId},
    domain::{
        files::{self, Attached},
        programs::{Caller, Scope},
    },
    http::{
        Web,
        extract::Id,
        respond::Failure,
        routes::{Access, Routes},
    },
};
use axum::{
    Json,
    extract::{DefaultBodyLimit, Multipart, State, multipart::MultipartRejection},
    handler::Handler as _,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

/// As much as the largest that may be set for a file, and what stands around it.
const MOST: usize = 100 * 1024 * 1024 + 64 * 1024;

pub fn routes(routes: Routes) -> Routes {
    let (read, write) = (Access::Bearer(Some(Scope::ChatsRead)), Access::Bearer(Some(Scope::ChatsWrite)));
    routes
        .post("/api/upload", write, upload.layer(DefaultBodyLimit::max(MOST)))
        .get("/api/files/{id}", read, show)
        .delete("/api/files/{id}", write, delete)
}

/// A file.
#[derive(Serialize, ToSchema)]
pub struct File {
    id: FileId,
    name: String,
    /// Of the copy that is shown, in pixels.
    width: u32,
    height: u32,
}

#[derive(ToSchema)]
#[expect(dead_code, reason = "for the document alone")]
pub struct Upload {
    /// PNG, JPEG, GIF or WebP.
    #[schema(format = Binary, content_media_type = "application/octet-stream")]
    file: String,
}

/// Takes a file, to be sent along with a message within a day.
#[utoipa::path(post, path = "/api/upload", tag = "files",
    request_body(content = Upload, content_type = "multipart/form-data"), security(("bearer" = ["chats:write"])),
    responses((status = 201, body = File), problem::Common, problem::Body, problem::Conflict, problem::Limited))]
async fn upload(
    State(web): State<Web>,
    caller: Caller,
    form: Result<Multipart, MultipartRejection>,
) -> Result<Response, Failure> {
    let _pass = files::coming(&web.app, &caller.viewer).await?;
    let (name, bytes) = read(&web, form).await?;
    let Attached { id, name, width, height } = files::add(&web.app, &caller.viewer, &name, bytes).await?;
    Ok((StatusCode::CREATED, Json(File { id, name, width, height })).into_response())
}

/// The part that is called `file`; there is no other.
async fn read(web: &Web, form: Result<Multipart, MultipartRejection>) -> Result<(String, Vec<u8>), Error> {
    let missing = || Error::invalid("file", "Send a form (multipart/form-data) with a file in the part `file`.");
    let mut form = form.map_err(|_| missing())?;
    let mut field = form.next_field().await.map_err(|_| missing())?.ok_or_else(missing)?;
    if field.name() != Some("file") {
        return Err(missing());
    }
    let (name, mut bytes) = (field.file_name().unwrap_or_default().to_owned(), Vec::new());
    while let Some(piece) = field.chunk().await.map_err(|_| missing())? {
        if bytes.len() + piece.len() > files::max_bytes(&web.app) {
            return Err(files::too_large(&web.app));
        }
        bytes.extend_from_slice(&piece);
    }
    Ok((name, bytes))
}

/// A file as it came.
#[utoipa::path(get, path = "/api/files/{id}", tag = "files", params(problem::ById), security(("bearer" = ["chats:read"])),
    responses((status = 200, content_type = "image/*", body = Vec<u8>), problem::Common, problem::NotThere))]
async fn show(State(web): State<Web>, caller: Caller, Id(id): Id<FileId>) -> Result<Response, Failure> {
    let content = files::original(&web.app, &caller.viewer, id).await?;
    let kind = HeaderValue::from_str(&content.media_type).map_err(Error::internal)?;
    let disposition = HeaderValue::from_static("attachment");
    Ok(([(header::CONTENT_TYPE, kind), (header::CONTENT_DISPOSITION, disposition)], content.bytes).into_response())
}

/// Removes a file that no message has.
#[utoipa::path(delete, path = "/api/files/{id}", tag = "files", params(problem::ById), security(("bearer" = ["chats:write"])),
    responses((status = 204), problem::Common, problem::NotThere, problem::Conflict))]
async fn delete(State(web): State<Web>, caller: Caller, Id(id): Id<FileId>) -> Result<StatusCode, Failure> {
    files::remove(&web.app, &caller.viewer, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
