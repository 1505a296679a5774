//! The administrators' page of limits: how much members and administrators may send.

use crate::{
    base::config::MOST,
    domain::{
        accounts::Viewer,
        limits::{self, Given, OfRole, Role},
    },
    http::{
        Web,
        auth::Me,
        extract::{Asked, Fields},
        present,
        respond::Failure,
        routes::{Access, Routes},
    },
    views::{LimitField, LimitsPage, RoleLimits},
};
use axum::{
    extract::State,
    http::StatusCode,
    response::{Html, IntoResponse, Redirect, Response},
};
use serde::Deserialize;

pub fn routes(routes: Routes) -> Routes {
    routes.get("/admin/limits", Access::Administrator, show).post("/admin/limits", Access::Administrator, change)
}

#[derive(Deserialize)]
struct Done {
    saved: Option<String>,
}

async fn show(State(web): State<Web>, Me(viewer): Me, Asked(done): Asked<Done>) -> Result<Html<String>, Failure> {
    Ok(Html(page(&web, &viewer, None, done.saved.is_some()).await?))
}

/// As typed: nothing, or a number.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LimitsForm {
    member_minute: String,
    member_day: String,
    #[serde(default)]
    member_budget: String,
    #[serde(default)]
    member_calls: String,
    administrator_minute: String,
    administrator_day: String,
    #[serde(default)]
    administrator_budget: String,
    #[serde(default)]
    administrator_calls: String,
}

impl LimitsForm {
    fn of(&self, role: Role) -> [&str; 4] {
        match role {
            Role::Member => [&self.member_minute, &self.member_day, &self.member_calls, &self.member_budget],
            Role::Administrator => [
                &self.administrator_minute,
                &self.administrator_day,
                &self.administrator_calls,
                &self.administrator_budget,
            ],
        }
    }

    /// All of it, or nothing if a field cannot be read.
    fn given(&self) -> Option<Vec<(Role, Given)>> {
        let of = |role| {
            let [minute, day, calls, budget] = self.of(role);
            let given = Given {
                messages_per_minute: number(minute).ok()?,
                messages_per_day: number(day).ok()?,
                calls_per_hour: number(calls).ok()?,
                budget: number(budget).ok()?,
            };
            Some((role, given))
        };
        Role::ALL.into_iter().map(of).collect()
    }
}

/// What was typed, if it can be taken.
pub fn number(typed: &str) -> Result<Option<i32>, ()> {
    match typed.trim() {
        "" => Ok(None),
        digits => digits.parse().ok().filter(|most| (0..=MOST.cast_signed()).contains(most)).map(Some).ok_or(()),
    }
}

async fn change(State(web): State<Web>, Me(viewer): Me, Fields(form): Fields<LimitsForm>) -> Result<Response, Failure> {
    let Some(given) = form.given() else {
        let page = page(&web, &viewer, Some(&form), false).await?;
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, Html(page)).into_response());
    };
    limits::set_of_roles(&web.app, &viewer, &given).await?;
    Ok(Redirect::to("/admin/limits?saved").into_response())
}

async fn page(web: &Web, viewer: &Viewer, typed: Option<&LimitsForm>, saved: bool) -> Result<String, Failure> {
    let all = limits::of_roles(&web.app, viewer).await?;
    let roles = all.iter().map(|of| role(of, typed)).collect();
    let days = present::days(&web.app, viewer, None).await?;
    let currency = web.app.config.catalog.currency.clone();
    Ok(LimitsPage { me: present::me(viewer), days, saved, currency, roles }.render())
}

fn role(of: &OfRole, typed: Option<&LimitsForm>) -> RoleLimits {
    let [minute, day, calls, budget] = match of.role {
        Role::Member => ["member_minute", "member_day", "member_calls", "member_budget"],
        Role::Administrator => {
            ["administrator_minute", "administrator_day", "administrator_calls", "administrator_budget"]
        }
    };
    let typed = typed.map(|form| form.of(of.role));
    let field = |name, typed: Option<&str>, given: Option<i32>, settings: Option<i32>| LimitField {
        name,
        value: typed.map_or_else(|| given.map(|most| most.to_string()).unwrap_or_default(), str::to_owned),
        settings: settings.unwrap_or(0).cast_unsigned(),
        wrong: typed.is_some_and(|typed| number(typed).is_err()),
    };
    let (given, settings) = (of.given, of.settings);
    RoleLimits {
        administrators: of.role == Role::Administrator,
        minute: field(minute, typed.map(|t| t[0]), given.messages_per_minute, settings.messages_per_minute),
        day: field(day, typed.map(|t| t[1]), given.messages_per_day, settings.messages_per_day),
        calls: field(calls, typed.map(|t| t[2]), given.calls_per_hour, settings.calls_per_hour),
        budget: field(budget, typed.map(|t| t[3]), given.budget, settings.budget),
    }
}
