//! What a program may do: scopes, and sets of them. Pure. What must not live here: which route asks for which.

use crate::domain::accounts::Viewer;

/// One thing that a program may do. A program that signed in may do all that its person may; a key what it was made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    ChatsRead,
    ChatsWrite,
    Models,
    Keys,
    Admin,
}

impl Scope {
    pub const ALL: [Self; 5] = [Self::ChatsRead, Self::ChatsWrite, Self::Models, Self::Keys, Self::Admin];
    /// What a key is for if nobody says: nothing by which it could make others, or look after the house.
    pub const USUAL: [Self; 3] = [Self::ChatsRead, Self::ChatsWrite, Self::Models];

    /// Its name in the database, in forms and in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ChatsRead => "chats:read",
            Self::ChatsWrite => "chats:write",
            Self::Models => "models",
            Self::Keys => "keys",
            Self::Admin => "admin",
        }
    }

    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.name() == name)
    }

    fn bit(self) -> u8 {
        1 << (self as u8)
    }
}

/// A set of scopes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Scopes(u8);

impl Scopes {
    /// All that this person may do: the most that any key or token of theirs can ever do.
    #[must_use]
    pub fn of(viewer: &Viewer) -> Self {
        Scope::ALL.into_iter().filter(|scope| viewer.administrator || *scope != Scope::Admin).collect()
    }

    #[must_use]
    pub fn has(self, scope: Scope) -> bool {
        self.0 & scope.bit() != 0
    }

    /// Those that both have.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::ALL.into_iter().filter(move |scope| self.has(*scope))
    }

    #[must_use]
    pub fn names(self) -> Vec<&'static str> {
        self.iter().map(Scope::name).collect()
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(scopes.into_iter().fold(0, |set, scope| set | scope.bit()))
    }
}

#[cfg(test)]
mod tests {
    use super::{Scope, Scopes};

    #[test]
    fn names_and_sets() {
        for scope in Scope::ALL {
            assert_eq!(Scope::parse(scope.name()), Some(scope));
            assert!(Scopes::from_iter([scope]).has(scope));
            assert_eq!(Scopes::from_iter([scope]).names(), [scope.name()]);
        }
        assert_eq!(Scope::parse("everything"), None);
        let some: Scopes = [Scope::Keys, Scope::Models].into_iter().collect();
        assert_eq!(some.and([Scope::Keys, Scope::Admin].into_iter().collect()), [Scope::Keys].into_iter().collect());
        assert!(some.and([Scope::Admin].into_iter().collect()).is_empty());
    }
}
