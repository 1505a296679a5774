//! How much somebody, and their groups, may spend in a month of the calendar (UTC). The most that an answer may cost is reserved when it is
//! accepted, under a lock, so that many at once cannot overshoot; it is given back when the answer ends, however it does
//! (migrations/0029_budgets.sql, 0033_groups.sql), and what it did cost is counted by the ledger. What must not live here: prices.

use super::{Purse, Role, store};
use crate::{
    app::App,
    base::{Error, Result, clock, ids::GenerationId, money::money, month::Month},
    domain::{
        accounts::Viewer,
        catalog::{self, Price},
    },
    outside::llm::Usage,
};
use sqlx::PgConnection;
use std::time::Duration;

/// What an answer may cost, and against what that is held.
#[derive(Debug, Clone)]
pub struct Bill {
    price: Price,
    max_tokens: u32,
    /// In micro-units a month, by the settings; 0: no limit.
    by_settings: i64,
    currency: String,
    /// So many messages of a conversation are sent.
    pub max_messages: i32,
}

impl Bill {
    /// Nothing for a model without a price. Of models that may answer instead the dearest counts.
    pub(super) async fn of(app: &App, tx: &mut PgConnection, viewer: &Viewer, model: &str) -> Result<Option<Self>> {
        let (provider, name) = catalog::split(model);
        let others =
            app.provider(provider).and_then(|provider| provider.fallbacks.get(name).cloned()).unwrap_or_default();
        let (mut price, mut max_tokens) = (None, 0);
        for model in [model].into_iter().chain(others.iter().map(String::as_str)) {
            let facts = catalog::facts(app, tx, model).await?;
            max_tokens = max_tokens.max(catalog::max_output(app, &facts));
            let this = facts.price.map(Price::from);
            price = this.map(|this| price.map_or(this, |other| this.dearer(other))).or(price);
        }
        Ok(price.map(|price| Self {
            price,
            max_tokens,
            by_settings: i64::from(by_settings(app, Role::of(viewer.administrator))) * 1_000_000,
            currency: app.config.catalog.currency.clone(),
            max_messages: i32::try_from(app.config.context.max_messages).unwrap_or(i32::MAX),
        }))
    }

    /// For a call of a model with this price, answered with at most so many tokens in all.
    #[must_use]
    pub fn of_call(app: &App, viewer: &Viewer, price: Price, max_tokens: u32) -> Self {
        Self {
            price,
            max_tokens,
            by_settings: i64::from(by_settings(app, Role::of(viewer.administrator))) * 1_000_000,
            currency: app.config.catalog.currency.clone(),
            max_messages: 0,
        }
    }

    /// The most that it can cost, if no more than so many tokens are asked.
    pub(super) fn most(&self, prompt: i64) -> i64 {
        let dearest = Price { input: self.price.input.max(self.price.cached), ..self.price };
        dearest.cost(&Usage { prompt, completion: self.max_tokens.into(), ..Usage::default() })
    }

    fn money(&self, micro: i64) -> String {
        money(micro, &self.currency)
    }
}

/// What the settings say of a role, in units of the currency a month; 0: no limit.
pub(super) fn by_settings(app: &App, role: Role) -> i32 {
    match role {
        Role::Member => app.config.limits.budget_per_month.cast_signed(),
        Role::Administrator => 0,
    }
}

/// A budget, in micro-units, and what is left of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Budget {
    /// The group whose it is; nothing: a person's own.
    pub group: Option<String>,
    pub most: i64,
    pub spent: i64,
    pub reserved: i64,
}

/// The budgets of this month, one's own first, and then those of one's groups.
///
/// # Errors
/// The database's.
pub async fn budgets(app: &App, viewer: &Viewer) -> Result<Vec<Budget>> {
    let role = Role::of(viewer.administrator);
    let mut conn = app.pools.http.acquire().await?;
    let settings = i64::from(by_settings(app, role)) * 1_000_000;
    let (most, of_groups) = store::budgets(&mut conn, viewer.id, role.name(), settings).await?;
    let mut all = Vec::new();
    if most > 0 {
        let (spent, reserved) = store::spending(&mut conn, viewer.id).await?;
        all.push(Budget { group: None, most, spent, reserved });
    }
    let of_group = |full: store::Full| Budget {
        group: Some(full.whose),
        most: full.most,
        spent: full.spent,
        reserved: full.reserved,
    };
    if of_groups {
        all.extend(store::of_groups(&mut conn, viewer.id).await?.into_iter().map(of_group));
    }
    Ok(all)
}

/// The bill, and the person's own budget (in micro-units; 0: none) that has to have room for it beside those of their groups;
/// nothing if there are none.
///
/// # Errors
/// The database's.
pub async fn due<'p>(tx: &mut PgConnection, purse: &'p Purse) -> Result<Option<(&'p Bill, i64)>> {
    let Some(bill) = &purse.bill else { return Ok(None) };
    let (own, of_groups) = store::budgets(tx, purse.user, purse.role.name(), bill.by_settings).await?;
    Ok((own > 0 || of_groups).then_some((bill, own)))
}

/// Reserves the most that an answer may cost that is asked with at most so many tokens, in the transaction that begins it, as
/// its last lock.
///
/// # Errors
/// [`Error::Limited`] when a budget has no room for it; the transaction is to be rolled back then.
pub async fn reserve(
    tx: &mut PgConnection,
    purse: &Purse,
    (bill, own): (&Bill, i64),
    generation: GenerationId,
    prompt: i64,
) -> Result<()> {
    let amount = bill.most(prompt);
    match store::reserve(tx, generation, purse.user, own, amount).await? {
        None => Ok(()),
        Some(full) => Err(no_room(bill, amount, &full)),
    }
}

/// What is said of a budget that has no room for so much.
pub(super) fn no_room(bill: &Bill, amount: i64, full: &store::Full) -> Error {
    let next = Month::now().next().first();
    let whose =
        if full.whose.is_empty() { "your budget".to_owned() } else { format!("the budget of “{}”", full.whose) };
    let used = match (full.spent, full.reserved) {
        (spent, 0) => format!("{} are spent", bill.money(spent)),
        (spent, reserved) => {
            format!("{} are spent, {} are reserved for answers under way", bill.money(spent), bill.money(reserved))
        }
    };
    let sentence = format!(
        "This answer may cost up to {}, and {whose} of {} for this month has no room for it: {used}. Take a cheaper model, or \
         wait until 1 {}.",
        bill.money(amount),
        bill.money(full.most),
        next.month()
    );
    let retry_after = Duration::try_from(next.midnight().assume_utc() - clock::now()).unwrap_or(Duration::from_mins(1));
    Error::Limited { retry_after, sentence, allowance: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_that_it_may_cost() {
        let price = Price { input: 2_000_000, cached: 3_000_000, output: 10_000_000 };
        let bill = Bill { price, max_tokens: 1000, by_settings: 0, currency: "USD".into(), max_messages: 1 };
        // whatever the provider's cache does
        assert_eq!(bill.most(100), 300 + 10_000);
    }
}
