//! Everything of a run: a PostgreSQL, the provider, the pass-through, Parlor, and some people with chats.

use crate::{
    client::{Visitor, last_source},
    measure,
    process::{Cores, Folder, Postgres, Running},
    provider::Sent,
    shape::Shape,
};
use anyhow::{Context, ensure};
use sqlx::{PgPool, postgres::PgPoolOptions};
use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};
use tokio::time::Instant;

/// People who sign up; the chats are theirs in turn. Few, since a sign-up costs an argon2id hash.
const PEOPLE: usize = 4;

/// What runs. The order is the order of its end.
pub struct World {
    parlor: Running,
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
        };
        let (parlor, parlor_url, _) = start(&how).await?;
        let db = PgPoolOptions::new().max_connections(2).connect(&postgres.url).await?;
        let mut world = Self {
            parlor,
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
            _folder: folder,
        };
        if statements {
            sqlx::query("create extension pg_stat_statements").execute(&world.db).await?;
        }
        for n in 0..PEOPLE {
            world.visitors.push(Visitor::register(&world.parlor_url, &format!("visitor{n}")).await?);
        }
        world.wait_for_models(&names).await?;
        Ok(world)
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
        c.arg("serve").env("PORT", port.to_string()).env("DATABASE_URL", &how.database).stderr(log);
        c.env("OPENAI_BASE_URL", format!("{}/v1", how.provider)).env("OPENAI_API_KEY", "k");
        c.env("PARLOR_DATA", how.dir.join("parlor"));
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
