//! ENTRANCE for browsers and programs: handlers parse, call one act, and render. What must not live here: SQL, a rule of the
//! product, a decision by role.

mod address;
pub mod api;
mod assets;
pub mod auth;
mod bearer;
mod chat_file;
mod ended;
mod extract;
mod feed;
mod gateway;
mod guard;
mod health;
mod lists;
mod metrics;
mod pages;
mod present;
mod program;
mod respond;
mod room;
pub mod routes;
mod server;
mod sessions;
mod visitors;
mod ws;

use crate::{
    app::App,
    domain::{calls::Desk, limits::Visitors},
};
use axum::{Router, middleware};
use guard::Walls;
use routes::{Route, Routes};
use std::{ops::Deref, sync::Arc};

pub use server::serve;

/// What handlers share: the app, the rooms of the chats that are watched, the watches over lists, and the feeds that are
/// open.
#[derive(Clone)]
pub struct Web(Arc<Inner>);

pub struct Inner {
    pub app: App,
    rooms: Arc<room::Rooms>,
    lists: Arc<lists::Lists>,
    feeds: Arc<ended::Feeds>,
    figures: Arc<metrics::Cache>,
    /// Who asks without being signed in.
    visitors: Visitors,
    /// Which programs were let in a moment ago.
    callers: bearer::Callers,
    /// Where calls of models are counted.
    desk: Desk,
}

impl Web {
    fn of(app: &App) -> Self {
        Self(Arc::new(Inner {
            app: app.clone(),
            rooms: Arc::default(),
            lists: Arc::default(),
            feeds: Arc::default(),
            figures: Arc::default(),
            visitors: Visitors::default(),
            callers: bearer::Callers::default(),
            desk: Desk::new(app),
        }))
    }
}

impl Deref for Web {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
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
    let routes = api::routes(routes);
    let routes = gateway::routes(routes);
    let routes = ws::routes(routes);
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
    app.tasks.spawn(ended::watch(app.clone(), web.feeds.clone()));
    let routes = routes();
    app.tasks.spawn(web.visitors.clone().share(app.clone()));
    let visitors = middleware::from_fn_with_state(web.clone(), visitors::count);
    let browsing = routes.browsing.layer(visitors).layer(auth::layer(app));
    let server = &app.config.server;
    let origins = server.cors_origins().expect("the settings are checked");
    let api = routes.api.method_not_allowed_fallback(respond::wrong_method);
    let api = if origins.is_empty() { api } else { api.layer(guard::cors(origins.clone())) };
    let trusted = server.trusted_proxies().expect("the settings are checked");
    let walls = Arc::new(Walls { web: web.clone(), trusted, origins });
    browsing
        .merge(routes.plain)
        .merge(api)
        .fallback(respond::no_such_page)
        .method_not_allowed_fallback(respond::wrong_method)
        .layer(middleware::from_fn_with_state(walls, guard::walls))
        .with_state(web)
}
