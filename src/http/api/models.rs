//! The catalog.

use super::{paging::Listed, problem};
use crate::{
    base::config,
    domain::{
        catalog,
        programs::{Caller, Scope},
    },
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
    routes.get("/api/models", Access::Bearer(Some(Scope::Models)), list)
}

/// A model. What is not known is null.
#[derive(Serialize, ToSchema)]
pub struct Model {
    /// `provider/name`
    id: String,
    provider: String,
    /// Its name at the provider.
    name: String,
    /// For people.
    display_name: String,
    /// In tokens.
    context_window: Option<u32>,
    max_output_tokens: Option<u32>,
    price: Option<Price>,
    capabilities: Capabilities,
}

/// For a million tokens, in units of the currency.
#[derive(Serialize, ToSchema)]
pub struct Price {
    /// ISO 4217.
    currency: String,
    input: f64,
    cached_input: f64,
    output: f64,
}

#[derive(Serialize, ToSchema)]
pub struct Capabilities {
    images: Option<bool>,
    tools: Option<bool>,
    reasoning: Option<bool>,
}

/// The models that hold conversations, of those that one may ask; all of them at once.
#[utoipa::path(get, path = "/api/models", tag = "models", security(("bearer" = ["models"])),
    responses((status = 200, body = Listed<Model>), problem::Common))]
async fn list(State(web): State<Web>, caller: Caller) -> Result<Json<Listed<Model>>, Failure> {
    let models = catalog::models(&web.app, &caller.viewer).await?;
    let currency = &web.app.config.catalog.currency;
    let data = models.into_iter().map(|model| told(model, currency)).collect();
    Ok(Json(Listed { data, next_cursor: None }))
}

fn told(model: catalog::Model, currency: &str) -> Model {
    let facts = &model.facts;
    let price = |price: config::Price| Price {
        currency: currency.to_owned(),
        input: price.input,
        cached_input: price.cached.unwrap_or(price.input),
        output: price.output,
    };
    Model {
        id: model.id(),
        display_name: model.label().to_owned(),
        context_window: facts.context,
        max_output_tokens: facts.max_output,
        price: facts.price.map(price),
        capabilities: Capabilities { images: facts.images, tools: facts.tools, reasoning: facts.reasoning },
        provider: model.provider,
        name: model.name,
    }
}
