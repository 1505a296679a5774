//! The audit log: who did what to whom, and from where. Written in the transaction of what was done, so that neither
//! exists without the other. What must not live here: what was said, or a secret.

mod store;

pub use store::{Entry, entries};

use crate::base::{Result, ids::UserId};
use sqlx::PgConnection;
use std::net::IpAddr;

/// Who does something.
#[derive(Debug, Clone)]
pub struct Actor {
    pub id: Option<UserId>,
    /// The address of their account.
    pub email: String,
    pub address: Option<IpAddr>,
}

impl Actor {
    /// An operator at the command line.
    #[must_use]
    pub fn operator() -> Self {
        Self { id: None, email: "command line".to_owned(), address: None }
    }

    /// The program by itself, e.g. a schedule.
    #[must_use]
    pub fn program() -> Self {
        Self { id: None, email: "Parlor".to_owned(), address: None }
    }
}

/// The account that something is done to.
#[derive(Debug, Clone)]
pub struct Subject<'a> {
    pub id: UserId,
    pub email: &'a str,
}

/// Notes what is done, in the transaction that does it. `action`: what it was done to and what was done, e.g.
/// `user.disabled`; `details`: for people, a few words, never a secret.
///
/// # Errors
/// The database's.
pub async fn note(
    tx: &mut PgConnection,
    actor: &Actor,
    action: &str,
    subject: Option<Subject<'_>>,
    details: &str,
) -> Result<()> {
    store::insert(tx, actor, action, subject, details).await?;
    Ok(())
}

/// Replaces what names an account by a pseudonym: it goes, what it did stays.
///
/// # Errors
/// The database's.
pub async fn forget(tx: &mut PgConnection, user: UserId) -> Result<()> {
    store::forget(tx, user, &pseudonym(user)).await?;
    Ok(())
}

/// Takes the addresses of an account that goes out of what others did with them, e.g. invite them: where one stands alone
/// between commas and spaces, not where it is a part of another one.
///
/// # Errors
/// The database's.
pub async fn forget_addresses(tx: &mut PgConnection, user: UserId, addresses: &[String]) -> Result<()> {
    store::forget_addresses(tx, addresses, &pseudonym(user)).await?;
    Ok(())
}

/// What an account that is gone is called.
#[must_use]
pub fn pseudonym(user: UserId) -> String {
    let id = user.0.simple().to_string();
    format!("deleted account {}", &id[id.len() - 8..])
}
