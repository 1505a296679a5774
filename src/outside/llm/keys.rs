//! The keys of a provider, and which one is next: pure. How they stand is told by whoever keeps count of all processes
//! (domain/providers). What must not live here: IO, tables.

use crate::base::{config::Hidden, ids::ProviderKeyId};
use sha2::{Digest as _, Sha256};
use std::time::Instant;

/// A key of a provider, with its limits; 0: none.
#[derive(Debug, Clone)]
pub struct Key {
    /// Derived from it, so that all processes call it the same.
    pub id: ProviderKeyId,
    /// Empty for a server that needs none; such a key has no limits and is not counted.
    pub value: Hidden,
    pub requests_per_minute: i32,
    pub tokens_per_minute: i64,
}

impl Key {
    /// `mark`: what ids are derived from besides, so that nobody finds a key by trying.
    pub(super) fn new(mark: &[u8], provider: &str, value: &Hidden, limits: (i32, i64)) -> Self {
        let mut hash = Sha256::new();
        for part in [mark, provider.as_bytes(), value.expose().as_bytes()] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        let bytes: [u8; 16] = hash.finalize()[..16].try_into().expect("a half of 32 bytes");
        let id = ProviderKeyId(uuid::Builder::from_custom_bytes(bytes).into_uuid());
        Self { id, value: value.clone(), requests_per_minute: limits.0, tokens_per_minute: limits.1 }
    }

    /// Its last four characters, by which people know it; none of one that is so short that they would tell too much.
    #[must_use]
    pub fn hint(&self) -> &str {
        let value = self.value.expose();
        if value.len() < 16 { "" } else { &value[value.len() - 4..] }
    }

    /// Whether a server wants none.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.value.expose().is_empty()
    }
}

/// How a key stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Standing {
    pub id: ProviderKeyId,
    /// Requests and tokens within the last minute.
    pub requests: i32,
    pub tokens: i64,
    /// Seconds until its limits have room; 0: now.
    pub free_in: f64,
    /// Seconds that it rests, because the provider asked for it.
    pub resting_in: f64,
    /// The provider did not accept it.
    pub set_aside: bool,
}

/// How the keys of a provider stood, and when.
pub type Known = (Instant, Vec<Standing>);

/// Which key is next.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Pick {
    Key(ProviderKeyId),
    /// None now, but one in so many seconds.
    In(f64),
    /// None at all.
    Never,
}

/// The least used key with room, of those that were not tried; of several alike the first.
#[must_use]
pub fn pick(keys: &[Standing], tried: &[ProviderKeyId]) -> Pick {
    let good = || keys.iter().filter(|key| !key.set_aside && !tried.contains(&key.id));
    let wait = |key: &Standing| key.free_in.max(key.resting_in);
    if let Some(key) = good().filter(|key| wait(key) <= 0.).min_by_key(|key| (key.requests, key.tokens)) {
        return Pick::Key(key.id);
    }
    good().map(wait).min_by(f64::total_cmp).map_or(Pick::Never, Pick::In)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: u8) -> ProviderKeyId {
        ProviderKeyId(uuid::Uuid::from_bytes([n; 16]))
    }

    fn key(n: u8, requests: i32) -> Standing {
        Standing { id: id(n), requests, tokens: 0, free_in: 0., resting_in: 0., set_aside: false }
    }

    #[test]
    fn which_is_next() {
        let full = |n, free_in| Standing { free_in, ..key(n, 10) };
        let resting = |n, resting_in| Standing { resting_in, ..key(n, 1) };
        let aside = |n| Standing { set_aside: true, ..key(n, 0) };
        for (keys, tried, expected) in [
            (&[key(1, 0), key(2, 0)][..], &[][..], Pick::Key(id(1))),
            (&[key(1, 4), key(2, 3), key(3, 4)], &[], Pick::Key(id(2))),
            (&[Standing { tokens: 9, ..key(1, 3) }, key(2, 3)], &[], Pick::Key(id(2))),
            (&[key(1, 4), key(2, 3)], &[id(2)], Pick::Key(id(1))),
            (&[full(1, 5.), key(2, 9)], &[], Pick::Key(id(2))),
            (&[resting(1, 5.), key(2, 9)], &[], Pick::Key(id(2))),
            (&[aside(1), key(2, 9)], &[], Pick::Key(id(2))),
            (&[full(1, 5.), resting(2, 7.)], &[], Pick::In(5.)),
            (&[Standing { free_in: 5., ..resting(1, 9.) }, resting(2, 7.)], &[], Pick::In(7.)),
            (&[full(1, 5.), resting(2, 7.)], &[id(1)], Pick::In(7.)),
            (&[aside(1)], &[], Pick::Never),
            (&[key(1, 0)], &[id(1)], Pick::Never),
            (&[], &[], Pick::Never),
        ] {
            assert_eq!(pick(keys, tried), expected, "{keys:?} {tried:?}");
        }
    }

    /// Whoever asks again and again uses all evenly.
    #[test]
    fn all_are_used_evenly() {
        let mut keys = [key(1, 0), key(2, 0), key(3, 0)];
        for _ in 0..30 {
            let Pick::Key(next) = pick(&keys, &[]) else { panic!() };
            keys.iter_mut().find(|key| key.id == next).unwrap().requests += 1;
        }
        assert_eq!(keys.map(|key| key.requests), [10, 10, 10]);
    }

    #[test]
    fn a_key_is_called_the_same_by_all_and_shows_little() {
        let make = |mark: &[u8], provider, value: &str| Key::new(mark, provider, &value.into(), (10, 0));
        let one = make(b"m", "openai", "sk-0123456789abcdef");
        assert_eq!(one.id, make(b"m", "openai", "sk-0123456789abcdef").id);
        for other in [make(b"n", "openai", "sk-0123456789abcdef"), make(b"m", "openai2", "sk-0123456789abcdef")] {
            assert_ne!(one.id, other.id);
        }
        assert_eq!((one.hint(), make(b"m", "openai", "short").hint()), ("cdef", ""));
        assert!(make(b"m", "local", "").is_none() && !one.is_none());
    }
}
