//! The doors for programs: who may use them, and what is said to whoever may not, or sends what cannot be taken.

use crate::{
    api, gateway,
    support::{
        TestApp,
        people::PASSWORD,
        program::{Answer, Program},
    },
    walls,
};
use parlor::{domain::programs::Scope, http::routes::Access};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

/// A body that would do, so that only who asks can be what is wrong.
fn body(path: &str) -> Value {
    match path {
        "/api/keys" => json!({ "name": "x", "scopes": ["models"] }),
        "/api/conversations/{id}/messages" => json!({ "content": "hi", "model": "openai/fake-1" }),
        "/api/import" => {
            let said = json!({ "id": "a", "parent": null, "order": 0, "author": "person", "at": "2026-01-01T00:00:00Z", "text": "x" });
            json!({ "format": "parlor.chat", "version": 1, "title": "t", "created_at": "2026-01-01T00:00:00Z", "messages": [said] })
        }
        "/api/messages/{id}" => json!({ "content": "otherwise" }),
        "/api/prompts" => json!({ "name": uuid::Uuid::now_v7(), "text": "y" }),
        "/v1/embeddings" => json!({ "model": "text-embedding-fake", "input": "x" }),
        path if path.starts_with("/v1/") => json!({ "model": "fake-1", "messages": [], "max_tokens": 9 }),
        _ => json!({}),
    }
}

