//! A forgotten password, from both sides: whose it is, and who only asks.

use crate::support::{
    TestApp, eventually,
    people::{PASSWORD, Page, Person},
};
use parlor::domain::tokens::{self, Owned, Purpose};
use reqwest::{Method, StatusCode};

const NEW: &str = "another sentence altogether";

async fn forgets(person: &Person, email: &str) -> Page {
    person.posts("/password/forgot", &[("email", email)]).await
}

async fn resets(person: &Person, token: &str, password: &str) -> StatusCode {
    person.posts("/password/reset", &[("token", token), ("password", password)]).await.status
}

/// S8, S13: single use, also of two at once; it ends every session, tells the owner, and does not sign in.
#[tokio::test]
async fn s8_a_link_chooses_another_password_once() {
    let test = TestApp::start().await;
    let (ann, bob) = (test.person("ann").await, test.person("bob").await);
    let guest = test.stranger();
    assert!(guest.opens("/login").await.html.contains("href=\"/password/forgot\""));
    forgets(&guest, "ann@example.org").await;
    forgets(&guest, " ANN@Example.org").await;
    let letters = test.letters_to("ann@example.org").await;
    assert_eq!(letters.len(), 2);
    let (first, second) = (letters[0].token(), letters[1].token());
    assert!(first.len() == 64 && first != second, "256 random bits each");

    test.execute("insert into api_keys (user_id, name, prefix, hash, scopes) select id, 'backup', 'pk_1a2b', '\\x01', '{}' from users where name = 'ann'").await;
    assert_eq!(guest.opens(&format!("/password/reset?token={second}")).await.status, StatusCode::OK);
    assert_eq!(resets(&guest, &second, "short").await, StatusCode::UNPROCESSABLE_ENTITY, "a slip does not use it up");
    let (one, two) = tokio::join!(resets(&guest, &second, NEW), resets(&bob, &second, "somebody else's choice"));
    let mut both = [one.as_u16(), two.as_u16()];
    both.sort_unstable();
    assert_eq!(both, [303, 404], "of two who come with it, one gets it");
    assert_eq!(resets(&guest, &second, NEW).await, StatusCode::NOT_FOUND);
    assert_eq!(resets(&guest, &first, NEW).await, StatusCode::NOT_FOUND, "links sent before are worthless too");
    assert_eq!(guest.opens(&format!("/password/reset?token={second}")).await.status, StatusCode::NOT_FOUND);

    assert_eq!(guest.opens("/").await.status, StatusCode::SEE_OTHER, "it does not sign in");
    assert_eq!(ann.opens("/").await.status, StatusCode::SEE_OTHER, "it ends every session");
    assert_eq!(bob.opens("/").await.status, StatusCode::OK, "of this account");
    assert_eq!(test.stranger().signs_in("ann", PASSWORD).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    let new = if one == StatusCode::SEE_OTHER { NEW } else { "somebody else's choice" };
    assert_eq!(test.stranger().signs_in("ann", new).await.status, StatusCode::SEE_OTHER);
    let notice = test.letter_to("ann@example.org").await;
    assert_eq!(notice.subject, "Your password was changed");
    for words in ["/password/forgot", "backup (pk_1a2b…)"] {
        assert!(notice.text.contains(words), "{}", notice.text);
    }
    let noted: String = test
        .value("select action || ' ' || subject || ' ' || host(address) from audit where action <> 'user.registered'")
        .await;
    assert_eq!(noted, "password.reset ann@example.org 127.0.0.1");
}

/// S8: bound to user, address, purpose and time; empty and missing tokens fail.
#[tokio::test]
async fn s8_what_a_token_is_bound_to() {
    let test = TestApp::start().await;
    test.person("ann").await;
    let guest = test.stranger();
    let id: uuid::Uuid = test.value("select id from users").await;
    let user = parlor::base::ids::UserId(id);
    let mut conn = test.app.pools.http.acquire().await.unwrap();
    let owned = Owned { user, address: "ann@example.org".into() };
    let issue = async |conn: &mut sqlx::PgConnection, purpose, owned: &Owned, seconds| {
        tokens::issue_to(conn, purpose, owned, time::Duration::seconds(seconds)).await.unwrap()
    };
    let other = issue(&mut conn, Purpose::NewAddress, &owned, 900).await;
    let late = issue(&mut conn, Purpose::Reset, &owned, -1).await;
    let elsewhere = issue(&mut conn, Purpose::Reset, &Owned { user, address: "old@example.org".into() }, 900).await;
    let setup = tokens::issue(&mut conn, Purpose::Setup, time::Duration::HOUR).await.unwrap();
    let hash: String = test.value("select encode(hash, 'hex') from tokens limit 1").await;
    for token in ["", " ", "0", &other, &late, &elsewhere, &setup, &hash] {
        assert_eq!(resets(&guest, token, NEW).await, StatusCode::NOT_FOUND, "`{token}`");
    }
    assert_eq!(guest.posts("/password/reset", &[("password", NEW)]).await.status, StatusCode::NOT_FOUND);
    assert_eq!(guest.opens("/password/reset").await.status, StatusCode::NOT_FOUND);
    // one that was good when it was sent: then the address is another, or the account is disabled
    let good = issue(&mut conn, Purpose::Reset, &owned, 900).await;
    test.execute("update users set disabled_at = now()").await;
    assert_eq!(resets(&guest, &good, NEW).await, StatusCode::NOT_FOUND);
    test.execute("update users set disabled_at = null, email_key = 'new@example.org'").await;
    assert_eq!(resets(&guest, &good, NEW).await, StatusCode::NOT_FOUND);
    test.execute("update users set email_key = 'ann@example.org'").await;
    assert_eq!(resets(&guest, &good, NEW).await, StatusCode::SEE_OTHER, "what was refused did not use it up");
}

/// S8, S23: neither the tokens' table, nor the letters', nor the queue tells a token.
#[tokio::test]
async fn s8_the_database_tells_no_token() {
    let test = TestApp::start().await;
    test.person("ann").await;
    forgets(&test.stranger(), "ann@example.org").await;
    let token = test.letter_to("ann@example.org").await.token();
    for table in ["tokens", "mail", "apalis.jobs", "reset_wishes", "audit"] {
        let text: Option<String> = test.value(&format!("select string_agg(t::text, ' ') from {table} t")).await;
        let text = text.unwrap_or_default();
        assert!(!text.contains(&token) && !text.contains(&hex::encode(&token)), "{table} holds the token");
    }
    let sealed: bool = test.value("select body is not null and position('link'::bytea in body) = 0 from mail").await;
    assert!(sealed);
    let lifetime: f64 = test.value("select extract(epoch from expires_at - created_at)::float8 from tokens").await;
    assert!((lifetime - 900.).abs() < 1., "15 minutes: {lifetime}");
}

/// S9: the same answer whether or not there is somebody; a letter goes only to an address as it is stored.
#[tokio::test]
async fn s9_who_asks_learns_nothing() {
    let test = TestApp::start().await;
    for name in ["kim", "mia", "dan"] {
        test.person(name).await;
    }
    test.execute("update users set disabled_at = now() where name = 'dan'").await;
    let guest = test.stranger();
    let mut answers = Vec::new();
    for email in [
        "kim@example.org",
        "KIM@EXAMPLE.ORG",
        "nobody@example.org",
        "dan@example.org",
        "\u{212a}im@example.org",
        "m\u{131}a@example.org",
    ] {
        let page = forgets(&guest, email).await;
        assert_eq!((page.status, page.cookie, page.location), (StatusCode::OK, None, None), "{email}");
        assert!(page.html.contains(email), "{}", page.html);
        answers.push(page.html.replace(email, "…"));
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "they differ in the address alone");
    let to: Vec<String> = test.letters_to("@").await.into_iter().map(|letter| letter.to).collect();
    assert_eq!(to, ["kim@example.org"; 2], "not to dan, who is disabled, and not to whom only looks alike");
    assert_eq!(forgets(&guest, "no address").await.status, StatusCode::UNPROCESSABLE_ENTITY);
}

/// S9, F22: nor does it matter that the mail server is dead.
#[tokio::test]
async fn s9_a_dead_mail_server_is_not_noticed() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("smtp://127.0.0.1:{closed}");
    let test = TestApp::with(&[("SMTP_URL", &url)]).await;
    test.person("ann").await;
    let guest = test.stranger();
    let known = forgets(&guest, "ann@example.org").await;
    let unknown = forgets(&guest, "eve@example.org").await;
    assert_eq!((known.status, unknown.status), (StatusCode::OK, StatusCode::OK));
    assert_eq!(known.html.replace("ann@", "eve@"), unknown.html);
    eventually("it was tried", || async {
        test.value::<i64>("select count(*) from mail where last_error <> ''").await == 1
    })
    .await;
}

