//! Errors as the vendors' clients read them, under `/v1`: OpenAI's object, or Anthropic's at its own address. Which class a
//! client raises follows from the status. What must not live here: which error it is.

use super::problem::Refusal;
use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

/// OpenAI's. `field`: the one that is wrong.
pub fn openai(status: StatusCode, refusal: Option<&Refusal>, field: Option<&str>, sentence: &str) -> Response {
    let code = refusal.and_then(Refusal::code).or(match status {
        StatusCode::UNAUTHORIZED => Some("invalid_api_key"),
        StatusCode::TOO_MANY_REQUESTS => Some("rate_limit_exceeded"),
        _ => None,
    });
    let kind = match status {
        StatusCode::TOO_MANY_REQUESTS => "rate_limit_error",
        StatusCode::FORBIDDEN => "permission_error",
        status if status.is_server_error() => "server_error",
        _ => "invalid_request_error",
    };
    answer(&openai_error(kind, code, field, sentence))
}

/// The object of an error.
pub fn openai_error(kind: &str, code: Option<&str>, field: Option<&str>, sentence: &str) -> Value {
    json!({ "error": { "message": sentence, "type": kind, "param": field, "code": code } })
}

/// Anthropic's.
pub fn anthropic(status: StatusCode, sentence: &str, id: &str) -> Response {
    let kind = match status {
        StatusCode::UNAUTHORIZED => "authentication_error",
        StatusCode::FORBIDDEN => "permission_error",
        StatusCode::NOT_FOUND => "not_found_error",
        StatusCode::PAYLOAD_TOO_LARGE => "request_too_large",
        StatusCode::TOO_MANY_REQUESTS => "rate_limit_error",
        StatusCode::SERVICE_UNAVAILABLE => "overloaded_error",
        status if status.is_server_error() => "api_error",
        _ => "invalid_request_error",
    };
    let mut error = anthropic_error(kind, sentence);
    error["request_id"] = id.into();
    answer(&error)
}

/// The object of an error.
pub fn anthropic_error(kind: &str, sentence: &str) -> Value {
    json!({ "type": "error", "error": { "type": kind, "message": sentence } })
}

fn answer(error: &Value) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], error.to_string()).into_response()
}
