//! Limits: messages of a person, calls of their programs, requests of an address. Tries of passwords are in tries.rs.

use crate::{
    crashes::{ann_at, has_models},
    support::{
        NO_RETRY, TestApp, eventually,
        people::{Person, between},
        process::House,
        program::{Answer, caller_of_new},
        provider::Step,
        proxy::Proxy,
    },
};
use futures::future::join_all;
use parlor::{
    base::{error::Error, ids::UserId},
    domain::limits::{self, Given},
};
use reqwest::{Method, Response, StatusCode};
use serde_json::json;
use std::time::Duration;

const MINUTE: &str = "PARLOR__LIMITS__MESSAGES_PER_MINUTE";
const DAY: &str = "PARLOR__LIMITS__MESSAGES_PER_DAY";
const VISITS: &str = "PARLOR__LIMITS__ANONYMOUS_PER_HOUR";

/// So many messages in any 60 s by all that is written down.
const MOST_IN_A_MINUTE: &str = "select coalesce(max(n), 0) from (select count(*) over (
    partition by user_id order by at range between interval '59.999 s' preceding and current row) as n from taken_messages) t";

fn header(response: &Response, name: &str) -> String {
    response.headers().get(name).map(|v| v.to_str().unwrap().to_owned()).unwrap_or_default()
}

fn number(response: &Response, name: &str) -> u32 {
    header(response, name).parse().unwrap_or_else(|_| panic!("{name} is no number in {:?}", response.headers()))
}

async fn post(person: &Person, path: &str, fields: &[(&str, &str)], fragment: bool) -> Response {
    let request = person.request(Method::POST, path).header("sec-fetch-site", "same-origin");
    let request = if fragment { request.header("hx-request", "true") } else { request };
    request.form(fields).send().await.unwrap()
}

async fn begins(person: &Person, words: &str) -> Response {
    post(person, "/chats", &[("content", words), ("model", "openai/fake-1")], false).await
}

/// Two hundred new chats at once, half of them at each process: how many were taken. All others are told to wait.
async fn two_hundred(people: [&Person; 2]) -> usize {
    let all = (0..200).map(|n| async move {
        let response = begins(people[n % 2], "hi").await;
        if response.status() == StatusCode::TOO_MANY_REQUESTS {
            assert!((1..=60).contains(&number(&response, "retry-after")));
            assert_eq!((number(&response, "x-ratelimit-limit"), number(&response, "x-ratelimit-remaining")), (20, 0));
        }
        response.status()
    });
    let all = join_all(all).await;
    let strange: Vec<_> =
        all.iter().filter(|s| ![StatusCode::SEE_OTHER, StatusCode::TOO_MANY_REQUESTS].contains(s)).collect();
    assert!(strange.is_empty(), "{strange:?}");
    all.into_iter().filter(|status| *status == StatusCode::SEE_OTHER).count()
}

#[tokio::test]
async fn two_hundred_at_once_over_two_processes_are_twenty() {
    let house = House::make().await.with(MINUTE, "20").with("PARLOR__DATABASE__ACQUIRE_TIMEOUT", "30");
    let (one, other, _worker) = (house.web(), house.web(), house.worker());
    let ann = ann_at(&one).await;
    has_models(&ann).await;
    let elsewhere = Person { address: other.address().await, ..ann.clone() };
    let people = [&ann, &elsewhere];
    assert_eq!(two_hundred(people).await, 20);
    let left: (i64, i64) =
        house.row("select (select count(*) from chats), (select count(*) from taken_messages)").await;
    assert_eq!(left, (20, 20), "what was refused has left nothing");
    // as if a few seconds had gone by: nothing yet
    let passes = async |seconds: f64, which: &str| {
        let sql = format!(
            "with t as (update taken_messages set at = at - interval '{seconds} s' where {which} returning 1)
                           select count(*) from t"
        );
        house.value::<i64>(&sql).await
    };
    // a busy machine takes a while for two hundred: they are brought close together first
    house.value::<i64>("with t as (update taken_messages set at = now() returning 1) select count(*) from t").await;
    passes(5., "true").await;
    assert_eq!(two_hundred(people).await, 0);
    // a minute after seven of them, there is room for seven
    passes(56., "message_id in (select message_id from taken_messages order by message_id limit 7)").await;
    assert_eq!(two_hundred(people).await, 7);
    passes(60., "true").await;
    assert_eq!(two_hundred(people).await, 20);
    assert_eq!(house.value::<i64>(MOST_IN_A_MINUTE).await, 20);
    house.database.check_feeds().await;
}

