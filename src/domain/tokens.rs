//! Single-use secrets: 256 random bits, of which only the SHA-256 is stored, bound to a purpose and a time, and, when they
//! are somebody's, to an account and an address. What must not live here: what follows from a good one.

use crate::base::{
    Result,
    crypto::{random_hex, sha256},
    ids::UserId,
};
use sqlx::{PgConnection, PgPool};
use time::Duration;

/// What a token is good for.
#[derive(Debug, Clone, Copy)]
pub enum Purpose {
    /// Making the first administrator.
    Setup,
    /// Choosing another password. The address is the one it was sent to.
    Reset,
    /// Showing that an address is one's own. It is the new one.
    NewAddress,
}

impl Purpose {
    fn name(self) -> &'static str {
        match self {
            Self::Setup => "setup",
            Self::Reset => "reset",
            Self::NewAddress => "new_address",
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

/// Whose a token is, and the address it is bound to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owned {
    pub user: UserId,
    pub address: String,
}

/// Makes a token of an account and an address, good for `lifetime` by the database's clock.
///
/// # Errors
/// The database's.
pub async fn issue_to(conn: &mut PgConnection, purpose: Purpose, owned: &Owned, lifetime: Duration) -> Result<String> {
    let token = random_hex();
    sqlx::query!(
        "insert into tokens (hash, purpose, user_id, address, expires_at)
         values ($1, $2, $3, $4, now() + make_interval(secs => $5))",
        &sha256(token.as_bytes()),
        purpose.name(),
        owned.user.0,
        owned.address,
        lifetime.as_seconds_f64()
    )
    .execute(conn)
    .await?;
    Ok(token)
}

/// Uses somebody's token up, if it is good: of two who come with it, one gets it.
///
/// # Errors
/// The database's.
pub async fn redeem_owned(conn: &mut PgConnection, purpose: Purpose, token: &str) -> Result<Option<Owned>> {
    let row = sqlx::query!(
        r#"delete from tokens where hash = $1 and purpose = $2 and expires_at > now()
           and user_id is not null and address is not null
           returning user_id as "user!: UserId", address as "address!""#,
        &sha256(token.as_bytes()),
        purpose.name()
    );
    Ok(row.fetch_optional(conn).await?.map(|row| Owned { user: row.user, address: row.address }))
}

/// Makes all of an account's tokens of a purpose worthless.
///
/// # Errors
/// The database's.
pub async fn forget_of(conn: &mut PgConnection, purpose: Purpose, user: UserId) -> Result<()> {
    sqlx::query!("delete from tokens where purpose = $1 and user_id = $2", purpose.name(), user.0)
        .execute(conn)
        .await?;
    Ok(())
}

/// Makes all of an account's tokens worthless.
///
/// # Errors
/// The database's.
pub async fn forget_all_of(conn: &mut PgConnection, user: UserId) -> Result<()> {
    sqlx::query!("delete from tokens where user_id = $1", user.0).execute(conn).await?;
    Ok(())
}

/// Removes tokens that are too old.
///
/// # Errors
/// The database's.
pub async fn tidy(db: &PgPool) -> Result<()> {
    sqlx::query!("delete from tokens where expires_at < now()").execute(db).await?;
    Ok(())
}
