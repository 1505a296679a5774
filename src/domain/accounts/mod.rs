//! People: registering, signing in, the first administrator. What must not live here: sessions and cookies (http/).

pub mod address;
mod device;
pub mod password;
pub mod recovery;
pub mod sessions;
mod store;

pub use store::{administrators, email_of, get, has_administrator, is_taken};

use crate::{
    app::App,
    base::{
        Error, Result,
        config::{Hidden, Registration},
        error::{FieldError, OnConstraint},
        ids::{SessionId, UserId},
    },
    domain::{
        audit::{self, Actor, Subject},
        tokens, tries,
    },
};
use sqlx::PgConnection;
use std::net::IpAddr;
use time::{Duration, OffsetDateTime, UtcOffset};

/// A person with an account.
#[derive(Debug, Clone)]
pub struct User {
    pub id: UserId,
    pub email: String,
    pub name: String,
    pub administrator: bool,
    pub theme: Theme,
    /// Answers are set in letters with serifs.
    pub serif: bool,
    /// Hidden: libraries log what they are given.
    pub password_hash: Hidden,
    /// The hash that the same password had first, when it was made anew since.
    pub(super) first_hash: Option<Hidden>,
    pub now: Now,
}

/// What is asked of an account with each request of a session; known of those that [`get`] returns.
#[derive(Debug, Clone, Default)]
pub struct Now {
    /// All of its sessions: one that has a name and is not among them was ended.
    pub sessions: Vec<SessionId>,
    /// Then all its sessions were ended, also those without a name.
    pub sessions_ended_at: Option<OffsetDateTime>,
    /// It is to be deleted then.
    pub delete_at: Option<OffsetDateTime>,
}

impl User {
    /// What sessions and programs hang on: another one with another password, and with nothing else.
    #[must_use]
    pub fn password_mark(&self) -> &str {
        self.first_hash.as_ref().unwrap_or(&self.password_hash).expose()
    }

    /// The account as something is done to it.
    #[must_use]
    pub fn subject(&self) -> Subject<'_> {
        Subject { id: self.id, email: &self.email }
    }

    /// The account as it does something.
    #[must_use]
    pub fn actor(&self, address: Option<IpAddr>) -> Actor {
        Actor { id: Some(self.id), email: self.email.clone(), address }
    }
}

/// Who looks: every look-up goes through one.
#[derive(Debug, Clone)]
pub struct Viewer {
    pub id: UserId,
    pub email: String,
    pub name: String,
    pub administrator: bool,
    pub theme: Theme,
    /// Answers are set in letters with serifs.
    pub serif: bool,
    /// Where they ask from.
    pub address: Option<IpAddr>,
    /// How far the clock there is from UTC, as far as their browser says.
    pub zone: UtcOffset,
}

impl From<&User> for Viewer {
    fn from(user: &User) -> Self {
        let User { id, administrator, theme, serif, .. } = *user;
        let (email, name) = (user.email.clone(), user.name.clone());
        Self { id, email, name, administrator, theme, serif, address: None, zone: UtcOffset::UTC }
    }
}

impl Viewer {
    /// Their account, as what something is done to.
    #[must_use]
    pub fn subject(&self) -> Subject<'_> {
        Subject { id: self.id, email: &self.email }
    }
}

