//! The words about limits: their page, and how many messages are left.

use super::{grouped, money};

pub const LIMITS: &str = "Limits";
pub const LIMITS_LEAD: &str = "How many messages can be sent, how often programs can call models, and what that may cost in a month. Somebody who was given limits of their own has those instead.";
pub const LIMITS_MEMBERS: &str = "Members";
pub const LIMITS_ADMINISTRATORS: &str = "Administrators";
pub const LIMIT_MINUTE: &str = "Messages in any minute";
pub const LIMIT_DAY: &str = "Messages in any 24 hours";
pub const LIMIT_CALLS: &str = "Model calls by programs in any hour";
pub const LIMIT_WRONG: &str = "A whole number, at most 1,000,000. 0 is no limit.";
pub const LIMITS_SAVED: &str = "Saved. It holds from now on.";

/// The field of a budget.
pub fn limit_budget(currency: &str) -> String {
    format!("Budget of a month, in whole {currency}")
}

/// Under a limit that can be left empty.
pub fn limit_hint(settings: u32) -> String {
    match settings {
        0 => "Empty: no limit, as the settings have it.".to_owned(),
        most => format!("Empty: {}, as the settings have it. 0: no limit.", grouped(i64::from(most))),
    }
}

/// By the composer, when it is little.
/// At the head of the picker.
pub fn messages_left(left: u32, most: u32, a_day: bool) -> String {
    format!("Messages: {}", self::left(left, most, a_day))
}

/// Of a budget, in micro-units.
pub fn money_left(left: i64, currency: &str) -> String {
    format!("{} left this month", money(left, currency))
}

pub fn left(left: u32, most: u32, a_day: bool) -> String {
    let most = grouped(i64::from(most));
    let period = if a_day { "in 24 hours" } else { "this minute" };
    match left {
        0 => format!("none of {most} left {period}"),
        _ => format!("{} of {most} left {period}", grouped(i64::from(left))),
    }
}
