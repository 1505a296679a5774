//! The SQL of calls under way. Counting and the ledger are in functions of the database (migrations/0036_calls.sql).

use crate::base::ids::CallId;
use sqlx::PgPool;

pub async fn still_under_way(db: &PgPool, calls: &[CallId]) -> sqlx::Result<()> {
    if !calls.is_empty() {
        let ids: Vec<_> = calls.iter().map(|call| call.0).collect();
        sqlx::query!("update calls set seen = now() where id = any($1)", &ids).execute(db).await?;
    }
    Ok(())
}

/// Those of which nothing was heard for so many seconds.
pub async fn lost(db: &PgPool, seconds: f64) -> sqlx::Result<Vec<CallId>> {
    sqlx::query_scalar!(
        r#"select id as "id: CallId" from calls where seen < now() - make_interval(secs => $1) limit 1000"#,
        seconds
    )
    .fetch_all(db)
    .await
}
