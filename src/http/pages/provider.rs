//! The administrators' page of one provider that they keep: what is said of it, and its keys, which nobody reads again.

use crate::{
    base::{Error, config::ProviderKind, error::FieldError, ids::ProviderKeyId},
    domain::{
        accounts::Viewer,
        providers::kept::{self, Heard, Kept, Said},
    },
    http::{
        Web,
        auth::Me,
        extract::{Asked, Fields, Id},
        present,
        respond::{self, Failure},
        routes::{Access, Routes},
    },
    views::{KeptKey, KeptNotice, KeptPage, text},
};
use axum::{
    extract::State,
    response::{Html, IntoResponse, Redirect, Response},
};
use serde::Deserialize;

pub fn routes(routes: Routes) -> Routes {
    routes
        .get("/admin/providers/new", Access::Administrator, show_new)
        .post("/admin/providers/new", Access::Administrator, make)
        .get("/admin/providers/edit", Access::Administrator, show)
        .post("/admin/providers/edit", Access::Administrator, change)
        .post("/admin/providers/keys", Access::Administrator, add_key)
        .post("/admin/providers/keys/{id}/remove", Access::Administrator, remove_key)
        .post("/admin/providers/remove", Access::Administrator, remove)
}

/// The fields as typed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Typed {
    name: String,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    base_url: String,
    #[serde(default)]
    models: String,
    #[serde(default)]
    requests_per_minute: String,
    #[serde(default)]
    tokens_per_minute: String,
    #[serde(default)]
    enabled: String,
    /// The first one, of a provider that is new.
    #[serde(default)]
    key: String,
}

impl Typed {
    fn fresh() -> Self {
        Self {
            name: String::new(),
            kind: ProviderKind::Openai.name().to_owned(),
            base_url: String::new(),
            models: String::new(),
            requests_per_minute: "10".to_owned(),
            tokens_per_minute: "0".to_owned(),
            enabled: "on".to_owned(),
            key: String::new(),
        }
    }

    fn of(kept: &Kept) -> Self {
        let said = &kept.said;
        Self {
            name: kept.name.clone(),
            kind: said.kind.name().to_owned(),
            base_url: said.base_url.clone(),
            models: said.models.join("\n"),
            requests_per_minute: said.requests_per_minute.to_string(),
            tokens_per_minute: said.tokens_per_minute.to_string(),
            enabled: if said.enabled { "on" } else { "" }.to_owned(),
            key: String::new(),
        }
    }

    /// What is meant; a number that is none is one that cannot be.
    fn said(&self) -> Said {
        let number = |typed: &str| typed.trim().replace([',', ' '], "").parse().unwrap_or(-1);
        let lines = self.models.lines().map(str::trim).filter(|line| !line.is_empty());
        Said {
            kind: ProviderKind::parse(&self.kind).unwrap_or(ProviderKind::Openai),
            base_url: self.base_url.trim().trim_end_matches('/').to_owned(),
            models: lines.map(str::to_owned).collect(),
            requests_per_minute: number(&self.requests_per_minute),
            tokens_per_minute: number(&self.tokens_per_minute),
            enabled: !self.enabled.is_empty(),
        }
    }
}

async fn show_new(State(web): State<Web>, Me(viewer): Me) -> Result<Html<String>, Failure> {
    Ok(Html(page(&web, &viewer, None, Typed::fresh(), Vec::new(), None).await?))
}

async fn make(State(web): State<Web>, Me(viewer): Me, Fields(typed): Fields<Typed>) -> Result<Response, Failure> {
    match kept::make(&web.app, &viewer, &typed.name, &typed.said(), &typed.key).await {
        Ok(heard) => Ok(done(typed.name.trim(), heard)),
        Err(error) => refused(&web, &viewer, None, typed, error).await,
    }
}

#[derive(Deserialize)]
struct Which {
    name: String,
    #[serde(default)]
    done: String,
}

