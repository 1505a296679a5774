//! Prompt templates: texts with `{{variables}}` for the composer. One's own, and those that an administrator shares.

mod store;

use crate::{
    app::App,
    base::{
        Error, Result,
        error::{FieldError, OnConstraint},
        ids::PromptId,
    },
    domain::{
        accounts::Viewer,
        audit::{self, Actor, Subject},
    },
};
use sqlx::PgConnection;

/// Characters of a name and of a text at most, and prompts of one person.
const MAX_NAME: usize = 80;
const MAX_TEXT: usize = 10_000;
const MAX_PROMPTS: i64 = 200;
/// Variables of a text, and characters of a variable's name, at most; what is beyond stays as it is written.
const MAX_VARIABLES: usize = 20;
const MAX_VARIABLE: usize = 40;

/// A template.
#[derive(Debug, Clone)]
pub struct Prompt {
    pub id: PromptId,
    pub name: String,
    pub text: String,
    pub shared: bool,
    /// Whether this viewer may change it: the owner, and of a shared one every administrator.
    pub mine: bool,
}

/// A template as typed into a form.
#[derive(Debug, Clone, Default)]
pub struct Typed {
    pub name: String,
    pub text: String,
    pub shared: bool,
}

/// One's own and the shared ones, by name.
///
/// # Errors
/// The database's.
pub async fn list(app: &App, viewer: &Viewer) -> Result<Vec<Prompt>> {
    Ok(store::list(&app.pools.http, viewer.id, viewer.administrator).await?)
}

/// One that the viewer may use.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn find(app: &App, viewer: &Viewer, id: PromptId) -> Result<Prompt> {
    store::find(&app.pools.http, viewer.id, viewer.administrator, id).await?.ok_or(Error::NotFound)
}

/// One that the viewer may change.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn find_mine(app: &App, viewer: &Viewer, id: PromptId) -> Result<Prompt> {
    let prompt = find(app, viewer, id).await?;
    if prompt.mine { Ok(prompt) } else { Err(Error::NotFound) }
}

/// Keeps a new one. Only an administrator's is shared.
///
/// # Errors
/// [`Error::Invalid`] by field.
pub async fn create(app: &App, viewer: &Viewer, typed: &Typed) -> Result<PromptId> {
    let typed = check(viewer, typed)?;
    if store::count(&app.pools.http, viewer.id).await? >= MAX_PROMPTS {
        let message = format!("You have {MAX_PROMPTS} prompts already. Delete one that you no longer use.");
        return Err(Error::invalid("name", message));
    }
    store::insert(&app.pools.http, viewer.id, &typed).await.on_constraint("prompts_name", taken)
}

/// Changes one.
///
/// # Errors
/// [`Error::Invalid`] by field, [`Error::NotFound`].
pub async fn change(app: &App, viewer: &Viewer, id: PromptId, typed: &Typed) -> Result<()> {
    find_mine(app, viewer, id).await?;
    let typed = check(viewer, typed)?;
    let mut tx = app.pools.http.begin().await?;
    let changed = store::update(&mut tx, viewer.id, viewer.administrator, id, &typed).await;
    let owner = changed.on_constraint("prompts_name", taken)?.ok_or(Error::NotFound)?;
    note(&mut tx, viewer, &owner, "prompt.changed").await?;
    tx.commit().await?;
    Ok(())
}

/// Removes one.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn delete(app: &App, viewer: &Viewer, id: PromptId) -> Result<()> {
    let mut tx = app.pools.http.begin().await?;
    let owner = store::delete(&mut tx, viewer.id, viewer.administrator, id).await?.ok_or(Error::NotFound)?;
    note(&mut tx, viewer, &owner, "prompt.deleted").await?;
    tx.commit().await?;
    Ok(())
}

/// What an administrator did with somebody else's.
async fn note(tx: &mut PgConnection, viewer: &Viewer, owner: &store::Owner, action: &str) -> Result<()> {
    if owner.id == viewer.id {
        return Ok(());
    }
    let subject = Subject { id: owner.id, email: &owner.email };
    audit::note(tx, &Actor::from(viewer), action, Some(subject), &owner.prompt).await
}