impl From<&Viewer> for Actor {
    fn from(viewer: &Viewer) -> Self {
        Self { id: Some(viewer.id), email: viewer.email.clone(), address: viewer.address }
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
    name: String,
    password: String,
}

impl Registering {
    fn check(&self) -> Result<Checked> {
        let mut errors = Vec::new();
        let mut wrong = |field, message: &str| errors.push(FieldError { field, message: message.to_owned() });
        let email = self.email.trim();
        if !is_address(email) {
            wrong("email", NO_ADDRESS);
        }
        let name = self.name.trim();
        if name.is_empty() {
            wrong("name", "Say how you want to be called.");
        } else if name.chars().count() > 80 || name.chars().any(char::is_control) {
            wrong("name", "A name has at most 80 characters, on one line.");
        } else if name.contains("://") || name.to_lowercase().contains("www.") {
            // it stands in letters that come from here
            wrong("name", "A name cannot hold a link.");
        }
        if let Err(message) = password::check(&self.password) {
            wrong("password", message);
        }
        if !errors.is_empty() {
            return Err(Error::Invalid(errors));
        }
        Ok(Checked { email: email.to_owned(), name: name.to_owned(), password: self.password.clone() })
    }
}

/// What addresses are compared by, everywhere. A letter that only looks like one of ASCII once it is lower case (the Kelvin
/// sign is one) stays as it is, so that it belongs to nobody else.
#[must_use]
pub fn email_key(email: &str) -> String {
    let imposes = |c: char| !c.is_ascii() && c.to_lowercase().any(|lower| lower.is_ascii());
    let parts = email.trim().split_inclusive(imposes);
    let lower = parts.map(|part| match part.chars().next_back().filter(|c| imposes(*c)) {
        Some(last) => format!("{}{last}", part[..part.len() - last.len_utf8()].to_lowercase()),
        None => part.to_lowercase(),
    });
    lower.collect()
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

/// Makes a member's account, if registration is open. Its owner is known at the place `from`.
///
/// # Errors
/// [`Error::Forbidden`] when it is not; [`Error::Invalid`] by field.
pub async fn register(app: &App, form: &Registering, from: Option<IpAddr>) -> Result<User> {
    if app.config.accounts.registration != Registration::Open {
        return Err(Error::Forbidden);
    }
    let user = make(app, form, false, |user| (user.actor(from), "user.registered")).await?;
    tries::remember(app, &email_key(&user.email), from).await?;
    Ok(user)
}

/// Makes the account of an invitation, in the transaction that uses it up: with its address, whatever was typed.
///
/// # Errors
/// [`Error::Invalid`] by field.
pub async fn create_invited(
    tx: &mut PgConnection,
    checked: &Invited,
    email: &str,
    administrator: bool,
) -> Result<User> {
    insert(tx, email, &checked.name, &checked.hash, administrator).await
}

async fn insert(tx: &mut PgConnection, email: &str, name: &str, hash: &str, administrator: bool) -> Result<User> {
    let made = store::insert(tx, email, &email_key(email), name, hash, administrator).await;
    made.on_constraint("users_email_key", taken)
}

/// The name and the password of somebody who was invited, checked.
pub struct Invited {
    name: String,
    hash: String,
}

/// Checks a form and hashes its password.
///
/// # Errors
/// [`Error::Invalid`] by field.
pub async fn check_invited(app: &App, form: &Registering) -> Result<Invited> {
    let checked = form.check()?;
    let hash = password::hash(app, checked.password).await?;
    Ok(Invited { name: checked.name, hash })
}

/// An address as accounts have it: trimmed, and what it is compared by.
///
/// # Errors
/// [`Error::Invalid`] for `email`.
pub fn check_address(typed: &str) -> Result<(String, String)> {
    let email = typed.trim();
    if !is_address(email) {
        return Err(Error::invalid("email", NO_ADDRESS));
    }
    Ok((email.to_owned(), email_key(email)))
}

const NO_ADDRESS: &str = "This is no email address. It looks like name@example.org.";

/// Makes an account of either role for somebody, whatever the registration's setting.
///
/// # Errors
/// [`Error::Invalid`] by field.
pub async fn create(app: &App, form: &Registering, administrator: bool, by: &Actor) -> Result<User> {
    make(app, form, administrator, |_| (by.clone(), "user.created")).await
}

/// `who`: of the new account, who makes it, and what that is called.
async fn make(
    app: &App,
    form: &Registering,
    administrator: bool,
    who: impl FnOnce(&User) -> (Actor, &'static str),
) -> Result<User> {
    let checked = form.check()?;
    let hash = password::hash(app, checked.password).await?;
    let mut tx = app.pools.http.begin().await?;
    let user = insert(&mut tx, &checked.email, &checked.name, &hash, administrator).await?;
    let (actor, action) = who(&user);
    note_made(&mut tx, &actor, action, &user).await?;
    tx.commit().await?;
    Ok(user)
}

async fn note_made(tx: &mut PgConnection, actor: &Actor, action: &str, user: &User) -> Result<()> {
    let role = if user.administrator { "administrator" } else { "member" };
    audit::note(tx, actor, action, Some(user.subject()), role).await
}

fn taken() -> Error {
    Error::invalid("email", "There is an account with this address already. Sign in instead.")
}

/// Checks an address and a password, at the place `from`. Takes as long for an address that nobody has.
///
/// # Errors
/// [`Error::Limited`] after several wrong tries, alike for an address that nobody has.
pub async fn sign_in(app: &App, email: &str, password: &str, from: Option<IpAddr>) -> Result<Option<User>> {
    let key = email_key(email);
    let attempt = tries::begin(app, &key, from).await?;
    let user = store::by_email(&app.pools.http, &key).await?;
    let hash = user.as_ref().map(|u| u.password_hash.expose().to_owned());
    let Some(verified) = password::verify(app, password.to_owned(), hash).await? else { return Ok(None) };
    let Some(mut user) = user else { return Ok(None) };
    if verified.outdated {
        let fresh = password::hash(app, password.to_owned()).await?;
        if store::renew_hash(&app.pools.http, user.id, user.password_hash.expose(), &fresh).await? {
            let before = std::mem::replace(&mut user.password_hash, fresh.into());
            user.first_hash.get_or_insert(before);
        }
    }
    attempt.right(app).await?;
    Ok(Some(user))
}

/// The account of an address.
///
/// # Errors
/// [`Error::NotFound`], also for one that is disabled.
pub async fn find(app: &App, email: &str) -> Result<User> {
    store::by_email(&app.pools.http, &email_key(email)).await?.ok_or(Error::NotFound)
}

/// Sets the password of an account, for the operator's command line; ends its sessions.
///
/// # Errors
/// [`Error::NotFound`], or [`Error::Invalid`] for the password.
pub async fn set_password(app: &App, email: &str, password: &str) -> Result<()> {
    password::check(password).map_err(|message| Error::invalid("password", message))?;
    let user = store::by_email(&app.pools.http, &email_key(email)).await?.ok_or(Error::NotFound)?;
    let fresh = password::hash(app, password.to_owned()).await?;
    let mut tx = app.pools.http.begin().await?;
    store::set_hash(&mut tx, user.id, &email_key(&user.email), &fresh).await?.ok_or(Error::NotFound)?;
    sessions::end_all_of(&mut tx, user.id, None).await?;
    recovery::password_changed(&mut tx, app, &user).await?;
    audit::note(&mut tx, &Actor::operator(), "password.changed", Some(user.subject()), "").await?;
    tx.commit().await?;
    Ok(())
}

/// Changes a viewer's own password, who has to know the old one. Ends all other sessions; this one goes on, if it is told
/// the account as it is returned.
///
/// # Errors
/// [`Error::Invalid`] for `old` or `password`.
pub async fn change_password(app: &App, viewer: &Viewer, this: SessionId, old: &str, new: &str) -> Result<User> {
    password::check(new).map_err(|message| Error::invalid("password", message))?;
    let mut user = confirm(app, viewer, "old", old).await?;
    let fresh = password::hash(app, new.to_owned()).await?;
    let mut tx = app.pools.http.begin().await?;
    if !store::replace_hash(&mut *tx, user.id, user.password_hash.expose(), &fresh).await? {
        return Err(Error::Conflict("The password was changed elsewhere at the same moment.".to_owned()));
    }
    let ended = sessions::end_all_of(&mut tx, user.id, Some(this)).await?;
    recovery::password_changed(&mut tx, app, &user).await?;
    let details = format!("{ended} other sessions ended");
    audit::note(&mut tx, &Actor::from(viewer), "password.changed", Some(viewer.subject()), &details).await?;
    tx.commit().await?;
    (user.password_hash, user.first_hash) = (fresh.into(), None);
    Ok(user)
}

/// Asks a viewer for their password again, as before what cannot be undone.
///
/// # Errors
/// [`Error::Invalid`] for `field` when it is another one; [`Error::Limited`] after several wrong ones.
pub async fn confirm(app: &App, viewer: &Viewer, field: &'static str, password: &str) -> Result<User> {
    let user = get(&app.pools.http, viewer.id).await?.ok_or(Error::Unauthenticated)?;
    let attempt = tries::begin(app, &email_key(&user.email), viewer.address).await?;
    let verified = password::verify(app, password.to_owned(), Some(user.password_hash.expose().to_owned())).await?;
    if verified.is_none() {
        return Err(Error::invalid(field, "This is not your password."));
    }
    attempt.right(app).await?;
    Ok(user)
}

/// Makes an account an administrator.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn promote(app: &App, email: &str) -> Result<()> {
    let mut tx = app.pools.http.begin().await?;
    let (id, email) = store::promote(&mut tx, &email_key(email)).await?.ok_or(Error::NotFound)?;
    let subject = Subject { id, email: &email };
    audit::note(&mut tx, &Actor::operator(), "user.role", Some(subject), "administrator").await?;
    tx.commit().await?;
    Ok(())
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
        // processes that start at the same moment: the second one waits here and then finds what the first one made
        let mut tx = app.pools.http.begin().await?;
        store::lock_administrators(&mut tx).await?;
        if let Some(role) = store::role_of(&mut tx, &email_key(&settings.admin_email)).await? {
            return Ok(First::AlreadyThere { administrator: role == "administrator" });
        }
        let form = Registering {
            email: settings.admin_email.clone(),
            name: "Administrator".to_owned(),
            password: settings.admin_password.expose().to_owned(),
        };
        let checked = form.check()?;
        let hash = password::hash(app, checked.password).await?;
        let user = insert(&mut tx, &checked.email, &checked.name, &hash, true).await?;
        note_made(&mut tx, &Actor::program(), "user.created", &user).await?;
        tx.commit().await?;
        return Ok(First::Created);
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
pub async fn set_up(app: &App, token: &str, form: &Registering, from: Option<IpAddr>) -> Result<User> {
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
    let user = insert(&mut tx, &checked.email, &checked.name, &hash, true).await?;
    tokens::forget(&mut tx, tokens::Purpose::Setup).await?;
    let details = "administrator, by the link in the log";
    audit::note(&mut tx, &user.actor(from), "user.registered", Some(user.subject()), details).await?;
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
    }

    #[test]
    fn s9_addresses_that_look_alike_are_not_alike() {
        for (typed, key) in [
            (" Ann@Example.ORG ", "ann@example.org"),
            ("ÄNN@exÄmple.org", "änn@exämple.org"),
            ("\u{212a}im@Example.org", "\u{212a}im@example.org"), // the Kelvin sign
            ("M\u{0130}A@example.org", "m\u{0130}a@example.org"), // a Turkish I with its dot
            ("m\u{0131}a@example.org", "m\u{0131}a@example.org"), // and one without
            ("ΟΔΟΣ@example.org", "οδος@example.org"),
        ] {
            assert_eq!(email_key(typed), key, "{typed}");
        }
    }
}
