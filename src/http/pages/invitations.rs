//! The administrators' page of invitations.

use crate::{
    base::{Error, config::Registration, ids::InvitationId},
    domain::{
        accounts::Viewer,
        invitations::{self, Invitation},
    },
    http::{
        Web,
        auth::Me,
        extract::{Asked, Fields, Id},
        present,
        respond::{self, Failure},
        routes::{Access, Routes},
    },
    views::{InvitationLine, InvitationNotice, InvitationState, InvitationsPage},
};
use axum::{
    extract::State,
    response::{Html, IntoResponse, Redirect, Response},
};
use serde::Deserialize;

pub fn routes(routes: Routes) -> Routes {
    routes
        .get("/admin/invitations", Access::Administrator, show)
        .post("/admin/invitations", Access::Administrator, invite)
        .post("/admin/invitations/{id}/revoke", Access::Administrator, revoke)
}

#[derive(Deserialize)]
struct Done {
    revoked: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Invite {
    email: String,
    #[serde(default)]
    role: String,
}

async fn show(State(web): State<Web>, Me(viewer): Me, Asked(done): Asked<Done>) -> Result<Html<String>, Failure> {
    let notice = done.revoked.map(|_| InvitationNotice::Revoked);
    Ok(Html(page(&web, &viewer, notice, Invite::default(), None).await?))
}

async fn invite(State(web): State<Web>, Me(viewer): Me, Fields(form): Fields<Invite>) -> Result<Response, Failure> {
    let administrator = match form.role.as_str() {
        "administrator" => true,
        "" | "member" => false,
        _ => return Err(Error::invalid("role", "There is no such role.").into()),
    };
    let error = match invitations::invite(&web.app, &viewer, &form.email, administrator).await {
        Ok((email, link)) => {
            let notice = Some(InvitationNotice::Sent { email, link });
            return Ok(Html(page(&web, &viewer, notice, Invite::default(), None).await?).into_response());
        }
        Err(error) => error,
    };
    let (status, sentence) = (respond::status(&error), respond::sentence(&error));
    let (notice, fault) = match error {
        Error::Invalid(_) => (None, Some(sentence)),
        Error::Conflict(_) => (Some(InvitationNotice::Refused(sentence)), None),
        other => return Err(other.into()),
    };
    Ok((status, Html(page(&web, &viewer, notice, form, fault).await?)).into_response())
}

async fn revoke(State(web): State<Web>, Me(viewer): Me, Id(id): Id<InvitationId>) -> Result<Response, Failure> {
    match invitations::revoke(&web.app, &viewer, id).await {
        Ok(()) => Ok(Redirect::to("/admin/invitations?revoked").into_response()),
        Err(Error::NotFound) => {
            let page = page(&web, &viewer, Some(InvitationNotice::Gone), Invite::default(), None).await?;
            Ok((respond::status(&Error::NotFound), Html(page)).into_response())
        }
        Err(error) => Err(error.into()),
    }
}

async fn page(
    web: &Web,
    viewer: &Viewer,
    notice: Option<InvitationNotice>,
    typed: Invite,
    fault: Option<String>,
) -> Result<String, Failure> {
    let invitations = invitations::list(&web.app, viewer).await?.into_iter().map(line).collect();
    let registration = web.app.config.accounts.registration;
    let page = InvitationsPage {
        me: present::me(viewer),
        days: present::days(&web.app, viewer, None).await?,
        notice,
        open: registration == Registration::Open,
        closed: registration == Registration::Closed,
        typed: typed.email,
        administrator: typed.role == "administrator",
        fault,
        invitations,
    };
    Ok(page.render())
}

fn line(one: Invitation) -> InvitationLine {
    let state = match &one {
        Invitation { used: true, .. } => InvitationState::Used,
        Invitation { revoked: true, .. } => InvitationState::Revoked,
        Invitation { open: true, .. } => InvitationState::Open,
        _ => InvitationState::TooOld,
    };
    InvitationLine {
        id: one.id,
        email: one.email,
        administrator: one.role == "administrator",
        by: one.by.unwrap_or_default(),
        at: one.created_at,
        until: one.expires_at,
        state,
    }
}
