//! The OpenAPI document of `/api`, made from the handlers themselves, and the page to read it. What is not in it has its reason in
//! `tests/it/document.rs`.

use super::{auth, conversations, files, health, keys, messages, models, moving, prompts, search, usage};
use crate::{
    http::{
        Web,
        routes::{Access, Routes},
    },
    views::document::{DocumentPage, Section},
};
use axum::{
    Json,
    extract::State,
    response::{Html, IntoResponse},
};
use std::sync::LazyLock;
use utoipa::{
    Modify, OpenApi,
    openapi::{
        self, Server,
        security::{Http, HttpAuthScheme, SecurityScheme},
    },
};

pub fn routes(routes: Routes) -> Routes {
    routes.get("/api/openapi.json", Access::Plain, document).get("/api/docs", Access::Plain, page)
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Parlor",
        description = "Conversations with language models. Errors are problems (RFC 9457). Vendors' own protocols are under /v1, and \
            a WebSocket is at /ws; the README tells of both.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0")
    ),
    paths(
        auth::register, auth::login, auth::refresh, auth::logout, auth::me,
        conversations::list, conversations::create, conversations::show, conversations::change, conversations::delete,
        conversations::path, conversations::say,
        moving::export, moving::progress, moving::take,
        messages::show, messages::edit, messages::delete, messages::regenerate, messages::stop,
        files::upload, files::show, files::delete,
        search::find, models::list, usage::show,
        prompts::list, prompts::create, prompts::show, prompts::change, prompts::delete,
        keys::list, keys::make, keys::revoke,
        health::health,
    ),
    components(schemas(super::problem::Problem, super::problem::WrongField)),
    tags(
        (name = "auth", description = "Signing in with a password. Those that have none are given a key."),
        (name = "conversations", description = "Chats, each a tree of messages of which one path is shown."),
        (name = "messages", description = "What is said, and answers as they come."),
        (name = "files", description = "What is sent along."),
        (name = "search", description = "Finding what was said."),
        (name = "models", description = "What can be asked."),
        (name = "prompts", description = "Templates."),
        (name = "usage", description = "What was used, and budgets."),
        (name = "keys", description = "API keys."),
        (name = "health", description = "Whether this is ready."),
    ),
    modifiers(&Tokens)
)]
struct Document;

struct Tokens;

impl Modify for Tokens {
    fn modify(&self, document: &mut openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        let mut bearer = Http::new(HttpAuthScheme::Bearer);
        bearer.description = Some("An access token, or an API key.".to_owned());
        components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
        for item in document.paths.paths.values_mut() {
            for operation in [&mut item.get, &mut item.post, &mut item.patch, &mut item.delete].into_iter().flatten() {
                // a handler's name is one in its file
                let tag = operation.tags.iter().flatten().next();
                operation.operation_id =
                    tag.zip(operation.operation_id.as_ref()).map(|(tag, name)| format!("{tag}_{name}"));
            }
        }
        document.servers = Some(vec![Server::new("/")]);
    }
}

/// Of this program; it does not change.
pub static DOCUMENT: LazyLock<openapi::OpenApi> = LazyLock::new(Document::openapi);

/// What the snapshot of the tests is compared with.
#[must_use]
pub fn json() -> String {
    DOCUMENT.to_pretty_json().expect("a document is JSON")
}

async fn document() -> Json<&'static openapi::OpenApi> {
    Json(&*DOCUMENT)
}

/// The document as people read it.
async fn page(State(web): State<Web>) -> impl IntoResponse {
    let whole = serde_json::to_value(&*DOCUMENT).unwrap_or_default();
    let page = DocumentPage { address: web.app.public_url(), sections: Section::all(&whole) };
    Html(page.render())
}
