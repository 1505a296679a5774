//! Leaving for good: a minute to undo it, then all of it goes, however often its steps are cut off.

use crate::support::{
    TestApp, eventually,
    people::{PASSWORD, Page, Person, Tab},
    process::House,
    provider::Step,
};
use parlor::{base::ids::UserId, domain::people};
use reqwest::{Method, StatusCode};
use sqlx::Connection as _;

async fn leaves(person: &Person, email: &str, password: &str) -> Page {
    person.posts("/settings/delete", &[("email", email), ("password", password)]).await
}

/// Whatever is left of somebody in a table that names accounts or hangs on chats.
const LEFT: &str = "select concat_ws(' ',
    (select count(*) from users), (select count(*) from chats), (select count(*) from messages),
    (select count(*) from generations), (select count(*) from feed_events), (select count(*) from feed_heads),
    (select count(*) from sends), (select count(*) from imports), (select count(*) from prompts),
    (select count(*) from folders), (select count(*) from ratings), (select count(*) from takeouts),
    (select count(*) from takeout_parts), (select count(*) from sessions), (select count(*) from tower_sessions.session),
    (select count(*) from apalis.jobs where job ?| array['generation_id', 'import_id']))";

/// Something of everything.
async fn lives_here(test: &TestApp, person: &Person) {
    test.provider.streams(["Hello"]);
    let chat = person.asks("hi").await;
    person.sees(&chat, "Hello").await;
    let answer = person.last_answer(&chat).await;
    person.posts(&format!("/messages/{answer}/rating"), &[("rating", "like")]).await;
    person.posts("/folders", &[("name", "Mine")]).await;
    person.posts("/settings/prompts", &[("name", "x"), ("text", "y")]).await;
    person.posts("/settings/data", &[]).await;
    person.sees("/settings/data", "The file is ready").await;
}

#[tokio::test]
async fn ann_leaves_and_nothing_of_hers_stays() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    lives_here(&test, &ann).await;
    let other = test.stranger();
    other.signs_in("ann", PASSWORD).await;
    for (email, password, words) in [
        ("bob@example.org", PASSWORD, "not the address of your account"),
        ("ann@example.org", "wrong", "not your password"),
    ] {
        let page = leaves(&ann, email, password).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(page.html.contains(words), "`{words}` is missing");
    }
    assert_eq!(test.value::<i64>("select count(*) from users where delete_at is not null").await, 0);
    test.provider.does([Step::Text("Going ".to_owned()), Step::Hold]);
    let chat = ann.asks("and now?").await;
    ann.sees(&chat, "Going").await;
    let tab = ann.follows(&chat, ann.opens(&chat).await.after()).await;

    let page = leaves(&ann, " Ann@example.org", PASSWORD).await;
    assert_eq!(page.location.as_deref(), Some("/settings/delete"));
    let page = ann.opens("/settings/delete").await;
    assert!(page.html.contains("Keep my account") && page.html.contains("data-seconds=\"5"), "{}", page.html);
    assert_eq!(other.opens("/").await.location.as_deref(), Some("/login"), "other sessions are ended");
    // whoever signs in is led there, whatever they ask for
    other.signs_in("ann", PASSWORD).await;
    for path in ["/", chat.as_str(), "/settings", "/admin/jobs"] {
        assert_eq!(other.opens(path).await.location.as_deref(), Some("/settings/delete"), "{path}");
    }
    assert_eq!(other.request(Method::GET, "/feed").send().await.unwrap().status(), StatusCode::NOT_FOUND);
    assert_eq!(ann.posts("/chats", &[("content", "x")]).await.location.as_deref(), Some("/settings/delete"));
    // the minute is over
    test.execute("update users set delete_at = now() - interval '1 second'").await;
    let page = ann.posts("/settings/delete/undo", &[]).await;
    assert!([StatusCode::CONFLICT, StatusCode::SEE_OTHER].contains(&page.status), "{}", page.html);
    eventually("she is gone", || async { test.value::<i64>("select count(*) from users").await == 0 }).await;
    tab.ends().await;
    assert_eq!(test.value::<String>(LEFT).await, ["0"; 16].join(" "));
    assert_eq!(ann.opens("/").await.location.as_deref(), Some("/login"));
    assert_eq!(ann.signs_in("ann", PASSWORD).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    let named: i64 =
        test.value("select count(*) from audit where audit::text ilike '%ann%' or address is not null").await;
    assert_eq!(named, 0, "what she did stays, under a pseudonym");
    assert!(test.value::<bool>("select bool_and(subject like 'deleted account %') from audit").await);
    let actions: String = test.value("select string_agg(action, ' ' order by id) from audit").await;
    assert_eq!(actions, "user.registered data.asked user.leaving user.gone");
    ann.registers("ann").await;
}

