//! The SQL of invitations. One is open while it is neither used, nor revoked, nor too old.

use crate::base::ids::{InvitationId, UserId};
use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;

/// An invitation as administrators see it.
#[derive(Debug, Clone)]
pub struct Invitation {
    pub id: InvitationId,
    pub email: String,
    pub role: String,
    /// Who made it, if that account is still there.
    pub by: Option<String>,
    pub created_at: OffsetDateTime,
    pub expires_at: OffsetDateTime,
    pub used: bool,
    pub revoked: bool,
    pub open: bool,
}

/// An invitation that is being used.
pub struct Used {
    pub id: InvitationId,
    pub email: String,
    pub role: String,
}

pub async fn insert(
    conn: &mut PgConnection,
    email: &str,
    email_key: &str,
    role: &str,
    hash: &[u8],
    by: UserId,
    days: u32,
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into invitations (email, email_key, role, token_hash, invited_by, expires_at)
         values ($1, $2, $3, $4, $5, now() + make_interval(days => $6))",
        email,
        email_key,
        role,
        hash,
        by.0,
        i32::try_from(days).unwrap_or(i32::MAX)
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub async fn revoke_open(conn: &mut PgConnection, email_key: &str) -> sqlx::Result<()> {
    sqlx::query!(
        "update invitations set revoked_at = now() where email_key = $1 and used_at is null and revoked_at is null",
        email_key
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub async fn withdraw(conn: &mut PgConnection, by: UserId) -> sqlx::Result<()> {
    sqlx::query!(
        "update invitations set revoked_at = now() where invited_by = $1 and used_at is null and revoked_at is null",
        by.0
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub async fn forget(conn: &mut PgConnection, email_key: &str) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar!("delete from invitations where email_key = $1 returning email", email_key).fetch_all(conn).await
}

pub async fn list(db: &PgPool, most: i64) -> sqlx::Result<Vec<Invitation>> {
    sqlx::query_as!(
        Invitation,
        r#"select i.id as "id: InvitationId", i.email, i.role, u.email as "by?", i.created_at, i.expires_at,
                  i.used_at is not null as "used!", i.revoked_at is not null as "revoked!",
                  (i.used_at is null and i.revoked_at is null and i.expires_at > now()) as "open!"
           from invitations i left join users u on u.id = i.invited_by order by i.id desc limit $1"#,
        most
    )
    .fetch_all(db)
    .await
}

/// The address of the one that was revoked.
pub async fn revoke(conn: &mut PgConnection, id: InvitationId) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar!(
        "update invitations set revoked_at = now()
         where id = $1 and used_at is null and revoked_at is null and expires_at > now() returning email",
        id.0
    )
    .fetch_optional(conn)
    .await
}

pub async fn address_of(db: &PgPool, hash: &[u8]) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar!(
        "select email from invitations
         where token_hash = $1 and used_at is null and revoked_at is null and expires_at > now()",
        hash
    )
    .fetch_optional(db)
    .await
}

pub async fn redeem(conn: &mut PgConnection, hash: &[u8]) -> sqlx::Result<Option<Used>> {
    sqlx::query_as!(
        Used,
        r#"update invitations set used_at = now()
           where token_hash = $1 and used_at is null and revoked_at is null and expires_at > now()
           returning id as "id: InvitationId", email, role"#,
        hash
    )
    .fetch_optional(conn)
    .await
}

pub async fn note_account(conn: &mut PgConnection, id: InvitationId, user: UserId) -> sqlx::Result<()> {
    sqlx::query!("update invitations set user_id = $2 where id = $1", id.0, user.0).execute(conn).await?;
    Ok(())
}
