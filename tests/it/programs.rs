//! Programs that sign in: tokens that are short, turned at each use, and end together.

use crate::support::{TestApp, people::PASSWORD, program::Program};
use parlor::domain::{
    accounts,
    programs::{self, Claims},
};
use reqwest::{Method, StatusCode};
use serde_json::json;

const UNAUTHORIZED: StatusCode = StatusCode::UNAUTHORIZED;

/// The claims that a token of ann's would have, good for another hour.
async fn claims(test: &TestApp) -> Claims {
    let (sub, sid) =
        (test.value("select id from users").await, test.value("select max(id::text)::uuid from token_families").await);
    let now: i64 = test.value("select extract(epoch from now())::bigint").await;
    let (iss, aud) = ("parlor".to_owned(), "parlor/api".to_owned());
    Claims { iss, aud, sub, sid, iat: now, exp: now + 3600 }
}

#[tokio::test]
async fn a_program_registers_signs_in_goes_on_and_signs_out() {
    let test = TestApp::start().await;
    let program = test.program();
    let body = json!({ "email": "Ann@example.org", "name": "Ann", "password": PASSWORD });
    let first = program.posts("/api/auth/register", &body).await;
    assert_eq!(first.status, StatusCode::CREATED, "{}", first.text);
    assert_eq!(program.posts("/api/auth/register", &body).await.field(), "email");
    let tokens = program.signs_in("ann").await;
    assert_eq!((tokens.word("token_type").as_str(), &tokens.json["expires_in"]), ("Bearer", &json!(900)));
    assert_eq!(tokens.header("cache-control"), "no-store");
    let me = program.with(&tokens.word("access_token")).gets("/api/auth/me").await;
    assert_eq!((me.word("email").as_str(), me.word("name").as_str()), ("Ann@example.org", "Ann"));
    assert_eq!(me.json["role"], "member");
    assert_eq!(me.json["scopes"], json!(["chats:read", "chats:write", "models", "keys"]));

    let again = program.refreshes(&tokens.word("refresh_token")).await;
    assert_eq!(again.status, StatusCode::OK, "{}", again.text);
    assert_ne!(again.word("refresh_token"), tokens.word("refresh_token"));
    for access in [&tokens, &again] {
        assert_eq!(program.is(&access.word("access_token")).await, StatusCode::OK, "both are of the family");
    }
    let out = program.posts("/api/auth/logout", &json!({ "refresh_token": again.word("refresh_token") })).await;
    assert_eq!((out.status, out.text.as_str()), (StatusCode::NO_CONTENT, ""));
    for access in [&tokens, &again] {
        assert_eq!(program.is(&access.word("access_token")).await, UNAUTHORIZED, "signed out at once");
    }
    assert_eq!(program.refreshes(&again.word("refresh_token")).await.status, UNAUTHORIZED);
    assert_eq!(program.is(&first.word("access_token")).await, StatusCode::OK, "another sign-in is another family");
    let out = program.posts("/api/auth/logout", &json!({ "refresh_token": "never was one" })).await;
    assert_eq!(out.status, StatusCode::NO_CONTENT, "nothing is left to end");
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_address_look_the_same_to_programs() {
    let test = TestApp::start().await;
    test.person("ann").await;
    let program = test.program();
    let tries = [("ann@example.org", "the wrong password"), ("nobody@example.org", PASSWORD)];
    let mut told = Vec::new();
    for (email, password) in tries {
        let answer = program.posts("/api/auth/login", &json!({ "email": email, "password": password })).await;
        assert_eq!(answer.status, UNAUTHORIZED);
        told.push((answer.word("detail"), answer.header("www-authenticate").to_owned()));
    }
    assert_eq!(told[0], told[1]);
    let closed = TestApp::with(&[("REGISTRATION", "closed")]).await;
    let body = json!({ "email": "a@example.org", "name": "a", "password": PASSWORD });
    assert_eq!(closed.program().posts("/api/auth/register", &body).await.status, StatusCode::FORBIDDEN);
}

/// S13: an old refresh token is in two hands. All that came of it ends, and it is written down.
#[tokio::test]
async fn s13_an_old_refresh_token_ends_its_family() {
    let test = TestApp::start().await;
    test.person("ann").await;
    let program = test.program();
    let (first, other) = (program.signs_in("ann").await, program.signs_in("ann").await);
    let second = program.refreshes(&first.word("refresh_token")).await;
    let third = program.refreshes(&second.word("refresh_token")).await;
    assert_eq!(program.is(&third.word("access_token")).await, StatusCode::OK);
    let noted = "select count(*) from audit where action = 'tokens.reused' and subject = 'ann@example.org' and address is not null";
    assert_eq!(test.value::<i64>(noted).await, 0);

    assert_eq!(program.refreshes(&first.word("refresh_token")).await.status, UNAUTHORIZED);
    for tokens in [&first, &second, &third] {
        assert_eq!(program.is(&tokens.word("access_token")).await, UNAUTHORIZED);
        assert_eq!(program.refreshes(&tokens.word("refresh_token")).await.status, UNAUTHORIZED);
    }
    assert_eq!(test.value::<i64>(noted).await, 1, "once, however often it comes");
    assert_eq!(program.is(&other.word("access_token")).await, StatusCode::OK, "another family goes on");
}

/// S13: of many who use one token at the same time, one gets the next one; and then the family ends, as it was in two hands.
#[tokio::test]
async fn s13_of_refreshes_at_once_exactly_one_wins() {
    let test = TestApp::start().await;
    test.person("ann").await;
    let program = test.program();
    for round in 0..5 {
        let token = program.signs_in("ann").await.word("refresh_token");
        let all = (0..8).map(|_| program.refreshes(&token));
        let answers = futures::future::join_all(all).await;
        let won: Vec<_> = answers.iter().filter(|answer| answer.status == StatusCode::OK).collect();
        assert_eq!(won.len(), 1, "round {round}: {answers:?}");
        assert_eq!(program.refreshes(&won[0].word("refresh_token")).await.status, UNAUTHORIZED);
    }
    let left: i64 = test.value("select count(*) from token_families where ended_at is null").await;
    assert_eq!(left, 0);
}

/// S13: another password ends what programs signed in with, however it was changed; keys stay, and can be listed.
#[tokio::test]
async fn s13_another_password_ends_the_families() {
    let test = TestApp::start().await;
    test.person("ann").await;
    let program = test.program();
    let tokens = program.signs_in("ann").await;
    let key = program.with(&tokens.word("access_token")).makes_key("laptop", &["models"]).await;
    accounts::set_password(&test.app, "ann@example.org", "another sentence to sign in").await.unwrap();
    assert_eq!(program.is(&tokens.word("access_token")).await, UNAUTHORIZED);
    assert_eq!(program.refreshes(&tokens.word("refresh_token")).await.status, UNAUTHORIZED);
    assert_eq!(program.is(&key.word("key")).await, StatusCode::OK);
    let notice = test.letter_to("ann@example.org").await;
    let listed = format!("laptop ({}…)", key.word("prefix"));
    assert!(notice.text.contains(&listed), "`{listed}` is missing in:\n{}", notice.text);
}

/// S6: whatever a disabled account gave to programs is worth nothing.
#[tokio::test]
async fn s6_a_disabled_account_has_no_programs() {
    let test = TestApp::start().await;
    test.person("ann").await;
    let program = test.program();
    let tokens = program.signs_in("ann").await;
    let key = program.with(&tokens.word("access_token")).makes_key("laptop", &["models"]).await.word("key");
    test.execute("update users set disabled_at = now()").await;
    assert_eq!(program.is(&tokens.word("access_token")).await, UNAUTHORIZED);
    assert_eq!(program.is(&key).await, UNAUTHORIZED);
    assert_eq!(program.refreshes(&tokens.word("refresh_token")).await.status, UNAUTHORIZED);
    let body = json!({ "email": "ann@example.org", "password": PASSWORD });
    assert_eq!(program.posts("/api/auth/login", &body).await.status, UNAUTHORIZED);
}

/// S5: an access token is what it says only while all of it is so.
#[tokio::test]
async fn s5_an_access_token_says_who_where_and_until_when() {
    let test = TestApp::start().await;
    test.person("ann").await;
    let program = test.program();
    let tokens = program.signs_in("ann").await;
    let good = claims(&test).await;
    let jwt = programs::jwt(&test.app);
    assert_eq!(jwt.open::<Claims>(&tokens.word("access_token")).unwrap().sid, good.sid);
    assert_eq!(program.is(&jwt.sign(&good)).await, StatusCode::OK, "else what follows shows nothing");
    let (nobody, none) = (
        "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap(),
        "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap(),
    );
    for (what, wrong) in [
        ("too old", Claims { exp: good.iat - 1, ..good.clone() }),
        ("of 1970", Claims { exp: 0, ..good.clone() }),
        ("for others", Claims { aud: "parlor/else".to_owned(), ..good.clone() }),
        ("of others", Claims { iss: "else".to_owned(), ..good.clone() }),
        ("somebody else's", Claims { sub: nobody, ..good.clone() }),
        ("of no family", Claims { sid: none, ..good.clone() }),
    ] {
        assert_eq!(program.is(&jwt.sign(&wrong)).await, UNAUTHORIZED, "{what}");
    }
    for cut in 1..4 {
        let token = tokens.word("access_token");
        assert_eq!(program.is(&token[..token.len() - cut]).await, UNAUTHORIZED);
    }
    assert_eq!(program.is(&tokens.word("refresh_token")).await, UNAUTHORIZED, "it is no access token");
}

/// S5, S23: a token is presented in one way. An address is no such way, nor is a cookie.
#[tokio::test]
async fn s5_there_is_one_way_to_present_a_token() {
    let test = TestApp::start().await;
    test.person("ann").await;
    let program = test.program();
    let token = program.signs_in("ann").await.word("access_token");
    let get = |path: &str| program.request(Method::GET, path);
    assert_eq!(Program::sends(get("/api/auth/me").bearer_auth(&token)).await.status, StatusCode::OK);
    for request in [
        get(&format!("/api/auth/me?access_token={token}")),
        get(&format!("/api/auth/me?key={token}&token={token}")),
        get("/api/auth/me").basic_auth("ann", Some(&token)),
        get("/api/auth/me").header("x-api-key", &token),
        get("/api/auth/me").header("authorization", &token),
        get("/api/auth/me").header("cookie", format!("access_token={token}; parlor={token}")),
        get("/api/auth/me").bearer_auth(&token).bearer_auth(&token),
    ] {
        let answer = Program::sends(request).await;
        assert_eq!(answer.status, UNAUTHORIZED);
        assert_eq!(answer.header("www-authenticate"), "Bearer");
    }
    assert_eq!(
        program.with("nonsense").gets("/api/auth/me").await.header("www-authenticate"),
        "Bearer error=\"invalid_token\""
    );
}

#[tokio::test]
async fn what_is_over_is_removed() {
    let test = TestApp::start().await;
    test.person("ann").await;
    let program = test.program();
    let tokens = program.signs_in("ann").await;
    program.signs_in("ann").await;
    let third = program.signs_in("ann").await;
    test.execute("update refresh_tokens set expires_at = now() - interval '1 s' where hash in (select hash from refresh_tokens order by created_at limit 1)").await;
    assert_eq!(program.refreshes(&tokens.word("refresh_token")).await.status, UNAUTHORIZED, "too old");
    program.posts("/api/auth/logout", &json!({ "refresh_token": third.word("refresh_token") })).await;
    test.execute("update token_families set ended_at = ended_at - interval '2 days'").await;
    programs::tidy(&test.app).await.unwrap();
    let left: (i64, i64) = (
        test.value("select count(*) from token_families").await,
        test.value("select count(*) from refresh_tokens").await,
    );
    assert_eq!(left, (1, 1));
}

/// S12: to end all other sessions ends what programs signed in with too; the page says that there are some.
#[tokio::test]
async fn s12_all_others_are_programs_too() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    assert!(!ann.opens("/settings/sessions").await.html.contains("signed in with your password"));
    let program = test.program();
    let tokens = program.signs_in("ann").await;
    let page = ann.opens("/settings/sessions").await;
    assert!(page.html.contains("One program is signed in") && page.html.contains("/settings/sessions/end"));
    ann.posts("/settings/sessions/end", &[]).await;
    assert_eq!(program.is(&tokens.word("access_token")).await, UNAUTHORIZED);
    assert_eq!(program.refreshes(&tokens.word("refresh_token")).await.status, UNAUTHORIZED);
    assert_eq!(ann.opens("/").await.status, StatusCode::OK);
    assert!(!ann.opens("/settings/sessions").await.html.contains("signed in with your password"));
}
