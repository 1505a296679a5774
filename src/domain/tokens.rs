//! Single-use secrets: 256 random bits, of which only the SHA-256 is stored, bound to a purpose and a time.

use crate::base::{
    Result,
    crypto::{random_hex, sha256},
};
use sqlx::PgConnection;
use time::Duration;

/// What a token is good for.
#[derive(Debug, Clone, Copy)]
pub enum Purpose {
    /// Making the first administrator.
    Setup,
}

impl Purpose {
    fn name(self) -> &'static str {
        match self {
            Self::Setup => "setup",
        }
    }
}

/// Makes a token that is good for `lifetime` by the database's clock.
///
/// # Errors
/// The database's.
pub async fn issue(conn: &mut PgConnection, purpose: Purpose, lifetime: Duration) -> Result<String> {
    let token = random_hex();
    sqlx::query!(
        "insert into tokens (hash, purpose, expires_at) values ($1, $2, now() + make_interval(secs => $3))",
        &sha256(token.as_bytes()),
        purpose.name(),
        lifetime.as_seconds_f64()
    )
    .execute(conn)
    .await?;
    Ok(token)
}

/// Uses a token up, if it is good.
///
/// # Errors
/// The database's.
pub async fn redeem(conn: &mut PgConnection, purpose: Purpose, token: &str) -> Result<bool> {
    let gone = sqlx::query!(
        "delete from tokens where hash = $1 and purpose = $2 and expires_at > now()",
        &sha256(token.as_bytes()),
        purpose.name()
    );
    Ok(gone.execute(conn).await?.rows_affected() == 1)
}

/// Whether a token is good, without using it up.
///
/// # Errors
/// The database's.
pub async fn is_valid(conn: &mut PgConnection, purpose: Purpose, token: &str) -> Result<bool> {
    Ok(sqlx::query_scalar!(
        r#"select exists (select 1 from tokens where hash = $1 and purpose = $2 and expires_at > now()) as "exists!""#,
        &sha256(token.as_bytes()),
        purpose.name()
    )
    .fetch_one(conn)
    .await?)
}

/// Makes all tokens of a purpose worthless.
///
/// # Errors
/// The database's.
pub async fn forget(conn: &mut PgConnection, purpose: Purpose) -> Result<()> {
    sqlx::query!("delete from tokens where purpose = $1 or expires_at < now()", purpose.name()).execute(conn).await?;
    Ok(())
}
