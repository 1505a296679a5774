//! The keys of a provider, shared by all processes: used evenly up to their limits, resting when the provider has had enough
//! of them, set aside when it does not take them any more.

use crate::support::{
    TestApp, eventually,
    people::Person,
    process::{House, Process},
    provider::Step,
};
use parlor::domain::providers::pool::{self, Take};
use std::{collections::BTreeMap, time::Instant};

const LIMIT: &str = "PARLOR__PROVIDERS__OPENAI__REQUESTS_PER_MINUTE";
const THREE: (&str, &str) = ("OPENAI_API_KEY", "sk-number-one-0001,sk-number-two-0002,sk-number-three-0003");
/// What waits is to be tried again now.
const DUE: &str = "update generations set next_attempt_at = now() where state = 'waiting';
    update apalis.jobs set run_at = now() where status = 'Pending'";
const IN_USE: &str = "All that openai takes at once is in use.";

/// How often each key was asked with.
fn by_key(test: &TestApp) -> BTreeMap<String, usize> {
    let mut counted = BTreeMap::new();
    for asked in test.provider.asked() {
        *counted.entry(asked.key).or_default() += 1;
    }
    counted
}

#[tokio::test]
async fn thirty_pass_evenly_and_the_next_one_waits_without_an_attempt() {
    let test = TestApp::with(&[THREE, (LIMIT, "10"), ("PARLOR__GENERATION__RETRY", "")]).await;
    let ann = test.person("ann").await;
    for _ in 0..30 {
        let chat = ann.asks("hi").await;
        ann.sees(&chat, "data-state=\"completed\"").await;
    }
    assert_eq!(by_key(&test).into_values().collect::<Vec<_>>(), [10, 10, 10]);

    let chat = ann.asks("One more?").await;
    let page = ann.sees(&chat, "data-state=\"waiting\"").await;
    assert!(page.html.contains(IN_USE) && page.html.contains("Tries again in <span>"), "{}", page.html);
    let (retries, left): (i32, f64) = sqlx::query_as(
        "select retries, extract(epoch from next_attempt_at - now())::float8 from generations order by id desc limit 1",
    )
    .fetch_one(&test.app.pools.http)
    .await
    .unwrap();
    assert_eq!(retries, 0, "it is no attempt");
    assert!(left > 0. && left < 61., "{left}");
    assert_eq!(test.provider.asked().len(), 30);

    // a minute passes
    test.execute("update key_uses set second = second - 61").await;
    test.execute(DUE).await;
    pool::forget(&test.app.providers()[0]);
    ann.sees(&chat, "data-state=\"completed\"").await;
    assert_eq!(test.provider.asked().len(), 31);
}

/// Forty at once, each on a connection of its own: exactly thirty are let through.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_at_once_take_no_more_than_there_is() {
    let test = TestApp::with(&[THREE, (LIMIT, "10")]).await;
    let takes = (0..40).map(|_| {
        let app = test.app.clone();
        tokio::spawn(async move {
            let mut conn = app.pools.http.acquire().await.unwrap();
            match pool::take(&mut conn, &app.providers()[0].clone(), &[], 0).await.unwrap() {
                Take::Key(taken) => Some(taken.key.id),
                Take::In(pause) => {
                    assert!(pause.as_secs_f64() < 62., "{pause:?}");
                    None
                }
                Take::Never => panic!("there are keys"),
            }
        })
    });
    let mut counted = BTreeMap::new();
    for take in takes.collect::<Vec<_>>() {
        *counted.entry(take.await.unwrap()).or_insert(0) += 1;
    }
    assert_eq!(counted.remove(&None), Some(10));
    assert_eq!(counted.into_values().collect::<Vec<_>>(), [10, 10, 10]);
}

async fn somebody(process: &mut Process, name: &str) -> Person {
    let person = Person::new(&process.address().await);
    person.registers(name).await;
    eventually("the catalog has models", || async { person.opens("/").await.html.contains("openai/fake-1") }).await;
    person
}

#[tokio::test]
async fn a_key_that_is_to_wait_rests_in_every_process() {
    let house = House::make().await.with("PARLOR__GENERATION__RETRY", "0.1");
    let (mut one, mut two) = (Process::spawn(house.command(&["serve"])), Process::spawn(house.command(&["serve"])));
    let (ann, bob) = (somebody(&mut one, "ann").await, somebody(&mut two, "bob").await);
    house.provider.refuses_for(429, 7);
    let first = ann.asks("hi").await;
    ann.sees(&first, "data-state=\"waiting\"").await;
    let began = Instant::now();
    let second = bob.asks("And I?").await;
    let page = bob.sees(&second, "data-state=\"waiting\"").await;
    assert!(page.html.contains(IN_USE), "{}", page.html);
    assert_eq!(house.provider.asked().len(), 1, "nobody asks meanwhile");
    bob.sees(&second, "data-state=\"completed\"").await;
    ann.sees(&first, "data-state=\"completed\"").await;
    let rested = began.elapsed().as_secs_f64();
    assert!(rested > 6., "{rested}");
    one.kill();
    two.kill();
}

