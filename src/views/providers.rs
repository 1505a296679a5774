//! The administrators' page of providers: how the keys of each stand.

use super::{ChatDay, Me, assets, dom, page, text};
use crate::base::ids::ProviderKeyId;
use time::OffsetDateTime;

#[derive(askama::Template)]
#[template(path = "pages/providers/page.html")]
pub struct ProvidersPage {
    pub me: Me,
    pub days: Vec<ChatDay>,
    pub notice: Option<ProviderNotice>,
    pub groups: Vec<ProviderGroup>,
}

page!(ProvidersPage);

/// What came of the button that was pressed.
pub enum ProviderNotice {
    Again,
    Gone,
}

pub struct ProviderGroup {
    pub name: String,
    pub kind: &'static str,
    pub models: usize,
    pub keys: Vec<ProviderKey>,
    /// How it did of late, in words; nothing if it was not asked.
    pub health: Option<String>,
}

/// A key, by what may be seen of it.
pub struct ProviderKey {
    pub id: ProviderKeyId,
    pub hint: String,
    /// Within the last minute, and how many may be; 0: no limit.
    pub requests: (i64, i64),
    pub tokens: (i64, i64),
    pub standing: KeyStanding,
    pub reason: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyStanding {
    Ready,
    /// Its limits have room in so many seconds.
    Full(u64),
    /// The provider asked for it; for so many seconds.
    Resting(u64),
    /// The provider did not accept it.
    SetAside(OffsetDateTime),
}

impl ProviderNotice {
    fn failed(&self) -> bool {
        matches!(self, Self::Gone)
    }

    fn words(&self) -> &'static str {
        match self {
            Self::Again => text::KEY_USED_AGAIN,
            Self::Gone => text::KEY_GONE,
        }
    }
}

impl ProviderKey {
    fn name(&self) -> String {
        if self.hint.is_empty() { text::KEY_SHORT.into() } else { format!("…{}", self.hint) }
    }

    fn is_bad(&self) -> bool {
        matches!(self.standing, KeyStanding::SetAside(_))
    }

    /// An administrator can say that it is good.
    fn can_be_used_again(&self) -> bool {
        matches!(self.standing, KeyStanding::SetAside(_) | KeyStanding::Resting(_))
    }

    /// Since when, and why it rests or was set aside; what was once is told no more.
    fn why(&self) -> String {
        match self.standing {
            KeyStanding::SetAside(at) => text::key_set_aside(at, &self.reason),
            KeyStanding::Resting(_) => self.reason.clone(),
            KeyStanding::Ready | KeyStanding::Full(_) => String::new(),
        }
    }

    fn words(&self) -> String {
        match self.standing {
            KeyStanding::Ready => text::KEY_READY.into(),
            KeyStanding::Full(seconds) => text::key_full(seconds),
            KeyStanding::Resting(seconds) => text::key_rests(seconds),
            KeyStanding::SetAside(_) => text::KEY_SET_ASIDE.into(),
        }
    }
}
