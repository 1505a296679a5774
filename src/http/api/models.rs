//! The catalog.

use crate::{
    domain::{catalog, programs::Scope},
    http::{
        Web,
        respond::Failure,
        routes::{Access, Routes},
    },
};
use axum::{Json, extract::State};
use serde_json::{Value, json};

pub fn routes(routes: Routes) -> Routes {
    routes.get("/api/models", Access::Bearer(Some(Scope::Models)), list)
}

async fn list(State(web): State<Web>) -> Result<Json<Value>, Failure> {
    let models = catalog::models(&web.app).await?;
    let told = |model: &catalog::Model| json!({ "id": model.id(), "provider": model.provider, "name": model.name });
    Ok(Json(json!({ "data": models.iter().map(told).collect::<Vec<_>>() })))
}
