//! How programs sign in, stay signed in and sign out.

use super::body::Body;
use crate::{
    domain::{
        accounts::{self, Registering},
        programs::{self, Caller, Tokens},
    },
    http::{
        Web,
        address::Address,
        respond::{Failure, problem::Refusal},
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
    routes
        .post("/api/auth/register", Access::Plain, register)
        .post("/api/auth/login", Access::Plain, login)
        .post("/api/auth/refresh", Access::Plain, refresh)
        .post("/api/auth/logout", Access::Plain, logout)
        .get("/api/auth/me", Access::Bearer(None), me)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Newcomer {
    email: String,
    name: String,
    password: String,
}

async fn register(
    State(web): State<Web>,
    Address(from): Address,
    Body(body): Body<Newcomer>,
) -> Result<Response, Failure> {
    let Newcomer { email, name, password } = body;
    let user = accounts::register(&web.app, &Registering { email, name, password }, from).await?;
    let tokens = programs::begin(&web.app, &user).await?;
    Ok((StatusCode::CREATED, answer(&tokens)).into_response())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Credentials {
    email: String,
    password: String,
}

async fn login(
    State(web): State<Web>,
    Address(from): Address,
    Body(body): Body<Credentials>,
) -> Result<Response, Failure> {
    match programs::sign_in(&web.app, &body.email, &body.password, from).await? {
        Some(tokens) => Ok(answer(&tokens).into_response()),
        None => Ok(Refusal::bad_credentials().into_response()),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Refresh {
    refresh_token: String,
}

async fn refresh(
    State(web): State<Web>,
    Address(address): Address,
    Body(body): Body<Refresh>,
) -> Result<Response, Failure> {
    match programs::refresh(&web.app, &body.refresh_token, address).await? {
        Some(tokens) => Ok(answer(&tokens).into_response()),
        None => Ok(Refusal::bad_refresh_token().into_response()),
    }
}

/// Also for a token that is not good any more: then there is nothing left to end.
async fn logout(State(web): State<Web>, Body(body): Body<Refresh>) -> Result<StatusCode, Failure> {
    programs::end(&web.app, &body.refresh_token).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn me(caller: Caller) -> Json<Value> {
    let viewer = &caller.viewer;
    Json(json!({
        "id": viewer.id,
        "email": viewer.email,
        "name": viewer.name,
        "role": if viewer.administrator { "administrator" } else { "member" },
        "scopes": caller.scopes.names(),
        "key": caller.key,
    }))
}

fn answer(tokens: &Tokens) -> Json<Value> {
    Json(json!({
        "access_token": tokens.access,
        "token_type": "Bearer",
        "expires_in": tokens.expires_in,
        "refresh_token": tokens.refresh,
    }))
}
