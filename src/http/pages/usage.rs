//! What was used and what it cost, month by month: one's own, and for administrators everybody's. As a page and as CSV.

use crate::{
    domain::{
        accounts::Viewer,
        ledger::{self, By, Line, MonthOf, Sum},
        limits::{self, Budget},
    },
    http::{
        Web,
        auth::Me,
        extract::Asked,
        present,
        respond::Failure,
        routes::{Access, Routes},
    },
    views::{UsageGroup, UsageKind, UsageLine, UsagePage, text},
};
use axum::{
    extract::State,
    http::header,
    response::{Html, IntoResponse, Response},
};
use serde::Deserialize;

pub fn routes(routes: Routes) -> Routes {
    routes
        .get("/settings/usage", Access::Member, show)
        .get("/settings/usage.csv", Access::Member, save)
        .get("/admin/usage", Access::Administrator, show_all)
        .get("/admin/usage.csv", Access::Administrator, save_all)
}

#[derive(Deserialize)]
struct Query {
    #[serde(default)]
    month: String,
}

impl Query {
    /// The month that is asked for; this one, if that is none.
    fn month(&self) -> MonthOf {
        MonthOf::parse(&self.month).unwrap_or_else(MonthOf::now)
    }
}

async fn show(State(web): State<Web>, Me(viewer): Me, Asked(q): Asked<Query>) -> Result<Html<String>, Failure> {
    let month = q.month();
    let mut groups = Vec::new();
    for (kind, by) in [(UsageKind::Days, By::Day), (UsageKind::Models, By::Model)] {
        groups.push(group(kind, ledger::of_oneself(&web.app, &viewer, month, by).await?));
    }
    page(&web, &viewer, month, false, groups).await
}

async fn show_all(State(web): State<Web>, Me(viewer): Me, Asked(q): Asked<Query>) -> Result<Html<String>, Failure> {
    let month = q.month();
    let mut groups = Vec::new();
    for (kind, by) in [
        (UsageKind::Days, By::Day),
        (UsageKind::People, By::Person),
        (UsageKind::Models, By::Model),
        (UsageKind::Providers, By::Provider),
    ] {
        groups.push(group(kind, ledger::of_all(&web.app, &viewer, month, by).await?));
    }
    page(&web, &viewer, month, true, groups).await
}

async fn page(
    web: &Web,
    viewer: &Viewer,
    month: MonthOf,
    all: bool,
    groups: Vec<UsageGroup>,
) -> Result<Html<String>, Failure> {
    let days = present::days(&web.app, viewer, None).await?;
    let currency = web.app.config.catalog.currency.clone();
    let budget = if all || month != MonthOf::now() { None } else { limits::budget(&web.app, viewer).await? };
    let budget = budget.map(|Budget { most, spent, reserved }| {
        let money = |micro| text::money(micro, &currency);
        text::usage_budget(&money((most - spent - reserved).max(0)), &money(most))
    });
    let page = UsagePage {
        me: present::me(viewer),
        days,
        all,
        month: month.first(),
        name: month.name(),
        length: month.days(),
        before: month.before().name(),
        next: Some(month.next()).filter(|_| month != MonthOf::now()).map(MonthOf::name),
        budget,
        currency,
        groups,
    };
    Ok(Html(page.render()))
}

fn group(kind: UsageKind, sums: Vec<Sum>) -> UsageGroup {
    UsageGroup { kind, lines: sums.into_iter().map(line).collect() }
}

fn line(sum: Sum) -> UsageLine {
    UsageLine {
        name: sum.name,
        requests: sum.requests,
        failed: sum.failed,
        prompt: sum.prompt,
        cached: sum.cached,
        completion: sum.completion,
        cost: sum.cost,
        unpriced: sum.unpriced,
    }
}

async fn save(State(web): State<Web>, Me(viewer): Me, Asked(q): Asked<Query>) -> Result<Response, Failure> {
    let month = q.month();
    let lines = ledger::lines_of_oneself(&web.app, &viewer, month).await?;
    Ok(csv(&web, month, false, &lines))
}

async fn save_all(State(web): State<Web>, Me(viewer): Me, Asked(q): Asked<Query>) -> Result<Response, Failure> {
    let month = q.month();
    let lines = ledger::lines_of_all(&web.app, &viewer, month).await?;
    Ok(csv(&web, month, true, &lines))
}

/// RFC 4180. What a spreadsheet would take for a formula begins with an apostrophe.
fn csv(web: &Web, month: MonthOf, all: bool, lines: &[Line]) -> Response {
    let currency = &web.app.config.catalog.currency;
    let currency = currency.to_lowercase();
    let person = if all { "person," } else { "" };
    let mut out = format!(
        "day,{person}provider,model,requests,failed,prompt_tokens,cached_tokens,completion_tokens,reasoning_tokens,\
         cost_{currency},requests_without_price\r\n"
    );
    for Line { day, person, provider, model, sum } in lines {
        let mut cells = vec![day.to_string()];
        if all {
            cells.push(quoted(person));
        }
        cells.extend([quoted(provider), quoted(model)]);
        let numbers =
            [sum.requests, sum.failed, sum.prompt, sum.cached, sum.completion, sum.reasoning].map(|n| n.to_string());
        cells.extend(numbers);
        cells.extend([text::units(sum.cost), sum.unpriced.to_string()]);
        out.push_str(&cells.join(","));
        out.push_str("\r\n");
    }
    let disposition = format!("attachment; filename=\"usage-{}.csv\"", month.name());
    ([(header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()), (header::CONTENT_DISPOSITION, disposition)], out)
        .into_response()
}

fn quoted(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    format!("\"{}{}\"", if formula { "'" } else { "" }, text.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn cells() {
        assert_eq!(quoted("gpt, \"new\""), "\"gpt, \"\"new\"\"\"");
        assert_eq!(quoted("=cmd()"), "\"'=cmd()\"");
    }
}
