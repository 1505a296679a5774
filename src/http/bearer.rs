//! Programs at the door: the bearer token of a request, the guard of routes that want one, and the [`Caller`] that
//! handlers take. `Authorization` is the only way to present one; where vendors' clients ask, Anthropic's `x-api-key` is one too,
//! and whoever was let in a moment ago is not looked up again. What must not live here: what a token is.

use super::{
    Web,
    address::Address,
    respond::{Failure, Reader, problem::Refusal},
    visitors,
};
use crate::{
    base::{Error, crypto::sha256},
    domain::programs::{self, Caller, Scope},
};
use axum::{
    extract::{FromRequestParts, Request},
    http::{Extensions, HeaderMap, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// The guard: before anything is looked up but the token itself.
pub async fn require(scope: Option<Scope>, mut request: Request, next: Next) -> Response {
    let web = request.extensions().get::<Web>().expect("without_cookies puts it there").clone();
    let is_vendors = Reader::at(request.uri().path()).is_vendors();
    let caller = match caller(&web, request.headers(), request.extensions(), is_vendors).await {
        Ok(caller) => caller,
        Err(refusal) => return refusal,
    };
    if let Some(scope) = scope.filter(|scope| !caller.scopes.has(*scope)) {
        return Refusal::no_scope(scope).into_response();
    }
    request.extensions_mut().insert(caller);
    next.run(request).await
}

/// Who asks, or how they are refused. `is_vendors`: a vendor's client does.
pub async fn caller(web: &Web, headers: &HeaderMap, of: &Extensions, is_vendors: bool) -> Result<Caller, Response> {
    let Some(token) = token(headers, is_vendors) else {
        return Err(refuse(web, of, Refusal::no_token()));
    };
    let address = Address::of(of).0;
    let hash = is_vendors.then(|| sha256(token.as_bytes()));
    if let Some(caller) = hash.and_then(|hash| web.callers.get(&hash, address)) {
        return Ok(caller);
    }
    match programs::who(&web.app, token, address).await {
        Ok(Some(caller)) => {
            if let Some(hash) = hash {
                web.callers.keep(hash, &caller);
            }
            Ok(caller)
        }
        Ok(None) => Err(refuse(web, of, Refusal::bad_token())),
        Err(error) => Err(Failure(error).into_response()),
    }
}

/// Whoever has no good token is nobody, and counts as such.
fn refuse(web: &Web, of: &Extensions, refusal: Refusal) -> Response {
    match visitors::one(web, of) {
        Ok(()) => refusal.into_response(),
        Err(error) => Failure(error).into_response(),
    }
}

/// Nothing of a program's can read a cookie, because none gets there; its guards find what handlers share.
pub fn without_cookies(web: &Web, request: &mut Request) {
    request.headers_mut().remove(header::COOKIE);
    request.extensions_mut().insert(web.clone());
}

impl FromRequestParts<Web> for Caller {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &Web) -> Result<Self, Failure> {
        parts.extensions.get::<Self>().cloned().ok_or(Failure(Error::Unauthenticated))
    }
}

/// The token of `Authorization: Bearer …`, or of `x-api-key` if that counts. Of two headers none counts that do not say the same:
/// others might read the other one.
fn token(headers: &HeaderMap, also_key: bool) -> Option<&str> {
    let keys = headers.get_all("x-api-key").iter().filter(|_| also_key).map(|key| key.to_str().unwrap_or_default());
    let mut bearers = headers.get_all(header::AUTHORIZATION).iter();
    let bearer = match (bearers.next(), bearers.next()) {
        (None, _) => None,
        (Some(one), None) => {
            let (scheme, token) = one.to_str().ok()?.split_once(' ')?;
            Some(token.trim()).filter(|_| scheme.eq_ignore_ascii_case("bearer"))
        }
        (Some(_), Some(_)) => return None,
    };
    let mut all = keys.map(str::trim).chain(bearer);
    let token = all.next()?;
    (all.all(|other| other == token) && !token.is_empty() && !token.contains(' ')).then_some(token)
}

/// Who was let in a moment ago, by the SHA-256 of what they showed.
#[derive(Default)]
pub struct Callers(Mutex<Known>);

type Known = HashMap<[u8; 32], (Instant, Caller)>;

/// Within five seconds a key that was revoked is to be worth nothing.
const RECENT: Duration = Duration::from_secs(2);
/// As many are remembered.
const MANY: usize = 10_000;

impl Callers {
    fn get(&self, hash: &[u8; 32], address: Option<IpAddr>) -> Option<Caller> {
        let callers = self.callers();
        let (at, caller) = callers.get(hash)?;
        let mut caller = (at.elapsed() < RECENT).then(|| caller.clone())?;
        caller.viewer.address = address;
        Some(caller)
    }

    fn keep(&self, hash: [u8; 32], caller: &Caller) {
        let mut callers = self.callers();
        if callers.len() >= MANY {
            callers.retain(|_, (at, _)| at.elapsed() < RECENT);
        }
        if callers.len() < MANY {
            callers.insert(hash, (Instant::now(), caller.clone()));
        }
    }

    fn callers(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
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
            assert_eq!(token(&headers, false), found, "{lines:?}");
        }
    }

    #[test]
    fn s5_or_two_ways_that_say_the_same() {
        for (bearer, keys, found) in [
            (None, &["abc"][..], Some("abc")),
            (Some("Bearer abc"), &["abc"], Some("abc")),
            (Some("Bearer abc"), &["def"], None),
            (Some("Basic abc"), &["abc"], Some("abc")),
            (None, &["abc", "def"], None),
            (None, &[""], None),
            (None, &["a b"], None),
        ] {
            let mut headers = HeaderMap::new();
            bearer.map(|bearer| headers.append(header::AUTHORIZATION, HeaderValue::from_static(bearer)));
            for key in keys {
                headers.append("x-api-key", HeaderValue::from_static(key));
            }
            assert_eq!(token(&headers, true), found, "{bearer:?} {keys:?}");
            let alone = bearer.filter(|bearer| bearer.starts_with("Bearer")).map(|_| "abc");
            assert_eq!(token(&headers, false), alone);
        }
    }
}
