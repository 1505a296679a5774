//! The words of the pages of what was used.

use time::{Date, Month, format_description::well_known::Iso8601};

pub const USAGE: &str = "Usage";
pub const USAGE_MONTHS: &str = "Months";
pub const USAGE_NONE: &str = "Nothing was used in this month.";
pub const USAGE_SUMS: &str = "This month";
pub const USAGE_COST: &str = "cost";
pub const USAGE_REQUESTS: &str = "requests to models";
pub const USAGE_PROMPT: &str = "tokens in";
pub const USAGE_COMPLETION: &str = "tokens out";
pub const USAGE_PICTURE_COST: &str = "Cost of each day (UTC)";
pub const USAGE_PICTURE_TOKENS: &str = "Tokens of each day (UTC)";
pub const USAGE_DAYS: &str = "By day";
pub const USAGE_PEOPLE: &str = "By person";
pub const USAGE_MODELS: &str = "By model";
pub const USAGE_PROVIDERS: &str = "By provider";
pub const USAGE_DAY: &str = "Day";
pub const USAGE_PERSON: &str = "Person";
pub const USAGE_MODEL: &str = "Model";
pub const USAGE_PROVIDER: &str = "Provider";
pub const USAGE_GONE: &str = "an account that is gone";
pub const USAGE_REQUESTS_HEAD: &str = "Requests";
pub const USAGE_PROMPT_HEAD: &str = "Tokens in";
pub const USAGE_COMPLETION_HEAD: &str = "Tokens out";
pub const USAGE_COST_HEAD: &str = "Cost";
pub const USAGE_NO_PRICE: &str = "no price known";
pub const USAGE_CSV: &str = "Save as CSV";

pub fn usage_failed(count: i64) -> String {
    format!("{} failed", super::grouped(count))
}

pub fn usage_cached(count: i64) -> String {
    format!("{} of them cached", super::grouped(count))
}

pub fn usage_unpriced(count: i64) -> String {
    match count {
        1 => "Of 1 request no price is known, so the cost leaves it out.".into(),
        _ => format!("Of {} requests no price is known, so the cost leaves them out.", super::grouped(count)),
    }
}

/// What is left of a budget: one's own, or a group's.
pub fn usage_budget(group: Option<&str>, left: &str, budget: &str) -> String {
    let of_group = group.map(|group| format!(" of “{group}”")).unwrap_or_default();
    format!("{left} of this month's budget{of_group} of {budget} are left.")
}

pub fn tokens(count: i64) -> String {
    if count == 1 { "1 token".into() } else { format!("{} tokens", super::grouped(count)) }
}

/// A month, of `2026-11`: “November 2026”.
pub fn month_of_name(name: &str) -> String {
    let parts =
        name.split_once('-').and_then(|(year, month)| Some((year, Month::try_from(month.parse::<u8>().ok()?).ok()?)));
    parts.map_or_else(|| name.to_owned(), |(year, month)| format!("{month} {year}"))
}

/// A day of a month, of `2026-11-29`: “29 November”.
pub fn day_of(day: &str) -> String {
    Date::parse(day, &Iso8601::DATE).map_or_else(|_| day.to_owned(), |day| format!("{} {}", day.day(), day.month()))
}

#[cfg(test)]
mod tests {
    use super::{day_of, month_of_name};

    #[test]
    fn days_and_months() {
        assert_eq!((month_of_name("2026-11"), day_of("2026-11-09")), ("November 2026".into(), "9 November".into()));
        assert_eq!((month_of_name("soon"), day_of("soon")), ("soon".into(), "soon".into()));
    }
}
