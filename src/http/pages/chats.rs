//! A new chat, a chat, and what can be done with one as a whole: rename, delete.

use super::{
    live,
    shelves::{self, PutAwayBefore},
};
use crate::{
    base::{
        Error,
        ids::{ChatId, MessageId},
    },
    domain::{
        accounts::Viewer,
        chats,
        generation::{self, Shown, Spot, State as Making, Thread},
    },
    http::{
        Web,
        auth::{Here, Me},
        ended::Pass,
        extract::{Asked, Fields, Id, file_ids, optional},
        present::{self, Composing},
        respond::Failure,
        routes::{Access, Routes},
    },
    views::{self, ChatPage, DeletePage, HomePage, RenamePage},
};
use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{Html, IntoResponse, Redirect, Response},
};
use serde::Deserialize;

pub fn routes(routes: Routes) -> Routes {
    routes
        .get("/", Access::Member, home)
        .get("/chats/{id}", Access::Member, show)
        .get("/chats/{id}/title", Access::Member, show_title)
        .post("/chats/{id}/title", Access::Member, rename)
        .get("/chats/{id}/delete", Access::Member, show_delete)
        .post("/chats/{id}/delete", Access::Member, delete)
}

async fn home(
    State(web): State<Web>,
    Me(viewer): Me,
    Asked(gone): Asked<PutAwayBefore>,
    Asked(added): Asked<Added>,
) -> Result<Html<String>, Failure> {
    let mut page = new_chat(&web, &viewer, added.composing()?).await?;
    page.away = gone.away(&web, &viewer).await;
    Ok(Html(page.render()))
}

/// What was added to the message that is being written.
#[derive(Deserialize)]
struct Added {
    #[serde(default)]
    file: String,
}

impl Added {
    fn composing(&self) -> Result<Composing, Error> {
        let files = file_ids(&self.file).map_err(|_| Error::NotFound)?;
        Ok(Composing { files, ..Composing::default() })
    }
}

/// The page of a new chat; also the answer to a first message that cannot be taken.
pub async fn home_page(web: &Web, viewer: &Viewer, composing: Composing) -> Result<String, Failure> {
    Ok(new_chat(web, viewer, composing).await?.render())
}

async fn new_chat(web: &Web, viewer: &Viewer, composing: Composing) -> Result<HomePage, Failure> {
    let first_name = viewer.name.split_whitespace().next().unwrap_or_default();
    Ok(HomePage {
        me: present::me(viewer),
        days: present::days(&web.app, viewer, None).await?,
        away: None,
        greeting: views::text::greeting(first_name),
        composer: present::composer(&web.app, viewer, composing).await?,
        demo: web.app.is_demo(),
    })
}

#[derive(Deserialize)]
struct View {
    #[serde(default)]
    leaf: String,
    #[serde(default)]
    before: String,
    #[serde(default)]
    at: String,
    /// Deleted just now: it can be brought back.
    #[serde(default)]
    removed: String,
    #[serde(flatten)]
    added: Added,
    live: Option<String>,
    /// Stays as it is while an answer is written, also without scripts.
    still: Option<String>,
}

async fn show(
    State(web): State<Web>,
    Me(viewer): Me,
    Here(session): Here,
    Id(id): Id<ChatId>,
    Asked(view): Asked<View>,
) -> Result<Response, Failure> {
    let named = |field, text: &str| optional::<MessageId>(field, text).map_err(|_| Error::NotFound);
    let spots = [
        named("before", &view.before)?.map(Spot::Before),
        named("at", &view.at)?.map(Spot::At),
        named("leaf", &view.leaf)?.map(Spot::Leaf),
    ];
    let spot = spots.into_iter().flatten().next().unwrap_or(Spot::Newest);
    let thread = generation::thread(&web.app, &viewer, id, spot).await?;
    let running = written(&thread).cloned();
    if view.live.is_some()
        && let Some(running) = running
    {
        return live::hold_open(&web, &viewer, thread, running, web.feeds.hold(Pass::Session(session))).await;
    }
    let mut page = chat_page(&web, &viewer, &thread, view.added.composing()?, false).await?;
    page.still = view.still.is_some();
    if let Some(removed) = named("removed", &view.removed)?
        && generation::can_restore(&web.app, &viewer, removed).await?
    {
        page.undo = Some(removed);
    }
    Ok(Html(page.render()).into_response())
}

