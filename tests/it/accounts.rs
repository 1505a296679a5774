//! Getting in, staying in, getting out.

use crate::support::{
    TestApp,
    people::{PASSWORD, Page},
};
use parlor::domain::{
    accounts::{self, First},
    tokens,
};
use reqwest::StatusCode;
use std::time::Instant;
use tower_sessions::SessionStore as _;

#[tokio::test]
async fn ann_registers_and_is_in() {
    let test = TestApp::start().await;
    let ann = test.stranger();
    assert_eq!(ann.opens("/").await.location.as_deref(), Some("/login"));
    let page = ann.registers("ann").await;
    assert_eq!(page.location.as_deref(), Some("/"));
    let cookie = page.cookie.unwrap();
    for word in ["HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(cookie.contains(word), "{cookie}");
    }
    assert!(!cookie.contains("Max-Age"), "it ends with the browser: {cookie}");
    assert!(ann.opens("/").await.html.contains("Hello, ann"));
}

#[tokio::test]
async fn mistakes_in_the_form_are_named_and_nothing_is_lost() {
    let test = TestApp::start().await;
    test.person("ann").await;
    let bob = test.stranger();
    for (email, name, password, words) in [
        ("not an address", "Bob", PASSWORD, "no email address"),
        ("bob@example.org", " ", PASSWORD, "how you want to be called"),
        ("bob@example.org", "Bob", "short", "at least 8 characters"),
        ("ANN@example.org ", "Bob", PASSWORD, "already"),
    ] {
        let page = bob.posts("/register", &[("email", email), ("name", name), ("password", password)]).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(page.html.contains(words), "`{words}` is missing");
        assert!(page.html.contains(email.trim()), "the address is lost");
        assert!(!page.html.contains(password) || password.len() < 8, "a password came back");
    }
    let count: i64 = test.value("select count(*) from users").await;
    assert_eq!(count, 1);
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_address_look_the_same_and_cost_the_same() {
    let test = TestApp::start().await;
    test.person("ann").await;
    accounts::password::warm_up();
    let stranger = test.stranger();
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..3 {
        for (i, name) in ["ann", "nobody"].into_iter().enumerate() {
            let began = Instant::now();
            let page: Page = stranger.signs_in(name, "the wrong password").await;
            times[i].push(began.elapsed());
            assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
            assert!(page.html.contains("do not belong together"));
        }
    }
    let [known, unknown] = times.map(|mut t| {
        t.sort();
        t[1]
    });
    // without the dummy computation the unknown one takes a hundredth
    assert!(unknown * 3 > known, "known {known:?}, unknown {unknown:?}");
}

#[tokio::test]
async fn remember_me_lasts_and_sign_out_ends() {
    let test = TestApp::start().await;
    test.person("ann").await;
    let ann = test.stranger();
    let fields = [("email", "Ann@Example.org"), ("password", PASSWORD), ("remember", "true"), ("next", "/chats/x")];
    let page = ann.posts("/login", &fields).await;
    assert_eq!(page.location.as_deref(), Some("/chats/x"));
    assert!(page.cookie.unwrap().contains("Max-Age=1209600"), "14 days");
    ann.posts("/logout", &[]).await;
    assert_eq!(ann.opens("/").await.status, StatusCode::SEE_OTHER);
    let sessions: i64 = test.value("select count(*) from tower_sessions.session where data::text like '%'").await;
    assert_eq!(sessions, 1, "only the one from registering is left");
}

#[tokio::test]
async fn next_leads_nowhere_else() {
    let test = TestApp::start().await;
    test.person("ann").await;
    for next in ["https://evil.example/", "//evil.example", "/\\evil.example"] {
        let fields = [("email", "ann@example.org"), ("password", PASSWORD), ("next", next)];
        assert_eq!(test.stranger().posts("/login", &fields).await.location.as_deref(), Some("/"), "{next}");
    }
}

/// S12: a new id at sign-in, the old cookie is dead.
#[tokio::test]
async fn s12_signing_in_again_makes_the_old_cookie_worthless() {
    let test = TestApp::start().await;
    let ann = test.stranger();
    let old = ann.registers("ann").await.cookie.unwrap();
    let old = old.split(';').next().unwrap().to_owned();
    ann.signs_in("ann", PASSWORD).await;
    assert_eq!(ann.opens("/").await.status, StatusCode::OK);
    let thief = test.stranger();
    let response = thief.request(reqwest::Method::GET, "/").header("cookie", old).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::SEE_OTHER);
}

