//! The administrators' page of invitations.

use super::{ChatDay, Me, assets, dom, page, text};
use crate::base::ids::InvitationId;
use time::OffsetDateTime;

#[derive(askama::Template)]
#[template(path = "pages/invitations/page.html")]
pub struct InvitationsPage {
    pub me: Me,
    pub days: Vec<ChatDay>,
    pub notice: Option<InvitationNotice>,
    /// Anybody may register, or nobody.
    pub open: bool,
    pub closed: bool,
    /// What was typed, and what is wrong with it.
    pub typed: String,
    pub administrator: bool,
    pub fault: Option<String>,
    pub invitations: Vec<InvitationLine>,
}

page!(InvitationsPage);

/// What came of what was done.
pub enum InvitationNotice {
    /// With the link, which is shown here alone.
    Sent {
        email: String,
        link: String,
    },
    Revoked,
    /// It is not open any more.
    Gone,
    Refused(String),
}

pub struct InvitationLine {
    pub id: InvitationId,
    pub email: String,
    pub administrator: bool,
    pub by: String,
    pub at: OffsetDateTime,
    pub until: OffsetDateTime,
    pub state: InvitationState,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvitationState {
    Open,
    Used,
    Revoked,
    TooOld,
}

impl InvitationNotice {
    fn failed(&self) -> bool {
        matches!(self, Self::Gone | Self::Refused(_))
    }

    fn words(&self) -> String {
        match self {
            Self::Sent { email, .. } => text::invited(email),
            Self::Revoked => text::INVITATION_DONE_REVOKED.into(),
            Self::Gone => text::INVITATION_GONE.into(),
            Self::Refused(sentence) => sentence.clone(),
        }
    }

    fn link(&self) -> Option<&str> {
        match self {
            Self::Sent { link, .. } => Some(link),
            _ => None,
        }
    }
}

impl InvitationLine {
    fn role(&self) -> &'static str {
        if self.administrator { text::ADMINISTRATOR } else { text::USER_MEMBER }
    }

    fn words(&self) -> String {
        match self.state {
            InvitationState::Open => text::open_until(self.until),
            InvitationState::Used => text::INVITATION_USED.into(),
            InvitationState::Revoked => text::INVITATION_REVOKED.into(),
            InvitationState::TooOld => text::INVITATION_OLD.into(),
        }
    }

    fn is_open(&self) -> bool {
        self.state == InvitationState::Open
    }
}

impl InvitationsPage {
    fn registration(&self) -> Option<&'static str> {
        match (self.open, self.closed) {
            (true, _) => Some(text::INVITATIONS_OPEN),
            (_, true) => Some(text::INVITATIONS_CLOSED),
            _ => None,
        }
    }
}
