//! API keys: shown once, good for what they were made for, and gone when they are revoked.

use crate::support::{
    TestApp,
    people::{Person, between},
    process::{House, SECRET, run},
    program::{Program, program_of_new},
};
use parlor::domain::accounts;
use reqwest::StatusCode;
use serde_json::json;

/// The key that a page shows.
fn shown(html: &str) -> Option<String> {
    between(html, "<code translate=\"no\">parlor_", "</code>")
        .filter(|rest| !rest.contains('…'))
        .map(|rest| format!("parlor_{rest}"))
}

async fn makes(person: &Person, name: &str, scopes: &[&str]) -> String {
    let mut fields = vec![("name", name), ("expires_in_days", "")];
    fields.extend(scopes.iter().map(|scope| ("scope", *scope)));
    let page = person.posts("/settings/keys", &fields).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.html);
    shown(&page.html).expect("the key is shown")
}

/// A program of ann's, signed in.
async fn program_of(test: &TestApp, name: &str) -> Program {
    let program = test.program();
    let token = program.signs_in(name).await.word("access_token");
    program.with(&token)
}

/// S23: a key is shown when it is made, and nowhere else ever again: not on the page, not by the API, not in the database.
#[tokio::test]
async fn s23_a_key_is_shown_once() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    assert!(ann.opens("/settings/keys").await.html.contains("You have no keys yet."));
    let secret = makes(&ann, "My <laptop>", &["chats:read", "models"]).await;
    assert_eq!(secret.len(), "parlor_".len() + 49);
    let page = ann.opens("/settings/keys").await;
    assert!(shown(&page.html).is_none() && !page.html.contains(&secret), "{}", page.html);
    assert!(page.html.contains("My &#60;laptop&#62;") && page.html.contains(&format!("{}…", &secret[..13])));
    assert!(page.html.contains("never used"));

    let program = program_of(&test, "ann").await;
    let list = program.gets("/api/keys").await;
    assert_eq!(list.json["data"][0]["prefix"], secret[..13]);
    assert_eq!(list.json["data"][0]["scopes"], json!(["chats:read", "models"]));
    let other = program.makes_key("CI", &["models"]).await;
    assert_eq!(other.status, StatusCode::CREATED);
    assert_eq!(other.header("cache-control"), "no-store");
    assert!(!program.gets("/api/keys").await.text.contains(&other.word("key")));
    let tokens = test.program().signs_in("ann").await;
    for secret in [&secret, &other.word("key"), &tokens.word("refresh_token"), &tokens.word("access_token")] {
        let found: i64 = test
            .value(&format!(
                "select (select count(*) from api_keys t where t::text like '%{secret}%')
                  + (select count(*) from audit t where t::text like '%{secret}%')
                  + (select count(*) from refresh_tokens t where t::text like '%{secret}%')
                  + (select count(*) from token_families t where t::text like '%{secret}%')"
            ))
            .await;
        assert_eq!(found, 0, "it is stored");
    }
    let noted: i64 = test.value("select count(*) from audit where action = 'key.created' and actor = 'ann@example.org' and details like '%: chats:read, models'").await;
    assert_eq!(noted, 1);
}

#[tokio::test]
async fn a_key_opens_what_it_is_for_until_it_is_revoked() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    let (secret, other) = (makes(&ann, "laptop", &["models"]).await, makes(&ann, "phone", &["keys"]).await);
    let (laptop, phone) = (test.program().with(&secret), test.program().with(&other));
    let models = laptop.gets("/api/models").await;
    let first = json!({
        "id": "openai/fake-1", "provider": "openai", "name": "fake-1", "display_name": "fake-1", "context_window": null,
        "max_output_tokens": null, "price": null, "capabilities": { "images": null, "tools": null, "reasoning": null },
    });
    assert_eq!(models.json["data"][0], first);
    let me = laptop.gets("/api/auth/me").await;
    assert_eq!((&me.json["scopes"], me.word("email").as_str()), (&json!(["models"]), "ann@example.org"));
    let refused = laptop.gets("/api/keys").await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert_eq!(refused.header("www-authenticate"), "Bearer error=\"insufficient_scope\", scope=\"keys\"");
    assert_eq!(phone.gets("/api/models").await.status, StatusCode::FORBIDDEN);

    // on the page, and by the API
    let page = ann.opens("/settings/keys").await;
    let ways: Vec<_> = page.html.split("action=\"/settings/keys/").skip(1).map(|rest| &rest[..36]).collect();
    assert_eq!(ways.len(), 2, "the newest first");
    let page = ann.posts(&format!("/settings/keys/{}/revoke", ways[1]), &[]).await;
    assert_eq!(page.location.as_deref(), Some("/settings/keys?revoked"));
    assert_eq!(laptop.gets("/api/models").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(ann.posts(&format!("/settings/keys/{}/revoke", ways[1]), &[]).await.status, StatusCode::NOT_FOUND);
    let bob = program_of_new(&test, "bob").await;
    assert_eq!(bob.deletes(&format!("/api/keys/{}", ways[0])).await.status, StatusCode::NOT_FOUND);
    assert_eq!(phone.deletes(&format!("/api/keys/{}", ways[0])).await.status, StatusCode::NO_CONTENT);
    assert_eq!(phone.gets("/api/keys").await.status, StatusCode::UNAUTHORIZED, "it revoked itself");
    let noted: i64 =
        test.value("select count(*) from audit where action = 'key.revoked' and subject = 'ann@example.org'").await;
    assert_eq!(noted, 2);
}

