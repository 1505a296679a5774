//! Letters to people: posted in the transaction of the act they tell of, sent by a job, tried again when the server does
//! not take them. The row is the truth, the job only calls. What must not live here: a letter's words (views/), a server's
//! protocol (outside/), or who may look (domain/outbox.rs).

mod store;

pub use store::{Entry, State};

use crate::{
    app::App,
    base::{
        Error, Result,
        config::seconds,
        ids::{LetterId, UserId},
        queue::{self, Job},
        seal,
    },
    outside::mail::{Delivered, Fault, Letter, Written},
};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use std::time::Duration;

/// What letters are sealed for.
const SEALED: &str = "mail";
/// How long a written letter lies there to be read, in its file and sealed in its row: longer than an invitation is good by
/// default.
const WRITTEN: Duration = Duration::from_hours(8 * 24);

/// "Look at the mail."
#[derive(Debug, Serialize, Deserialize)]
pub struct Look {}

impl Job for Look {
    const QUEUE: &'static str = "mail";
}

/// Posts a letter: it goes out if and only if the transaction commits.
///
/// # Errors
/// The database's.
pub async fn post(
    tx: &mut PgConnection,
    app: &App,
    to: &str,
    user: Option<UserId>,
    letter: &Letter,
) -> Result<LetterId> {
    let data = serde_json::to_vec(letter).map_err(Error::internal)?;
    let id = store::insert(tx, letter.kind(), to, user, &seal::seal(&app.secret, SEALED, &data)).await?;
    queue::enqueue(tx, &Look {}).await?;
    Ok(id)
}

/// A letter to be sent now, by nobody else for two minutes.
#[derive(Debug)]
pub struct Claim {
    pub id: LetterId,
    pub to: String,
    pub letter: Letter,
    attempts: i32,
    epoch: i32,
}

/// Takes the next letter that is due; those that nobody could read any more are settled on the way.
///
/// # Errors
/// The database's.
pub async fn claim(app: &App) -> Result<Option<Claim>> {
    while let Some(row) = store::claim(&app.pools.jobs).await? {
        match row.body.as_deref().map(|body| open(app, body)) {
            Some(Ok(letter)) => {
                let store::Claimed { id, recipient, attempts, epoch, .. } = row;
                return Ok(Some(Claim { id, to: recipient, letter, attempts, epoch }));
            }
            Some(Err(error)) => {
                tracing::error!(letter = %row.id, "a letter cannot be read: {error}");
                store::fail(&app.pools.jobs, row.id, row.epoch, "It cannot be read: it was sealed by another secret.")
                    .await?;
            }
            None => store::fail(&app.pools.jobs, row.id, row.epoch, "It was too old to be sent.").await?,
        }
    }
    Ok(None)
}

/// Sends a claimed letter in these words, and writes down what came of it.
///
/// # Errors
/// The database's; the letter is sent again then, under the same id.
pub async fn deliver(app: &App, claim: &Claim, words: &Written) -> Result<()> {
    let Claim { id, to, attempts, epoch, .. } = claim;
    let db = &app.pools.jobs;
    match app.mailer.send(id.0, to, words).await {
        Ok(Delivered::Sent) => store::sent(db, *id, *epoch).await?,
        Ok(Delivered::Written) => store::written(db, *id, *epoch).await?,
        Err(Fault { lasting, detail }) => {
            let schedule = &app.config.mail.retry;
            let pause = schedule.get(usize::try_from(*attempts - 1).unwrap_or(0)).filter(|_| !lasting);
            tracing::warn!(letter = %id, kind = claim.letter.kind(), attempts, again = pause.is_some(), "not sent: {detail}");
            let Some(pause) = pause else { return Ok(store::fail(db, *id, *epoch, &detail).await?) };
            let mut tx = db.begin().await?;
            if store::put_off(&mut tx, *id, *epoch, *pause, &detail).await? {
                queue::enqueue_in(&mut tx, &Look {}, seconds(*pause)).await?;
            }
            tx.commit().await?;
        }
    }
    Ok(())
}

fn open(app: &App, body: &[u8]) -> Result<Letter> {
    let data = seal::open(&app.secret, SEALED, body).map_err(Error::Internal)?;
    serde_json::from_slice(&data).map_err(Error::internal)
}

/// The newest letters before one.
///
/// # Errors
/// The database's.
pub async fn list(app: &App, before: Option<LetterId>, most: i64) -> Result<Vec<Entry>> {
    Ok(store::list(&app.pools.http, before, most).await?)
}

/// A letter's entry, and the letter itself if it was written for administrators to read and is still there. One that goes
/// to its owner by mail is not theirs to see.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn find(app: &App, id: LetterId) -> Result<(Entry, Option<Letter>)> {
    let (entry, body) = store::find(&app.pools.http, id).await?.ok_or(Error::NotFound)?;
    let letter = body.filter(|_| entry.state == State::Written).map(|body| open(app, &body)).transpose()?;
    Ok((entry, letter))
}

/// Sends a letter that has failed once more, from the beginning of the schedule.
///
/// # Errors
/// [`Error::Conflict`] if it has not failed, or is too old.
pub async fn try_again(tx: &mut PgConnection, id: LetterId) -> Result<()> {
    if !store::requeue(tx, id).await? {
        return Err(Error::Conflict("This letter is on its way already, or too old to be sent.".into()));
    }
    queue::enqueue(tx, &Look {}).await
}

/// How many letters of a kind an account was sent lately.
///
/// # Errors
/// The database's.
pub async fn lately(conn: &mut PgConnection, user: UserId, kind: &str, within: Duration) -> Result<i64> {
    Ok(store::lately(conn, user, kind, within.as_secs_f64()).await?)
}

/// Removes the letters to an account that goes, and to its addresses as they were written; which ones.
///
/// # Errors
/// The database's.
pub async fn forget(tx: &mut PgConnection, user: UserId, addresses: &[String]) -> Result<Vec<LetterId>> {
    Ok(store::forget(tx, user, addresses).await?)
}

/// Removes the files that these were written to.
///
/// # Errors
/// The data folder's.
pub async fn remove_written(app: &App, letters: &[LetterId]) -> Result<()> {
    let ids: Vec<_> = letters.iter().map(|id| id.0).collect();
    app.mailer.remove(&ids).await.map_err(|e| Error::Unavailable(format!("the outbox's folder: {e}")))
}

/// Lets go of what nobody needs any more: what letters said after a day (of written ones, after eight), and entries after
/// ninety days.
///
/// # Errors
/// The database's.
pub async fn care(app: &App) -> Result<()> {
    store::forget_bodies(&app.pools.jobs, WRITTEN.as_secs_f64()).await?;
    store::purge(&app.pools.jobs).await?;
    app.mailer.tidy(WRITTEN).await.map_err(|e| Error::Unavailable(format!("the outbox's folder: {e}")))
}
