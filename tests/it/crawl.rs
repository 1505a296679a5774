//! Every route of the router as four people: nobody, whoever owns what is named, another member, an administrator. The list is
//! the router's own; a route with an id of a new kind fails until this knows one.

use crate::support::{
    TestApp,
    people::{PASSWORD, Person},
};
use parlor::http::{
    route_list,
    routes::{Access, Route},
};
use reqwest::{Method, StatusCode};
use std::collections::BTreeMap;

/// An id that nothing has.
const NOTHING: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

/// What ann owns, by the first parts of the routes that name it.
type Owned = BTreeMap<&'static str, String>;

async fn owned(test: &TestApp, ann: &Person) -> Owned {
    test.provider.streams(["Hello"]);
    let chat = ann.asks("hi").await;
    ann.sees(&chat, "Hello").await;
    let message = ann.last_answer(&chat).await;
    let folder = ann.posts("/folders", &[("name", "Mine")]).await.location.unwrap().replace("/folders/", "");
    ann.posts(&format!("/messages/{message}/rating"), &[("rating", "like")]).await;
    ann.posts("/settings/prompts", &[("name", "Mine"), ("text", "words")]).await;
    ann.posts("/settings/keys", &[("name", "mine"), ("scope", "models"), ("expires_in_days", "")]).await;
    let elsewhere = test.stranger();
    elsewhere.signs_in("ann", PASSWORD).await;
    let file = ann.adds("mine.png", &crate::support::images::png(2, 2)).await;
    ann.posts("/settings/data", &[]).await;
    ann.sees("/settings/data", "The file is ready").await;
    Owned::from([
        ("/settings/sessions/", test.value("select id::text from sessions order by id desc limit 1").await),
        ("/settings/data/", test.value("select id::text from takeouts").await),
        ("/chats/", chat.replace("/chats/", "")),
        ("/messages/", message),
        ("/folders/", folder),
        ("/files/", file),
        ("/prompts/", test.value("select id::text from prompts").await),
        ("/settings/prompts/", test.value("select id::text from prompts").await),
        ("/settings/keys/", test.value("select id::text from api_keys").await),
        ("/api/conversations/", chat.replace("/chats/", "")),
        ("/api/messages/", test.value("select id::text from messages where author = 'model' limit 1").await),
        ("/api/files/", test.value("select id::text from files limit 1").await),
        ("/api/prompts/", test.value("select id::text from prompts limit 1").await),
        ("/v1/models/", "openai/fake-1".to_owned()),
        ("/api/keys/", test.value("select id::text from api_keys").await),
        ("/admin/jobs/", test.value("select id::text from generations").await),
        ("/admin/users/", test.value("select id::text from users where name = 'ann'").await),
        ("/admin/invitations/", test.value("select id::text from invitations").await),
        ("/admin/groups/", test.value("select id::text from groups").await),
        ("/admin/outbox/", test.value("select id::text from mail order by id desc limit 1").await),
        ("/admin/providers/keys/", test.value("select id::text from provider_keys limit 1").await),
        ("/assets/", "nothing.css".to_owned()),
    ])
}

/// The route with what ann owns in it.
fn address(route: &Route, owned: &Owned) -> String {
    // those that name what they are about in their query
    match route.path {
        "/admin/models/edit" => return format!("{}?model=openai%2Ffake-1", route.path),
        "/admin/providers/edit" => return format!("{}?name=lab", route.path),
        _ => {}
    }
    let Some((before, _)) = route.path.split_once('{') else { return route.path.to_owned() };
    let id = owned.get(before).unwrap_or_else(|| panic!("{}: ann owns nothing of this kind yet", route.path));
    let (_, after) = route.path.split_once('}').expect("a name ends");
    format!("{before}{id}{after}")
}

/// Asks without a word in the form: what is missing comes after who is asking. `?live` and feeds are left after their head.
async fn status(person: &Person, route: &Route, path: &str) -> (StatusCode, String) {
    let request = person.request(route.method.clone(), path).header("sec-fetch-site", "same-origin");
    let request = if route.method == Method::GET { request } else { request.form::<[(&str, &str)]>(&[]) };
    let response = request.send().await.unwrap();
    let location = response.headers().get("location").map_or("", |l| l.to_str().unwrap()).to_owned();
    (response.status(), location)
}

