//! Lists that come in pages, and the queries that ask for them.

use crate::{
    base::Error,
    domain::chats::Cursor,
    http::{Web, respond::problem::Refusal},
};
use axum::{
    extract::{FromRequestParts, Query},
    http::{StatusCode, request::Parts},
};
use serde::{Serialize, de::DeserializeOwned};
use utoipa::ToSchema;

/// A page of a list.
#[derive(Serialize, ToSchema)]
pub struct Listed<T> {
    pub data: Vec<T>,
    /// For the page after this one; null at the end.
    pub next_cursor: Option<String>,
}

/// A query; one that cannot be read is refused.
pub struct Paging<T>(pub T);

impl<T: DeserializeOwned> FromRequestParts<Web> for Paging<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Refusal> {
        let Query(query) = Query::<T>::from_request_parts(parts, web).await.map_err(|error| {
            let words = error.body_text();
            let field = words.split('`').nth(1).unwrap_or("query").to_owned();
            Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, "A part of the query cannot be taken.")
                .with_field(&field, "What is here is not of the kind that belongs here.")
        })?;
        Ok(Self(query))
    }
}

/// A place in the list of conversations.
///
/// # Errors
/// [`Error::Invalid`] for one that is none.
pub fn cursor(text: &str) -> Result<Cursor, Error> {
    text.parse().map_err(|_| Error::invalid("cursor", "This is no `next_cursor` of a page before."))
}
