//! The ledger: what each request to a provider used and cost, and the same added up for pages. What must not live here: what
//! a model costs (domain/catalog), what may be spent.

mod store;

pub use store::{cost_of_answer, cost_of_chat, note, note_calls, used_by_answer};

use crate::{
    app::App,
    base::{
        Error, Result,
        ids::{CallId, GenerationId, ProviderKeyId, UserId},
        month::Month,
    },
    domain::accounts::Viewer,
    outside::llm::Usage,
};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use time::Date;

/// How old what everybody used may be, added up.
const RECENT: Duration = Duration::from_secs(10);

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

/// A call of a program that is over.
#[derive(Debug, Clone)]
pub struct Call {
    /// Its own: written down twice, it is there once.
    pub id: CallId,
    pub who: UserId,
    pub provider: String,
    pub model: String,
    pub key: Option<ProviderKeyId>,
    /// As of an [`Entry`].
    pub outcome: &'static str,
    pub usage: Usage,
    pub estimated: bool,
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
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
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

/// Whose use is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    Own,
    /// Everybody's, for administrators.
    All,
}

/// What was used in a month, added up: days in their order, the rest with what costs most, and then what is used most, first.
///
/// # Errors
/// [`Error::NotFound`] for whoever is no administrator and wants everybody's.
pub async fn sums(app: &App, viewer: &Viewer, whose: Whose, month: Month, by: By) -> Result<Vec<Sum>> {
    let user = user(viewer, whose)?;
    let sums = async { Ok(store::sums(&app.pools.http, user, month, by).await?) };
    // one's own are few, and wanted as they are now
    if user.is_some() {
        return sums.await;
    }
    app.cache.get(&format!("usage:{}:{by:?}", month.first()), RECENT, sums).await
}

/// The same line by line, by day, person and model.
///
/// # Errors
/// [`Error::NotFound`] for whoever is no administrator and wants everybody's.
pub async fn lines(app: &App, viewer: &Viewer, whose: Whose, month: Month) -> Result<Vec<Line>> {
    Ok(store::lines(&app.pools.http, user(viewer, whose)?, month).await?)
}

/// How a provider did in the last hour.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Health {
    pub provider: String,
    pub requests: i64,
    /// Those of them that failed, and how most of those did.
    pub failed: i64,
    pub fault: Option<String>,
    /// Milliseconds to the first token: half of the requests had it sooner, and 95 of 100.
    pub first_token: Option<f64>,
    pub first_token_late: Option<f64>,
}

/// How providers did in the last hour, of those that were asked.
///
/// # Errors
/// [`Error::NotFound`] for whoever is no administrator.
pub async fn health(app: &App, viewer: &Viewer) -> Result<Vec<Health>> {
    user(viewer, Whose::All)?;
    app.cache.get("health", RECENT, async { Ok(store::health(&app.pools.http).await?) }).await
}

/// The one whose use it is; nobody: everybody's.
fn user(viewer: &Viewer, whose: Whose) -> Result<Option<UserId>> {
    match whose {
        Whose::Own => Ok(Some(viewer.id)),
        Whose::All if viewer.administrator => Ok(None),
        Whose::All => Err(Error::NotFound),
    }
}
