//! Providers that administrators keep, beside those of the settings. Their keys are sealed for the address that they were
//! given for (S7): they can be replaced and removed, and never read. Every process sees a change within seconds. What must
//! not live here: what is said in a protocol (outside/llm), how keys are taken (pool.rs).

use super::{only_administrators, pool, store};
use crate::{
    app::App,
    base::{
        Error, Result,
        config::{self, Hidden, MOST, ProviderKind},
        db::Pools,
        error::{FieldError, OnConstraint as _},
        ids::ProviderKeyId,
        seal,
    },
    domain::{
        accounts::Viewer,
        audit::{self, Actor},
        catalog,
    },
    outside::llm::{self, Fault, FaultKind, Listed, Provider},
};
use sqlx::PgConnection;
use std::time::Duration;
use time::OffsetDateTime;

/// Every process looks so often whether anything was changed.
const EVERY: Duration = Duration::from_secs(3);
/// A provider that was just kept is asked for its models, and waited for so long.
const PATIENCE: Duration = Duration::from_secs(8);
/// Characters of a name, and of a key; models of a provider that are named.
const MAX_NAME: usize = 40;
const MAX_KEY: usize = 500;
const MAX_MODELS: usize = 200;
/// Keys of one provider.
const MAX_KEYS: usize = 50;

/// A provider that administrators keep.
#[derive(Debug, Clone)]
pub struct Kept {
    pub name: String,
    pub said: Said,
    /// The oldest first.
    pub keys: Vec<KeptKey>,
    /// The settings have one of that name, which counts instead.
    pub is_shadowed: bool,
}

/// What can be said of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    pub kind: ProviderKind,
    /// Empty: the vendor's.
    pub base_url: String,
    /// Empty: asked from the provider.
    pub models: Vec<String>,
    /// Of each key; 0: no limit.
    pub requests_per_minute: i32,
    pub tokens_per_minute: i32,
    pub enabled: bool,
}

/// A key, by what may be seen of it.
#[derive(Debug, Clone)]
pub struct KeptKey {
    pub id: ProviderKeyId,
    pub hint: String,
    pub created_at: OffsetDateTime,
}

/// How a provider answered that was just changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// With its list, or its models are named.
    Answered,
    /// Not, or with a fault that may pass.
    Unanswered,
    /// It was not asked: it is switched off.
    Unasked,
}

/// A kept key as it is stored.
pub struct Sealed {
    pub provider: String,
    pub sealed: Vec<u8>,
}

/// All of them, by name.
///
/// # Errors
/// [`Error::NotFound`] for whoever is no administrator.
pub async fn all(app: &App, viewer: &Viewer) -> Result<Vec<Kept>> {
    only_administrators(viewer)?;
    let mut all = store::kept(&mut *app.pools.http.acquire().await?).await?;
    for kept in &mut all {
        kept.is_shadowed = is_of_settings(app, &kept.name);
    }
    Ok(all)
}

/// One of them.
///
/// # Errors
/// [`Error::NotFound`], also for whoever is no administrator.
pub async fn find(app: &App, viewer: &Viewer, name: &str) -> Result<Kept> {
    all(app, viewer).await?.into_iter().find(|kept| kept.name == name).ok_or(Error::NotFound)
}

/// Keeps a new one, with its first key if there is one.
///
/// # Errors
/// [`Error::Invalid`] by field, also for a key that the provider does not take; [`Error::NotFound`] for whoever is no
/// administrator.
pub async fn make(app: &App, viewer: &Viewer, name: &str, said: &Said, key: &str) -> Result<Heard> {
    only_administrators(viewer)?;
    let name = name.trim();
    let mut wrong = check(said);
    if let Some(message) = wrong_name(app, name) {
        wrong.push(FieldError { field: "name", message: message.to_owned() });
    }
    let key = key.trim();
    if let Some(message) = Some(key).filter(|key| !key.is_empty()).and_then(wrong_key) {
        wrong.push(FieldError { field: "key", message });
    }
    if key.is_empty() && said.base_url.is_empty() {
        let message = "The vendor's own address wants a key.".to_owned();
        wrong.push(FieldError { field: "key", message });
    }
    if !wrong.is_empty() {
        return Err(Error::Invalid(wrong));
    }
    let keys: Vec<_> = Some(key).filter(|key| !key.is_empty()).map(Hidden::from).into_iter().collect();
    let provider = provider(app, name, said, keys)?;
    let listed = ask(&provider, said).await?;
    let mut tx = app.pools.http.begin().await?;
    let taken = || Error::invalid("name", "There is a provider of this name already.");
    store::insert_kept(&mut tx, name, said).await.on_constraint("providers_pkey", taken)?;
    for key in provider.counted_keys() {
        store::insert_key(&mut tx, name, key, &sealed(app, name, said, &key.value)).await?;
    }
    let actor = Actor::from(viewer);
    audit::note(&mut tx, &actor, "provider.added", None, &in_words(name, said)).await?;
    store::note_change(&mut tx).await?;
    tx.commit().await?;
    settle(app, name, listed).await
}

