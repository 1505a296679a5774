//! Providers and their keys: which key an answer is asked with, how the keys stand, and what an administrator sees of that.
//! The counts are shared by all processes (migrations/0027_provider_keys.sql). What must not live here: a protocol
//! (outside/llm), what an answer does while there is no key (domain/generation).

pub mod kept;
pub mod pool;
mod store;

use crate::{
    app::App,
    base::{Error, Result, ids::ProviderKeyId},
    domain::{
        accounts::Viewer,
        audit::{self, Actor},
    },
};
use time::OffsetDateTime;

/// A key as administrators see it: never the key.
#[derive(Debug, Clone)]
pub struct KeyState {
    pub id: ProviderKeyId,
    /// Its last four characters; empty for a short one.
    pub hint: String,
    /// Within the last minute.
    pub requests: i32,
    pub tokens: i64,
    /// 0: no limit.
    pub requests_per_minute: i32,
    pub tokens_per_minute: i64,
    /// Seconds until its limits have room.
    pub free_in: f64,
    pub resting_in: f64,
    pub set_aside_at: Option<OffsetDateTime>,
    /// Why it rests or was set aside, in the provider's words.
    pub reason: String,
}

/// A provider, by its settings.
#[derive(Debug, Clone)]
pub struct ProviderState {
    pub name: String,
    pub kind: &'static str,
    /// Of the keys in this process's settings; empty for a server that needs none.
    pub keys: Vec<KeyState>,
}

/// All providers of this process's settings.
///
/// # Errors
/// [`Error::NotFound`] for whoever is no administrator.
pub async fn overview(app: &App, viewer: &Viewer) -> Result<Vec<ProviderState>> {
    only_administrators(viewer)?;
    let mut conn = app.pools.http.acquire().await?;
    let mut all = Vec::new();
    for provider in &*app.providers() {
        let keys: Vec<_> = provider.counted_keys().map(|key| key.id).collect();
        let mut states = store::states(&mut conn, &keys).await?;
        states.sort_by_key(|state| keys.iter().position(|id| *id == state.id));
        all.push(ProviderState { name: provider.name.clone(), kind: provider.kind(), keys: states });
    }
    Ok(all)
}

/// Lets a key be asked again that rests or was set aside.
///
/// # Errors
/// [`Error::NotFound`], also for whoever is no administrator.
pub async fn use_again(app: &App, viewer: &Viewer, id: ProviderKeyId) -> Result<()> {
    only_administrators(viewer)?;
    let mut tx = app.pools.http.begin().await?;
    let (provider, hint) = store::use_again(&mut tx, id).await?.ok_or(Error::NotFound)?;
    let what = format!("{provider} …{hint}");
    audit::note(&mut tx, &Actor::from(viewer), "provider_key.used_again", None, &what).await?;
    tx.commit().await?;
    if let Some(provider) = app.provider(&provider) {
        pool::forget(&provider);
    }
    Ok(())
}

/// Says which keys this process has, and forgets the counts and states of those that none has had for a month.
///
/// # Errors
/// The database's.
pub async fn care(app: &App) -> Result<()> {
    let mut conn = app.pools.jobs.acquire().await?;
    for provider in &*app.providers() {
        pool::enter(&mut conn, provider).await?;
    }
    Ok(store::care(&mut conn).await?)
}

fn only_administrators(viewer: &Viewer) -> Result<()> {
    if viewer.administrator { Ok(()) } else { Err(Error::NotFound) }
}
