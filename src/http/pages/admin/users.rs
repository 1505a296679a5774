//! The administrators' pages about people: who there is, one of them, and a new one.

use super::{super::limits::number, is_full, line};
use crate::{
    base::{Error, error::FieldError, ids::UserId},
    domain::{
        accounts::{Registering, Viewer},
        audit::Actor,
        limits::{self, Given},
        people::{
            self,
            find::{self, Person},
        },
    },
    http::{
        Web,
        auth::{Me, encode},
        extract::{Asked, Fields, Id},
        present, respond,
        respond::Failure,
        routes::{Access, Routes},
    },
    views::{NewUserPage, PersonLine, UserLimits, UserNotice, UserPage, UsersPage},
};
use axum::{
    extract::State,
    response::{Html, IntoResponse, Redirect, Response},
};
use serde::Deserialize;
use uuid::Uuid;

pub fn routes(routes: Routes) -> Routes {
    routes
        .get("/admin/users", Access::Administrator, list)
        .get("/admin/users/new", Access::Administrator, new)
        .post("/admin/users", Access::Administrator, create)
        .get("/admin/users/{id}", Access::Administrator, show)
        .post("/admin/users/{id}/role", Access::Administrator, role)
        .post("/admin/users/{id}/disable", Access::Administrator, disable)
        .post("/admin/users/{id}/enable", Access::Administrator, enable)
        .post("/admin/users/{id}/link", Access::Administrator, link)
        .post("/admin/users/{id}/limits", Access::Administrator, set_limits)
        .post("/admin/users/{id}/delete", Access::Administrator, delete)
}

#[derive(Deserialize)]
struct Find {
    #[serde(default)]
    q: String,
    before: Option<Uuid>,
    #[serde(default)]
    done: String,
}

async fn list(State(web): State<Web>, Me(viewer): Me, Asked(asked): Asked<Find>) -> Result<Html<String>, Failure> {
    let found = find::find(&web.app, &viewer, &asked.q, asked.before).await?;
    let q = asked.q;
    let older = found.last().filter(|_| is_full(found.len()));
    let older = older.map(|last| format!("/admin/users?q={}&before={}", encode(&q), last.id));
    let days = present::days(&web.app, &viewer, None).await?;
    let people = found.into_iter().map(person_line).collect();
    let deleted = asked.done == "deleted";
    Ok(Html(UsersPage { me: present::me(&viewer), days, deleted, q, people, older }.render()))
}

fn person_line(person: Person) -> PersonLine {
    let Person { id, email, name, administrator, disabled, created, chats, active } = person;
    PersonLine { id, email, name, administrator, disabled, created, chats, active }
}

/// What was done before this page; any other word is none.
#[derive(Deserialize)]
struct Done {
    #[serde(default)]
    done: String,
}

/// What a page of an account says beside the account.
#[derive(Default)]
struct Said {
    notice: Option<UserNotice>,
    refused: Option<String>,
    link: Option<String>,
    /// Limits as they were typed, when they cannot be taken.
    typed: Option<LimitsForm>,
}

async fn show(
    State(web): State<Web>,
    Me(viewer): Me,
    Id(id): Id<UserId>,
    Asked(asked): Asked<Done>,
) -> Result<Html<String>, Failure> {
    let notice = match asked.done.as_str() {
        "created" => Some(UserNotice::Created),
        "role" => Some(UserNotice::Role),
        "disabled" => Some(UserNotice::Disabled),
        "enabled" => Some(UserNotice::Enabled),
        "limits" => Some(UserNotice::Limits),
        _ => None,
    };
    Ok(Html(page(&web, &viewer, id, Said { notice, ..Said::default() }).await?))
}

async fn page(web: &Web, viewer: &Viewer, id: UserId, said: Said) -> Result<String, Failure> {
    let person = find::look(&web.app, viewer, id).await?;
    let entries = find::log(&web.app, viewer, Some(id), None).await?;
    let currency = web.app.config.catalog.currency.clone();
    let limits = if let Some(typed) = said.typed {
        let LimitsForm { messages_per_minute: minute, messages_per_day: day, calls_per_hour: calls, budget } = typed;
        UserLimits { minute, day, calls, budget, currency, wrong: true }
    } else {
        let given = limits::of_user(&web.app, viewer, id).await?;
        let written = |most: Option<i32>| most.map(|most| most.to_string()).unwrap_or_default();
        let (minute, day) = (written(given.messages_per_minute), written(given.messages_per_day));
        let (calls, budget) = (written(given.calls_per_hour), written(given.budget));
        UserLimits { minute, day, calls, budget, currency, wrong: false }
    };
    let page = UserPage {
        me: present::me(viewer),
        days: present::days(&web.app, viewer, None).await?,
        person: person_line(person),
        notice: said.notice,
        refused: said.refused,
        link: said.link,
        limits,
        entries: entries.into_iter().map(line).collect(),
    };
    Ok(page.render())
}

