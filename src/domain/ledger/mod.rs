//! The ledger: what each request to a provider used and cost, and the same added up for pages. What must not live here: what
//! a model costs (domain/prices.rs), what may be spent.

mod store;

pub use store::note;

use crate::{
    app::App,
    base::{
        Error, Result, clock,
        ids::{GenerationId, ProviderKeyId, UserId},
    },
    domain::accounts::Viewer,
    outside::llm::Usage,
};
use std::time::Duration;
use time::{Date, Month};

/// What a request was for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    Answer,
    Title,
}

/// A request to a provider that is over.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Whose person and chat it is counted for.
    pub generation: GenerationId,
    pub purpose: Purpose,
    pub provider: String,
    /// The provider's own name of it.
    pub model: String,
    /// Nothing: it was asked without one.
    pub key: Option<ProviderKeyId>,
    /// `complete`, `stopped`, or the kind of the fault.
    pub outcome: &'static str,
    pub usage: Usage,
    /// The provider did not tell all of it: counted by us.
    pub estimated: bool,
    /// In micro-units of the currency, if a price is known.
    pub cost: Option<i64>,
    pub first_token: Option<Duration>,
    pub tokens_per_second: Option<f64>,
}

/// What is added up by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    Day,
    Model,
    Person,
    Provider,
}

/// What was used, added up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sum {
    /// A day (ISO 8601), `provider/model`, an address, or a provider; empty for an account that is gone.
    pub name: String,
    pub requests: i64,
    /// Those of them that failed.
    pub failed: i64,
    pub prompt: i64,
    pub cached: i64,
    pub completion: i64,
    pub reasoning: i64,
    /// In micro-units of the currency.
    pub cost: i64,
    /// Requests of which no price was known.
    pub unpriced: i64,
}

/// What somebody used of a model in a day.
#[derive(Debug, Clone)]
pub struct Line {
    pub day: Date,
    /// Their address; empty for an account that is gone.
    pub person: String,
    pub provider: String,
    pub model: String,
    pub sum: Sum,
}

/// A month of the calendar, by UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MonthOf {
    first: Date,
}

impl MonthOf {
    #[must_use]
    pub fn now() -> Self {
        let today = clock::now().date();
        Self { first: today.replace_day(1).unwrap_or(today) }
    }

    /// Reads `2026-11`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (year, month) = text.split_once('-').filter(|(year, month)| year.len() == 4 && month.len() == 2)?;
        let month = Month::try_from(month.parse::<u8>().ok()?).ok()?;
        Some(Self { first: Date::from_calendar_date(year.parse().ok()?, month, 1).ok()? })
    }

    #[must_use]
    pub fn first(self) -> Date {
        self.first
    }

    /// How many days it has.
    #[must_use]
    pub fn days(self) -> u8 {
        self.first.month().length(self.first.year())
    }

    #[must_use]
    pub fn next(self) -> Self {
        let year = self.first.year() + i32::from(self.first.month() == Month::December);
        Self { first: Date::from_calendar_date(year, self.first.month().next(), 1).unwrap_or(self.first) }
    }

    #[must_use]
    pub fn before(self) -> Self {
        let year = self.first.year() - i32::from(self.first.month() == Month::January);
        Self { first: Date::from_calendar_date(year, self.first.month().previous(), 1).unwrap_or(self.first) }
    }

    /// As addresses have it: `2026-11`.
    #[must_use]
    pub fn name(self) -> String {
        format!("{:04}-{:02}", self.first.year(), u8::from(self.first.month()))
    }
}

/// What one person used in a month.
///
/// # Errors
/// The database's.
pub async fn of_oneself(app: &App, viewer: &Viewer, month: MonthOf, by: By) -> Result<Vec<Sum>> {
    sums(app, Some(viewer.id), month, by).await
}

/// The same line by line, by day and model.
///
/// # Errors
/// The database's.
pub async fn lines_of_oneself(app: &App, viewer: &Viewer, month: MonthOf) -> Result<Vec<Line>> {
    Ok(store::lines(&app.pools.http, Some(viewer.id), month.first(), month.next().first()).await?)
}

/// What all have used in a month, line by line, by day, person and model.
///
/// # Errors
/// [`Error::NotFound`] for whoever is no administrator.
pub async fn lines_of_all(app: &App, viewer: &Viewer, month: MonthOf) -> Result<Vec<Line>> {
    if !viewer.administrator {
        return Err(Error::NotFound);
    }
    Ok(store::lines(&app.pools.http, None, month.first(), month.next().first()).await?)
}

/// What all have used in a month.
///
/// # Errors
/// [`Error::NotFound`] for whoever is no administrator.
pub async fn of_all(app: &App, viewer: &Viewer, month: MonthOf, by: By) -> Result<Vec<Sum>> {
    if !viewer.administrator {
        return Err(Error::NotFound);
    }
    sums(app, None, month, by).await
}

/// Days in their order, the rest with what costs most, and then what is used most, first.
async fn sums(app: &App, user: Option<UserId>, month: MonthOf, by: By) -> Result<Vec<Sum>> {
    Ok(store::sums(&app.pools.http, user, month.first(), month.next().first(), by).await?)
}

#[cfg(test)]
mod tests {
    use super::MonthOf;

    #[test]
    fn months() {
        let month = |text| MonthOf::parse(text).unwrap();
        assert_eq!(month("2026-12").next().name(), "2027-01");
        assert_eq!(month("2026-01").before().name(), "2025-12");
        assert_eq!((month("2028-02").days(), month("2026-11").days()), (29, 30));
        for wrong in ["", "2026", "2026-13", "2026-1", "26-11", "2026-11-01", "2026-xx"] {
            assert_eq!(MonthOf::parse(wrong), None, "{wrong}");
        }
    }
}