#[tokio::test]
async fn a_day_has_its_own_limit() {
    let test = TestApp::with(&[(MINUTE, "5"), (DAY, "3")]).await;
    let ann = test.person("ann").await;
    for left in [2, 1, 0] {
        let response = begins(&ann, "hi").await;
        assert_eq!(response.status(), StatusCode::SEE_OTHER);
        assert_eq!((number(&response, "x-ratelimit-limit"), number(&response, "x-ratelimit-remaining")), (3, left));
        assert!((86_300..=86_400).contains(&number(&response, "x-ratelimit-reset")));
    }
    let response = begins(&ann, "what I typed").await;
    assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
    assert!((86_300..=86_400).contains(&number(&response, "retry-after")));
    let html = response.text().await.unwrap();
    assert!(html.contains("3 messages were sent within 24 hours") && html.contains("Try again in 24 hours."), "{html}");
    assert!(html.contains("what I typed</textarea>") && html.contains("none of 3 left in 24 hours"));
    let bob = test.person("bob").await;
    assert_eq!(begins(&bob, "hi").await.status(), StatusCode::SEE_OTHER, "each has their own");
    test.execute("update taken_messages set at = at - interval '24 hours'").await;
    assert_eq!(begins(&ann, "hi").await.status(), StatusCode::SEE_OTHER);
    // the hourly care forgets what no longer counts
    test.execute("update taken_messages set at = at - interval '2 hours'").await;
    limits::care(&test.app).await.unwrap();
    assert_eq!(test.value::<i64>("select count(*) from taken_messages").await, 1, "bob's and ann's last are of today");
}

async fn taken(test: &TestApp) -> i64 {
    test.value("select count(*) from taken_messages").await
}

