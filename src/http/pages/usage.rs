//! What was used and what it cost, month by month: one's own, and for administrators everybody's. As a page and as CSV.

use crate::{
    base::month::Month,
    domain::{
        accounts::Viewer,
        ledger::{self, By, Line, Sum, Whose},
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
    fn month(&self) -> Month {
        Month::parse(&self.month).unwrap_or_else(Month::now)
    }
}

async fn show(State(web): State<Web>, Me(viewer): Me, Asked(q): Asked<Query>) -> Result<Html<String>, Failure> {
    let groups = [(UsageKind::Days, By::Day), (UsageKind::Models, By::Model)];
    page(&web, &viewer, Whose::Own, q.month(), &groups).await
}

async fn show_all(State(web): State<Web>, Me(viewer): Me, Asked(q): Asked<Query>) -> Result<Html<String>, Failure> {
    let groups = [
        (UsageKind::Days, By::Day),
        (UsageKind::People, By::Person),
        (UsageKind::Models, By::Model),
        (UsageKind::Providers, By::Provider),
    ];
    page(&web, &viewer, Whose::All, q.month(), &groups).await
}

async fn page(
    web: &Web,
    viewer: &Viewer,
    whose: Whose,
    month: Month,
    kinds: &[(UsageKind, By)],
) -> Result<Html<String>, Failure> {
    let all = whose == Whose::All;
    let mut groups = Vec::new();
    for (kind, by) in kinds {
        let sums = ledger::sums(&web.app, viewer, whose, month, *by).await?;
        groups.push(UsageGroup { kind: *kind, lines: sums.into_iter().map(line).collect() });
    }
    let days = present::days(&web.app, viewer, None).await?;
    let currency = web.app.config.catalog.currency.clone();
    let budgets = if all || month != Month::now() { Vec::new() } else { limits::budgets(&web.app, viewer).await? };
    let words = |Budget { group, most, spent, reserved }: Budget| {
        let money = |micro| text::money(micro, &currency);
        text::usage_budget(group.as_deref(), &money((most - spent - reserved).max(0)), &money(most))
    };
    let budgets = budgets.into_iter().map(words).collect();
    let page = UsagePage {
        me: present::me(viewer),
        days,
        all,
        month: month.first(),
        name: month.name(),
        length: month.days(),
        before: month.before().name(),
        next: Some(month.next()).filter(|_| month != Month::now()).map(Month::name),
        budgets,
        currency,
        groups,
    };
    Ok(Html(page.render()))
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
    csv(&web, &viewer, Whose::Own, q.month()).await
}

async fn save_all(State(web): State<Web>, Me(viewer): Me, Asked(q): Asked<Query>) -> Result<Response, Failure> {
    csv(&web, &viewer, Whose::All, q.month()).await
}

/// RFC 4180. What a spreadsheet would take for a formula begins with an apostrophe.
async fn csv(web: &Web, viewer: &Viewer, whose: Whose, month: Month) -> Result<Response, Failure> {
    let lines = ledger::lines(&web.app, viewer, whose, month).await?;
    let all = whose == Whose::All;
    let currency = web.app.config.catalog.currency.to_lowercase();
    let person = if all { "person," } else { "" };
    let mut out = format!(
        "day,{person}provider,model,requests,failed,prompt_tokens,cached_tokens,completion_tokens,reasoning_tokens,\
         cost_{currency},requests_without_price\r\n"
    );
    for Line { day, person, provider, model, sum } in lines {
        let mut cells = vec![day.to_string()];
        if all {
            cells.push(quoted(&person));
        }
        cells.extend([quoted(&provider), quoted(&model)]);
        let numbers =
            [sum.requests, sum.failed, sum.prompt, sum.cached, sum.completion, sum.reasoning].map(|n| n.to_string());
        cells.extend(numbers);
        cells.extend([text::units(sum.cost), sum.unpriced.to_string()]);
        out.push_str(&cells.join(","));
        out.push_str("\r\n");
    }
    let disposition = format!("attachment; filename=\"usage-{}.csv\"", month.name());
    let headers =
        [(header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()), (header::CONTENT_DISPOSITION, disposition)];
    Ok((headers, out).into_response())
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
