//! People: registering, signing in, the first administrator. What must not live here: sessions and cookies (http/).

pub mod password;
mod store;

pub use store::{get, has_administrator};

use crate::{
    app::App,
    base::{
        Error, Result,
        config::Registration,
        error::{FieldError, OnConstraint},
        ids::UserId,
    },
    domain::tokens,
};
use time::Duration;

/// A person with an account.
#[derive(Debug, Clone)]
pub struct User {
    pub id: UserId,
    pub email: String,
    pub name: String,
    pub administrator: bool,
    pub theme: Theme,
    pub password_hash: String,
}

/// Who looks: every look-up goes through one.
#[derive(Debug, Clone)]
pub struct Viewer {
    pub id: UserId,
    pub name: String,
    pub administrator: bool,
    pub theme: Theme,
}

impl From<&User> for Viewer {
    fn from(user: &User) -> Self {
        Self { id: user.id, name: user.name.clone(), administrator: user.administrator, theme: user.theme }
    }
}

/// Light or dark.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Theme {
    /// As the reader's system has it.
    #[default]
    System,
    Light,
    Dark,
}

impl Theme {
    pub const ALL: [Self; 3] = [Self::System, Self::Light, Self::Dark];

    /// Its name in the database, in forms and in styles.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|theme| theme.name() == name)
    }
}

/// What somebody typed to get an account.
#[derive(Debug, Clone, Default)]
pub struct Registering {
    pub email: String,
    pub name: String,
    pub password: String,
}

struct Checked {
    email: String,
    email_key: String,
    name: String,
    password: String,
}

impl Registering {
    fn check(&self) -> Result<Checked> {
        let mut errors = Vec::new();
        let mut wrong = |field, message: &str| errors.push(FieldError { field, message: message.to_owned() });
        let email = self.email.trim();
        if !is_address(email) {
            wrong("email", "This is no email address. It looks like name@example.org.");
        }
        let name = self.name.trim();
        if name.is_empty() {
            wrong("name", "Say how you want to be called.");
        } else if name.chars().count() > 80 || name.chars().any(char::is_control) {
            wrong("name", "A name has at most 80 characters, on one line.");
        }
        if let Err(message) = password::check(&self.password) {
            wrong("password", message);
        }
        if !errors.is_empty() {
            return Err(Error::Invalid(errors));
        }
        Ok(Checked {
            email: email.to_owned(),
            email_key: email_key(email),
            name: name.to_owned(),
            password: self.password.clone(),
        })
    }
}

/// What addresses are compared by.
fn email_key(email: &str) -> String {
    email.trim().to_lowercase()
}

/// An address with something on both sides of one @, a dot in the domain or `localhost`, without spaces or controls.
fn is_address(email: &str) -> bool {
    let Some((local, domain)) = email.split_once('@') else { return false };
    email.len() <= 254
        && !local.is_empty()
        && (domain.trim_matches('.').contains('.') || domain == "localhost")
        && !domain.contains('@')
        && !email.chars().any(|c| c.is_whitespace() || c.is_control() || "<>,;:\"()[]\\".contains(c))
}

/// Makes a member's account, if registration is open.
///
/// # Errors
/// [`Error::Forbidden`] when it is not; [`Error::Invalid`] by field.
pub async fn register(app: &App, form: &Registering) -> Result<User> {
    if app.config.accounts.registration != Registration::Open {
        return Err(Error::Forbidden);
    }
    create(app, form, false).await
}

/// Makes an account of either role, whatever the registration's setting.
///
/// # Errors
/// [`Error::Invalid`] by field.
pub async fn create(app: &App, form: &Registering, administrator: bool) -> Result<User> {
    let checked = form.check()?;
    let hash = password::hash(app, checked.password).await?;
    let mut conn = app.pools.http.acquire().await?;
    store::insert(&mut conn, &checked.email, &checked.email_key, &checked.name, &hash, administrator)
        .await
        .on_constraint("users_email_key", taken)
}

fn taken() -> Error {
    Error::invalid("email", "There is an account with this address already. Sign in instead.")
}

/// Checks an address and a password. Takes as long for an address that nobody has.
///
/// # Errors
/// The database's.
pub async fn sign_in(app: &App, email: &str, password: &str) -> Result<Option<User>> {
    let user = store::by_email(&app.pools.http, &email_key(email)).await?;
    let hash = user.as_ref().map(|u| u.password_hash.clone());
    let Some(verified) = password::verify(app, password.to_owned(), hash).await? else { return Ok(None) };
    let Some(mut user) = user else { return Ok(None) };
    if verified.outdated {
        let fresh = password::hash(app, password.to_owned()).await?;
        if store::replace_hash(&app.pools.http, user.id, &user.password_hash, &fresh).await? {
            user.password_hash = fresh;
        }
    }
    Ok(Some(user))
}

