//! How much somebody may send: so many messages in any minute and in any day, exact over all processes. By the settings,
//! unless their role or they themselves were given other limits. And how often an address may ask without anybody being
//! signed in (visitors.rs). What must not live here: tries of passwords (tries/).

mod budget;
mod calls;
mod store;
mod visitors;

pub use budget::{Bill, Budget, budgets, due, reserve};
pub use calls::{Asks, Granted, give_back_calls, reserve_call, take_calls};
pub use store::Given;
pub use visitors::Visitors;

use crate::{
    app::App,
    base::{
        Error, Result,
        config::MOST,
        error::{Allowance, FieldError},
        ids::{MessageId, UserId},
    },
    domain::{
        accounts::{self, Viewer},
        audit::{self, Actor, Subject},
    },
};
use sqlx::PgConnection;
use std::time::Duration;

/// A kind of account, each with limits of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Member,
    Administrator,
}

impl Role {
    pub const ALL: [Self; 2] = [Self::Member, Self::Administrator];

    /// Its name in the database and in forms.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Administrator => "administrator",
        }
    }

    fn of(administrator: bool) -> Self {
        if administrator { Self::Administrator } else { Self::Member }
    }
}

/// Who takes messages, and what the settings say about that.
#[derive(Debug, Clone)]
pub struct Purse {
    user: UserId,
    role: Role,
    settings: (i32, i32),
    /// Nothing for what costs nothing, as far as is known.
    pub bill: Option<Bill>,
}

impl Purse {
    /// Without anything to pay.
    #[must_use]
    pub fn of(app: &App, viewer: &Viewer) -> Self {
        let role = Role::of(viewer.administrator);
        Self { user: viewer.id, role, settings: settings(app, role), bill: None }
    }

    /// For an answer by this model.
    ///
    /// # Errors
    /// The database's.
    pub async fn paying(app: &App, tx: &mut PgConnection, viewer: &Viewer, model: &str) -> Result<Self> {
        Ok(Self { bill: Bill::of(app, tx, viewer, model).await?, ..Self::of(app, viewer) })
    }
}

/// Messages a minute and a day, as the settings have it; 0: no limit.
fn settings(app: &App, role: Role) -> (i32, i32) {
    let limits = &app.config.limits;
    match role {
        Role::Member => (limits.messages_per_minute.cast_signed(), limits.messages_per_day.cast_signed()),
        Role::Administrator => (0, 0),
    }
}

/// Takes one message, in the transaction of the act that begins this answer: rolled back with it. As its last lock: until
/// the transaction ends, no other act of this person is counted. Returns what is left, if anything limits them.
///
/// # Errors
/// [`Error::Limited`] when there is nothing left.
pub async fn take(tx: &mut PgConnection, purse: &Purse, answer: MessageId) -> Result<Option<Allowance>> {
    let windows = store::take(tx, purse.user, purse.role.name(), purse.settings, answer).await?;
    let full = windows.iter().filter_map(|window| Some((window.again_in?, window)));
    let Some((again, window)) = full.max_by(|a, b| a.0.total_cmp(&b.0)) else { return Ok(tightest(&windows)) };
    let allowance = window.allowance();
    let sentence = match allowance.period {
        60 => format!("{} sent within a minute, which is as many as can be.", messages(allowance.most)),
        _ => format!("{} sent within 24 hours, which is as many as can be.", messages(allowance.most)),
    };
    let limited = Error::limited(Duration::from_secs_f64(again.max(0.)), &sentence);
    let Error::Limited { retry_after, sentence, .. } = limited else { return Err(limited) };
    Err(Error::Limited { retry_after, sentence, allowance: Some(allowance) })
}

fn messages(most: u32) -> String {
    if most == 1 { "One message was".to_owned() } else { format!("{most} messages were") }
}

/// What is left, without taking anything.
///
/// # Errors
/// The database's.
pub async fn left(app: &App, viewer: &Viewer) -> Result<Option<Allowance>> {
    let purse = Purse::of(app, viewer);
    let windows = store::windows(&app.pools.http, purse.user, purse.role.name(), purse.settings).await?;
    Ok(tightest(&windows))
}

/// Of several windows, the one that is full first: it is what somebody wants to know of.
fn tightest(windows: &[store::Window]) -> Option<Allowance> {
    windows.iter().map(store::Window::allowance).min_by_key(|allowance| (allowance.left, allowance.period))
}

/// Gives back what was taken for answers that were never asked for.
///
/// # Errors
/// The database's.
pub async fn give_back(tx: &mut PgConnection, user: UserId, answers: &[MessageId]) -> Result<()> {
    Ok(store::give_back(tx, user, answers).await?)
}

