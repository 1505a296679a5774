//! Whether something between us and PostgreSQL hands out its connections anew for each transaction. Parlor cannot work
//! so: LISTEN, advisory locks and settings belong to a connection. A pooler in session mode is fine.

use sqlx::{Connection, PgConnection};

const SENTENCE: &str = "DATABASE_URL leads through a pooler in transaction mode; Parlor needs session mode (LISTEN, \
    advisory locks): set pool_mode = session for this database, or connect to PostgreSQL itself";

/// How often it is tried: a busy pooler may give one connection the same backend twice by chance, hardly this often.
const ROUNDS: usize = 3;

/// Fails, in a sentence, if a pooler in transaction (or statement) mode stands between. Two connections that are both
/// open have two backends, always the same ones, unless somebody hands them round. A few milliseconds.
///
/// # Errors
/// There is one; or the database's.
pub async fn refuse_transaction_mode(one: &mut PgConnection, other: &mut PgConnection) -> anyhow::Result<()> {
    let first = backend(one).await?;
    for _ in 0..ROUNDS {
        // whoever hands connections round gives the one just used to the next that asks
        let mut busy = match other.begin().await {
            Ok(transaction) => transaction,
            // in statement mode there are no transactions at all
            Err(sqlx::Error::Database(e)) if e.code().as_deref() == Some("08P01") => anyhow::bail!(SENTENCE),
            Err(error) => return Err(error.into()),
        };
        let elsewhere = backend(&mut busy).await?;
        let again = backend(one).await?;
        busy.rollback().await?;
        if elsewhere == first || again != first {
            anyhow::bail!(SENTENCE);
        }
    }
    Ok(())
}

/// By the simple protocol: prepared statements are what such a pooler confuses first.
async fn backend(conn: &mut PgConnection) -> sqlx::Result<i32> {
    use sqlx::{Executor, Row};
    conn.fetch_one(sqlx::raw_sql("select pg_backend_pid()")).await?.try_get(0)
}
