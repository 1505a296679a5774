//! All of one's data as a file: having it made, and taking it. It is sent part by part.

use crate::{
    base::{clock, ids::TakeoutId},
    domain::takeout::{self, Takeout},
    http::{
        Web,
        auth::Me,
        extract::Id,
        present,
        respond::Failure,
        routes::{Access, Routes},
    },
    views::{DataFile, DataPage},
};
use axum::{
    body::Body,
    extract::State,
    http::{HeaderValue, header},
    response::{Html, IntoResponse, Redirect, Response},
};

pub fn routes(routes: Routes) -> Routes {
    routes.get("/settings/data", Access::Member, show).post("/settings/data", Access::Member, ask).get(
        "/settings/data/{id}",
        Access::Member,
        take,
    )
}

async fn show(State(web): State<Web>, Me(viewer): Me) -> Result<Html<String>, Failure> {
    let file = takeout::newest(&web.app, &viewer).await?.map(|file| {
        let Takeout { id, total, done, size, ended, failed } = file;
        DataFile { id, total, done, size, ended, failed }
    });
    let days = present::days(&web.app, &viewer, None).await?;
    Ok(Html(DataPage { me: present::me(&viewer), days, file }.render()))
}

async fn ask(State(web): State<Web>, Me(viewer): Me) -> Result<Redirect, Failure> {
    takeout::ask(&web.app, &viewer).await?;
    Ok(Redirect::to("/settings/data"))
}

async fn take(State(web): State<Web>, Me(viewer): Me, Id(id): Id<TakeoutId>) -> Result<Response, Failure> {
    let size = takeout::open(&web.app, &viewer, id).await?;
    let parts = futures::stream::try_unfold((web.app.clone(), 0, size), move |(app, number, left)| async move {
        if left == 0 {
            return Ok(None);
        }
        match takeout::part(&app, id, number).await {
            Ok(Some(part)) => {
                let left = left.saturating_sub(part.len() as u64);
                Ok(Some((part, (app, number + 1, left))))
            }
            // the connection breaks, so that nobody takes a part for the whole
            Ok(None) => Err(std::io::Error::other("it is gone")),
            Err(error) => {
                tracing::warn!(%error, "a file of somebody's data could not be read to its end");
                Err(std::io::Error::other("cut off"))
            }
        }
    });
    let name = format!("attachment; filename=\"parlor-{}.zip\"", clock::now().date());
    let mut response = Body::from_stream(parts).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/zip"));
    headers.insert(header::CONTENT_LENGTH, size.into());
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::CONTENT_DISPOSITION, HeaderValue::from_str(&name).expect("a date is plain"));
    Ok(response)
}
