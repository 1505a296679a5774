//! The SQL of the installation's state.

use sqlx::PgPool;

/// A table and its size with indexes, in bytes.
#[derive(Debug, Clone)]
pub struct Relation {
    pub name: String,
    pub bytes: i64,
}

/// How many migrations were applied, and the newest one's number.
pub async fn migrations(db: &PgPool) -> sqlx::Result<(i64, i64)> {
    // unchecked: the table is not ours, and not there when the queries are checked
    sqlx::query_as("select count(*), coalesce(max(version), 0) from _sqlx_migrations where success").fetch_one(db).await
}

/// Accounts, and chats that are not deleted.
pub async fn counts(db: &PgPool) -> sqlx::Result<(i64, i64)> {
    let row = sqlx::query!(
        r#"select (select count(*) from users) as "users!",
               (select count(*) from chats where deleted_at is null) as "chats!""#
    );
    row.fetch_one(db).await.map(|row| (row.users, row.chats))
}

/// The whole database, in bytes.
pub async fn size(db: &PgPool) -> sqlx::Result<i64> {
    sqlx::query_scalar!(r#"select pg_database_size(current_database()) as "bytes!""#).fetch_one(db).await
}

/// The ten biggest tables.
pub async fn biggest(db: &PgPool) -> sqlx::Result<Vec<Relation>> {
    sqlx::query_as!(
        Relation,
        r#"select coalesce(p.relname, c.relname)::text as "name!",
               sum(pg_total_relation_size(c.oid))::bigint as "bytes!"
           from pg_class c join pg_namespace n on n.oid = c.relnamespace
           left join pg_inherits i on i.inhrelid = c.oid left join pg_class p on p.oid = i.inhparent
           where c.relkind = 'r' and n.nspname in ('public', 'apalis', 'tower_sessions')
           group by 1 order by 2 desc limit 10"#
    )
    .fetch_all(db)
    .await
}
