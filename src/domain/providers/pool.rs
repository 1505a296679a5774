//! The key pool: taking a key, and what becomes of it after a fault. Which one is next is decided by [`pick`], from how they
//! stood a moment ago; that it still has room is seen to by the database, which counts for all processes.

use super::store;
use crate::{
    app::App,
    base::{Result, ids::ProviderKeyId},
    domain::{accounts, mail},
    outside::{
        llm::{Fault, FaultKind, Key, Known, Pick, Provider, Standing, pick},
        mail::Letter,
    },
};
use sqlx::PgConnection;
use std::{
    sync::{MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// How old what is known of the keys may be when one is chosen. Whether it has room is looked at anew in any case.
const RECENT: Duration = Duration::from_secs(1);

/// However long a provider asks us to wait.
const LONGEST_REST: Duration = Duration::from_hours(24);

/// A key that may be asked with now.
pub struct Taken<'a> {
    pub key: &'a Key,
    /// Where it is counted; nothing for a key that is not.
    second: Option<i64>,
    wanted: i64,
}

impl Taken<'_> {
    /// Its id, as the ledger has it; nothing for a server that needs none.
    #[must_use]
    pub fn id(&self) -> Option<ProviderKeyId> {
        (!self.key.is_none()).then_some(self.key.id)
    }

    /// What to settle later with, if its tokens are counted.
    #[must_use]
    pub fn receipt(&self) -> Option<Receipt> {
        let second = self.second.filter(|_| self.wanted > 0)?;
        Some(Receipt { key: self.key.id, second, wanted: self.wanted })
    }
}

/// Of a key that was taken, whose tokens are counted.
#[derive(Debug, Clone, Copy)]
pub struct Receipt {
    key: ProviderKeyId,
    second: i64,
    wanted: i64,
}

/// So many tokens count instead of those that were wanted.
///
/// # Errors
/// The database's.
pub async fn settle(app: &App, receipt: Receipt, used: i64) -> Result<()> {
    Ok(store::settle(&app.pools.jobs, receipt.key, receipt.second, used - receipt.wanted).await?)
}

/// What came of asking for a key.
pub enum Take<'a> {
    Key(Taken<'a>),
    /// All that might be asked are used up or rest, for so long.
    In(Duration),
    /// There is none that was not tried or set aside.
    Never,
}

/// What can be taken without asking the database, if anything can be known of that: of a server that needs no key, or of keys without limits, of
/// which it is known how they stood a moment ago. Such requests are counted in this process alone, and only to take turns.
#[must_use]
pub fn take_known<'a>(provider: &'a Provider, tried: &[ProviderKeyId]) -> Option<Take<'a>> {
    let uncounted = |key| Take::Key(Taken { key, second: None, wanted: 0 });
    if let Some(key) = provider.keys.iter().find(|key| key.is_none()) {
        return Some(if tried.contains(&key.id) { Take::Never } else { uncounted(key) });
    }
    let is_free = |key: &Key| key.requests_per_minute == 0 && key.tokens_per_minute == 0;
    if !provider.keys.iter().all(is_free) {
        return None;
    }
    let mut known = known(provider);
    let (_, standings) = known.as_mut().filter(|(at, _)| at.elapsed() < RECENT)?;
    let Pick::Key(id) = pick(standings, tried) else { return None };
    standings.iter_mut().filter(|standing| standing.id == id).for_each(|standing| standing.requests += 1);
    let key = provider.keys.iter().find(|key| key.id == id)?;
    Some(uncounted(key))
}

/// Takes a key for one request of at most `tokens`; one of those that [`take_known`] has, if it has any.
///
/// # Errors
/// The database's.
pub async fn take<'a>(
    conn: &mut PgConnection,
    provider: &'a Provider,
    tried: &[ProviderKeyId],
    tokens: i64,
) -> Result<Take<'a>> {
    if let Some(taken) = take_known(provider, tried) {
        return Ok(taken);
    }
    // only those that have such a limit are counted by tokens
    let wanted = if provider.keys.iter().any(|key| key.tokens_per_minute > 0) { tokens } else { 0 };
    let ids: Vec<_> = provider.keys.iter().map(|key| key.id).collect();
    // each time another process was quicker
    for _ in 0..=ids.len() * 2 {
        let recent = known(provider).as_ref().filter(|(at, _)| at.elapsed() < RECENT).map(|(_, all)| all.clone());
        let picked = match recent.map_or(Pick::Never, |standings| pick(&standings, tried)) {
            Pick::Key(id) => Pick::Key(id),
            // one may have got room meanwhile
            _ => pick(&read(conn, provider, &ids, wanted).await?, tried),
        };
        let id = match picked {
            Pick::Key(id) => id,
            Pick::In(pause) => return Ok(Take::In(Duration::from_secs_f64(pause))),
            Pick::Never => return Ok(Take::Never),
        };
        // whoever chooses meanwhile sees it used
        if let Some((_, all)) = known(provider).as_mut() {
            all.iter_mut().filter(|standing| standing.id == id).for_each(|standing| standing.requests += 1);
        }
        let (second, standings) = store::take(conn, &ids, id, wanted).await?;
        keep(provider, standings);
        if let (Some(second), Some(key)) = (second, provider.keys.iter().find(|key| key.id == id)) {
            return Ok(Take::Key(Taken { key, second: Some(second), wanted }));
        }
    }
    Ok(Take::In(RECENT))
}

