//! A database per test, dropped with it.

use super::proxy::Upstream;
use sqlx::{Connection, PgConnection, postgres::PgConnectOptions};
use std::process::Command;

pub struct Database {
    pub url: String,
    admin: String,
    pub name: String,
}

impl Database {
    pub async fn make() -> Self {
        let admin = std::env::var("DATABASE_URL")
            .expect("the stories need a PostgreSQL: export DATABASE_URL=$(bin/postgres start)");
        let name = format!("test_{}", uuid::Uuid::now_v7().simple());
        let mut conn = PgConnection::connect(&admin).await.unwrap();
        sqlx::query(&format!("create database {name}")).execute(&mut conn).await.unwrap();
        conn.close().await.unwrap();
        let (head, query) =
            admin.split_once('?').map_or((admin.as_str(), String::new()), |(h, q)| (h, format!("?{q}")));
        let base = head.rsplit_once('/').unwrap().0;
        Self { url: format!("{base}/{name}{query}"), admin: admin.clone(), name }
    }

    /// The one database of a server that goes with the test.
    pub fn whole(server: &str) -> Self {
        Self { url: server.to_owned(), admin: String::new(), name: "postgres".to_owned() }
    }

    /// A connection of the test's own.
    pub async fn connect(&self) -> PgConnection {
        PgConnection::connect(&self.url).await.unwrap()
    }

    /// The first column of what a query finds.
    pub async fn column<T>(&self, sql: &str) -> Vec<T>
    where
        T: for<'r> sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres> + Send + Unpin,
    {
        let mut conn = self.connect().await;
        let values = sqlx::query_scalar(sql).fetch_all(&mut conn).await.unwrap();
        conn.close().await.unwrap();
        values
    }

    /// One value from the database.
    pub async fn value<T>(&self, sql: &str) -> T
    where
        T: for<'r> sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres> + Send + Unpin,
    {
        self.column(sql).await.pop().expect("a row")
    }

    pub async fn execute(&self, sql: &str) {
        let mut conn = self.connect().await;
        sqlx::raw_sql(sql).execute(&mut conn).await.unwrap();
        conn.close().await.unwrap();
    }

    /// What must hold of every feed, whatever happened: numbers without gaps, offsets that fit, one end for each
    /// answer that has one, and the stored text equal to the pieces.
    pub async fn check_feeds(&self) {
        let gaps: i64 = self
            .value(
                "select count(*) from (select seq, row_number() over (partition by chat_id order by seq) n from feed_events) e
                 where seq <> n",
            )
            .await;
        assert_eq!(gaps, 0, "the feed has gaps");
        let heads: i64 = self
            .value(
                "select count(*) from feed_heads h
                 where h.seq <> (select coalesce(max(seq), 0) from feed_events e where e.chat_id = h.chat_id)",
            )
            .await;
        assert_eq!(heads, 0, "a head is not the newest event");
        let ends: i64 = self
            .value(
                "select count(*) from generations g where
                 (select count(*) from feed_events e where e.message_id = g.message_id and kind = 'end')
                 <> case when g.state in ('lined', 'queued', 'streaming', 'waiting') then 0 else 1 end",
            )
            .await;
        assert_eq!(ends, 0, "an answer has not exactly one end");
        let texts: i64 = self
            .value(
                "select count(*) from generations g join messages m on m.id = g.message_id
                 where g.state not in ('lined', 'queued', 'streaming', 'waiting') and m.text <>
                 (select coalesce(string_agg(body, '' order by seq), '') from feed_events e
                  where e.message_id = g.message_id and kind = 'text')",
            )
            .await;
        assert_eq!(texts, 0, "a stored text differs from what was streamed");
        let offsets: i64 = self
            .value(
                "select count(*) from (
                     select offset_at, coalesce(sum(octet_length(body)) over (partition by message_id, kind order by seq
                            rows between unbounded preceding and 1 preceding), 0) as before
                     from feed_events where kind in ('text', 'reasoning')) e where offset_at <> before",
            )
            .await;
        assert_eq!(offsets, 0, "an offset is wrong");
    }

    /// Where it is, in libpq's words.
    pub fn conninfo(&self) -> String {
        let options = self.options();
        match options.get_socket() {
            Some(folder) => format!("host={} dbname={}", folder.display(), self.name),
            None => format!("host={} port={} dbname={}", options.get_host(), options.get_port(), self.name),
        }
    }

    /// The place its server listens at.
    pub fn server(&self) -> Upstream {
        let options = self.options();
        match options.get_socket() {
            Some(folder) => Upstream::postgres(folder),
            None => Upstream::Tcp(format!("{}:{}", options.get_host(), options.get_port()).parse().unwrap()),
        }
    }

    fn options(&self) -> PgConnectOptions {
        parlor::base::db::parse_url(&self.url).unwrap()
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if self.admin.is_empty() {
            return;
        }
        // in a process of its own: a runtime may not be waited for while it is being dropped
        let sql = format!("drop database if exists {} with (force)", self.name);
        let _ = Command::new("psql").args(["-q", &self.admin, "-c", &sql]).output();
    }
}