/// Nobody's mailbox is flooded: five links an hour, whoever asks for them.
#[tokio::test]
async fn links_are_few() {
    let test = TestApp::start().await;
    test.person("ann").await;
    for _ in 0..9 {
        assert_eq!(forgets(&test.stranger(), "ann@example.org").await.status, StatusCode::OK);
    }
    assert_eq!(test.letters_to("ann@example.org").await.len(), 5);
}

/// S10: links take their host from the settings.
#[tokio::test]
async fn s10_links_lead_where_the_settings_say() {
    let test = TestApp::with(&[("PUBLIC_URL", "https://chat.example.org/")]).await;
    test.stranger().registers("ann").await;
    let request = test.stranger().request(Method::POST, "/password/forgot").header("sec-fetch-site", "same-origin");
    let request = request.header("host", "evil.example").header("x-forwarded-host", "evil.example");
    let request = request.header("x-forwarded-proto", "http").header("forwarded", "host=evil.example");
    request.form(&[("email", "ann@example.org")]).send().await.unwrap();
    let letter = test.letter_to("ann@example.org").await;
    assert!(letter.link().starts_with("https://chat.example.org/password/reset?token="), "{}", letter.link());
    assert!(letter.html.contains(&letter.link()) && !letter.raw.contains("evil"), "{}", letter.raw);
    assert!(letter.raw.contains("@chat.example.org>\r\n"), "the sender and the message's id are of there too");
}

