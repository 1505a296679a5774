//! What is computed once for all processes.

use crate::support::TestApp;
use futures::future::join_all;
use parlor::base::{Error, Result, cache::Cache};
use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

const LONG: Duration = Duration::from_mins(1);

#[tokio::test]
async fn of_many_who_want_a_value_one_makes_it() {
    let test = TestApp::start().await;
    // as two processes
    let caches = [test.app.cache.clone(), Cache::new(test.app.pools.jobs.clone())];
    let made = AtomicU32::new(0);
    let make = || async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        Ok::<_, Error>(made.fetch_add(1, Ordering::SeqCst) + 1)
    };
    let all = join_all((0..20).map(|n| caches[n % 2].get("tested:one", LONG, make()))).await;
    assert!(all.iter().all(|value| matches!(value, Ok(1))), "{all:?}");
    // too old, it is made anew; and what another version put there is none
    test.execute("update cache set expires_at = now() where key = 'tested:one'").await;
    assert_eq!(caches[1].get("tested:one", LONG, make()).await.unwrap(), 2);
    test.execute("update cache set value = '{\"another\": \"form\"}' where key = 'tested:one'").await;
    test.execute("update cache set expires_at = now() where key = 'tested:one'").await;
    assert_eq!(caches[0].get("tested:one", LONG, make()).await.unwrap(), 3);
    assert_eq!(caches[0].get("tested:two", LONG, make()).await.unwrap(), 4, "another key is another value");
    let metrics = parlor::base::metrics::metrics().render();
    assert!(metrics.contains("parlor_cache_total{what=\"tested\",found=\"yes\"} 19"), "{metrics}");
    assert!(metrics.contains("parlor_cache_total{what=\"tested\",found=\"no\"} 4"), "{metrics}");
}

#[tokio::test]
async fn a_fault_is_not_kept_and_whoever_is_lost_is_not_waited_for() {
    let test = TestApp::start().await;
    let cache = &test.app.cache;
    let failed: Result<u32> = cache.get("tested", LONG, async { Err(Error::Forbidden) }).await;
    assert!(matches!(failed, Err(Error::Forbidden)));
    assert_eq!(cache.get("tested", LONG, async { Ok::<_, Error>(1) }).await.unwrap(), 1);
    // one who is given up while making it leaves the claim, which ends by itself
    test.execute("delete from cache").await;
    let never = cache.get("tested", LONG, std::future::pending::<Result<u32>>());
    assert!(tokio::time::timeout(Duration::from_millis(300), never).await.is_err());
    let waiting = cache.get("tested", LONG, async { Ok::<_, Error>(2) });
    assert!(tokio::time::timeout(Duration::from_millis(300), waiting).await.is_err(), "somebody makes it");
    test.execute("update cache set claimed_until = now()").await;
    assert_eq!(cache.get("tested", LONG, async { Ok::<_, Error>(3) }).await.unwrap(), 3);
    test.execute("update cache set expires_at = now()").await;
    cache.tidy().await.unwrap();
    assert_eq!(test.value::<i64>("select count(*) from cache where key = 'tested'").await, 0);
}