/// S12: a session ended elsewhere stays ended, whatever request was in flight.
#[tokio::test]
async fn s12_a_slow_request_does_not_bring_a_session_back() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    // everything that is seen is due to be saved again: the session is older than a minute
    let (id, data): (String, Vec<u8>) =
        sqlx::query_as("select id, data from tower_sessions.session").fetch_one(&test.app.pools.http).await.unwrap();
    let store = tower_sessions_sqlx_store::PostgresStore::new(test.app.pools.http.clone());
    let record = store.load(&id.parse().unwrap()).await.unwrap().unwrap();
    assert!(!data.is_empty());
    ann.posts("/logout", &[]).await;
    // what the slow request would do now, through the product's own store
    let ours = parlor::base::sessions::Store::new(test.app.pools.http.clone());
    ours.save(&record).await.unwrap();
    let sessions: i64 = test.value("select count(*) from tower_sessions.session").await;
    assert_eq!(sessions, 0);
}

#[tokio::test]
async fn a_forged_cookie_is_nobody() {
    let test = TestApp::start().await;
    test.person("ann").await;
    let id: String = test.value("select id from tower_sessions.session").await;
    let thief = test.stranger();
    let cookie = format!("parlor={id}");
    let response = thief.request(reqwest::Method::GET, "/").header("cookie", cookie).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::SEE_OTHER);
}

/// S12: cookies of a house behind https.
#[tokio::test]
async fn s12_over_https_the_cookie_is_a_host_cookie() {
    let test = TestApp::with(&[("PUBLIC_URL", "https://chat.example.org")]).await;
    let page = test.stranger().registers("ann").await;
    let cookie = page.cookie.unwrap();
    assert!(cookie.starts_with("__Host-parlor=") && cookie.contains("Secure"), "{cookie}");
}

fn password_hash_of_lower_cost() -> String {
    use argon2::{Algorithm, Argon2, Params, Version, password_hash::PasswordHasher};
    let weak = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(8192, 1, 1, None).unwrap());
    weak.hash_password(PASSWORD.as_bytes()).unwrap().to_string()
}

#[tokio::test]
async fn s11_an_old_hash_is_made_anew_at_sign_in() {
    let test = TestApp::start().await;
    test.person("ann").await;
    let weak = password_hash_of_lower_cost();
    sqlx::query("update users set password_hash = $1").bind(&weak).execute(&test.app.pools.http).await.unwrap();
    let ann = test.stranger();
    assert_eq!(ann.signs_in("ann", PASSWORD).await.status, StatusCode::SEE_OTHER);
    let hash: String = test.value("select password_hash from users").await;
    assert!(hash.contains("m=33792,t=2,p=1"), "{hash}");
    assert_eq!(ann.opens("/").await.status, StatusCode::OK, "the session knows the new hash");
}

