//! S14: whoever tries passwords waits longer and longer; whose account it is does not. Everybody comes through a proxy that
//! says for whom it asks.

use crate::support::{
    TestApp, eventually,
    people::{PASSWORD, Page, Person},
};
use futures::future::join_all;
use parlor::domain::people;
use reqwest::{Method, StatusCode};
use sqlx::Connection;

const HOME: &str = "198.51.100.7";
const ELSEWHERE: &str = "203.0.113.66";

async fn start() -> TestApp {
    let test = TestApp::with(&[("TRUSTED_PROXIES", "127.0.0.1")]).await;
    // ann has made her account at home
    let fields = [("email", "ann@example.org"), ("name", "ann"), ("password", PASSWORD)];
    assert_eq!(posts(&test.stranger(), "/register", &fields, HOME).await.0.status, StatusCode::SEE_OTHER);
    test
}

/// The page, and how long to wait.
async fn posts(person: &Person, path: &str, fields: &[(&str, &str)], from: &str) -> (Page, Option<u64>) {
    let request = person.request(Method::POST, path).header("sec-fetch-site", "same-origin");
    let response = request.header("x-forwarded-for", from).form(fields).send().await.unwrap();
    let wait = response.headers().get("retry-after").map(|v| v.to_str().unwrap().parse().unwrap());
    (Page::of(response).await, wait)
}

async fn tries(test: &TestApp, email: &str, password: &str, from: &str) -> (Page, Option<u64>) {
    posts(&test.stranger(), "/login", &[("email", email), ("password", password)], from).await
}

/// Lets so much time go by.
async fn passes(test: &TestApp, seconds: u64) {
    test.execute(&format!("update password_tries set at = at - interval '{seconds} s'")).await;
}

/// As if all tries had been made just now: looking at a password takes its time here, while a pause goes by.
async fn just_now(test: &TestApp) {
    test.execute("update password_tries set at = clock_timestamp()").await;
}

#[tokio::test]
async fn s14_wrong_tries_wait_longer_and_longer_and_a_minute_at_most() {
    let test = start().await;
    // what nobody has makes no difference, nor how it is written
    for (email, pauses) in [("nobody@example.org", &[1][..]), ("ann@example.org", &[1, 2, 4, 8])] {
        for _ in 0..5 {
            let (page, wait) = tries(&test, email, "wrong password", ELSEWHERE).await;
            assert_eq!((page.status, wait), (StatusCode::UNPROCESSABLE_ENTITY, None), "{email}");
        }
        for pause in pauses {
            just_now(&test).await;
            let shouted = email.to_uppercase();
            let (page, wait) = tries(&test, &shouted, PASSWORD, ELSEWHERE).await;
            assert_eq!((page.status, wait), (StatusCode::TOO_MANY_REQUESTS, Some(*pause)), "{email}");
            assert!(page.html.contains("this one has to wait a little") && page.html.contains(&shouted));
            assert!(page.cookie.is_none(), "not even with the right password");
            passes(&test, *pause).await;
            let (page, _) = tries(&test, email, "wrong password", ELSEWHERE).await;
            assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{email} after {pause} s");
        }
    }
    for (failed, pause) in [(10, 32), (11, 60), (1000, 60)] {
        test.execute(&format!("update password_tries set failed = {failed}, at = clock_timestamp()")).await;
        let (page, wait) = tries(&test, "ann@example.org", PASSWORD, ELSEWHERE).await;
        assert_eq!((page.status, wait), (StatusCode::TOO_MANY_REQUESTS, Some(pause)), "after {failed}");
    }
    passes(&test, 60).await;
    assert_eq!(tries(&test, "ann@example.org", PASSWORD, ELSEWHERE).await.0.status, StatusCode::SEE_OTHER);
    // what came out right is forgotten
    let (page, wait) = tries(&test, "ann@example.org", "wrong password", ELSEWHERE).await;
    assert_eq!((page.status, wait), (StatusCode::UNPROCESSABLE_ENTITY, None));
}