/// The keys as they stand now; those that are new here become known.
async fn read(
    conn: &mut PgConnection,
    provider: &Provider,
    ids: &[ProviderKeyId],
    wanted: i64,
) -> Result<Vec<Standing>> {
    let mut standings = store::standings(conn, ids, wanted).await?;
    if standings.len() < ids.len() {
        enter(conn, provider).await?;
        standings = store::standings(conn, ids, wanted).await?;
    }
    keep(provider, standings.clone());
    Ok(standings)
}

/// Makes the keys of the settings known to all processes, with their limits.
///
/// # Errors
/// The database's.
pub async fn enter(conn: &mut PgConnection, provider: &Provider) -> Result<()> {
    for key in provider.counted_keys() {
        store::enter(conn, &provider.name, key).await?;
    }
    Ok(())
}

/// Whether one could be taken at once that was not tried.
///
/// # Errors
/// The database's.
pub async fn is_left(conn: &mut PgConnection, provider: &Provider, tried: &[ProviderKeyId]) -> Result<bool> {
    let ids: Vec<_> = provider.counted_keys().map(|key| key.id).collect();
    if ids.iter().all(|id| tried.contains(id)) {
        return Ok(false);
    }
    Ok(matches!(pick(&read(conn, provider, &ids, 0).await?, tried), Pick::Key(_)))
}

/// The request is over: after `fault` the key may have to rest, or is set aside and the administrators are told; and the
/// tokens that were `used` count, if that is known, instead of those that were wanted.
///
/// # Errors
/// The database's.
pub async fn ended(
    app: &App,
    provider: &Provider,
    taken: &Taken<'_>,
    fault: Option<&Fault>,
    used: Option<i64>,
) -> Result<()> {
    let key = taken.key;
    if key.is_none() {
        return Ok(());
    }
    if let (Some(used), Some(receipt)) = (used, taken.receipt()) {
        settle(app, receipt, used).await?;
    }
    match fault {
        Some(fault) if fault.kind == FaultKind::Busy => {
            let rest = fault.retry_after.unwrap_or(Duration::from_secs_f64(app.config.generation.key_rest));
            store::rest(&app.pools.jobs, key.id, rest.min(LONGEST_REST).as_secs_f64(), &fault.detail).await?;
        }
        Some(fault) if fault.kind == FaultKind::Key => set_aside(app, provider, key, fault).await?,
        _ => return Ok(()),
    }
    forget(provider);
    Ok(())
}

async fn set_aside(app: &App, provider: &Provider, key: &Key, fault: &Fault) -> Result<()> {
    let mut tx = app.pools.jobs.begin().await?;
    if !store::set_aside(&mut tx, key.id, &fault.detail).await? {
        return Ok(());
    }
    let letter = Letter::KeySetAside {
        provider: provider.name.clone(),
        hint: key.hint().to_owned(),
        reason: fault.detail.clone(),
        link: format!("{}/admin/providers", app.public_url()),
    };
    for (id, email) in accounts::administrators(&mut tx).await? {
        mail::post(&mut tx, app, &email, Some(id), &letter).await?;
    }
    tx.commit().await?;
    tracing::error!(provider = provider.name, key = key.hint(), "a key was not accepted, and is set aside");
    Ok(())
}

/// The next one who asks looks anew.
pub fn forget(provider: &Provider) {
    *known(provider) = None;
}

fn keep(provider: &Provider, standings: Vec<Standing>) {
    *known(provider) = Some((Instant::now(), standings));
}

fn known(provider: &Provider) -> MutexGuard<'_, Option<Known>> {
    provider.standings.lock().unwrap_or_else(PoisonError::into_inner)
}
