//! The test language: an app on a database of its own, people, processes, and a provider.

pub mod database;
pub mod people;
pub mod process;
pub mod provider;
pub mod proxy;
pub mod wire;

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
    _database: Database,
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
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let test = Self { app, address, provider, _database: database };
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

    /// What must hold of every feed, whatever happened: numbers without gaps, offsets that fit, one end for each
    /// answer that has one, and the stored text equal to the pieces.
    pub async fn check_feeds(&self) {
        let gaps: i64 = self
            .value(
                "select count(*) from (select seq, row_number() over (partition by chat_id order by seq) n from feed_events) e
                 where seq <> n",
            )
            .await;
        assert_eq!(gaps, 0, "the feed has gaps");
        let heads: i64 = self
            .value(
                "select count(*) from feed_heads h
                 where h.seq <> (select coalesce(max(seq), 0) from feed_events e where e.chat_id = h.chat_id)",
            )
            .await;
        assert_eq!(heads, 0, "a head is not the newest event");
        let ends: i64 = self
            .value(
                "select count(*) from generations g where
                 (select count(*) from feed_events e where e.message_id = g.message_id and kind = 'end')
                 <> case when g.state in ('queued', 'streaming', 'waiting') then 0 else 1 end",
            )
            .await;
        assert_eq!(ends, 0, "an answer has not exactly one end");
        let texts: i64 = self
            .value(
                "select count(*) from generations g join messages m on m.id = g.message_id
                 where g.state not in ('queued', 'streaming', 'waiting') and m.text <>
                 (select coalesce(string_agg(body, '' order by seq), '') from feed_events e
                  where e.message_id = g.message_id and kind = 'text')",
            )
            .await;
        assert_eq!(texts, 0, "a stored text differs from what was streamed");
        let offsets: i64 = self
            .value(
                "select count(*) from (
                     select offset_at, coalesce(sum(octet_length(body)) over (partition by message_id, kind order by seq
                            rows between unbounded preceding and 1 preceding), 0) as before
                     from feed_events where kind in ('text', 'reasoning')) e where offset_at <> before",
            )
            .await;
        assert_eq!(offsets, 0, "an offset is wrong");
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
