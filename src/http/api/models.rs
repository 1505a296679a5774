//! The catalog.

use crate::{
    base::config,
    domain::{
        catalog::{self, Model},
        programs::{Caller, Scope},
    },
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

async fn list(State(web): State<Web>, caller: Caller) -> Result<Json<Value>, Failure> {
    let models = catalog::models(&web.app, &caller.viewer).await?;
    let currency = &web.app.config.catalog.currency;
    Ok(Json(json!({ "data": models.iter().map(|model| told(model, currency)).collect::<Vec<_>>() })))
}

/// What is not known is null. Prices are for a million tokens, in units of the currency.
fn told(model: &Model, currency: &str) -> Value {
    let facts = &model.facts;
    let price = |price: config::Price| {
        let cached = price.cached.unwrap_or(price.input);
        json!({ "currency": currency, "input": price.input, "cached_input": cached, "output": price.output })
    };
    json!({
        "id": model.id(),
        "provider": model.provider,
        "name": model.name,
        "display_name": model.label(),
        "context_window": facts.context,
        "max_output_tokens": facts.max_output,
        "price": facts.price.map(price),
        "capabilities": { "images": facts.images, "tools": facts.tools, "reasoning": facts.reasoning },
    })
}