/// Says something else of one. At another address its keys are worth nothing, and removed.
///
/// # Errors
/// [`Error::Invalid`] by field; [`Error::NotFound`], also for whoever is no administrator.
pub async fn change(app: &App, viewer: &Viewer, name: &str, said: &Said) -> Result<Heard> {
    let before = find(app, viewer, name).await?;
    let wrong = check(said);
    if !wrong.is_empty() {
        return Err(Error::Invalid(wrong));
    }
    let moves = place(&before.said) != place(said);
    let keys = if moves { Vec::new() } else { open_all(app, name, said).await? };
    let listed = ask(&provider(app, name, said, keys)?, said).await.unwrap_or(None);
    let mut tx = app.pools.http.begin().await?;
    if !store::update_kept(&mut tx, name, said).await? {
        return Err(Error::NotFound);
    }
    if moves {
        remove_keys(app, &mut tx, name).await?;
    }
    audit::note(&mut tx, &Actor::from(viewer), "provider.changed", None, &in_words(name, said)).await?;
    store::note_change(&mut tx).await?;
    tx.commit().await?;
    settle(app, name, listed).await
}

/// Gives one a key.
///
/// # Errors
/// [`Error::Invalid`] for `key`, also when the provider does not take it; [`Error::NotFound`], also for whoever is no
/// administrator.
pub async fn add_key(app: &App, viewer: &Viewer, name: &str, key: &str) -> Result<Heard> {
    let kept = find(app, viewer, name).await?;
    let key = key.trim();
    if let Some(message) = wrong_key(key) {
        return Err(Error::invalid("key", message));
    }
    if kept.keys.len() >= MAX_KEYS {
        return Err(Error::invalid("key", format!("A provider can have at most {MAX_KEYS} keys. Remove one first.")));
    }
    let provider = provider(app, name, &kept.said, vec![key.into()])?;
    let listed = ask(&provider, &kept.said).await?;
    let mut tx = app.pools.http.begin().await?;
    for key in provider.counted_keys() {
        let have = || Error::invalid("key", "This key is there already.");
        let sealed = sealed(app, name, &kept.said, &key.value);
        store::insert_key(&mut tx, name, key, &sealed).await.on_constraint("sealed_keys_pkey", have)?;
        let what = format!("{name} …{}", key.hint());
        audit::note(&mut tx, &Actor::from(viewer), "provider_key.added", None, &what).await?;
    }
    store::note_change(&mut tx).await?;
    tx.commit().await?;
    settle(app, name, listed).await
}

/// Removes a key; returns whose it was.
///
/// # Errors
/// [`Error::NotFound`], also for whoever is no administrator.
pub async fn remove_key(app: &App, viewer: &Viewer, id: ProviderKeyId) -> Result<String> {
    only_administrators(viewer)?;
    let mut tx = app.pools.http.begin().await?;
    let (name, hint) = store::remove_key(&mut tx, id).await?.ok_or(Error::NotFound)?;
    if !is_of_settings(app, &name) {
        store::forget_standing(&mut tx, &[id]).await?;
    }
    audit::note(&mut tx, &Actor::from(viewer), "provider_key.removed", None, &format!("{name} …{hint}")).await?;
    store::note_change(&mut tx).await?;
    tx.commit().await?;
    load(app).await?;
    Ok(name)
}

