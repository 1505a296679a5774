//! The test language: an app on a database of its own, people, processes, and a provider.

pub mod database;
pub mod people;
pub mod process;
pub mod provider;
pub mod proxy;
pub mod server;

use axum::serve::ListenerExt as _;
use database::Database;
use parlor::{
    MIGRATOR,
    app::App,
    base::{
        config::Config,
        crypto::Secret,
        db::{self, Pools, migrate},
    },
    http, jobs,
};
use people::Person;
use provider::Provider;
use std::{future::Future, time::Duration};
use tokio::time::Instant;

/// The app in this process, with web and jobs, on a port of its own.
pub struct TestApp {
    pub app: App,
    pub address: String,
    pub provider: Provider,
    /// Dropped last: the database goes when the app is gone.
    pub database: Database,
}

impl TestApp {
    pub async fn start() -> Self {
        Self::with(&[]).await
    }

    /// With settings on top, in the form of environment variables.
    pub async fn with(settings: &[(&str, &str)]) -> Self {
        crypto_provider();
        let (database, provider) = (Database::make().await, Provider::start().await);
        let mut vars = vec![
            ("OPENAI_BASE_URL".to_owned(), provider.url()),
            ("OPENAI_API_KEY".to_owned(), "key-1,key-2".to_owned()),
            ("PARLOR_SECRET".to_owned(), "a secret for tests only, long enough".to_owned()),
            ("PARLOR__CATALOG__RETRY".to_owned(), "1".to_owned()),
        ];
        vars.extend(settings.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())));
        let config = Config::load(None, vars.into_iter()).unwrap();
        let options = db::parse_url(&database.url).unwrap();
        migrate::run(&MIGRATOR, &options).await.unwrap();
        let pools = Pools::connect(options, &config.database).await.unwrap();
        let secret = Secret::load(config.secret.expose(), std::path::Path::new("/nonexistent")).unwrap();
        let app = App::build(config, pools, secret).await.unwrap();
        jobs::start_sweep(&app);
        jobs::start(&app);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let router = http::router(&app);
        let server = app.config.server.clone();
        let listener = listener.tap_io(move |connection| http::prepare(connection, &server));
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let test = Self { app, address, provider, database };
        eventually("the catalog has the provider's models", || async {
            !parlor::domain::catalog::models(&test.app).await.unwrap().is_empty()
        })
        .await;
        test
    }

    /// Somebody with an account, signed in.
    pub async fn person(&self, name: &str) -> Person {
        let person = self.stranger();
        person.registers(name).await;
        person
    }

    /// Somebody with nothing but a browser.
    pub fn stranger(&self) -> Person {
        Person::new(&self.address)
    }

    /// One value from the database.
    pub async fn value<T>(&self, sql: &str) -> T
    where
        T: for<'r> sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres> + Send + Unpin,
    {
        sqlx::query_scalar(sql).fetch_one(&self.app.pools.http).await.unwrap()
    }

    /// See [`Database::check_feeds`].
    pub async fn check_feeds(&self) {
        self.database.check_feeds().await;
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        self.app.stopping.begun.cancel();
        self.app.stopping.hand_over.cancel();
        self.app.stopping.over.cancel();
    }
}

/// Waits until something is so, at most 20 s.
pub async fn eventually<F: Future<Output = bool>>(what: &str, is_so: impl Fn() -> F) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !is_so().await {
        assert!(Instant::now() < deadline, "waited 20 s for: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Tests share a process with others only under `cargo test`; either way one provider is enough.
pub fn crypto_provider() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}
