//! The SQL of groups.

use super::Said;
use crate::base::ids::{GroupId, UserId};
use sqlx::{PgConnection, PgPool};

/// A group as it stands.
#[derive(Debug, Clone)]
pub struct Group {
    pub id: GroupId,
    pub name: String,
    pub members: i64,
    /// Of a month, in micro-units; nothing: no limit.
    pub budget: Option<i64>,
    /// In this month, by all of them while they were in it.
    pub spent: i64,
}

/// Somebody in a group.
#[derive(Debug, Clone)]
pub struct Member {
    pub id: UserId,
    pub name: String,
    pub email: String,
}

pub async fn all(db: &PgPool) -> sqlx::Result<Vec<Group>> {
    sqlx::query_as!(
        Group,
        r#"select g.id as "id: GroupId", g.name, g.budget, coalesce(s.spent, 0) as "spent!",
                  (select count(*) from group_members m where m.group_id = g.id) as "members!"
           from groups g left join group_spending s
             on s.group_id = g.id and s.month = date_trunc('month', now() at time zone 'UTC')::date
           order by lower(g.name)"#
    )
    .fetch_all(db)
    .await
}

pub async fn members(db: &PgPool, group: GroupId) -> sqlx::Result<Vec<Member>> {
    sqlx::query_as!(
        Member,
        r#"select u.id as "id: UserId", u.name, u.email from group_members m join users u on u.id = m.user_id
           where m.group_id = $1 order by u.email_key"#,
        group.0
    )
    .fetch_all(db)
    .await
}

pub async fn insert(conn: &mut PgConnection, said: &Said) -> sqlx::Result<GroupId> {
    sqlx::query_scalar!(
        r#"insert into groups (name, budget) values ($1, $2::integer::bigint * 1000000) returning id as "id: GroupId""#,
        said.name,
        said.budget
    )
    .fetch_one(conn)
    .await
}

/// Whether it is there.
pub async fn update(conn: &mut PgConnection, group: GroupId, said: &Said) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "update groups set name = $2, budget = $3::integer::bigint * 1000000 where id = $1",
        group.0,
        said.name,
        said.budget
    );
    Ok(done.execute(conn).await?.rows_affected() == 1)
}

pub async fn name(conn: &mut PgConnection, group: GroupId) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar!("select name from groups where id = $1 for key share", group.0).fetch_optional(conn).await
}

pub async fn by_address(conn: &mut PgConnection, email_key: &str) -> sqlx::Result<Option<(UserId, String)>> {
    let row = sqlx::query!(r#"select id as "id: UserId", email from users where email_key = $1"#, email_key);
    Ok(row.fetch_optional(conn).await?.map(|row| (row.id, row.email)))
}

/// Whether they were not in it before.
pub async fn add(conn: &mut PgConnection, group: GroupId, user: UserId) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "insert into group_members (group_id, user_id) values ($1, $2) on conflict do nothing",
        group.0,
        user.0
    );
    Ok(done.execute(conn).await?.rows_affected() == 1)
}

/// Whether they were in it.
pub async fn remove(conn: &mut PgConnection, group: GroupId, user: UserId) -> sqlx::Result<bool> {
    let done = sqlx::query!("delete from group_members where group_id = $1 and user_id = $2", group.0, user.0);
    Ok(done.execute(conn).await?.rows_affected() == 1)
}

pub async fn delete(conn: &mut PgConnection, group: GroupId) -> sqlx::Result<()> {
    sqlx::query!("delete from groups where id = $1", group.0).execute(conn).await?;
    Ok(())
}
