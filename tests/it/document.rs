//! The OpenAPI document: every route of `/api` is in it, with the methods it has, and it changes only on purpose.

use crate::{support::TestApp, walls};
use parlor::{
    domain::programs::Scope,
    http::{api::openapi, routes::Access},
};
use reqwest::StatusCode;
use serde_json::Value;
use std::{collections::BTreeSet, fs, path::Path};

/// Routes that are not in the document, and why.
const LEFT_OUT: &[(&str, &str)] = &[
    ("/api/openapi.json", "it is the document"),
    ("/api/docs", "it is the document, for people"),
    ("/v1/", "vendors' protocols, which their own references and clients describe"),
    ("/ws", "a WebSocket, of which OpenAPI has no word; the README tells"),
];

#[test]
fn every_route_for_programs_is_in_it() {
    let document: Value = serde_json::from_str(&openapi::json()).unwrap();
    assert_eq!(document["openapi"], "3.1.0");
    let mut described = BTreeSet::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, said) in methods.as_object().unwrap().iter().filter(|(method, _)| *method != "parameters") {
            described.insert((method.to_uppercase(), path.clone()));
            assert!(said["summary"].as_str().is_some_and(|words| !words.is_empty()), "{method} {path} says nothing");
        }
    }
    let mut there = BTreeSet::new();
    for route in walls::expected() {
        let left_out = LEFT_OUT.iter().any(|(prefix, _)| route.path.starts_with(prefix));
        if left_out || !route.path.starts_with("/api") && !matches!(route.access, Access::Bearer(_)) {
            continue; // or a page, for people
        }
        let (method, path) = (route.method.to_string(), route.path.to_owned());
        let security = &document["paths"][&path][method.to_lowercase()]["security"];
        let scope = match route.access {
            Access::Bearer(scope) => Some(scope.map(Scope::name)),
            _ => None,
        };
        let told = security[0]["bearer"].as_array().map(|scopes| scopes.first().map(|scope| scope.as_str().unwrap()));
        assert_eq!(told, scope, "{method} {path}: the document tells of another scope");
        there.insert((method, path));
    }
    assert_eq!(described, there);
}

/// What programs rely on changes only on purpose: `UPDATE=1 cargo nextest run document` writes it anew.
#[test]
fn it_is_as_it_was() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/fixtures/openapi.json");
    let now = openapi::json() + "\n";
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&file, &now).unwrap();
    }
    let then = fs::read_to_string(&file).unwrap_or_default();
    assert!(then == now, "the document has changed: look at it, and run this with UPDATE=1");
}

#[tokio::test]
async fn it_is_there_for_programs_and_people() {
    let test = TestApp::start().await;
    let json = test.program().gets("/api/openapi.json").await;
    assert_eq!((json.status, &json.json["info"]["title"]), (StatusCode::OK, &Value::from("Parlor")));
    let page = test.stranger().opens("/api/docs").await;
    for words in ["/api/conversations/{id}/messages", "chats:write", "Idempotency-Key", "next_cursor"] {
        assert!(page.html.contains(words), "`{words}` is missing");
    }
}