/// Removes one with its keys. What it answered stays, and what it cost.
///
/// # Errors
/// [`Error::NotFound`], also for whoever is no administrator.
pub async fn remove(app: &App, viewer: &Viewer, name: &str) -> Result<()> {
    only_administrators(viewer)?;
    let mut tx = app.pools.http.begin().await?;
    remove_keys(app, &mut tx, name).await?;
    if !store::remove_kept(&mut tx, name).await? {
        return Err(Error::NotFound);
    }
    if !is_of_settings(app, name) {
        catalog::remove_list(&mut tx, name).await?;
    }
    audit::note(&mut tx, &Actor::from(viewer), "provider.removed", None, name).await?;
    store::note_change(&mut tx).await?;
    tx.commit().await?;
    catalog::forget_list(app, name).await?;
    load(app).await?;
    Ok(())
}

/// With how they stand, unless the settings have a provider of that name, whose they may be too.
async fn remove_keys(app: &App, tx: &mut PgConnection, name: &str) -> Result<()> {
    let gone = store::remove_keys(&mut *tx, name).await?;
    if !is_of_settings(app, name) {
        store::forget_standing(tx, &gone).await?;
    }
    Ok(())
}

/// The names of those that can be asked. For an operator.
///
/// # Errors
/// The database's.
pub async fn names(pools: &Pools) -> Result<Vec<String>> {
    let all = store::kept(&mut *pools.http.acquire().await?).await?;
    Ok(all.into_iter().filter(|kept| kept.said.enabled).map(|kept| kept.name).collect())
}

/// Loads them, for this process and from now on; returns how often they were changed by then.
///
/// # Errors
/// The database's.
pub async fn load(app: &App) -> Result<i64> {
    let mut conn = app.pools.jobs.acquire().await?;
    let (version, all, keys) = store::kept_with_keys(&mut conn).await?;
    let mut providers = Vec::new();
    for kept in all.into_iter().filter(|kept| kept.said.enabled && !is_of_settings(app, &kept.name)) {
        let own = keys.iter().filter(|key| key.provider == kept.name);
        let keys: Vec<_> = own.filter_map(|key| open(app, &kept.name, &kept.said, &key.sealed)).collect();
        match provider(app, &kept.name, &kept.said, keys) {
            Ok(provider) => providers.push(provider),
            Err(error) => tracing::error!(provider = kept.name, %error, "a provider cannot be used"),
        }
    }
    for provider in &providers {
        pool::enter(&mut conn, provider).await?;
    }
    app.keep_providers(providers);
    catalog::forget(app);
    Ok(version)
}

