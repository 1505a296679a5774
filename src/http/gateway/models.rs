//! The catalog, as OpenAI's client and Anthropic's both read it.

use super::Answer;
use crate::{
    domain::{
        catalog::{self, Model},
        programs::{Caller, Scope},
    },
    http::{
        Web,
        respond::{Failure, problem::Refusal},
        routes::{Access, Routes},
    },
};
use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
    response::IntoResponse,
};
use serde_json::{Value, json};

pub fn routes(routes: Routes) -> Routes {
    let models = Access::Bearer(Some(Scope::Models));
    routes.get("/v1/models", models, list).get("/v1/models/{*model}", models, one)
}

async fn list(State(web): State<Web>, caller: Caller) -> Result<Json<Value>, Failure> {
    let models: Vec<_> = catalog::all_models(&web.app, &caller.viewer).await?.iter().map(told).collect();
    let id = |model: Option<&Value>| model.map_or(Value::Null, |model| model["id"].clone());
    let (first, last) = (id(models.first()), id(models.last()));
    Ok(Json(json!({ "object": "list", "data": models, "has_more": false, "first_id": first, "last_id": last })))
}

async fn one(State(web): State<Web>, caller: Caller, Path(name): Path<String>) -> Answer {
    match catalog::called(&web.app, &caller.viewer, &name).await {
        Ok(Some(model)) => Ok(Json(told(&model)).into_response()),
        Ok(None) => Err(Refusal::new(StatusCode::NOT_FOUND, "There is no such model that you may call.")
            .with_code("model_not_found")),
        Err(error) => Ok(Failure(error).into_response()),
    }
}

/// When a model was made is not known: Anthropic's reference has the epoch for that.
fn told(model: &Model) -> Value {
    json!({
        "id": model.id(),
        "object": "model",
        "type": "model",
        "created": 0,
        "created_at": "1970-01-01T00:00:00Z",
        "owned_by": model.provider,
        "display_name": model.label(),
    })
}
