//! The test language: an app on a database of its own, people, processes, and a provider.

pub mod answers;
pub mod database;
pub mod images;
pub mod letters;
pub mod people;
pub mod postman;
pub mod process;
pub mod program;
pub mod provider;
pub mod proxy;
pub mod server;
pub mod wire;

use database::Database;
use parlor::{
    MIGRATOR,
    app::App,
    base::{
        config::Config,
        crypto::Secret,
        db::{self, Pools, migrate},
        ids::UserId,
    },
    domain::accounts::{self, Viewer},
    http, jobs,
};
use people::Person;
use provider::Provider;
use std::{future::Future, time::Duration};
use tokio::time::Instant;

/// A provider's fault is told at once, instead of being tried again.
pub const NO_RETRY: (&str, &str) = ("PARLOR__GENERATION__RETRY", "");

/// The app in this process, with web and jobs, on a port of its own.
pub struct TestApp {
    pub app: App,
    pub address: String,
    pub provider: Provider,
    /// Its data folder.
    pub data: tempfile::TempDir,
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
        let data = tempfile::TempDir::with_prefix("parlor").unwrap();
        let mut vars = vec![
            ("PARLOR_DATA".to_owned(), data.path().to_str().unwrap().to_owned()),
            ("OPENAI_BASE_URL".to_owned(), provider.url()),
            ("OPENAI_API_KEY".to_owned(), "key-1,key-2".to_owned()),
            ("PARLOR_SECRET".to_owned(), "a secret for tests only, long enough".to_owned()),
            ("PARLOR__PROVIDERS__OPENAI__REQUESTS_PER_MINUTE".to_owned(), "0".to_owned()),
            // a key that the provider has had enough of does not keep a story waiting
            ("PARLOR__GENERATION__KEY_REST".to_owned(), "0.1".to_owned()),
            ("PARLOR__CATALOG__RETRY".to_owned(), "1".to_owned()),
            // only in the stories about them are there limits
            ("PARLOR__LIMITS__MESSAGES_PER_MINUTE".to_owned(), "0".to_owned()),
            ("PARLOR__LIMITS__MESSAGES_PER_DAY".to_owned(), "0".to_owned()),
            ("PARLOR__LIMITS__CALLS_PER_HOUR".to_owned(), "0".to_owned()),
            // only in the stories about them is a model asked for titles
            ("PARLOR__CHATS__TITLES".to_owned(), "false".to_owned()),
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
        tokio::spawn(http::serve(listener, http::router(&app), app.config.server.clone(), app.stopping.begun.clone()));
        let test = Self { app, address, provider, data, database };
        eventually("the catalog has the provider's models", || async {
            test.value::<bool>("select exists (select from models)").await
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

    /// Who that is, as acts want it.
    pub async fn viewer(&self, name: &str) -> Viewer {
        let id = self.value(&format!("select id from users where name = '{name}'")).await;
        Viewer::from(&accounts::get(&self.app.pools.http, UserId(id)).await.unwrap().unwrap())
    }

    /// A program with nothing to show.
    pub fn program(&self) -> program::Program {
        program::Program::new(&self.address)
    }

    /// Changes the database behind the product's back.
    pub async fn execute(&self, sql: &str) {
        sqlx::raw_sql(sql).execute(&self.app.pools.http).await.unwrap();
    }

    /// One value from the database.
    pub async fn value<T>(&self, sql: &str) -> T
    where
        T: for<'r> sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres> + Send + Unpin,
    {
        sqlx::query_scalar(sql).fetch_one(&self.app.pools.http).await.unwrap()
    }

    /// Keys that were set aside, or rest, are asked with again.
    pub async fn uses_keys_again(&self) {
        self.execute("update provider_keys set set_aside_at = null, resting_until = null").await;
        self.app.providers().iter().for_each(|provider| parlor::domain::providers::pool::forget(provider));
    }

    /// See [`Database::check_feeds`].
    pub async fn check_feeds(&self) {
        self.database.check_feeds().await;
    }
}

/// What must hold of every tree, whatever happened: a parent in the same chat, no cycle, a leaf that is there, nothing
/// that follows what was deleted, the making of every answer that is not whole beside it, every line behind the answer that its question follows, and one running answer a path.
pub const WHOLE_TREE: &str = "
    with recursive paths as (
        select m.id as leaf, m.id, m.parent_id, m.chat_id, 0 as depth from messages m
        where not exists (select 1 from messages c where c.parent_id = m.id)
        union all
        select p.leaf, m.id, m.parent_id, m.chat_id, p.depth + 1 from paths p join messages m on m.id = p.parent_id
        where p.depth < 10000)
    select string_agg(what, ', ') from (
        select 'a parent elsewhere' as what from messages m join messages p on p.id = m.parent_id where p.chat_id <> m.chat_id
        union all select 'a parent that is gone' from messages m where parent_id is not null
            and not exists (select 1 from messages p where p.id = m.parent_id)
        union all select 'a cycle' from messages m where not exists (select 1 from paths p where p.id = m.id)
            or exists (select 1 from paths where depth >= 10000)
        union all select 'a leaf that is not there' from chats c where not exists (
            select 1 from messages m where m.id = c.leaf_id and m.chat_id = c.id and m.removed_at is null)
        union all select 'something said after what was deleted' from messages m join messages p on p.id = m.parent_id
            where m.removed_at is null and p.removed_at is not null
        union all select 'an answer that nobody makes' from messages m where author = 'model' and m.html is null
            and not exists (select 1 from generations g where g.message_id = m.id)
        union all select 'a queued answer without a job' from generations g where state = 'queued'
            and not exists (select 1 from apalis.jobs j where j.job->>'generation_id' = g.id::text)
        union all select 'a line behind another answer' from generations g
            join messages a on a.id = g.message_id join messages q on q.id = a.parent_id
            where g.state = 'lined' and g.after_id is distinct from q.parent_id
        union all select 'a line that nothing holds' from generations g
            left join generations b on b.message_id = g.after_id
            where g.state = 'lined' and coalesce(b.state, 'completed') in ('completed', 'stopped')
        union all select 'two running answers on a path' from paths p join generations g on g.message_id = p.id
            where g.state in ('queued', 'streaming', 'waiting') group by p.leaf having count(*) > 1
        union all select 'too many running' from generations where state in ('queued', 'streaming', 'waiting')
            group by chat_id having count(*) > 4
    ) wrong";

impl TestApp {
    /// N2, N9 and the rules of the line.
    pub async fn check_tree(&self) {
        assert_eq!(self.value::<Option<String>>(WHOLE_TREE).await, None);
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
