//! ENTRANCE for browsers: handlers parse, call one act, and render. What must not live here: SQL, a rule of the
//! product, a decision by role.

mod assets;
pub mod auth;
mod extract;
mod feed;
mod guard;
mod health;
mod metrics;
mod pages;
mod present;
mod respond;
mod room;
pub mod routes;
mod server;
mod sessions;

use crate::app::App;
use axum::{Router, extract::DefaultBodyLimit, http::StatusCode, middleware};
use routes::{Route, Routes};
use std::{sync::Arc, time::Duration};
use tower_http::{catch_panic::CatchPanicLayer, timeout::TimeoutLayer};

pub use server::serve;

/// What handlers share: the app, and the rooms of the chats that are watched.
#[derive(Clone)]
pub struct Web {
    pub app: App,
    rooms: Arc<room::Rooms>,
    figures: Arc<metrics::Cache>,
}

impl Web {
    fn of(app: &App) -> Self {
        Self { app: app.clone(), rooms: Arc::default(), figures: Arc::default() }
    }
}

impl axum::extract::FromRef<Web> for App {
    fn from_ref(web: &Web) -> Self {
        web.app.clone()
    }
}

/// Every route of the program: what the router serves and what the tests sweep over.
fn routes() -> Routes {
    let routes = Routes::default();
    let routes = health::routes(routes);
    let routes = metrics::routes(routes);
    let routes = assets::routes(routes);
    let routes = feed::routes(routes);
    pages::routes(routes)
}

/// The list of routes with who may use them.
#[must_use]
pub fn route_list() -> Vec<Route> {
    routes().list
}

/// `/metrics` alone, for a process without pages.
pub fn numbers(app: &App) -> Router {
    metrics::routes(Routes::default()).plain.with_state(Web::of(app))
}

/// The router with all its walls.
pub fn router(app: &App) -> Router {
    assets::install();
    let web = Web::of(app);
    let server = &app.config.server;
    let routes = routes();
    let browsing = routes.browsing.layer(auth::layer(app));
    browsing
        .merge(routes.plain)
        .fallback(respond::no_such_page)
        .method_not_allowed_fallback(respond::wrong_method)
        .layer(DefaultBodyLimit::max(server.max_body_kb * 1024))
        .layer(middleware::from_fn(guard::same_origin))
        .layer(CatchPanicLayer::custom(respond::panicked))
        .layer(middleware::from_fn(guard::to_the_end))
        .layer(TimeoutLayer::with_status_code(
            StatusCode::SERVICE_UNAVAILABLE,
            Duration::from_secs(server.request_timeout),
        ))
        .layer(middleware::from_fn(respond::faces))
        .layer(middleware::from_fn(guard::compress))
        .layer(middleware::from_fn_with_state(app.clone(), guard::headers))
        .layer(middleware::from_fn(guard::log))
        .with_state(web)
}
