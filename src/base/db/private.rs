//! A PostgreSQL of Parlor's own, under the data folder: on a Unix socket only, as a child of this process, ended with
//! it. Two locks say who is there: `postgres.lock` (whoever started it) and PostgreSQL's own `postmaster.pid`.

use super::{Use, explain};
use crate::base::config::is_root;
use anyhow::{Context, bail};
use sqlx::{ConnectOptions, postgres::PgConnectOptions};
use std::{
    fs::{self, File, TryLockError},
    io::Read,
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// The running child. Dropping it stops PostgreSQL (fast shutdown).
pub struct Server {
    child: Child,
    _lock: File,
}

/// Where everything is.
struct Places {
    bin: PathBuf,
    cluster: PathBuf,
    socket: PathBuf,
    log: PathBuf,
}

/// Starts the private PostgreSQL, or joins the one that another process of this machine runs.
/// To be called from the main thread: the child ends when the thread that made it ends.
///
/// # Errors
/// Missing programs, a folder that may not be entered, another version's cluster, or (with [`Use::Own`]) one in use.
pub fn open(data_dir: &Path, pg_bin: &str, how: Use) -> anyhow::Result<(PgConnectOptions, Option<Server>)> {
    let places = Places {
        bin: find_programs(pg_bin)?,
        cluster: data_dir.join("postgres"),
        socket: data_dir.join("run"),
        log: data_dir.join("postgres.log"),
    };
    prepare_folders(data_dir, &places)?;
    let options = PgConnectOptions::new_without_pgpass().socket(&places.socket).username("parlor").database("postgres");
    let lock = File::options().create(true).truncate(false).write(true).open(data_dir.join("postgres.lock"))?;
    match wait_for_lock(&lock, how)? {
        Lock::Mine => {}
        Lock::Theirs if how == Use::Share => {
            wait_ready(&options, &places, None)?;
            return Ok((options, None));
        }
        Lock::Theirs => bail!(
            "another Parlor is already running on the private PostgreSQL in {}: stop it first, give this one another \
             PARLOR_DATA, or set DATABASE_URL for several processes on one database",
            data_dir.display()
        ),
    }
    if !places.cluster.join("PG_VERSION").exists() {
        init(&places)?;
    }
    check_version(&places)?;
    // after a kill the PostgreSQL of the process before may still be shutting down
    let patience = Instant::now() + Duration::from_secs(15);
    let mut server = Server { child: start(&places)?, _lock: lock };
    loop {
        match wait_ready(&options, &places, Some(&mut server.child)) {
            Ok(()) => return Ok((options, Some(server))),
            Err(e) if e.to_string().contains("postmaster.pid") && Instant::now() < patience => {
                std::thread::sleep(Duration::from_millis(100));
                server.child = start(&places)?;
            }
            Err(e) => return Err(e),
        }
    }
}

enum Lock {
    Mine,
    Theirs,
}

/// A Parlor that was killed leaves its PostgreSQL a moment to end: the lock goes with the process, so it is enough to
/// try for a moment.
fn wait_for_lock(lock: &File, how: Use) -> anyhow::Result<Lock> {
    let patience = Instant::now() + if how == Use::Own { Duration::from_millis(500) } else { Duration::ZERO };
    loop {
        match lock.try_lock() {
            Ok(()) => return Ok(Lock::Mine),
            Err(TryLockError::WouldBlock) if Instant::now() >= patience => return Ok(Lock::Theirs),
            Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(50)),
            Err(TryLockError::Error(e)) => return Err(e).context("postgres.lock cannot be locked"),
        }
    }
}

