//! The same as `/ready`, for programs.

use super::problem;
use crate::{
    base::Error,
    domain::system,
    http::{
        Web,
        respond::Failure,
        routes::{Access, Routes},
    },
};
use axum::{Json, extract::State};
use serde::Serialize;
use utoipa::ToSchema;

pub fn routes(routes: Routes) -> Routes {
    routes.get("/api/health", Access::Plain, health)
}

#[derive(Serialize, ToSchema)]
pub struct Health {
    /// `ok`
    status: &'static str,
}

/// Whether this is ready to be used.
#[utoipa::path(get, path = "/api/health", tag = "health", security(()), responses((status = 200, body = Health), problem::Open))]
async fn health(State(web): State<Web>) -> Result<Json<Health>, Failure> {
    match system::ready(&web.app).await {
        Ok(()) => Ok(Json(Health { status: "ok" })),
        Err(why) => Err(Error::Unavailable(why.trim().to_owned()).into()),
    }
}
