//! Parsing at the edge: ids of paths, fields of forms and queries. After here everything has a type.

use super::{Web, respond::Failure};
use crate::base::{Error, ids::FileId};
use axum::{
    Form,
    extract::{FromRequest, FromRequestParts, Path, Query, Request, rejection::FormRejection},
    http::{HeaderMap, StatusCode, request::Parts},
};
use serde::de::DeserializeOwned;
use std::str::FromStr;

/// The id in a path. One that cannot be an id belongs to nothing: not found.
pub struct Id<T>(pub T);

impl<T: FromStr + Send> FromRequestParts<Web> for Id<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Failure> {
        let Path(text) = Path::<String>::from_request_parts(parts, web).await.map_err(|_| Error::NotFound)?;
        Ok(Self(text.parse().map_err(|_| Error::NotFound)?))
    }
}

/// A form's fields. Unknown ones are refused by the types themselves.
pub struct Fields<T>(pub T);

impl<T: DeserializeOwned> FromRequest<Web> for Fields<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, web: &Web) -> Result<Self, Failure> {
        match Form::<T>::from_request(request, web).await {
            Ok(Form(fields)) => Ok(Self(fields)),
            Err(FormRejection::BytesRejection(e)) if e.status() == StatusCode::PAYLOAD_TOO_LARGE => {
                Err(Error::invalid("body", "This is more than can be sent at once. Shorten it, or send it in parts.")
                    .into())
            }
            Err(FormRejection::FailedToDeserializeFormBody(e)) => {
                Err(Error::invalid("form", wrong(&e.to_string())).into())
            }
            Err(_) => Err(Error::invalid("form", "This form could not be read. Reload the page and try again.").into()),
        }
    }
}

/// For a field of a form that is not known, or cannot be read.
pub fn wrong_field(field: &str) -> Error {
    Error::invalid("form", wrong(&format!("`{field}`")))
}

/// The parser's words name the field; its own sentence is not for people.
fn wrong(words: &str) -> String {
    let field = words.split('`').nth(1).filter(|f| f.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'));
    match field {
        Some(field) => format!("The field “{field}” of this form cannot be taken. Reload the page and try again."),
        None => "A field of this form cannot be taken. Reload the page and try again.".to_owned(),
    }
}

/// A query's fields; one that cannot be read is not found.
pub struct Asked<T>(pub T);

impl<T: DeserializeOwned> FromRequestParts<Web> for Asked<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Failure> {
        let Query(fields) = Query::<T>::from_request_parts(parts, web).await.map_err(|_| Error::NotFound)?;
        Ok(Self(fields))
    }
}

/// Reads an id that a form may leave empty.
///
/// # Errors
/// [`Error::Invalid`] for that field.
pub fn optional<T: FromStr>(field: &'static str, text: &str) -> Result<Option<T>, Error> {
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| wrong_field(field))
}

/// The ids of files in a query, separated by commas.
///
/// # Errors
/// [`Error::Invalid`] for one that cannot be an id.
pub fn file_ids(text: &str) -> Result<Vec<FileId>, Error> {
    let parts = text.split(',').filter(|part| !part.is_empty());
    parts.map(|part| part.parse().map_err(|_| wrong_field("file"))).collect()
}

/// What list a page says that it has; nothing for a page that does not say.
pub fn list_stamp(headers: &HeaderMap) -> &str {
    headers.get("parlor-list").and_then(|stamp| stamp.to_str().ok()).unwrap_or_default()
}
