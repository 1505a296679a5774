//! The language that a person's messages are searched in. What must not live here: how languages are called on pages
//! (views/text.rs), what is done with words (migrations/0014_language.sql).

/// The languages whose words PostgreSQL can take apart, by its names; `simple` is any language, words as they are.
pub const LANGUAGES: [&str; 29] = [
    "simple",
    "arabic",
    "armenian",
    "basque",
    "catalan",
    "danish",
    "dutch",
    "english",
    "finnish",
    "french",
    "german",
    "greek",
    "hindi",
    "hungarian",
    "indonesian",
    "irish",
    "italian",
    "lithuanian",
    "nepali",
    "norwegian",
    "portuguese",
    "romanian",
    "russian",
    "serbian",
    "spanish",
    "swedish",
    "tamil",
    "turkish",
    "yiddish",
];

/// One of [`LANGUAGES`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Language(&'static str);

impl Default for Language {
    fn default() -> Self {
        Self(LANGUAGES[0])
    }
}

impl Language {
    /// By its name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        LANGUAGES.into_iter().find(|known| *known == name).map(Self)
    }

    #[must_use]
    pub fn name(self) -> &'static str {
        self.0
    }
}
