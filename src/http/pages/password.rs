//! A forgotten password: asking for a link, and choosing another password by it. The answer to whoever asks is the same
//! for every address.

use crate::{
    base::Error,
    domain::accounts::recovery,
    http::{
        Web,
        address::Address,
        extract::{Asked, Fields},
        respond::Failure,
        routes::{Access, Routes},
    },
    views::{ForgotPage, ResetPage, Said, SayPage},
};
use axum::{
    extract::State,
    http::StatusCode,
    response::{Html, IntoResponse, Redirect, Response},
};
use serde::Deserialize;

pub fn routes(routes: Routes) -> Routes {
    routes
        .get("/password/forgot", Access::Anyone, show_forgot)
        .post("/password/forgot", Access::Anyone, forgot)
        .get("/password/reset", Access::Anyone, show_reset)
        .post("/password/reset", Access::Anyone, reset)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ForgotForm {
    email: String,
}

#[derive(Deserialize)]
struct Token {
    #[serde(default)]
    token: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ResetForm {
    #[serde(default)]
    token: String,
    password: String,
}

async fn show_forgot() -> Html<String> {
    Html(ForgotPage { email: String::new(), errors: Vec::new() }.render())
}

async fn forgot(State(web): State<Web>, Fields(form): Fields<ForgotForm>) -> Result<Response, Failure> {
    match recovery::wish(&web.app, &form.email).await {
        Ok(()) => {
            let minutes = web.app.config.accounts.reset_minutes;
            let said = Said::ForgotSent { email: form.email.trim().to_owned(), minutes };
            Ok(Html(SayPage { said }.render()).into_response())
        }
        Err(Error::Invalid(fields)) => {
            let errors = fields.into_iter().map(|f| (f.field, f.message)).collect();
            let page = ForgotPage { email: form.email, errors };
            Ok((StatusCode::UNPROCESSABLE_ENTITY, Html(page.render())).into_response())
        }
        Err(error) => Err(error.into()),
    }
}

async fn show_reset(State(web): State<Web>, Asked(q): Asked<Token>) -> Result<Response, Failure> {
    if !recovery::is_good(&web.app, &q.token).await? {
        return Ok(gone());
    }
    Ok(Html(ResetPage { token: q.token, errors: Vec::new() }.render()).into_response())
}

async fn reset(
    State(web): State<Web>,
    Address(from): Address,
    Fields(form): Fields<ResetForm>,
) -> Result<Response, Failure> {
    match recovery::reset(&web.app, &form.token, &form.password, from).await {
        Ok(()) => Ok(Redirect::to("/login?reset").into_response()),
        Err(Error::NotFound) => Ok(gone()),
        Err(Error::Invalid(fields)) => {
            let errors = fields.into_iter().map(|f| (f.field, f.message)).collect();
            let page = ResetPage { token: form.token, errors };
            Ok((StatusCode::UNPROCESSABLE_ENTITY, Html(page.render())).into_response())
        }
        Err(error) => Err(error.into()),
    }
}

fn gone() -> Response {
    (StatusCode::NOT_FOUND, Html(SayPage { said: Said::ResetGone }.render())).into_response()
}
