//! `/up`: the process lives. `/ready`: database, migrations and queue are there. Neither is logged.

use super::{
    Web,
    routes::{Access, Routes},
};
use crate::domain::system;
use axum::{extract::State, http::StatusCode};

pub fn routes(routes: Routes) -> Routes {
    routes.get("/up", Access::Plain, up).get("/ready", Access::Plain, ready)
}

async fn up() -> &'static str {
    "up\n"
}

async fn ready(State(web): State<Web>) -> (StatusCode, &'static str) {
    match system::ready(&web.app).await {
        Ok(()) => (StatusCode::OK, "ready\n"),
        Err(why) => (StatusCode::SERVICE_UNAVAILABLE, why),
    }
}
