//! What is done to accounts as a whole: disabling them, their role, and their leaving (leave.rs). All of it is in the audit
//! log, and the house is never without an administrator. What must not live here: signing in, sessions (accounts/).

pub mod find;
mod leave;
mod store;

pub use leave::{MINUTE, delete, go, leave, look_after, stay};

use crate::{
    app::App,
    base::{Error, Result, ids::UserId},
    domain::{
        accounts::{email_key, sessions},
        audit::{self, Actor, Subject},
        generation, invitations, tokens,
    },
};
use sqlx::PgConnection;
use store::Standing;

/// Disables an account: nobody signs in to it, and what it has open ends. Its sessions and keys are worthless with the
/// commit, its feeds end within two seconds in every process, its unfinished answers now; a message accepted at the same
/// moment is stopped by the sweep. Disabling one that is disabled changes nothing.
///
/// `actor`: an administrator (`&Actor::from(&viewer)`), or [`Actor::operator`].
///
/// # Errors
/// [`Error::NotFound`], also for an actor who is no administrator; [`Error::Conflict`] with a sentence for the last
/// administrator.
pub async fn disable(app: &App, actor: &Actor, user: UserId) -> Result<()> {
    let mut tx = app.pools.http.begin().await?;
    let standing = reach(&mut tx, actor, user).await?;
    if !standing.disabled {
        keep_one_administrator(&mut tx, &standing, "disabled").await?;
        store::set_disabled(&mut tx, user, true).await?;
        end_what_is_open(&mut tx, user).await?;
        audit::note(&mut tx, actor, "user.disabled", Some(standing.subject()), "").await?;
    }
    tx.commit().await?;
    generation::withdraw(app, user).await
}

/// Lets a disabled account sign in again.
///
/// # Errors
/// As [`disable`]; [`Error::Conflict`] for one that is being deleted.
pub async fn enable(app: &App, actor: &Actor, user: UserId) -> Result<()> {
    let mut tx = app.pools.http.begin().await?;
    let standing = reach(&mut tx, actor, user).await?;
    if standing.leaves {
        return Err(Error::Conflict("This account is being deleted.".to_owned()));
    }
    if standing.disabled {
        store::set_disabled(&mut tx, user, false).await?;
        audit::note(&mut tx, actor, "user.enabled", Some(standing.subject()), "").await?;
    }
    tx.commit().await?;
    Ok(())
}

/// Makes an account an administrator, or a member again.
///
/// # Errors
/// As [`disable`].
pub async fn set_role(app: &App, actor: &Actor, user: UserId, administrator: bool) -> Result<()> {
    let mut tx = app.pools.http.begin().await?;
    let standing = reach(&mut tx, actor, user).await?;
    if standing.administrator != administrator {
        if !administrator {
            keep_one_administrator(&mut tx, &standing, "made a member").await?;
            invitations::withdraw(&mut tx, user).await?;
        }
        store::set_role(&mut tx, user, administrator).await?;
        let details = if administrator { "administrator" } else { "member" };
        audit::note(&mut tx, actor, "user.role", Some(standing.subject()), details).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// The account of an address, for the operator's command line; also one that is disabled.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn of_address(app: &App, email: &str) -> Result<UserId> {
    store::of_address(&app.pools.http, &email_key(email)).await?.ok_or(Error::NotFound)
}

impl Standing {
    fn subject(&self) -> Subject<'_> {
        Subject { id: self.id, email: &self.email }
    }
}

/// An account that this actor may change, held until the transaction ends. One such change happens at a time, so that two
/// administrators cannot each take the other for the one who stays.
async fn reach(tx: &mut PgConnection, actor: &Actor, user: UserId) -> Result<Standing> {
    store::one_at_a_time(tx).await?;
    if let Some(id) = actor.id
        && !store::may_manage(tx, id).await?
    {
        return Err(Error::NotFound);
    }
    store::standing(tx, user).await?.ok_or(Error::NotFound)
}

/// What ends at once with an account: its sessions, links that were sent to it, and what it invited to.
async fn end_what_is_open(tx: &mut PgConnection, user: UserId) -> Result<()> {
    sessions::end_all_of(tx, user, None).await?;
    tokens::forget_all_of(tx, user).await?;
    invitations::withdraw(tx, user).await
}

async fn keep_one_administrator(tx: &mut PgConnection, standing: &Standing, what: &str) -> Result<()> {
    if !standing.administrator || standing.disabled || store::has_other_administrator(tx, standing.id).await? {
        return Ok(());
    }
    Err(Error::Conflict(format!(
        "The last administrator cannot be {what}: nobody could look after this place. Make somebody else an \
         administrator first."
    )))
}
