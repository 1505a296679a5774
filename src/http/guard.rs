//! Walls around every answer: the request's id and its one line in the log, the headers that browsers obey, and the
//! refusal of unsafe requests from other origins.

use super::respond::{Failure, Reader};
use crate::{
    app::App,
    base::{Error, metrics},
};
use axum::{
    body::Body,
    extract::{MatchedPath, Request, State},
    http::{Extensions, HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio_util::sync::CancellationToken;
use tower::Service as _;
use tower_http::{
    compression::Compression,
    cors::{AllowHeaders, CorsLayer},
};
use tracing::Instrument;

/// Names a request in the log and to the guest.
#[derive(Clone)]
pub struct RequestId(pub String);

/// Gives the request an id and writes one line when it is answered. The route's pattern is written, never the query;
/// health checks and the numbers are not written at all.
pub async fn log(mut request: Request, next: Next) -> Response {
    let id = crate::base::crypto::random_hex()[..16].to_owned();
    request.extensions_mut().insert(RequestId(id.clone()));
    let route = request.extensions().get::<MatchedPath>().map_or_else(|| "-".to_owned(), |p| p.as_str().to_owned());
    let method = request.method().clone();
    let span = tracing::info_span!("request", request_id = id);
    let began = Instant::now();
    let mut response = next.run(request).instrument(span).await;
    metrics::request(&route, response.status().as_u16(), began.elapsed());
    if !["/up", "/ready", "/metrics"].contains(&route.as_str()) {
        let ms = began.elapsed().as_secs_f64() * 1000.;
        tracing::info!(request_id = id, %method, route, status = response.status().as_u16(), ms = (ms * 10.).round() / 10., "request");
    }
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert("x-request-id", value);
    }
    response
}

/// Lets a request run to its end, also when its guest has left. A handler that is dropped where it waits would leave
/// things half done: what is committed but not delivered, and (sqlx 0.8 forgets a `BEGIN` that was cut short) an open
/// transaction on a connection that somebody else gets next.
/// Who waits for something that is nobody's but theirs is told by [`Left`].
pub async fn to_the_end(mut request: Request, next: Next) -> Response {
    let left = CancellationToken::new();
    request.extensions_mut().insert(Left(left.clone()));
    let _here = left.drop_guard();
    match tokio::spawn(next.run(request).in_current_span()).await {
        Ok(response) => response,
        Err(error) => Failure(Error::Internal(error.into())).into_response(),
    }
}

/// Cancelled when the guest of a request has left, or was answered.
#[derive(Clone)]
pub struct Left(pub CancellationToken);

/// Ends what takes too long, with a 503 (live streams have begun to answer by then). A form with a file has more time.
pub async fn patience(State(app): State<App>, request: Request, next: Next) -> Response {
    if Reader::at(request.uri().path()).is_vendors() {
        return next.run(request).await; // it has deadlines of its own
    }
    let server = &app.config.server;
    let kind = request.headers().get(header::CONTENT_TYPE);
    let has_file = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"multipart/form-data"))
        || request.uri().path() == "/api/import";
    let patience = Duration::from_secs(if has_file { server.upload_timeout } else { server.request_timeout });
    let answered = tokio::time::timeout(patience, next.run(request)).await;
    answered.unwrap_or_else(|_| StatusCode::SERVICE_UNAVAILABLE.into_response())
}

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    connect-src 'self'; font-src 'self'; form-action 'self'; manifest-src 'self'; frame-ancestors 'none'; base-uri 'none'";

/// The headers that make browsers careful.
pub async fn headers(State(app): State<App>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if app.config.server.is_https() {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=63072000"));
    }
    // pages are somebody's own; static files say for themselves how long they last
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Lets pages of other origins ask what programs may, with a token of their own: cookies do not get there, and are not sent.
pub fn cors(origins: Vec<HeaderValue>) -> CorsLayer {
    let told =
        ["retry-after", "x-request-id", "x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset", "etag"];
    CorsLayer::new()
        .allow_origin(origins)
        .allow_methods([Method::GET, Method::POST, Method::PATCH, Method::DELETE])
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers(told.map(HeaderName::from_static))
        .max_age(Duration::from_hours(1))
}

/// Refuses unsafe requests that another origin's page made in somebody's browser, unless it may ask what programs may.
pub async fn same_origin(State(origins): State<Arc<[HeaderValue]>>, request: Request, next: Next) -> Response {
    let is_program = Reader::at(request.uri().path()) != Reader::Person;
    let is_let_in = is_program && request.headers().get(header::ORIGIN).is_some_and(|origin| origins.contains(origin));
    if !request.method().is_safe() && !is_let_in && !is_ours(request.headers()) {
        return Failure(Error::Forbidden).into_response();
    }
    next.run(request).await
}

/// Whether a page of ours asks, which has to say so: for what is not asked by a form, and so not refused before.
pub fn is_from_here(headers: &HeaderMap) -> bool {
    headers.contains_key(header::ORIGIN) && is_ours(headers)
}

/// `Sec-Fetch-Site` tells; without it `Origin` must be this host; without both only a caller without cookies passes
/// (after Go's `CrossOriginProtection`, stricter in the last step).
fn is_ours(headers: &HeaderMap) -> bool {
    if let Some(site) = headers.get("sec-fetch-site") {
        return site == "same-origin" || site == "none";
    }
    if let Some(origin) = headers.get(header::ORIGIN) {
        let host = headers.get(header::HOST).and_then(|h| h.to_str().ok());
        let origin = origin.to_str().ok().and_then(|o| o.split_once("://")).map(|(_, host)| host);
        return origin.is_some() && origin == host;
    }
    !headers.contains_key(header::COOKIE)
}

/// Compresses what is worth it. The live feed, and what passes through, are not even looked at: the body of something that might be compressed
/// holds 6 kB for it.
pub async fn compress(request: Request, next: Next) -> Response {
    let path = request.uri().path();
    if path.ends_with("/feed") || Reader::at(path).is_vendors() {
        return next.run(request).await;
    }
    match Compression::new(next).compress_when(may_compress).call(request).await {
        Ok(response) => response.map(Body::new),
        Err(never) => match never {},
    }
}

/// Never a stream: that would delay it.
fn may_compress(status: StatusCode, _: Version, headers: &HeaderMap, _: &Extensions) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let text =
        kind.starts_with("text/") || kind.contains("json") || kind.contains("javascript") || kind.contains("svg");
    let small = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|v| v.to_str().ok()?.parse::<u64>().ok())
        .is_some_and(|length| length < 512);
    status != StatusCode::NOT_MODIFIED
        && text
        && !small
        && !kind.starts_with("text/event-stream")
        && !headers.contains_key("x-accel-buffering")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_may_post() {
        for (pairs, ours) in [
            (&[("sec-fetch-site", "same-origin")][..], true),
            (&[("sec-fetch-site", "none")], true),
            (&[("sec-fetch-site", "same-site")], false),
            (&[("sec-fetch-site", "cross-site"), ("origin", "http://h"), ("host", "h")], false),
            (&[("origin", "https://h:1"), ("host", "h:1"), ("cookie", "a=b")], true),
            (&[("origin", "https://evil"), ("host", "h")], false),
            (&[("origin", "null"), ("host", "h")], false),
            (&[("cookie", "a=b"), ("host", "h")], false),
            (&[("host", "h")], true),
        ] {
            let headers: HeaderMap =
                pairs.iter().map(|(k, v)| (HeaderName::from_static(k), HeaderValue::from_static(v))).collect();
            assert_eq!(is_ours(&headers), ours, "{pairs:?}");
        }
    }
}
