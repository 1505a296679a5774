//! What administrators see of people, of what was done, and of the system.

use crate::support::{TestApp, eventually, people::Person};
use reqwest::StatusCode;

async fn administrator(test: &TestApp, name: &str) -> Person {
    let person = test.person(name).await;
    let sql = format!("update users set role = 'administrator' where email = '{name}@example.org'");
    sqlx::query(&sql).execute(&test.app.pools.http).await.unwrap();
    person
}

#[tokio::test]
async fn an_administrator_finds_and_makes_accounts() {
    let test = TestApp::start().await;
    let (root, _bob) = (administrator(&test, "root").await, test.person("bob").await);
    let page = root.opens("/admin/users").await;
    assert!(page.html.contains("bob@example.org") && page.html.contains("root@example.org"));
    let page = root.opens("/admin/users?q=BOB").await;
    assert!(page.html.contains("bob@example.org") && !page.html.contains("root@example.org"));
    assert!(root.opens("/admin/users?q=%25").await.html.contains("No account has this"));
    let fields =
        |password| [("name", "Cleo"), ("email", "cleo@example.org"), ("password", password), ("role", "administrator")];
    let refused = root.posts("/admin/users", &fields("short")).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.html.contains("at least 8 characters") && refused.html.contains("value=\"cleo@example.org\""));
    assert!(!refused.html.contains("value=\"short\""));
    let made = root.posts("/admin/users", &fields("a sentence of four words")).await;
    assert_eq!(made.status, StatusCode::SEE_OTHER);
    let page = root.opens(&made.location.unwrap()).await;
    assert!(page.html.contains("The account was made.") && page.html.contains("Administrator"));
    // who did it, to whom, and from where
    assert!(page.html.contains("made the account") && page.html.contains("root@example.org"));
    assert!(root.opens("/admin/audit").await.html.contains("127.0.0.1"));
    let cleo = test.stranger();
    let form = [("email", "cleo@example.org"), ("password", "a sentence of four words")];
    assert_eq!(cleo.posts("/login", &form).await.status, StatusCode::SEE_OTHER);
    assert_eq!(cleo.opens("/admin/users").await.status, StatusCode::OK);
}

/// Acts on an account by its page; returns the page afterwards.
async fn does(root: &Person, user: &str, act: &str, fields: &[(&str, &str)]) -> String {
    let done = root.posts(&format!("/admin/users/{user}/{act}"), fields).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{act}: {}", done.html);
    root.opens(&done.location.unwrap()).await.html
}

