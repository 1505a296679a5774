//! The ways in and out: sign in, register, sign out, and the one-time set-up of the first administrator.

use crate::{
    base::{Error, config::Registration, error::FieldError},
    domain::{
        accounts::{self, Registering},
        invitations,
    },
    http::{
        Web,
        address::Address,
        auth::{self, Credentials, Session, safe_next},
        extract::{Asked, Fields},
        respond::{self, Failure},
        routes::{Access, Routes},
        sessions::Guest,
    },
    views::{self, LoginPage, RegisterPage, Said, SayPage, SetupPage},
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
struct Asking {
    #[serde(default)]
    next: String,
    /// Of an invitation.
    #[serde(default)]
    token: String,
    /// A password was chosen anew.
    reset: Option<String>,
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

async fn show_login(State(web): State<Web>, session: Session, Asked(q): Asked<Asking>) -> Response {
    if session.user.is_some() {
        return Redirect::to(safe_next(&q.next)).into_response();
    }
    let notice = q.reset.map(|_| views::RESET_DONE.to_owned());
    Html(LoginPage { notice, ..login_page(&web, String::new(), q.next, false, None) }.render()).into_response()
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
    address: Address,
    guest: Guest,
    Fields(form): Fields<LoginForm>,
) -> Result<Response, Failure> {
    let remember = !form.remember.is_empty();
    let creds = Credentials { email: form.email.clone(), password: form.password, address };
    let error = match session.authenticate(creds).await.map_err(auth::into_error) {
        Ok(Some(user)) => {
            auth::sign_in(&web.app, &mut session, &user, remember, &guest).await?;
            return Ok(Redirect::to(safe_next(&form.next)).into_response());
        }
        Ok(None) => {
            Error::invalid("password", "This address and password do not belong together. Check both and try again.")
        }
        Err(error @ Error::Limited { .. }) => error,
        Err(error) => return Err(error.into()),
    };
    let page = login_page(&web, form.email, form.next, remember, Some(&respond::sentence(&error)));
    Ok(respond::refused(&error, page.render()))
}

async fn show_register(State(web): State<Web>, session: Session, Asked(q): Asked<Asking>) -> Result<Response, Failure> {
    if session.user.is_some() {
        return Ok(Redirect::to(safe_next(&q.next)).into_response());
    }
    let mut page =
        RegisterPage { token: None, email: String::new(), name: String::new(), next: q.next, errors: Vec::new() };
    if !q.token.is_empty() {
        match invitations::address_of(&web.app, &q.token).await {
            Ok(email) => (page.email, page.token) = (email, Some(q.token)),
            Err(Error::NotFound) => return Ok(not_open(&web, true)),
            Err(error) => return Err(error.into()),
        }
    } else if web.app.config.accounts.registration != Registration::Open {
        return Ok(not_open(&web, false));
    }
    Ok(Html(page.render()).into_response())
}

/// Why nobody can register like this.
fn not_open(web: &Web, invited: bool) -> Response {
    let (status, said) = match web.app.config.accounts.registration {
        Registration::Closed => (StatusCode::FORBIDDEN, Said::RegistrationClosed),
        _ if invited => (StatusCode::NOT_FOUND, Said::InvitationGone),
        _ => (StatusCode::FORBIDDEN, Said::ByInvitation),
    };
    (status, Html(SayPage { said }.render())).into_response()
}

async fn register(
    State(web): State<Web>,
    mut session: Session,
    Address(from): Address,
    guest: Guest,
    Fields(form): Fields<NewcomerForm>,
) -> Result<Response, Failure> {
    // whoever has an account needs none; and they are not counted as those who have none are
    if session.user.is_some() {
        return Ok(Redirect::to(safe_next(&form.next)).into_response());
    }
    let invited = !form.token.is_empty();
    let made = if invited {
        invitations::accept(&web.app, &form.token, &form.registering(), from).await
    } else {
        accounts::register(&web.app, &form.registering(), from).await
    };
    match made {
        Ok(user) => {
            auth::sign_in(&web.app, &mut session, &user, false, &guest).await?;
            Ok(Redirect::to(safe_next(&form.next)).into_response())
        }
        Err(Error::Invalid(fields)) => {
            let token = Some(form.token).filter(|_| invited);
            let NewcomerForm { email, name, next, .. } = form;
            let page = RegisterPage { token, email, name, next, errors: told(fields) };
            Ok((StatusCode::UNPROCESSABLE_ENTITY, Html(page.render())).into_response())
        }
        Err(Error::NotFound | Error::Forbidden) => Ok(not_open(&web, invited)),
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
    Address(from): Address,
    guest: Guest,
    Fields(form): Fields<NewcomerForm>,
) -> Result<Response, Failure> {
    match accounts::set_up(&web.app, &form.token, &form.registering(), from).await {
        Ok(user) => {
            auth::sign_in(&web.app, &mut session, &user, false, &guest).await?;
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

async fn logout(State(web): State<Web>, mut session: Session) -> Result<Redirect, Failure> {
    session.logout().await.map_err(auth::into_error)?;
    web.feeds.look();
    Ok(Redirect::to("/login"))
}

fn told(fields: Vec<FieldError>) -> Vec<(&'static str, String)> {
    fields.into_iter().map(|f| (f.field, f.message)).collect()
}
