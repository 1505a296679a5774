//! Sessions that can be seen and ended: what is ended is dead within seconds, its open feeds too, whatever was in flight.

use crate::support::{
    TestApp, eventually,
    people::{PASSWORD, Person, Tab, between},
    provider::Step,
};
use parlor::{
    base::{clock, sessions::Store},
    domain::{
        accounts::{self, sessions},
        audit::Actor,
        people,
    },
};
use reqwest::{Method, StatusCode};
use std::time::{Duration, Instant};
use tower_sessions::{SessionStore as _, session::Record};

/// Changes what the session store has of these sessions.
async fn rewrite(test: &TestApp, sessions: &str, change: impl Fn(&mut Record)) {
    let store = Store::new(test.app.pools.http.clone());
    let ids: Vec<String> = sqlx::query_scalar(sessions).fetch_all(&test.app.pools.http).await.unwrap();
    assert!(!ids.is_empty());
    for id in ids {
        let mut record = store.load(&id.parse().unwrap()).await.unwrap().unwrap();
        change(&mut record);
        store.save(&record).await.unwrap();
    }
}

/// What has to be dead is so within this time.
const SOON: Duration = Duration::from_secs(5);

/// The same person in another browser.
async fn elsewhere(test: &TestApp, name: &str) -> Person {
    let other = test.stranger();
    assert_eq!(other.signs_in(name, PASSWORD).await.status, StatusCode::SEE_OTHER);
    other
}

/// The ids of the sessions that a page offers to end.
fn others(html: &str) -> Vec<String> {
    html.split("/settings/sessions/")
        .filter_map(|rest| Some(rest.split_once("/end\"")?.0.to_owned()))
        .filter(|id| id.len() == 36)
        .collect()
}

async fn list_feed(person: &Person) -> Tab {
    let response = person.request(Method::GET, "/feed").send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    Tab::read(response)
}

/// Waits until a feed is over, and says what it did say last.
async fn is_cut(tab: &Tab) {
    let began = Instant::now();
    tab.ends().await;
    assert!(began.elapsed() < SOON, "it took {:?}", began.elapsed());
    assert!(
        tab.text().ends_with("event: gone\ndata: Your session has ended. Sign in again; nothing is lost.\n\n"),
        "{}",
        tab.text()
    );
}

#[tokio::test]
async fn sessions_are_listed_with_device_and_address() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    let firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
    let fields = [("email", "ann@example.org"), ("password", PASSWORD), ("remember", "true")];
    let request = test.stranger().request(Method::POST, "/login").header("user-agent", firefox);
    assert_eq!(
        request.header("sec-fetch-site", "same-origin").form(&fields).send().await.unwrap().status(),
        StatusCode::SEE_OTHER
    );
    let page = ann.opens("/settings/sessions").await.html;
    for words in ["Firefox on Linux", "127.0.0.1", "remembered", "An unknown device", "this one", "End all others"] {
        assert!(page.contains(words), "`{words}` is missing");
    }
    assert_eq!(others(&page).len(), 1, "this one has no End");
    assert_eq!(test.value::<i64>("select count(*) from sessions").await, 2);
    ann.posts("/logout", &[]).await;
    assert_eq!(test.value::<i64>("select count(*) from sessions").await, 1, "signing out ends it");
}

