//! The ways in and out: sign in, register, sign out, and the one-time set-up of the first administrator.

use crate::{
    base::{Error, config::Registration, error::FieldError},
    domain::accounts::{self, Registering},
    http::{
        Web,
        auth::{self, Credentials, Session, safe_next},
        extract::{Asked, Fields},
        respond::Failure,
        routes::{Access, Routes},
    },
    views::{LoginPage, RegisterPage, SetupPage},
};
use axum::{
    extract::State,
    http::StatusCode,
    response::{Html, IntoResponse, Redirect, Response},
};
use serde::Deserialize;

pub fn routes(routes: Routes) -> Routes {
    routes
        .get("/login", Access::Anyone, show_login)
        .post("/login", Access::Anyone, login)
        .get("/register", Access::Anyone, show_register)
        .post("/register", Access::Anyone, register)
        .get("/setup", Access::Anyone, show_setup)
        .post("/setup", Access::Anyone, setup)
        .post("/logout", Access::Anyone, logout)
}

#[derive(Deserialize)]
struct Next {
    #[serde(default)]
    next: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LoginForm {
    email: String,
    password: String,
    #[serde(default)]
    remember: String,
    #[serde(default)]
    next: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewcomerForm {
    email: String,
    name: String,
    password: String,
    #[serde(default)]
    next: String,
    #[serde(default)]
    token: String,
}

impl NewcomerForm {
    fn registering(&self) -> Registering {
        Registering { email: self.email.clone(), name: self.name.clone(), password: self.password.clone() }
    }
}

async fn show_login(State(web): State<Web>, session: Session, Asked(q): Asked<Next>) -> Response {
    if session.user.is_some() {
        return Redirect::to(safe_next(&q.next)).into_response();
    }
    Html(login_page(&web, String::new(), q.next, false, None).render()).into_response()
}

fn login_page(web: &Web, email: String, next: String, remember: bool, error: Option<&str>) -> LoginPage {
    LoginPage {
        email,
        next,
        remember,
        error: error.map(str::to_owned),
        registration_open: web.app.config.accounts.registration == Registration::Open,
        notice: None,
    }
}

async fn login(
    State(web): State<Web>,
    mut session: Session,
    Fields(form): Fields<LoginForm>,
) -> Result<Response, Failure> {
    let remember = !form.remember.is_empty();
    let creds = Credentials { email: form.email.clone(), password: form.password };
    let Some(user) = session.authenticate(creds).await.map_err(auth::into_error)? else {
        let sentence = "This address and password do not belong together. Check both and try again.";
        let page = login_page(&web, form.email, form.next, remember, Some(sentence));
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, Html(page.render())).into_response());
    };
    auth::sign_in(&web.app, &mut session, &user, remember).await?;
    Ok(Redirect::to(safe_next(&form.next)).into_response())
}

async fn show_register(State(web): State<Web>, session: Session, Asked(q): Asked<Next>) -> Result<Response, Failure> {
    if session.user.is_some() {
        return Ok(Redirect::to(safe_next(&q.next)).into_response());
    }
    if web.app.config.accounts.registration != Registration::Open {
        return Err(Error::Forbidden.into());
    }
    let page = RegisterPage { email: String::new(), name: String::new(), next: q.next, errors: Vec::new() };
    Ok(Html(page.render()).into_response())
}

async fn register(
    State(web): State<Web>,
    mut session: Session,
    Fields(form): Fields<NewcomerForm>,
) -> Result<Response, Failure> {
    match accounts::register(&web.app, &form.registering()).await {
        Ok(user) => {
            auth::sign_in(&web.app, &mut session, &user, false).await?;
            Ok(Redirect::to(safe_next(&form.next)).into_response())
        }
        Err(Error::Invalid(fields)) => {
            let page = RegisterPage { email: form.email, name: form.name, next: form.next, errors: told(fields) };
            Ok((StatusCode::UNPROCESSABLE_ENTITY, Html(page.render())).into_response())
        }
        Err(error) => Err(error.into()),
    }
}

#[derive(Deserialize)]
struct Token {
    #[serde(default)]
    token: String,
}

async fn show_setup(State(web): State<Web>, Asked(q): Asked<Token>) -> Result<Html<String>, Failure> {
    if !accounts::may_set_up(&web.app, &q.token).await? {
        return Err(Error::NotFound.into());
    }
    let (email, name, next) = Default::default();
    Ok(Html(SetupPage { email, name, next, errors: Vec::new(), token: q.token }.render()))
}

async fn setup(
    State(web): State<Web>,
    mut session: Session,
    Fields(form): Fields<NewcomerForm>,
) -> Result<Response, Failure> {
    match accounts::set_up(&web.app, &form.token, &form.registering()).await {
        Ok(user) => {
            auth::sign_in(&web.app, &mut session, &user, false).await?;
            Ok(Redirect::to("/").into_response())
        }
        Err(Error::Invalid(fields)) => {
            let NewcomerForm { email, name, next, token, .. } = form;
            let page = SetupPage { email, name, next, errors: told(fields), token };
            Ok((StatusCode::UNPROCESSABLE_ENTITY, Html(page.render())).into_response())
        }
        Err(error) => Err(error.into()),
    }
}

async fn logout(mut session: Session) -> Result<Redirect, Failure> {
    session.logout().await.map_err(auth::into_error)?;
    Ok(Redirect::to("/login"))
}

fn told(fields: Vec<FieldError>) -> Vec<(&'static str, String)> {
    fields.into_iter().map(|f| (f.field, f.message)).collect()
}
