//! Parlor as a process of its own, to be killed, stopped and asked for its words.

use super::{database::Database, provider::Provider, proxy::Proxy};
use sqlx::{Connection, PgConnection};
use std::{
    io::{BufRead, BufReader, Write},
    process::{Child, Command, Output, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};
use tempfile::TempDir;
use tokio::time::Instant;

pub const SECRET: &str = "a secret for tests only, long enough";

/// The binary under test with nothing of this machine's settings.
pub fn parlor(data: &TempDir) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_parlor"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    command
        .env_clear()
        .env("PATH", path)
        .env("PARLOR_DATA", data.path().join("data"))
        .env("PARLOR__CATALOG__OLLAMA", "")
        .env("PARLOR__LIMITS__MESSAGES_PER_MINUTE", "0")
        .env("PARLOR__LIMITS__MESSAGES_PER_DAY", "0")
        .env("PARLOR__LIMITS__ANONYMOUS_PER_HOUR", "0")
        .env("PARLOR__CHATS__TITLES", "false");
    command
}

/// A program of PostgreSQL's family, which refuses root.
pub fn as_postgres(program: &str) -> Command {
    let root = std::fs::metadata("/proc/self").is_ok_and(|me| std::os::unix::fs::MetadataExt::uid(&me) == 0);
    let mut command = Command::new(if root { "setpriv" } else { program });
    if root {
        command.args(["--reuid", "postgres", "--regid", "postgres", "--init-groups", program]);
    }
    command
}

/// A data folder that the database's user may enter.
pub fn data_folder() -> TempDir {
    use std::os::unix::fs::PermissionsExt;
    let dir = TempDir::with_prefix("parlor").unwrap();
    std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    dir
}

/// Runs a command to its end, with this as its standard input.
pub fn run(mut command: Command, input: &str) -> Output {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

/// A running process and what it said.
pub struct Process {
    pub child: Child,
    log: Arc<Mutex<String>>,
}

impl Process {
    pub fn spawn(mut command: Command) -> Self {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let log = Arc::new(Mutex::new(String::new()));
        let (ours, stderr) = (log.clone(), child.stderr.take().unwrap());
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                let mut log = ours.lock().unwrap();
                log.push_str(&line);
                log.push('\n');
            }
        });
        Self { child, log }
    }

    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Waits for a word in the log.
    pub async fn says(&self, words: &str) {
        let deadline = Instant::now() + Duration::from_secs(30);
        while !self.log().contains(words) {
            assert!(Instant::now() < deadline, "waited 30 s for `{words}` in:\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The address it listens on.
    pub async fn address(&self) -> String {
        self.says("ready: http").await;
        let log = self.log();
        let from = log.find("ready: ").unwrap() + 7;
        log[from..].split(['"', '\n', ' ']).next().unwrap().to_owned()
    }

    /// The most memory that it ever had resident, in kB.
    pub fn peak_memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    pub fn signal(&self, name: &str) {
        let done = Command::new("kill").arg(format!("-{name}")).arg(self.child.id().to_string()).status().unwrap();
        assert!(done.success());
    }

    /// Waits for its end; tells how long that took and the code.
    pub async fn ends(&mut self) -> (Duration, Option<i32>) {
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return (began.elapsed(), status.code());
            }
            assert!(began.elapsed() < Duration::from_secs(30), "it does not end:\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Two kinds of processes on one database.
pub struct House {
    pub database: Arc<Database>,
    pub provider: Arc<Provider>,
    pub data: Arc<TempDir>,
    /// How its processes reach the database.
    url: String,
    /// More settings of its processes, as environment variables.
    vars: Vec<(String, String)>,
}

impl House {
    pub async fn make() -> Self {
        super::crypto_provider();
        Self::of(Database::make().await).await
    }

    /// On a server of the test's own.
    pub async fn on(server: &str) -> Self {
        super::crypto_provider();
        Self::of(Database::whole(server)).await
    }

    async fn of(database: Database) -> Self {
        let url = database.url.clone();
        let (provider, data) = (Arc::new(Provider::start().await), Arc::new(data_folder()));
        Self { database: Arc::new(database), provider, data, url, vars: Vec::new() }
    }

    /// With leases that run out soon, and faults that are soon tried again.
    pub fn quick(mut self) -> Self {
        let quick = [
            ("PARLOR__GENERATION__LEASE", "1.5"),
            ("PARLOR__GENERATION__RENEW", "0.3"),
            ("PARLOR__GENERATION__SWEEP", "0.3"),
            ("PARLOR__GENERATION__RETRY", "0.3"),
            ("PARLOR__SHUTDOWN__GRACE", "0.1"),
        ];
        self.vars.extend(quick.map(|(name, value)| (name.to_owned(), value.to_owned())));
        self
    }

    /// One value from the database.
    pub async fn value<T>(&self, sql: &str) -> T
    where
        T: for<'r> sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres> + Send + Unpin,
    {
        self.row::<(T,)>(sql).await.0
    }

    /// One row from the database.
    pub async fn row<T: for<'r> sqlx::FromRow<'r, sqlx::postgres::PgRow> + Send + Unpin>(&self, sql: &str) -> T {
        let mut conn = PgConnection::connect(&self.database.url).await.unwrap();
        let row = sqlx::query_as(sql).fetch_one(&mut conn).await.unwrap();
        conn.close().await.unwrap();
        row
    }

    /// The same house, whose processes reach the database (or, by [`House::with`], anything) in another way.
    pub fn over(&self, url: &str) -> Self {
        Self { url: url.to_owned(), vars: self.vars.clone(), ..self.same() }
    }

    /// The same house with a setting more.
    pub fn with(&self, name: &str, value: &str) -> Self {
        let mut same = self.same();
        same.vars.push((name.to_owned(), value.to_owned()));
        same
    }

    fn same(&self) -> Self {
        let (database, provider, data) = (self.database.clone(), self.provider.clone(), self.data.clone());
        Self { database, provider, data, url: self.url.clone(), vars: self.vars.clone() }
    }

    /// Its database through a wire with faults.
    pub async fn wired(&self) -> (Self, Proxy) {
        let proxy = Proxy::start(self.database.server()).await;
        let url = format!("postgres://parlor@{}/{}", proxy.address, self.database.name);
        (self.over(&url), proxy)
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = parlor(&self.data);
        command
            .args(args)
            .env("DATABASE_URL", &self.url)
            .env("PARLOR_SECRET", SECRET)
            .env("OPENAI_BASE_URL", self.provider.url())
            .env("OPENAI_API_KEY", "key-1")
            .env("PARLOR__PROVIDERS__OPENAI__REQUESTS_PER_MINUTE", "0")
            .env("PORT", "0")
            .env("RUST_LOG", "info")
            .envs(self.vars.iter().map(|(name, value)| (name, value)));
        command
    }

    pub fn web(&self) -> Process {
        Process::spawn(self.command(&["serve", "--no-jobs"]))
    }

    /// A worker with settings on top, in the form of environment variables.
    pub fn worker_with(&self, settings: &[(&str, &str)]) -> Process {
        let mut command = self.command(&["work"]);
        command.envs(settings.iter().copied());
        Process::spawn(command)
    }

    pub fn worker(&self) -> Process {
        Process::spawn(self.command(&["work"]))
    }
}