/// The answer on the path that is being written, or about to be; others may be in line behind it.
fn written(thread: &Thread) -> Option<&Shown> {
    thread.messages.iter().find(|m| matches!(m.state, Some(Making::Queued | Making::Streaming)))
}

/// The page of a chat; `composing` brings back what could not be taken.
pub async fn chat_page(
    web: &Web,
    viewer: &Viewer,
    thread: &Thread,
    composing: Composing,
    live: bool,
) -> Result<ChatPage, Failure> {
    let running = written(thread).map(|m| m.id);
    // a page of earlier messages goes on from the end of the shown path, not from its own last message
    let shown = thread.chat.leaf.ok_or(Error::NotFound)?;
    let model = composing.model.clone().or_else(|| thread.chat.model.clone());
    let composing = Composing { chat: Some(thread.chat.id), leaf: Some(shown), model, answering: running, ..composing };
    let mut messages: Vec<_> = thread.messages.iter().map(present::message).collect();
    if let Some(last) = messages.last_mut() {
        last.unanswered = last.mine && last.id == shown;
    }
    Ok(ChatPage {
        me: present::me(viewer),
        days: present::days(&web.app, viewer, Some(thread.chat.id)).await?,
        id: thread.chat.id,
        title: thread.chat.title.clone(),
        stands: match (thread.chat.archived, thread.chat.pinned) {
            (true, _) => views::Stands::Archived,
            (_, true) => views::Stands::Pinned,
            _ => views::Stands::Listed,
        },
        messages,
        leaf: shown,
        earlier: thread.messages.first().filter(|_| thread.earlier).map(|m| m.id),
        after: thread.after,
        composer: present::composer(&web.app, viewer, composing).await?,
        live,
        still: false,
        notice: None,
        undo: None,
        demo: web.app.is_demo(),
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TitleForm {
    title: String,
}

async fn show_title(State(web): State<Web>, Me(viewer): Me, Id(id): Id<ChatId>) -> Result<Html<String>, Failure> {
    Ok(Html(title_page(&web, &viewer, id, None, None).await?))
}

async fn title_page(
    web: &Web,
    viewer: &Viewer,
    id: ChatId,
    typed: Option<String>,
    error: Option<String>,
) -> Result<String, Failure> {
    let mut conn = web.app.pools.http.acquire().await?;
    let chat = chats::find(&mut conn, viewer, id).await?;
    drop(conn);
    let days = present::days(&web.app, viewer, Some(id)).await?;
    Ok(RenamePage { me: present::me(viewer), days, id, title: typed.unwrap_or(chat.title), error }.render())
}

async fn rename(
    State(web): State<Web>,
    Me(viewer): Me,
    Id(id): Id<ChatId>,
    headers: HeaderMap,
    Fields(form): Fields<TitleForm>,
) -> Result<Response, Failure> {
    match chats::rename(&web.app, &viewer, id, &form.title).await {
        Ok(()) if headers.contains_key("hx-request") => {
            let chat = chats::find(&mut *web.app.pools.http.acquire().await?, &viewer, id).await?;
            let own = shelves::current(&headers) == Some(id);
            Ok(Html(views::feed::renamed(id, &chat.title, own)).into_response())
        }
        Ok(()) => Ok(Redirect::to(&format!("/chats/{id}")).into_response()),
        Err(Error::Invalid(fields)) => {
            let error = fields.into_iter().next().map(|f| f.message);
            let page = title_page(&web, &viewer, id, Some(form.title), error).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, Html(page)).into_response())
        }
        Err(error) => Err(error.into()),
    }
}

async fn show_delete(State(web): State<Web>, Me(viewer): Me, Id(id): Id<ChatId>) -> Result<Html<String>, Failure> {
    let mut conn = web.app.pools.http.acquire().await?;
    let chat = chats::find(&mut conn, &viewer, id).await?;
    drop(conn);
    let days = present::days(&web.app, &viewer, Some(id)).await?;
    Ok(Html(DeletePage { me: present::me(&viewer), days, id, title: chat.title, error: None }.render()))
}

async fn delete(State(web): State<Web>, Me(viewer): Me, Id(id): Id<ChatId>) -> Result<Redirect, Failure> {
    generation::delete_chat(&web.app, &viewer, id).await?;
    Ok(Redirect::to(&format!("/?deleted={id}")))
}
