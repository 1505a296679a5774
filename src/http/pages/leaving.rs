//! Leaving: the form, and the minute in which it can be undone.

use crate::{
    base::{Error, clock, error::FieldError},
    domain::{accounts::Viewer, people},
    http::{
        Web,
        auth::{Here, LEAVING, Me, Session},
        extract::Fields,
        present,
        respond::{self, Failure},
        routes::{Access, Routes},
    },
    views::{LeavePage, LeavingPage},
};
use axum::{
    extract::State,
    response::{Html, IntoResponse, Redirect, Response},
};
use serde::Deserialize;
use time::OffsetDateTime;

pub fn routes(routes: Routes) -> Routes {
    routes.get(LEAVING, Access::Member, show).post(LEAVING, Access::Member, leave).post(
        "/settings/delete/undo",
        Access::Member,
        stay,
    )
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LeaveForm {
    email: String,
    password: String,
}

async fn show(State(web): State<Web>, Me(viewer): Me, session: Session) -> Result<Html<String>, Failure> {
    let page = match session.user.and_then(|user| user.now.delete_at) {
        Some(at) => leaving_page(&viewer, at, None),
        None => leave_page(&web, &viewer, String::new(), Vec::new()).await?,
    };
    Ok(Html(page))
}

async fn leave(
    State(web): State<Web>,
    Me(viewer): Me,
    Here(this): Here,
    Fields(form): Fields<LeaveForm>,
) -> Result<Response, Failure> {
    let wrong = match people::leave(&web.app, &viewer, this, &form.password, &form.email).await {
        Ok(()) => {
            web.feeds.look();
            return Ok(Redirect::to(LEAVING).into_response());
        }
        Err(error @ (Error::Invalid(_) | Error::Conflict(_))) => error,
        Err(error) => return Err(error.into()),
    };
    let status = respond::status(&wrong);
    let fields = match wrong {
        Error::Invalid(fields) => fields,
        other => vec![FieldError { field: "account", message: respond::sentence(&other) }],
    };
    Ok((status, Html(leave_page(&web, &viewer, form.email, fields).await?)).into_response())
}

async fn stay(State(web): State<Web>, Me(viewer): Me, session: Session) -> Result<Response, Failure> {
    match people::stay(&web.app, &viewer).await {
        Ok(()) => Ok(Redirect::to("/").into_response()),
        Err(error @ Error::Conflict(_)) => {
            let at = session.user.and_then(|user| user.now.delete_at).unwrap_or_else(clock::now);
            let page = leaving_page(&viewer, at, Some(respond::sentence(&error)));
            Ok((respond::status(&error), Html(page)).into_response())
        }
        Err(error) => Err(error.into()),
    }
}

async fn leave_page(web: &Web, viewer: &Viewer, typed: String, wrong: Vec<FieldError>) -> Result<String, Failure> {
    let errors = wrong.into_iter().map(|error| (error.field, error.message)).collect();
    let days = present::days(&web.app, viewer, None).await?;
    Ok(LeavePage { me: present::me(viewer), days, email: viewer.email.clone(), typed, errors }.render())
}

fn leaving_page(viewer: &Viewer, at: OffsetDateTime, error: Option<String>) -> String {
    let left = (at - clock::now()).whole_seconds().clamp(0, 60);
    LeavingPage { email: viewer.email.clone(), seconds: left.unsigned_abs(), error }.render()
}
