//! The administrators' pages of groups.

use super::limits::number;
use crate::{
    base::{
        Error,
        error::FieldError,
        ids::{GroupId, UserId},
        money::money,
    },
    domain::{
        accounts::Viewer,
        groups::{self, Group, Said},
    },
    http::{
        Web,
        auth::Me,
        extract::{Asked, Fields, Id},
        present,
        respond::{self, Failure},
        routes::{Access, Routes},
    },
    views::{GroupForm, GroupLine, GroupMember, GroupPage, GroupsPage, text},
};
use axum::{
    extract::State,
    response::{Html, IntoResponse, Redirect, Response},
};
use serde::Deserialize;

pub fn routes(routes: Routes) -> Routes {
    routes
        .get("/admin/groups", Access::Administrator, show)
        .post("/admin/groups", Access::Administrator, make)
        .get("/admin/groups/{id}", Access::Administrator, show_one)
        .post("/admin/groups/{id}", Access::Administrator, change)
        .post("/admin/groups/{id}/add", Access::Administrator, add)
        .post("/admin/groups/{id}/remove", Access::Administrator, remove)
        .post("/admin/groups/{id}/delete", Access::Administrator, delete)
}

/// As typed.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Typed {
    name: String,
    #[serde(default)]
    budget: String,
}

impl Typed {
    fn said(&self) -> Result<Said, Error> {
        let wrong = |()| Error::invalid("budget", text::GROUP_BUDGET_WRONG);
        Ok(Said { name: self.name.clone(), budget: number(&self.budget).map_err(wrong)? })
    }

    fn form(self, web: &Web, wrong: Vec<FieldError>) -> GroupForm {
        let errors = wrong.into_iter().map(|error| (error.field, error.message)).collect();
        GroupForm { name: self.name, budget: self.budget, currency: web.app.config.catalog.currency.clone(), errors }
    }
}

async fn show(State(web): State<Web>, Me(viewer): Me) -> Result<Html<String>, Failure> {
    Ok(Html(page(&web, &viewer, Typed::default(), Vec::new()).await?))
}

async fn make(State(web): State<Web>, Me(viewer): Me, Fields(typed): Fields<Typed>) -> Result<Response, Failure> {
    let made = match typed.said() {
        Ok(said) => groups::make(&web.app, &viewer, &said).await,
        Err(error) => Err(error),
    };
    match made {
        Ok(id) => Ok(Redirect::to(&format!("/admin/groups/{id}")).into_response()),
        Err(Error::Invalid(wrong)) => {
            let status = respond::status(&Error::Invalid(Vec::new()));
            Ok((status, Html(page(&web, &viewer, typed, wrong).await?)).into_response())
        }
        Err(error) => Err(error.into()),
    }
}

#[derive(Default, Deserialize)]
struct Done {
    saved: Option<String>,
}

async fn show_one(
    State(web): State<Web>,
    Me(viewer): Me,
    Id(id): Id<GroupId>,
    Asked(done): Asked<Done>,
) -> Result<Html<String>, Failure> {
    let shown = Shown { saved: done.saved.is_some(), ..Shown::default() };
    Ok(Html(page_of(&web, &viewer, id, shown).await?))
}

async fn change(
    State(web): State<Web>,
    Me(viewer): Me,
    Id(id): Id<GroupId>,
    Fields(typed): Fields<Typed>,
) -> Result<Response, Failure> {
    let changed = match typed.said() {
        Ok(said) => groups::change(&web.app, &viewer, id, &said).await,
        Err(error) => Err(error),
    };
    match changed {
        Ok(()) => Ok(Redirect::to(&format!("/admin/groups/{id}?saved")).into_response()),
        Err(error) => {
            refused(&web, &viewer, id, error, |wrong| Shown { typed: Some((typed, wrong)), ..Shown::default() }).await
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Who {
    email: String,
}

async fn add(
    State(web): State<Web>,
    Me(viewer): Me,
    Id(id): Id<GroupId>,
    Fields(who): Fields<Who>,
) -> Result<Response, Failure> {
    match groups::add(&web.app, &viewer, id, &who.email).await {
        Ok(()) => Ok(Redirect::to(&format!("/admin/groups/{id}")).into_response()),
        Err(error) => {
            let shown = |wrong: Vec<FieldError>| {
                let fault = wrong.into_iter().next().map(|error| error.message);
                Shown { email: who.email, email_fault: fault, ..Shown::default() }
            };
            refused(&web, &viewer, id, error, shown).await
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Whom {
    user: UserId,
}

async fn remove(
    State(web): State<Web>,
    Me(viewer): Me,
    Id(id): Id<GroupId>,
    Fields(whom): Fields<Whom>,
) -> Result<Redirect, Failure> {
    groups::remove(&web.app, &viewer, id, whom.user).await?;
    Ok(Redirect::to(&format!("/admin/groups/{id}")))
}

async fn delete(State(web): State<Web>, Me(viewer): Me, Id(id): Id<GroupId>) -> Result<Redirect, Failure> {
    groups::delete(&web.app, &viewer, id).await?;
    Ok(Redirect::to("/admin/groups"))
}

/// The page again, with what cannot be taken.
async fn refused(
    web: &Web,
    viewer: &Viewer,
    id: GroupId,
    error: Error,
    shown: impl FnOnce(Vec<FieldError>) -> Shown,
) -> Result<Response, Failure> {
    let status = respond::status(&error);
    let Error::Invalid(wrong) = error else { return Err(error.into()) };
    Ok((status, Html(page_of(web, viewer, id, shown(wrong)).await?)).into_response())
}

async fn page(web: &Web, viewer: &Viewer, typed: Typed, wrong: Vec<FieldError>) -> Result<String, Failure> {
    let currency = &web.app.config.catalog.currency;
    let line = |group: Group| GroupLine {
        id: group.id,
        name: group.name,
        members: group.members,
        budget: group.budget.map(|budget| money(budget, currency)),
        spent: money(group.spent, currency),
    };
    let groups = groups::all(&web.app, viewer).await?.into_iter().map(line).collect();
    let days = present::days(&web.app, viewer, None).await?;
    Ok(GroupsPage { me: present::me(viewer), days, groups, form: typed.form(web, wrong) }.render())
}

/// What a group's page shows beside the group.
#[derive(Default)]
struct Shown {
    saved: bool,
    /// What was typed, and what is wrong with it.
    typed: Option<(Typed, Vec<FieldError>)>,
    email: String,
    email_fault: Option<String>,
}

async fn page_of(web: &Web, viewer: &Viewer, id: GroupId, shown: Shown) -> Result<String, Failure> {
    let (group, members) = groups::find(&web.app, viewer, id).await?;
    let (typed, wrong) = shown.typed.unwrap_or_else(|| {
        let budget = group.budget.map(|budget| (budget / 1_000_000).to_string()).unwrap_or_default();
        (Typed { name: group.name.clone(), budget }, Vec::new())
    });
    let members = members.into_iter().map(|one| GroupMember { id: one.id, name: one.name, email: one.email });
    let page = GroupPage {
        me: present::me(viewer),
        days: present::days(&web.app, viewer, None).await?,
        id,
        title: group.name,
        saved: shown.saved,
        form: typed.form(web, wrong),
        members: members.collect(),
        email: shown.email,
        email_fault: shown.email_fault,
    };
    Ok(page.render())
}
