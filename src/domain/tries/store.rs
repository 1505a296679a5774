//! The SQL of tries. Its rules are functions of the database (migrations/0018_limits.sql): one round trip each.

use sqlx::{PgConnection, PgPool};
use std::net::IpAddr;

/// How many seconds it is too early; nothing: the try is written down.
pub async fn begin(db: &PgPool, account: &[u8], place: IpAddr) -> sqlx::Result<f64> {
    sqlx::query_scalar!(r#"select password_try($1, $2::text::inet) as "early!""#, account, place.to_string())
        .fetch_one(db)
        .await
}

pub async fn right(db: &PgPool, account: &[u8], place: IpAddr) -> sqlx::Result<()> {
    sqlx::query!("select from password_right($1, $2::text::inet)", account, place.to_string()).execute(db).await?;
    Ok(())
}

pub async fn remember(db: &PgPool, account: &[u8], place: IpAddr) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into password_places (account, address, at) values ($1, $2::text::inet, now())
         on conflict (account, address) do update set at = now()",
        account,
        place.to_string()
    )
    .execute(db)
    .await?;
    Ok(())
}

pub async fn forget(conn: &mut PgConnection, account: &[u8]) -> sqlx::Result<()> {
    sqlx::query!("delete from password_places where account = $1", account).execute(&mut *conn).await?;
    sqlx::query!("delete from password_tries where account = $1", account).execute(conn).await?;
    Ok(())
}

pub async fn care(db: &PgPool) -> sqlx::Result<()> {
    sqlx::query!("delete from password_tries where at < now() - interval '1 hour'").execute(db).await?;
    sqlx::query!("delete from password_places where at < now() - interval '180 days'").execute(db).await?;
    Ok(())
}
