//! Whether this process can be used: database, migrations and queue are there.

use crate::{
    MIGRATOR,
    app::App,
    base::{
        db::migrate::{Standing, standing},
        queue,
    },
};
use std::time::Duration;

/// # Errors
/// What is missing, in a line.
pub async fn ready(app: &App) -> Result<(), &'static str> {
    if app.stopping.begun.is_cancelled() {
        return Err("stopping\n");
    }
    let checks = async {
        let db = &app.pools.jobs;
        match standing(&MIGRATOR, db).await {
            // also while a newer program takes over
            Ok(Standing::Current | Standing::Ahead) => {}
            Ok(Standing::Behind(_)) => return Err("migrations are missing\n"),
            Err(_) => return Err("the database cannot be reached\n"),
        }
        queue::check(db).await.map_err(|_| "the queue cannot be reached\n")
    };
    let late = Err("the database does not answer\n");
    tokio::time::timeout(Duration::from_millis(900), checks).await.unwrap_or(late)
}
