//! The bells of people's lists in this process. A list has no log: whoever hears its bell reads it anew, whole.

use crate::base::ids::UserId;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard},
};
use tokio::sync::Notify;

/// The bells that somebody listens to, by whose list it is.
#[derive(Default)]
pub struct Bells(Mutex<HashMap<UserId, Vec<Arc<Notify>>>>);

impl Bells {
    fn all(&self) -> MutexGuard<'_, HashMap<UserId, Vec<Arc<Notify>>>> {
        self.0.lock().expect("nothing panics while holding it")
    }

    /// Hears of changes of a person's list from now on.
    #[must_use]
    pub fn of(self: &Arc<Self>, owner: UserId) -> ListBell {
        let bell = Arc::new(Notify::new());
        self.all().entry(owner).or_default().push(bell.clone());
        ListBell { bells: self.clone(), owner, bell }
    }

    pub(super) fn ring(&self, owner: UserId) {
        self.all().get(&owner).into_iter().flatten().for_each(|bell| bell.notify_one());
    }

    pub(super) fn ring_all(&self) {
        self.all().values().flatten().for_each(|bell| bell.notify_one());
    }
}

/// See [`Bells::of`].
pub struct ListBell {
    bells: Arc<Bells>,
    owner: UserId,
    bell: Arc<Notify>,
}

impl ListBell {
    /// Waits for it to ring; what rang since the last time counts.
    pub async fn rung(&self) {
        self.bell.notified().await;
    }
}

impl Drop for ListBell {
    fn drop(&mut self) {
        let mut all = self.bells.all();
        if let Some(bells) = all.get_mut(&self.owner) {
            bells.retain(|bell| !Arc::ptr_eq(bell, &self.bell));
            if bells.is_empty() {
                all.remove(&self.owner);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt as _;
    use uuid::Uuid;

    fn has_rung(bell: &ListBell) -> bool {
        bell.rung().now_or_never().is_some()
    }

    #[test]
    fn each_hears_of_their_own_list() {
        let bells = Arc::new(Bells::default());
        let (ann, bob) = (UserId(Uuid::from_u128(1)), UserId(Uuid::from_u128(2)));
        let (one, other, bobs) = (bells.of(ann), bells.of(ann), bells.of(bob));
        assert!(!has_rung(&one));
        bells.ring(ann);
        bells.ring(ann);
        assert!(has_rung(&one) && has_rung(&other) && !has_rung(&bobs));
        assert!(!has_rung(&one), "once, however often it rang");
        bells.ring_all();
        assert!(has_rung(&one) && has_rung(&other) && has_rung(&bobs));
    }

    #[test]
    fn whoever_leaves_is_forgotten() {
        let bells = Arc::new(Bells::default());
        let ann = UserId(Uuid::from_u128(1));
        let (one, other) = (bells.of(ann), bells.of(ann));
        drop(one);
        assert_eq!(bells.all()[&ann].len(), 1);
        bells.ring(ann);
        assert!(has_rung(&other));
        drop(other);
        assert!(bells.all().is_empty());
    }
}
