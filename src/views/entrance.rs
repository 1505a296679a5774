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
    /// Of an invitation, whose address is not to be changed.
    pub token: Option<String>,
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

#[derive(askama::Template)]
#[template(path = "pages/forgot/page.html")]
pub struct ForgotPage {
    pub email: String,
    pub errors: Vec<(&'static str, String)>,
}

#[derive(askama::Template)]
#[template(path = "pages/reset/page.html")]
pub struct ResetPage {
    pub token: String,
    pub errors: Vec<(&'static str, String)>,
}

/// What has to be said at the door, and nothing to fill in; a button at most.
#[derive(askama::Template)]
#[template(path = "pages/say/page.html")]
pub struct SayPage {
    pub said: Said,
}

pub enum Said {
    ForgotSent {
        email: String,
        minutes: u32,
    },
    /// The link of a letter is no good.
    ResetGone,
    AddressGone,
    InvitationGone,
    /// The button that uses the new address.
    ConfirmAddress {
        token: String,
    },
    AddressConfirmed {
        email: String,
    },
    RegistrationClosed,
    ByInvitation,
}

page!(LoginPage, RegisterPage, SetupPage, ForgotPage, ResetPage, SayPage);

impl ForgotPage {
    fn fault(&self, field: &str) -> Option<&str> {
        fault(&self.errors, field)
    }
}

impl ResetPage {
    fn fault(&self, field: &str) -> Option<&str> {
        fault(&self.errors, field)
    }
}

impl SayPage {
    fn title(&self) -> &'static str {
        match &self.said {
            Said::ForgotSent { .. } => text::FORGOT_SENT,
            Said::ResetGone | Said::AddressGone | Said::InvitationGone => text::LINK_GONE,
            Said::ConfirmAddress { .. } => text::ADDRESS_CONFIRM,
            Said::AddressConfirmed { .. } => text::ADDRESS_CONFIRMED,
            Said::RegistrationClosed => text::REGISTER_CLOSED,
            Said::ByInvitation => text::REGISTER_INVITED,
        }
    }

    fn lead(&self) -> String {
        match &self.said {
            Said::ForgotSent { email, minutes } => text::forgot_sent(email, *minutes),
            Said::ResetGone => text::LINK_GONE_RESET.into(),
            Said::AddressGone => text::LINK_GONE_ADDRESS.into(),
            Said::InvitationGone => text::LINK_GONE_INVITATION.into(),
            Said::ConfirmAddress { .. } => text::ADDRESS_CONFIRM_LEAD.into(),
            Said::AddressConfirmed { email } => text::address_confirmed(email),
            Said::RegistrationClosed => text::REGISTER_CLOSED_LEAD.into(),
            Said::ByInvitation => text::REGISTER_INVITED_LEAD.into(),
        }
    }

    fn hint(&self) -> Option<&'static str> {
        matches!(self.said, Said::ForgotSent { .. }).then_some(text::FORGOT_NOTHING)
    }

    /// The token that a button carries on.
    fn token(&self) -> Option<&str> {
        match &self.said {
            Said::ConfirmAddress { token } => Some(token),
            _ => None,
        }
    }

    /// Where to go from here, and how that is called.
    fn on(&self) -> (&'static str, &'static str) {
        match self.said {
            Said::ResetGone => ("/password/forgot", text::FORGOT_TITLE),
            Said::AddressGone => ("/settings/email", text::ADDRESS_TITLE),
            _ => ("/login", text::TO_SIGN_IN),
        }
    }
}

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