fn is_for_members(route: &Route) -> bool {
    matches!(route.access, Access::Member | Access::Administrator)
}

#[tokio::test]
async fn s1_every_route_as_four_people() {
    let test = TestApp::start().await;
    let (ann, bob, root) = (test.person("ann").await, test.person("bob").await, test.person("root").await);
    let sql = "update users set role = 'administrator' where name = 'root'";
    sqlx::query(sql).execute(&test.app.pools.http).await.unwrap();
    root.posts("/admin/invitations", &[("email", "someone@example.org")]).await;
    root.posts("/admin/groups", &[("name", "Staff"), ("budget", "")]).await;
    let lab =
        [("name", "lab"), ("base_url", &test.provider.url()), ("requests_per_minute", "0"), ("tokens_per_minute", "0")];
    root.posts("/admin/providers/new", &lab).await;
    let owned = owned(&test, &ann).await;
    let routes = route_list();
    for route in &routes {
        let path = address(route, &owned);
        let (nobody, location) = status(&test.stranger(), route, &path).await;
        let what = format!("{} {path}", route.method);
        assert!(!nobody.is_server_error(), "nobody, {what}: {nobody}");
        if is_for_members(route) {
            let led = nobody == StatusCode::SEE_OTHER && location.starts_with("/login");
            assert!(led || nobody == StatusCode::UNAUTHORIZED, "nobody, {what}: {nobody}");
        }
        if matches!(route.access, Access::Bearer(_)) {
            for person in [&ann, &bob, &root] {
                let (own, _) = status(person, route, &path).await;
                assert_eq!((nobody, own), (StatusCode::UNAUTHORIZED, nobody), "{what}: a session is no token");
            }
        }
        if matches!(route.path, "/logout") {
            continue;
        }
        let (other, _) = status(&bob, route, &path).await;
        assert!(!other.is_server_error(), "another member, {what}: {other}");
        let names_anns = route.access == Access::Member && route.path.contains('{');
        if names_anns || route.access == Access::Administrator {
            // a form that lacks everything may be refused before anything is looked up, the same for what is not there
            let nowhere: Owned = owned.keys().map(|key| (*key, NOTHING.to_owned())).collect();
            let (unknown, _) = status(&bob, route, &address(route, &nowhere)).await;
            assert_eq!(other, unknown, "another member, {what}: it can be told that it exists");
            let unread = route.method == Method::POST && other == StatusCode::UNPROCESSABLE_ENTITY;
            assert!(other == StatusCode::NOT_FOUND || names_anns && unread, "another member, {what}: {other}");
        }
        // an administrator sees what is the administrators', and nothing of ann's chats
        if route.method == Method::GET || names_anns {
            let (chief, _) = status(&root, route, &path).await;
            if names_anns {
                assert!(!chief.is_success() && !chief.is_redirection(), "an administrator, {what}: {chief}");
            } else if is_for_members(route) {
                assert_eq!(chief, StatusCode::OK, "an administrator, {what}");
            }
        }
    }
    // what ann does herself may change things, so she comes last, and reads before she writes
    for method in [Method::GET, Method::POST, Method::DELETE] {
        for route in routes.iter().filter(|route| route.method == method && route.path != "/logout") {
            let path = address(route, &owned);
            let (own, _) = status(&ann, route, &path).await;
            assert!(!own.is_server_error(), "ann, {method} {path}: {own}");
            if method == Method::GET && route.access == Access::Member {
                assert!(own == StatusCode::OK || own == StatusCode::SEE_OTHER, "ann, {path}: {own}");
            }
        }
    }
    // and what an administrator does to her, with a form that lacks everything
    for route in routes.iter().filter(|r| r.access == Access::Administrator && r.method != Method::GET) {
        let path = address(route, &owned);
        let (chief, _) = status(&root, route, &path).await;
        assert!(!chief.is_server_error(), "an administrator, {} {path}: {chief}", route.method);
    }
}
