//! The faces of errors: the only place that knows status codes. An act's error travels in the response's extensions to
//! its [`Face`], which knows how the request wants it: a page, nothing but a status for htmx, a feed's last event, a problem for
//! programs, or a vendor's own object. It is logged there, once.

pub mod problem;
pub mod vendor;

use super::{auth, guard::RequestId};
use crate::{
    base::{
        Error,
        error::{Allowance, whole_seconds},
    },
    views::{ErrorPage, text},
};
use axum::{
    body::{Body, Bytes},
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header},
    response::{Html, IntoResponse, Redirect, Response},
};
use problem::Refusal;
use std::sync::Arc;
use tokio::task::JoinError;

/// An error on its way out of a handler.
#[derive(Debug)]
pub struct Failure(pub Error);

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self(error.into())
    }
}

/// What a [`Face`] finds in a response.
#[derive(Clone)]
struct Told(Arc<Error>);

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = status(&self.0).into_response();
        response.extensions_mut().insert(Told(Arc::new(self.0)));
        response
    }
}

/// The status code of an error.
#[must_use]
pub fn status(error: &Error) -> StatusCode {
    match error {
        Error::Invalid(fields) if fields.iter().any(|f| f.field == "body") => StatusCode::PAYLOAD_TOO_LARGE,
        Error::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
        Error::Unauthenticated => StatusCode::UNAUTHORIZED,
        Error::Forbidden => StatusCode::FORBIDDEN,
        Error::NotFound => StatusCode::NOT_FOUND,
        Error::Conflict(_) => StatusCode::CONFLICT,
        Error::Limited { .. } => StatusCode::TOO_MANY_REQUESTS,
        Error::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        Error::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// What is said beside the field that an error belongs to.
#[must_use]
pub fn sentence(error: &Error) -> String {
    match error {
        Error::Invalid(fields) => fields.iter().map(|f| f.message.as_str()).collect::<Vec<_>>().join(" "),
        Error::Conflict(sentence) | Error::Limited { sentence, .. } => sentence.clone(),
        _ => String::new(),
    }
}

/// Events as they come, which no proxy is to gather.
pub fn events(body: Body) -> Response {
    let headers = [(header::CONTENT_TYPE, "text/event-stream"), (HeaderName::from_static("x-accel-buffering"), "no")];
    (headers, body).into_response()
}

/// The page or fragment of a form that was refused, with the error's status and headers.
pub fn refused(error: &Error, html: String) -> Response {
    let mut response = (status(error), Html(html)).into_response();
    tell_limit(response.headers_mut(), error);
    response
}

/// The answer of an act that counts: with what is left, if anything limits it.
pub fn counted(response: impl IntoResponse, allowance: Option<Allowance>) -> Response {
    let mut response = response.into_response();
    tell_allowance(response.headers_mut(), allowance);
    response
}

/// Of a sliding window: as many as may be in it, how many more, and in how many seconds there is one more again.
fn tell_allowance(headers: &mut HeaderMap, allowance: Option<Allowance>) {
    let Some(Allowance { most, left, reset, .. }) = allowance else { return };
    for (name, value) in [("x-ratelimit-limit", most), ("x-ratelimit-remaining", left), ("x-ratelimit-reset", reset)] {
        headers.insert(HeaderName::from_static(name), value.into());
    }
}

fn tell_limit(headers: &mut HeaderMap, error: &Error) {
    if let Error::Limited { retry_after, allowance, .. } = error {
        headers.insert(header::RETRY_AFTER, whole_seconds(*retry_after).max(1).into());
        tell_allowance(headers, *allowance);
    }
}

/// A title and a sentence for people, never an internal text.
fn words(status: StatusCode, error: Option<&Error>) -> (&'static str, String) {
    let said = match error {
        Some(Error::Invalid(fields)) => Some(fields.iter().map(|f| f.message.as_str()).collect::<Vec<_>>().join(" ")),
        Some(Error::Conflict(sentence) | Error::Limited { sentence, .. }) => Some(sentence.clone()),
        _ => None,
    };
    let (title, sentence) = text::refused(status.as_u16());
    (title, said.unwrap_or_else(|| sentence.to_owned()))
}

/// Who reads the errors at an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    Person,
    Program,
    /// A program with OpenAI's client.
    OpenAi,
    /// A program with Anthropic's client.
    Anthropic,
}

impl Reader {
    /// Whether a vendor's client asks.
    pub fn is_vendors(self) -> bool {
        matches!(self, Self::OpenAi | Self::Anthropic)
    }

    pub fn at(path: &str) -> Self {
        let within =
            |folder: &str| path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        match path {
            _ if within("/api") || path == "/ws" => Self::Program,
            _ if within("/v1/messages") => Self::Anthropic,
            _ if within("/v1") => Self::OpenAi,
            _ => Self::Person,
        }
    }
}

/// A refusal in a provider's own words, which has its face already.
#[derive(Clone, Copy)]
pub struct AsItIs;

/// How a request wants an error to look.
pub struct Face {
    method: Method,
    uri: Uri,
    /// htmx asks.
    fragment: bool,
    id: RequestId,
}

impl Face {
    pub fn of(request: &Request) -> Self {
        let id = request.extensions().get::<RequestId>().cloned().expect("every request has one: http/guard.rs");
        let fragment = auth::wants_fragment(request);
        Self { method: request.method().clone(), uri: request.uri().clone(), fragment, id }
    }

    /// Gives an error its face, and logs it if it is not the guest's.
    pub fn put_on(self, mut response: Response) -> Response {
        let told = response.extensions_mut().remove::<Told>();
        let refusal = response.extensions_mut().remove::<Refusal>();
        let mut status = response.status();
        if !(status.is_client_error() || status.is_server_error()) {
            return response;
        }
        let (path, id) = (self.uri.path(), self.id.0.as_str());
        let reader = Reader::at(path);
        if told.is_none() && status == StatusCode::INTERNAL_SERVER_ERROR {
            // the session layers answer so, with nothing else, when the database does not: that passes
            status = StatusCode::SERVICE_UNAVAILABLE;
        }
        let bare = told.is_none() && reader == Reader::Person && response.headers().contains_key(header::CONTENT_TYPE);
        if bare || response.extensions().get::<AsItIs>().is_some() {
            return response;
        }
        let error = told.as_ref().map(|t| t.0.as_ref());
        match error {
            Some(Error::Internal(cause)) => tracing::error!(request_id = id, "{cause:#}"),
            Some(Error::Unavailable(cause)) => tracing::warn!(request_id = id, cause, "unavailable"),
            None if status == StatusCode::SERVICE_UNAVAILABLE => {
                tracing::warn!(request_id = id, "a request took too long, or its session could not be read");
            }
            _ => {}
        }
        if path == "/up" || path == "/ready" || path.starts_with("/assets/") {
            *response.status_mut() = status; // machines ask
            return response;
        }
        let (title, message) = words(status, error);
        let sentence = refusal.as_ref().map_or(message.as_str(), Refusal::sentence);
        let mut faced = match reader {
            Reader::Program => problem::face(status, error, refusal.as_ref(), &message, id),
            Reader::OpenAi => {
                let wrong = match error {
                    Some(Error::Invalid(fields)) => fields.first().map(|field| field.field),
                    _ => refusal.as_ref().and_then(Refusal::first_field),
                };
                vendor::openai(status, refusal.as_ref(), wrong, sentence)
            }
            Reader::Anthropic => vendor::anthropic(status, sentence, id),
            Reader::Person => self.for_person(status, title, message),
        };
        keep_headers(&response, &mut faced);
        if faced.status().is_redirection() {
            return faced;
        }
        *faced.status_mut() = status;
        if let Some(error @ Error::Limited { .. }) = error {
            tell_limit(faced.headers_mut(), error);
        } else if status == StatusCode::SERVICE_UNAVAILABLE {
            faced.headers_mut().entry(header::RETRY_AFTER).or_insert(HeaderValue::from_static("2"));
        }
        faced
    }

    /// A page, nothing but a status for htmx, or a feed's last event.
    fn for_person(&self, status: StatusCode, title: &str, message: String) -> Response {
        if auth::wants_events(&self.uri) {
            // htmx reads this body only at the first connection; a behaviour of ours looks at the status
            let name = if matches!(status.as_u16(), 401 | 404 | 410) { "event: gone\n" } else { "" };
            ([(header::CONTENT_TYPE, "text/event-stream")], format!("{name}data: {message}\n\n")).into_response()
        } else if self.fragment {
            let mut bare = message.into_response();
            bare.headers_mut().insert("hx-reswap", HeaderValue::from_static("none"));
            if status == StatusCode::UNAUTHORIZED {
                bare.headers_mut().insert("hx-redirect", HeaderValue::from_static("/login"));
            }
            bare
        } else if status == StatusCode::UNAUTHORIZED {
            let asked = self.uri.path_and_query().filter(|_| self.method == Method::GET);
            Redirect::to(&asked.map_or("/login".to_owned(), |asked| auth::way_in(asked.as_str()))).into_response()
        } else {
            let (status, title, request_id) = (status.as_u16(), title.to_owned(), self.id.0.clone());
            Html(ErrorPage { status, title, message, request_id }.render()).into_response()
        }
    }
}

/// The last word of a feed whose session has ended: its page does not come back.
pub fn gone() -> Bytes {
    let (_, message) = words(StatusCode::UNAUTHORIZED, None);
    format!("event: gone\ndata: {message}\n\n").into()
}

/// What a face must not lose.
fn keep_headers(from: &Response, to: &mut Response) {
    let cors = [header::ACCESS_CONTROL_ALLOW_ORIGIN, header::ACCESS_CONTROL_EXPOSE_HEADERS, header::VARY];
    for name in [header::ALLOW, header::SET_COOKIE, header::RETRY_AFTER].into_iter().chain(cors) {
        for value in from.headers().get_all(&name) {
            to.headers_mut().append(name.clone(), value.clone());
        }
    }
}

/// The answer to an address that is none.
pub async fn no_such_page() -> Failure {
    Failure(Error::NotFound)
}

/// The answer to a method that an address does not have.
pub async fn wrong_method() -> StatusCode {
    StatusCode::METHOD_NOT_ALLOWED
}

/// The answer of a handler that panicked.
pub fn broken_off(error: JoinError) -> Failure {
    let Ok(panic) = error.try_into_panic() else { return Failure(Error::Internal(anyhow::anyhow!("cancelled"))) };
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    Failure(Error::Internal(anyhow::anyhow!("panic: {}", text.unwrap_or("without words"))))
}
