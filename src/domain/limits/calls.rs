//! Calls of models by programs: so many in any hour, exact over all processes, and what they may cost. Those of many people are
//! taken by one statement (migrations/0036_calls.sql), since each waits for it. What must not live here: what is called.

use super::{Bill, Role, budget, store};
use crate::{
    app::App,
    base::{
        Error, Result,
        error::Allowance,
        ids::{CallId, UserId},
    },
};
use std::time::Duration;

/// Somebody who wants to make some calls at once.
#[derive(Debug, Clone, Copy)]
pub struct Asks {
    pub user: UserId,
    pub administrator: bool,
    pub wanted: i32,
    /// As many more are taken ahead, if that keeps nobody from a call.
    pub more: i32,
}

/// What came of it.
#[derive(Debug, Clone)]
pub struct Granted {
    pub user: UserId,
    /// As many as may be made in any hour; 0: no limit.
    pub(super) most: i32,
    /// As many had been made before.
    pub(super) before: i32,
    /// As many of those that were wanted may be made.
    pub taken: i32,
    /// As many were taken ahead.
    pub ahead: i32,
    /// In this second of the epoch.
    pub(super) at: i64,
    /// Seconds until there is one more than now.
    pub(super) reset_in: f64,
    /// Seconds until there is room again, if not all could be taken.
    pub(super) again_in: Option<f64>,
    /// Their own budget of a month in micro-units; 0: none.
    pub own: i64,
    /// Whether one of their groups has a budget.
    pub of_groups: bool,
}

impl Granted {
    /// Whether what a call costs has to be held against anything.
    #[must_use]
    pub fn is_counted(&self) -> bool {
        self.own > 0 || self.of_groups
    }

    /// What is left after so many of them; nothing if there is no limit.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an hour of seconds")]
    pub fn allowance(&self, taken: i32) -> Option<Allowance> {
        let number = |n: i32| u32::try_from(n).unwrap_or(0);
        (self.most > 0).then(|| Allowance {
            most: number(self.most),
            left: number(self.most - self.before - taken),
            period: 3600,
            reset: self.reset_in.max(0.).ceil() as u32,
        })
    }

    /// Of one that could not be taken.
    #[must_use]
    pub fn refusal(&self) -> Error {
        let again = Duration::from_secs_f64(self.again_in.unwrap_or(1.).max(0.));
        let made = if self.most == 1 { "One call was".to_owned() } else { format!("{} calls were", self.most) };
        let sentence = format!("{made} made within an hour, which is as many as can be.");
        let limited = Error::limited(again, &sentence);
        let Error::Limited { retry_after, sentence, .. } = limited else { return limited };
        Error::Limited { retry_after, sentence, allowance: self.allowance(self.taken) }
    }
}

/// Calls in an hour, as the settings have it; 0: no limit.
pub(super) fn by_settings(app: &App, role: Role) -> i32 {
    match role {
        Role::Member => app.config.limits.calls_per_hour.cast_signed(),
        Role::Administrator => 0,
    }
}

/// Takes calls of several people, each of whom is among them once, as far as they have them.
///
/// # Errors
/// The database's.
pub async fn take_calls(app: &App, asks: &[Asks]) -> Result<Vec<Granted>> {
    let roles: Vec<_> = asks.iter().map(|ask| Role::of(ask.administrator)).collect();
    let users: Vec<_> = asks.iter().map(|ask| ask.user.0).collect();
    let names: Vec<_> = roles.iter().map(|role| role.name().to_owned()).collect();
    let per_hour: Vec<_> = roles.iter().map(|role| by_settings(app, *role)).collect();
    let wanted: Vec<_> = asks.iter().map(|ask| ask.wanted).collect();
    let more: Vec<_> = asks.iter().map(|ask| ask.more).collect();
    let budgets: Vec<_> = roles.iter().map(|role| i64::from(budget::by_settings(app, *role)) * 1_000_000).collect();
    Ok(store::take_calls(&app.pools.http, &users, &names, &per_hour, &wanted, &more, &budgets).await?)
}

/// So many that were taken ahead are not made.
///
/// # Errors
/// The database's.
pub async fn give_back_calls(app: &App, granted: &Granted, calls: i32) -> Result<()> {
    if granted.most > 0 {
        store::give_back_calls(&app.pools.jobs, granted.user, granted.at, calls).await?;
    }
    Ok(())
}

/// Reserves the most that a call may cost that is asked with at most so many tokens.
///
/// # Errors
/// [`Error::Limited`] when a budget has no room for it.
pub async fn reserve_call(app: &App, user: UserId, own: i64, bill: &Bill, call: CallId, prompt: i64) -> Result<()> {
    let amount = bill.most(prompt);
    let mut tx = app.pools.http.begin().await?;
    if let Some(full) = store::reserve_call(&mut tx, call, user, own, amount).await? {
        return Err(budget::no_room(bill, amount, &full));
    }
    tx.commit().await?;
    Ok(())
}
