//! What every request would ask for again: values by their type that may be a moment old, in the memory of this process.
//! What must not live here: anything about a single person.

use super::Result;
use std::{
    any::{Any, TypeId},
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};
use tokio::time::Instant;

type Kept = HashMap<TypeId, (Instant, Arc<dyn Any + Send + Sync>)>;

/// See the head of this file.
#[derive(Default)]
pub struct Memo(Mutex<Kept>);

impl Memo {
    /// The value of this type, made anew if the one that is kept is older than `most`.
    ///
    /// # Errors
    /// Those of `make`.
    pub async fn get<T: Any + Send + Sync>(
        &self,
        most: Duration,
        make: impl Future<Output = Result<T>>,
    ) -> Result<Arc<T>> {
        let found = self.kept().get(&TypeId::of::<T>()).filter(|(at, _)| at.elapsed() < most).map(|(_, v)| v.clone());
        if let Some(value) = found.and_then(|value| value.downcast().ok()) {
            return Ok(value);
        }
        // as old as its reading's beginning
        let at = Instant::now();
        let value = Arc::new(make.await?);
        self.kept().insert(TypeId::of::<T>(), (at, value.clone()));
        Ok(value)
    }

    /// The next one who asks gets a new one.
    pub fn forget<T: Any>(&self) {
        self.kept().remove(&TypeId::of::<T>());
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().expect("nothing panics while holding it")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_value_is_kept_until_it_is_too_old_or_forgotten() {
        let memo = Memo::default();
        let long = Duration::from_mins(1);
        let get = async |most, value: u8| *memo.get(most, async { Ok(value) }).await.unwrap();
        assert_eq!(get(long, 1).await, 1);
        assert_eq!(get(long, 2).await, 1);
        assert_eq!(get(Duration::ZERO, 3).await, 3);
        assert_eq!(*memo.get(long, async { Ok("another type") }).await.unwrap(), "another type");
        memo.forget::<u8>();
        assert_eq!(get(long, 4).await, 4);
    }
}