/// Loads them again whenever somebody has changed something, until the process ends.
pub async fn watch(app: App) {
    let mut seen = None;
    loop {
        tokio::select! {
            () = app.stopping.begun.cancelled() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
        let looked = async {
            let version = store::version(&app.pools.jobs).await?;
            Ok::<_, Error>(if seen == Some(version) { version } else { load(&app).await? })
        };
        match looked.await {
            Ok(version) => seen = Some(version),
            Err(error) => tracing::warn!(%error, "it could not be seen whether providers were changed; trying again"),
        }
    }
}

/// This process uses it as it is now; its list, if it came, is known to all.
async fn settle(app: &App, name: &str, listed: Option<Vec<Listed>>) -> Result<Heard> {
    load(app).await?;
    // its list belongs to the one of the settings, which counts
    if is_of_settings(app, name) {
        return Ok(Heard::Unasked);
    }
    catalog::forget_list(app, name).await?;
    let Some(provider) = app.provider(name) else { return Ok(Heard::Unasked) };
    match listed {
        Some(models) => {
            catalog::keep_list(app, &provider.name, models).await?;
            Ok(Heard::Answered)
        }
        None => Ok(Heard::Unanswered),
    }
}

/// Its models, if it answers.
///
/// # Errors
/// [`Error::Invalid`] for `key` when the provider does not take it.
async fn ask(provider: &Provider, said: &Said) -> Result<Option<Vec<Listed>>> {
    if !said.enabled {
        return Ok(None);
    }
    let late = |_| Err(Fault::new(FaultKind::Silent, "not within the patience of a form"));
    match tokio::time::timeout(PATIENCE, provider.models()).await.unwrap_or_else(late) {
        Ok(models) => Ok(Some(models)),
        Err(fault) if fault.kind == FaultKind::Key && provider.counted_keys().next().is_some() => {
            Err(Error::invalid("key", "The provider does not accept this key. Look whether all of it was copied."))
        }
        Err(fault) => {
            tracing::warn!(provider = provider.name, %fault, "a provider that was changed does not tell its models");
            Ok(None)
        }
    }
}

fn provider(app: &App, name: &str, said: &Said, keys: Vec<Hidden>) -> Result<Provider> {
    let settings = config::Provider {
        kind: Some(said.kind),
        base_url: Some(said.base_url.clone()).filter(|url| !url.is_empty()),
        api_keys: keys,
        models: said.models.clone(),
        requests_per_minute: Some(said.requests_per_minute.unsigned_abs()),
        tokens_per_minute: said.tokens_per_minute.unsigned_abs(),
        ..config::Provider::default()
    };
    llm::kept(name, &settings, &app.secret.derive("provider keys")).map_err(Error::internal)
}

fn is_of_settings(app: &App, name: &str) -> bool {
    app.providers_of_settings().iter().any(|provider| provider.name == name && !provider.is_demo())
}

/// Where its keys may go: the vendor, or a host.
fn place(said: &Said) -> String {
    let host = llm::origin(&said.base_url);
    format!("{} at {}", said.kind.name(), host.unwrap_or_else(|| "the vendor".to_owned()))
}

fn purpose(name: &str, said: &Said) -> String {
    format!("key of the provider {name}, {}", place(said))
}

fn sealed(app: &App, name: &str, said: &Said, key: &Hidden) -> Vec<u8> {
    seal::seal(&app.secret, &purpose(name, said), key.expose().as_bytes())
}

fn open(app: &App, name: &str, said: &Said, sealed: &[u8]) -> Option<Hidden> {
    let opened = seal::open(&app.secret, &purpose(name, said), sealed);
    let opened = opened.and_then(|key| Ok(Hidden::from(String::from_utf8(key)?)));
    opened.inspect_err(|_| tracing::error!(provider = name, "a key cannot be opened: enter it anew")).ok()
}

async fn open_all(app: &App, name: &str, said: &Said) -> Result<Vec<Hidden>> {
    let (_, _, keys) = store::kept_with_keys(&mut *app.pools.http.acquire().await?).await?;
    let own = keys.into_iter().filter(|key| key.provider == name);
    Ok(own.filter_map(|key| open(app, name, said, &key.sealed)).collect())
}

fn wrong_name(app: &App, name: &str) -> Option<&'static str> {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if name.is_empty() || name.len() > MAX_NAME || !name.bytes().all(plain) || name.starts_with('-') {
        return Some("Small letters, digits and hyphens, at most 40 of them.");
    }
    (is_of_settings(app, name) || name == "demo").then_some("The settings have a provider of this name.")
}

fn wrong_key(key: &str) -> Option<String> {
    if key.is_empty() {
        return Some("Enter a key.".to_owned());
    }
    // it becomes a header of each request
    let odd = key.len() > MAX_KEY || !key.bytes().all(|b| b.is_ascii_graphic());
    odd.then(|| format!("A key has at most {MAX_KEY} letters, digits and signs, and no space."))
}

fn check(said: &Said) -> Vec<FieldError> {
    let mut wrong = Vec::new();
    let mut take = |field, message: String| wrong.push(FieldError { field, message });
    if !said.base_url.is_empty() && llm::origin(&said.base_url).is_none() {
        let example = "https://api.example.org/v1";
        take("base_url", format!("An address such as {example}, without user, password, question mark or #."));
    }
    if said.models.len() > MAX_MODELS || said.models.iter().any(|m| m.len() > 200 || m.chars().any(char::is_control)) {
        take("models", format!("At most {MAX_MODELS} names, one on each line."));
    }
    for (field, limit) in
        [("requests_per_minute", said.requests_per_minute), ("tokens_per_minute", said.tokens_per_minute)]
    {
        if !(0..=MOST.cast_signed()).contains(&limit) {
            take(field, format!("A whole number from 0 (no limit) to {MOST}."));
        }
    }
    wrong
}

fn in_words(name: &str, said: &Said) -> String {
    let state = if said.enabled { "" } else { ", switched off" };
    let requests = said.requests_per_minute;
    format!("{name}: {}, {requests} requests and {} tokens a minute{state}", place(said), said.tokens_per_minute)
}