#[tokio::test]
async fn within_the_minute_it_can_be_undone() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    lives_here(&test, &ann).await;
    let before: String = test.value(LEFT).await;
    leaves(&ann, "ann@example.org", PASSWORD).await;
    let elsewhere = test.stranger();
    elsewhere.signs_in("ann", PASSWORD).await;
    assert_eq!(elsewhere.posts("/settings/delete/undo", &[]).await.location.as_deref(), Some("/"));
    assert_eq!(ann.opens("/").await.status, StatusCode::OK);
    people::go(&test.app, UserId(test.value("select id from users").await)).await.unwrap();
    elsewhere.posts("/logout", &[]).await;
    assert_eq!(test.value::<String>(LEFT).await, before);
}

/// Each step may be done twice, also at once; and one who is not to go does not.
#[tokio::test]
async fn the_steps_are_harmless_twice() {
    let test = TestApp::start().await;
    let (ann, bob) = (test.person("ann").await, test.person("bob").await);
    lives_here(&test, &ann).await;
    lives_here(&test, &bob).await;
    let id = UserId(test.value("select id from users where name = 'ann'").await);
    test.execute("update users set delete_at = now() where name = 'ann'").await;
    let (one, other, third) =
        tokio::join!(people::go(&test.app, id), people::go(&test.app, id), people::go(&test.app, id));
    one.and(other).and(third).unwrap();
    people::go(&test.app, id).await.unwrap();
    assert_eq!(test.value::<String>("select string_agg(name, ' ') from users").await, "bob");
    assert_eq!(bob.opens("/").await.status, StatusCode::OK);
    assert_eq!(test.value::<i64>("select count(*) from chats").await, 1);
    assert_eq!(test.value::<i64>("select count(*) from audit where action = 'user.gone'").await, 1);
}

/// Killed in the middle: another process goes on.
#[tokio::test]
async fn a_kill_in_between_only_costs_time() {
    let house = House::make().await;
    let (mut web, other) = (house.web(), house.web());
    let ann = Person::new(&web.address().await);
    ann.registers("ann").await;
    other.address().await;
    let mut conn = sqlx::PgConnection::connect(&house.database.url).await.unwrap();
    let chats = "insert into chats (user_id, title) select u.id, 'chat ' || n from users u, generate_series(1, 35) n";
    sqlx::query(chats).execute(&mut conn).await.unwrap();
    // the 25th is held, so that whoever works on it stands in the middle
    let mut wall = conn.begin().await.unwrap();
    sqlx::query("select id from chats where title = 'chat 25' for update").execute(&mut *wall).await.unwrap();
    let mut conn = sqlx::PgConnection::connect(&house.database.url).await.unwrap();
    sqlx::query("update users set delete_at = now()").execute(&mut conn).await.unwrap();
    eventually("two batches are gone", || async {
        house.value::<i64>("select count(*) from chats").await == 15
            && house.value::<bool>("select exists (select 1 from pg_stat_activity where wait_event_type = 'Lock' and query like '%from chats%')").await
    })
    .await;
    web.kill();
    wall.rollback().await.unwrap();
    eventually("she is gone", || async { house.value::<i64>("select count(*) from users").await == 0 }).await;
    assert_eq!(house.value::<i64>("select count(*) from chats").await, 0);
    drop(other);
}