/// What is in force for each role: as the settings say, and what was given instead.
pub struct OfRole {
    pub role: Role,
    pub settings: Given,
    pub given: Given,
}

/// The limits of all roles.
///
/// # Errors
/// [`Error::NotFound`] for whoever is no administrator.
pub async fn of_roles(app: &App, viewer: &Viewer) -> Result<Vec<OfRole>> {
    only_administrators(viewer)?;
    let mut all = Vec::new();
    for role in Role::ALL {
        let (minute, day) = settings(app, role);
        let settings = Given {
            messages_per_minute: Some(minute),
            messages_per_day: Some(day),
            calls_per_hour: Some(calls::by_settings(app, role)),
            budget: Some(budget::by_settings(app, role)),
        };
        all.push(OfRole { role, settings, given: store::of_role(&app.pools.http, role.name()).await? });
    }
    Ok(all)
}

/// Gives roles other limits than the settings', all or none of them.
///
/// # Errors
/// [`Error::Invalid`] for a number that is too high; [`Error::NotFound`] for whoever is no administrator.
pub async fn set_of_roles(app: &App, viewer: &Viewer, all: &[(Role, Given)]) -> Result<()> {
    only_administrators(viewer)?;
    let mut tx = app.pools.http.begin().await?;
    for (role, given) in all {
        check(given)?;
        let before = store::set_of_role(&mut tx, role.name(), given).await?;
        if before != *given {
            let details = format!("{}: {}", role.name(), in_words(given));
            audit::note(&mut tx, &Actor::from(viewer), "limits.changed", None, &details).await?;
        }
    }
    tx.commit().await?;
    Ok(())
}

/// What a person was given: nothing of what is null, which is as their role has it.
///
/// # Errors
/// [`Error::NotFound`] for whoever is no administrator.
pub async fn of_user(app: &App, viewer: &Viewer, user: UserId) -> Result<Given> {
    only_administrators(viewer)?;
    Ok(store::of_user(&app.pools.http, user).await?)
}

/// Gives a person other limits than their role's, or (all null) takes them away again. What they have sent already counts.
///
/// # Errors
/// [`Error::Invalid`] for a number that is too high; [`Error::NotFound`] for a person who is not there, and for whoever is
/// no administrator.
pub async fn set_of_user(app: &App, viewer: &Viewer, user: UserId, given: Given) -> Result<()> {
    only_administrators(viewer)?;
    check(&given)?;
    let mut tx = app.pools.http.begin().await?;
    let email = accounts::email_of(&mut tx, user).await?.ok_or(Error::NotFound)?;
    store::set_of_user(&mut tx, user, &given).await?;
    let subject = Subject { id: user, email: &email };
    audit::note(&mut tx, &Actor::from(viewer), "user.limits", Some(subject), &in_words(&given)).await?;
    tx.commit().await?;
    Ok(())
}

fn check(given: &Given) -> Result<()> {
    let fields = [
        ("messages_per_minute", given.messages_per_minute),
        ("messages_per_day", given.messages_per_day),
        ("calls_per_hour", given.calls_per_hour),
        ("budget", given.budget),
    ];
    let wrong =
        fields.into_iter().filter(|(_, most)| most.is_some_and(|most| !(0..=MOST.cast_signed()).contains(&most)));
    let message = format!("A whole number from 0 to {MOST}, or nothing.");
    let wrong: Vec<_> = wrong.map(|(field, _)| FieldError { field, message: message.clone() }).collect();
    if wrong.is_empty() { Ok(()) } else { Err(Error::Invalid(wrong)) }
}

fn in_words(given: &Given) -> String {
    let one = |most: Option<i32>| match most {
        None => "as before".to_owned(),
        Some(0) => "no limit".to_owned(),
        Some(most) => most.to_string(),
    };
    let (minute, day) = (one(given.messages_per_minute), one(given.messages_per_day));
    let (calls, budget) = (one(given.calls_per_hour), one(given.budget));
    format!("messages a minute: {minute}, a day: {day}, calls an hour: {calls}, budget of a month: {budget}")
}

fn only_administrators(viewer: &Viewer) -> Result<()> {
    if viewer.administrator { Ok(()) } else { Err(Error::NotFound) }
}

/// Forgets what no longer counts.
///
/// # Errors
/// The database's.
pub async fn care(app: &App) -> Result<()> {
    Ok(store::care(&app.pools.jobs).await?)
}
