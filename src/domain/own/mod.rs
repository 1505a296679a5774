//! One's own way: what a person wants every model to be told, the model of a new chat, the temperature, the theme, the language.
//! What must not live here: a chat's own settings (chats/way.rs), how they go into a request (generation/).

mod language;
mod store;

pub use language::{LANGUAGES, Language};

use crate::{
    app::App,
    base::{Error, Result, error::FieldError, ids::UserId},
    domain::{
        accounts::{Theme, Viewer},
        catalog,
    },
};
use sqlx::PgConnection;

/// Characters of instructions, a person's own or a chat's, at most.
pub const MAX_INSTRUCTIONS: usize = 4000;

/// The letters that answers are set in, by their names in forms.
pub const LETTERS: [&str; 2] = ["sans", SERIF];
pub const SERIF: &str = "serif";

/// The name of the letters, with serifs or without.
#[must_use]
pub fn letters(serif: bool) -> &'static str {
    LETTERS[usize::from(serif)]
}

/// How somebody wants it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Way {
    /// The first thing that a model is told; may be empty.
    pub instructions: String,
    /// `provider/name` of a new chat's model; nothing: the one asked last.
    pub model: Option<String>,
    /// From 0 to 2; nothing: as the provider has it.
    pub temperature: Option<f64>,
    pub theme: Theme,
    /// Answers are set in letters with serifs.
    pub serif: bool,
    /// In which one's messages are searched.
    pub language: Language,
}

/// The same as typed into a form.
#[derive(Debug, Clone, Default)]
pub struct Typed {
    pub instructions: String,
    pub model: String,
    pub temperature: String,
    pub theme: String,
    /// [`LETTERS`]; nothing: as they were.
    pub letters: Option<String>,
    /// Nothing: as it was.
    pub language: Option<String>,
}

/// A person's own way.
///
/// # Errors
/// The database's, or [`Error::NotFound`].
pub async fn get(app: &App, viewer: &Viewer) -> Result<Way> {
    let mut conn = app.pools.http.acquire().await?;
    store::get(&mut conn, viewer.id).await?.ok_or(Error::NotFound)
}

/// The model that a person's new chats begin with, whether or not it can be asked now.
///
/// # Errors
/// The database's.
pub async fn default_model(app: &App, user: UserId) -> Result<Option<String>> {
    Ok(store::default_model(&app.pools.http, user).await?)
}

/// Changes all of it. A model that is kept need not be there any more.
///
/// # Errors
/// [`Error::Invalid`] by field.
pub async fn set(app: &App, viewer: &Viewer, typed: &Typed) -> Result<()> {
    let mut wrong = Vec::new();
    let instructions = instructions("instructions", &typed.instructions, &mut wrong);
    let temperature = temperature(&typed.temperature, &mut wrong);
    let theme = Theme::parse(&typed.theme).unwrap_or_else(|| {
        wrong.push(FieldError { field: "theme", message: "Choose one of the three.".to_owned() });
        Theme::System
    });
    let serif = typed.letters.as_deref().map(|name| {
        if !LETTERS.contains(&name) {
            wrong.push(FieldError { field: "letters", message: "Choose one of the two.".to_owned() });
        }
        name == SERIF
    });
    let language = typed.language.as_deref().map(|name| {
        Language::parse(name).unwrap_or_else(|| {
            wrong.push(FieldError { field: "language", message: "Choose one of the list.".to_owned() });
            Language::default()
        })
    });
    let mut tx = app.pools.http.begin().await?;
    let before = store::get(&mut tx, viewer.id).await?.ok_or(Error::NotFound)?;
    let model = model(app, &mut tx, viewer, &typed.model, before.model.as_deref(), &mut wrong).await?;
    if !wrong.is_empty() {
        return Err(Error::Invalid(wrong));
    }
    let (serif, language) = (serif.unwrap_or(before.serif), language.unwrap_or(before.language));
    store::set(&mut tx, viewer.id, &Way { instructions, model, temperature, theme, serif, language }).await?;
    tx.commit().await?;
    Ok(())
}

/// The model that is chosen, if any; adds to `wrong` when it is another one than before and not in the catalog.
///
/// # Errors
/// The database's.
pub async fn model(
    app: &App,
    conn: &mut PgConnection,
    viewer: &Viewer,
    typed: &str,
    before: Option<&str>,
    wrong: &mut Vec<FieldError>,
) -> Result<Option<String>> {
    let model = Some(typed).filter(|model| !model.is_empty());
    if let Some(model) = model.filter(|_| model != before)
        && let Err(error) = catalog::require(app, conn, viewer, model).await
    {
        let Error::Invalid(fields) = error else { return Err(error) };
        wrong.extend(fields);
    }
    Ok(model.map(str::to_owned))
}

/// Instructions as they are kept; adds to `wrong` when they are too long.
pub fn instructions(field: &'static str, typed: &str, wrong: &mut Vec<FieldError>) -> String {
    let text = typed.replace("\r\n", "\n").replace('\0', "\u{fffd}").trim().to_owned();
    let length = text.chars().count();
    if length > MAX_INSTRUCTIONS {
        let message = format!("This has {length} characters; at most {MAX_INSTRUCTIONS} can be kept. Shorten it.");
        wrong.push(FieldError { field, message });
    }
    text
}

/// A temperature as it is kept, with a point or a comma; adds to `wrong` when it is none.
pub fn temperature(typed: &str, wrong: &mut Vec<FieldError>) -> Option<f64> {
    let typed = typed.trim().replace(',', ".");
    if typed.is_empty() {
        return None;
    }
    let plain = typed.chars().all(|c| c.is_ascii_digit() || c == '.');
    let number = typed.parse().ok().filter(|number| plain && (0. ..=2.).contains(number));
    if number.is_none() {
        let message = "A temperature is a number from 0 to 2, like 0.7. Leave it empty for the provider's own.";
        wrong.push(FieldError { field: "temperature", message: message.to_owned() });
    }
    number
}

#[cfg(test)]
mod tests {
    use super::temperature;

    #[test]
    fn temperatures() {
        for (typed, number) in [("", None), (" 0,7 ", Some(0.7)), ("2", Some(2.)), ("0", Some(0.)), (".5", Some(0.5))] {
            let mut wrong = Vec::new();
            assert_eq!(temperature(typed, &mut wrong), number, "{typed}");
            assert!(wrong.is_empty(), "{typed}");
        }
        for typed in ["2.01", "-1", "warm", "NaN", "1e0", "0.7.1", "inf"] {
            let mut wrong = Vec::new();
            assert_eq!(temperature(typed, &mut wrong), None);
            assert_eq!(wrong[0].field, "temperature", "{typed}");
        }
    }
}