/// Back to the account's page; why something was not done is said on it.
async fn answer(
    web: &Web,
    viewer: &Viewer,
    id: UserId,
    result: Result<(), Error>,
    done: &str,
) -> Result<Response, Failure> {
    match result {
        Ok(()) => Ok(Redirect::to(&format!("/admin/users/{id}?done={done}")).into_response()),
        Err(error @ Error::Conflict(_)) => {
            let said = Said { refused: Some(respond::sentence(&error)), ..Said::default() };
            Ok((respond::status(&error), Html(page(web, viewer, id, said).await?)).into_response())
        }
        Err(error) => Err(error.into()),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RoleForm {
    role: String,
}

async fn role(
    State(web): State<Web>,
    Me(viewer): Me,
    Id(id): Id<UserId>,
    Fields(form): Fields<RoleForm>,
) -> Result<Response, Failure> {
    let administrator = match form.role.as_str() {
        "administrator" => true,
        "member" => false,
        _ => return Err(Error::invalid("role", "There is no such role.").into()),
    };
    let result = people::set_role(&web.app, &Actor::from(&viewer), id, administrator).await;
    answer(&web, &viewer, id, result, "role").await
}

async fn disable(State(web): State<Web>, Me(viewer): Me, Id(id): Id<UserId>) -> Result<Response, Failure> {
    let result = people::disable(&web.app, &Actor::from(&viewer), id).await;
    web.feeds.look();
    answer(&web, &viewer, id, result, "disabled").await
}

async fn enable(State(web): State<Web>, Me(viewer): Me, Id(id): Id<UserId>) -> Result<Response, Failure> {
    let result = people::enable(&web.app, &Actor::from(&viewer), id).await;
    answer(&web, &viewer, id, result, "enabled").await
}

/// The one answer that shows the link.
async fn link(State(web): State<Web>, Me(viewer): Me, Id(id): Id<UserId>) -> Result<Response, Failure> {
    match find::reset_link(&web.app, &viewer, id).await {
        Ok(link) => {
            let said = Said { notice: Some(UserNotice::Link), link: Some(link), ..Said::default() };
            Ok(Html(page(&web, &viewer, id, said).await?).into_response())
        }
        Err(error) => answer(&web, &viewer, id, Err(error), "").await,
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LimitsForm {
    messages_per_minute: String,
    messages_per_day: String,
    #[serde(default)]
    calls_per_hour: String,
    #[serde(default)]
    budget: String,
}

async fn set_limits(
    State(web): State<Web>,
    Me(viewer): Me,
    Id(id): Id<UserId>,
    Fields(form): Fields<LimitsForm>,
) -> Result<Response, Failure> {
    let (Ok(messages_per_minute), Ok(messages_per_day), Ok(calls_per_hour), Ok(budget)) = (
        number(&form.messages_per_minute),
        number(&form.messages_per_day),
        number(&form.calls_per_hour),
        number(&form.budget),
    ) else {
        let said = Said { typed: Some(form), ..Said::default() };
        let status = respond::status(&Error::Invalid(Vec::new()));
        return Ok((status, Html(page(&web, &viewer, id, said).await?)).into_response());
    };
    let given = Given { messages_per_minute, messages_per_day, calls_per_hour, budget };
    let result = limits::set_of_user(&web.app, &viewer, id, given).await;
    answer(&web, &viewer, id, result, "limits").await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DeleteForm {
    email: String,
}

async fn delete(
    State(web): State<Web>,
    Me(viewer): Me,
    Id(id): Id<UserId>,
    Fields(form): Fields<DeleteForm>,
) -> Result<Response, Failure> {
    match find::delete(&web.app, &viewer, id, &form.email).await {
        Ok(()) => {
            web.feeds.look();
            Ok(Redirect::to("/admin/users?done=deleted").into_response())
        }
        Err(Error::Invalid(fields)) => {
            let error = Error::Invalid(fields);
            let said = Said { refused: Some(respond::sentence(&error)), ..Said::default() };
            Ok((respond::status(&error), Html(page(&web, &viewer, id, said).await?)).into_response())
        }
        Err(error) => answer(&web, &viewer, id, Err(error), "").await,
    }
}

async fn new(State(web): State<Web>, Me(viewer): Me) -> Result<Html<String>, Failure> {
    Ok(Html(form(&web, &viewer, NewForm::default(), Vec::new()).await?))
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct NewForm {
    email: String,
    name: String,
    password: String,
    role: String,
}

async fn create(State(web): State<Web>, Me(viewer): Me, Fields(given): Fields<NewForm>) -> Result<Response, Failure> {
    let NewForm { email, name, password, role } = given;
    let form_of = Registering { email, name, password };
    match find::create(&web.app, &viewer, &form_of, role == "administrator").await {
        Ok(user) => Ok(Redirect::to(&format!("/admin/users/{}?done=created", user.id)).into_response()),
        Err(Error::Invalid(fields)) => {
            let status = respond::status(&Error::Invalid(Vec::new()));
            let Registering { email, name, .. } = form_of;
            let again = NewForm { email, name, password: String::new(), role };
            Ok((status, Html(form(&web, &viewer, again, fields).await?)).into_response())
        }
        Err(error) => Err(error.into()),
    }
}

async fn form(web: &Web, viewer: &Viewer, given: NewForm, wrong: Vec<FieldError>) -> Result<String, Failure> {
    let page = NewUserPage {
        me: present::me(viewer),
        days: present::days(&web.app, viewer, None).await?,
        email: given.email,
        name: given.name,
        administrator: given.role == "administrator",
        errors: wrong.into_iter().map(|error| (error.field, error.message)).collect(),
    };
    Ok(page.render())
}
