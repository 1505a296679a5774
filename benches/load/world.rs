//! Everything of a run: a PostgreSQL, the provider, the pass-through, Parlor, and some people with chats.

use crate::{
    client::{Visitor, last_source},
    loads::FAILOVER,
    measure,
    process::{Cores, Folder, Postgres, Running},
    provider::Sent,
    shape::Shape,
};
use anyhow::{Context, ensure};
use futures::future::join_all;
use sqlx::{PgPool, postgres::PgPoolOptions};
use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};
use tokio::time::Instant;

/// People who sign up at the start.
const PEOPLE: usize = 4;
/// Who sign up at the same time.
const AT_ONCE: usize = 4;

/// What runs. The order is the order of its end.
pub struct World {
    parlor: Running,
    worker: Option<Running>,
    passthrough: Running,
    _provider: Running,
    postgres: Postgres,
    /// The harness's own look into the database.
    pub db: PgPool,
    pub visitors: Vec<Visitor>,
    /// Of Parlor, the pass-through and the provider.
    pub parlor_url: String,
    pub passthrough_url: String,
    provider_url: String,
    /// How Parlor is started.
    how: How,
    tags: AtomicUsize,
    /// Whose models are asked.
    pub asks: &'static str,
    _folder: Folder,
}

/// How Parlor is started.
#[derive(Clone)]
struct How {
    program: PathBuf,
    cores: Cores,
    dir: PathBuf,
    database: String,
    provider: String,
    /// Another process makes the answers.
    split: bool,
}

impl How {
    fn environment(&self, command: &mut Command) {
        command.env("DATABASE_URL", &self.database).env("PARLOR_DATA", self.dir.join("parlor"));
        command.env("OPENAI_BASE_URL", format!("{}/v1", self.provider)).env("OPENAI_API_KEY", "k");
        command.env("PARLOR__PROVIDERS__OPENAI__REQUESTS_PER_MINUTE", "0");
        // another that fails all the time; when it does, the first one answers
        command.env("PARLOR__PROVIDERS__FAILING__BASE_URL", format!("{}/failing", self.provider));
        command
            .env("PARLOR__PROVIDERS__FAILING__API_KEYS", "k,l")
            .env("PARLOR__PROVIDERS__FAILING__REQUESTS_PER_MINUTE", "0");
        let fallback = format!("PARLOR__PROVIDERS__FAILING__FALLBACKS__{}", FAILOVER.name().to_uppercase());
        command.env(fallback, format!("openai/{}", FAILOVER.name()));
        // what is measured is answers
        command.env("PARLOR__CHATS__TITLES", "false");
        // counted as always, but nobody types as fast as this
        command.env("PARLOR__LIMITS__MESSAGES_PER_MINUTE", "100000").env("PARLOR__LIMITS__MESSAGES_PER_DAY", "100000");
        command.env("PARLOR__LIMITS__ANONYMOUS_PER_HOUR", "0").env("PARLOR__LIMITS__CALLS_PER_HOUR", "1000000");
    }
}

/// CPU-seconds used so far.
#[derive(Debug, Clone, Copy, Default)]
pub struct Cpu {
    pub parlor: f64,
    pub postgres: f64,
    pub passthrough: f64,
}

