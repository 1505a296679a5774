//! Walls around every answer: where a request comes from, its id and its one line in the log, the headers that browsers obey, the
//! refusal of unsafe requests from other origins, patience, and that a handler runs to its end. What must not live here: what an
//! error looks like (respond.rs), who asks.

use super::{
    Web,
    address::{self, Trusted},
    auth, bearer,
    respond::{self, Face, Failure, Reader},
    routes,
};
use crate::{
    app::App,
    base::{Error, crypto::random_hex, metrics},
};
use axum::{
    body::Body,
    extract::{DefaultBodyLimit, MatchedPath, Request, State},
    http::{Extensions, HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use std::{
    convert::Infallible,
    future::ready,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio_util::sync::CancellationToken;
use tower::{Service as _, service_fn};
use tower_http::{
    compression::Compression,
    cors::{AllowHeaders, CorsLayer},
};
use tracing::Instrument;

/// What the walls know.
pub struct Walls {
    pub web: Web,
    pub trusted: Trusted,
    /// Other origins, whose pages may ask what programs may.
    pub origins: Vec<HeaderValue>,
}

/// All of them, from the outermost to the innermost. They are one layer of axum's, since each of those copies for every request all
/// that is inside of it.
pub async fn walls(State(walls): State<Arc<Walls>>, mut request: Request, next: Next) -> Response {
    let app = &walls.web.app;
    address::note(&walls.trusted, &mut request);
    let seen = Seen::note(&mut request);
    let encodings = encodings(&request);
    let span = tracing::info_span!("request", request_id = seen.id.0);
    let mut response = answer(&walls, request, next).instrument(span).await;
    if let Some(encodings) = encodings {
        response = compress(encodings, response).await;
    }
    add_headers(app, response.headers_mut());
    seen.tell(&mut response);
    response
}

/// Within the log: an answer, whatever happens, and every error with its face.
async fn answer(walls: &Walls, mut request: Request, next: Next) -> Response {
    let app = &walls.web.app;
    let face = Face::of(&request);
    let response = if is_foreign(&walls.origins, &request) {
        Failure(Error::Forbidden).into_response()
    } else {
        DefaultBodyLimit::max(app.config.server.max_body_kb * 1024).apply(&mut request);
        if routes::is_without_cookies(request.uri().path()) {
            bearer::without_cookies(&walls.web, &mut request);
        }
        match patience(app, &request) {
            Some(patience) => tokio::time::timeout(patience, to_the_end(request, next))
                .await
                .unwrap_or_else(|_| StatusCode::SERVICE_UNAVAILABLE.into_response()),
            None => to_the_end(request, next).await,
        }
    };
    face.put_on(response)
}

/// Names a request in the log and to the guest.
#[derive(Clone)]
pub struct RequestId(pub String);

/// A request as its line in the log tells of it: by the route's pattern, never the query; health checks and the numbers are not
/// written at all.
struct Seen {
    id: RequestId,
    method: Method,
    route: Option<MatchedPath>,
    began: Instant,
}

impl Seen {
    fn note(request: &mut Request) -> Self {
        let id = RequestId(random_hex()[..16].to_owned());
        request.extensions_mut().insert(id.clone());
        let route = request.extensions().get::<MatchedPath>().cloned();
        Self { id, method: request.method().clone(), route, began: Instant::now() }
    }

    fn tell(self, response: &mut Response) {
        let route = self.route.as_ref().map_or("-", MatchedPath::as_str);
        let (request_id, method, status) = (self.id.0, self.method, response.status().as_u16());
        metrics::request(route, status, self.began.elapsed());
        if !["/up", "/ready", "/metrics"].contains(&route) {
            let ms = self.began.elapsed().as_secs_f64() * 1000.;
            tracing::info!(request_id, %method, route, status, ms = (ms * 10.).round() / 10., "request");
        }
        if let Ok(value) = HeaderValue::from_str(&request_id) {
            response.headers_mut().insert("x-request-id", value);
        }
    }
}

/// Lets a request run to its end, also when its guest has left. A handler that is dropped where it waits would leave
/// things half done: what is committed but not delivered, and (sqlx 0.8 forgets a `BEGIN` that was cut short) an open
/// transaction on a connection that somebody else gets next.
/// Who waits for something that is nobody's but theirs is told by [`Left`]. A panic is one 500; the process lives.
async fn to_the_end(mut request: Request, next: Next) -> Response {
    let left = CancellationToken::new();
    request.extensions_mut().insert(Left(left.clone()));
    let _here = left.drop_guard();
    match tokio::spawn(next.run(request).in_current_span()).await {
        Ok(response) => response,
        Err(error) => respond::broken_off(error).into_response(),
    }
}

/// Cancelled when the guest of a request has left, or was answered.
#[derive(Clone)]
pub struct Left(pub CancellationToken);

/// So long a request may take; live streams have begun to answer by then. A form with a file has more time.
fn patience(app: &App, request: &Request) -> Option<Duration> {
    let path = request.uri().path();
    if Reader::at(path).is_vendors() {
        return None; // it has deadlines of its own
    }
    let server = &app.config.server;
    let kind = request.headers().get(header::CONTENT_TYPE);
    let has_file =
        kind.is_some_and(|kind| kind.as_bytes().starts_with(b"multipart/form-data")) || path == "/api/import";
    Some(Duration::from_secs(if has_file { server.upload_timeout } else { server.request_timeout }))
}

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    connect-src 'self'; font-src 'self'; form-action 'self'; manifest-src 'self'; frame-ancestors 'none'; base-uri 'none'";

/// The headers that make browsers careful.
fn add_headers(app: &App, headers: &mut HeaderMap) {
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

/// Whether this is an unsafe request that another origin's page made in somebody's browser, and may not.
fn is_foreign(origins: &[HeaderValue], request: &Request) -> bool {
    if request.method().is_safe() {
        return false;
    }
    let is_program = Reader::at(request.uri().path()) != Reader::Person;
    let is_let_in = is_program && request.headers().get(header::ORIGIN).is_some_and(|origin| origins.contains(origin));
    !is_let_in && !is_ours(request.headers())
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

/// The encodings that a guest takes. Nothing for the live feed, and what passes through.
fn encodings(request: &Request) -> Option<Request<()>> {
    if auth::wants_events(request.uri()) || Reader::at(request.uri().path()).is_vendors() {
        return None;
    }
    let mut encodings = Request::new(());
    for encoding in request.headers().get_all(header::ACCEPT_ENCODING) {
        encodings.headers_mut().append(header::ACCEPT_ENCODING, encoding.clone());
    }
    Some(encodings)
}

/// Compresses what is worth it. Other bodies are not even looked at: one that might be compressed holds 6 kB for it.
async fn compress(encodings: Request<()>, response: Response) -> Response {
    if !may_compress(response.status(), response.version(), response.headers(), response.extensions()) {
        return response;
    }
    let mut response = Some(response);
    let answered = service_fn(|_| ready(Ok::<_, Infallible>(response.take().expect("it is asked once"))));
    match Compression::new(answered).compress_when(may_compress).call(encodings).await {
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
    use axum::{Router, middleware, routing::get};
    use tower::ServiceExt as _;

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

    /// S20: a panic in a handler is one 500, in the words of whoever asked, and says nothing of itself.
    #[tokio::test]
    async fn s20_a_panic_is_one_500() {
        let within = |mut request: Request, next: Next| async {
            Seen::note(&mut request);
            let face = Face::of(&request);
            face.put_on(to_the_end(request, next).await)
        };
        let panics = || async { panic!("swordfish") as String };
        let router = Router::new().route("/api/x", get(panics)).route("/apix", get(panics));
        let router: Router = router.layer(middleware::from_fn(within));
        for (path, kind) in [("/api/x", "application/problem+json"), ("/apix", "text/html; charset=utf-8")] {
            let request = Request::get(path).body(Body::empty()).unwrap();
            let response = router.clone().oneshot(request).await.unwrap();
            assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
            assert_eq!(response.headers()[header::CONTENT_TYPE], kind);
            let body = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
            assert!(!String::from_utf8_lossy(&body).contains("swordfish"));
        }
    }
}
