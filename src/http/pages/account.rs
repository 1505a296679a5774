//! One's sessions and one's password.

use crate::{
    base::{Error, error::FieldError, ids::SessionId},
    domain::{
        accounts::{self, Viewer, sessions},
        programs,
    },
    http::{
        Web,
        auth::{self, Here, Me, Session},
        extract::{Asked, Fields, Id},
        present,
        respond::{self, Failure},
        routes::{Access, Routes},
    },
    views::{PasswordPage, SessionLine, SessionsPage},
};
use axum::{
    extract::State,
    response::{Html, IntoResponse, Redirect, Response},
};
use serde::Deserialize;

pub fn routes(routes: Routes) -> Routes {
    routes
        .get("/settings/sessions", Access::Member, show_sessions)
        .post("/settings/sessions/end", Access::Member, end_others)
        .post("/settings/sessions/{id}/end", Access::Member, end)
        .get("/settings/password", Access::Member, show_password)
        .post("/settings/password", Access::Member, change_password)
}

#[derive(Deserialize)]
struct Done {
    ended: Option<String>,
    saved: Option<String>,
}

async fn show_sessions(
    State(web): State<Web>,
    Me(viewer): Me,
    Here(this): Here,
    Asked(done): Asked<Done>,
) -> Result<Html<String>, Failure> {
    let line = |s: sessions::Session| SessionLine {
        id: s.id,
        device: s.device,
        address: s.address,
        remember: s.remember,
        began: s.began,
        seen: s.seen,
        this: s.id == this,
    };
    let mut sessions: Vec<_> = sessions::all(&web.app, &viewer).await?.into_iter().map(line).collect();
    sessions.sort_by_key(|session| !session.this);
    let days = present::days(&web.app, &viewer, None).await?;
    let programs = programs::count(&web.app, &viewer).await?;
    Ok(Html(SessionsPage { me: present::me(&viewer), days, sessions, programs, ended: done.ended.is_some() }.render()))
}

async fn end(State(web): State<Web>, Me(viewer): Me, Id(id): Id<SessionId>) -> Result<Redirect, Failure> {
    sessions::end(&web.app, &viewer, id).await?;
    web.feeds.look();
    Ok(Redirect::to("/settings/sessions?ended"))
}

async fn end_others(State(web): State<Web>, Me(viewer): Me, Here(this): Here) -> Result<Redirect, Failure> {
    sessions::end_others(&web.app, &viewer, this).await?;
    web.feeds.look();
    Ok(Redirect::to("/settings/sessions?ended"))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PasswordForm {
    old: String,
    password: String,
}

async fn show_password(
    State(web): State<Web>,
    Me(viewer): Me,
    Asked(done): Asked<Done>,
) -> Result<Html<String>, Failure> {
    Ok(Html(password_page(&web, &viewer, Vec::new(), done.saved.is_some()).await?))
}

async fn change_password(
    State(web): State<Web>,
    Me(viewer): Me,
    Here(this): Here,
    mut session: Session,
    Fields(form): Fields<PasswordForm>,
) -> Result<Response, Failure> {
    match accounts::change_password(&web.app, &viewer, this, &form.old, &form.password).await {
        Ok(user) => {
            web.feeds.look();
            // at once, not with the answer: meanwhile this session's other requests do not know the account
            session.login(&user).await.map_err(auth::into_error)?;
            session.session.save().await.map_err(|e| Error::Unavailable(e.to_string()))?;
            Ok(Redirect::to("/settings/password?saved").into_response())
        }
        Err(Error::Invalid(fields)) => {
            let status = respond::status(&Error::Invalid(Vec::new()));
            Ok((status, Html(password_page(&web, &viewer, fields, false).await?)).into_response())
        }
        Err(error) => Err(error.into()),
    }
}

async fn password_page(web: &Web, viewer: &Viewer, wrong: Vec<FieldError>, saved: bool) -> Result<String, Failure> {
    let errors = wrong.into_iter().map(|error| (error.field, error.message)).collect();
    let days = present::days(&web.app, viewer, None).await?;
    Ok(PasswordPage { me: present::me(viewer), days, saved, errors }.render())
}
