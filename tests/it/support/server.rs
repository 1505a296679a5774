//! A PostgreSQL of a test's own, to be stopped at once and started again.

use super::process::{as_postgres, data_folder};
use sqlx::{ConnectOptions, postgres::PgConnectOptions};
use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};
use tempfile::TempDir;

pub struct Server {
    child: Option<Child>,
    pub folder: PathBuf,
    settings: Vec<String>,
    /// Removed with it.
    own: Option<TempDir>,
}

impl Server {
    pub async fn start() -> Self {
        let folder = data_folder();
        let mut server = Self::in_folder(folder.path(), &[]).await;
        server.own = Some(folder);
        server
    }

    /// With its data in this folder, and these settings (`name=value`).
    pub async fn in_folder(folder: &Path, settings: &[&str]) -> Self {
        if as_postgres("true").get_program() == "setpriv" {
            assert!(Command::new("chown").arg("postgres:").arg(folder).status().unwrap().success());
        }
        let made = as_postgres(&program("initdb"))
            .arg("-D")
            .arg(folder.join("data"))
            .args(["-U", "parlor", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--wal-segsize=1"])
            .current_dir("/")
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let settings = settings.iter().map(|s| (*s).to_owned()).collect();
        let mut server = Self { child: None, folder: folder.to_owned(), settings, own: None };
        server.again().await;
        server
    }

    /// The address of its one database.
    pub fn url(&self) -> String {
        format!("postgres://parlor@localhost/postgres?host={}", self.folder.display())
    }

    /// Starts it, also after a crash, and waits until it takes connections.
    pub async fn again(&mut self) {
        let log = std::fs::File::create(self.folder.join("log")).unwrap();
        let mut command = as_postgres(&program("postgres"));
        command.arg("-D").arg(self.folder.join("data")).arg("-k").arg(&self.folder);
        command.args(["-c", "listen_addresses="]).args(self.settings.iter().flat_map(|s| ["-c", s]));
        command.current_dir("/").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::from(log));
        self.child = Some(command.spawn().unwrap());
        let options: PgConnectOptions = self.url().parse().unwrap();
        let deadline = Instant::now() + Duration::from_secs(30);
        while let Err(error) = options.connect().await {
            assert!(Instant::now() < deadline, "PostgreSQL does not start: {error}\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// As when the machine fails: no orderly end.
    pub fn stops_at_once(&mut self) {
        self.end("QUIT");
    }

    fn end(&mut self, signal: &str) {
        if let Some(mut child) = self.child.take() {
            let _ = Command::new("kill").arg(format!("-{signal}")).arg(child.id().to_string()).status();
            let _ = child.wait();
        }
    }

    /// Whether it runs; one that is recovering by itself does.
    pub fn is_alive(&mut self) -> bool {
        self.child.as_mut().is_some_and(|child| matches!(child.try_wait(), Ok(None)))
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end("QUIT");
    }
}

/// One of PostgreSQL's own programs: Debian keeps them out of the path.
fn program(name: &str) -> String {
    let mut versions: Vec<_> = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten().collect();
    versions.sort_by_key(|v| v.file_name().to_string_lossy().parse::<u32>().ok());
    let found = versions.pop().map(|v| v.path().join("bin").join(name)).filter(|p| p.exists());
    found.map_or_else(|| name.to_owned(), |p| p.display().to_string())
}
