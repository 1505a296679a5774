//! The settings: one's own way, and a chat's.

use crate::{
    base::{Error, error::FieldError, ids::ChatId},
    domain::{accounts::Viewer, catalog, chats::way, own},
    http::{
        Web,
        auth::Me,
        extract::{Asked, Fields, Id},
        present,
        respond::{self, Failure},
        routes::{Access, Routes},
    },
    views::{ChatSettingsPage, ModelChoice, SettingsPage, WayForm},
};
use axum::{
    extract::State,
    response::{Html, IntoResponse, Redirect, Response},
};
use serde::Deserialize;

pub fn routes(routes: Routes) -> Routes {
    routes
        .get("/settings", Access::Member, show)
        .post("/settings", Access::Member, save)
        .get("/chats/{id}/settings", Access::Member, show_chat)
        .post("/chats/{id}/settings", Access::Member, save_chat)
}

#[derive(Deserialize)]
struct Done {
    saved: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OwnForm {
    instructions: String,
    model: String,
    temperature: String,
    theme: String,
    /// Forms from before they were there do not say them.
    letters: Option<String>,
    /// Forms from before it was there do not say it.
    language: Option<String>,
}

async fn show(State(web): State<Web>, Me(viewer): Me, Asked(done): Asked<Done>) -> Result<Html<String>, Failure> {
    let way = own::get(&web.app, &viewer).await?;
    let typed = own::Typed {
        instructions: way.instructions,
        model: way.model.unwrap_or_default(),
        temperature: written(way.temperature),
        theme: way.theme.name().to_owned(),
        letters: Some(own::letters(way.serif).to_owned()),
        language: Some(way.language.name().to_owned()),
    };
    Ok(Html(own_page(&web, &viewer, typed, Vec::new(), done.saved.is_some()).await?))
}

async fn save(State(web): State<Web>, Me(viewer): Me, Fields(form): Fields<OwnForm>) -> Result<Response, Failure> {
    let OwnForm { instructions, model, temperature, theme, letters, language } = form;
    let typed = own::Typed { instructions, model, temperature, theme, letters, language };
    match own::set(&web.app, &viewer, &typed).await {
        Ok(()) => Ok(Redirect::to("/settings?saved").into_response()),
        Err(Error::Invalid(fields)) => {
            let status = respond::status(&Error::Invalid(Vec::new()));
            Ok((status, Html(own_page(&web, &viewer, typed, fields, false).await?)).into_response())
        }
        Err(error) => Err(error.into()),
    }
}

async fn own_page(
    web: &Web,
    viewer: &Viewer,
    typed: own::Typed,
    wrong: Vec<FieldError>,
    saved: bool,
) -> Result<String, Failure> {
    let way = WayForm {
        of_chat: false,
        text: typed.instructions,
        models: models(web, viewer, &typed.model).await?,
        temperature: typed.temperature,
        errors: errors(wrong),
    };
    let language = match typed.language {
        Some(language) => language,
        None => own::get(&web.app, viewer).await?.language.name().to_owned(),
    };
    let page = SettingsPage {
        me: present::me(viewer),
        days: present::days(&web.app, viewer, None).await?,
        saved,
        way,
        theme: typed.theme,
        letters: typed.letters.unwrap_or_else(|| own::letters(viewer.serif).to_owned()),
        languages: &own::LANGUAGES,
        language,
    };
    Ok(page.render())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChatForm {
    system: String,
    model: String,
    temperature: String,
}

async fn show_chat(State(web): State<Web>, Me(viewer): Me, Id(id): Id<ChatId>) -> Result<Html<String>, Failure> {
    let way = way::way(&web.app, &viewer, id).await?;
    let typed =
        way::Typed { system: way.system, model: way.model.unwrap_or_default(), temperature: written(way.temperature) };
    Ok(Html(page_of_chat(&web, &viewer, id, way.title, typed, Vec::new()).await?))
}

async fn save_chat(
    State(web): State<Web>,
    Me(viewer): Me,
    Id(id): Id<ChatId>,
    Fields(form): Fields<ChatForm>,
) -> Result<Response, Failure> {
    let ChatForm { system, model, temperature } = form;
    let typed = way::Typed { system, model, temperature };
    match way::set_way(&web.app, &viewer, id, &typed).await {
        Ok(()) => Ok(Redirect::to(&format!("/chats/{id}")).into_response()),
        Err(Error::Invalid(fields)) => {
            let status = respond::status(&Error::Invalid(Vec::new()));
            let title = way::way(&web.app, &viewer, id).await?.title;
            Ok((status, Html(page_of_chat(&web, &viewer, id, title, typed, fields).await?)).into_response())
        }
        Err(error) => Err(error.into()),
    }
}

async fn page_of_chat(
    web: &Web,
    viewer: &Viewer,
    id: ChatId,
    title: String,
    typed: way::Typed,
    wrong: Vec<FieldError>,
) -> Result<String, Failure> {
    let way = WayForm {
        of_chat: true,
        text: typed.system,
        models: models(web, viewer, &typed.model).await?,
        temperature: typed.temperature,
        errors: errors(wrong),
    };
    let days = present::days(&web.app, viewer, Some(id)).await?;
    Ok(ChatSettingsPage { me: present::me(viewer), days, id, title, way }.render())
}

/// All that can be chosen, and what was, even if it is not there any more.
async fn models(web: &Web, viewer: &Viewer, chosen: &str) -> Result<Vec<ModelChoice>, Failure> {
    let mut models = present::choices(&web.app, &catalog::models(&web.app, viewer).await?, Some(chosen));
    if !chosen.is_empty() && !models.iter().any(|model| model.chosen) {
        models.insert(0, ModelChoice::gone(chosen));
    }
    Ok(models)
}

fn errors(wrong: Vec<FieldError>) -> Vec<(&'static str, String)> {
    wrong.into_iter().map(|error| (error.field, error.message)).collect()
}

fn written(temperature: Option<f64>) -> String {
    temperature.map(|number| number.to_string()).unwrap_or_default()
}
