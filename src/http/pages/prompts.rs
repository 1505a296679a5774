//! Prompt templates: the page to pick one, the form to fill it in, which leads to the composer, and the settings page
//! that keeps them. The composer's behaviour shows the first two in a dialog.

use super::chats::{chat_page, home_page};
use crate::{
    base::{
        Error,
        error::FieldError,
        ids::{ChatId, PromptId},
    },
    domain::{
        accounts::Viewer,
        generation,
        prompts::{self, Prompt, Typed},
    },
    http::{
        Web,
        auth::Me,
        extract::{Asked, Fields, Id, optional},
        present::{self, Composing},
        respond::{self, Failure},
        routes::{Access, Routes},
    },
    views::{FillPage, PickPage, PromptForm, PromptLink, PromptPage, PromptsPage},
};
use axum::{
    extract::State,
    response::{Html, IntoResponse, Redirect, Response},
};
use serde::Deserialize;

pub fn routes(routes: Routes) -> Routes {
    routes
        .get("/prompts", Access::Member, pick)
        .get("/prompts/{id}", Access::Member, show)
        .post("/prompts/{id}", Access::Member, fill)
        .get("/settings/prompts", Access::Member, keep)
        .post("/settings/prompts", Access::Member, create)
        .get("/settings/prompts/{id}", Access::Member, edit)
        .post("/settings/prompts/{id}", Access::Member, change)
        .post("/settings/prompts/{id}/delete", Access::Member, delete)
}

/// Which chat's composer it is for; a new chat's without one.
#[derive(Deserialize)]
struct For {
    #[serde(default)]
    chat: String,
}

async fn pick(State(web): State<Web>, Me(viewer): Me, Asked(whose): Asked<For>) -> Result<Html<String>, Failure> {
    let chat = optional::<ChatId>("chat", &whose.chat).map_err(|_| Error::NotFound)?;
    let prompts = links(prompts::list(&web.app, &viewer).await?);
    let days = present::days(&web.app, &viewer, chat).await?;
    Ok(Html(PickPage { me: present::me(&viewer), days, chat, prompts }.render()))
}

/// The small form; of a text without variables, the composer at once.
async fn show(
    State(web): State<Web>,
    Me(viewer): Me,
    Id(id): Id<PromptId>,
    Asked(whose): Asked<For>,
) -> Result<Html<String>, Failure> {
    let chat = optional::<ChatId>("chat", &whose.chat).map_err(|_| Error::NotFound)?;
    let prompt = prompts::find(&web.app, &viewer, id).await?;
    let variables: Vec<_> = prompts::variables(&prompt.text).into_iter().map(str::to_owned).collect();
    if variables.is_empty() {
        return composer_with(&web, &viewer, chat, prompt.text).await;
    }
    let days = present::days(&web.app, &viewer, chat).await?;
    Ok(Html(FillPage { me: present::me(&viewer), days, chat, id, name: prompt.name, variables }.render()))
}

/// Nothing is changed by it: the answer is a page with the text in its composer.
async fn fill(
    State(web): State<Web>,
    Me(viewer): Me,
    Id(id): Id<PromptId>,
    Fields(fields): Fields<Vec<(String, String)>>,
) -> Result<Html<String>, Failure> {
    let prompt = prompts::find(&web.app, &viewer, id).await?;
    let chat = fields.iter().find(|(name, _)| name == "chat").map_or("", |(_, chat)| chat.as_str());
    let chat = optional::<ChatId>("chat", chat)?;
    let values: Vec<_> = fields.into_iter().filter(|(name, _)| name == "value").map(|(_, value)| value).collect();
    composer_with(&web, &viewer, chat, prompts::fill(&prompt.text, &values).replace("\r\n", "\n")).await
}

async fn composer_with(
    web: &Web,
    viewer: &Viewer,
    chat: Option<ChatId>,
    text: String,
) -> Result<Html<String>, Failure> {
    let composing = Composing { text, ..Composing::default() };
    let Some(chat) = chat else { return Ok(Html(home_page(web, viewer, composing).await?)) };
    let thread = generation::thread(&web.app, viewer, chat, generation::Spot::Newest).await?;
    let mut page = chat_page(web, viewer, &thread, composing, false).await?;
    page.still = true; // without scripts: it does not lead itself away from what is to be sent
    Ok(Html(page.render()))
}