/// S12: ended in one browser, dead in another, its open feeds too.
#[tokio::test]
async fn s12_a_session_ended_elsewhere_is_dead_with_its_feeds() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    test.provider.streams(["Hello"]);
    let chat = ann.asks("hi").await;
    ann.sees(&chat, "Hello").await;
    let lost = elsewhere(&test, "ann").await;
    let third = elsewhere(&test, "ann").await;
    let (tab, list) = (lost.follows(&chat, lost.opens(&chat).await.after()).await, list_feed(&lost).await);
    let mine = list_feed(&ann).await;
    let page = ann.opens("/settings/sessions").await.html;
    assert_eq!(others(&page).len(), 2);
    // the newest first: the third, then the lost one
    let ended = ann.posts(&format!("/settings/sessions/{}/end", others(&page)[1]), &[]).await;
    assert_eq!(ended.location.as_deref(), Some("/settings/sessions?ended"));
    is_cut(&tab).await;
    is_cut(&list).await;
    assert_eq!(lost.opens(&chat).await.status, StatusCode::SEE_OTHER);
    let again = lost.request(Method::GET, "/feed").send().await.unwrap();
    assert_eq!(again.status(), StatusCode::UNAUTHORIZED);
    assert!(again.text().await.unwrap().starts_with("event: gone"));
    assert_eq!(third.opens("/").await.status, StatusCode::OK, "the third goes on");
    assert!(!mine.is_over());
    ann.posts("/settings/sessions/end", &[]).await;
    assert_eq!(third.opens("/").await.status, StatusCode::SEE_OTHER);
    assert_eq!(ann.opens("/").await.status, StatusCode::OK);
    assert!(!mine.is_over(), "one's own feed goes on");
    let notes: Vec<String> =
        sqlx::query_scalar("select action from audit where action <> 'user.registered' order by id")
            .fetch_all(&test.app.pools.http)
            .await
            .unwrap();
    assert_eq!(notes, ["session.ended", "sessions.ended"]);
}

/// S12: ended by another process, of which this one hears nothing but what the database tells.
#[tokio::test]
async fn s12_feeds_end_that_another_process_ended() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    test.provider.does([Step::Text("Hello\n\nand ".to_owned()), Step::Hold]);
    let chat = ann.asks("hi").await;
    ann.sees(&chat, "Hello").await;
    let tab = ann.follows(&chat, ann.opens(&chat).await.after()).await;
    let live = Tab::read(ann.request(Method::GET, &format!("{chat}?live")).send().await.unwrap());
    live.sees("Hello").await;
    test.execute("delete from tower_sessions.session").await;
    is_cut(&tab).await;
    live.ends().await;
    assert!(live.text().contains("Your session has ended"), "{}", live.text());
    assert!(live.text().trim_end().ends_with("</html>"));
}

/// S12: the session store's row alone is not enough: a request that saves late may have brought it back, by any store.
#[tokio::test]
async fn s12_a_row_that_came_back_signs_nobody_in() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    let published = tower_sessions_sqlx_store::PostgresStore::new(test.app.pools.http.clone());
    let id: String = test.value("select id from tower_sessions.session").await;
    let record = published.load(&id.parse().unwrap()).await.unwrap().unwrap();
    let viewer = test.viewer("ann").await;
    sessions::end(&test.app, &viewer, sessions::all(&test.app, &viewer).await.unwrap()[0].id).await.unwrap();
    // what a process of an older version did: saving is inserting
    published.save(&record).await.unwrap();
    assert_eq!(test.value::<i64>("select count(*) from tower_sessions.session").await, 1);
    assert_eq!(ann.opens("/").await.status, StatusCode::SEE_OTHER);
    assert_eq!(test.value::<i64>("select count(*) from sessions").await, 0, "and it is given no new name");
}

/// S12: a request in flight: it was let in before the end, and marks its session as seen after it.
#[tokio::test]
async fn s12_a_request_in_flight_does_not_bring_it_back() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    let lost = elsewhere(&test, "ann").await;
    // it is due to be marked as seen
    let long_ago = serde_json::to_value(clock::now() - time::Duration::minutes(2)).unwrap();
    let newest = "select store_id from sessions order by id desc limit 1";
    rewrite(&test, newest, |record| record.data.get_mut("stamp").unwrap()["seen"] = long_ago.clone()).await;
    // what the request waits for, after it was let in
    let mut wall = test.app.pools.jobs.begin().await.unwrap();
    sqlx::query("lock table folders in access exclusive mode").execute(&mut *wall).await.unwrap();
    let slow = tokio::spawn({
        let lost = lost.clone();
        async move { lost.opens("/").await.status }
    });
    eventually("the request waits", || async {
        test.value::<bool>(
            "select exists (select 1 from pg_stat_activity where wait_event_type = 'Lock' and query like '%folders%')",
        )
        .await
    })
    .await;
    ann.posts("/settings/sessions/end", &[]).await;
    drop(wall);
    slow.await.unwrap();
    assert_eq!(test.value::<i64>("select count(*) from tower_sessions.session").await, 1, "it was brought back");
    assert_eq!(lost.opens("/").await.status, StatusCode::SEE_OTHER);
    assert_eq!(ann.opens("/").await.status, StatusCode::OK);
}

