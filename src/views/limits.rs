//! The administrators' page of limits.

use super::{ChatDay, Me, assets, dom, page, text};

#[derive(askama::Template)]
#[template(path = "pages/limits/page.html")]
pub struct LimitsPage {
    pub me: Me,
    pub days: Vec<ChatDay>,
    pub saved: bool,
    /// What budgets are in.
    pub currency: String,
    pub roles: Vec<RoleLimits>,
}

page!(LimitsPage);

/// What a role may send.
pub struct RoleLimits {
    /// Else members.
    pub administrators: bool,
    pub minute: LimitField,
    pub day: LimitField,
    pub calls: LimitField,
    pub budget: LimitField,
}

/// One number.
pub struct LimitField {
    pub name: &'static str,
    /// As it is, or as it was typed.
    pub value: String,
    /// What holds while it is empty; 0: no limit.
    pub settings: u32,
    pub wrong: bool,
}

impl RoleLimits {
    fn fields(&self, currency: &str) -> [(&LimitField, String); 4] {
        [
            (&self.minute, text::LIMIT_MINUTE.into()),
            (&self.day, text::LIMIT_DAY.into()),
            (&self.calls, text::LIMIT_CALLS.into()),
            (&self.budget, text::limit_budget(currency)),
        ]
    }
}