/// S1: whoever shows nothing, or nothing good, gets 401 before any look-up, alike for ids that exist and that do not; with
/// a key for everything else 403; and nothing is there under another's ids.
#[tokio::test]
async fn s1_the_sweep_of_the_doors() {
    let test = TestApp::start().await;
    for name in ["ann", "bob"] {
        test.person(name).await;
    }
    let program = test.program();
    let ann = program.with(&program.signs_in("ann").await.word("access_token"));
    let bob = program.with(&program.signs_in("bob").await.word("access_token"));
    let key = ann.makes_key("mine", &["models"]).await;
    let chat = ann.posts("/api/conversations", &json!({ "model": "openai/fake-1" })).await;
    let said = format!("/api/conversations/{}/messages", chat.word("id"));
    let said = ann.posts(&said, &json!({ "content": "hi" })).await.json["answer"]["id"].as_str().unwrap().to_owned();
    let prompt = ann.posts("/api/prompts", &json!({ "name": "mine", "text": "y" })).await;
    let image = test.person("cat").await.adds("a.png", &crate::support::images::png(3, 2)).await;
    let gone = ann.makes_key("gone", &["models", "keys", "chats:read", "chats:write"]).await;
    ann.deletes(&format!("/api/keys/{}", gone.word("id"))).await;
    let nothing = "01890a5d-ac96-774b-bcce-b302099a8057";
    let all = ["chats:read", "chats:write", "models", "keys"];
    let mut swept = 0;
    for route in walls::expected() {
        let Access::Bearer(scope) = route.access else { continue };
        let others: Vec<&str> =
            all.into_iter().filter(|name| scope.is_none_or(|scope| scope.name() != *name)).collect();
        let other = program.with(&ann.makes_key("other", &others).await.word("key"));
        let real = match route.path.split('/').nth(2) {
            Some("conversations") => chat.word("id"),
            Some("messages") => said.clone(),
            Some("prompts") => prompt.word("id"),
            Some("files") => image.clone(),
            _ => key.word("id"),
        };
        for id in [real.as_str(), nothing] {
            let path = route.path.replace("{id}", id).replace("{*model}", "openai/fake-1");
            let asks = async |who: &Program| {
                let request = who.request(route.method.clone(), &path);
                if path.ends_with("transcriptions") {
                    return Program::sends(gateway::spoken_form(request)).await;
                }
                if path.ends_with("upload") {
                    return Program::sends(api::picture_form(request)).await;
                }
                let request = if path.ends_with("search") { request.query(&[("q", "hi")]) } else { request };
                Program::sends(request.json(&body(route.path))).await
            };
            for nobody in [program.clone(), program.with("nonsense"), program.with(&gone.word("key"))] {
                assert_eq!(asks(&nobody).await.status, StatusCode::UNAUTHORIZED, "{} {path}", route.method);
            }
            if scope.is_some() {
                assert_eq!(asks(&other).await.status, StatusCode::FORBIDDEN, "{} {path}", route.method);
            }
            if route.path.contains("{id}") {
                assert_eq!(asks(&bob).await.status, StatusCode::NOT_FOUND, "{} {path}", route.method);
            } else {
                assert!(asks(&bob).await.status.is_success(), "else this shows nothing: {} {path}", route.method);
            }
        }
        swept += 1;
    }
    assert!(swept > 4);
    assert_eq!(program.is(&key.word("key")).await, StatusCode::OK, "somebody revoked ann's key");
    // what is not there is not there for anybody, and says so as JSON; an id that is none is nothing
    for path in ["/api", "/api/", "/api/nowhere", "/api/auth", "/api/auth/login/x"] {
        assert_eq!(program.gets(path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    assert_eq!(bob.deletes("/api/keys/x").await.status, StatusCode::NOT_FOUND);
    for (method, path, allowed) in [
        (Method::GET, "/api/auth/login", "POST"),
        (Method::DELETE, "/api/auth/me", "GET,HEAD"),
        (Method::PUT, "/api/keys", "GET,HEAD,POST"),
        (Method::GET, "/api/keys/x", "DELETE"),
    ] {
        let answer = Program::sends(program.request(method, path)).await;
        assert_eq!((answer.status, answer.header("allow")), (StatusCode::METHOD_NOT_ALLOWED, allowed), "{path}");
    }
    let health = program.gets("/api/health").await;
    assert_eq!((health.status, health.json), (StatusCode::OK, json!({ "status": "ok" })));
}

/// A scope that nobody asks for yet may be given to keys already; but none may be asked for that keys cannot have.
#[test]
fn s5_every_scope_that_is_asked_for_can_be_given() {
    let asked = walls::expected().into_iter().filter_map(|route| match route.access {
        Access::Bearer(scope) => scope,
        _ => None,
    });
    assert!(asked.into_iter().all(|scope| Scope::ALL.contains(&scope)));
}

/// S4: what is unknown or would give rights is refused, by name, and nothing is done.
#[tokio::test]
async fn s4_fields_that_nobody_may_send() {
    let test = TestApp::start().await;
    test.person("ann").await;
    let program = test.program();
    let tokens = program.signs_in("ann").await;
    let ann = program.with(&tokens.word("access_token"));
    let newcomer = json!({ "email": "eve@example.org", "name": "Eve", "password": PASSWORD });
    let login = json!({ "email": "ann@example.org", "password": PASSWORD });
    let refresh = json!({ "refresh_token": tokens.word("refresh_token") });
    let key = json!({ "name": "x", "scopes": ["models"] });
    for (path, body) in [
        ("/api/auth/register", &newcomer),
        ("/api/auth/login", &login),
        ("/api/auth/refresh", &refresh),
        ("/api/auth/logout", &refresh),
        ("/api/keys", &key),
    ] {
        for field in ["role", "administrator", "owner", "user_id", "id", "disabled_at"] {
            let mut body = body.clone();
            body[field] = "administrator".into();
            let answer = ann.posts(path, &body).await;
            assert_eq!((answer.status, answer.field()), (StatusCode::UNPROCESSABLE_ENTITY, field), "{path}");
        }
    }
    let mut body = newcomer;
    body["scopes"] = json!(["admin"]);
    assert_eq!(ann.posts("/api/auth/register", &body).await.field(), "scopes");
    let done: (i64, i64, i64) = (
        test.value("select count(*) from users").await,
        test.value("select count(*) from api_keys").await,
        test.value("select count(*) from token_families where ended_at is null").await,
    );
    assert_eq!(done, (1, 0, 1));
    assert_eq!(ann.refreshes(&tokens.word("refresh_token")).await.status, StatusCode::OK, "it was not used up");
}

/// S16: nothing under `/api` reads a cookie, and the wall against other origins stands here too.
#[tokio::test]
async fn s16_cookies_open_nothing_for_programs() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    for (method, path) in [(Method::GET, "/api/auth/me"), (Method::GET, "/api/keys"), (Method::POST, "/api/keys")] {
        let request = ann.request(method, path).header("sec-fetch-site", "same-origin");
        let response = request.json(&body(path)).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED, "{path}: a session is no token");
        assert!(!response.headers().contains_key("set-cookie"), "{path}");
    }
    let program = test.program();
    let token = program.signs_in("ann").await.word("access_token");
    let posts = |headers: &[(&'static str, &'static str)]| {
        let mut request = program.with(&token).request(Method::POST, "/api/keys").json(&body("/api/keys"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Program::sends(request)
    };
    for (headers, status) in [
        (&[][..], StatusCode::CREATED),
        (&[("sec-fetch-site", "cross-site")], StatusCode::FORBIDDEN),
        (&[("origin", "https://evil.example")], StatusCode::FORBIDDEN),
        (&[("origin", "https://evil.example"), ("cookie", "parlor=x")], StatusCode::FORBIDDEN),
        (&[("cookie", "parlor=x")], StatusCode::FORBIDDEN),
    ] {
        assert_eq!(posts(headers).await.status, status, "{headers:?}");
    }
    let preflight = program.request(Method::OPTIONS, "/api/keys").header("origin", "https://evil.example");
    let answer = Program::sends(preflight.header("access-control-request-method", "POST")).await;
    assert!(answer.status.is_client_error() && answer.header("access-control-allow-origin").is_empty(), "{answer:?}");
    // signing in as a program makes no session
    let sessions: i64 = test.value("select count(*) from tower_sessions.session").await;
    assert_eq!(sessions, 1);
}

/// S20: whatever is sent, the answer is a problem that says what is wrong, and the next one is served.
#[tokio::test]
async fn s20_bodies_of_programs_that_cannot_be_taken() {
    let test = TestApp::start().await;
    test.person("ann").await;
    let program = test.program();
    let json = "application/json";
    let login = async |kind: Option<&str>, body: Vec<u8>| -> Answer {
        let request = program.request(Method::POST, "/api/auth/login").body(body);
        Program::sends(match kind {
            Some(kind) => request.header("content-type", kind),
            None => request,
        })
        .await
    };
    let good = json!({ "email": "ann@example.org", "password": PASSWORD }).to_string();
    assert_eq!(login(Some("application/json; charset=utf-8"), good.clone().into()).await.status, StatusCode::OK);
    let deep = format!("{{\"email\":{}{}}}", "[".repeat(200_000), "]".repeat(200_000));
    for (kind, body, status, field) in [
        (None, good.as_bytes(), 415, ""),
        (Some("application/x-www-form-urlencoded"), b"email=a&password=b", 415, ""),
        (Some("text/plain"), good.as_bytes(), 415, ""),
        (Some(json), b"", 400, ""),
        (Some(json), b"{", 400, ""),
        (Some(json), b"\xff\xfe", 400, ""),
        (Some(json), b"{\"email\":\"\\ud800\",\"password\":\"x\"}", 400, ""),
        (Some(json), b"null", 422, "body"),
        (Some(json), b"[\"ann@example.org\",\"x\"]", 422, "body"),
        (Some(json), b"{}", 422, "email"),
        (Some(json), b"{\"email\":\"a\"}", 422, "password"),
        (Some(json), b"{\"email\":\"a\",\"password\":{}}", 422, "password"),
        (Some(json), b"{\"email\":\"a\",\"email\":\"b\",\"password\":\"x\"}", 422, "email"),
        (Some(json), b"{\"email\":\"a\\u0000\",\"password\":\"x\"}", 422, "email"),
        (Some(json), b"{\"email\":\"a\",\"password\":\"\\u0000\"}", 422, "password"),
        (Some(json), deep.as_bytes(), 422, ""),
    ] {
        let answer = login(kind, body.to_vec()).await;
        let short = String::from_utf8_lossy(&body[..body.len().min(40)]).into_owned();
        assert_eq!((answer.status.as_u16(), answer.field()), (status, field), "{short}");
        assert!(!answer.text.contains(PASSWORD) && !answer.text.contains("serde"), "{}", answer.text);
    }
    let answer = login(Some(json), vec![b' '; 3 << 20]).await;
    assert_eq!((answer.status, answer.field()), (StatusCode::PAYLOAD_TOO_LARGE, "body"));
    let wrong = json!({ "email": "no address", "name": " ", "password": "short" });
    let answer = program.posts("/api/auth/register", &wrong).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    let fields: Vec<_> = answer.json["errors"].as_array().unwrap().iter().map(|error| &error["field"]).collect();
    assert_eq!(fields, ["email", "name", "password"]);
    assert_eq!(login(Some(json), good.into()).await.status, StatusCode::OK, "it lives");
}

/// Off unless the settings name an origin; then for that one, for programs' addresses, and never with a cookie.
#[tokio::test]
async fn s16_pages_of_other_origins() {
    const APP: &str = "https://app.example.org";
    let (closed, open) = (TestApp::start().await, TestApp::with(&[("PARLOR__SERVER__CORS_ORIGINS", APP)]).await);
    for (test, origin, is_let_in) in [(&closed, APP, false), (&open, APP, true), (&open, "https://evil.example", false)]
    {
        test.person(if origin == APP { "ann" } else { "bob" }).await;
        let program = test.program().signs_in(if origin == APP { "ann" } else { "bob" }).await;
        let program = test.program().with(&program.word("access_token"));
        let allowed = |answer: &reqwest::Response| answer.headers().get("access-control-allow-origin").cloned();
        let asks = program.request(Method::OPTIONS, "/v1/chat/completions").header("origin", origin);
        let asks = asks
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "authorization");
        let asked = asks.send().await.unwrap();
        assert_eq!(allowed(&asked).is_some(), is_let_in, "{origin}");
        assert!(!asked.headers().contains_key("access-control-allow-credentials"));
        let comes = |path: &str| {
            let request =
                program.request(Method::POST, path).header("origin", origin).header("sec-fetch-site", "cross-site");
            request.json(&body(path)).send()
        };
        let answer = comes("/api/keys").await.unwrap();
        assert_eq!((answer.status().is_success(), allowed(&answer).is_some()), (is_let_in, is_let_in), "{origin}");
        let refused =
            program.with("nonsense").request(Method::GET, "/v1/models").header("origin", origin).send().await.unwrap();
        assert_eq!(
            (refused.status(), allowed(&refused).is_some()),
            (StatusCode::UNAUTHORIZED, is_let_in),
            "errors can be read"
        );
        let page = comes("/login").await.unwrap();
        assert_eq!((page.status(), allowed(&page)), (StatusCode::FORBIDDEN, None), "pages are for nobody else");
    }
}