#[tokio::test]
async fn the_setup_link_makes_one_administrator_once() {
    let test = TestApp::start().await;
    test.person("ann").await; // a first member who registers is no administrator
    let First::Token(token) = accounts::first_administrator(&test.app).await.unwrap() else { panic!("a token") };
    let First::Token(other) = accounts::first_administrator(&test.app).await.unwrap() else { panic!("a token") };
    let eve = test.stranger();
    let form = |token: &str, password: &str| {
        [("token", token), ("email", "eve@example.org"), ("name", "Eve"), ("password", password)]
            .map(|(k, v)| (k, v.to_owned()))
    };
    let post = async |token: &str, password: &str| {
        let fields = form(token, password);
        let fields: Vec<_> = fields.iter().map(|(k, v)| (*k, v.as_str())).collect();
        eve.posts("/setup", &fields).await.status
    };
    assert_eq!(eve.opens("/setup?token=guessed").await.status, StatusCode::NOT_FOUND);
    assert_eq!(post("guessed", PASSWORD).await, StatusCode::NOT_FOUND);
    assert_eq!(eve.opens(&format!("/setup?token={token}")).await.status, StatusCode::OK);
    assert_eq!(post(&token, "short").await, StatusCode::UNPROCESSABLE_ENTITY, "a slip does not use it up");
    assert_eq!(post(&token, PASSWORD).await, StatusCode::SEE_OTHER);
    assert_eq!(post(&token, PASSWORD).await, StatusCode::NOT_FOUND);
    assert_eq!(post(&other, PASSWORD).await, StatusCode::NOT_FOUND, "the link of another start is worthless too");
    let roles: Vec<String> =
        sqlx::query_scalar("select role from users order by role").fetch_all(&test.app.pools.http).await.unwrap();
    assert_eq!(roles, ["administrator", "member"]);
    assert!(matches!(accounts::first_administrator(&test.app).await.unwrap(), First::Settled));
}

#[tokio::test]
async fn a_token_is_stored_only_hashed() {
    let test = TestApp::start().await;
    let mut conn = test.app.pools.http.acquire().await.unwrap();
    let token = tokens::issue(&mut conn, tokens::Purpose::Setup, time::Duration::HOUR).await.unwrap();
    let found: bool = test.value(&format!("select bool_or(hash = decode('{token}', 'hex')) from tokens")).await;
    assert!(!found);
    assert!(!tokens::is_valid(&mut conn, tokens::Purpose::Setup, "").await.unwrap());
    assert!(tokens::redeem(&mut conn, tokens::Purpose::Setup, &token).await.unwrap());
    assert!(!tokens::redeem(&mut conn, tokens::Purpose::Setup, &token).await.unwrap());
}

#[tokio::test]
async fn the_configured_administrator_is_made_once() {
    let test = TestApp::with(&[("ADMIN_EMAIL", "root@example.org"), ("ADMIN_PASSWORD", "12345678 or more")]).await;
    assert!(matches!(accounts::first_administrator(&test.app).await.unwrap(), First::Created));
    assert!(matches!(
        accounts::first_administrator(&test.app).await.unwrap(),
        First::AlreadyThere { administrator: true }
    ));
}

#[tokio::test]
async fn registration_can_be_closed() {
    let test = TestApp::with(&[("REGISTRATION", "closed")]).await;
    let ann = test.stranger();
    assert_eq!(ann.opens("/register").await.status, StatusCode::FORBIDDEN);
    let fields = [("email", "ann@example.org"), ("name", "ann"), ("password", PASSWORD)];
    assert_eq!(ann.posts("/register", &fields).await.status, StatusCode::FORBIDDEN);
}

/// S11: another hash of the same password is not another password: what is signed in stays so.
#[tokio::test]
async fn s11_a_hash_that_is_made_anew_ends_nothing() {
    let test = TestApp::start().await;
    let elsewhere = test.person("ann").await;
    let program = test.program();
    let tokens = program.signs_in("ann").await;
    // as if the costs had been lower then
    let id: uuid::Uuid = test.value("select id from users").await;
    let hash: String = test.value("select password_hash from users").await;
    let again = test.stranger();
    let weaker = password_hash_of_lower_cost();
    let sql = "update users set password_hash = $1, password_mark = $2 where id = $3";
    sqlx::query(sql).bind(&weaker).bind(&hash).bind(id).execute(&test.app.pools.http).await.unwrap();
    assert_eq!(again.signs_in("ann", PASSWORD).await.status, StatusCode::SEE_OTHER);
    assert_ne!(test.value::<String>("select password_hash from users").await, weaker);
    for person in [&elsewhere, &again] {
        assert_eq!(person.opens("/").await.status, StatusCode::OK);
    }
    assert_eq!(program.is(&tokens.word("access_token")).await, StatusCode::OK);
    // another password does
    accounts::set_password(&test.app, "ann@example.org", "another sentence to sign in").await.unwrap();
    assert_eq!(elsewhere.opens("/").await.status, StatusCode::SEE_OTHER);
    assert_eq!(program.is(&tokens.word("access_token")).await, StatusCode::UNAUTHORIZED);
}

