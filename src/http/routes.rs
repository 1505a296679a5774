//! The one way to add a route: with who may use it. So the list is complete by construction, the guard is never
//! forgotten, and a test can sweep over all of it.

use super::{Web, auth, bearer, respond::Reader, visitors};
use crate::domain::programs::Scope;
use axum::{
    Router,
    extract::Request,
    handler::Handler,
    http::Method,
    middleware::{self, Next},
    routing::{MethodRouter, on},
};

/// Who may use a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anybody, without a session being read.
    Plain,
    /// Anybody; the handler may look who it is.
    Anyone,
    /// Whoever is signed in. Others are sent to sign in, before anything is looked up.
    Member,
    /// Administrators. For other members there is nothing here, whether or not what is named exists.
    Administrator,
    /// Programs, with an access token or an API key that has this scope; without one, any that is good.
    Bearer(Option<Scope>),
}

/// An entry of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    pub method: Method,
    pub path: &'static str,
    pub access: Access,
}

/// Routes being put together.
#[derive(Default)]
pub struct Routes {
    /// Without sessions: static files, health.
    pub plain: Router<Web>,
    /// With sessions.
    pub browsing: Router<Web>,
    /// For programs: cookies are taken away before anything is looked at.
    pub api: Router<Web>,
    pub list: Vec<Route>,
}

impl Routes {
    #[must_use]
    pub fn get<H: Handler<T, Web>, T: 'static>(self, path: &'static str, access: Access, handler: H) -> Self {
        self.add(Method::GET, path, access, handler)
    }

    #[must_use]
    pub fn post<H: Handler<T, Web>, T: 'static>(self, path: &'static str, access: Access, handler: H) -> Self {
        self.add(Method::POST, path, access, handler)
    }

    #[must_use]
    pub fn patch<H: Handler<T, Web>, T: 'static>(self, path: &'static str, access: Access, handler: H) -> Self {
        self.add(Method::PATCH, path, access, handler)
    }

    #[must_use]
    pub fn delete<H: Handler<T, Web>, T: 'static>(self, path: &'static str, access: Access, handler: H) -> Self {
        self.add(Method::DELETE, path, access, handler)
    }

    fn add<H: Handler<T, Web>, T: 'static>(
        mut self,
        method: Method,
        path: &'static str,
        access: Access,
        handler: H,
    ) -> Self {
        let filter = method.clone().try_into().expect("each of them has a filter");
        let mut route: MethodRouter<Web> = on(filter, handler);
        route = match access {
            Access::Administrator => route.route_layer(middleware::from_fn(auth::require_administrator)),
            Access::Member => route.route_layer(middleware::from_fn(auth::require_member)),
            Access::Bearer(scope) => route.route_layer(middleware::from_fn(move |request: Request, next: Next| {
                bearer::require(scope, request, next)
            })),
            _ if is_without_cookies(path) => route.route_layer(middleware::from_fn(visitors::count_program)),
            Access::Plain | Access::Anyone => route,
        };
        let router = match access {
            _ if is_without_cookies(path) => &mut self.api,
            Access::Plain => &mut self.plain,
            _ => &mut self.browsing,
        };
        *router = std::mem::take(router).route(path, route);
        self.list.push(Route { method, path, access });
        self
    }
}

/// Where programs ask; the WebSocket is for pages of ours too.
pub fn is_without_cookies(path: &str) -> bool {
    Reader::at(path) != Reader::Person && path != "/ws"
}
