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
    /// Kept, and not used: switched off, or the settings have one of that name.
    pub idle: Vec<(String, &'static str)>,
}

page!(ProvidersPage, KeptPage);

/// What came of the button that was pressed.
pub enum ProviderNotice {
    Again,
    Gone,
    Removed,
}

pub struct ProviderGroup {
    pub name: String,
    pub kind: &'static str,
    pub models: usize,
    pub keys: Vec<ProviderKey>,
    /// Administrators keep it; else it is of the settings.
    pub is_kept: bool,
    /// How it did of late, in words; nothing if it was not asked.
    pub health: Option<String>,
}

/// A key, by what may be seen of it.
pub struct ProviderKey {
    pub id: ProviderKeyId,
    pub hint: String,
    /// Within the last minute, and how many may be; 0: no limit, and they are not counted.
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
            Self::Removed => text::PROVIDER_REMOVED,
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

/// One provider that administrators keep, or a new one.
#[derive(askama::Template)]
#[template(path = "pages/provider/page.html")]
pub struct KeptPage {
    pub me: Me,
    pub days: Vec<ChatDay>,
    pub is_new: bool,
    /// The settings have one of that name, which counts instead.
    pub is_shadowed: bool,
    pub notice: Option<KeptNotice>,
    /// By the name of each kind, in words, and whether it is chosen.
    pub kinds: [(&'static str, &'static str, bool); 3],
    pub keys: Vec<KeptKey>,
    // as they are, or as they were typed
    pub name: String,
    pub base_url: String,
    pub models: String,
    pub requests_per_minute: String,
    pub tokens_per_minute: String,
    pub enabled: bool,
    /// What is wrong, by field.
    pub faults: Vec<(&'static str, String)>,
}

impl KeptPage {
    fn fault(&self, field: &str) -> Option<&str> {
        self.faults.iter().find(|(name, _)| *name == field).map(|(_, sentence)| sentence.as_str())
    }

    fn title(&self) -> &str {
        if self.is_new { text::PROVIDER_NEW } else { &self.name }
    }
}

/// A key, by what may be seen of it.
pub struct KeptKey {
    pub id: ProviderKeyId,
    pub hint: String,
    pub at: OffsetDateTime,
}

impl KeptKey {
    fn name(&self) -> String {
        if self.hint.is_empty() { text::KEY_SHORT.into() } else { format!("…{}", self.hint) }
    }
}

/// What came of the form before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeptNotice {
    /// Saved, and it answered.
    Answered,
    Unanswered,
    Saved,
    /// A key.
    Removed,
}

impl KeptNotice {
    const ALL: [Self; 4] = [Self::Answered, Self::Unanswered, Self::Saved, Self::Removed];

    /// As an address has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Unanswered => "unanswered",
            Self::Saved => "saved",
            Self::Removed => "removed",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|notice| notice.name() == name)
    }

    fn words(self) -> &'static str {
        match self {
            Self::Answered => text::PROVIDER_ANSWERED,
            Self::Unanswered => text::PROVIDER_UNANSWERED,
            Self::Saved => text::PROVIDER_SAVED,
            Self::Removed => text::PROVIDER_KEY_REMOVED,
        }
    }
}
