//! The wall against floods of requests of nobody who is signed in. Static files and health have no session and do not pass
//! here; what leads nowhere does neither, and costs nothing. Of programs, those without a good token count (bearer.rs
//! tells). What must not live here: how it is counted (domain/limits).

use super::{Web, address::Address, auth::Session, respond::Failure};
use crate::base::Result;
use axum::{
    extract::{Request, State},
    http::Extensions,
    middleware::Next,
    response::{IntoResponse, Response},
};

/// Counts a request of a page, if nobody is signed in, and refuses one too many.
pub async fn count(State(web): State<Web>, request: Request, next: Next) -> Response {
    let signed_in = request.extensions().get::<Session>().is_some_and(|session| session.user.is_some());
    if !signed_in && let Err(error) = one(&web, request.extensions()) {
        return Failure(error).into_response();
    }
    next.run(request).await
}

/// Counts a request of a program where no token is wanted, e.g. to get one.
pub async fn count_program(request: Request, next: Next) -> Response {
    let web = request.extensions().get::<Web>().expect("without_cookies puts it there").clone();
    if let Err(error) = one(&web, request.extensions()) {
        return Failure(error).into_response();
    }
    next.run(request).await
}

/// Counts this one.
///
/// # Errors
/// [`Error::Limited`](crate::base::Error::Limited) when it is one too many.
pub fn one(web: &Web, of: &Extensions) -> Result<()> {
    web.visitors.count(&web.app, Address::of(of).0)
}
