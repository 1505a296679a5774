//! The SQL of the audit log.

use super::{Actor, Subject};
use crate::base::ids::UserId;
use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

/// One thing that was done.
#[derive(Debug, Clone)]
pub struct Entry {
    pub id: Uuid,
    pub at: OffsetDateTime,
    pub actor: String,
    pub action: String,
    pub subject: String,
    /// Where the request came from.
    pub address: Option<String>,
    pub details: String,
}

pub async fn insert(
    conn: &mut PgConnection,
    actor: &Actor,
    action: &str,
    subject: Option<Subject<'_>>,
    details: &str,
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into audit (actor_id, actor, action, subject_id, subject, address, details)
         values ($1, $2, $3, $4, $5, $6::text::inet, $7)",
        actor.id.map(|id| id.0),
        actor.email,
        action,
        subject.as_ref().map(|s| s.id.0),
        subject.as_ref().map_or("", |s| s.email),
        actor.address.map(|address| address.to_string()),
        details
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The newest entries before one; `about`: only what was done by or to this account.
///
/// # Errors
/// The database's.
pub async fn entries(db: &PgPool, about: Option<UserId>, before: Option<Uuid>, most: i64) -> sqlx::Result<Vec<Entry>> {
    sqlx::query_as!(
        Entry,
        "select id, at, actor, action, subject, host(address) as address, details from audit
         where ($1::uuid is null or actor_id = $1 or subject_id = $1) and ($2::uuid is null or id < $2)
         order by id desc limit $3",
        about.map(|id| id.0),
        before,
        most
    )
    .fetch_all(db)
    .await
}

pub async fn forget(conn: &mut PgConnection, user: UserId, pseudonym: &str) -> sqlx::Result<()> {
    // an address also stands in the details of what was done with it
    sqlx::query!(
        "update audit set actor = case when actor_id = $1 then $2 else actor end,
             address = case when actor_id = $1 then null else address end,
             subject = case when subject_id = $1 then $2 else subject end,
             details = case when position('@' in details) > 0 then '' else details end
         where actor_id = $1 or subject_id = $1",
        user.0,
        pseudonym
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub async fn forget_addresses(conn: &mut PgConnection, addresses: &[String], pseudonym: &str) -> sqlx::Result<()> {
    sqlx::query!(
        r"update audit set details = (
              select string_agg(case when trim(both ', ' from part[1]) = any($1) then $2 else part[1] end, '' order by n)
              from regexp_matches(details, '[^, ]+|[, ]+', 'g') with ordinality as parts (part, n))
          where subject_id is null and regexp_split_to_array(details, '[, ]+') && $1",
        addresses,
        pseudonym
    )
    .execute(conn)
    .await?;
    Ok(())
}