#[tokio::test]
async fn an_administrator_acts_on_an_account() {
    let test = TestApp::start().await;
    let (root, bob) = (administrator(&test, "root").await, test.person("bob").await);
    let id: String = test.value("select id::text from users where name = 'bob'").await;
    let me: String = test.value("select id::text from users where name = 'root'").await;
    assert!(does(&root, &id, "role", &[("role", "administrator")]).await.contains("The role was changed."));
    assert_eq!(bob.opens("/admin/users").await.status, StatusCode::OK);
    does(&root, &id, "role", &[("role", "member")]).await;
    assert_eq!(bob.opens("/admin/users").await.status, StatusCode::NOT_FOUND);
    // limits of one person, and what cannot be one
    let most = [("messages_per_minute", "1"), ("messages_per_day", "")];
    assert!(does(&root, &id, "limits", &most).await.contains("The limits were changed."));
    let wrong = [("messages_per_minute", "many"), ("messages_per_day", "")];
    let refused = root.posts(&format!("/admin/users/{id}/limits"), &wrong).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.html.contains("value=\"many\"") && refused.html.contains("A whole number"));
    bob.asks("the one message of this minute").await;
    let key = bob.opens("/").await.field("key").unwrap();
    let again = bob.posts("/chats", &[("content", "one more"), ("model", "openai/fake-1"), ("key", &key)]).await;
    assert_eq!(again.status, StatusCode::TOO_MANY_REQUESTS);
    // a link to choose another password: in a letter, and on the page once
    let page = root.posts(&format!("/admin/users/{id}/link"), &[]).await;
    let link = crate::support::people::between(&page.html, "record__link\">", "<").expect("the link");
    assert_eq!(test.letter_to("bob@example.org").await.link(), link);
    assert!(!root.opens(&format!("/admin/users/{id}")).await.html.contains("/password/reset?token="));
    // disabled: at once without a session, and not let in again until he may
    assert!(does(&root, &id, "disable", &[]).await.contains("The account is disabled."));
    assert!(bob.opens("/").await.location.unwrap().starts_with("/login"));
    assert_eq!(bob.signs_in("bob", crate::support::people::PASSWORD).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    let refused = root.posts(&format!("/admin/users/{id}/link"), &[]).await;
    assert!(refused.status == StatusCode::CONFLICT && refused.html.contains("This account is disabled"));
    does(&root, &id, "enable", &[]).await;
    assert_eq!(bob.signs_in("bob", crate::support::people::PASSWORD).await.status, StatusCode::SEE_OTHER);
    // nobody would be left to look after the house
    for (act, fields) in
        [("role", vec![("role", "member")]), ("disable", vec![]), ("delete", vec![("email", "root@example.org")])]
    {
        let refused = root.posts(&format!("/admin/users/{me}/{act}"), &fields).await;
        assert_eq!(refused.status, StatusCode::CONFLICT, "{act}");
        assert!(refused.html.contains("The last administrator cannot be"), "{act}");
    }
    // deleted, when it is clear who
    let path = format!("/admin/users/{id}/delete");
    assert_eq!(root.posts(&path, &[("email", "ann@example.org")]).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(root.posts(&path, &[("email", "Bob@example.org ")]).await.status, StatusCode::SEE_OTHER);
    eventually("bob is gone", || async { test.value::<i64>("select count(*) from users").await == 1 }).await;
    let log = root.opens("/admin/audit").await.html;
    assert!(log.contains("deleted account") && !log.contains("bob@example.org"), "what bob was called is gone");
    for words in
        ["changed the role", "changed the limits", "disabled the account", "made a link", "deleted the account"]
    {
        assert!(log.contains(words), "{words}");
    }
}

#[tokio::test]
async fn lists_of_accounts_and_of_what_was_done_have_pages() {
    let test = TestApp::start().await;
    let root = administrator(&test, "root").await;
    let sql = "insert into users (email, email_key, name, password_hash)
        select 'p' || n || '@example.org', 'p' || n || '@example.org', 'P', 'x' from generate_series(1, 60) n";
    sqlx::query(sql).execute(&test.app.pools.http).await.unwrap();
    let sql = "insert into audit (actor, action) select 'a' || n || '.', 'user.enabled' from generate_series(1, 60) n";
    sqlx::query(sql).execute(&test.app.pools.http).await.unwrap();
    for (path, first, last) in [("/admin/users", "p60@example.org", "p1@example.org"), ("/admin/audit", "a60.", "a1.")]
    {
        let page = root.opens(path).await;
        assert!(page.html.contains(first) && !page.html.contains(&format!(">{last}<")), "{path}");
        let next = crate::support::people::between(&page.html, &format!("<a class=\"button\" href=\"{path}?"), "\"");
        let next = format!("{path}?{}", next.expect("a second page").replace("&#38;", "&").replace("&amp;", "&"));
        let page = root.opens(&next).await;
        assert!(page.html.contains(&format!(">{last}<")) && !page.html.contains(&format!(">{first}<")), "{next}");
        assert!(!page.html.contains(&format!("href=\"{path}?before")), "a third page");
    }
}

#[tokio::test]
async fn the_system_says_what_it_stands_on() {
    let test = TestApp::start().await;
    let root = administrator(&test, "root").await;
    let stop = tokio_util::sync::CancellationToken::new();
    let process = tokio::spawn(parlor::base::presence::show(test.app.pools.jobs.clone(), "work", stop.clone()));
    eventually("the process is seen", || async { root.opens("/admin/system").await.html.contains("parlor work") })
        .await;
    let page = root.opens("/admin/system").await;
    for words in ["PostgreSQL 1", "complete", "pgvector", "messages", env!("CARGO_PKG_VERSION")] {
        assert!(page.html.contains(words), "{words}");
    }
    stop.cancel();
    process.await.unwrap();
    assert!(!root.opens("/admin/system").await.html.contains("parlor work"));
}
