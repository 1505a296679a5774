//! The settings' page of API keys. A key is in one answer and in no address: making one is answered with the page itself.

use crate::{
    base::{Error, error::FieldError, ids::KeyId},
    domain::{
        accounts::Viewer,
        programs::{self, Caller, Key, Made, Scope, Scopes, Wish},
    },
    http::{
        Web,
        auth::Me,
        extract::{Asked, Fields, Id},
        present,
        respond::{self, Failure},
        route_list,
        routes::{Access, Route, Routes},
    },
    views::{KeyForm, KeyLine, KeysPage, NewKey},
};
use axum::{
    extract::State,
    response::{Html, IntoResponse, Redirect, Response},
};
use serde::Deserialize;
use std::sync::LazyLock;

pub fn routes(routes: Routes) -> Routes {
    routes.get("/settings/keys", Access::Member, show).post("/settings/keys", Access::Member, make).post(
        "/settings/keys/{id}/revoke",
        Access::Member,
        revoke,
    )
}

#[derive(Deserialize)]
struct Done {
    revoked: Option<String>,
}

async fn show(State(web): State<Web>, Me(viewer): Me, Asked(done): Asked<Done>) -> Result<Html<String>, Failure> {
    let usual = Scope::USUAL.map(Scope::name);
    let form = form(&viewer, String::new(), &usual, String::new(), Vec::new());
    page(&web, &viewer, form, done.revoked.is_some(), None).await
}

/// Pairs, because a box that is ticked comes as a field each.
async fn make(
    State(web): State<Web>,
    Me(viewer): Me,
    Fields(fields): Fields<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let one = |name: &str| fields.iter().find(|field| field.0 == name).map(|field| field.1.clone()).unwrap_or_default();
    let (name, expires) = (one("name"), one("expires_in_days"));
    let scopes: Vec<String> = fields.iter().filter(|field| field.0 == "scope").map(|field| field.1.clone()).collect();
    let known = |field: &(String, String)| ["name", "scope", "expires_in_days"].contains(&field.0.as_str());
    let result = match days(&expires) {
        Ok(expires_in_days) if fields.iter().all(known) => {
            let wish = Wish { name: name.clone(), scopes: scopes.clone(), expires_in_days };
            programs::make(&web.app, &Caller::in_person(viewer.clone()), &wish).await
        }
        Ok(_) => Err(Error::invalid("form", "This form has a field that is not known. Reload the page and try again.")),
        Err(error) => Err(error),
    };
    let wrong = match result {
        Ok(Made { key, secret }) => {
            let usual = Scope::USUAL.map(Scope::name);
            let form = form(&viewer, String::new(), &usual, String::new(), Vec::new());
            let made = NewKey { name: key.name, secret };
            return Ok(page(&web, &viewer, form, false, Some(made)).await?.into_response());
        }
        Err(Error::Invalid(wrong)) => wrong,
        Err(Error::Conflict(message)) => vec![FieldError { field: "form", message }],
        Err(error) => return Err(error.into()),
    };
    let scopes: Vec<&str> = scopes.iter().map(String::as_str).collect();
    let form = form(&viewer, name, &scopes, expires, wrong);
    let status = respond::status(&Error::Invalid(Vec::new()));
    Ok((status, page(&web, &viewer, form, false, None).await?).into_response())
}

async fn revoke(State(web): State<Web>, Me(viewer): Me, Id(id): Id<KeyId>) -> Result<Redirect, Failure> {
    programs::revoke(&web.app, &viewer, id).await?;
    Ok(Redirect::to("/settings/keys?revoked"))
}

fn days(text: &str) -> Result<Option<u32>, Error> {
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| Error::invalid("expires_in_days", "This is no number of days."))
}

/// What routes ask for: nothing else is offered.
static ASKED: LazyLock<Vec<Scope>> = LazyLock::new(|| {
    let asked = |route: Route| if let Access::Bearer(scope) = route.access { scope } else { None };
    route_list().into_iter().filter_map(asked).collect()
});

fn form(viewer: &Viewer, name: String, chosen: &[&str], expires: String, wrong: Vec<FieldError>) -> KeyForm {
    let mine = Scopes::of(viewer);
    let offered = Scope::ALL.into_iter().filter(|scope| mine.has(*scope) && ASKED.contains(scope)).map(Scope::name);
    let scopes = offered.map(|scope| (scope, chosen.contains(&scope))).collect();
    let errors = wrong.into_iter().map(|error| (error.field, error.message)).collect();
    KeyForm { name, scopes, expires, errors }
}

async fn page(
    web: &Web,
    viewer: &Viewer,
    form: KeyForm,
    revoked: bool,
    made: Option<NewKey>,
) -> Result<Html<String>, Failure> {
    let keys = programs::list(&web.app, viewer).await?.into_iter().map(line).collect();
    let days = present::days(&web.app, viewer, None).await?;
    Ok(Html(KeysPage { me: present::me(viewer), days, revoked, made, keys, form }.render()))
}

fn line(key: Key) -> KeyLine {
    let Key { id, name, prefix, scopes, created_at: made, expires_at: expires, used_at: used, expired } = key;
    KeyLine { id, name, prefix, scopes: scopes.names(), made, expires, expired, used }
}
