//! Liking and disliking an answer, and saying why.

use crate::{
    base::{Error, ids::MessageId},
    domain::{
        accounts::Viewer,
        generation::{self, MAX_NOTE},
    },
    http::{
        Web,
        auth::Me,
        extract::{Fields, Id},
        present,
        respond::{self, Failure},
        routes::{Access, Routes},
    },
    views::{Rated, Rating, RatingPage},
};
use axum::{
    extract::State,
    http::HeaderMap,
    response::{Html, IntoResponse, Response},
};
use serde::Deserialize;

pub fn routes(routes: Routes) -> Routes {
    routes.get("/messages/{id}/rating", Access::Member, show).post("/messages/{id}/rating", Access::Member, rate)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RatingForm {
    rating: Mind,
    /// Nothing: it stays as it is.
    note: Option<String>,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "lowercase")]
enum Mind {
    Like,
    Dislike,
    None,
}

/// For an answer that is liked or disliked already: a note is about that.
async fn show(State(web): State<Web>, Me(viewer): Me, Id(id): Id<MessageId>) -> Result<Html<String>, Failure> {
    let (done, rating) = generation::rating(&web.app, &viewer, id).await?;
    let rating = rating.ok_or(Error::NotFound)?;
    Ok(Html(page(&web, &viewer, done, rating, None).await?))
}

async fn page(
    web: &Web,
    viewer: &Viewer,
    done: generation::Done,
    rating: generation::Rating,
    error: Option<String>,
) -> Result<String, Failure> {
    let page = RatingPage {
        me: present::me(viewer),
        days: present::days(&web.app, viewer, Some(done.chat)).await?,
        chat: done.chat,
        message: done.message,
        liked: rating.liked,
        note: rating.note,
        max_chars: MAX_NOTE,
        error,
    };
    Ok(page.render())
}

async fn rate(
    State(web): State<Web>,
    Me(viewer): Me,
    Id(id): Id<MessageId>,
    headers: HeaderMap,
    Fields(form): Fields<RatingForm>,
) -> Result<Response, Failure> {
    let liked = match form.rating {
        Mind::Like => Some(true),
        Mind::Dislike => Some(false),
        Mind::None => None,
    };
    match (generation::rate(&web.app, &viewer, id, liked, form.note.as_deref()).await, liked) {
        (Ok(_), _) if headers.contains_key("hx-request") => {
            let (_, rating) = generation::rating(&web.app, &viewer, id).await?;
            let rated = rating.map(|rating| Rated { liked: rating.liked, noted: !rating.note.is_empty() });
            Ok(Html(Rating { message: id, rated }.html()).into_response())
        }
        (Ok(done), _) => Ok(super::tree::there(done).into_response()),
        (Err(error @ Error::Invalid(_)), Some(liked)) => {
            // what was typed stays
            let (done, _) = generation::rating(&web.app, &viewer, id).await?;
            let typed = generation::Rating { liked, note: form.note.unwrap_or_default() };
            let page = page(&web, &viewer, done, typed, Some(respond::sentence(&error))).await?;
            Ok((respond::status(&error), Html(page)).into_response())
        }
        (Err(error), _) => Err(error.into()),
    }
}
