//! The state of the installation, for administrators: versions, migrations, processes, extensions, room on the disks.

mod ready;
mod store;

pub use ready::ready;
pub use store::Relation;

use crate::{
    MIGRATOR,
    app::App,
    base::{
        Error, Result,
        db::migrate::{Standing, standing},
        presence::{self, Process},
    },
    domain::accounts::Viewer,
};

/// How things stand.
#[derive(Debug)]
pub struct System {
    /// Of this program.
    pub version: &'static str,
    /// Of PostgreSQL, in its own words.
    pub postgres: String,
    pub migrations: Migrations,
    pub processes: Vec<Process>,
    /// What Parlor can use, and whether it is there.
    pub extensions: Vec<(&'static str, bool)>,
    /// Bytes.
    pub database: i64,
    /// The biggest tables with their indexes; partitions count for their table.
    pub tables: Vec<Relation>,
    pub data: Option<Room>,
    pub accounts: i64,
    pub chats: i64,
}

/// The migrations that this database has had.
#[derive(Debug)]
pub struct Migrations {
    pub applied: i64,
    /// The number of the newest.
    pub newest: i64,
    pub standing: Standing,
}

/// Room where the data folder is, in bytes.
#[derive(Debug, Clone)]
pub struct Room {
    pub path: String,
    pub free: u64,
    pub total: u64,
}

/// Looks at everything.
///
/// # Errors
/// [`Error::NotFound`] for whoever is no administrator; the database's.
pub async fn look(app: &App, viewer: &Viewer) -> Result<System> {
    if !viewer.administrator {
        return Err(Error::NotFound);
    }
    let db = &app.pools.http;
    let (applied, newest) = store::migrations(db).await?;
    let (accounts, chats) = store::counts(db).await?;
    Ok(System {
        version: env!("CARGO_PKG_VERSION"),
        postgres: app.pools.version().await?,
        migrations: Migrations { applied, newest, standing: standing(&MIGRATOR, db).await.map_err(Error::internal)? },
        processes: presence::processes(db).await?,
        extensions: vec![("pgvector", app.pools.has_extension("vector").await?)],
        database: store::size(db).await?,
        tables: store::biggest(db).await?,
        data: app.config.data_dir().ok().and_then(|dir| room(&dir)),
        accounts,
        chats,
    })
}

/// Of the nearest folder that is there: the data folder is only made when something is put into it.
fn room(dir: &std::path::Path) -> Option<Room> {
    let there = dir.ancestors().find(|dir| dir.exists())?;
    let disk = rustix::fs::statvfs(there).ok()?;
    let path = dir.display().to_string();
    Some(Room { path, free: disk.f_bavail * disk.f_frsize, total: disk.f_blocks * disk.f_frsize })
}
