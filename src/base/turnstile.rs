//! How many of something each person has under way in this process, and how many there are in all: nobody keeps the others
//! out. What must not live here: what is under way.

use super::ids::UserId;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// See the head of this file.
#[derive(Clone, Default)]
pub struct Turnstile(Arc<Mutex<HashMap<UserId, usize>>>);

/// One that is under way, until it is dropped.
pub struct Pass {
    turnstile: Turnstile,
    user: UserId,
}

impl Turnstile {
    /// One more of this person, if they have fewer than `most`, and all together fewer than `all`.
    #[must_use]
    pub fn begin(&self, user: UserId, most: usize, all: usize) -> Option<Pass> {
        let mut under_way = self.under_way();
        let (own, total) = (under_way.get(&user).copied().unwrap_or(0), under_way.values().sum::<usize>());
        if own >= most || total >= all {
            return None;
        }
        under_way.insert(user, own + 1);
        Some(Pass { turnstile: self.clone(), user })
    }

    fn under_way(&self) -> MutexGuard<'_, HashMap<UserId, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        let mut under_way = self.turnstile.under_way();
        match under_way.get_mut(&self.user) {
            Some(own) if *own > 1 => *own -= 1,
            _ => drop(under_way.remove(&self.user)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_keeps_the_others_out() {
        let user = |n| UserId(uuid::Uuid::from_u128(n));
        let turnstile = Turnstile::default();
        let first = turnstile.begin(user(1), 2, 3);
        let second = turnstile.begin(user(1), 2, 3);
        assert!(first.is_some() && second.is_some() && turnstile.begin(user(1), 2, 3).is_none());
        let other = turnstile.begin(user(2), 2, 3);
        assert!(other.is_some() && turnstile.begin(user(3), 2, 3).is_none(), "three are all");
        drop((first, other));
        assert!(turnstile.begin(user(1), 2, 3).is_some() && turnstile.begin(user(3), 2, 3).is_some());
        drop(second);
        assert!(turnstile.under_way().is_empty());
    }
}
