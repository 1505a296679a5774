//! Typed ids. One newtype per table, so that a chat's id cannot be handed over where a message's is meant.
//! All are UUIDv7, minted by the database (`uuid7()` in `0001_base.sql`). What must not live here: look-ups.

/// Declares id newtypes over [`uuid::Uuid`] that print, parse, and travel through SQL, JSON and paths.
macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize, sqlx::Type)]
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
    /// A file of chats to be imported.
    ImportId,
}
