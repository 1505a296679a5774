//! The administrators' page of providers and their keys.

use crate::{
    base::{Error, ids::ProviderKeyId},
    domain::{
        accounts::Viewer,
        catalog,
        ledger::{self, Health},
        providers::{self, KeyState, kept},
    },
    http::{
        Web,
        auth::Me,
        extract::{Asked, Id},
        present,
        respond::{self, Failure},
        routes::{Access, Routes},
    },
    views::{KeyStanding, ProviderGroup, ProviderKey, ProviderNotice, ProvidersPage, text},
};
use axum::{
    extract::State,
    response::{Html, IntoResponse, Redirect, Response},
};
use serde::Deserialize;

pub fn routes(routes: Routes) -> Routes {
    routes.get("/admin/providers", Access::Administrator, show).post(
        "/admin/providers/keys/{id}/use-again",
        Access::Administrator,
        use_again,
    )
}

/// What was done before this page; any other word is none.
#[derive(Deserialize)]
struct Done {
    #[serde(default)]
    done: String,
}

async fn show(State(web): State<Web>, Me(viewer): Me, Asked(asked): Asked<Done>) -> Result<Html<String>, Failure> {
    let notice = match asked.done.as_str() {
        "again" => Some(ProviderNotice::Again),
        "removed" => Some(ProviderNotice::Removed),
        _ => None,
    };
    Ok(Html(page(&web, &viewer, notice).await?))
}

async fn use_again(State(web): State<Web>, Me(viewer): Me, Id(id): Id<ProviderKeyId>) -> Result<Response, Failure> {
    match providers::use_again(&web.app, &viewer, id).await {
        Ok(()) => Ok(Redirect::to("/admin/providers?done=again").into_response()),
        Err(Error::NotFound) => {
            let page = page(&web, &viewer, Some(ProviderNotice::Gone)).await?;
            Ok((respond::status(&Error::NotFound), Html(page)).into_response())
        }
        Err(error) => Err(error.into()),
    }
}

async fn page(web: &Web, viewer: &Viewer, notice: Option<ProviderNotice>) -> Result<String, Failure> {
    let models = catalog::all(&web.app, viewer).await?;
    let health = ledger::health(&web.app, viewer).await?;
    let kept = kept::all(&web.app, viewer).await?;
    let groups = providers::overview(&web.app, viewer).await?.into_iter().map(|provider| ProviderGroup {
        models: models.iter().filter(|model| model.provider == provider.name).count(),
        keys: provider.keys.into_iter().map(key).collect(),
        is_kept: kept.iter().any(|kept| kept.name == provider.name && !kept.is_shadowed),
        health: health.iter().find(|health| health.provider == provider.name).map(words),
        name: provider.name,
        kind: provider.kind,
    });
    let (groups, days) = (groups.collect(), present::days(&web.app, viewer, None).await?);
    let idle = kept.iter().filter_map(|kept| {
        let why = match (kept.is_shadowed, kept.said.enabled) {
            (true, _) => text::PROVIDER_SHADOWED,
            (false, false) => text::PROVIDER_OFF,
            (false, true) => return None,
        };
        Some((kept.name.clone(), why))
    });
    Ok(ProvidersPage { me: present::me(viewer), days, notice, groups, idle: idle.collect() }.render())
}

fn words(health: &Health) -> String {
    let late = health.first_token.zip(health.first_token_late);
    text::provider_did(health.requests, health.failed, health.fault.as_deref(), late)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a day at most, never below nothing")]
fn key(state: KeyState) -> ProviderKey {
    let seconds = |left: f64| left.ceil() as u64;
    ProviderKey {
        id: state.id,
        standing: match state.set_aside_at {
            Some(at) => KeyStanding::SetAside(at),
            None if state.resting_in > 0. => KeyStanding::Resting(seconds(state.resting_in)),
            None if state.free_in > 0. => KeyStanding::Full(seconds(state.free_in)),
            None => KeyStanding::Ready,
        },
        hint: state.hint,
        requests: (state.requests.into(), state.requests_per_minute.into()),
        tokens: (state.tokens, state.tokens_per_minute),
        reason: state.reason,
    }
}
