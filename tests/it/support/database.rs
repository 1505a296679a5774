//! A database per test, dropped with it.

use sqlx::{Connection, PgConnection};
use std::process::Command;

pub struct Database {
    pub url: String,
    admin: String,
    name: String,
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
}

impl Drop for Database {
    fn drop(&mut self) {
        // in a process of its own: a runtime may not be waited for while it is being dropped
        let sql = format!("drop database if exists {} with (force)", self.name);
        let _ = Command::new("psql").args(["-q", &self.admin, "-c", &sql]).output();
    }
}
