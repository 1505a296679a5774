//! The catalog: the models that may be asked, what is known of them, and who may ask them. It starts as the providers' own
//! lists and is kept in the database, so that a provider that is down at a restart does not empty it; what administrators say
//! of a model goes before everything else.

mod discover;
mod edit;
mod known;
mod price;
mod store;

pub use discover::{forget, forget_list, keep_fresh, keep_list, wait_for_first};
pub use edit::{Edit, all, edit, find};
pub use price::Price;
pub use store::remove_list;

use crate::{
    app::App,
    base::{
        Error, Result,
        ids::{GroupId, UserId},
    },
    domain::accounts::Viewer,
    outside::llm::Facts,
};
use sqlx::{PgConnection, PgExecutor};
use std::{sync::Arc, time::Duration};

/// How old what is known of the catalog may be: every page and every message asks for it.
const RECENT: Duration = Duration::from_secs(1);

/// Who may ask a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Audience {
    #[default]
    Everyone,
    /// The groups that were named, and administrators.
    Groups,
    Administrators,
    Nobody,
}

impl Audience {
    pub const ALL: [Self; 4] = [Self::Everyone, Self::Groups, Self::Administrators, Self::Nobody];

    /// Its name in the database and in forms.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Everyone => "everyone",
            Self::Groups => "groups",
            Self::Administrators => "administrators",
            Self::Nobody => "nobody",
        }
    }

    /// What is called so.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|audience| audience.name() == name)
    }
}

/// A model that is listed.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    pub provider: String,
    pub name: String,
    /// What administrators say of it.
    pub edit: Edit,
    /// What is known of it otherwise.
    pub known: Facts,
    /// What holds: the one, laid over the other.
    pub facts: Facts,
}

impl Model {
    /// How forms and tables name it: `provider/name`.
    #[must_use]
    pub fn id(&self) -> String {
        format!("{}/{}", self.provider, self.name)
    }

    /// What people call it.
    #[must_use]
    pub fn label(&self) -> &str {
        self.facts.label.as_deref().unwrap_or(&self.name)
    }

    /// Whether it holds conversations, as far as is known: others make images, or embeddings, or hear.
    #[must_use]
    pub fn converses(&self) -> bool {
        discover::converses(&self.name)
    }

    fn is_for(&self, guest: &Guest<'_>) -> bool {
        match self.edit.audience {
            Audience::Everyone => true,
            Audience::Groups => {
                guest.viewer.administrator || self.edit.groups.iter().any(|group| guest.groups.contains(group))
            }
            Audience::Administrators => guest.viewer.administrator,
            Audience::Nobody => false,
        }
    }

    fn is(&self, id: &str) -> bool {
        (self.provider.as_str(), self.name.as_str()) == split(id)
    }
}

/// Somebody who wants a model.
struct Guest<'a> {
    viewer: &'a Viewer,
    groups: Vec<GroupId>,
}

impl<'a> Guest<'a> {
    /// Their groups are looked up only if that matters.
    async fn of(db: impl PgExecutor<'_>, viewer: &'a Viewer, models: &[Model]) -> Result<Self> {
        let matters = models.iter().any(|model| model.edit.audience == Audience::Groups) && !viewer.administrator;
        let groups = if matters { store::groups_of(db, viewer.id).await? } else { Vec::new() };
        Ok(Self { viewer, groups })
    }
}

/// Splits an id into provider and name.
#[must_use]
pub fn split(id: &str) -> (&str, &str) {
    id.split_once('/').unwrap_or(("", id))
}

/// The models of the providers that are configured, by provider and name, as they were at most a second ago.
struct Listed(Vec<Model>);

async fn listed(app: &App, db: impl PgExecutor<'_>) -> Result<Arc<Listed>> {
    app.memo.get(RECENT, async { Ok(Listed(store::read(app, db).await?)) }).await
}

/// The models that somebody may ask, by provider and name: those that hold conversations.
///
/// # Errors
/// The database's.
pub async fn models(app: &App, viewer: &Viewer) -> Result<Vec<Model>> {
    let listed = listed(app, &app.pools.http).await?;
    let guest = Guest::of(&app.pools.http, viewer, &listed.0).await?;
    Ok(listed.0.iter().filter(|model| model.converses() && model.is_for(&guest)).cloned().collect())
}

