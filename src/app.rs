//! The app: what every act needs, built once and cloned cheaply. What must not live here: an act.

use crate::{
    base::{
        cache::Cache, config::Config, crypto::Secret, db::Pools, ids::GenerationId, memo::Memo, metrics,
        turnstile::Turnstile,
    },
    domain::feed::Feed,
    outside::{
        blobs::Blobs,
        llm::{self, Provider},
        mail::Mailer,
    },
};
use std::{
    collections::HashMap,
    ops::Deref,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock, atomic::AtomicBool},
};
use tokio::{sync::Semaphore, time::Instant};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// A handle to the one [`Inner`] of this process.
#[derive(Clone)]
pub struct App(Arc<Inner>);

pub struct Inner {
    pub config: Config,
    pub pools: Pools,
    pub secret: Secret,
    pub feed: Feed,
    providers: Providers,
    pub mailer: Mailer,
    pub blobs: Blobs,
    /// The address this process listens at, once it does: for links, when no public one is set.
    pub listening: OnceLock<String>,
    pub running: Running,
    pub memo: Memo,
    pub cache: Cache,
    /// Password hashes in flight.
    pub hashing: Arc<Semaphore>,
    /// Images that are being decoded, each of which may take much memory.
    pub decoding: Arc<Semaphore>,
    /// Images that come.
    pub uploads: Turnstile,
    /// MB of images that are on their way to models.
    pub showing: Arc<Semaphore>,
    /// MB of requests of programs that come, or are on their way to models.
    pub passing: Arc<Semaphore>,
    pub stopping: Stopping,
    /// Background work that ends when `stopping.over` is cancelled.
    pub tasks: TaskTracker,
}

/// MB of images that a process sends to models at once; more of them wait.
pub const SHOWING: u32 = 128;

/// The two steps of an orderly end.
#[derive(Clone, Default)]
pub struct Stopping {
    /// No new work is taken; feeds are closed so that readers go elsewhere.
    pub begun: CancellationToken,
    /// What still runs is handed over now.
    pub hand_over: CancellationToken,
    /// Background tasks end.
    pub over: CancellationToken,
}

impl Deref for App {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl App {
    /// Puts everything together and starts the feed.
    ///
    /// # Errors
    /// A database set up with another secret, or provider settings that cannot be used.
    pub async fn build(config: Config, pools: Pools, secret: Secret) -> anyhow::Result<Self> {
        secret.check(&pools.http).await?;
        let stopping = Stopping::default();
        let tasks = TaskTracker::new();
        let feed = Feed::start(&pools, &config.feed, &tasks, &stopping.over);
        tasks.spawn(metrics::metrics().upkeep(stopping.over.clone()));
        let providers = Providers::new(llm::providers(&config, &secret.derive("provider keys")).await?);
        let running = Running::new(config.generation.at_once);
        let hashing = Arc::new(Semaphore::new(config.accounts.hashes_at_once));
        let decoding = Arc::new(Semaphore::new(1));
        let cache = Cache::new(pools.http.clone());
        let blobs = Blobs::new(&config.files_dir()?, &hex::encode(&secret.derive("files")[..8]));
        let (mailer, listening) = (Mailer::new(&config)?, OnceLock::new());
        Ok(Self(Arc::new(Inner {
            config,
            pools,
            secret,
            feed,
            providers,
            mailer,
            blobs,
            listening,
            running,
            memo: Memo::default(),
            cache,
            hashing,
            decoding,
            uploads: Turnstile::default(),
            showing: Arc::new(Semaphore::new(SHOWING as usize)),
            passing: Arc::new(Semaphore::new(SHOWING as usize * 2)),
            stopping,
            tasks,
        })))
    }

    /// What links to this Parlor begin with. Never what a request says (S10).
    #[must_use]
    pub fn public_url(&self) -> String {
        let server = &self.config.server;
        match (server.public_url.trim_end_matches('/'), self.listening.get()) {
            ("", Some(listening)) => listening.clone(),
            ("", None) => format!("http://{}:{}", server.host, server.port),
            (configured, _) => configured.to_owned(),
        }
    }

    /// All providers: those of the settings, and those that administrators keep.
    #[must_use]
    pub fn providers(&self) -> Arc<[Arc<Provider>]> {
        self.providers.all.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Those that the settings name, or the local Ollama or the demo that stand in for them.
    #[must_use]
    pub fn providers_of_settings(&self) -> &[Arc<Provider>] {
        &self.providers.of_settings
    }

    /// From now on administrators keep these. Answers under way go on with those that they began with.
    pub fn keep_providers(&self, kept: Vec<Provider>) {
        let all = self.providers.with(kept);
        *self.providers.all.write().unwrap_or_else(PoisonError::into_inner) = all;
    }

    /// The provider of that name, if there is one.
    #[must_use]
    pub fn provider(&self, name: &str) -> Option<Arc<Provider>> {
        self.providers().iter().find(|p| p.name == name).cloned()
    }

    /// Whether only the built-in demo answers.
    #[must_use]
    pub fn is_demo(&self) -> bool {
        self.providers().iter().all(|provider| provider.is_demo())
    }
}

/// The providers of this process.
struct Providers {
    of_settings: Vec<Arc<Provider>>,
    all: RwLock<Arc<[Arc<Provider>]>>,
}

impl Providers {
    fn new(of_settings: Vec<Provider>) -> Self {
        let of_settings: Vec<_> = of_settings.into_iter().map(Arc::new).collect();
        Self { all: RwLock::new(of_settings.clone().into()), of_settings }
    }

    /// The demo stands in only where there is nothing else; of two of one name the settings' counts.
    fn with(&self, kept: Vec<Provider>) -> Arc<[Arc<Provider>]> {
        let stand_in = |provider: &Arc<Provider>| provider.is_demo() && !kept.is_empty();
        let mut all: Vec<_> = self.of_settings.iter().filter(|provider| !stand_in(provider)).cloned().collect();
        for provider in kept {
            if !self.of_settings.iter().any(|other| other.name == provider.name) {
                all.push(Arc::new(provider));
            }
        }
        all.into()
    }
}

/// The answers that this process is making.
pub struct Running {
    /// How many more may be made at the same time.
    pub permits: Arc<Semaphore>,
    /// Set when an answer found no permit: whoever ends next takes it.
    pub crowded: AtomicBool,
    /// How many titles may be made at the same time.
    pub titles: Semaphore,
    /// This process makes answers.
    pub here: AtomicBool,
    runs: Mutex<HashMap<GenerationId, Run>>,
}

/// One answer in the making.
#[derive(Clone)]
pub struct Run {
    pub epoch: i32,
    /// Cancelled when the lease is lost.
    pub lost: CancellationToken,
    /// Until then the task may be silent; later its lease is no longer renewed.
    pub alive_until: Instant,
}

impl Running {
    fn new(at_once: usize) -> Self {
        Self {
            permits: Arc::new(Semaphore::new(at_once)),
            crowded: AtomicBool::new(false),
            titles: Semaphore::new(4),
            here: AtomicBool::new(false),
            runs: Mutex::default(),
        }
    }

    /// The answers being made, by generation.
    pub fn runs(&self) -> MutexGuard<'_, HashMap<GenerationId, Run>> {
        self.runs.lock().expect("nothing panics while holding it")
    }
}
