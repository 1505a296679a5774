//! How much somebody may spend in a month of the calendar (UTC). The most that an answer may cost is reserved when it is
//! accepted, under a lock, so that many at once cannot overshoot; it is given back when the answer ends, however it does
//! (migrations/0029_budgets.sql), and what it did cost is counted by the ledger. What must not live here: prices.

use super::{Purse, Role, store};
use crate::{
    app::App,
    base::{Error, Result, clock, ids::GenerationId, money::money},
    domain::{
        accounts::Viewer,
        catalog,
        prices::{Price, price},
    },
    outside::llm::Usage,
};
use sqlx::PgConnection;
use std::time::Duration;
use time::{Month, OffsetDateTime};

/// What an answer may cost, and against what that is held.
#[derive(Debug, Clone, Copy)]
pub struct Bill {
    price: Price,
    max_tokens: u32,
    /// In micro-units a month, by the settings; 0: no limit.
    by_settings: i64,
    /// Three letters.
    currency: [u8; 3],
    /// So many messages of a conversation are sent.
    pub max_messages: i32,
}

impl Bill {
    /// Nothing for a model without a price. Of models that may answer instead the dearest counts.
    pub(super) fn of(app: &App, viewer: &Viewer, model: &str) -> Option<Self> {
        let (provider, name) = catalog::split(model);
        let others = app.provider(provider)?.fallbacks.get(name).into_iter().flatten().map(String::as_str);
        let prices = [model].into_iter().chain(others).filter_map(|model| {
            let (provider, name) = catalog::split(model);
            price(app.provider(provider)?, name)
        });
        let price = prices.reduce(Price::dearer)?;
        Some(Self {
            price,
            max_tokens: app.config.context.max_output_tokens,
            by_settings: i64::from(by_settings(app, Role::of(viewer.administrator))) * 1_000_000,
            currency: app.config.catalog.currency.as_bytes().try_into().ok()?,
            max_messages: i32::try_from(app.config.context.max_messages).unwrap_or(i32::MAX),
        })
    }

    /// The most that it can cost, if no more than so many tokens are asked.
    fn most(&self, prompt: i64) -> i64 {
        let dearest = Price { input: self.price.input.max(self.price.cached), ..self.price };
        dearest.cost(&Usage { prompt, completion: self.max_tokens.into(), ..Usage::default() })
    }

    fn money(&self, micro: i64) -> String {
        money(micro, std::str::from_utf8(&self.currency).unwrap_or_default())
    }
}

/// What the settings say of a role, in units of the currency a month; 0: no limit.
pub(super) fn by_settings(app: &App, role: Role) -> i32 {
    match role {
        Role::Member => app.config.limits.budget_per_month.cast_signed(),
        Role::Administrator => 0,
    }
}

/// Somebody's budget, in micro-units, and what is left of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    pub most: i64,
    pub spent: i64,
    pub reserved: i64,
}

/// The budget of this month, if there is one.
///
/// # Errors
/// The database's.
pub async fn budget(app: &App, viewer: &Viewer) -> Result<Option<Budget>> {
    let role = Role::of(viewer.administrator);
    let mut conn = app.pools.http.acquire().await?;
    let settings = i64::from(by_settings(app, role)) * 1_000_000;
    let most = store::budget(&mut conn, viewer.id, role.name(), settings).await?;
    if most == 0 {
        return Ok(None);
    }
    let (spent, reserved) = store::spending(&mut conn, viewer.id).await?;
    Ok(Some(Budget { most, spent, reserved }))
}

/// Reserves the most that an answer may cost, in the transaction that begins it, as its last lock. `prompt` tells how many
/// tokens are asked at most, and is only looked at if there is a budget.
///
/// # Errors
/// [`Error::Limited`] when the budget has no room for it.
pub async fn reserve<P>(tx: &mut PgConnection, purse: &Purse, generation: GenerationId, prompt: P) -> Result<()>
where
    P: AsyncFnOnce(&mut PgConnection, &Bill) -> Result<i64>,
{
    let Some(bill) = purse.bill else { return Ok(()) };
    let budget = store::budget(tx, purse.user, purse.role.name(), bill.by_settings).await?;
    if budget == 0 {
        return Ok(());
    }
    let amount = bill.most(prompt(tx, &bill).await?);
    let (took, spent, reserved) = store::reserve(tx, generation, purse.user, budget, amount).await?;
    if took {
        return Ok(());
    }
    let now = clock::now();
    let next = next_month(now);
    let used = match (spent, reserved) {
        (spent, 0) => format!("{} are spent", bill.money(spent)),
        (spent, reserved) => {
            format!("{} are spent, {} are reserved for answers under way", bill.money(spent), bill.money(reserved))
        }
    };
    let sentence = format!(
        "This answer may cost up to {}, and your budget of {} for this month has no room for it: {used}. Take a cheaper model, \
         or wait until 1 {}.",
        bill.money(amount),
        bill.money(budget),
        next.month()
    );
    let retry_after = Duration::try_from(next - now).unwrap_or(Duration::from_mins(1));
    Err(Error::Limited { retry_after, sentence, allowance: None })
}

/// When the month after this moment begins.
fn next_month(now: OffsetDateTime) -> OffsetDateTime {
    let (year, month) = (now.year(), now.month());
    let year = year + i32::from(month == Month::December);
    let first = time::Date::from_calendar_date(year, month.next(), 1).unwrap_or(now.date());
    first.midnight().assume_utc()
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn the_next_month() {
        assert_eq!(next_month(datetime!(2026-11-29 21:00 UTC)), datetime!(2026-12-01 0:00 UTC));
        assert_eq!(next_month(datetime!(2026-12-31 23:59 UTC)), datetime!(2027-01-01 0:00 UTC));
    }

    #[test]
    fn the_most_that_it_may_cost() {
        let price = Price { input: 2_000_000, cached: 3_000_000, output: 10_000_000 };
        let bill = Bill { price, max_tokens: 1000, by_settings: 0, currency: *b"USD", max_messages: 1 };
        // whatever the provider's cache does
        assert_eq!(bill.most(100), 300 + 10_000);
    }
}
