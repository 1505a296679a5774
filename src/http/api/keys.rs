//! A person's API keys, for programs that have the scope.

use super::{body::Body, time};
use crate::{
    base::ids::KeyId,
    domain::programs::{self, Caller, Key, Made, Scope, Wish},
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
use serde::Deserialize;
use serde_json::{Value, json};

pub fn routes(routes: Routes) -> Routes {
    let keys = Access::Bearer(Some(Scope::Keys));
    routes.get("/api/keys", keys, list).post("/api/keys", keys, make).delete("/api/keys/{id}", keys, revoke)
}

async fn list(State(web): State<Web>, caller: Caller) -> Result<Json<Value>, Failure> {
    let keys = programs::list(&web.app, &caller.viewer).await?;
    Ok(Json(json!({ "data": keys.iter().map(told).collect::<Vec<_>>() })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewKey {
    name: String,
    scopes: Option<Vec<String>>,
    expires_in_days: Option<u32>,
}

/// The one answer that holds a key.
async fn make(State(web): State<Web>, caller: Caller, Body(body): Body<NewKey>) -> Result<Response, Failure> {
    let usual = || Scope::USUAL.into_iter().filter(|scope| caller.scopes.has(*scope));
    let scopes = body.scopes.unwrap_or_else(|| usual().map(|scope| scope.name().to_owned()).collect());
    let wish = Wish { name: body.name, scopes, expires_in_days: body.expires_in_days };
    let Made { key, secret } = programs::make(&web.app, &caller, &wish).await?;
    let mut told = told(&key);
    told["key"] = secret.into();
    Ok((StatusCode::CREATED, Json(told)).into_response())
}

async fn revoke(State(web): State<Web>, caller: Caller, Id(id): Id<KeyId>) -> Result<StatusCode, Failure> {
    programs::revoke(&web.app, &caller.viewer, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn told(key: &Key) -> Value {
    json!({
        "id": key.id,
        "name": key.name,
        "prefix": key.prefix,
        "scopes": key.scopes.names(),
        "created_at": time(key.created_at),
        "expires_at": key.expires_at.map(time),
        "last_used_at": key.used_at.map(time),
        "expired": key.expired,
    })
}