/// Sessions from before they had names go on, and are given one; but not those from before all others were ended.
#[tokio::test]
async fn sessions_of_the_version_before_are_given_a_name() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    let old = elsewhere(&test, "ann").await;
    rewrite(&test, "select id from tower_sessions.session", |record| drop(record.data.remove("name").unwrap())).await;
    test.execute("delete from sessions").await;
    assert_eq!(ann.opens("/").await.status, StatusCode::OK);
    assert_eq!(test.value::<i64>("select count(*) from sessions").await, 1);
    ann.posts("/settings/sessions/end", &[]).await;
    assert_eq!(old.opens("/").await.status, StatusCode::SEE_OTHER, "it had no row, and is over all the same");
    assert_eq!(ann.opens("/").await.status, StatusCode::OK);
}

/// S13: a changed password ends the other sessions, and this one goes on.
#[tokio::test]
async fn s13_a_changed_password_ends_the_other_sessions() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    let other = elsewhere(&test, "ann").await;
    let (mine, theirs) = (list_feed(&ann).await, list_feed(&other).await);
    let change = async |old: &str, new: &str| ann.posts("/settings/password", &[("old", old), ("password", new)]).await;
    for (old, new, words) in
        [("the wrong one", "a quite new sentence", "not your password"), (PASSWORD, "2 few", "at least 8 characters")]
    {
        let page = change(old, new).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(page.html.contains(words) && !page.html.contains(new), "{words}");
    }
    assert_eq!(other.opens("/").await.status, StatusCode::OK);
    let page = change(PASSWORD, "a quite new sentence").await;
    assert_eq!(page.location.as_deref(), Some("/settings/password?saved"));
    is_cut(&theirs).await;
    assert_eq!(other.opens("/").await.status, StatusCode::SEE_OTHER);
    assert_eq!(ann.opens("/").await.status, StatusCode::OK, "this session was told");
    assert!(!mine.is_over());
    assert_eq!(test.stranger().signs_in("ann", PASSWORD).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(test.stranger().signs_in("ann", "a quite new sentence").await.status, StatusCode::SEE_OTHER);
    assert_eq!(
        test.value::<String>("select action from audit where action <> 'user.registered'").await,
        "password.changed"
    );
}

/// S6: disabling ends sessions, feeds and answers, queued ones too; enabling lets in again.
#[tokio::test]
async fn s6_a_disabled_account_is_out_within_seconds() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    test.provider.does([Step::Text("Hello ".to_owned()), Step::Hold]);
    let chat = ann.asks("hi").await;
    ann.sees(&chat, "Hello").await;
    ann.says(&chat, "and then?").await;
    let tab = ann.follows(&chat, ann.opens(&chat).await.after()).await;
    let user = test.viewer("ann").await.id;
    let began = Instant::now();
    people::disable(&test.app, &Actor::operator(), user).await.unwrap();
    is_cut(&tab).await;
    let unfinished = "select count(*) from generations where state in ('lined', 'queued', 'streaming', 'waiting')";
    eventually("nothing is made for her", || async { test.value::<i64>(unfinished).await == 0 }).await;
    assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
    assert_eq!(ann.opens(&chat).await.status, StatusCode::SEE_OTHER);
    assert_eq!(ann.signs_in("ann", PASSWORD).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(test.value::<i64>("select count(*) from tower_sessions.session").await, 0);
    people::enable(&test.app, &Actor::operator(), user).await.unwrap();
    assert_eq!(ann.opens(&chat).await.status, StatusCode::SEE_OTHER, "what was ended stays so");
    ann.signs_in("ann", PASSWORD).await;
    let page = ann.opens(&chat).await;
    assert!(page.html.contains("Hello") && page.html.contains("this account was closed"), "{}", page.html);
    let notes: Vec<String> =
        sqlx::query_scalar("select action from audit where action <> 'user.registered' order by id")
            .fetch_all(&test.app.pools.http)
            .await
            .unwrap();
    assert_eq!(notes, ["user.disabled", "user.enabled"]);
    test.check_tree().await;
}

