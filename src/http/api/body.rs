//! What programs send: JSON, with a bound to everything, refused by the name of the field. A type of a body has
//! `deny_unknown_fields` (a test looks). What must not live here: what the fields mean.

use crate::http::{Web, respond::problem::Refusal};
use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
    http::{HeaderMap, StatusCode, header},
};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::fmt::Write as _;

/// How deep lists and objects may stand in one another.
const DEPTH: usize = 32;

/// A JSON body.
pub struct Body<T>(pub T);

impl<T: DeserializeOwned> FromRequest<Web> for Body<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, web: &Web) -> Result<Self, Refusal> {
        if !is_json(request.headers()) {
            return Err(Refusal::not_json());
        }
        let bytes = Bytes::from_request(request, web).await.map_err(|error| match error.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Refusal::too_large(),
            _ => Refusal::unreadable(),
        })?;
        read(&bytes).map(Self)
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"))
}

fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Refusal> {
    let whole: Value = serde_json::from_slice(bytes).map_err(|error| {
        // the parser gives up at its own depth, which is beyond ours
        let deep = error.to_string().starts_with("recursion limit");
        if deep { too_deep("") } else { Refusal::malformed(error.line(), error.column()) }
    })?;
    if !whole.is_object() {
        // a list of the fields' values would do for the parser
        return Err(Refusal::field("body", "Send an object, with the names of its fields."));
    }
    look_through(&whole, &mut String::new(), 0)?;
    // from the bytes again, because a value has forgotten fields that came twice
    let mut json = serde_json::Deserializer::from_slice(bytes);
    serde_path_to_error::deserialize(&mut json).map_err(|error| wrong(&error))
}

/// Refuses what is too deep, and NUL, which no text of the database can hold.
fn look_through(value: &Value, path: &mut String, depth: usize) -> Result<(), Refusal> {
    let here = path.len();
    match value {
        Value::String(text) if text.contains('\0') => return Err(Refusal::field(path, "A text cannot hold NUL.")),
        Value::Array(_) | Value::Object(_) if depth == DEPTH => return Err(too_deep(path)),
        Value::Array(items) => {
            for (place, item) in items.iter().enumerate() {
                let _ = write!(path, "[{place}]"); // a String takes everything
                look_through(item, path, depth + 1)?;
                path.truncate(here);
            }
        }
        Value::Object(fields) => {
            for (name, field) in fields {
                if name.contains('\0') {
                    return Err(Refusal::field(path, "The name of a field cannot hold NUL."));
                }
                path.push_str(if here == 0 { "" } else { "." });
                path.extend(name.chars().take(80));
                look_through(field, path, depth + 1)?;
                path.truncate(here);
            }
        }
        _ => {}
    }
    Ok(())
}

fn too_deep(path: &str) -> Refusal {
    Refusal::field(&path.chars().take(200).collect::<String>(), "Lists and objects stand too deep in one another here.")
}

/// The parser's words name the field; its own sentence may repeat what was sent.
fn wrong(error: &serde_path_to_error::Error<serde_json::Error>) -> Refusal {
    let words = error.inner().to_string();
    let path = error.path().to_string();
    let named = words.split('`').nth(1).unwrap_or_default();
    let inside = |field: &str| match path.as_str() {
        "." | "?" => field.to_owned(),
        // of a field that is not known the path tells already
        path if path == field || path.ends_with(&format!(".{field}")) => path.to_owned(),
        path => format!("{path}.{field}"),
    };
    if words.starts_with("unknown field") {
        Refusal::field(&inside(named), "There is no such field.")
    } else if words.starts_with("missing field") {
        Refusal::field(&inside(named), "This field is missing.")
    } else if words.starts_with("duplicate field") {
        Refusal::field(&inside(named), "This field is there twice.")
    } else {
        let path = if path == "." { "body" } else { &path };
        Refusal::field(path, "What is here is not of the kind that belongs here.")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Sample {
        #[expect(dead_code, reason = "only read")]
        name: String,
        #[serde(default)]
        #[expect(dead_code, reason = "only read")]
        more: Vec<Value>,
    }

    #[test]
    fn s20_what_cannot_be_taken_is_named() {
        let deep = |levels: usize| format!("{{\"name\":\"a\",\"more\":{}{}}}", "[".repeat(levels), "]".repeat(levels));
        for (text, told) in [
            (r#"{"name":"a"}"#, None),
            (r#"{"name":"a","more":[1,{"x":null}]}"#, None),
            (r#"{"name":"a","role":"administrator"}"#, Some((422, "role"))),
            (r#"{"name":"a","name":"b"}"#, Some((422, "name"))),
            (r#"{"more":[]}"#, Some((422, "name"))),
            (r#"{"name":5}"#, Some((422, "name"))),
            (r#"{"name":null}"#, Some((422, "name"))),
            (r#"{"name":"a","more":{}}"#, Some((422, "more"))),
            (r#"{"name":"a\u0000b"}"#, Some((422, "name"))),
            (r#"{"name":"a","more":[{"x":["\u0000"]}]}"#, Some((422, "more[0].x[0]"))),
            (r#"{"name":"a","m\u0000":1}"#, Some((422, ""))),
            (r#"{"name":"\ud800"}"#, Some((400, ""))),
            ("{\"name\":\"a\0\"}", Some((400, ""))),
            (r#"["a"]"#, Some((422, "body"))),
            (r#""a""#, Some((422, "body"))),
            ("", Some((400, ""))),
            ("{", Some((400, ""))),
            (r#"{"name":"a"} x"#, Some((400, ""))),
            (&deep(31), None),
            (
                &deep(32),
                Some((
                    422,
                    "more[0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0]",
                )),
            ),
            (&deep(100_000), Some((422, ""))),
        ] {
            let read = read::<Sample>(text.as_bytes());
            let short: String = text.chars().take(60).collect();
            assert_eq!(read.as_ref().err().map(Refusal::told), told, "{short}");
        }
        assert_eq!(read::<Sample>(b"{\"name\":\"\xff\"}").unwrap_err().told(), (400, ""));
    }

    #[test]
    fn kinds() {
        for (kind, json) in [
            ("application/json", true),
            ("Application/JSON; charset=utf-8", true),
            ("application/merge-patch+json", true),
            ("text/plain", false),
            ("application/x-www-form-urlencoded", false),
            ("", false),
        ] {
            let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, kind.parse().unwrap())]);
            assert_eq!(is_json(&headers), json, "{kind}");
        }
        assert!(!is_json(&HeaderMap::new()));
    }
}
