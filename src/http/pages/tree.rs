//! Acts on one message of the tree: another of its versions, saying it otherwise, going on elsewhere, deleting and bringing
//! back. All plain forms answered by a redirect to where the message now stands.

use crate::{
    base::{
        Error,
        ids::{FileId, MessageId},
        money::money,
    },
    domain::{
        accounts::Viewer,
        generation::{self, Done, Original, Reworded},
    },
    http::{
        Web,
        auth::Me,
        extract::{Fields, Id, optional, wrong_field},
        present,
        respond::{self, Failure},
        routes::{Access, Routes},
    },
    views::{EditPage, MessagePage, dom},
};
use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{Html, IntoResponse, Redirect, Response},
};
use uuid::Uuid;

/// Characters of a message that name it on the page of its acts.
const EXCERPT: usize = 160;

pub fn routes(routes: Routes) -> Routes {
    routes
        .get("/messages/{id}", Access::Member, more)
        .get("/messages/{id}/edits", Access::Member, show_edit)
        .post("/messages/{id}/edits", Access::Member, edit)
        .post("/messages/{id}/show", Access::Member, show)
        .post("/messages/{id}/fork", Access::Member, fork)
        .post("/messages/{id}/delete", Access::Member, delete)
        .post("/messages/{id}/restore", Access::Member, restore)
}

/// The chat's page, with the message in sight.
pub fn there(done: Done) -> Redirect {
    let Done { chat, message, .. } = done;
    Redirect::to(&format!("/chats/{chat}?at={message}#{}", dom::message(message)))
}

async fn more(State(web): State<Web>, Me(viewer): Me, Id(id): Id<MessageId>) -> Result<Html<String>, Failure> {
    let original = generation::original(&web.app, &viewer, id).await?;
    let shown = generation::shown(&web.app, original.chat, &[id]).await?.pop().ok_or(Error::NotFound)?;
    let chosen = generation::asked_last(&web.app, &viewer, original.chat).await?;
    let cost = generation::cost(&web.app, &original, id).await?;
    let page = MessagePage {
        me: present::me(&viewer),
        days: present::days(&web.app, &viewer, Some(original.chat)).await?,
        chat: original.chat,
        message: id,
        by_model: original.by_model,
        models: present::models(&web.app, &viewer, chosen).await?,
        model: shown.model,
        tokens: shown.tokens,
        cost: cost.map(|cost| money(cost, &web.app.config.catalog.currency)),
        at: shown.created_at,
        excerpt: excerpt(&original.text),
    };
    Ok(Html(page.render()))
}

fn excerpt(text: &str) -> String {
    let mut line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some((at, _)) = line.char_indices().nth(EXCERPT) {
        line.truncate(at);
        line.push('…');
    }
    line
}

async fn show_edit(State(web): State<Web>, Me(viewer): Me, Id(id): Id<MessageId>) -> Result<Html<String>, Failure> {
    let original = generation::original(&web.app, &viewer, id).await?;
    Ok(Html(edit_page(&web, &viewer, id, original, None).await?))
}

async fn edit_page(
    web: &Web,
    viewer: &Viewer,
    id: MessageId,
    original: Original,
    error: Option<String>,
) -> Result<String, Failure> {
    let page = EditPage {
        me: present::me(viewer),
        days: present::days(&web.app, viewer, Some(original.chat)).await?,
        chat: original.chat,
        message: id,
        by_model: original.by_model,
        in_line: original.in_line,
        images: original.images.iter().map(present::image).collect(),
        words: original.text,
        key: Uuid::now_v7().to_string(),
        error,
    };
    Ok(page.render())
}

#[derive(Default)]
struct EditForm {
    content: String,
    key: String,
    /// `save`, or `ask`; a question is asked unless it is only to be saved.
    act: String,
    /// The images of those that the form shows; nothing of a form that shows none.
    files: Option<Vec<FileId>>,
}

impl EditForm {
    /// The fields as they were sent; the one of files as often as there are some.
    fn sent(fields: Vec<(String, String)>) -> Result<Self, Error> {
        let mut form = Self::default();
        for (name, value) in fields {
            match name.as_str() {
                "content" => form.content = value,
                "key" => form.key = value,
                "act" => form.act = value,
                // also when none of them is ticked
                "images" => drop(form.files.get_or_insert_default()),
                "file" => form.files.get_or_insert_default().extend(optional::<FileId>("file", &value)?),
                other => return Err(wrong_field(other)),
            }
        }
        Ok(form)
    }
}

async fn edit(
    State(web): State<Web>,
    Me(viewer): Me,
    Id(id): Id<MessageId>,
    Fields(fields): Fields<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let form = EditForm::sent(fields)?;
    let key = optional("key", &form.key)?;
    let reworded = Reworded { content: &form.content, files: form.files, key, ask: form.act != "save" };
    match generation::edit(&web.app, &viewer, id, &reworded).await {
        Ok(done) => Ok(respond::counted(there(done), done.allowance)),
        Err(error @ (Error::Invalid(_) | Error::Conflict(_) | Error::Limited { .. })) => {
            // what was typed stays
            let original = generation::original(&web.app, &viewer, id).await?;
            let original = Original { text: form.content, ..original };
            let page = edit_page(&web, &viewer, id, original, Some(respond::sentence(&error))).await?;
            Ok(respond::refused(&error, page))
        }
        Err(error) => Err(error.into()),
    }
}

async fn show(State(web): State<Web>, Me(viewer): Me, Id(id): Id<MessageId>) -> Result<Redirect, Failure> {
    Ok(there(generation::show(&web.app, &viewer, id).await?))
}

async fn fork(State(web): State<Web>, Me(viewer): Me, Id(id): Id<MessageId>) -> Result<Redirect, Failure> {
    let done = generation::fork(&web.app, &viewer, id).await?;
    Ok(Redirect::to(&format!("/chats/{}", done.chat)))
}

async fn delete(
    State(web): State<Web>,
    Me(viewer): Me,
    Id(id): Id<MessageId>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let deleted = generation::delete(&web.app, &viewer, id).await?;
    let chat = deleted.chat;
    Ok(match deleted.undo {
        Some(message) => Redirect::to(&format!("/chats/{chat}?removed={message}")).into_response(),
        None if headers.contains_key("hx-request") => StatusCode::NO_CONTENT.into_response(),
        None => Redirect::to(&format!("/chats/{chat}")).into_response(),
    })
}

async fn restore(State(web): State<Web>, Me(viewer): Me, Id(id): Id<MessageId>) -> Result<Redirect, Failure> {
    Ok(there(generation::restore(&web.app, &viewer, id).await?))
}
