//! Another address for one's account: the form in the settings, and the link that was sent to the new address, which may
//! be followed in another browser.

use crate::{
    base::Error,
    domain::accounts::{Viewer, address},
    http::{
        Web,
        address::Address,
        auth::Me,
        extract::{Asked, Fields},
        present,
        respond::Failure,
        routes::{Access, Routes},
    },
    views::{AddressPage, Said, SayPage},
};
use axum::{
    extract::State,
    http::StatusCode,
    response::{Html, IntoResponse, Response},
};
use serde::Deserialize;

pub fn routes(routes: Routes) -> Routes {
    routes
        .get("/settings/email", Access::Member, show)
        .post("/settings/email", Access::Member, wish)
        .get("/settings/email/confirm", Access::Anyone, ask)
        .post("/settings/email/confirm", Access::Anyone, confirm)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    email: String,
    password: String,
}

#[derive(Deserialize)]
struct Token {
    #[serde(default)]
    token: String,
}

async fn show(State(web): State<Web>, Me(viewer): Me) -> Result<Html<String>, Failure> {
    Ok(Html(page(&web, &viewer, String::new(), None, Vec::new()).await?))
}

async fn wish(State(web): State<Web>, Me(viewer): Me, Fields(form): Fields<Wish>) -> Result<Response, Failure> {
    match address::wish(&web.app, &viewer, &form.email, &form.password).await {
        Ok(sent) => Ok(Html(page(&web, &viewer, String::new(), Some(sent), Vec::new()).await?).into_response()),
        Err(Error::Invalid(fields)) => {
            let errors = fields.into_iter().map(|f| (f.field, f.message)).collect();
            let page = page(&web, &viewer, form.email, None, errors).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, Html(page)).into_response())
        }
        Err(error) => Err(error.into()),
    }
}

async fn page(
    web: &Web,
    viewer: &Viewer,
    typed: String,
    sent: Option<String>,
    errors: Vec<(&'static str, String)>,
) -> Result<String, Failure> {
    let days = present::days(&web.app, viewer, None).await?;
    let minutes = web.app.config.accounts.reset_minutes;
    let current = viewer.email.clone();
    Ok(AddressPage { me: present::me(viewer), days, current, typed, sent, minutes, errors }.render())
}

/// Looking changes nothing: the button does.
async fn ask(State(web): State<Web>, Asked(q): Asked<Token>) -> Result<Response, Failure> {
    if !address::is_good(&web.app, &q.token).await? {
        return Ok(gone());
    }
    Ok(Html(SayPage { said: Said::ConfirmAddress { token: q.token } }.render()).into_response())
}

async fn confirm(
    State(web): State<Web>,
    Address(from): Address,
    Fields(form): Fields<Token>,
) -> Result<Response, Failure> {
    match address::confirm(&web.app, &form.token, from).await {
        Ok(email) => Ok(Html(SayPage { said: Said::AddressConfirmed { email } }.render()).into_response()),
        Err(Error::NotFound) => Ok(gone()),
        Err(error) => Err(error.into()),
    }
}

fn gone() -> Response {
    (StatusCode::NOT_FOUND, Html(SayPage { said: Said::AddressGone }.render())).into_response()
}
