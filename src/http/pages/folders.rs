//! Folders: all of them, one with its chats, and moving a chat into one or out of it.

use super::shelves;
use crate::{
    base::{
        Error,
        ids::{ChatId, FolderId},
    },
    domain::{
        accounts::Viewer,
        chats::{self, Cursor, Listed, folders},
    },
    http::{
        Web,
        auth::Me,
        extract::{Asked, Fields, Id, optional},
        present,
        respond::Failure,
        routes::{Access, Routes},
    },
    views::{self, ChatLine, FolderDeletePage, FolderLink, FolderPage, FoldersPage, MoveForm, MovePage},
};
use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{Html, IntoResponse, Redirect, Response},
};
use serde::Deserialize;

pub fn routes(routes: Routes) -> Routes {
    routes
        .get("/folders", Access::Member, show_all)
        .post("/folders", Access::Member, create)
        .get("/folders/{id}", Access::Member, show)
        .post("/folders/{id}", Access::Member, change)
        .post("/folders/{id}/open", Access::Member, open)
        .get("/folders/{id}/delete", Access::Member, show_delete)
        .post("/folders/{id}/delete", Access::Member, delete)
        .get("/chats/{id}/folder", Access::Member, show_move)
        .post("/chats/{id}/folder", Access::Member, put)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NameForm {
    name: String,
    /// The list shows its chats.
    #[serde(default)]
    opened: bool,
}

async fn show_all(State(web): State<Web>, Me(viewer): Me) -> Result<Html<String>, Failure> {
    Ok(Html(folders_page(&web, &viewer, String::new(), None).await?))
}

async fn create(State(web): State<Web>, Me(viewer): Me, Fields(form): Fields<NameForm>) -> Result<Response, Failure> {
    match folders::create(&web.app, &viewer, &form.name).await {
        Ok(id) => Ok(Redirect::to(&format!("/folders/{id}")).into_response()),
        Err(Error::Invalid(wrong)) => {
            let error = wrong.into_iter().next().map(|field| field.message);
            Ok(refused(folders_page(&web, &viewer, form.name, error).await?))
        }
        Err(error) => Err(error.into()),
    }
}

async fn folders_page(web: &Web, viewer: &Viewer, typed: String, error: Option<String>) -> Result<String, Failure> {
    let folders = links(web, viewer, None).await?;
    let days = present::days(&web.app, viewer, None).await?;
    Ok(FoldersPage { me: present::me(viewer), days, folders, typed, error }.render())
}

async fn links(web: &Web, viewer: &Viewer, current: Option<FolderId>) -> Result<Vec<FolderLink>, Failure> {
    let link = |f: folders::Folder| FolderLink { id: f.id, name: f.name, current: Some(f.id) == current };
    Ok(folders::all(&web.app, viewer).await?.into_iter().map(link).collect())
}

fn refused(page: String) -> Response {
    (StatusCode::UNPROCESSABLE_ENTITY, Html(page)).into_response()
}

#[derive(Deserialize)]
struct After {
    #[serde(default)]
    after: String,
}

async fn show(
    State(web): State<Web>,
    Me(viewer): Me,
    Id(id): Id<FolderId>,
    Asked(asked): Asked<After>,
) -> Result<Html<String>, Failure> {
    let after = optional::<Cursor>("after", &asked.after).map_err(|_| Error::NotFound)?;
    Ok(Html(folder_page(&web, &viewer, id, after).await?.render()))
}

async fn folder_page(web: &Web, viewer: &Viewer, id: FolderId, after: Option<Cursor>) -> Result<FolderPage, Failure> {
    let (folder, page) = folders::chats(&web.app, viewer, id, after).await?;
    let line = |chat: Listed| ChatLine { id: chat.id, title: chat.title, at: chat.active_at };
    Ok(FolderPage {
        me: present::me(viewer),
        days: present::days(&web.app, viewer, None).await?,
        id,
        name: folder.name.clone(),
        lines: page.chats.into_iter().map(line).collect(),
        further: after.is_some(),
        older: page.older.map(|older| older.to_string()),
        typed: folder.name,
        opened: folder.opened,
        error: None,
    })
}

async fn change(
    State(web): State<Web>,
    Me(viewer): Me,
    Id(id): Id<FolderId>,
    Fields(form): Fields<NameForm>,
) -> Result<Response, Failure> {
    match folders::change(&web.app, &viewer, id, &form.name, form.opened).await {
        Ok(()) => Ok(Redirect::to(&format!("/folders/{id}")).into_response()),
        Err(Error::Invalid(wrong)) => {
            let error = wrong.into_iter().next().map(|field| field.message);
            let page = folder_page(&web, &viewer, id, None).await?;
            Ok(refused(FolderPage { typed: form.name, opened: form.opened, error, ..page }.render()))
        }
        Err(error) => Err(error.into()),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OpenForm {
    open: bool,
}

/// Opened or folded where it stands in the list.
async fn open(
    State(web): State<Web>,
    Me(viewer): Me,
    Id(id): Id<FolderId>,
    headers: HeaderMap,
    Fields(form): Fields<OpenForm>,
) -> Result<Response, Failure> {
    folders::open(&web.app, &viewer, id, form.open).await?;
    if !headers.contains_key("hx-request") {
        return Ok(Redirect::to(&format!("/folders/{id}")).into_response());
    }
    let days = present::days(&web.app, &viewer, shelves::current(&headers)).await?;
    Ok(Html(views::live_list::folder(&days, id)).into_response())
}

async fn show_delete(State(web): State<Web>, Me(viewer): Me, Id(id): Id<FolderId>) -> Result<Html<String>, Failure> {
    let name = folders::find(&web.app, &viewer, id).await?.name;
    let days = present::days(&web.app, &viewer, None).await?;
    Ok(Html(FolderDeletePage { me: present::me(&viewer), days, id, name }.render()))
}

async fn delete(State(web): State<Web>, Me(viewer): Me, Id(id): Id<FolderId>) -> Result<Redirect, Failure> {
    folders::delete(&web.app, &viewer, id).await?;
    Ok(Redirect::to("/folders"))
}

async fn show_move(State(web): State<Web>, Me(viewer): Me, Id(id): Id<ChatId>) -> Result<Html<String>, Failure> {
    let form = move_form(&web, &viewer, id, String::new(), None).await?;
    Ok(Html(move_page(&web, &viewer, form).await?))
}

async fn move_form(
    web: &Web,
    viewer: &Viewer,
    chat: ChatId,
    typed: String,
    error: Option<String>,
) -> Result<MoveForm, Failure> {
    let title = chats::find(&mut *web.app.pools.http.acquire().await?, viewer, chat).await?.title;
    let folder = folders::of(&web.app, viewer, chat).await?;
    Ok(MoveForm { chat, title, folders: links(web, viewer, folder).await?, typed, error })
}

async fn move_page(web: &Web, viewer: &Viewer, form: MoveForm) -> Result<String, Failure> {
    let days = present::days(&web.app, viewer, Some(form.chat)).await?;
    Ok(MovePage { me: present::me(viewer), days, form }.render())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PutForm {
    /// A folder; nothing for none; `new` for one of that name.
    folder: String,
    #[serde(default)]
    name: String,
}

async fn put(
    State(web): State<Web>,
    Me(viewer): Me,
    Id(id): Id<ChatId>,
    headers: HeaderMap,
    Fields(form): Fields<PutForm>,
) -> Result<Response, Failure> {
    let moved = match form.folder.as_str() {
        "new" => folders::put_in_new(&web.app, &viewer, id, &form.name).await,
        folder => folders::put(&web.app, &viewer, id, optional("folder", folder)?).await,
    };
    let is_fragment = headers.contains_key("hx-request");
    match moved {
        Ok(()) if is_fragment => shelves::list_anew(&web, &viewer, &headers, id, None).await,
        Ok(()) => Ok(Redirect::to(&format!("/chats/{id}")).into_response()),
        Err(Error::Invalid(wrong)) => {
            let error = wrong.into_iter().next().map(|field| field.message);
            let form = move_form(&web, &viewer, id, form.name, error).await?;
            Ok(refused(if is_fragment { form.sheet() } else { move_page(&web, &viewer, form).await? }))
        }
        Err(error) => Err(error.into()),
    }
}
