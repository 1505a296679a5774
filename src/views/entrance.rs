//! The ways in: sign in, register, and the one-time set-up of the first administrator.

use super::{assets, page, text};

#[derive(askama::Template)]
#[template(path = "pages/login/page.html")]
pub struct LoginPage {
    pub email: String,
    /// Where to go afterwards; may be empty.
    pub next: String,
    pub remember: bool,
    pub error: Option<String>,
    pub registration_open: bool,
    pub notice: Option<String>,
}

#[derive(askama::Template)]
#[template(path = "pages/register/page.html")]
pub struct RegisterPage {
    pub email: String,
    pub name: String,
    pub next: String,
    /// Field and sentence; a field that the form does not have is said above it.
    pub errors: Vec<(&'static str, String)>,
}

#[derive(askama::Template)]
#[template(path = "pages/setup/page.html")]
pub struct SetupPage {
    pub email: String,
    pub name: String,
    pub next: String,
    pub errors: Vec<(&'static str, String)>,
    /// The one-time token of the link in the log.
    pub token: String,
}

page!(LoginPage, RegisterPage, SetupPage);

impl LoginPage {
    /// The failing field is not named: that would tell who has an account.
    fn fault(&self, _field: &str) -> Option<&str> {
        None
    }
}

impl RegisterPage {
    fn fault(&self, field: &str) -> Option<&str> {
        fault(&self.errors, field)
    }

    fn general(&self) -> Option<&str> {
        general(&self.errors)
    }
}

impl SetupPage {
    fn fault(&self, field: &str) -> Option<&str> {
        fault(&self.errors, field)
    }

    fn general(&self) -> Option<&str> {
        general(&self.errors)
    }
}

const FIELDS: [&str; 3] = ["email", "name", "password"];

fn fault<'a>(errors: &'a [(&'static str, String)], field: &str) -> Option<&'a str> {
    errors.iter().find(|(name, _)| *name == field).map(|(_, sentence)| sentence.as_str())
}

fn general<'a>(errors: &'a [(&'static str, String)]) -> Option<&'a str> {
    errors.iter().find(|(name, _)| !FIELDS.contains(name)).map(|(_, sentence)| sentence.as_str())
}