fn taken() -> Error {
    Error::invalid("name", "There is a prompt of this name already. Choose another one.")
}

fn check(viewer: &Viewer, typed: &Typed) -> Result<Typed> {
    let mut wrong = Vec::new();
    let mut say = |field, message: String| wrong.push(FieldError { field, message });
    let name = typed.name.trim().to_owned();
    if name.is_empty() {
        say("name", "A prompt needs a name.".to_owned());
    } else if name.chars().count() > MAX_NAME || name.chars().any(char::is_control) {
        say("name", format!("A name has at most {MAX_NAME} characters, on one line."));
    }
    let text = typed.text.replace("\r\n", "\n").replace('\0', "\u{fffd}").trim().to_owned();
    let length = text.chars().count();
    if text.is_empty() {
        say("text", "Write what is to stand in the composer.".to_owned());
    } else if length > MAX_TEXT {
        say("text", format!("This has {length} characters; at most {MAX_TEXT} can be kept. Shorten it."));
    }
    if !wrong.is_empty() {
        return Err(Error::Invalid(wrong));
    }
    Ok(Typed { name, text, shared: typed.shared && viewer.administrator })
}

/// A text in parts: what stands as it is, and the names of variables.
fn parts(text: &str) -> Vec<(bool, &str)> {
    let mut parts = Vec::new();
    let mut rest = text;
    let mut names: Vec<&str> = Vec::new();
    let mut from = 0;
    while let Some(open) = rest[from..].find("{{").map(|at| at + from) {
        let Some(close) = rest[open..].find("}}").map(|at| at + open) else { break };
        let name = rest[open + 2..close].trim();
        let fits = !name.is_empty()
            && name.chars().count() <= MAX_VARIABLE
            && name.chars().all(|c| c.is_alphanumeric() || " _-".contains(c));
        if !fits || (!names.contains(&name) && names.len() == MAX_VARIABLES) {
            from = open + 1;
            continue;
        }
        names.push(name);
        parts.push((false, &rest[..open]));
        parts.push((true, name));
        rest = &rest[close + 2..];
        from = 0;
    }
    parts.push((false, rest));
    parts
}

/// The names of a text's variables, each once, in the order of their first place.
#[must_use]
pub fn variables(text: &str) -> Vec<&str> {
    let mut names = Vec::new();
    for (variable, name) in parts(text) {
        if variable && !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// The text with its variables filled in, by their order; what is filled in is not looked at again.
#[must_use]
pub fn fill(text: &str, values: &[String]) -> String {
    let names = variables(text);
    let value = |name| names.iter().position(|n| *n == name).and_then(|at| values.get(at)).map_or("", |v| v.as_str());
    parts(text).into_iter().map(|(variable, part)| if variable { value(part) } else { part }).collect()
}

#[cfg(test)]
mod tests {
    use super::{fill, variables};

    #[test]
    fn variables_are_found_and_filled() {
        for (text, names) in [
            ("none", &[][..]),
            ("{{a}} and {{ b c }} and {{a}}", &["a", "b c"]),
            ("{{}} {{x{{y}} }} {{ü-1_z}}", &["y", "ü-1_z"]),
            ("{{open", &[]),
            ("{{a\nb}} {{c.d}}", &[]),
        ] {
            assert_eq!(variables(text), names, "{text}");
        }
        let values = ["{{b}}".to_owned(), "2".to_owned()];
        assert_eq!(fill("{{a}}-{{ b }}-{{a}}", &values), "{{b}}-2-{{b}}");
        assert_eq!(fill("{{a}}{{b}}{{c}}.", &values), "{{b}}2.");
        let many = (0..30).map(|n| format!("{{{{v{n}}}}}")).collect::<Vec<_>>().concat();
        assert_eq!(variables(&many).len(), 20);
    }
}
