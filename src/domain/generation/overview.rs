//! What is going on in all chats, for administrators: unfinished answers, dead letters, and whether workers take jobs.
//! Whose and by which model, never what was said. For everybody else it does not exist.

use super::{
    dead::{self, DeadLetter},
    state::State,
    store,
};
use crate::{
    app::App,
    base::{Result, ids::GenerationId, queue},
    domain::accounts::Viewer,
};
use time::OffsetDateTime;

/// How many of each state are listed.
pub const LISTED: i64 = 100;

/// How things stand.
#[derive(Debug, Clone)]
pub struct Overview {
    /// At most [`LISTED`] of each state, the most urgent first: the longest running, the longest queued, the next one to
    /// be tried again, the oldest in line.
    pub unfinished: Vec<Unfinished>,
    /// The newest first.
    pub dead: Vec<DeadLetter>,
    pub queue: queue::Standing,
}

/// An answer that has not ended.
#[derive(Debug, Clone)]
pub struct Unfinished {
    pub id: GenerationId,
    pub state: State,
    /// How many stand so in all.
    pub total: i64,
    /// Whose question it is.
    pub email: String,
    /// `provider/name`.
    pub model: String,
    /// Goes on where another answer was cut.
    pub continues: bool,
    /// Claims since it was last put off.
    pub attempt: i32,
    /// How often it was put off.
    pub retries: i32,
    /// Running: since its first claim; queued: since it may be taken; otherwise since it was asked for.
    pub since: OffsetDateTime,
    /// The same in seconds.
    pub age: f64,
    /// Waiting: seconds until it is tried again; none or fewer when it is due.
    pub due_in: Option<f64>,
    /// Waiting: why, as the person was told.
    pub reason: Option<String>,
    /// In line: how the answer before it stands.
    pub before: Option<State>,
}

/// Looks at everything that is unfinished or given up.
///
/// # Errors
/// [`crate::base::Error::NotFound`] for whoever is no administrator.
pub async fn overview(app: &App, viewer: &Viewer) -> Result<Overview> {
    let dead = dead::list(app, viewer).await?;
    let db = &app.pools.http;
    Ok(Overview { unfinished: store::overview::unfinished(db, LISTED).await?, dead, queue: queue::standing(db).await? })
}