/// S6: a message that is accepted at the very moment of disabling is stopped too.
#[tokio::test]
async fn s6_the_sweep_stops_what_slipped_in() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    test.provider.does([Step::Text("Hello ".to_owned()), Step::Hold]);
    let chat = ann.asks("hi").await;
    ann.sees(&chat, "Hello").await;
    test.execute("update users set disabled_at = now()").await;
    let began = Instant::now();
    eventually("the sweep stops it", || async {
        test.value::<String>("select state from generations").await == "stopped"
    })
    .await;
    assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
}

/// S6: nobody but an administrator disables or promotes, and one administrator is left.
#[tokio::test]
async fn s6_the_last_administrator_stays() {
    use parlor::base::Error;
    let test = TestApp::start().await;
    let (ann, _bob) = (test.person("ann").await, test.person("bob").await);
    let (ann_id, bob_id) = (test.viewer("ann").await.id, test.viewer("bob").await.id);
    accounts::promote(&test.app, "ann@example.org").await.unwrap();
    let (by_ann, by_bob) = (Actor::from(&test.viewer("ann").await), Actor::from(&test.viewer("bob").await));
    let app = &test.app;
    assert!(matches!(people::set_role(app, &by_bob, bob_id, true).await, Err(Error::NotFound)));
    assert!(matches!(people::disable(app, &by_bob, ann_id).await, Err(Error::NotFound)));
    assert!(matches!(people::disable(app, &by_ann, ann_id).await, Err(Error::Conflict(_))));
    assert!(matches!(people::set_role(app, &by_ann, ann_id, false).await, Err(Error::Conflict(_))));
    assert!(matches!(people::delete(app, &by_ann, ann_id).await, Err(Error::Conflict(_))));
    let fields = [("email", "ann@example.org"), ("password", PASSWORD)];
    let page = ann.posts("/settings/delete", &fields).await;
    assert_eq!(page.status, StatusCode::CONFLICT);
    assert!(page.html.contains("The last administrator cannot be deleted"));
    // two administrators who want each other out at the same moment
    people::set_role(app, &by_ann, bob_id, true).await.unwrap();
    let (one, other) = tokio::join!(people::disable(app, &by_ann, bob_id), people::disable(app, &by_bob, ann_id));
    assert!(one.is_ok() != other.is_ok(), "one of them");
    let left: i64 = test.value("select count(*) from users where role = 'administrator' and disabled_at is null").await;
    assert_eq!(left, 1);
}

#[tokio::test]
async fn a_person_has_a_bounded_number_of_sessions() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    test.execute(
        "insert into tower_sessions.session select 'x' || n, '', now() + interval '1 day' from generate_series(1, 150) n;
         insert into sessions (user_id, store_id, seen_at) select u.id, 'x' || n, now() - interval '1 hour' from users u, generate_series(1, 150) n",
    )
    .await;
    elsewhere(&test, "ann").await;
    assert_eq!(test.value::<i64>("select count(*) from sessions").await, 100);
    assert_eq!(ann.opens("/").await.status, StatusCode::OK, "those seen last stay");
    assert!(between(&ann.opens("/settings/sessions").await.html, "this one", "<").is_some());
}
