//! A PostgreSQL of the run's own, with fsync: what it acknowledged survives its immediate stop. Under root it runs as the
//! user `postgres`, which is the only one it accepts then.

use anyhow::{Context, ensure};
use std::{
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};
use tokio::time::Instant;

pub struct Postgres {
    bin: PathBuf,
    pub dir: PathBuf,
    child: Option<Child>,
}

impl Postgres {
    pub async fn start(dir: &Path) -> anyhow::Result<Self> {
        let bin = programs()?;
        let dir = dir.join("postgres");
        std::fs::create_dir_all(&dir)?;
        std::fs::set_permissions(&dir, std::fs::Permissions::from_mode(0o755))?;
        let mut postgres = Self { bin, dir, child: None };
        if is_root() {
            run(Command::new("chown").arg("postgres:").arg(&postgres.dir))?;
        }
        let mut init = postgres.program("initdb");
        init.arg("-D").arg(postgres.dir.join("data"));
        run(init.args(["-U", "parlor", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"]))?;
        postgres.up().await?;
        let mut make = postgres.program("createdb");
        run(make.arg("-h").arg(&postgres.dir).args(["-U", "parlor", "parlor"]))?;
        Ok(postgres)
    }

    /// For a client that is not under test: by the socket itself.
    pub fn url(&self) -> String {
        format!("postgres://parlor@localhost/parlor?host={}", self.dir.display())
    }

    fn program(&self, name: &str) -> Command {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "INT"]);
        if is_root() {
            command.args(["--reuid", "postgres", "--regid", "postgres", "--init-groups"]);
        }
        command.arg(self.bin.join(name)).current_dir("/").env_clear().stdin(Stdio::null());
        command
    }

    /// Starts the server and waits until it takes connections.
    pub async fn up(&mut self) -> anyhow::Result<()> {
        if self.child.is_some() {
            return Ok(());
        }
        let log = std::fs::File::options().create(true).append(true).open(self.dir.join("log"))?;
        let mut command = self.program("postgres");
        command.arg("-D").arg(self.dir.join("data")).arg("-k").arg(&self.dir);
        command.args(["-c", "listen_addresses=", "-c", "max_connections=200", "-c", "shared_buffers=64MB"]);
        self.child = Some(command.stdout(Stdio::null()).stderr(log).spawn()?);
        let deadline = Instant::now() + Duration::from_mins(1);
        loop {
            let mut ready = self.program("pg_isready");
            let ready = ready.arg("-q").arg("-h").arg(&self.dir).stdout(Stdio::null()).status()?;
            if ready.success() {
                return Ok(());
            }
            ensure!(Instant::now() < deadline, "PostgreSQL does not start; see {}", self.dir.join("log").display());
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    }

    /// Its immediate stop: every connection is dropped, nothing is written out, the next start recovers from the log.
    pub async fn stops_at_once(&mut self) -> anyhow::Result<()> {
        let Some(mut child) = self.child.take() else { return Ok(()) };
        run(Command::new("kill").args(["-QUIT", &child.id().to_string()]))?;
        while child.try_wait()?.is_none() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(())
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = run(Command::new("kill").args(["-INT", &child.id().to_string()]));
            let _ = child.wait();
        }
    }
}

pub fn run(command: &mut Command) -> anyhow::Result<()> {
    let output = command.stdin(Stdio::null()).output()?;
    ensure!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr).trim());
    Ok(())
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|m| m.uid() == 0)
}

/// The folder of PostgreSQL's programs: `PARLOR_PG_BIN`, else Debian's newest.
fn programs() -> anyhow::Result<PathBuf> {
    if let Some(dir) = std::env::var_os("PARLOR_PG_BIN") {
        return Ok(dir.into());
    }
    let mut found: Vec<_> = std::fs::read_dir("/usr/lib/postgresql")?.flatten().map(|e| e.path().join("bin")).collect();
    found.sort();
    found.pop().context("PostgreSQL's programs were not found; say where they are with PARLOR_PG_BIN")
}
