//! Errors as programs read them: RFC 9457, `application/problem+json`, for every address under `/api`; and what only programs
//! are told. What must not live here: which error it is; and what is said to people.

use crate::{base::Error, domain::programs::Scope};
use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;

/// What only programs are told: how a body or a token is wrong. Travels in the response to where it gets its face.
#[derive(Debug, Clone)]
pub struct Refusal {
    status: StatusCode,
    detail: String,
    /// Path within the body, and a sentence.
    fields: Vec<(String, String)>,
    challenge: &'static str,
    /// The scope that is missing.
    scope: Option<Scope>,
    /// OpenAI's word for it.
    code: Option<&'static str>,
}

impl Refusal {
    pub fn new(status: StatusCode, detail: &str) -> Self {
        Self { status, detail: detail.to_owned(), fields: Vec::new(), challenge: "Bearer", scope: None, code: None }
    }

    /// No token came.
    pub fn no_token() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "Send an access token or an API key: `Authorization: Bearer …`.")
    }

    /// One came that is nobody's.
    pub fn bad_token() -> Self {
        let detail = "This access token or API key is unknown, has expired or was revoked.";
        Self { challenge: "Bearer error=\"invalid_token\"", ..Self::new(StatusCode::UNAUTHORIZED, detail) }
    }

    /// Signing in did not work; the words are the same whatever was wrong.
    pub fn bad_credentials() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "This address and password do not belong together.")
    }

    /// A refresh token is not good (any more).
    pub fn bad_refresh_token() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "This refresh token is unknown, has expired or was used before. Sign in again.",
        )
    }

    /// A good token, for other things.
    pub fn no_scope(scope: Scope) -> Self {
        let detail = format!("This takes the scope `{}`, which this API key does not have.", scope.name());
        Self { scope: Some(scope), ..Self::new(StatusCode::FORBIDDEN, &detail) }
    }

    pub fn not_json() -> Self {
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "Send JSON, with `Content-Type: application/json`.")
    }

    pub fn malformed(line: usize, column: usize) -> Self {
        let detail = format!("The body is no JSON: see line {line}, column {column}.");
        Self::new(StatusCode::BAD_REQUEST, &detail)
    }

    pub fn unreadable() -> Self {
        Self::new(StatusCode::BAD_REQUEST, "The body could not be read to its end.")
    }

    pub fn too_large() -> Self {
        let detail = "This is more than can be sent at once.";
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, detail).with_field("body", detail)
    }

    /// JSON, but a field of it cannot be taken.
    pub fn field(path: &str, sentence: &str) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "A field of the body cannot be taken.").with_field(path, sentence)
    }

    #[must_use]
    pub fn with_code(self, code: &'static str) -> Self {
        Self { code: Some(code), ..self }
    }

    pub fn code(&self) -> Option<&'static str> {
        self.code
    }

    /// The first field that is wrong.
    pub fn first_field(&self) -> Option<&str> {
        self.fields.first().map(|(path, _)| path.as_str())
    }

    /// What is wrong, in a sentence: of a field, if it is one.
    pub fn sentence(&self) -> &str {
        self.fields.first().map_or(&self.detail, |(_, words)| words)
    }

    pub fn with_field(mut self, path: &str, sentence: &str) -> Self {
        self.fields.push((path.to_owned(), sentence.to_owned()));
        self
    }

    #[cfg(test)]
    pub fn told(&self) -> (u16, &str) {
        (self.status.as_u16(), self.fields.first().map_or("", |(path, _)| path))
    }

    fn challenge(&self) -> String {
        match self.scope {
            Some(scope) => format!("Bearer error=\"insufficient_scope\", scope=\"{}\"", scope.name()),
            None => self.challenge.to_owned(),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// The face of an error. `sentence`: what people would be told.
pub fn face(
    status: StatusCode,
    error: Option<&Error>,
    refusal: Option<&Refusal>,
    sentence: &str,
    id: &str,
) -> Response {
    let fields: Vec<(&str, &str)> = match (refusal, error) {
        (Some(refusal), _) => refusal.fields.iter().map(|(path, words)| (path.as_str(), words.as_str())).collect(),
        (None, Some(Error::Invalid(fields))) => fields.iter().map(|f| (f.field, f.message.as_str())).collect(),
        _ => Vec::new(),
    };
    let mut problem = json!({
        "type": "about:blank",
        "title": status.canonical_reason().unwrap_or("Error"),
        "status": status.as_u16(),
        "detail": refusal.map_or(sentence, |refusal| &refusal.detail),
        "request_id": id,
    });
    if !fields.is_empty() {
        problem["errors"] = fields.iter().map(|(path, words)| json!({ "field": path, "detail": words })).collect();
    }
    let kind = (header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    let mut response = ([kind], problem.to_string()).into_response();
    let scope_is_missing = refusal.is_some_and(|refusal| refusal.scope.is_some());
    if status == StatusCode::UNAUTHORIZED || scope_is_missing {
        let challenge = refusal.map_or_else(|| "Bearer".to_owned(), Refusal::challenge);
        let challenge = HeaderValue::from_str(&challenge).expect("names of scopes are plain");
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    }
    response
}
