//! ETags: what a program has already is not sent again, and what was changed meanwhile is not overwritten.

use crate::{base::crypto::sha256, http::respond::problem::Refusal};
use axum::{
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::{IntoParams, IntoResponses};

/// Something in JSON, with its tag.
pub struct Tagged {
    json: String,
    tag: String,
}

impl Tagged {
    pub fn of(what: &impl Serialize) -> Self {
        let json = serde_json::to_string(what).expect("what programs are told is JSON");
        let tag = format!("\"{}\"", hex::encode(&sha256(json.as_bytes())[..12]));
        Self { json, tag }
    }

    /// Nothing but the tag, if the program has it.
    pub fn answer(self, headers: &HeaderMap) -> Response {
        let tag = HeaderValue::from_str(&self.tag).expect("hexadecimal digits are plain");
        if names(headers, header::IF_NONE_MATCH, &self.tag) == Some(true) {
            return (StatusCode::NOT_MODIFIED, [(header::ETAG, tag)]).into_response();
        }
        let kind = HeaderValue::from_static("application/json");
        ([(header::CONTENT_TYPE, kind), (header::ETAG, tag)], self.json).into_response()
    }

    /// If the program says that it has another one.
    pub fn refuses(&self, headers: &HeaderMap) -> Option<Refusal> {
        let sentence = "It was changed meanwhile. Read it again.";
        (names(headers, header::IF_MATCH, &self.tag) == Some(false))
            .then(|| Refusal::new(StatusCode::PRECONDITION_FAILED, sentence))
    }
}

/// Whether a header names this tag; nothing without the header.
fn names(headers: &HeaderMap, name: HeaderName, tag: &str) -> Option<bool> {
    let all: Vec<_> = headers.get_all(name).iter().map(|value| value.to_str().unwrap_or_default()).collect();
    let mut tags = all.iter().flat_map(|value| value.split(',')).map(str::trim);
    (!all.is_empty()).then(|| tags.any(|one| one == "*" || one.trim_start_matches("W/") == tag))
}

#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "for the document alone")]
pub struct IfNoneMatch {
    /// The `ETag` of what the program has.
    #[param(rename = "If-None-Match")]
    if_none_match: Option<String>,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "for the document alone")]
pub struct IfMatch {
    /// The `ETag` of what is to be changed.
    #[param(rename = "If-Match")]
    if_match: Option<String>,
}

#[derive(IntoResponses)]
#[expect(dead_code, reason = "for the document alone")]
pub enum NotModified {
    /// The program has it.
    #[response(status = 304)]
    NotModified,
}

#[derive(IntoResponses)]
#[expect(dead_code, reason = "for the document alone")]
pub enum Changed {
    /// It was changed meanwhile.
    #[response(status = 412, content_type = "application/problem+json")]
    Changed(super::problem::Problem),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_the_same() {
        let tagged = || Tagged::of(&serde_json::json!({ "a": 1 }));
        let tag = tagged().tag;
        let with = |name: HeaderName, value: &str| HeaderMap::from_iter([(name, value.parse().unwrap())]);
        for (value, has) in
            [(tag.as_str(), true), ("*", true), (&format!("\"x\", W/{tag}"), true), ("\"x\"", false), ("", false)]
        {
            let answer = tagged().answer(&with(header::IF_NONE_MATCH, value));
            assert_eq!(answer.status() == StatusCode::NOT_MODIFIED, has, "{value}");
            assert_eq!(tagged().refuses(&with(header::IF_MATCH, value)).is_none(), has, "{value}");
        }
        assert!(tagged().refuses(&HeaderMap::new()).is_none());
        assert_eq!(tagged().answer(&HeaderMap::new()).status(), StatusCode::OK);
    }
}
