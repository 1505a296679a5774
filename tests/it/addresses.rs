//! Another address for an account.

use crate::support::{
    TestApp,
    people::{PASSWORD, Page, Person},
};
use reqwest::StatusCode;

async fn wishes(person: &Person, email: &str, password: &str) -> Page {
    person.posts("/settings/email", &[("email", email), ("password", password)]).await
}

async fn signs_in(test: &TestApp, email: &str) -> StatusCode {
    test.stranger().posts("/login", &[("email", email), ("password", PASSWORD)]).await.status
}

#[tokio::test]
async fn ann_moves_to_another_address() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    test.person("bob").await;
    for (email, password, words) in [
        ("new@example.org", "wrong password", "not your password"),
        ("nowhere", PASSWORD, "no email address"),
        ("BOB@example.org", PASSWORD, "already"),
        ("ann@example.org", PASSWORD, "already"),
    ] {
        let page = wishes(&ann, email, password).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{email}");
        assert!(page.html.contains(words) && page.html.contains(&format!("value=\"{email}\"")), "`{words}`");
    }
    assert!(test.letters_to("@").await.is_empty());
    assert!(wishes(&ann, "first@example.org", PASSWORD).await.html.contains("first@example.org"));
    assert_eq!(wishes(&ann, " New@Example.org ", PASSWORD).await.status, StatusCode::OK);
    let first = test.letter_to("first@example.org").await.token();
    let letter = test.letter_to("New@Example.org").await;
    assert_eq!(signs_in(&test, "new@example.org").await, StatusCode::UNPROCESSABLE_ENTITY, "not yet");
    // a link to choose another password that lies at the old address
    test.stranger().posts("/password/forgot", &[("email", "ann@example.org")]).await;
    let reset = test.letter_to("ann@example.org").await.token();

    // in another browser
    let guest = test.stranger();
    let path = format!("/settings/email/confirm?token={}", letter.token());
    assert!(guest.opens(&path).await.html.contains("Use this address?"), "looking changes nothing");
    assert_eq!(signs_in(&test, "ann@example.org").await, StatusCode::SEE_OTHER);
    let confirm = async |token: &str| guest.posts("/settings/email/confirm", &[("token", token)]).await.status;
    assert_eq!(confirm(&first).await, StatusCode::NOT_FOUND, "the last wish counts");
    assert_eq!(confirm("").await, StatusCode::NOT_FOUND);
    assert_eq!(confirm(&reset).await, StatusCode::NOT_FOUND, "s8: bound to its purpose");
    assert_eq!(confirm(&letter.token()).await, StatusCode::OK);
    assert_eq!(confirm(&letter.token()).await, StatusCode::NOT_FOUND, "once");
    assert_eq!(guest.opens(&path).await.status, StatusCode::NOT_FOUND);
    assert_eq!(signs_in(&test, "new@example.org").await, StatusCode::SEE_OTHER);
    assert_eq!(signs_in(&test, "ann@example.org").await, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(ann.opens("/settings/email").await.html.contains("New@Example.org"), "the session goes on");
    let notice = test.letter_to("ann@example.org").await;
    assert!(notice.subject == "Your address was changed" && notice.text.contains("New@Example.org"), "{}", notice.text);
    let status = guest.posts("/password/reset", &[("token", &reset), ("password", "a new sentence")]).await.status;
    assert_eq!(status, StatusCode::NOT_FOUND, "what lay at the old address is worthless");
    let noted: String = test.value("select action || ' ' || details from audit order by id desc limit 1").await;
    assert_eq!(noted, "email.changed to New@Example.org");
}

#[tokio::test]
async fn an_address_that_somebody_took_meanwhile_stays_theirs() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    wishes(&ann, "zoe@example.org", PASSWORD).await;
    let token = test.letter_to("zoe@example.org").await.token();
    test.person("zoe").await;
    let page = ann.posts("/settings/email/confirm", &[("token", &token)]).await;
    assert_eq!(page.status, StatusCode::CONFLICT);
    assert!(page.html.contains("already"));
    assert!(ann.opens("/settings/email").await.html.contains("ann@example.org"));
}

/// A letter goes to whatever address was typed, so there are not many of them; and no letter carries a link as a name.
#[tokio::test]
async fn letters_to_strangers_are_few() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    for n in 0..6 {
        let email = format!("stranger{n}@example.org");
        let page = ann.posts("/settings/email", &[("email", email.as_str()), ("password", PASSWORD)]).await;
        assert_eq!(page.status == StatusCode::TOO_MANY_REQUESTS, n == 5, "{n}: {}", page.html);
    }
    let letters: i64 = test.value("select count(*) from mail where kind = 'confirm_address'").await;
    assert_eq!(letters, 5);
    for name in ["win at https://evil.example", "WWW.evil.example"] {
        let fields = [("email", "eve@example.org"), ("name", name), ("password", PASSWORD)];
        let page = test.stranger().posts("/register", &fields).await;
        assert!(page.status == StatusCode::UNPROCESSABLE_ENTITY && page.html.contains("cannot hold a link"), "{name}");
    }
}