/// At the command line: disabled and enabled, heard of by a process that serves.
#[tokio::test]
async fn s6_the_command_line_disables_and_enables() {
    let house = House::make().await;
    let web = house.web();
    let ann = Person::new(&web.address().await);
    ann.registers("ann").await;
    let tab = Tab::read(ann.request(Method::GET, "/feed").send().await.unwrap());
    tab.sees(": here").await;
    let out = house.command(&["user", "disable", "Ann@Example.org"]).output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let began = std::time::Instant::now();
    tab.ends().await;
    assert!(began.elapsed().as_secs() < 5 && tab.text().contains("event: gone"), "{}", tab.text());
    assert_eq!(ann.signs_in("ann", PASSWORD).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    let out = house.command(&["user", "enable", "ann@example.org"]).output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    assert_eq!(ann.signs_in("ann", PASSWORD).await.status, StatusCode::SEE_OTHER);
    let out = house.command(&["user", "disable", "nobody@example.org"]).output().unwrap();
    assert!(!out.status.success());
    assert!(String::from_utf8_lossy(&out.stderr).contains("there is no account with this address"));
}

/// Nothing names an address whose account is gone: not the letters, their files, invitations, or what others did with it.
#[tokio::test]
async fn no_letter_or_invitation_names_who_is_gone() {
    let root = [("ADMIN_EMAIL", "root@example.org"), ("ADMIN_PASSWORD", PASSWORD)];
    let test = TestApp::with(&root).await;
    parlor::domain::accounts::first_administrator(&test.app).await.unwrap();
    let root = test.stranger();
    root.signs_in("root", PASSWORD).await;
    for email in ["joann@example.org", "Ann@Example.org", "ann@example.org"] {
        root.posts("/admin/invitations", &[("email", email)]).await;
    }
    let token = test.letters_to("ann@example.org").await.last().unwrap().token();
    let ann = test.stranger();
    ann.posts("/register", &[("token", token.as_str()), ("email", ""), ("name", "Ann"), ("password", PASSWORD)]).await;
    ann.posts("/settings/keys", &[("name", "x"), ("scope", "models"), ("expires_in_days", "")]).await;
    test.program().signs_in("ann").await;
    test.stranger().posts("/password/forgot", &[("email", "ann@example.org")]).await;
    eventually("three letters are written", || async {
        test.value::<i64>("select count(*) from mail where recipient ilike 'ann@example.org' and state = 'written'")
            .await
            == 3
    })
    .await;
    let files = || {
        let folder = std::fs::read_dir(std::path::Path::new(&test.app.config.data.dir).join("outbox")).unwrap();
        folder
            .filter(|file| {
                std::fs::read_to_string(file.as_ref().unwrap().path()).unwrap().to_lowercase().contains("to: ann@")
            })
            .count()
    };
    assert_eq!(files(), 3);
    let ann = UserId(test.value("select id from users where email_key = 'ann@example.org'").await);
    people::delete(&test.app, &parlor::domain::audit::Actor::operator(), ann).await.unwrap();
    eventually("she is gone", || async { test.value::<i64>("select count(*) from users").await == 1 }).await;
    let named: String = test
        .value(
            "select concat_ws(' ',
                 (select count(*) from mail where recipient ilike 'ann@%'),
                 (select count(*) from invitations where email ilike 'ann@%'),
                 (select count(*) from audit where replace(audit::text, 'joann@', '') ilike '%ann@%'),
                 (select count(*) from api_keys), (select count(*) from token_families), (select count(*) from tokens),
                 (select count(*) from taken_messages), (select count(*) from user_limits),
                 (select count(*) from reset_wishes))",
        )
        .await;
    assert_eq!(named, ["0"; 9].join(" "));
    let kept: i64 = test.value("select count(*) from audit where details = 'joann@example.org, member'").await;
    assert_eq!(kept, 1, "whose address only ends alike is somebody else");
    let once: i64 = test.value("select count(*) from audit where details ~ '^deleted account .*, member$'").await;
    assert_eq!(once, 2);
    assert_eq!(files(), 0);
}
