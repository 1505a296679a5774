//! Where chats stand: what puts one on top, into the archive or away; the archive, and the list page by page.

use crate::{
    base::{Error, ids::ChatId},
    domain::{
        accounts::Viewer,
        chats::{self, Cursor, Listed, Place},
        generation,
    },
    http::{
        Web,
        auth::Me,
        extract::{Asked, Fields, Id, list_stamp, optional},
        present,
        respond::Failure,
        routes::{Access, Routes},
    },
    views::{self, ChatLine, PutAway, ShelfPage},
};
use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{Html, IntoResponse, Redirect, Response},
};
use serde::Deserialize;

pub fn routes(routes: Routes) -> Routes {
    routes
        .get("/chats", Access::Member, list)
        .get("/archive", Access::Member, archive)
        .post("/chats/{id}/place", Access::Member, put)
        .post("/chats/{id}/restore", Access::Member, restore)
}

#[derive(Deserialize)]
struct After {
    #[serde(default)]
    after: String,
}

/// The list from some entry on: as a page, or, for the list itself, only what comes.
async fn list(
    State(web): State<Web>,
    Me(viewer): Me,
    headers: HeaderMap,
    Asked(asked): Asked<After>,
) -> Result<Html<String>, Failure> {
    let after = optional::<Cursor>("after", &asked.after).map_err(|_| Error::NotFound)?;
    if let (Some(after), true) = (after, headers.contains_key("hx-request")) {
        let days = present::more_days(&web.app, &viewer, after, current(&headers)).await?;
        return Ok(Html(views::Chats { days }.render()));
    }
    let page = match after {
        Some(after) => chats::older(&web.app, &viewer, after).await?,
        None => chats::shelf(&web.app, &viewer).await?,
    };
    Ok(Html(shelf_page(&web, &viewer, page, false, after.is_some()).await?.render()))
}

async fn archive(
    State(web): State<Web>,
    Me(viewer): Me,
    Asked(asked): Asked<After>,
    Asked(gone): Asked<PutAwayBefore>,
) -> Result<Html<String>, Failure> {
    let after = optional::<Cursor>("after", &asked.after).map_err(|_| Error::NotFound)?;
    let page = chats::archive(&web.app, &viewer, after).await?;
    let mut page = shelf_page(&web, &viewer, page, true, after.is_some()).await?;
    page.away = gone.away(&web, &viewer).await;
    Ok(Html(page.render()))
}

async fn shelf_page(
    web: &Web,
    viewer: &Viewer,
    page: chats::Page,
    archive: bool,
    further: bool,
) -> Result<ShelfPage, Failure> {
    Ok(ShelfPage {
        me: present::me(viewer),
        days: present::days(&web.app, viewer, None).await?,
        archive,
        further,
        lines: page.chats.into_iter().map(line).collect(),
        older: page.older.map(|older| older.to_string()),
        away: None,
    })
}

fn line(chat: Listed) -> ChatLine {
    ChatLine { id: chat.id, title: chat.title, at: chat.active_at }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PlaceForm {
    place: String,
    /// The page to come back to: the archive, or nothing.
    #[serde(default)]
    back: String,
}

async fn put(
    State(web): State<Web>,
    Me(viewer): Me,
    Id(id): Id<ChatId>,
    headers: HeaderMap,
    Fields(form): Fields<PlaceForm>,
) -> Result<Response, Failure> {
    let place = match form.place.as_str() {
        "pinned" => Some(Place::Pinned),
        "listed" => Some(Place::Listed),
        "archived" => Some(Place::Archived),
        "deleted" => None,
        _ => return Err(Error::invalid("place", "There is no such place for a chat.").into()),
    };
    let title = chats::find(&mut *web.app.pools.http.acquire().await?, &viewer, id).await?.title;
    match place {
        Some(place) => chats::put(&web.app, &viewer, id, place).await?,
        None => generation::delete_chat(&web.app, &viewer, id).await?,
    }
    let back = if form.back == "archive" { "/archive" } else { "/" };
    let url = match place {
        None => format!("{back}?deleted={id}"),
        Some(Place::Archived) => format!("/?archived={id}"),
        Some(_) if form.back == "archive" => back.to_owned(),
        Some(_) => format!("/chats/{id}"),
    };
    if !headers.contains_key("hx-request") {
        return Ok(Redirect::to(&url).into_response());
    }
    if place.is_none() && current(&headers) == Some(id) {
        return Ok(([("hx-redirect", url)], StatusCode::OK).into_response());
    }
    let away = matches!(place, None | Some(Place::Archived)).then(|| PutAway { id, title, deleted: place.is_none() });
    list_anew(&web, &viewer, &headers, id, away.as_ref()).await
}

async fn restore(
    State(web): State<Web>,
    Me(viewer): Me,
    Id(id): Id<ChatId>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    chats::restore(&web.app, &viewer, id).await?;
    if headers.contains_key("hx-request") {
        return list_anew(&web, &viewer, &headers, id, None).await;
    }
    Ok(Redirect::to(&format!("/chats/{id}")).into_response())
}

/// The list, down to where that of the page goes. When the chat that was moved belongs further down, it is as on a page
/// that was just opened.
pub async fn list_anew(
    web: &Web,
    viewer: &Viewer,
    headers: &HeaderMap,
    moved: ChatId,
    away: Option<&PutAway>,
) -> Result<Response, Failure> {
    let upto: Option<Cursor> = list_stamp(headers).split_once('~').and_then(|(end, _)| end.parse().ok());
    let side = chats::grown(&web.app, viewer, upto).await?;
    let entry = chats::entry(&web.app, viewer, moved).await?;
    let cut = side.page.older.is_some() || entry.is_some_and(|entry| upto.is_some_and(|upto| entry < upto));
    let days = if cut {
        present::days(&web.app, viewer, current(headers)).await?
    } else {
        present::grown_days(&side, upto, current(headers), viewer.zone)
    };
    Ok(Html(views::list_anew(&days, moved, cut, away)).into_response())
}

/// The chat whose page a fragment is for.
pub fn current(headers: &HeaderMap) -> Option<ChatId> {
    let url = headers.get("hx-current-url")?.to_str().ok()?;
    url.split_once("/chats/")?.1.get(..36)?.parse().ok()
}

/// What was put away before this page, by its address; anything else is nothing.
#[derive(Deserialize)]
pub struct PutAwayBefore {
    #[serde(default)]
    deleted: String,
    #[serde(default)]
    archived: String,
}

impl PutAwayBefore {
    /// What is offered back on the page.
    pub async fn away(&self, web: &Web, viewer: &Viewer) -> Option<PutAway> {
        if let Ok(id) = self.deleted.parse() {
            let title = chats::just_deleted(&web.app, viewer, id).await.ok()?;
            return Some(PutAway { id, title, deleted: true });
        }
        let id = self.archived.parse().ok()?;
        let title = chats::just_archived(&web.app, viewer, id).await.ok()?;
        Some(PutAway { id, title, deleted: false })
    }
}
