//! What is computed once for all processes: values under a key that may be a while old, in a table of the database. Of those
//! who want a value that is not there, in whatever process, one makes it and the others wait. What must not live here: truth;
//! the table is empty after a crash of PostgreSQL. What one process alone wants every second is in memo.rs.

use super::{Result, metrics};
use serde::{Serialize, de::DeserializeOwned};
use sqlx::{PgPool, types::Json};
use std::time::Duration;

/// Whoever makes a value has so long; then somebody else does.
const CLAIM: Duration = Duration::from_secs(15);
/// So often the others look.
const LOOK: Duration = Duration::from_millis(50);

/// See the head of this file.
#[derive(Clone)]
pub struct Cache(PgPool);

impl Cache {
    #[must_use]
    pub fn new(db: PgPool) -> Self {
        Self(db)
    }

    /// The value of that key; made if there is none, and kept so long. What stands in a key before `:` names it in the numbers.
    ///
    /// # Errors
    /// The database's, and those of `make`, which are not kept.
    pub async fn get<T: Serialize + DeserializeOwned, E: From<super::Error>>(
        &self,
        key: &str,
        keep: Duration,
        make: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let name = key.split(':').next().unwrap_or_default();
        loop {
            if let Some(value) = self.read(key).await? {
                metrics::cached(name, true);
                return Ok(value);
            }
            if self.claim(key).await? {
                break;
            }
            tokio::time::sleep(LOOK).await;
        }
        metrics::cached(name, false);
        match make.await {
            Ok(value) => {
                self.put(key, keep, &value).await?;
                Ok(value)
            }
            Err(error) => {
                self.give_up(key).await?;
                Err(error)
            }
        }
    }

    /// The next one who wants it makes it anew.
    ///
    /// # Errors
    /// The database's.
    pub async fn forget(&self, key: &str) -> Result<()> {
        sqlx::query!("delete from cache where key = $1", key).execute(&self.0).await?;
        Ok(())
    }

    async fn put<T: Serialize>(&self, key: &str, keep: Duration, value: &T) -> Result<()> {
        sqlx::query!(
            "insert into cache (key, value, expires_at) values ($1, $2, now() + make_interval(secs => $3))
             on conflict (key) do update set value = excluded.value, expires_at = excluded.expires_at,
                 claimed_until = excluded.claimed_until",
            key,
            Json(value) as _,
            keep.as_secs_f64()
        )
        .execute(&self.0)
        .await?;
        Ok(())
    }

    /// Forgets what is no longer good.
    ///
    /// # Errors
    /// The database's.
    pub async fn tidy(&self) -> Result<()> {
        let old = "delete from cache where coalesce(expires_at, now()) <= now() and claimed_until <= now()";
        sqlx::raw_sql(old).execute(&self.0).await?;
        Ok(())
    }

    /// One that cannot be read was made by another version, and is none.
    async fn read<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>> {
        let value =
            sqlx::query_scalar!(r#"select value as "value!" from cache where key = $1 and expires_at > now()"#, key)
                .fetch_optional(&self.0)
                .await?;
        Ok(value.and_then(|value| serde_json::from_value(value).ok()))
    }

    /// It was not made: the next one may try.
    async fn give_up(&self, key: &str) -> Result<()> {
        sqlx::query!("update cache set claimed_until = '-infinity' where key = $1", key).execute(&self.0).await?;
        Ok(())
    }

    /// Whether this one is to make it.
    async fn claim(&self, key: &str) -> Result<bool> {
        let claimed = sqlx::query!(
            "insert into cache as c (key, claimed_until) values ($1, now() + make_interval(secs => $2))
             on conflict (key) do update set claimed_until = excluded.claimed_until
                 where c.claimed_until <= now() and coalesce(c.expires_at <= now(), true)",
            key,
            CLAIM.as_secs_f64()
        )
        .execute(&self.0)
        .await?;
        Ok(claimed.rows_affected() == 1)
    }
}