/// S10: a name adds no header, because none holds one, and no line of its own.
#[tokio::test]
async fn s10_a_name_is_only_a_name() {
    let test = TestApp::start().await;
    let bad = [("email", "eve@example.org"), ("name", "Eve\r\nBcc: all@example.org"), ("password", PASSWORD)];
    assert_eq!(test.stranger().posts("/register", &bad).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    let odd =
        [("email", "eve@example.org"), ("name", "<b>Eve</b> {{ 7 }} Bcc: all@example.org"), ("password", PASSWORD)];
    assert_eq!(test.stranger().posts("/register", &odd).await.status, StatusCode::SEE_OTHER);
    forgets(&test.stranger(), "eve@example.org").await;
    let letter = test.letter_to("eve@example.org").await;
    let head = letter.raw.split("\r\n\r\n").next().unwrap();
    assert!(!head.contains("Bcc") && !letter.html.contains("<b>Eve"), "{}", letter.raw);
}

/// S13: the operator's command tells the owner too, and ends what was sent before.
#[tokio::test]
async fn s13_a_password_set_by_an_operator_is_told() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    forgets(&test.stranger(), "ann@example.org").await;
    let token = test.letter_to("ann@example.org").await.token();
    parlor::domain::accounts::set_password(&test.app, "Ann@example.org", NEW).await.unwrap();
    assert_eq!(test.letter_to("ann@example.org").await.subject, "Your password was changed");
    assert_eq!(ann.opens("/").await.status, StatusCode::SEE_OTHER);
    assert_eq!(resets(&ann, &token, NEW).await, StatusCode::NOT_FOUND);
    assert_eq!(
        test.value::<String>("select actor || ' ' || action from audit where action <> 'user.registered'").await,
        "command line password.changed"
    );
}

/// S8: whoever knew the old password may have wished for another address; a new password ends that.
#[tokio::test]
async fn s8_a_wish_for_another_address_ends_with_the_password() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    let fields = [("email", "thief@example.org"), ("password", PASSWORD)];
    ann.posts("/settings/email", &fields).await;
    let token = test.letter_to("thief@example.org").await.token();
    let guest = test.stranger();
    forgets(&guest, "ann@example.org").await;
    let reset = test.letter_to("ann@example.org").await.token();
    assert_eq!(resets(&guest, &reset, NEW).await, StatusCode::SEE_OTHER);
    let page = guest.posts("/settings/email/confirm", &[("token", token.as_str())]).await;
    assert_eq!(page.status, StatusCode::NOT_FOUND);
    assert_eq!(test.value::<String>("select email from users").await, "ann@example.org");
}