/// S11: no more hashes are computed at once than the settings say, whoever asks for how many.
#[tokio::test]
async fn s11_hashes_in_flight_are_bounded() {
    let test = TestApp::with(&[("PARLOR__ACCOUNTS__HASHES_AT_ONCE", "2")]).await;
    test.person("ann").await;
    let all = test.app.hashing.clone().acquire_many_owned(2).await.unwrap();
    let ann = test.stranger();
    let mut signing_in = std::pin::pin!(ann.signs_in("ann", PASSWORD));
    let early = tokio::time::timeout(std::time::Duration::from_millis(500), &mut signing_in).await;
    assert!(early.is_err(), "it waits for its turn");
    assert_eq!(test.app.hashing.available_permits(), 0);
    drop(all);
    assert_eq!(signing_in.await.status, StatusCode::SEE_OTHER);
}

/// S12: a session ends when it was not seen for long, and when it has lasted long enough, on the server.
#[tokio::test]
async fn s12_sessions_end_by_themselves() {
    let login = async |test: &TestApp, remember: &str| {
        let guest = test.stranger();
        let fields = [("email", "ann@example.org"), ("password", PASSWORD), ("remember", remember)];
        assert_eq!(guest.posts("/login", &fields).await.status, StatusCode::SEE_OTHER);
        guest.opens("/").await.status
    };
    for (setting, browser, remembered) in [
        ("BROWSER_HOURS", StatusCode::SEE_OTHER, StatusCode::OK),
        ("BROWSER_LIMIT_DAYS", StatusCode::SEE_OTHER, StatusCode::OK),
        ("REMEMBERED_DAYS", StatusCode::OK, StatusCode::SEE_OTHER),
        ("REMEMBERED_LIMIT_DAYS", StatusCode::OK, StatusCode::SEE_OTHER),
    ] {
        let test = TestApp::with(&[(&format!("PARLOR__SESSIONS__{setting}"), "0")]).await;
        test.stranger().registers("ann").await;
        assert_eq!(login(&test, "").await, browser, "{setting} = 0, until the browser is closed");
        assert_eq!(login(&test, "on").await, remembered, "{setting} = 0, remembered");
    }
}

/// Whoever has an account needs no other one: nobody makes them by the hundred behind one cookie.
#[tokio::test]
async fn who_is_signed_in_does_not_register() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    let fields = [("email", "second@example.org"), ("name", "Second"), ("password", PASSWORD)];
    assert_eq!(ann.posts("/register", &fields).await.location.as_deref(), Some("/"));
    assert_eq!(test.value::<i64>("select count(*) from users").await, 1);
}

/// A start does not fail because the configured administrator is disabled, or because two processes start at once.
#[tokio::test]
async fn no_start_fails_at_the_configured_administrator() {
    let test = TestApp::with(&[("ADMIN_EMAIL", "root@example.org"), ("ADMIN_PASSWORD", PASSWORD)]).await;
    let (one, other) = tokio::join!(accounts::first_administrator(&test.app), accounts::first_administrator(&test.app));
    let made = [one.unwrap(), other.unwrap()].iter().filter(|first| matches!(first, First::Created)).count();
    assert_eq!(made, 1);
    test.execute("update users set disabled_at = now()").await;
    let again = accounts::first_administrator(&test.app).await.unwrap();
    assert!(matches!(again, First::AlreadyThere { administrator: true }));
}
