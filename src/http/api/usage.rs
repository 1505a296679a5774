//! What somebody used, and what is left of their limits.

use super::{paging::Paging, problem};
use crate::{
    base::{Error, month::Month},
    domain::{
        ledger::{self, By, Whose},
        limits,
        programs::{Caller, Scope},
    },
    http::{
        Web,
        respond::Failure,
        routes::{Access, Routes},
    },
};
use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

pub fn routes(routes: Routes) -> Routes {
    routes.get("/api/usage", Access::Bearer(Some(Scope::Models)), show)
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// `2026-11`; without it, this month (UTC).
    #[param(pattern = "^[0-9]{4}-(0[1-9]|1[0-2])$")]
    month: Option<String>,
}

/// What somebody used in a month.
#[derive(Serialize, ToSchema)]
pub struct Usage {
    month: String,
    /// ISO 4217.
    currency: String,
    by_day: Vec<Used>,
    by_model: Vec<Used>,
    budgets: Vec<Budget>,
}

/// What was used, added up. Costs are in millionths of the currency.
#[derive(Serialize, ToSchema)]
pub struct Used {
    /// A day, or `provider/name`.
    name: String,
    requests: i64,
    failed: i64,
    prompt_tokens: i64,
    cached_tokens: i64,
    completion_tokens: i64,
    reasoning_tokens: i64,
    cost: i64,
    /// Requests of which no price was known.
    unpriced: i64,
}

/// A budget of this month, in millionths of the currency.
#[derive(Serialize, ToSchema)]
pub struct Budget {
    /// The group whose it is; null: one's own.
    group: Option<String>,
    most: i64,
    spent: i64,
    reserved: i64,
}

/// What was used in a month, by day and by model, and the budgets of this month.
#[utoipa::path(get, path = "/api/usage", tag = "usage", params(Which), security(("bearer" = ["models"])),
    responses((status = 200, body = Usage), problem::Common, problem::Wrong))]
async fn show(State(web): State<Web>, caller: Caller, Paging(which): Paging<Which>) -> Result<Json<Usage>, Failure> {
    let month = match &which.month {
        Some(text) => Month::parse(text).ok_or_else(|| Error::invalid("month", "A month is written like 2026-11."))?,
        None => Month::now(),
    };
    let (app, viewer) = (&web.app, &caller.viewer);
    let sums = async |by| {
        let sums = ledger::sums(app, viewer, Whose::Own, month, by).await?;
        Ok::<_, Error>(sums.into_iter().map(told).collect())
    };
    let budgets = limits::budgets(app, viewer).await?.into_iter();
    let budgets = budgets.map(|b| Budget { group: b.group, most: b.most, spent: b.spent, reserved: b.reserved });
    Ok(Json(Usage {
        month: month.name(),
        currency: app.config.catalog.currency.clone(),
        by_day: sums(By::Day).await?,
        by_model: sums(By::Model).await?,
        budgets: budgets.collect(),
    }))
}

fn told(sum: ledger::Sum) -> Used {
    Used {
        name: sum.name,
        requests: sum.requests,
        failed: sum.failed,
        prompt_tokens: sum.prompt,
        cached_tokens: sum.cached,
        completion_tokens: sum.completion,
        reasoning_tokens: sum.reasoning,
        cost: sum.cost,
        unpriced: sum.unpriced,
    }
}
