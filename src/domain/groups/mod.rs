//! Groups of people: they may have a budget together (limits/budget.rs reserves in it), and models of their own
//! (catalog/edit.rs). Only administrators make them and say who is in them.

mod store;

pub use store::{Group, Member};

use crate::{
    app::App,
    base::{
        Error, Result,
        config::MOST,
        error::OnConstraint as _,
        ids::{GroupId, UserId},
    },
    domain::{
        accounts::{self, Viewer},
        audit::{self, Actor, Subject},
    },
};

/// Characters of a group's name.
pub const MAX_NAME: usize = 60;

/// What is said of a group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Said {
    pub name: String,
    /// Of a month, in whole units of the currency; nothing: no limit.
    pub budget: Option<i32>,
}

/// All groups, by name, with how many are in them and what they have spent this month.
///
/// # Errors
/// [`Error::NotFound`] for whoever is no administrator.
pub async fn all(app: &App, viewer: &Viewer) -> Result<Vec<Group>> {
    only_administrators(viewer)?;
    Ok(store::all(&app.pools.http).await?)
}

/// A group and who is in it.
///
/// # Errors
/// [`Error::NotFound`], also for whoever is no administrator.
pub async fn find(app: &App, viewer: &Viewer, id: GroupId) -> Result<(Group, Vec<Member>)> {
    let group = all(app, viewer).await?.into_iter().find(|group| group.id == id).ok_or(Error::NotFound)?;
    Ok((group, store::members(&app.pools.http, id).await?))
}

/// Makes a group with nobody in it.
///
/// # Errors
/// [`Error::Invalid`] by field; [`Error::NotFound`] for whoever is no administrator.
pub async fn make(app: &App, viewer: &Viewer, said: &Said) -> Result<GroupId> {
    only_administrators(viewer)?;
    let said = check(said)?;
    let mut tx = app.pools.http.begin().await?;
    let id = store::insert(&mut tx, &said).await.on_constraint("groups_name", taken)?;
    audit::note(&mut tx, &Actor::from(viewer), "group.created", None, &in_words(&said)).await?;
    tx.commit().await?;
    Ok(id)
}

/// Says something else of a group.
///
/// # Errors
/// [`Error::Invalid`] by field; [`Error::NotFound`], also for whoever is no administrator.
pub async fn change(app: &App, viewer: &Viewer, id: GroupId, said: &Said) -> Result<()> {
    only_administrators(viewer)?;
    let said = check(said)?;
    let mut tx = app.pools.http.begin().await?;
    if !store::update(&mut tx, id, &said).await.on_constraint("groups_name", taken)? {
        return Err(Error::NotFound);
    }
    audit::note(&mut tx, &Actor::from(viewer), "group.changed", None, &in_words(&said)).await?;
    tx.commit().await?;
    Ok(())
}

/// Puts somebody into a group, by their address.
///
/// # Errors
/// [`Error::Invalid`] for an address that no account has; [`Error::NotFound`], also for whoever is no administrator.
pub async fn add(app: &App, viewer: &Viewer, id: GroupId, email: &str) -> Result<()> {
    only_administrators(viewer)?;
    let nobody = || Error::invalid("email", "No account has this address.");
    let (_, key) = accounts::check_address(email).map_err(|_| nobody())?;
    let mut tx = app.pools.http.begin().await?;
    let name = store::name(&mut tx, id).await?.ok_or(Error::NotFound)?;
    let (user, email) = store::by_address(&mut tx, &key).await?.ok_or_else(nobody)?;
    if store::add(&mut tx, id, user).await? {
        let subject = Subject { id: user, email: &email };
        audit::note(&mut tx, &Actor::from(viewer), "group.member_added", Some(subject), &name).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// Takes somebody out of a group. What their answers under way may cost stays reserved there until they end.
///
/// # Errors
/// [`Error::NotFound`], also for whoever is no administrator.
pub async fn remove(app: &App, viewer: &Viewer, id: GroupId, user: UserId) -> Result<()> {
    only_administrators(viewer)?;
    let mut tx = app.pools.http.begin().await?;
    let name = store::name(&mut tx, id).await?.ok_or(Error::NotFound)?;
    let email = accounts::email_of(&mut tx, user).await?.ok_or(Error::NotFound)?;
    if store::remove(&mut tx, id, user).await? {
        let subject = Subject { id: user, email: &email };
        audit::note(&mut tx, &Actor::from(viewer), "group.member_removed", Some(subject), &name).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// Deletes a group, with its budget. A model that only it might ask is one of administrators then.
///
/// # Errors
/// [`Error::NotFound`], also for whoever is no administrator.
pub async fn delete(app: &App, viewer: &Viewer, id: GroupId) -> Result<()> {
    only_administrators(viewer)?;
    let mut tx = app.pools.http.begin().await?;
    let name = store::name(&mut tx, id).await?.ok_or(Error::NotFound)?;
    store::delete(&mut tx, id).await?;
    audit::note(&mut tx, &Actor::from(viewer), "group.deleted", None, &name).await?;
    tx.commit().await?;
    Ok(())
}

fn check(said: &Said) -> Result<Said> {
    let name = said.name.split_whitespace().collect::<Vec<_>>().join(" ");
    if name.is_empty() {
        return Err(Error::invalid("name", "A group needs a name."));
    }
    if name.chars().count() > MAX_NAME || name.chars().any(char::is_control) {
        return Err(Error::invalid("name", format!("A name has at most {MAX_NAME} characters.")));
    }
    if said.budget.is_some_and(|budget| !(1..=MOST.cast_signed()).contains(&budget)) {
        return Err(Error::invalid("budget", format!("A whole number from 1 to {MOST}, or nothing.")));
    }
    Ok(Said { name, budget: said.budget })
}

fn taken() -> Error {
    Error::invalid("name", "There is a group of this name already.")
}

fn in_words(said: &Said) -> String {
    match said.budget {
        Some(budget) => format!("{}, budget of a month: {budget}", said.name),
        None => format!("{}, no budget", said.name),
    }
}

fn only_administrators(viewer: &Viewer) -> Result<()> {
    if viewer.administrator { Ok(()) } else { Err(Error::NotFound) }
}
