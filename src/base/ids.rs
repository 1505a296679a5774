//! Typed ids. One newtype per table, so that a chat's id cannot be handed over where a message's is meant.
//! All are UUIDv7, minted by the database (`uuid7()` in `0001_base.sql`). What must not live here: look-ups.

use time::OffsetDateTime;

/// Declares id newtypes over [`uuid::Uuid`] that print, parse, and travel through SQL, JSON and paths.
macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(
            Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize, sqlx::Type, utoipa::ToSchema,
        )]
        #[serde(transparent)]
        #[sqlx(transparent)]
        pub struct $name(pub uuid::Uuid);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    )+};
}

ids! {
    /// An account.
    UserId,
    /// A chat: a tree of messages.
    ChatId,
    /// One message of a chat, of a person or of a model.
    MessageId,
    /// The making of one answer.
    GenerationId,
    /// A prompt template.
    PromptId,
    /// A folder that holds chats.
    FolderId,
    /// A file of chats to be imported.
    ImportId,
    /// A session of a browser.
    SessionId,
    /// A file with all of a person's data.
    TakeoutId,
    /// A key that a person made for a program.
    KeyId,
    /// A call of a model by a program.
    CallId,
    /// A program that signed in: the family of its refresh tokens.
    FamilyId,
    /// A letter in the outbox.
    LetterId,
    /// A key that a provider gave us.
    ProviderKeyId,
    /// A group of people.
    GroupId,
    /// A file that somebody sent along.
    FileId,
    /// An invitation to register.
    InvitationId,
}

impl MessageId {
    /// When it was minted, to the millisecond.
    #[must_use]
    pub fn minted_at(self) -> OffsetDateTime {
        let millis = i128::try_from(self.0.as_u128() >> 80).unwrap_or_default();
        OffsetDateTime::from_unix_timestamp_nanos(millis * 1_000_000).unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }

    /// Of no message; 35 days older than this one. What follows a message is younger than it, but for what waited in line
    /// behind an answer and was put behind a newer one.
    #[must_use]
    pub fn long_before(self) -> Self {
        const DAYS: u128 = 35 * 86_400_000; // milliseconds: the first 48 of the 128 bits
        Self(uuid::Uuid::from_u128(self.0.as_u128().saturating_sub(DAYS << 80)))
    }
}