fn find_programs(configured: &str) -> anyhow::Result<PathBuf> {
    let complete = |dir: &Path| dir.join("initdb").is_file() && dir.join("postgres").is_file();
    if !configured.is_empty() {
        let dir = PathBuf::from(configured);
        if complete(&dir) {
            return Ok(dir);
        }
        bail!("PARLOR_PG_BIN is {configured}, but there are no `initdb` and `postgres` in it");
    }
    let mut places = Vec::new();
    if let Ok(output) = Command::new("pg_config").arg("--bindir").stderr(Stdio::null()).output() {
        places.push(PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()));
    }
    if let Ok(versions) = fs::read_dir("/usr/lib/postgresql") {
        let mut found: Vec<_> = versions.flatten().map(|v| v.path()).collect();
        found.sort_by_key(|p| p.file_name().and_then(|n| n.to_str()?.parse::<u32>().ok()));
        places.extend(found.into_iter().rev().map(|v| v.join("bin")));
    }
    places.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
    places.into_iter().find(|dir| complete(dir)).context(
        "PostgreSQL's programs were not found on this machine: install them (Debian: `apt install postgresql`), \
         say where they are with PARLOR_PG_BIN, or set DATABASE_URL to a server",
    )
}

/// `initdb` and `postgres` refuse root; as root they run as the user `postgres`.
fn command(program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    if is_root() {
        command.args(["--reuid", "postgres", "--regid", "postgres", "--init-groups"]);
    }
    // the death signal is set after the change of user, which would clear it; INT is PostgreSQL's fast shutdown
    command.args(["--pdeathsig", "INT"]).arg(program);
    command.env_remove("PGDATA").env_remove("PGPORT").env("LC_ALL", "C.UTF-8");
    command
}

fn prepare_folders(data_dir: &Path, places: &Places) -> anyhow::Result<()> {
    let made = !data_dir.exists();
    fs::create_dir_all(data_dir).with_context(|| format!("the data folder {} cannot be made", data_dir.display()))?;
    if made && is_root() {
        fs::set_permissions(data_dir, fs::Permissions::from_mode(0o755))?;
    }
    for dir in [&places.cluster, &places.socket] {
        if !dir.exists() {
            make_folder(dir)?;
        }
    }
    // a socket's path is at most 107 bytes long
    if places.socket.join(".s.PGSQL.5432").as_os_str().len() > 107 {
        bail!(
            "the path of the data folder {} is too long for a Unix socket; choose a shorter PARLOR_DATA",
            data_dir.display()
        );
    }
    if is_root() {
        let entered = command(Path::new("test")).arg("-w").arg(&places.cluster).status();
        if !entered.is_ok_and(|s| s.success()) {
            bail!(
                "the user `postgres` cannot enter {}: choose a PARLOR_DATA whose parent folders others may enter \
                 (for example /var/lib/parlor)",
                places.cluster.display()
            );
        }
    }
    Ok(())
}

/// A folder that PostgreSQL's user owns.
fn make_folder(dir: &Path) -> anyhow::Result<()> {
    fs::create_dir(dir).with_context(|| format!("{} cannot be made", dir.display()))?;
    fs::set_permissions(dir, fs::Permissions::from_mode(0o700))?;
    if is_root() {
        let status = Command::new("chown").arg("postgres:postgres").arg(dir).status()?;
        if !status.success() {
            bail!("{} cannot be given to the user `postgres`: is PostgreSQL installed?", dir.display());
        }
    }
    Ok(())
}