/// S5: a key does no more than its maker may, when it is made and whenever it is used.
#[tokio::test]
async fn s5_a_key_is_a_part_of_its_maker() {
    let test = TestApp::start().await;
    let ann = program_of_new(&test, "ann").await;
    for (scopes, why) in [
        (&["admin"][..], "she is no administrator"),
        (&["models", "admin"], "not even among others"),
        (&["everything"], "there is no such thing"),
        (&[], "it would be for nothing"),
    ] {
        let answer = ann.makes_key("x", scopes).await;
        assert_eq!((answer.status, answer.field()), (StatusCode::UNPROCESSABLE_ENTITY, "scopes"), "{why}");
    }
    let page = test.stranger();
    page.signs_in("ann", crate::support::people::PASSWORD).await;
    assert!(!page.opens("/settings/keys").await.html.contains("value=\"admin\""));
    let refused = page.posts("/settings/keys", &[("name", "x"), ("scope", "admin"), ("expires_in_days", "")]).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.html.contains("no more than whoever makes it"), "{}", refused.html);

    // a key makes none that can do more than itself
    let small = ann.with(&ann.makes_key("small", &["keys", "models"]).await.word("key"));
    assert_eq!(small.makes_key("x", &["chats:read"]).await.field(), "scopes");
    assert_eq!(small.makes_key("x", &["keys", "models"]).await.status, StatusCode::CREATED);
    let usual = small.posts("/api/keys", &json!({ "name": "usual" })).await;
    assert_eq!(usual.json["scopes"], json!(["models"]), "of the usual ones those that it has");

    // and one of an administrator's is one only as long as she is
    accounts::promote(&test.app, "ann@example.org").await.unwrap();
    let strong = ann.with(&ann.makes_key("strong", &["keys", "admin"]).await.word("key"));
    assert_eq!(strong.gets("/api/auth/me").await.json["scopes"], json!(["keys", "admin"]));
    test.execute("update users set role = 'member'").await;
    assert_eq!(strong.gets("/api/auth/me").await.json["scopes"], json!(["keys"]));
    assert_eq!(strong.makes_key("x", &["admin"]).await.field(), "scopes");
    let listed = strong.gets("/api/keys").await;
    assert_eq!(listed.json["data"][0]["scopes"], json!(["keys"]), "what it can do now");
    let made: i64 = test.value("select count(*) from api_keys").await;
    assert_eq!(made, 4);
}

#[tokio::test]
async fn a_key_ends_by_itself_and_its_last_use_is_noted_once_a_minute() {
    let test = TestApp::start().await;
    let ann = program_of_new(&test, "ann").await;
    let body = json!({ "name": "short", "scopes": ["models"], "expires_in_days": 30 });
    let made = ann.posts("/api/keys", &body).await;
    let days: f64 = test.value("select extract(epoch from expires_at - now())::float8 / 86400 from api_keys").await;
    assert!((29.99..=30.).contains(&days), "{days}");
    let key = test.program().with(&made.word("key"));
    assert_eq!(key.gets("/api/models").await.status, StatusCode::OK);
    let used = "select used_at::text from api_keys";
    let first: String = test.value(used).await;
    key.gets("/api/models").await;
    assert_eq!(test.value::<String>(used).await, first, "within a minute nothing is written");
    test.execute("update api_keys set used_at = now() - interval '61 s'").await;
    key.gets("/api/models").await;
    assert!(test.value::<String>(used).await > first);
    assert_eq!(ann.gets("/api/keys").await.json["data"][0]["expired"], false);

    test.execute("update api_keys set expires_at = now() - interval '1 s'").await;
    assert_eq!(key.gets("/api/models").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(ann.gets("/api/keys").await.json["data"][0]["expired"], true);
    for days in [json!(0), json!(-1), json!(3651), json!(1.5), json!("30"), json!(1e30)] {
        let body = json!({ "name": "x", "scopes": ["models"], "expires_in_days": days });
        let answer = ann.posts("/api/keys", &body).await;
        assert_eq!((answer.status, answer.field()), (StatusCode::UNPROCESSABLE_ENTITY, "expires_in_days"), "{days}");
    }
}

#[tokio::test]
async fn nobody_has_keys_without_end() {
    let test = TestApp::with(&[("PARLOR__PROGRAMS__KEYS", "3")]).await;
    let ann = program_of_new(&test, "ann").await;
    let all = (0..8).map(|_| ann.makes_key("one of many", &["models"]));
    let answers = futures::future::join_all(all).await;
    let made = answers.iter().filter(|answer| answer.status == StatusCode::CREATED).count();
    assert_eq!(made, 3, "also at once: {answers:?}");
    assert!(answers.iter().all(|answer| [201, 409].contains(&answer.status.as_u16())), "{answers:?}");
    let page = test.stranger();
    page.signs_in("ann", crate::support::people::PASSWORD).await;
    let page = page.posts("/settings/keys", &[("name", "x"), ("scope", "models"), ("expires_in_days", "90")]).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.html.contains("as many keys as one may have") && page.html.contains("value=\"90\" selected"));
}

