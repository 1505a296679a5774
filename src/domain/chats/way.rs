//! A chat's own way: what its model is told after the person's own instructions, its model, its temperature.

use super::store;
use crate::{
    app::App,
    base::{Error, Result, ids::ChatId},
    domain::{accounts::Viewer, own},
};
use sqlx::PgConnection;

/// How a chat is answered.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Way {
    pub title: String,
    /// May be empty.
    pub system: String,
    /// `provider/name`, preselected for the next message.
    pub model: Option<String>,
    /// From 0 to 2; nothing: the person's own, or the provider's.
    pub temperature: Option<f64>,
}

/// The same as typed into a form.
#[derive(Debug, Clone, Default)]
pub struct Typed {
    pub system: String,
    pub model: String,
    pub temperature: String,
}

/// The way of a viewer's chat.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn way(app: &App, viewer: &Viewer, chat: ChatId) -> Result<Way> {
    let mut conn = app.pools.http.acquire().await?;
    store::way(&mut conn, viewer.id, chat).await?.ok_or(Error::NotFound)
}

/// Changes it; what is answered from now on is answered so.
///
/// # Errors
/// [`Error::Invalid`] by field, [`Error::NotFound`].
pub async fn set_way(app: &App, viewer: &Viewer, chat: ChatId, typed: &Typed) -> Result<()> {
    let mut tx = app.pools.http.begin().await?;
    let before = store::way(&mut tx, viewer.id, chat).await?.ok_or(Error::NotFound)?;
    let way = check(app, &mut tx, viewer, typed, before.model).await?;
    store::set_way(&mut tx, viewer.id, chat, &way).await?;
    tx.commit().await?;
    Ok(())
}

/// What was typed, as it is kept; without a model, the one before.
pub(super) async fn check(
    app: &App,
    tx: &mut PgConnection,
    viewer: &Viewer,
    typed: &Typed,
    before: Option<String>,
) -> Result<Way> {
    let mut wrong = Vec::new();
    let system = own::instructions("system", &typed.system, &mut wrong);
    let temperature = own::temperature(&typed.temperature, &mut wrong);
    let model = own::model(app, tx, viewer, &typed.model, before.as_deref(), &mut wrong).await?;
    if !wrong.is_empty() {
        return Err(Error::Invalid(wrong));
    }
    Ok(Way { title: String::new(), system, model: model.or(before), temperature })
}
