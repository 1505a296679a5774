//! The one way to add a route: with who may use it. So the list is complete by construction, the guard is never
//! forgotten, and a test can sweep over all of it.

use super::{Web, auth};
use axum::{
    Router,
    handler::Handler,
    http::Method,
    middleware,
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

    fn add<H: Handler<T, Web>, T: 'static>(
        mut self,
        method: Method,
        path: &'static str,
        access: Access,
        handler: H,
    ) -> Self {
        let filter = method.clone().try_into().expect("GET and POST have filters");
        let mut route: MethodRouter<Web> = on(filter, handler);
        if access == Access::Administrator {
            route = route.route_layer(middleware::from_fn(auth::require_administrator));
        } else if access == Access::Member {
            route = route.route_layer(middleware::from_fn(auth::require_member));
        }
        let router = if access == Access::Plain { &mut self.plain } else { &mut self.browsing };
        *router = std::mem::take(router).route(path, route);
        self.list.push(Route { method, path, access });
        self
    }
}
