//! A person's API keys, for programs that have the scope.

use super::{body::Body, paging::Listed, problem, time};
use crate::{
    base::ids::KeyId,
    domain::programs::{self, Caller, Made, Scope, Wish},
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
    let keys = Access::Bearer(Some(Scope::Keys));
    routes.get("/api/keys", keys, list).post("/api/keys", keys, make).delete("/api/keys/{id}", keys, revoke)
}

/// An API key, without what makes it one.
#[derive(Serialize, ToSchema)]
#[expect(clippy::struct_field_names, reason = "as programs know it")]
pub struct Key {
    id: KeyId,
    name: String,
    /// How it begins.
    prefix: String,
    scopes: Vec<&'static str>,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(format = DateTime)]
    expires_at: Option<String>,
    /// To a minute.
    #[schema(format = DateTime)]
    last_used_at: Option<String>,
    expired: bool,
    /// The key itself: told once, when it is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
}

fn told(key: programs::Key) -> Key {
    Key {
        id: key.id,
        name: key.name,
        prefix: key.prefix,
        scopes: key.scopes.names(),
        created_at: time(key.created_at),
        expires_at: key.expires_at.map(time),
        last_used_at: key.used_at.map(time),
        expired: key.expired,
        key: None,
    }
}

/// One's keys, the newest first; all of them at once.
#[utoipa::path(get, path = "/api/keys", tag = "keys", security(("bearer" = ["keys"])),
    responses((status = 200, body = Listed<Key>), problem::Common))]
async fn list(State(web): State<Web>, caller: Caller) -> Result<Json<Listed<Key>>, Failure> {
    let data = programs::list(&web.app, &caller.viewer).await?.into_iter().map(told).collect();
    Ok(Json(Listed { data, next_cursor: None }))
}

/// What a key may do.
#[derive(ToSchema)]
#[expect(dead_code, reason = "for the document alone")]
pub enum ScopeName {
    #[schema(rename = "chats:read")]
    ChatsRead,
    #[schema(rename = "chats:write")]
    ChatsWrite,
    #[schema(rename = "models")]
    Models,
    #[schema(rename = "keys")]
    Keys,
    #[schema(rename = "admin")]
    Admin,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewKey {
    #[schema(min_length = 1, max_length = 80)]
    name: String,
    /// Some of one's own: `chats:read`, `chats:write`, `models`, `keys`, `admin`. Without them the first three.
    #[schema(value_type = Option<Vec<ScopeName>>, min_items = 1)]
    scopes: Option<Vec<String>>,
    /// Without it, good until it is revoked.
    #[schema(minimum = 1, maximum = 3650)]
    expires_in_days: Option<u32>,
}

/// Makes a key. This is the one answer that holds it.
#[utoipa::path(post, path = "/api/keys", tag = "keys", request_body = NewKey, security(("bearer" = ["keys"])),
    responses((status = 201, body = Key), problem::Common, problem::Body, problem::Conflict))]
async fn make(State(web): State<Web>, caller: Caller, Body(body): Body<NewKey>) -> Result<Response, Failure> {
    let usual = || Scope::USUAL.into_iter().filter(|scope| caller.scopes.has(*scope));
    let scopes = body.scopes.unwrap_or_else(|| usual().map(|scope| scope.name().to_owned()).collect());
    let wish = Wish { name: body.name, scopes, expires_in_days: body.expires_in_days };
    let Made { key, secret } = programs::make(&web.app, &caller, &wish).await?;
    Ok((StatusCode::CREATED, Json(Key { key: Some(secret), ..told(key) })).into_response())
}

/// Revokes a key: what was begun with it ends within seconds.
#[utoipa::path(delete, path = "/api/keys/{id}", tag = "keys", params(problem::ById), security(("bearer" = ["keys"])),
    responses((status = 204), problem::Common, problem::NotThere))]
async fn revoke(State(web): State<Web>, caller: Caller, Id(id): Id<KeyId>) -> Result<StatusCode, Failure> {
    programs::revoke(&web.app, &caller.viewer, id).await?;
    web.feeds.look();
    Ok(StatusCode::NO_CONTENT)
}
