//! What administrators say of a model.

use super::{Audience, Listed, Model, store};
use crate::{
    app::App,
    base::{Error, Result, ids::GroupId},
    domain::{
        accounts::Viewer,
        audit::{self, Actor},
    },
    outside::llm::Facts,
};

/// Who may ask a model, and what holds of it instead of what is known otherwise.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Edit {
    pub audience: Audience,
    /// Which may, if it is for groups; in order.
    pub groups: Vec<GroupId>,
    pub facts: Facts,
}

/// All models, whoever may ask them.
///
/// # Errors
/// [`Error::NotFound`] for whoever is no administrator.
pub async fn all(app: &App, viewer: &Viewer) -> Result<Vec<Model>> {
    only_administrators(viewer)?;
    store::read(app, &app.pools.http).await
}

/// A model.
///
/// # Errors
/// [`Error::NotFound`] for one that is not listed, and for whoever is no administrator.
pub async fn find(app: &App, viewer: &Viewer, id: &str) -> Result<Model> {
    all(app, viewer).await?.into_iter().find(|model| model.is(id)).ok_or(Error::NotFound)
}

/// Says something of a model.
///
/// # Errors
/// [`Error::Invalid`] for `context` when the answer is longer than that, or for `audience` when it is for groups and none is
/// named; [`Error::NotFound`] as [`find`].
pub async fn edit(app: &App, viewer: &Viewer, id: &str, edit: &Edit) -> Result<()> {
    let model = find(app, viewer, id).await?;
    if edit.audience == Audience::Groups && edit.groups.is_empty() {
        return Err(Error::invalid("audience", "Choose at least one group."));
    }
    let facts = edit.facts.clone().or(model.known);
    if facts.context.zip(facts.max_output).is_some_and(|(context, most)| context < most) {
        return Err(Error::invalid("context", "This is less than the longest answer of this model."));
    }
    let mut tx = app.pools.http.begin().await?;
    if model.edit != *edit {
        store::edit(&mut tx, &model.provider, &model.name, edit).await?;
        let details = format!("{id}: {}", in_words(edit));
        audit::note(&mut tx, &Actor::from(viewer), "model.edited", None, &details).await?;
    }
    tx.commit().await?;
    app.memo.forget::<Listed>();
    Ok(())
}

fn in_words(edit: &Edit) -> String {
    let facts = &edit.facts;
    let number = |what: &str, number: Option<u32>| number.map(|number| format!("{what} {number}"));
    let flag = |what: &str, is: Option<bool>| is.map(|is| format!("{} {what}", if is { "with" } else { "without" }));
    let price = facts.price.map(|price| match price.cached {
        Some(cached) => format!("price {} / {cached} / {}", price.input, price.output),
        None => format!("price {} / {}", price.input, price.output),
    });
    let said = [
        Some(match (edit.audience, edit.groups.len()) {
            (Audience::Groups, count) => format!("for {count} groups"),
            (audience, _) => format!("for {}", audience.name()),
        }),
        facts.label.as_ref().map(|label| format!("called “{label}”")),
        number("context", facts.context),
        number("longest answer", facts.max_output),
        price,
        flag("images", facts.images),
        flag("tools", facts.tools),
        flag("reasoning", facts.reasoning),
    ];
    said.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn only_administrators(viewer: &Viewer) -> Result<()> {
    if viewer.administrator { Ok(()) } else { Err(Error::NotFound) }
}