async fn show(State(web): State<Web>, Me(viewer): Me, Asked(which): Asked<Which>) -> Result<Html<String>, Failure> {
    let kept = kept::find(&web.app, &viewer, &which.name).await?;
    let typed = Typed::of(&kept);
    Ok(Html(page(&web, &viewer, Some(&kept), typed, Vec::new(), KeptNotice::parse(&which.done)).await?))
}

async fn change(State(web): State<Web>, Me(viewer): Me, Fields(typed): Fields<Typed>) -> Result<Response, Failure> {
    match kept::change(&web.app, &viewer, &typed.name, &typed.said()).await {
        Ok(heard) => Ok(done(&typed.name, heard)),
        Err(error) => {
            let kept = kept::find(&web.app, &viewer, &typed.name).await?;
            refused(&web, &viewer, Some(kept), typed, error).await
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyForm {
    name: String,
    key: String,
}

async fn add_key(State(web): State<Web>, Me(viewer): Me, Fields(form): Fields<KeyForm>) -> Result<Response, Failure> {
    match kept::add_key(&web.app, &viewer, &form.name, &form.key).await {
        Ok(heard) => Ok(done(&form.name, heard)),
        Err(error) => {
            let kept = kept::find(&web.app, &viewer, &form.name).await?;
            let typed = Typed::of(&kept);
            refused(&web, &viewer, Some(kept), typed, error).await
        }
    }
}

async fn remove_key(State(web): State<Web>, Me(viewer): Me, Id(id): Id<ProviderKeyId>) -> Result<Redirect, Failure> {
    let name = kept::remove_key(&web.app, &viewer, id).await?;
    Ok(Redirect::to(&format!("/admin/providers/edit?name={name}&done=removed")))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Gone {
    name: String,
}

async fn remove(State(web): State<Web>, Me(viewer): Me, Fields(gone): Fields<Gone>) -> Result<Redirect, Failure> {
    kept::remove(&web.app, &viewer, &gone.name).await?;
    Ok(Redirect::to("/admin/providers?done=removed"))
}

fn done(name: &str, heard: Heard) -> Response {
    let notice = match heard {
        Heard::Answered => KeptNotice::Answered,
        Heard::Unanswered => KeptNotice::Unanswered,
        Heard::Unasked => KeptNotice::Saved,
    };
    Redirect::to(&format!("/admin/providers/edit?name={name}&done={}", notice.name())).into_response()
}

/// The page again, with what cannot be taken; a key is not shown again.
async fn refused(
    web: &Web,
    viewer: &Viewer,
    kept: Option<Kept>,
    typed: Typed,
    error: Error,
) -> Result<Response, Failure> {
    let status = respond::status(&error);
    let Error::Invalid(wrong) = error else { return Err(error.into()) };
    Ok((status, Html(page(web, viewer, kept.as_ref(), typed, wrong, None).await?)).into_response())
}

async fn page(
    web: &Web,
    viewer: &Viewer,
    kept: Option<&Kept>,
    typed: Typed,
    wrong: Vec<FieldError>,
    notice: Option<KeptNotice>,
) -> Result<String, Failure> {
    let kind = |kind: ProviderKind| (kind.name(), text::provider_kind(kind.name()), kind.name() == typed.kind);
    let keys = kept.map(|kept| kept.keys.as_slice()).unwrap_or_default();
    let key = |key: &kept::KeptKey| KeptKey { id: key.id, hint: key.hint.clone(), at: key.created_at };
    let page = KeptPage {
        me: present::me(viewer),
        days: present::days(&web.app, viewer, None).await?,
        is_new: kept.is_none(),
        is_shadowed: kept.is_some_and(|kept| kept.is_shadowed),
        notice,
        kinds: ProviderKind::ALL.map(kind),
        keys: keys.iter().map(key).collect(),
        name: typed.name,
        base_url: typed.base_url,
        models: typed.models,
        requests_per_minute: typed.requests_per_minute,
        tokens_per_minute: typed.tokens_per_minute,
        enabled: !typed.enabled.is_empty(),
        faults: wrong.into_iter().map(|error| (error.field, error.message)).collect(),
    };
    Ok(page.render())
}
