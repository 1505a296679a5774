//! `/up`: the process lives. `/ready`: database, migrations and queue are there. Neither is logged. `/api/health` says the
//! same as `/ready`, to programs.

use super::{
    Web,
    respond::Failure,
    routes::{Access, Routes},
};
use crate::{
    MIGRATOR,
    base::{
        Error,
        db::migrate::{Standing, standing},
        queue,
    },
};
use axum::{Json, extract::State, http::StatusCode};
use serde_json::{Value, json};
use std::time::Duration;

pub fn routes(routes: Routes) -> Routes {
    routes.get("/up", Access::Plain, up).get("/ready", Access::Plain, ready).get("/api/health", Access::Plain, health)
}

async fn up() -> &'static str {
    "up\n"
}

async fn ready(State(web): State<Web>) -> (StatusCode, &'static str) {
    if web.app.stopping.begun.is_cancelled() {
        return (StatusCode::SERVICE_UNAVAILABLE, "stopping\n");
    }
    let checks = async {
        let db = &web.app.pools.jobs;
        match standing(&MIGRATOR, db).await {
            // also while a newer program takes over
            Ok(Standing::Current | Standing::Ahead) => {}
            Ok(Standing::Behind(_)) => return (StatusCode::SERVICE_UNAVAILABLE, "migrations are missing\n"),
            Err(_) => return (StatusCode::SERVICE_UNAVAILABLE, "the database cannot be reached\n"),
        }
        match queue::check(db).await {
            Ok(()) => (StatusCode::OK, "ready\n"),
            Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "the queue cannot be reached\n"),
        }
    };
    let late = (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n");
    tokio::time::timeout(Duration::from_millis(900), checks).await.unwrap_or(late)
}

async fn health(web: State<Web>) -> Result<Json<Value>, Failure> {
    match ready(web).await {
        (StatusCode::OK, _) => Ok(Json(json!({ "status": "ok" }))),
        (_, why) => Err(Error::Unavailable(why.trim().to_owned()).into()),
    }
}
