//! Programs at the door: the bearer token of a request, the guard of routes that want one, and the [`Caller`] that
//! handlers take. `Authorization` is the only way to present one. What must not live here: what a token is.

use super::{
    Web,
    address::Address,
    respond::{Failure, problem::Refusal},
    visitors,
};
use crate::{
    base::Error,
    domain::programs::{self, Caller, Scope},
};
use axum::{
    extract::{FromRequestParts, Request},
    http::{HeaderMap, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};

/// The guard: before anything is looked up but the token itself.
pub async fn require(scope: Option<Scope>, mut request: Request, next: Next) -> Response {
    let web = request.extensions().get::<Web>().expect("the layer around all of /api puts it there").clone();
    let Some(token) = token(request.headers()) else { return refuse(&web, &request, Refusal::no_token()) };
    let address = Address::of(request.extensions()).0;
    let caller = match programs::who(&web.app, token, address).await {
        Ok(Some(caller)) => caller,
        Ok(None) => return refuse(&web, &request, Refusal::bad_token()),
        Err(error) => return Failure(error).into_response(),
    };
    if let Some(scope) = scope.filter(|scope| !caller.scopes.has(*scope)) {
        return Refusal::no_scope(scope).into_response();
    }
    request.extensions_mut().insert(caller);
    next.run(request).await
}

/// Whoever has no good token is nobody, and counts as such.
fn refuse(web: &Web, request: &Request, refusal: Refusal) -> Response {
    match visitors::one(web, request) {
        Ok(()) => refusal.into_response(),
        Err(error) => Failure(error).into_response(),
    }
}

/// Nothing under `/api` can read a cookie, because none gets there.
pub async fn without_cookies(mut request: Request, next: Next) -> Response {
    request.headers_mut().remove(header::COOKIE);
    next.run(request).await
}

impl FromRequestParts<Web> for Caller {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &Web) -> Result<Self, Failure> {
        parts.extensions.get::<Self>().cloned().ok_or(Failure(Error::Unauthenticated))
    }
}

/// The token of `Authorization: Bearer …`. Of two such headers none counts: others might read the other one.
fn token(headers: &HeaderMap) -> Option<&str> {
    let mut all = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(one), None) = (all.next(), all.next()) else { return None };
    let (scheme, token) = one.to_str().ok()?.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty() && !token.contains(' ')).then_some(token)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn a_token_comes_one_way() {
        for (lines, found) in [
            (&["Bearer abc"][..], Some("abc")),
            (&["bearer  abc "], Some("abc")),
            (&["BEARER a.b-c_d"], Some("a.b-c_d")),
            (&[], None),
            (&["abc"], None),
            (&["Bearer"], None),
            (&["Bearer "], None),
            (&["Bearer a b"], None),
            (&["Basic abc"], None),
            (&["Bearer abc", "Bearer abc"], None),
            (&["Bearer abc", "Basic abc"], None),
        ] {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(header::AUTHORIZATION, HeaderValue::from_static(line));
            }
            assert_eq!(token(&headers), found, "{lines:?}");
        }
    }
}
