//! Tries of passwords and codes: whoever tries wrong ones waits longer and longer, up to a minute. One limiter for all that
//! checks a secret of an account, shared by all processes. What must not live here: what is checked, and by whom.
//!
//! Nobody is locked out. Tries are counted for an account at an address, for the account from everywhere, and for the
//! address on all accounts; but where an account was signed in from before, only the first count matters, so that what
//! others try elsewhere (or on other accounts) does not slow down its owner there. And a pause runs from the last try of
//! the same address, so that nobody can use up somebody else's next moment. Nothing is told about whether there is such
//! an account: it is counted by what was typed.

mod store;

use crate::{
    app::App,
    base::{Error, Result, crypto},
};
use sqlx::PgConnection;
use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    time::Duration,
};

/// A try that was let in. It counts as failed until it is said to be [`right`](Try::right).
#[must_use = "a try that came out right has to be said so"]
pub struct Try(Option<(Vec<u8>, IpAddr)>);

/// Begins a try of an account's secret, before it is looked at. `account`: what names it, e.g. the address as typed; it
/// need not exist.
///
/// # Errors
/// [`Error::Limited`] when it is too early.
pub async fn begin(app: &App, account: &str, address: Option<IpAddr>) -> Result<Try> {
    if !app.config.limits.sign_in {
        return Ok(Try(None));
    }
    let (key, place) = (key(account), network(address));
    let early = store::begin(&app.pools.http, &key, place).await?;
    if early > 0. {
        let wait = Duration::from_secs_f64(early.min(60.));
        return Err(Error::limited(wait, "There were several wrong tries, so this one has to wait a little."));
    }
    Ok(Try(Some((key, place))))
}

impl Try {
    /// It came out right: it is not counted, and the account is known at this address from now on.
    ///
    /// # Errors
    /// The database's.
    pub async fn right(self, app: &App) -> Result<()> {
        let Some((key, place)) = self.0 else { return Ok(()) };
        Ok(store::right(&app.pools.http, &key, place).await?)
    }
}

/// Notes that the owner of an account is at this address, as when they have just made it there.
///
/// # Errors
/// The database's.
pub async fn remember(app: &App, account: &str, address: Option<IpAddr>) -> Result<()> {
    Ok(store::remember(&app.pools.http, &key(account), network(address)).await?)
}

/// Forgets where an account was signed in from: it goes, or has another name from now on.
///
/// # Errors
/// The database's.
pub async fn forget(tx: &mut PgConnection, account: &str) -> Result<()> {
    Ok(store::forget(tx, &key(account)).await?)
}

/// Forgets tries that no longer count, and places that nobody has signed in from for half a year.
///
/// # Errors
/// The database's.
pub async fn care(app: &App) -> Result<()> {
    Ok(store::care(&app.pools.jobs).await?)
}

/// People type anything where a name is asked for, also their passwords: it is not kept.
fn key(account: &str) -> Vec<u8> {
    crypto::sha256(account.as_bytes()).to_vec()
}

/// Whom an address stands for: of IPv6, one household has a /64.
#[must_use]
pub fn network(address: Option<IpAddr>) -> IpAddr {
    match address {
        Some(IpAddr::V6(v6)) => {
            let [a, b, c, d, ..] = v6.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        Some(v4) => v4,
        None => Ipv4Addr::LOCALHOST.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::network;

    #[test]
    fn households() {
        for (address, network_of) in
            [("203.0.113.9", "203.0.113.9"), ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"), ("::1", "::")]
        {
            assert_eq!(network(Some(address.parse().unwrap())).to_string(), network_of);
        }
    }
}