/// Changes the password of an account.
///
/// # Errors
/// [`Error::NotFound`], or [`Error::Invalid`] for the password.
pub async fn set_password(app: &App, email: &str, password: &str) -> Result<()> {
    password::check(password).map_err(|message| Error::invalid("password", message))?;
    let user = store::by_email(&app.pools.http, &email_key(email)).await?.ok_or(Error::NotFound)?;
    let fresh = password::hash(app, password.to_owned()).await?;
    store::replace_hash(&app.pools.http, user.id, &user.password_hash, &fresh).await?;
    Ok(())
}

/// Makes an account an administrator.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn promote(app: &App, email: &str) -> Result<()> {
    if store::promote(&app.pools.http, &email_key(email)).await? { Ok(()) } else { Err(Error::NotFound) }
}

/// Everybody, for the operator's command line.
///
/// # Errors
/// The database's.
pub async fn all(app: &App) -> Result<Vec<User>> {
    Ok(store::all(&app.pools.http).await?)
}

/// How the first administrator comes to be at this start.
pub enum First {
    /// There is one, or one was configured: nothing to say.
    Settled,
    Created,
    /// The configured address has an account already, which stays as it is.
    AlreadyThere {
        administrator: bool,
    },
    /// Nobody yet: this token opens the set-up page once.
    Token(String),
}

/// Makes the configured first administrator, or a one-time token for the set-up page while there is none.
///
/// # Errors
/// The configured address or password cannot be taken; or the database's.
pub async fn first_administrator(app: &App) -> Result<First> {
    let settings = &app.config.accounts;
    if !settings.admin_email.is_empty() {
        if let Some(user) = store::by_email(&app.pools.http, &email_key(&settings.admin_email)).await? {
            return Ok(First::AlreadyThere { administrator: user.administrator });
        }
        let form = Registering {
            email: settings.admin_email.clone(),
            name: "Administrator".to_owned(),
            password: settings.admin_password.expose().to_owned(),
        };
        return create(app, &form, true).await.map(|_| First::Created);
    }
    if has_administrator(&app.pools.http).await? {
        return Ok(First::Settled);
    }
    let mut conn = app.pools.http.acquire().await?;
    Ok(First::Token(tokens::issue(&mut conn, tokens::Purpose::Setup, Duration::days(7)).await?))
}

/// Makes the first administrator from the set-up page. The token is used up by that alone, not by a mistyped form.
///
/// # Errors
/// [`Error::NotFound`] for a token that is unknown, used or too old, or when there is an administrator;
/// [`Error::Invalid`] by field.
pub async fn set_up(app: &App, token: &str, form: &Registering) -> Result<User> {
    if !may_set_up(app, token).await? {
        return Err(Error::NotFound);
    }
    let checked = form.check()?;
    let hash = password::hash(app, checked.password).await?;
    let mut tx = app.pools.http.begin().await?;
    if !tokens::redeem(&mut tx, tokens::Purpose::Setup, token).await? {
        return Err(Error::NotFound);
    }
    // two links of two processes at the same moment: the second one waits here and then finds an administrator
    store::lock_administrators(&mut tx).await?;
    if has_administrator(&mut *tx).await? {
        return Err(Error::NotFound);
    }
    let user = store::insert(&mut tx, &checked.email, &checked.email_key, &checked.name, &hash, true)
        .await
        .on_constraint("users_email_key", taken)?;
    tokens::forget(&mut tx, tokens::Purpose::Setup).await?;
    tx.commit().await?;
    Ok(user)
}

/// Whether the set-up page may be shown.
///
/// # Errors
/// The database's.
pub async fn may_set_up(app: &App, token: &str) -> Result<bool> {
    let mut conn = app.pools.http.acquire().await?;
    Ok(tokens::is_valid(&mut conn, tokens::Purpose::Setup, token).await? && !has_administrator(&mut *conn).await?)
}

#[cfg(test)]
mod tests {
    use super::{email_key, is_address};

    #[test]
    fn addresses() {
        for good in ["ann@example.org", "a+b@x.co", "ann@localhost", "ünï@exämple.org"] {
            assert!(is_address(good), "{good}");
        }
        for bad in [
            "",
            "ann",
            "@example.org",
            "ann@",
            "ann@org",
            "a b@example.org",
            "ann@@example.org",
            "a\nb@example.org",
            "ann@.",
        ] {
            assert!(!is_address(bad), "{bad}");
        }
        assert_eq!(email_key(" Ann@Example.ORG "), "ann@example.org");
    }
}
