//! What is written to people, as data: kept sealed until it was sent, and only then made into words. What must not live
//! here: the words.

use serde::{Deserialize, Serialize};

/// A letter with what it has to say. Links are whole, from the configured address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Letter {
    /// Somebody said that they forgot the password.
    Reset {
        name: String,
        link: String,
        minutes: u32,
    },
    /// The password was changed. `keys`: the names of the API keys there are, since those go on working.
    PasswordChanged {
        name: String,
        when: String,
        forgot: String,
        keys: Vec<String>,
    },
    /// To a new address, before it counts.
    ConfirmAddress {
        name: String,
        link: String,
        minutes: u32,
    },
    /// To the address that was left.
    AddressChanged {
        name: String,
        to: String,
        when: String,
    },
    Invitation {
        from: String,
        link: String,
        days: u32,
    },
    /// To administrators: a provider does not take a key any more. `hint`: its last characters, if it is long enough.
    KeySetAside {
        provider: String,
        hint: String,
        reason: String,
        link: String,
    },
    /// Of `parlor doctor`.
    Test {
        url: String,
    },
}

impl Letter {
    /// Its name in the database.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Reset { .. } => "reset",
            Self::PasswordChanged { .. } => "password_changed",
            Self::ConfirmAddress { .. } => "confirm_address",
            Self::AddressChanged { .. } => "address_changed",
            Self::Invitation { .. } => "invitation",
            Self::KeySetAside { .. } => "key_set_aside",
            Self::Test { .. } => "test",
        }
    }
}

/// A letter in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    pub subject: String,
    pub text: String,
    pub html: String,
}
