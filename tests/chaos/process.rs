//! One of the four processes under test: started, stopped, killed, and started again. Its log goes into a file.

use super::{plan::Who, postgres::run};
use anyhow::{Context, ensure};
use std::{
    io::{BufRead, BufReader, Write},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::time::Instant;

/// How the processes are started.
pub struct Settings {
    pub program: PathBuf,
    pub dir: PathBuf,
    /// Of every process.
    pub environment: Vec<(String, String)>,
}

pub struct Process {
    who: Who,
    child: Child,
    stopped: bool,
    /// What it listens on, once it said so; for a worker: once it works, anything.
    ready: Arc<Mutex<Option<String>>>,
}

impl Process {
    /// Starts it; `own`: settings of this one.
    pub fn start(settings: &Settings, who: Who, own: &[(&str, String)]) -> anyhow::Result<Self> {
        // it ends with this run, also when the run is killed
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL"]).arg(&settings.program);
        match who {
            Who::Web(0) => command.args(["serve", "--no-jobs"]),
            // makes answers itself: of those that it accepts, no job tells
            Who::Web(_) => command.arg("serve"),
            Who::Worker(_) => command.arg("work"),
        };
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.envs(settings.environment.iter().map(|(k, v)| (k, v)));
        command.envs(own.iter().map(|(k, v)| (k, v)));
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
        let ready = Arc::new(Mutex::new(None));
        let stderr = child.stderr.take().context("the log was asked for")?;
        let mut log = std::fs::File::options().create(true).append(true).open(log_of(&settings.dir, who))?;
        let (ours, pid) = (ready.clone(), child.id());
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                let place = line.split_once("ready: http://").map(|(_, rest)| rest);
                let working = line.contains("\"working\"").then_some("");
                if let Some(place) = place.or(working) {
                    let place = place.split(['"', ' ']).next().unwrap_or_default();
                    *ours.lock().expect("nothing panics while holding it") = Some(place.to_owned());
                }
                let _ = writeln!(log, "{pid} {line}");
            }
        });
        Ok(Self { who, child, stopped: false, ready })
    }

    /// Its address, once it is ready.
    pub fn ready(&self) -> Option<SocketAddr> {
        let ready = self.ready.lock().expect("nothing panics while holding it");
        // a worker listens on nothing
        ready.as_ref().map(|place| place.parse().unwrap_or(SocketAddr::from(([127, 0, 0, 1], 0))))
    }

    fn signal(&self, name: &str) -> anyhow::Result<()> {
        run(Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]))
    }

    pub fn stop(&mut self) -> anyhow::Result<()> {
        self.stopped = true;
        self.signal("STOP")
    }

    pub fn go_on(&mut self) -> anyhow::Result<()> {
        self.stopped = false;
        self.signal("CONT")
    }

    pub fn is_over(&mut self) -> anyhow::Result<bool> {
        Ok(self.child.try_wait()?.is_some())
    }

    pub fn kill(&mut self) -> anyhow::Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Asks it to end.
    pub fn term(&mut self) -> anyhow::Result<()> {
        self.signal("TERM")
    }

    /// Waits for its end and says how long that took.
    pub async fn ends(&mut self, most: Duration) -> anyhow::Result<Duration> {
        let began = Instant::now();
        while self.child.try_wait()?.is_none() {
            ensure!(began.elapsed() < most, "{:?} does not end within {} s", self.who, most.as_secs());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(began.elapsed())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.kill();
    }
}

pub fn log_of(dir: &Path, who: Who) -> PathBuf {
    match who {
        Who::Web(n) => dir.join(format!("web-{n}.log")),
        Who::Worker(n) => dir.join(format!("worker-{n}.log")),
    }
}