#[tokio::test]
async fn a_key_that_is_not_taken_is_set_aside_and_the_administrators_are_told() {
    let test = TestApp::with(&[THREE, ("PARLOR__GENERATION__RETRY", "")]).await;
    let ann = test.person("ann").await;
    test.execute("update users set role = 'administrator'").await;
    let bob = test.person("bob").await;
    test.provider.refuses(401, "Incorrect API key provided: sk-number-one-0001");
    let chat = bob.asks("hi").await;
    bob.sees(&chat, "data-state=\"completed\"").await;
    for _ in 0..4 {
        let chat = bob.asks("hi").await;
        bob.sees(&chat, "data-state=\"completed\"").await;
    }
    let counted = by_key(&test);
    assert_eq!((counted["sk-number-one-0001"], counted.values().sum::<usize>()), (1, 6), "{counted:?}");

    // one letter to each administrator, and a page that says so
    let letters: Vec<(String, String)> =
        sqlx::query_as("select kind, recipient from mail").fetch_all(&test.app.pools.http).await.unwrap();
    assert_eq!(letters, [("key_set_aside".to_owned(), "ann@example.org".to_owned())]);
    let page = ann.opens("/admin/providers").await;
    for words in ["…0001", "…0002", "…0003", "not accepted", "Incorrect API key provided: (the key)", "Use again"]
    {
        assert!(page.html.contains(words), "`{words}` is missing in {}", page.html);
    }
    assert!(!page.html.contains("sk-number"), "never a key");
    assert_eq!(bob.opens("/admin/providers").await.status, 404);

    // and she lets it be used again
    let id: uuid::Uuid = test.value("select id from provider_keys where set_aside_at is not null").await;
    let again = format!("/admin/providers/keys/{id}/use-again");
    assert_eq!(bob.posts(&again, &[]).await.status, 404);
    assert_eq!(ann.posts(&again, &[]).await.location.as_deref(), Some("/admin/providers?done=again"));
    assert!(ann.opens("/admin/audit").await.html.contains("openai …0001"));
    for _ in 0..6 {
        let chat = bob.asks("hi").await;
        bob.sees(&chat, "data-state=\"completed\"").await;
    }
    assert!(by_key(&test)["sk-number-one-0001"] > 1, "it has its turn again: {:?}", by_key(&test));
    assert_eq!(
        ann.posts("/admin/providers/keys/01890a5d-ac96-774b-bcce-b302099a8057/use-again", &[]).await.status,
        404
    );
}

/// A limit of tokens is kept by what a request may use at most, and settled by what it did use.
#[tokio::test]
async fn tokens_a_minute() {
    let settings = [
        ("OPENAI_API_KEY", "sk-number-one-0001"),
        ("PARLOR__PROVIDERS__OPENAI__TOKENS_PER_MINUTE", "1000"),
        ("PARLOR__CONTEXT__MAX_OUTPUT_TOKENS", "450"),
    ];
    let test = TestApp::with(&settings).await;
    let ann = test.person("ann").await;
    let held = || [Step::Text("So".into()), Step::Hold, Step::Finish("stop"), Step::Usage(11, 7), Step::Done];
    test.provider.does(held());
    test.provider.does(held());
    let (first, second) = (ann.asks("hi").await, ann.asks("hi").await);
    ann.sees(&first, "So").await;
    ann.sees(&second, "So").await;
    let third = ann.asks("hi").await;
    assert!(ann.sees(&third, "data-state=\"waiting\"").await.html.contains(IN_USE));
    assert_eq!(test.provider.asked().len(), 2);
    test.provider.release();
    eventually("one is settled", || async {
        test.value::<i64>("select sum(tokens)::bigint from key_uses").await < 500
    })
    .await;
    test.execute(DUE).await;
    ann.sees(&third, "data-state=\"completed\"").await;
    test.provider.release();
    ann.sees(&first, "data-state=\"completed\"").await;
    ann.sees(&second, "data-state=\"completed\"").await;
}

/// A server that wants no key has no pool: nothing is counted, nothing rests.
#[tokio::test]
async fn without_a_key_nothing_is_counted() {
    let test =
        TestApp::with(&[("PARLOR__PROVIDERS__OPENAI__API_KEYS", ""), (LIMIT, "1"), ("PARLOR__GENERATION__RETRY", "")])
            .await;
    let ann = test.person("ann").await;
    test.provider.refuses(401, "who are you?");
    for state in ["failed", "completed", "completed"] {
        let chat = ann.asks("hi").await;
        ann.sees(&chat, &format!("data-state=\"{state}\"")).await;
    }
    assert_eq!(test.value::<i64>("select count(*) from provider_keys").await, 0);
}
