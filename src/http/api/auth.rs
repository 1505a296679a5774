//! How programs sign in, stay signed in and sign out.

use super::{body::Body, problem};
use crate::{
    base::ids::{KeyId, UserId},
    domain::{
        accounts::{self, Registering},
        programs::{self, Caller},
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
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub fn routes(routes: Routes) -> Routes {
    routes
        .post("/api/auth/register", Access::Plain, register)
        .post("/api/auth/login", Access::Plain, login)
        .post("/api/auth/refresh", Access::Plain, refresh)
        .post("/api/auth/logout", Access::Plain, logout)
        .get("/api/auth/me", Access::Bearer(None), me)
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Newcomer {
    #[schema(format = Email, max_length = 254)]
    email: String,
    #[schema(min_length = 1, max_length = 80)]
    name: String,
    #[schema(format = Password, min_length = 8, max_length = 128)]
    password: String,
}

/// What a program signs in with from now on.
#[derive(Serialize, ToSchema)]
pub struct Tokens {
    /// Good for a short time.
    access_token: String,
    /// `Bearer`
    token_type: &'static str,
    /// Seconds.
    expires_in: i64,
    /// Good once, for the next ones.
    refresh_token: String,
}

/// Makes an account, where that is open, and signs in.
#[utoipa::path(post, path = "/api/auth/register", tag = "auth", security(()), request_body = Newcomer,
    responses((status = 201, body = Tokens), problem::Open, problem::Body, problem::Closed))]
async fn register(
    State(web): State<Web>,
    Address(from): Address,
    Body(body): Body<Newcomer>,
) -> Result<Response, Failure> {
    let Newcomer { email, name, password } = body;
    let user = accounts::register(&web.app, &Registering { email, name, password }, from).await?;
    let tokens = programs::begin(&web.app, &user).await?;
    Ok((StatusCode::CREATED, answer(tokens)).into_response())
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Credentials {
    email: String,
    #[schema(format = Password)]
    password: String,
}

/// Signs in with address and password.
#[utoipa::path(post, path = "/api/auth/login", tag = "auth", security(()), request_body = Credentials,
    responses((status = 200, body = Tokens), problem::Open, problem::Body, problem::NotIn))]
async fn login(
    State(web): State<Web>,
    Address(from): Address,
    Body(body): Body<Credentials>,
) -> Result<Response, Failure> {
    match programs::sign_in(&web.app, &body.email, &body.password, from).await? {
        Some(tokens) => Ok(answer(tokens).into_response()),
        None => Ok(Refusal::bad_credentials().into_response()),
    }
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Refresh {
    refresh_token: String,
}

/// Takes a refresh token for new tokens. One that was used before ends all that came of it.
#[utoipa::path(post, path = "/api/auth/refresh", tag = "auth", security(()), request_body = Refresh,
    responses((status = 200, body = Tokens), problem::Open, problem::Body, problem::NotIn))]
async fn refresh(
    State(web): State<Web>,
    Address(address): Address,
    Body(body): Body<Refresh>,
) -> Result<Response, Failure> {
    match programs::refresh(&web.app, &body.refresh_token, address).await? {
        Some(tokens) => Ok(answer(tokens).into_response()),
        None => Ok(Refusal::bad_refresh_token().into_response()),
    }
}

/// Signs out: neither token is good any more. Also for one that was not: then there is nothing left to end.
#[utoipa::path(post, path = "/api/auth/logout", tag = "auth", security(()), request_body = Refresh,
    responses((status = 204), problem::Open, problem::Body))]
async fn logout(State(web): State<Web>, Body(body): Body<Refresh>) -> Result<StatusCode, Failure> {
    programs::end(&web.app, &body.refresh_token).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Who asks, and what for.
#[derive(Serialize, ToSchema)]
pub struct Myself {
    id: UserId,
    email: String,
    name: String,
    /// `member` or `administrator`.
    role: &'static str,
    /// What may be done with this token or key.
    scopes: Vec<&'static str>,
    /// The key that was shown; null for an access token.
    key: Option<KeyId>,
}

/// Who the token or key belongs to.
#[utoipa::path(get, path = "/api/auth/me", tag = "auth", security(("bearer" = [])),
    responses((status = 200, body = Myself), problem::Common))]
async fn me(caller: Caller) -> Json<Myself> {
    let Caller { viewer, scopes, key, .. } = caller;
    Json(Myself {
        id: viewer.id,
        email: viewer.email,
        name: viewer.name,
        role: if viewer.administrator { "administrator" } else { "member" },
        scopes: scopes.names(),
        key,
    })
}

fn answer(tokens: programs::Tokens) -> Json<Tokens> {
    let programs::Tokens { access, expires_in, refresh } = tokens;
    Json(Tokens { access_token: access, token_type: "Bearer", expires_in, refresh_token: refresh })
}