fn init(places: &Places) -> anyhow::Result<()> {
    tracing::info!(folder = %places.cluster.display(), "making a private PostgreSQL");
    // Complete, or not at all: one that was killed half-way would never start. A name of its own, because the initdb of
    // a process that was killed may still be tidying up behind itself.
    let fresh = places.cluster.with_extension(format!("new-{}", std::process::id()));
    for left in fs::read_dir(places.cluster.with_file_name("")).into_iter().flatten().flatten() {
        if left.file_name().to_string_lossy().starts_with("postgres.new-") {
            let _ = fs::remove_dir_all(left.path());
        }
    }
    make_folder(&fresh)?;
    let output = command(&places.bin.join("initdb"))
        .arg("-D")
        .arg(&fresh)
        .args(["-U", "parlor", "-A", "peer", "-E", "UTF8", "--locale=C.UTF-8", "--no-instructions"])
        .current_dir("/")
        .output()
        .context("initdb cannot be started (it runs through `setpriv` of util-linux)")?;
    if !output.status.success() {
        bail!("initdb failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    // anybody who can enter the 0700 socket folder may connect: this program's user and the cluster's
    let map = "local all parlor peer map=parlor\n";
    fs::write(fresh.join("pg_hba.conf"), map)?;
    fs::write(
        fresh.join("pg_ident.conf"),
        format!("parlor {} parlor\nparlor postgres parlor\nparlor root parlor\n", me()),
    )?;
    fs::rename(&fresh, &places.cluster).with_context(|| format!("{} is not empty", places.cluster.display()))?;
    Ok(())
}

fn me() -> String {
    let output = Command::new("id").arg("-un").output();
    output.ok().map_or_else(|| "postgres".into(), |o| String::from_utf8_lossy(&o.stdout).trim().to_owned())
}

fn check_version(places: &Places) -> anyhow::Result<()> {
    let cluster =
        fs::read_to_string(places.cluster.join("PG_VERSION")).context("the cluster's PG_VERSION cannot be read")?;
    let output = Command::new(places.bin.join("postgres")).arg("--version").output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let program = text.split_whitespace().find_map(|w| w.split('.').next()?.parse::<u32>().ok());
    if program.map(|v| v.to_string()).as_deref() != Some(cluster.trim()) {
        bail!(
            "{} was made by PostgreSQL {}, but {} is {}: install that version beside it (PARLOR_PG_BIN says where), or \
             upgrade the cluster with pg_upgrade",
            places.cluster.display(),
            cluster.trim(),
            places.bin.display(),
            text.trim()
        );
    }
    Ok(())
}

fn start(places: &Places) -> anyhow::Result<Child> {
    let log = File::create(&places.log).with_context(|| format!("{} cannot be written", places.log.display()))?;
    command(&places.bin.join("postgres"))
        .arg("-D")
        .arg(&places.cluster)
        .arg("-k")
        .arg(&places.socket)
        .args(["-c", "listen_addresses=", "-c", "unix_socket_permissions=0777", "-c", "max_connections=200"])
        .args(["-c", "shared_buffers=64MB", "-c", "log_timezone=UTC", "-c", "timezone=UTC", "-c", "jit=off"])
        .current_dir("/")
        .process_group(0) // Ctrl-C is for Parlor, which then stops PostgreSQL in order
        .stdin(Stdio::null())
        .stdout(Stdio::from(log.try_clone()?))
        .stderr(Stdio::from(log))
        .spawn()
        .context("postgres cannot be started (it runs through `setpriv` of util-linux)")
}

/// Waits until connections are taken, at most a minute (recovery after a crash may need it).
fn wait_ready(options: &PgConnectOptions, places: &Places, mut child: Option<&mut Child>) -> anyhow::Result<()> {
    let deadline = Instant::now() + Duration::from_mins(1);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    loop {
        if let Some(child) = child.as_mut()
            && let Some(status) = child.try_wait()?
        {
            let mut log = String::new();
            File::open(&places.log)?.read_to_string(&mut log)?;
            let tail: Vec<_> = log.lines().rev().take(5).collect();
            bail!("PostgreSQL ended at once ({status}): {}", tail.into_iter().rev().collect::<Vec<_>>().join(" / "));
        }
        match runtime.block_on(options.connect()) {
            Ok(_) => return Ok(()),
            Err(error) if Instant::now() > deadline => bail!("{}", explain(&error, options)),
            Err(sqlx::Error::Database(e)) if e.code().as_deref() == Some("28000") => bail!(
                "PostgreSQL in {} does not know this user: run Parlor as the user who made it",
                places.cluster.display()
            ),
            Err(_) => std::thread::sleep(Duration::from_millis(20)),
        }
    }
}

impl Server {
    /// Stops PostgreSQL by fast shutdown and waits for it, at most 5 s.
    pub fn stop(mut self) {
        self.stop_now();
    }

    fn stop_now(&mut self) {
        if matches!(self.child.try_wait(), Ok(Some(_))) {
            return;
        }
        let _ = Command::new("kill").arg("-INT").arg(self.child.id().to_string()).status();
        let deadline = Instant::now() + Duration::from_secs(5);
        while Instant::now() < deadline {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        tracing::warn!("PostgreSQL took too long to stop; it recovers at the next start");
        let _ = Command::new("kill").arg("-QUIT").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop_now();
    }
}
