//! Prompt templates.

use super::{body::Body, paging::Listed, problem};
use crate::{
    base::ids::PromptId,
    domain::{
        accounts::Viewer,
        programs::{Caller, Scope},
        prompts::{self, Typed},
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
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub fn routes(routes: Routes) -> Routes {
    let (read, write) = (Access::Bearer(Some(Scope::ChatsRead)), Access::Bearer(Some(Scope::ChatsWrite)));
    routes
        .get("/api/prompts", read, list)
        .post("/api/prompts", write, create)
        .get("/api/prompts/{id}", read, show)
        .patch("/api/prompts/{id}", write, change)
        .delete("/api/prompts/{id}", write, delete)
}

/// Whoever asks, with the rights of an administrator only by a key that is for that.
fn viewer(caller: &Caller) -> Viewer {
    let administrator = caller.viewer.administrator && caller.scopes.has(Scope::Admin);
    Viewer { administrator, ..caller.viewer.clone() }
}

/// A template.
#[derive(Serialize, ToSchema)]
pub struct Prompt {
    id: PromptId,
    name: String,
    /// With `{{variables}}`.
    text: String,
    variables: Vec<String>,
    /// Everybody here has it.
    shared: bool,
    /// Whether whoever asks may change it.
    mine: bool,
}

fn told(prompt: prompts::Prompt) -> Prompt {
    let variables = prompts::variables(&prompt.text).into_iter().map(str::to_owned).collect();
    let prompts::Prompt { id, name, text, shared, mine } = prompt;
    Prompt { id, name, text, variables, shared, mine }
}

/// One's own templates and the shared ones, by name; all of them at once.
#[utoipa::path(get, path = "/api/prompts", tag = "prompts", security(("bearer" = ["chats:read"])),
    responses((status = 200, body = Listed<Prompt>), problem::Common))]
async fn list(State(web): State<Web>, caller: Caller) -> Result<Json<Listed<Prompt>>, Failure> {
    let data = prompts::list(&web.app, &viewer(&caller)).await?.into_iter().map(told).collect();
    Ok(Json(Listed { data, next_cursor: None }))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPrompt {
    #[schema(min_length = 1, max_length = 80)]
    name: String,
    #[schema(min_length = 1, max_length = 10_000)]
    text: String,
    /// For administrators.
    #[serde(default)]
    shared: bool,
}

/// Keeps a template.
#[utoipa::path(post, path = "/api/prompts", tag = "prompts", request_body = NewPrompt, security(("bearer" = ["chats:write"])),
    responses((status = 201, body = Prompt), problem::Common, problem::Body))]
async fn create(State(web): State<Web>, caller: Caller, Body(new): Body<NewPrompt>) -> Result<Response, Failure> {
    let NewPrompt { name, text, shared } = new;
    let id = prompts::create(&web.app, &viewer(&caller), &Typed { name, text, shared }).await?;
    let prompt = prompts::find(&web.app, &viewer(&caller), id).await?;
    Ok((StatusCode::CREATED, Json(told(prompt))).into_response())
}

/// A template.
#[utoipa::path(get, path = "/api/prompts/{id}", tag = "prompts", params(problem::ById), security(("bearer" = ["chats:read"])),
    responses((status = 200, body = Prompt), problem::Common, problem::NotThere))]
async fn show(State(web): State<Web>, caller: Caller, Id(id): Id<PromptId>) -> Result<Json<Prompt>, Failure> {
    Ok(Json(told(prompts::find(&web.app, &viewer(&caller), id).await?)))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PromptChange {
    #[schema(min_length = 1, max_length = 80)]
    name: Option<String>,
    #[schema(min_length = 1, max_length = 10_000)]
    text: Option<String>,
    shared: Option<bool>,
}

/// Changes what is named; the rest stays.
#[utoipa::path(patch, path = "/api/prompts/{id}", tag = "prompts", params(problem::ById), request_body = PromptChange,
    security(("bearer" = ["chats:write"])),
    responses((status = 200, body = Prompt), problem::Common, problem::NotThere, problem::Body))]
async fn change(
    State(web): State<Web>,
    caller: Caller,
    Id(id): Id<PromptId>,
    Body(change): Body<PromptChange>,
) -> Result<Json<Prompt>, Failure> {
    let before = prompts::find_mine(&web.app, &viewer(&caller), id).await?;
    let typed = Typed {
        name: change.name.unwrap_or(before.name),
        text: change.text.unwrap_or(before.text),
        shared: change.shared.unwrap_or(before.shared),
    };
    prompts::change(&web.app, &viewer(&caller), id, &typed).await?;
    Ok(Json(told(prompts::find(&web.app, &viewer(&caller), id).await?)))
}

/// Removes a template.
#[utoipa::path(delete, path = "/api/prompts/{id}", tag = "prompts", params(problem::ById), security(("bearer" = ["chats:write"])),
    responses((status = 204), problem::Common, problem::NotThere))]
async fn delete(State(web): State<Web>, caller: Caller, Id(id): Id<PromptId>) -> Result<StatusCode, Failure> {
    prompts::delete(&web.app, &viewer(&caller), id).await?;
    Ok(StatusCode::NO_CONTENT)
}