impl World {
    /// Starts everything, and signs people up.
    pub async fn build(program: &Path, cores: &Cores, statements: bool, shapes: &[Shape]) -> anyhow::Result<Self> {
        ensure!(program.is_file(), "{} is missing: build it first (`cargo build --release`)", program.display());
        let dir = std::env::temp_dir().join(format!("parlor-load-{}", std::process::id()));
        fs::create_dir_all(&dir)?;
        let folder = Folder(dir.clone());
        let postgres = Postgres::start(&dir.join("postgres"), &cores.measured, statements)?;
        let names: Vec<String> = shapes.iter().map(Shape::name).collect();
        let mut args = vec!["provider"];
        args.extend(names.iter().map(String::as_str));
        let (provider, port) = Running::role(&cores.load, &args)?;
        let provider_url = format!("http://127.0.0.1:{port}");
        let (passthrough, port) = Running::role(&cores.measured, &["passthrough", &provider_url])?;
        let passthrough_url = format!("http://127.0.0.1:{port}");
        let how = How {
            program: program.to_owned(),
            cores: cores.clone(),
            dir,
            database: postgres.url.clone(),
            provider: provider_url.clone(),
            split: false,
        };
        let (parlor, parlor_url, _) = start(&how).await?;
        let db = PgPoolOptions::new().max_connections(2).connect(&postgres.url).await?;
        let mut world = Self {
            parlor,
            worker: None,
            passthrough,
            _provider: provider,
            postgres,
            db,
            visitors: Vec::new(),
            parlor_url,
            passthrough_url,
            provider_url,
            how,
            tags: AtomicUsize::new(0),
            asks: "openai",
            _folder: folder,
        };
        if statements {
            sqlx::query("create extension pg_stat_statements").execute(&world.db).await?;
        }
        world.people(PEOPLE).await?;
        world.wait_for_models(&names).await?;
        Ok(world)
    }

    /// Signs people up until there are so many.
    pub async fn people(&mut self, count: usize) -> anyhow::Result<()> {
        while self.visitors.len() < count {
            let numbers = self.visitors.len()..count.min(self.visitors.len() + AT_ONCE);
            let url = &self.parlor_url;
            let some = numbers.map(|n| async move { Visitor::register(url, &format!("visitor{n}")).await });
            for visitor in join_all(some).await {
                self.visitors.push(visitor?);
            }
        }
        Ok(())
    }

