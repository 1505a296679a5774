//! Processes of a run: started on their core, ended with it.

use anyhow::{Context, ensure};
use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// Which cores the measured programs get and which the load; nothing: any.
#[derive(Debug, Clone, Default)]
pub struct Cores {
    pub measured: String,
    pub load: String,
}

/// A child that does not outlive this process.
pub struct Running {
    child: Child,
}

impl Running {
    /// Starts a program. `user`: as whom, if this process is root's.
    pub fn start(
        program: &Path,
        cores: &str,
        user: Option<&str>,
        set: impl FnOnce(&mut Command),
    ) -> anyhow::Result<Self> {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", if user.is_some() { "INT" } else { "KILL" }]);
        if let Some(user) = user.filter(|_| is_root()) {
            command.args(["--reuid", user, "--regid", user, "--init-groups"]);
        }
        if !cores.is_empty() {
            command.args(["taskset", "-c", cores]);
        }
        // nothing of this shell's settings, above all no proxy and no DATABASE_URL
        command.arg(program).env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).stdin(Stdio::null());
        set(&mut command);
        let child = command.spawn().with_context(|| format!("{} cannot be started", program.display()))?;
        Ok(Self { child })
    }

    /// Starts this program again in another role, which prints its port.
    pub fn role(cores: &str, args: &[&str]) -> anyhow::Result<(Self, u16)> {
        let mut running = Self::start(&std::env::current_exe()?, cores, None, |c| {
            c.args(args).stdout(Stdio::piped());
        })?;
        let out = running.child.stdout.take().context("the output was asked for")?;
        let mut line = String::new();
        BufReader::new(out).read_line(&mut line)?;
        Ok((running, line.trim().parse().with_context(|| format!("{args:?} told no port"))?))
    }

    /// The same as the program's own: the helpers before it replace themselves by it.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A PostgreSQL of its own, with default settings (so with fsync), in a folder of its own.
pub struct Postgres {
    server: Running,
    /// For `DATABASE_URL`.
    pub url: String,
}

impl Postgres {
    /// Makes and starts it. `statements`: with `pg_stat_statements`, which costs a little.
    pub fn start(dir: &Path, cores: &str, statements: bool) -> anyhow::Result<Self> {
        let bin = programs()?;
        std::fs::create_dir_all(dir)?;
        let data = dir.join("data");
        if is_root() {
            run(Command::new("chown").arg("postgres:").arg(dir))?;
        }
        let mut init = Running::start(&bin.join("initdb"), cores, Some("postgres"), |c| {
            c.arg("-D").arg(&data).args(["-U", "parlor", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"]);
            c.current_dir("/").stdout(Stdio::null());
        })?;
        ensure!(init.child.wait()?.success(), "initdb failed");
        let log = std::fs::File::create(dir.join("log"))?;
        let server = Running::start(&bin.join("postgres"), cores, Some("postgres"), |c| {
            c.arg("-D").arg(&data).arg("-k").arg(dir).args(["-c", "listen_addresses="]).current_dir("/").stderr(log);
            if statements {
                c.args(["-c", "shared_preload_libraries=pg_stat_statements", "-c", "pg_stat_statements.track=all"]);
            }
        })?;
        let create =
            |name: &str| run(Command::new(bin.join("createdb")).arg("-h").arg(dir).args(["-U", "parlor", name]));
        let patience = Instant::now() + Duration::from_secs(20);
        while let Err(error) = create("parlor") {
            ensure!(Instant::now() < patience, "PostgreSQL does not answer: {error}");
            std::thread::sleep(Duration::from_millis(100));
        }
        Ok(Self { server, url: format!("postgres://parlor@localhost/parlor?host={}", dir.display()) })
    }

    /// The first of its processes, the parent of the others.
    pub fn pid(&self) -> u32 {
        self.server.pid()
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // its fast shutdown: a kill would leave its shared memory behind
        let _ = run(Command::new("kill").args(["-INT", &self.server.pid().to_string()]));
        let _ = self.server.child.wait();
    }
}

/// A folder that is gone afterwards.
pub struct Folder(pub PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Pins this process, before it has threads.
pub fn pin(cores: &str) -> anyhow::Result<()> {
    if cores.is_empty() {
        return Ok(());
    }
    run(Command::new("taskset").args(["-cp", cores, &std::process::id().to_string()]))
}

fn run(command: &mut Command) -> anyhow::Result<()> {
    let output = command.stdin(Stdio::null()).output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr).trim());
    Ok(())
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
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
