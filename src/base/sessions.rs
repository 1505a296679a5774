//! Where browser sessions are kept: the published store, with its one correction.

use super::Result;
use async_trait::async_trait;
use sqlx::PgPool;
use tower_sessions::{
    SessionStore,
    session::{Id, Record},
    session_store,
};
use tower_sessions_sqlx_store::PostgresStore;

/// The published store saves by upsert, so a slow request that saves after a sign-out would bring the session back.
/// Here saving only ever changes a session that still exists.
#[derive(Clone, Debug)]
pub struct Store(PostgresStore, PgPool);

impl Store {
    /// Over the table that the migrations make.
    #[must_use]
    pub fn new(db: PgPool) -> Self {
        Self(PostgresStore::new(db.clone()), db)
    }
}

#[async_trait]
impl SessionStore for Store {
    async fn create(&self, record: &mut Record) -> session_store::Result<()> {
        self.0.create(record).await
    }

    async fn save(&self, record: &Record) -> session_store::Result<()> {
        let data = rmp_serde::to_vec(record).map_err(|e| session_store::Error::Encode(e.to_string()))?;
        sqlx::query("update tower_sessions.session set data = $2, expiry_date = $3 where id = $1")
            .bind(record.id.to_string())
            .bind(data)
            .bind(record.expiry_date)
            .execute(&self.1)
            .await
            .map_err(|e| session_store::Error::Backend(e.to_string()))?;
        Ok(())
    }

    async fn load(&self, id: &Id) -> session_store::Result<Option<Record>> {
        self.0.load(id).await
    }

    async fn delete(&self, id: &Id) -> session_store::Result<()> {
        self.0.delete(id).await
    }
}

/// Removes sessions that are over.
///
/// # Errors
/// The database's.
pub async fn tidy(db: &PgPool) -> Result<()> {
    sqlx::query!("delete from tower_sessions.session where expiry_date < now()").execute(db).await?;
    Ok(())
}