/// All models that somebody may ask, whatever they are for.
///
/// # Errors
/// The database's.
pub async fn all_models(app: &App, viewer: &Viewer) -> Result<Vec<Model>> {
    let listed = listed(app, &app.pools.http).await?;
    let guest = Guest::of(&app.pools.http, viewer, &listed.0).await?;
    Ok(listed.0.iter().filter(|model| model.is_for(&guest)).cloned().collect())
}

/// The model that somebody may ask which is called so: `provider/name`, or its name alone; of several the first.
///
/// # Errors
/// The database's.
pub async fn called(app: &App, viewer: &Viewer, name: &str) -> Result<Option<Model>> {
    let listed = listed(app, &app.pools.http).await?;
    let named =
        listed.0.iter().filter(|model| model.is(name)).chain(listed.0.iter().filter(|model| model.name == name));
    for model in named {
        if model.is_for(&Guest::of(&app.pools.http, viewer, std::slice::from_ref(model)).await?) {
            return Ok(Some(model.clone()));
        }
    }
    Ok(None)
}

/// Refuses a model that this person may not ask.
///
/// # Errors
/// [`Error::Invalid`] for `model`.
pub async fn require(app: &App, conn: &mut PgConnection, viewer: &Viewer, id: &str) -> Result<()> {
    let listed = listed(app, &mut *conn).await?;
    if let Some(model) = listed.0.iter().find(|model| model.is(id) && model.converses())
        && may_ask(conn, viewer, model).await?
    {
        return Ok(());
    }
    // one that has just come, or of which something else was said, is not known a moment ago
    match store::read(app, &mut *conn).await?.iter().find(|model| model.is(id) && model.converses()) {
        Some(model) if may_ask(conn, viewer, model).await? => Ok(()),
        _ => Err(not_available()),
    }
}

async fn may_ask(conn: &mut PgConnection, viewer: &Viewer, model: &Model) -> Result<bool> {
    Ok(model.is_for(&Guest::of(conn, viewer, std::slice::from_ref(model)).await?))
}

/// Refuses a model that no provider lists; any other may be asked for somebody who has asked it already.
///
/// # Errors
/// [`Error::Invalid`] for `model`.
pub async fn require_listed(app: &App, conn: &mut PgConnection, id: &str) -> Result<()> {
    let is_there = |models: &[Model]| models.iter().any(|model| model.is(id));
    let found = is_there(&listed(app, &mut *conn).await?.0) || is_there(&store::read(app, &mut *conn).await?);
    if found { Ok(()) } else { Err(not_available()) }
}

fn not_available() -> Error {
    Error::invalid("model", "This model is not available. Choose another one.")
}

/// What is known of a model, also of one that is no longer listed.
///
/// # Errors
/// The database's.
pub async fn facts(app: &App, conn: &mut PgConnection, id: &str) -> Result<Facts> {
    if let Some(model) = listed(app, &mut *conn).await?.0.iter().find(|model| model.is(id)) {
        return Ok(model.facts.clone());
    }
    let (provider, name) = split(id);
    let known = |provider| known::facts(provider, name, Facts::default(), &app.config.catalog.currency);
    Ok(app.provider(provider).as_deref().map(known).unwrap_or_default())
}

/// So many tokens an answer may have: as the settings say, but no more than the model makes, and no more than half of what it
/// takes at all.
#[must_use]
pub fn max_output(app: &App, facts: &Facts) -> u32 {
    let most = app.config.context.max_output_tokens;
    let half = facts.context.map_or(most, |context| (context / 2).max(1));
    most.min(facts.max_output.unwrap_or(most)).min(half)
}

/// So many tokens a question may have beside its answer; nothing if nobody knows.
#[must_use]
pub fn room(facts: &Facts, max_output: u32) -> Option<i64> {
    facts.context.map(|context| i64::from(context) - i64::from(max_output))
}

/// The model that this person asked last, in any chat.
///
/// # Errors
/// The database's.
pub async fn last_used(app: &App, user: UserId) -> Result<Option<String>> {
    Ok(store::last_used(&app.pools.http, user).await?)
}
