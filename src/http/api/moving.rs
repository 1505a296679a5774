//! Conversations on their way out and in.

use super::{
    paging::{Listed, Paging},
    problem,
};
use crate::{
    base::{Error, ids::ChatId},
    domain::{
        import,
        programs::{Caller, Scope},
    },
    http::{
        Web,
        chat_file::{self, Format},
        extract::Id,
        respond::{Failure, problem::Refusal},
        routes::{Access, Routes},
    },
};
use axum::{
    Json,
    body::Bytes,
    extract::{DefaultBodyLimit, State, rejection::BytesRejection},
    handler::Handler as _,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

pub fn routes(routes: Routes) -> Routes {
    let (read, write) = (Access::Bearer(Some(Scope::ChatsRead)), Access::Bearer(Some(Scope::ChatsWrite)));
    routes.get("/api/conversations/{id}/export", read, export).get("/api/import", read, progress).post(
        "/api/import",
        write,
        take.layer(DefaultBodyLimit::max(import::MAX_FILE)),
    )
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Wish {
    /// `markdown`: the shown path, to be read. `json`: the whole tree with its images, which can be imported again.
    #[serde(default)]
    #[param(inline)]
    format: Format,
}

/// A conversation as a file.
#[utoipa::path(get, path = "/api/conversations/{id}/export", tag = "conversations", params(problem::ById, Wish),
    security(("bearer" = ["chats:read"])),
    responses((status = 200, content((String = "text/markdown"), (Object = "application/json"))),
        problem::Common, problem::NotThere, problem::Wrong))]
async fn export(
    State(web): State<Web>,
    caller: Caller,
    Id(id): Id<ChatId>,
    Paging(wish): Paging<Wish>,
) -> Result<Response, Failure> {
    chat_file::file(&web, &caller.viewer, id, wish.format).await
}

/// A file of conversations that was taken.
#[derive(Serialize, ToSchema)]
pub struct Import {
    name: String,
    /// Conversations in it, and how many of them are there by now.
    total: i32,
    done: i32,
    /// Those that could not be read.
    left_out: i32,
    ended: bool,
}

/// The last five files of conversations, and how far they are.
#[utoipa::path(get, path = "/api/import", tag = "conversations", security(("bearer" = ["chats:read"])),
    responses((status = 200, body = Listed<Import>), problem::Common))]
async fn progress(State(web): State<Web>, caller: Caller) -> Result<Json<Listed<Import>>, Failure> {
    let files = import::progress(&web.app, &caller.viewer).await?;
    let told = |p: import::Progress| Import {
        name: p.name,
        total: p.total,
        done: p.done,
        left_out: p.left_out,
        ended: p.ended,
    };
    Ok(Json(Listed { data: files.into_iter().map(told).collect(), next_cursor: None }))
}

/// Takes a file of conversations, as Parlor, ChatGPT or Open WebUI write it, and makes them in the background.
#[utoipa::path(post, path = "/api/import", tag = "conversations", request_body(content = Object, content_type = "application/json"),
    security(("bearer" = ["chats:write"])),
    responses((status = 202), problem::Common, problem::Body, problem::Conflict))]
async fn take(
    State(web): State<Web>,
    caller: Caller,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Failure> {
    let Ok(bytes) = body else { return Ok(Refusal::too_large().into_response()) };
    if bytes.is_empty() {
        return Err(Error::invalid("file", "Send the file as the body.").into());
    }
    import::accept(&web.app, &caller.viewer, "import.json", bytes.into()).await?;
    Ok(StatusCode::ACCEPTED.into_response())
}
