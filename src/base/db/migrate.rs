//! Migrations, one process at a time. They only expand (what the version before needs stays), so old and new processes
//! may run side by side during an upgrade.

use anyhow::Context;
use sqlx::{Connection, PgConnection, PgPool, migrate::Migrate, migrate::Migrator, postgres::PgConnectOptions};
use std::cmp::Ordering;

/// Where the database stands against the migrations of this program.
#[derive(Debug, PartialEq, Eq)]
pub enum Standing {
    Current,
    /// So many are still to be applied.
    Behind(usize),
    /// A newer program has migrated it. This one may go on (migrations only expand), but not be started.
    Ahead,
}

/// Applies what is missing, under an advisory lock: processes that start together wait for one another.
///
/// # Errors
/// A migration that fails, a database made by a newer program, or one whose history was changed.
pub async fn run(migrator: &Migrator, options: &PgConnectOptions) -> anyhow::Result<()> {
    // a connection of its own, without the pools' statement timeout
    let mut conn = PgConnection::connect_with(options).await?;
    migrator.run(&mut conn).await.map_err(|e| match e {
        sqlx::migrate::MigrateError::VersionMissing(version) => anyhow::anyhow!(
            "the database has migration {version}, which this version of Parlor does not know: it was made by a newer one"
        ),
        other => anyhow::Error::from(other).context("a migration failed; nothing of it was kept"),
    })?;
    conn.close().await?;
    Ok(())
}

/// Compares the database with the migrations of this program, changing nothing.
///
/// # Errors
/// The database cannot be asked.
pub async fn standing(migrator: &Migrator, db: &PgPool) -> anyhow::Result<Standing> {
    let mut conn = db.acquire().await.context("no connection")?;
    let exists: bool =
        sqlx::query_scalar("select to_regclass('_sqlx_migrations') is not null").fetch_one(&mut *conn).await?;
    let applied = if exists { conn.list_applied_migrations().await?.len() } else { 0 };
    let known = migrator.iter().filter(|m| !m.migration_type.is_down_migration()).count();
    Ok(match applied.cmp(&known) {
        Ordering::Less => Standing::Behind(known - applied),
        Ordering::Equal => Standing::Current,
        Ordering::Greater => Standing::Ahead,
    })
}