#[tokio::test]
async fn every_act_that_begins_an_answer_counts_once() {
    let test = TestApp::with(&[(MINUTE, "50"), NO_RETRY]).await;
    let ann = test.person("ann").await;
    test.provider.does([Step::Text("Half".into()), Step::Cut]);
    let key = "01890a5d-ac96-774b-bcce-b302099a8057";
    let fields = [("content", "hi"), ("model", "openai/fake-1"), ("key", key)];
    let chat = ann.posts("/chats", &fields).await.location.unwrap();
    assert_eq!(taken(&test).await, 1);
    assert_eq!(ann.posts("/chats", &fields).await.location.as_ref(), Some(&chat));
    assert_eq!(taken(&test).await, 1, "sent twice, taken once");
    ann.sees(&chat, "data-state=\"interrupted\"").await;
    let answer = ann.last_answer(&chat).await;
    for (path, count) in [("continuations", 2), ("regenerations", 3)] {
        let response = post(&ann, &format!("/messages/{answer}/{path}"), &[], false).await;
        assert_eq!(response.status(), StatusCode::SEE_OTHER);
        assert_eq!(number(&response, "x-ratelimit-remaining"), 50 - count);
        assert_eq!(taken(&test).await, i64::from(count), "{path}");
    }
    eventually("they end", || async {
        test.value::<i64>("select count(*) from generations where state = 'completed'").await == 2
    })
    .await;
    let question: String = test.value("select id::text from messages where author = 'person'").await;
    let path = format!("/messages/{question}/edits");
    let response = post(&ann, &path, &[("content", "hello"), ("act", "save")], false).await;
    assert_eq!(header(&response, "x-ratelimit-limit"), "", "no model was asked");
    assert_eq!(taken(&test).await, 3);
    let response = post(&ann, &path, &[("content", "hallo"), ("act", "ask")], false).await;
    assert_eq!(number(&response, "x-ratelimit-remaining"), 46);
    assert_eq!(taken(&test).await, 4);
    // what cannot be taken takes nothing
    assert_eq!(begins(&ann, " ").await.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let unknown = post(&ann, "/chats", &[("content", "hi"), ("model", "openai/none")], false).await;
    assert_eq!(unknown.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(taken(&test).await, 4);
}

#[tokio::test]
async fn what_is_removed_from_the_line_is_given_back() {
    let test = TestApp::with(&[(MINUTE, "3")]).await;
    let ann = test.person("ann").await;
    test.provider.does([Step::Text("Half".into()), Step::Hold, Step::Finish("stop"), Step::Done]);
    let chat = ann.asks("hi").await;
    ann.sees(&chat, "Half").await;
    for words in ["first in line", "second in line"] {
        assert_eq!(ann.says(&chat, words).await.status, StatusCode::SEE_OTHER);
    }
    assert_eq!(begins(&ann, "a fourth").await.status(), StatusCode::TOO_MANY_REQUESTS);
    let second: String = test.value("select id::text from messages where text = 'second in line'").await;
    ann.posts(&format!("/messages/{second}/delete"), &[]).await;
    assert_eq!(taken(&test).await, 2);
    assert_eq!(begins(&ann, "a fourth").await.status(), StatusCode::SEE_OTHER);
    // the answer that is being made is not given back, what is in line behind it is
    let running: String =
        test.value("select message_id::text from generations where state = 'streaming' and from_seq = 0").await;
    ann.posts(&format!("/messages/{running}/delete"), &[]).await;
    assert_eq!(taken(&test).await, 2);
    test.provider.release();
}

/// Nothing typed is lost, in whatever way it was sent.
#[tokio::test]
async fn who_is_too_fast_is_told_how_long_to_wait() {
    let test = TestApp::with(&[(MINUTE, "2")]).await;
    let ann = test.person("ann").await;
    let chat = ann.asks("hi").await;
    ann.sees(&chat, "unscripted").await;
    let answer = ann.last_answer(&chat).await;
    let fields = [("content", "and <then>"), ("model", "openai/fake-1"), ("parent", answer.as_str())];
    let path = format!("{chat}/messages");
    let sent = post(&ann, &path, &fields, true).await;
    assert_eq!((sent.status(), number(&sent, "x-ratelimit-remaining")), (StatusCode::OK, 0));
    let sentence = "2 messages were sent within a minute, which is as many as can be. Try again in ";
    for fragment in [true, false] {
        let response = post(&ann, &path, &fields, fragment).await;
        assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
        let wait = number(&response, "retry-after");
        assert!((1..=60).contains(&wait));
        let html = response.text().await.unwrap();
        assert!(html.contains(sentence) && html.contains("and &#60;then&#62;</textarea>"), "{html}");
        assert!(html.contains("none of 2 left this minute"));
        assert_eq!(html.contains("<!doctype html>"), !fragment);
    }
    // saying it otherwise and asking: the form comes back with it
    let question: String =
        test.value("select id::text from messages where author = 'person' order by id limit 1").await;
    let response = post(&ann, &format!("/messages/{question}/edits"), &[("content", "otherwise")], false).await;
    assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(number(&response, "x-ratelimit-limit"), 2);
    let html = response.text().await.unwrap();
    assert!(html.contains(sentence) && html.contains("otherwise</textarea>"), "{html}");
    // a button under a message has no form: a page, or a sentence for htmx
    let again = format!("/messages/{answer}/regenerations");
    for fragment in [true, false] {
        let response = post(&ann, &again, &[], fragment).await;
        assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
        assert!(number(&response, "retry-after") >= 1 && number(&response, "x-ratelimit-remaining") == 0);
        let html = response.text().await.unwrap();
        assert!(html.contains(sentence), "{html}");
        assert_eq!(html.contains("A little slower"), !fragment);
    }
    test.check_tree().await;
}

/// The meter is silent until four fifths are used.
#[tokio::test]
async fn the_meter_by_the_composer() {
    let test = TestApp::with(&[(MINUTE, "10"), (DAY, "1000")]).await;
    let ann = test.person("ann").await;
    for _ in 0..7 {
        assert_eq!(begins(&ann, "hi").await.status(), StatusCode::SEE_OTHER);
    }
    let chat = begins(&ann, "hi").await.headers()["location"].to_str().unwrap().to_owned();
    let html = ann.opens(&chat).await.html;
    assert!(html.contains(">2 of 10 left this minute<"));
    assert!(html.contains("<optgroup label=\"Messages: 2 of 10 left this minute\">"), "the picker says it too");
    assert!(ann.opens("/").await.html.contains("class=\"meter meter--minute\""));
    test.execute("update taken_messages set at = at - interval '60 s' where message_id = (select min(message_id::text)::uuid from taken_messages)").await;
    assert!(!ann.opens(&chat).await.html.contains("class=\"meter"), "seven of ten");
    ann.sees(&chat, "unscripted").await;
    let parent = ann.last_answer(&chat).await;
    let fields = [("content", "more"), ("model", "openai/fake-1"), ("parent", parent.as_str())];
    let html = post(&ann, &format!("{chat}/messages"), &fields, true).await.text().await.unwrap();
    assert!(html.contains(">2 of 10 left this minute<"), "it comes with the answer: {html}");
    let bob = test.person("bob").await;
    assert!(!bob.opens("/").await.html.contains("class=\"meter"));
}

fn given(minute: Option<i32>, day: Option<i32>) -> Given {
    Given { messages_per_minute: minute, messages_per_day: day, ..Given::default() }
}

/// How many of these a person may begin before it is too many; 9 if nothing limits them.
async fn room(person: &Person) -> usize {
    let mut taken = 0;
    while taken < 9 && begins(person, "hi").await.status() == StatusCode::SEE_OTHER {
        taken += 1;
    }
    taken
}

#[tokio::test]
async fn a_person_comes_before_the_role_and_the_role_before_the_settings() {
    let test = TestApp::with(&[(MINUTE, "2"), (DAY, "0")]).await;
    let (ann, bob, root) = (test.person("ann").await, test.person("bob").await, test.person("root").await);
    test.execute("update users set role = 'administrator' where name = 'root'").await;
    let (admin, bobs) = (test.viewer("root").await, test.viewer("bob").await.id);
    assert_eq!((room(&ann).await, room(&bob).await, room(&root).await), (2, 2, 9), "administrators have none");
    let form = |minute| {
        [("member_minute", minute), ("member_day", ""), ("administrator_minute", "3"), ("administrator_day", "")]
    };
    let page = root.posts("/admin/limits", &form("4")).await;
    assert_eq!(page.location.as_deref(), Some("/admin/limits?saved"), "{}", page.html);
    limits::set_of_user(&test.app, &admin, bobs, given(Some(1), None)).await.unwrap();
    assert_eq!(limits::of_user(&test.app, &admin, bobs).await.unwrap(), given(Some(1), None));
    test.execute("delete from taken_messages").await;
    assert_eq!((room(&ann).await, room(&bob).await, room(&root).await), (4, 1, 3));
    limits::set_of_user(&test.app, &admin, bobs, given(Some(0), None)).await.unwrap();
    assert_eq!(room(&bob).await, 9, "0 is no limit");
    limits::set_of_user(&test.app, &admin, bobs, given(None, Some(12))).await.unwrap();
    test.execute("delete from taken_messages").await;
    assert_eq!(room(&bob).await, 4, "as the role has it");
    // nobody else may see or change them, in whatever way
    for result in [
        limits::of_user(&test.app, &test.viewer("ann").await, bobs).await.map(drop),
        limits::set_of_user(&test.app, &test.viewer("ann").await, bobs, given(Some(9), None)).await,
        limits::of_roles(&test.app, &test.viewer("ann").await).await.map(drop),
        limits::set_of_user(&test.app, &admin, UserId(uuid::Uuid::nil()), given(Some(9), None)).await,
    ] {
        assert!(matches!(result, Err(Error::NotFound)), "{result:?}");
    }
    let wrong = limits::set_of_user(&test.app, &admin, bobs, given(Some(-1), None)).await;
    assert!(matches!(wrong, Err(Error::Invalid(_))), "{wrong:?}");
    // and it is written down who did it
    let log = "select string_agg(actor || ' ' || action || ' ' || subject || ' ' || details, '; ' order by id) from audit where action like '%limits%'";
    let log: String = test.value(log).await;
    assert!(log.contains("root@example.org limits.changed  member: messages a minute: 4, a day: as before"), "{log}");
    assert!(
        log.contains("root@example.org user.limits bob@example.org messages a minute: 1, a day: as before"),
        "{log}"
    );
}

#[tokio::test]
async fn the_page_of_limits() {
    let test = TestApp::with(&[(MINUTE, "20"), (DAY, "0")]).await;
    let root = test.person("root").await;
    test.execute("update users set role = 'administrator'").await;
    let page = root.opens("/admin/limits").await;
    assert_eq!(page.field("member_minute").as_deref(), Some(""));
    assert!(page.html.contains("Empty: 20, as the settings have it. 0: no limit."), "{}", page.html);
    let fields =
        [("member_minute", " 7 "), ("member_day", "0"), ("administrator_minute", ""), ("administrator_day", "1000000")];
    assert_eq!(root.posts("/admin/limits", &fields).await.status, StatusCode::SEE_OTHER);
    let page = root.opens("/admin/limits?saved").await;
    let values = fields.map(|(name, _)| page.field(name).unwrap());
    assert_eq!(values, ["7", "0", "", "1000000"]);
    assert!(page.html.contains("Saved."));
    for wrong in ["-1", "1000001", "many", "1.5", "99999999999999999999"] {
        let fields =
            [("member_minute", wrong), ("member_day", "5"), ("administrator_minute", ""), ("administrator_day", "")];
        let page = root.posts("/admin/limits", &fields).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong}");
        assert_eq!(page.field("member_minute").as_deref(), Some(wrong));
        assert_eq!(page.html.matches("A whole number, at most").count(), 1);
    }
    assert_eq!(root.opens("/admin/limits").await.field("member_day").as_deref(), Some("0"), "all of it or nothing");
}

async fn visits(person: &Person, path: &str, from: &str) -> Response {
    person.request(Method::GET, path).header("x-forwarded-for", from).send().await.unwrap()
}

/// Behind a proxy that says for whom it asks.
async fn behind_a_proxy(settings: &[(&str, &str)]) -> TestApp {
    let mut all = vec![("TRUSTED_PROXIES", "127.0.0.1"), (VISITS, "5")];
    all.extend(settings);
    TestApp::with(&all).await
}

#[tokio::test]
async fn an_address_may_ask_so_often_without_anybody_signed_in() {
    let test = behind_a_proxy(&[]).await;
    let ann = test.person("ann").await;
    let someone = test.stranger();
    for path in ["/login", "/register", "/", "/chats/x", "/chats/x/feed"] {
        assert_ne!(visits(&someone, path, "203.0.113.1").await.status(), StatusCode::TOO_MANY_REQUESTS, "{path}");
    }
    let refused = visits(&someone, "/login", "203.0.113.1").await;
    assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
    assert!((1..=7200).contains(&number(&refused, "retry-after")));
    let html = refused.text().await.unwrap();
    assert!(html.contains("Too many requests came from this address") && html.contains("A little slower"), "{html}");
    let feed = visits(&someone, "/chats/x/feed", "203.0.113.1").await;
    assert_eq!(
        (feed.status(), header(&feed, "content-type").as_str()),
        (StatusCode::TOO_MANY_REQUESTS, "text/event-stream")
    );
    // neither files nor health, nor whoever is signed in
    let asset = between(&ann.opens("/").await.html, "stylesheet\" href=\"", "\"").unwrap();
    for path in ["/up", "/ready", asset.as_str()] {
        for _ in 0..7 {
            assert_eq!(visits(&someone, path, "203.0.113.1").await.status(), StatusCode::OK, "{path}");
        }
    }
    for _ in 0..7 {
        assert_eq!(visits(&ann, "/", "203.0.113.1").await.status(), StatusCode::OK);
    }
    // programs without a good token are nobody too
    let program = async |path: &str, from: &str| {
        let request = someone.request(Method::POST, path).header("x-forwarded-for", from);
        request.header("content-type", "application/json").body("{}").send().await.unwrap()
    };
    for path in ["/api/auth/login", "/api/auth/register", "/api/auth/refresh"] {
        assert_eq!(program(path, "203.0.113.9").await.status(), StatusCode::UNPROCESSABLE_ENTITY, "{path}");
    }
    for status in [StatusCode::UNAUTHORIZED, StatusCode::UNAUTHORIZED, StatusCode::TOO_MANY_REQUESTS] {
        let request = someone.request(Method::GET, "/api/auth/me").header("x-forwarded-for", "203.0.113.9");
        assert_eq!(request.bearer_auth("nobody's").send().await.unwrap().status(), status);
    }
    let refused = program("/api/auth/login", "203.0.113.9").await;
    assert_eq!(header(&refused, "content-type"), "application/problem+json");
    assert!(number(&refused, "retry-after") >= 1);
    // another address; of IPv6, a household is one
    assert_eq!(visits(&someone, "/login", "203.0.113.2").await.status(), StatusCode::OK);
    for n in 1..=5 {
        assert_eq!(visits(&someone, "/login", &format!("2001:db8:0:1::{n}")).await.status(), StatusCode::OK);
    }
    assert_eq!(visits(&someone, "/login", "2001:db8:0:1::99").await.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(visits(&someone, "/login", "2001:db8:0:2::1").await.status(), StatusCode::OK);
}

/// What programs get is a problem (RFC 9457).
#[tokio::test]
async fn programs_are_told_in_their_own_way() {
    let test = TestApp::start().await;
    let response = test.stranger().request(Method::GET, "/api/nothing").send().await.unwrap();
    assert_eq!(
        (response.status(), header(&response, "content-type").as_str()),
        (StatusCode::NOT_FOUND, "application/problem+json")
    );
    let id = header(&response, "x-request-id");
    let body: serde_json::Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
    assert_eq!((body["type"].as_str(), body["title"].as_str()), (Some("about:blank"), Some("Not Found")));
    assert_eq!((body["status"].as_u64(), body["request_id"].as_str()), (Some(404), Some(id.as_str())));
    assert!(!body["detail"].as_str().unwrap().is_empty());
}

/// How often the sign-in page of a process is shown, at most so often.
async fn shown(web: &Person, most: usize) -> usize {
    let mut count = 0;
    while count < most && web.opens("/login").await.status == StatusCode::OK {
        count += 1;
    }
    count
}

#[tokio::test]
async fn processes_share_what_an_address_has_asked() {
    let house = House::make().await.with(VISITS, "10");
    let (one, other) = (house.web(), house.web());
    let one = Person::new(&one.address().await);
    let other = Person::new(&other.address().await);
    assert_eq!(shown(&one, 20).await, 10);
    let written = "select coalesce(sum(requests), 0) from address_requests";
    eventually("they are written", || async { house.value::<i64>(written).await == 10 }).await;
    assert_eq!(other.opens("/login").await.status, StatusCode::OK, "not yet heard of");
    eventually("the other process has written its own", || async { house.value::<i64>(written).await == 11 }).await;
    let more = std::sync::atomic::AtomicUsize::new(0);
    eventually("the other process has heard of it", || async {
        more.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        other.opens("/login").await.status == StatusCode::TOO_MANY_REQUESTS
    })
    .await;
    assert!(more.into_inner() < 7, "by itself it would have shown nine more");
}

/// A process that cannot reach the database goes on counting.
#[tokio::test]
async fn addresses_are_counted_without_a_database_too() {
    let (house, proxy): (House, Proxy) = House::make().await.with(VISITS, "10").wired().await;
    let web = house.web();
    let someone = Person::new(&web.address().await);
    assert_eq!(shown(&someone, 3).await, 3);
    proxy.refuse();
    proxy.cut();
    tokio::time::timeout(Duration::from_secs(20), async {
        assert_eq!(shown(&someone, 20).await, 7);
    })
    .await
    .expect("nobody waits for the database");
}

#[tokio::test]
async fn so_many_calls_in_an_hour() {
    let test = TestApp::with(&[("PARLOR__LIMITS__CALLS_PER_HOUR", "20")]).await;
    let (ann, bob) = (caller_of_new(&test, "ann").await, caller_of_new(&test, "bob").await);
    let first = ann.posts("/v1/embeddings", &json!({ "model": "text-embedding-fake", "input": "x" })).await;
    let limits =
        |answer: &Answer| ["limit", "remaining"].map(|name| answer.header(&format!("x-ratelimit-{name}")).to_owned());
    assert_eq!(limits(&first), ["20", "19"]);
    assert!((3590..=3601).contains(&first.header("x-ratelimit-reset").parse::<u32>().unwrap()), "{first:?}");
    let all = join_all((0..60).map(|_| {
        let ann = ann.clone();
        async move { ann.posts("/v1/embeddings", &json!({ "model": "text-embedding-fake", "input": "x" })).await }
    }))
    .await;
    assert_eq!(all.iter().filter(|answer| answer.status == StatusCode::OK).count(), 19);
    let refused = all.iter().find(|answer| answer.status == StatusCode::TOO_MANY_REQUESTS).unwrap();
    assert_eq!(limits(refused), ["20", "0"]);
    assert!(
        refused.json["error"]["message"].as_str().unwrap().starts_with("20 calls were made within an hour"),
        "{}",
        refused.text
    );
    assert!((3590..=3601).contains(&refused.header("retry-after").parse::<u32>().unwrap()), "{refused:?}");
    assert_eq!(bob.gets("/v1/models").await.status, StatusCode::OK);
    let other = bob.posts("/v1/embeddings", &json!({ "model": "text-embedding-fake", "input": "x" })).await;
    assert_eq!(limits(&other), ["20", "19"], "each has their own");
    // the window slides: half of them were an hour ago
    test.execute("update call_seconds set second = second - 3601, calls = 10").await;
    let again = ann.posts("/v1/embeddings", &json!({ "model": "text-embedding-fake", "input": "x" })).await;
    assert_eq!(again.status, StatusCode::OK, "{}", again.text);
    // and administrators change it for a person
    test.execute("insert into user_limits (user_id, calls_per_hour) select id, 1 from users where name = 'ann'").await;
    let refused = ann.posts("/v1/embeddings", &json!({ "model": "text-embedding-fake", "input": "x" })).await;
    assert_eq!(limits(&refused), ["1", "0"]);
}

/// For somebody who makes many at once some are taken ahead; those that are not made do not count for long.
#[tokio::test]
async fn calls_that_are_taken_ahead_and_not_made_are_given_back() {
    let test = TestApp::with(&[("PARLOR__LIMITS__CALLS_PER_HOUR", "5000")]).await;
    let ann = caller_of_new(&test, "ann").await;
    let counted = || test.value::<i64>("select coalesce(sum(calls), 0)::bigint from call_seconds");
    let (mut made, mut most) = (0, 0);
    while most <= made {
        assert!(made < 1000, "nothing is taken ahead");
        let all =
            join_all(
                (0..20).map(|_| {
                    let ann = ann.clone();
                    async move {
                        ann.posts("/v1/embeddings", &json!({ "model": "text-embedding-fake", "input": "x" })).await
                    }
                }),
            )
            .await;
        assert!(all.iter().all(|answer| answer.status == StatusCode::OK), "{all:?}");
        made += 20;
        most = counted().await;
    }
    eventually("they are given back", || async { counted().await == made }).await;
    let next = ann.posts("/v1/embeddings", &json!({ "model": "text-embedding-fake", "input": "x" })).await;
    assert_eq!(next.header("x-ratelimit-remaining").parse::<i64>().unwrap(), 5000 - made - 1);
}