    /// The models come from the provider a moment after the start.
    async fn wait_for_models(&self, names: &[String]) -> anyhow::Result<()> {
        let patience = Instant::now() + Duration::from_secs(20);
        loop {
            let page = self.visitors[0].page("/").await?;
            if names.iter().all(|name| page.contains(&format!("openai/{name}\""))) {
                return Ok(());
            }
            ensure!(Instant::now() < patience, "the models do not appear in the new chat's form");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Ends Parlor and starts it again on the same database; tells how long it took to be ready.
    pub async fn restart(&mut self) -> anyhow::Result<Duration> {
        let (parlor, url, took) = start(&self.how).await?;
        self.parlor = parlor; // the one before is killed by this
        self.parlor_url.clone_from(&url);
        for visitor in &mut self.visitors {
            visitor.base.clone_from(&url);
        }
        Ok(took)
    }

    pub fn passthrough_pid(&self) -> u32 {
        self.passthrough.pid()
    }

    pub fn parlor_pid(&self) -> u32 {
        self.parlor.pid()
    }

    pub fn postgres_pid(&self) -> u32 {
        self.postgres.pid()
    }

    /// CPU-seconds so far.
    pub fn cpu(&self) -> anyhow::Result<Cpu> {
        Ok(Cpu {
            parlor: measure::cpu(self.parlor.pid())?,
            postgres: measure::family_cpu(self.postgres.pid()),
            passthrough: measure::cpu(self.passthrough.pid())?,
        })
    }

    /// A question that nobody asked before, and its tag.
    pub fn question(&self) -> (String, String) {
        let tag = format!("t{:06}", self.tags.fetch_add(1, Ordering::Relaxed));
        (format!("Tell me about lamps by the sea, in a few words: {tag}"), tag)
    }

    /// Starts Parlor again as two processes: one for the pages, one that makes the answers.
    pub async fn split(&mut self) -> anyhow::Result<()> {
        self.how.split = true;
        self.restart().await?;
        let log = File::options().create(true).append(true).open(self.how.dir.join("parlor.log"))?;
        let how = &self.how;
        self.worker = Some(Running::start(&how.program, &how.cores.measured, None, |c| {
            c.arg("work").stderr(log);
            how.environment(c);
        })?);
        Ok(())
    }

    /// For a connection of one's own.
    pub fn database(&self) -> &str {
        &self.how.database
    }

    /// Parlor's processes.
    pub fn program_pids(&self) -> Vec<u32> {
        std::iter::once(&self.parlor).chain(&self.worker).map(Running::pid).collect()
    }

    /// How often the queue was asked for work and a generation claimed, and the milliseconds that took.
    pub async fn claims(&self) -> anyhow::Result<(i64, f64)> {
        let row = "select coalesce(sum(calls), 0)::bigint, coalesce(sum(total_exec_time), 0) from pg_stat_statements
                   where query ilike '%from apalis.get_jobs(%' or query like 'update generations set state = $%lease_until = now()%'";
        Ok(sqlx::query_as(row).fetch_one(&self.db).await?)
    }

    /// Dead rows of all tables, and rows of the queue.
    pub async fn rows(&self) -> anyhow::Result<(i64, i64)> {
        let row =
            "select (select sum(n_dead_tup)::bigint from pg_stat_user_tables), (select count(*) from apalis.jobs)";
        Ok(sqlx::query_as(row).fetch_one(&self.db).await?)
    }

    /// When the provider got this question and sent its first chunk.
    pub async fn sent(&self, tag: &str) -> anyhow::Result<Sent> {
        let answer = self.visitors[0].http.get(format!("{}/sent/{tag}", self.provider_url)).send().await?;
        let sent: Option<Sent> = serde_json::from_slice(&answer.bytes().await?)?;
        sent.with_context(|| format!("the provider never got {tag}"))
    }

    /// Whether the stored text of a chat's last answer is what the provider sent.
    pub async fn check(&self, visitor: usize, chat: &str, shape: &Shape, tag: &str) -> anyhow::Result<()> {
        let page = self.visitors[visitor].page(chat).await?;
        let source = last_source(&page).with_context(|| format!("{chat} has no source of its last answer"))?;
        let expected = shape.answer(tag).concat();
        let same = source.bytes().zip(expected.bytes()).take_while(|(a, b)| a == b).count();
        ensure!(
            source == expected,
            "{chat}, {tag}: {} bytes are stored, {} were sent; the first {same} are the same",
            source.len(),
            expected.len()
        );
        Ok(())
    }

    /// PostgreSQL's most costly statements.
    pub async fn statements(&self) -> anyhow::Result<()> {
        let rows: Vec<(i64, f64, f64, String)> = sqlx::query_as(
            r"select calls, total_exec_time, mean_exec_time, left(regexp_replace(query, '\s+', ' ', 'g'), 130)
              from pg_stat_statements order by total_exec_time desc limit 30",
        )
        .fetch_all(&self.db)
        .await?;
        for (calls, total, mean, query) in rows {
            println!("{calls:>8} calls {total:>9.0} ms, {mean:>7.3} ms each: {query}");
        }
        Ok(())
    }

    /// Lines of Parlor's log that warn.
    pub fn warnings(&self) -> Vec<String> {
        let log = fs::read_to_string(self.how.dir.join("parlor.log")).unwrap_or_default();
        log.lines()
            .filter(|l| l.contains(r#""level":"WARN""#) || l.contains(r#""level":"ERROR""#))
            .map(str::to_owned)
            .collect()
    }
}

/// Starts Parlor with its defaults on a free port; returns when it is ready.
async fn start(how: &How) -> anyhow::Result<(Running, String, Duration)> {
    let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let log = File::options().create(true).append(true).open(how.dir.join("parlor.log"))?;
    let began = Instant::now();
    let parlor = Running::start(&how.program, &how.cores.measured, None, |c| {
        c.arg("serve").args(how.split.then_some("--no-jobs")).env("PORT", port.to_string()).stderr(log);
        how.environment(c);
    })?;
    let url = format!("http://127.0.0.1:{port}");
    let http = crate::client::http()?;
    loop {
        if let Ok(answer) = http.get(format!("{url}/ready")).send().await
            && answer.status().is_success()
        {
            return Ok((parlor, url, began.elapsed()));
        }
        ensure!(began.elapsed() < Duration::from_secs(30), "Parlor does not become ready");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