#[derive(Deserialize)]
struct Done {
    saved: Option<String>,
}

async fn keep(State(web): State<Web>, Me(viewer): Me, Asked(done): Asked<Done>) -> Result<Html<String>, Failure> {
    Ok(Html(keep_page(&web, &viewer, Typed::default(), Vec::new(), done.saved.is_some()).await?))
}

async fn keep_page(
    web: &Web,
    viewer: &Viewer,
    typed: Typed,
    wrong: Vec<FieldError>,
    saved: bool,
) -> Result<String, Failure> {
    let prompts = links(prompts::list(&web.app, viewer).await?);
    let days = present::days(&web.app, viewer, None).await?;
    Ok(PromptsPage { me: present::me(viewer), days, saved, prompts, form: form(viewer, typed, wrong) }.render())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeepForm {
    name: String,
    text: String,
    #[serde(default)]
    shared: bool,
}

impl KeepForm {
    fn typed(self) -> Typed {
        Typed { name: self.name, text: self.text, shared: self.shared }
    }
}

async fn create(State(web): State<Web>, Me(viewer): Me, Fields(form): Fields<KeepForm>) -> Result<Response, Failure> {
    let typed = form.typed();
    match prompts::create(&web.app, &viewer, &typed).await {
        Ok(_) => Ok(Redirect::to("/settings/prompts?saved").into_response()),
        Err(Error::Invalid(wrong)) => {
            let status = respond::status(&Error::Invalid(Vec::new()));
            Ok((status, Html(keep_page(&web, &viewer, typed, wrong, false).await?)).into_response())
        }
        Err(error) => Err(error.into()),
    }
}

async fn edit(State(web): State<Web>, Me(viewer): Me, Id(id): Id<PromptId>) -> Result<Html<String>, Failure> {
    let Prompt { name, text, shared, .. } = prompts::find_mine(&web.app, &viewer, id).await?;
    Ok(Html(edit_page(&web, &viewer, id, Typed { name, text, shared }, Vec::new()).await?))
}

async fn edit_page(
    web: &Web,
    viewer: &Viewer,
    id: PromptId,
    typed: Typed,
    wrong: Vec<FieldError>,
) -> Result<String, Failure> {
    let days = present::days(&web.app, viewer, None).await?;
    Ok(PromptPage { me: present::me(viewer), days, id, form: form(viewer, typed, wrong) }.render())
}

async fn change(
    State(web): State<Web>,
    Me(viewer): Me,
    Id(id): Id<PromptId>,
    Fields(form): Fields<KeepForm>,
) -> Result<Response, Failure> {
    let typed = form.typed();
    match prompts::change(&web.app, &viewer, id, &typed).await {
        Ok(()) => Ok(Redirect::to("/settings/prompts?saved").into_response()),
        Err(Error::Invalid(wrong)) => {
            let status = respond::status(&Error::Invalid(Vec::new()));
            Ok((status, Html(edit_page(&web, &viewer, id, typed, wrong).await?)).into_response())
        }
        Err(error) => Err(error.into()),
    }
}

async fn delete(State(web): State<Web>, Me(viewer): Me, Id(id): Id<PromptId>) -> Result<Redirect, Failure> {
    prompts::delete(&web.app, &viewer, id).await?;
    Ok(Redirect::to("/settings/prompts"))
}

fn form(viewer: &Viewer, typed: Typed, wrong: Vec<FieldError>) -> PromptForm {
    PromptForm {
        name: typed.name,
        text: typed.text,
        shared: typed.shared,
        may_share: viewer.administrator,
        errors: wrong.into_iter().map(|error| (error.field, error.message)).collect(),
    }
}

fn links(prompts: Vec<Prompt>) -> Vec<PromptLink> {
    let link = |prompt: Prompt| PromptLink {
        id: prompt.id,
        excerpt: prompt.text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(120).collect(),
        name: prompt.name,
        shared: prompt.shared,
        mine: prompt.mine,
    };
    prompts.into_iter().map(link).collect()
}