#[tokio::test]
async fn s14_the_owner_is_never_locked_out_by_others() {
    let test = start().await;
    let wrong = async |email: &str, from: &str| tries(&test, email, "wrong password", from).await.0.status;
    let right = async |from: &str| tries(&test, "ann@example.org", PASSWORD, from).await.0.status;
    let (looked_at, waits) = (StatusCode::UNPROCESSABLE_ENTITY, StatusCode::TOO_MANY_REQUESTS);
    for n in 0..3 {
        assert_eq!(wrong("ann@example.org", &format!("203.0.113.{n}")).await, looked_at);
    }
    let everywhere = "select failed from password_tries where address = '0.0.0.0/0'";
    assert_eq!(test.value::<i32>(everywhere).await, 3, "all of them count for her account");
    // as if a thousand more had been tried from everywhere, just now
    test.execute("update password_tries set failed = 1000 where address = '0.0.0.0/0'").await;
    just_now(&test).await;
    assert_eq!(wrong("ann@example.org", "203.0.113.2").await, waits, "one was tried there, but many elsewhere");
    // where she has signed in before nothing is felt of it; and every address has its own pauses, also a new one
    assert_eq!(right(HOME).await, StatusCode::SEE_OTHER);
    assert_eq!(right("192.0.2.1").await, StatusCode::SEE_OTHER);
    // one address that tries many accounts is slowed down, but not whoever is known there
    assert_eq!(wrong("bob@example.org", HOME).await, looked_at);
    let there = "account = '' and address = '198.51.100.7'";
    assert_eq!(test.value::<i32>(&format!("select failed from password_tries where {there}")).await, 1);
    test.execute(&format!("update password_tries set failed = 30 where {there}")).await;
    just_now(&test).await;
    assert_eq!(wrong("carl@example.org", HOME).await, waits, "the first try of his");
    assert_eq!(right(HOME).await, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn s14_many_tries_at_once_are_no_way_round() {
    let test = start().await;
    let all = join_all((0..30).map(|_| tries(&test, "ann@example.org", "wrong password", ELSEWHERE))).await;
    let looked_at = all.iter().filter(|(page, _)| page.status == StatusCode::UNPROCESSABLE_ENTITY).count();
    // the first five, and whichever came a pause later because this machine was busy
    assert!((5..=7).contains(&looked_at), "{looked_at} of 30 were looked at");
}

/// Of two at the same moment, the second one waits until the first one counts.
#[tokio::test]
async fn s14_a_try_counts_before_the_next_one_is_let_in() {
    let test = start().await;
    for _ in 0..4 {
        tries(&test, "ann@example.org", "wrong password", ELSEWHERE).await;
    }
    let sql = format!("select password_try(sha256('ann@example.org'), '{ELSEWHERE}')");
    let (mut one, mut other) = (test.database.connect().await, test.database.connect().await);
    let mut fifth = one.begin().await.unwrap();
    let let_in: f64 = sqlx::query_scalar(&sql).fetch_one(&mut *fifth).await.unwrap();
    let sixth = tokio::spawn(async move { sqlx::query_scalar::<_, f64>(&sql).fetch_one(&mut other).await.unwrap() });
    eventually("the sixth one waits", || async {
        let waiting =
            "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
        test.value::<i64>(waiting).await == 1
    })
    .await;
    fifth.commit().await.unwrap();
    let too_early = sixth.await.unwrap();
    assert!(let_in == 0. && too_early > 0., "the fifth: {let_in}, the sixth: {too_early}");
}

#[tokio::test]
async fn s14_the_limiter_can_be_off_to_measure_and_forgets_after_an_hour() {
    let test = TestApp::with(&[("PARLOR__LIMITS__SIGN_IN", "false")]).await;
    for _ in 0..7 {
        assert_eq!(test.stranger().signs_in("ann", "wrong password").await.status, StatusCode::UNPROCESSABLE_ENTITY);
    }
    assert_eq!(test.value::<i64>("select count(*) from password_tries").await, 0);
    let test = start().await;
    for _ in 0..6 {
        tries(&test, "ann@example.org", "wrong password", ELSEWHERE).await;
    }
    passes(&test, 3600).await;
    assert_eq!(
        tries(&test, "ann@example.org", "wrong password", ELSEWHERE).await.0.status,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    let failed: i32 =
        test.value("select failed from password_tries where address = '203.0.113.66' and account <> ''").await;
    assert_eq!(failed, 1, "it begins anew");
    passes(&test, 3601).await;
    parlor::domain::tries::care(&test.app).await.unwrap();
    assert_eq!(test.value::<i64>("select count(*) from password_tries").await, 0);
    let kept = "select string_agg(account::text, '') from password_places";
    assert!(!test.value::<String>(kept).await.contains("ann"), "what people type there is not kept");
}

#[tokio::test]
async fn s14_common_passwords_are_refused_and_long_ones_are_not_cut() {
    let test = TestApp::start().await;
    let registers = async |name: &str, password: &str| {
        let email = format!("{name}@example.org");
        test.stranger().posts("/register", &[("email", &email), ("name", name), ("password", password)]).await
    };
    for common in ["password", "12345678", "Iloveyou", "p@ssw0rd", "short", &"x".repeat(129)] {
        let page = registers("ann", common).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{common}");
        assert!(page.html.contains("id=\"password-fault\""), "{}", page.html);
    }
    assert!(registers("ann", "sunshine").await.html.contains("one of the passwords that are tried first"));
    // each of 128 characters counts
    let long = "ä".repeat(127) + "1";
    assert_eq!(registers("ann", &long).await.status, StatusCode::SEE_OTHER);
    let other = "ä".repeat(127) + "2";
    assert_eq!(test.stranger().signs_in("ann", &other).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(test.stranger().signs_in("ann", &long).await.status, StatusCode::SEE_OTHER);
}

/// S9, S14: whose address only looks like another one once it is in lower case is somebody else to the limiter too.
#[tokio::test]
async fn s14_a_look_alike_does_not_count_for_another() {
    let test = TestApp::start().await;
    for email in ["kim@example.org", "\u{212a}im@example.org"] {
        let fields = [("email", email), ("name", "Kim"), ("password", PASSWORD)];
        assert_eq!(test.stranger().posts("/register", &fields).await.status, StatusCode::SEE_OTHER, "{email}");
    }
    let known: i64 = test.value("select count(distinct account) from password_places").await;
    assert_eq!(known, 2, "each is known under a name of its own");
    let plain = people::of_address(&test.app, "KIM@example.org").await.unwrap();
    let other = people::of_address(&test.app, "\u{212a}im@example.org").await.unwrap();
    assert_ne!(plain, other);
}