/// The command line prints the key and nothing else; and S23: no log holds a key or a token, whatever is done with it.
#[tokio::test]
async fn s23_the_command_line_prints_a_key_and_logs_hold_none() {
    let house = House::make().await;
    let made = run(house.command(&["user", "new", "ann@example.org"]), "a sentence to sign in\n");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let new = |args: &[&str]| {
        let output = run(house.command(&[&["key", "new"][..], args].concat()), "");
        (output.status.success(), String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    let (fine, printed, said) =
        new(&["ann@example.org", "--name", "backup", "--scope", "models", "--scope", "keys", "--expires", "7"]);
    assert!(fine, "{said}");
    assert!(!said.contains("parlor_"), "{said}");
    let key = printed.strip_suffix('\n').unwrap();
    assert!(key.starts_with("parlor_") && key.len() == 56 && !key.contains(char::is_whitespace), "{printed:?}");
    for (args, words) in [
        (&["bob@example.org"][..], "no account"),
        (&["ann@example.org", "--scope", "admin"], "no more than whoever makes it"),
        (&["ann@example.org", "--scope", "all"], "chats:read"),
        (&["ann@example.org", "--expires", "0"], "3650"),
    ] {
        let (fine, printed, said) = new(args);
        assert!(!fine && printed.is_empty() && said.contains(words), "{args:?}: {said}");
    }
    let noted: i64 =
        house.value("select count(*) from audit where actor = 'command line' and action = 'key.created'").await;
    assert_eq!(noted, 1);

    let mut command = house.command(&["serve", "--no-jobs"]);
    command.env("RUST_LOG", "debug");
    let web = crate::support::process::Process::spawn(command);
    let program = Program::new(&web.address().await);
    let tokens = program.signs_in("ann").await;
    let (access, refresh) = (tokens.word("access_token"), tokens.word("refresh_token"));
    let next = program.refreshes(&refresh).await;
    assert_eq!(program.with(key).gets("/api/models").await.status, StatusCode::OK);
    let second = program.with(key).makes_key("second", &["models"]).await.word("key");
    program.with(&second).gets("/api/keys").await;
    program.with(&access).gets(&format!("/api/nowhere?key={key}")).await;
    program.refreshes(&refresh).await;
    program.posts("/api/auth/login", &json!({ "email": "ann@example.org", "password": key })).await;
    program.posts("/api/auth/login", &json!({ "email": key, "password": 7, "role": access })).await;
    web.says("api/auth/refresh").await;
    let log = web.log();
    let secrets = [key, &second, &access, &refresh, &next.word("refresh_token"), &next.word("access_token"), SECRET];
    for secret in secrets.into_iter().chain(["a sentence to sign in"]) {
        assert!(!log.contains(secret), "a secret is in the log");
    }
    assert!(log.contains("/api/keys"), "else this shows nothing: {log}");
}

/// S5: a key that was made with a key is good no longer than that one, and goes with it.
#[tokio::test]
async fn s5_a_key_does_not_outlive_the_key_it_was_made_with() {
    let test = TestApp::start().await;
    let ann = program_of_new(&test, "ann").await;
    let wish = json!({ "name": "short", "scopes": ["keys", "models"], "expires_in_days": 1 });
    let short = ann.posts("/api/keys", &wish).await;
    let child = ann.with(&short.word("key")).makes_key("child", &["models"]).await;
    let later: bool =
        test.value("select max(expires_at) > min(expires_at) or bool_or(expires_at is null) from api_keys").await;
    assert!(!later, "of no end, but for the day that the other one has");
    assert_eq!(ann.is(&child.word("key")).await, StatusCode::OK);
    test.execute("delete from api_keys where name = 'short'").await;
    assert_eq!(ann.is(&child.word("key")).await, StatusCode::UNAUTHORIZED);
}
