//! Who may do what, and what every answer carries.

use crate::support::TestApp;
use parlor::{
    domain::programs::Scope,
    http::{
        route_list,
        routes::{Access, Route},
    },
};
use reqwest::{Method, StatusCode};

/// What is expected of each route. A route that is not here fails the sweep, as does an entry without a route.
const ROUTES: &[(&str, &str, Access)] = &[
    ("GET", "/", Access::Member),
    ("GET", "/admin/audit", Access::Administrator),
    ("GET", "/admin/groups", Access::Administrator),
    ("GET", "/admin/groups/{id}", Access::Administrator),
    ("GET", "/admin/invitations", Access::Administrator),
    ("GET", "/admin/jobs", Access::Administrator),
    ("GET", "/admin/models", Access::Administrator),
    ("GET", "/admin/models/edit", Access::Administrator),
    ("GET", "/admin/providers", Access::Administrator),
    ("GET", "/admin/providers/edit", Access::Administrator),
    ("GET", "/admin/providers/new", Access::Administrator),
    ("GET", "/admin/usage", Access::Administrator),
    ("GET", "/admin/usage.csv", Access::Administrator),
    ("GET", "/admin/outbox", Access::Administrator),
    ("GET", "/admin/outbox/{id}", Access::Administrator),
    ("GET", "/admin/outbox/{id}/eml", Access::Administrator),
    ("GET", "/admin/outbox/{id}/html", Access::Administrator),
    ("GET", "/admin/limits", Access::Administrator),
    ("GET", "/admin/system", Access::Administrator),
    ("GET", "/admin/users", Access::Administrator),
    ("GET", "/admin/users/new", Access::Administrator),
    ("GET", "/admin/users/{id}", Access::Administrator),
    ("DELETE", "/api/keys/{id}", Access::Bearer(Some(Scope::Keys))),
    ("GET", "/api/auth/me", Access::Bearer(None)),
    ("GET", "/api/health", Access::Plain),
    ("GET", "/api/keys", Access::Bearer(Some(Scope::Keys))),
    ("GET", "/api/models", Access::Bearer(Some(Scope::Models))),
    ("GET", "/archive", Access::Member),
    ("GET", "/assets/{name}", Access::Plain),
    ("GET", "/chats", Access::Member),
    ("GET", "/chats/{id}", Access::Member),
    ("GET", "/chats/{id}/context", Access::Member),
    ("GET", "/chats/{id}/delete", Access::Member),
    ("GET", "/chats/{id}/export", Access::Member),
    ("GET", "/chats/{id}/feed", Access::Member),
    ("GET", "/chats/{id}/folder", Access::Member),
    ("GET", "/chats/{id}/print", Access::Member),
    ("GET", "/chats/{id}/settings", Access::Member),
    ("GET", "/chats/{id}/title", Access::Member),
    ("GET", "/favicon.ico", Access::Plain),
    ("GET", "/feed", Access::Member),
    ("GET", "/files/new", Access::Member),
    ("GET", "/files/{id}", Access::Member),
    ("GET", "/files/{id}/view", Access::Member),
    ("GET", "/folders", Access::Member),
    ("GET", "/folders/{id}", Access::Member),
    ("GET", "/folders/{id}/delete", Access::Member),
    ("GET", "/login", Access::Anyone),
    ("GET", "/manifest.webmanifest", Access::Plain),
    ("GET", "/messages/{id}", Access::Member),
    ("GET", "/messages/{id}/edits", Access::Member),
    ("GET", "/messages/{id}/rating", Access::Member),
    ("GET", "/metrics", Access::Plain),
    ("GET", "/password/forgot", Access::Anyone),
    ("GET", "/password/reset", Access::Anyone),
    ("GET", "/prompts", Access::Member),
    ("GET", "/prompts/{id}", Access::Member),
    ("GET", "/ready", Access::Plain),
    ("GET", "/register", Access::Anyone),
    ("GET", "/search", Access::Member),
    ("GET", "/settings", Access::Member),
    ("GET", "/settings/email", Access::Member),
    ("GET", "/settings/email/confirm", Access::Anyone),
    ("GET", "/settings/data", Access::Member),
    ("GET", "/settings/data/{id}", Access::Member),
    ("GET", "/settings/delete", Access::Member),
    ("GET", "/settings/import", Access::Member),
    ("GET", "/settings/password", Access::Member),
    ("GET", "/settings/keys", Access::Member),
    ("GET", "/settings/usage", Access::Member),
    ("GET", "/settings/usage.csv", Access::Member),
    ("GET", "/settings/prompts", Access::Member),
    ("GET", "/settings/prompts/{id}", Access::Member),
    ("GET", "/settings/sessions", Access::Member),
    ("GET", "/setup", Access::Anyone),
    ("GET", "/up", Access::Plain),
    ("POST", "/admin/invitations", Access::Administrator),
    ("POST", "/admin/invitations/{id}/revoke", Access::Administrator),
    ("POST", "/admin/jobs/{id}/drop", Access::Administrator),
    ("POST", "/admin/jobs/{id}/requeue", Access::Administrator),
    ("POST", "/admin/outbox/{id}/retry", Access::Administrator),
    ("POST", "/admin/providers/edit", Access::Administrator),
    ("POST", "/admin/providers/keys", Access::Administrator),
    ("POST", "/admin/providers/keys/{id}/remove", Access::Administrator),
    ("POST", "/admin/providers/new", Access::Administrator),
    ("POST", "/admin/providers/remove", Access::Administrator),
    ("POST", "/admin/providers/keys/{id}/use-again", Access::Administrator),
    ("POST", "/admin/groups", Access::Administrator),
    ("POST", "/admin/groups/{id}", Access::Administrator),
    ("POST", "/admin/groups/{id}/add", Access::Administrator),
    ("POST", "/admin/groups/{id}/delete", Access::Administrator),
    ("POST", "/admin/groups/{id}/remove", Access::Administrator),
    ("POST", "/admin/limits", Access::Administrator),
    ("POST", "/admin/models/edit", Access::Administrator),
    ("POST", "/admin/users", Access::Administrator),
    ("POST", "/admin/users/{id}/delete", Access::Administrator),
    ("POST", "/admin/users/{id}/disable", Access::Administrator),
    ("POST", "/admin/users/{id}/enable", Access::Administrator),
    ("POST", "/admin/users/{id}/limits", Access::Administrator),
    ("POST", "/admin/users/{id}/link", Access::Administrator),
    ("POST", "/admin/users/{id}/role", Access::Administrator),
    ("POST", "/api/auth/login", Access::Plain),
    ("POST", "/api/auth/logout", Access::Plain),
    ("POST", "/api/auth/refresh", Access::Plain),
    ("POST", "/api/auth/register", Access::Plain),
    ("POST", "/api/keys", Access::Bearer(Some(Scope::Keys))),
    ("DELETE", "/api/conversations/{id}", Access::Bearer(Some(Scope::ChatsWrite))),
    ("DELETE", "/api/files/{id}", Access::Bearer(Some(Scope::ChatsWrite))),
    ("DELETE", "/api/messages/{id}", Access::Bearer(Some(Scope::ChatsWrite))),
    ("DELETE", "/api/prompts/{id}", Access::Bearer(Some(Scope::ChatsWrite))),
    ("GET", "/api/conversations", Access::Bearer(Some(Scope::ChatsRead))),
    ("GET", "/api/conversations/{id}", Access::Bearer(Some(Scope::ChatsRead))),
    ("GET", "/api/conversations/{id}/messages", Access::Bearer(Some(Scope::ChatsRead))),
    ("GET", "/api/conversations/{id}/export", Access::Bearer(Some(Scope::ChatsRead))),
    ("GET", "/api/docs", Access::Plain),
    ("GET", "/api/import", Access::Bearer(Some(Scope::ChatsRead))),
    ("POST", "/api/import", Access::Bearer(Some(Scope::ChatsWrite))),
    ("GET", "/api/files/{id}", Access::Bearer(Some(Scope::ChatsRead))),
    ("GET", "/api/messages/{id}", Access::Bearer(Some(Scope::ChatsRead))),
    ("GET", "/api/openapi.json", Access::Plain),
    ("GET", "/api/prompts", Access::Bearer(Some(Scope::ChatsRead))),
    ("GET", "/api/prompts/{id}", Access::Bearer(Some(Scope::ChatsRead))),
    ("GET", "/api/search", Access::Bearer(Some(Scope::ChatsRead))),
    ("GET", "/api/usage", Access::Bearer(Some(Scope::Models))),
    ("GET", "/ws", Access::Anyone),
    ("PATCH", "/api/conversations/{id}", Access::Bearer(Some(Scope::ChatsWrite))),
    ("PATCH", "/api/messages/{id}", Access::Bearer(Some(Scope::ChatsWrite))),
    ("PATCH", "/api/prompts/{id}", Access::Bearer(Some(Scope::ChatsWrite))),
    ("POST", "/api/conversations", Access::Bearer(Some(Scope::ChatsWrite))),
    ("POST", "/api/conversations/{id}/messages", Access::Bearer(Some(Scope::ChatsWrite))),
    ("POST", "/api/messages/{id}/regenerate", Access::Bearer(Some(Scope::ChatsWrite))),
    ("POST", "/api/messages/{id}/stop", Access::Bearer(Some(Scope::ChatsWrite))),
    ("POST", "/api/prompts", Access::Bearer(Some(Scope::ChatsWrite))),
    ("POST", "/api/upload", Access::Bearer(Some(Scope::ChatsWrite))),
    ("GET", "/v1/models", Access::Bearer(Some(Scope::Models))),
    ("GET", "/v1/models/{*model}", Access::Bearer(Some(Scope::Models))),
    ("POST", "/v1/audio/speech", Access::Bearer(Some(Scope::Models))),
    ("POST", "/v1/audio/transcriptions", Access::Bearer(Some(Scope::Models))),
    ("POST", "/v1/chat/completions", Access::Bearer(Some(Scope::Models))),
    ("POST", "/v1/completions", Access::Bearer(Some(Scope::Models))),
    ("POST", "/v1/embeddings", Access::Bearer(Some(Scope::Models))),
    ("POST", "/v1/messages", Access::Bearer(Some(Scope::Models))),
    ("POST", "/v1/responses", Access::Bearer(Some(Scope::Models))),
    ("POST", "/chats", Access::Member),
    ("POST", "/chats/{id}/delete", Access::Member),
    ("POST", "/chats/{id}/folder", Access::Member),
    ("POST", "/chats/{id}/messages", Access::Member),
    ("POST", "/chats/{id}/place", Access::Member),
    ("POST", "/chats/{id}/restore", Access::Member),
    ("POST", "/chats/{id}/settings", Access::Member),
    ("POST", "/chats/{id}/title", Access::Member),
    ("POST", "/files", Access::Member),
    ("POST", "/folders", Access::Member),
    ("POST", "/folders/{id}", Access::Member),
    ("POST", "/folders/{id}/delete", Access::Member),
    ("POST", "/folders/{id}/open", Access::Member),
    ("POST", "/login", Access::Anyone),
    ("POST", "/logout", Access::Anyone),
    ("POST", "/messages/{id}/continuations", Access::Member),
    ("POST", "/messages/{id}/delete", Access::Member),
    ("POST", "/messages/{id}/edits", Access::Member),
    ("POST", "/messages/{id}/fork", Access::Member),
    ("POST", "/messages/{id}/rating", Access::Member),
    ("POST", "/messages/{id}/regenerations", Access::Member),
    ("POST", "/messages/{id}/restore", Access::Member),
    ("POST", "/messages/{id}/send", Access::Member),
    ("POST", "/messages/{id}/show", Access::Member),
    ("POST", "/messages/{id}/stop", Access::Member),
    ("POST", "/password/forgot", Access::Anyone),
    ("POST", "/password/reset", Access::Anyone),
    ("POST", "/prompts/{id}", Access::Member),
    ("POST", "/register", Access::Anyone),
    ("POST", "/settings", Access::Member),
    ("POST", "/settings/email", Access::Member),
    ("POST", "/settings/email/confirm", Access::Anyone),
    ("POST", "/settings/data", Access::Member),
    ("POST", "/settings/delete", Access::Member),
    ("POST", "/settings/delete/undo", Access::Member),
    ("POST", "/settings/import", Access::Member),
    ("POST", "/settings/password", Access::Member),
    ("POST", "/settings/keys", Access::Member),
    ("POST", "/settings/keys/{id}/revoke", Access::Member),
    ("POST", "/settings/prompts", Access::Member),
    ("POST", "/settings/prompts/{id}", Access::Member),
    ("POST", "/settings/prompts/{id}/delete", Access::Member),
    ("POST", "/settings/sessions/end", Access::Member),
    ("POST", "/settings/sessions/{id}/end", Access::Member),
    ("POST", "/setup", Access::Anyone),
];

pub fn expected() -> Vec<Route> {
    let mut routes: Vec<Route> = ROUTES
        .iter()
        .map(|(method, path, access)| Route { method: method.parse().unwrap(), path, access: *access })
        .collect();
    routes.sort_by_key(|r| (r.method.to_string(), r.path));
    routes
}

#[test]
fn s1_every_route_is_expected() {
    let mut routes = route_list();
    routes.sort_by_key(|r| (r.method.to_string(), r.path));
    assert_eq!(routes, expected());
}

/// A form that would do, so that only the viewer can be what is wrong.
fn form(path: &str) -> Vec<(&'static str, &'static str)> {
    match path {
        "/admin/limits" => {
            vec![("member_minute", "1"), ("member_day", "1"), ("administrator_minute", ""), ("administrator_day", "")]
        }
        "/chats/{id}/messages" | "/chats" => vec![("content", "hi"), ("model", "openai/fake-1")],
        "/messages/{id}/edits" => vec![("content", "mine")],
        "/folders" | "/folders/{id}" | "/admin/groups" | "/admin/groups/{id}" => vec![("name", "x")],
        "/folders/{id}/open" => vec![("open", "true")],
        "/chats/{id}/folder" => vec![("folder", "")],
        "/chats/{id}/place" => vec![("place", "archived")],
        "/chats/{id}/settings" => vec![("system", "x"), ("model", ""), ("temperature", "")],
        "/settings/prompts/{id}" => vec![("name", "x"), ("text", "x")],
        "/chats/{id}/title" => vec![("title", "another")],
        "/settings/keys" => vec![("name", "x"), ("scope", "models"), ("expires_in_days", "")],
        "/messages/{id}/rating" => vec![("rating", "like")],
        "/settings/email" => vec![("email", "x@example.org"), ("password", "x")],
        "/admin/groups/{id}/remove" => vec![("user", "01890a5d-ac96-774b-bcce-b302099a8057")],
        "/admin/invitations" => vec![("email", "x@example.org")],
        "/admin/users/{id}/role" => vec![("role", "administrator")],
        "/admin/users/{id}/limits" => vec![("messages_per_minute", "0"), ("messages_per_day", "0")],
        "/admin/users/{id}/delete" | "/admin/groups/{id}/add" => vec![("email", "bob@example.org")],
        _ => vec![],
    }
}

/// S1: anonymous callers are sent to sign in before any look-up, alike for ids that exist and that do not; a member
/// finds nothing under another's ids, nor where administrators go, even with what is his own.
#[tokio::test]
async fn s1_the_sweep() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    test.provider.streams(["Hello"]);
    let chat = ann.asks("hi").await;
    ann.sees(&chat, "Hello").await;
    let message = ann.last_answer(&chat).await;
    let chat_id = chat.trim_start_matches("/chats/").to_owned();
    let making: String = test.value("select id::text from generations").await;
    let folder = ann.posts("/folders", &[("name", "Mine")]).await.location.unwrap().replace("/folders/", "");
    ann.posts("/settings/keys", &form("/settings/keys")).await;
    let key: String = test.value("select id::text from api_keys").await;
    let nothing = "01890a5d-ac96-774b-bcce-b302099a8057".to_owned();
    let bob = test.person("bob").await;
    let anonymous = test.stranger();
    let before: String = test.value("select string_agg(c.id::text || title || leaf_id::text || f.id || f.name || f.opened || k.id, ',') from chats c, folders f, api_keys k").await;
    for route in expected().into_iter().filter(|r| matches!(r.access, Access::Member | Access::Administrator)) {
        let real = match route.path.split('/').nth(1) {
            Some("messages") => &message,
            Some("folders") => &folder,
            Some("admin") => &making,
            Some("settings") if route.path.contains("keys") => &key,
            _ => &chat_id,
        };
        for id in [real, &nothing] {
            let path = route.path.replace("{id}", id);
            let get = route.method == Method::GET;
            let page = if get { anonymous.opens(&path).await } else { anonymous.posts(&path, &form(route.path)).await };
            if route.path.ends_with("/feed") {
                assert_eq!(page.status, StatusCode::UNAUTHORIZED, "{path}");
                assert!(page.html.starts_with("event: gone"), "{}", page.html);
            } else {
                assert_eq!(page.status, StatusCode::SEE_OTHER, "{} {path}", route.method);
                assert!(page.location.unwrap().starts_with("/login"), "{path}");
            }
            let foreign = if route.path.contains("{id}") { vec![("bob", &bob)] } else { Vec::new() };
            let members =
                if route.access == Access::Administrator { vec![("bob", &bob), ("ann", &ann)] } else { foreign };
            for (name, member) in members {
                let page = if get { member.opens(&path).await } else { member.posts(&path, &form(route.path)).await };
                assert_eq!(page.status, StatusCode::NOT_FOUND, "{name} {} {path}", route.method);
            }
        }
    }
    let after: String = test.value("select string_agg(c.id::text || title || leaf_id::text || f.id || f.name || f.opened || k.id, ',') from chats c, folders f, api_keys k").await;
    assert_eq!(before, after, "somebody changed ann's chat");
    // htmx is told where to go
    let request = anonymous.request(Method::POST, &format!("{chat}/messages"));
    let request = request.header("hx-request", "true").header("sec-fetch-site", "same-origin");
    let response = request.form(&form("/chats")).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(response.headers()["hx-redirect"], "/login");
}

/// S16: unsafe requests of other origins are refused, and GET changes nothing.
#[tokio::test]
async fn s16_only_our_own_pages_may_post() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    test.provider.streams(["Hello"]);
    let chat = ann.asks("hi").await;
    ann.sees(&chat, "Hello").await;
    let host = test.address.trim_start_matches("http://");
    let own = format!("http://{host}");
    for (headers, status) in [
        (vec![("sec-fetch-site", "cross-site")], StatusCode::FORBIDDEN),
        (vec![("sec-fetch-site", "same-site")], StatusCode::FORBIDDEN),
        (vec![("origin", "https://evil.example")], StatusCode::FORBIDDEN),
        (vec![("origin", "null")], StatusCode::FORBIDDEN),
        (vec![], StatusCode::FORBIDDEN), // with a cookie and without a word about where it comes from
        (vec![("origin", own.as_str())], StatusCode::SEE_OTHER),
        (vec![("sec-fetch-site", "same-origin")], StatusCode::SEE_OTHER),
    ] {
        let mut request = ann.request(Method::POST, &format!("{chat}/title")).form(&[("title", "new")]);
        for (name, value) in &headers {
            request = request.header(*name, *value);
        }
        assert_eq!(request.send().await.unwrap().status(), status, "{headers:?}");
    }
    let before: i64 = test.value("select count(*) from messages").await;
    for path in ["/messages/x/stop", "/logout", &format!("{chat}/messages")] {
        assert_eq!(ann.opens(path).await.status, StatusCode::METHOD_NOT_ALLOWED, "{path}");
    }
    assert_eq!(before, test.value::<i64>("select count(*) from messages").await);
}

/// S17: the headers on every kind of answer.
#[tokio::test]
async fn s17_every_answer_carries_the_headers() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    let asset = crate::support::people::between(&ann.opens("/").await.html, "stylesheet\" href=\"", "\"").unwrap();
    for path in ["/", "/login", "/nowhere", "/up", "/ready", "/chats/x", "/chats/x/feed", asset.as_str()] {
        let response = ann.request(Method::GET, path).send().await.unwrap();
        let header = |name: &str| response.headers().get(name).map_or("", |v| v.to_str().unwrap());
        assert_eq!(
            header("content-security-policy"),
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
             font-src 'self'; form-action 'self'; manifest-src 'self'; frame-ancestors 'none'; base-uri 'none'",
            "{path}"
        );
        assert_eq!(header("x-content-type-options"), "nosniff", "{path}");
        for name in ["referrer-policy", "cross-origin-opener-policy", "permissions-policy", "x-request-id"] {
            assert!(!header(name).is_empty(), "{path} lacks {name}");
        }
        assert!(header("strict-transport-security").is_empty(), "{path}: not over http");
        assert!(header("access-control-allow-origin").is_empty(), "{path}: no CORS");
    }
    let https = TestApp::with(&[("PUBLIC_URL", "https://chat.example.org")]).await;
    let response = https.stranger().request(Method::GET, "/login").send().await.unwrap();
    assert!(response.headers().contains_key("strict-transport-security"));
}

/// S4, S20: unknown fields, malformed and oversized bodies.
#[tokio::test]
async fn s20_bodies_that_cannot_be_taken() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    let fields = [("email", "x@example.org"), ("name", "x"), ("password", "long enough"), ("role", "administrator")];
    assert_eq!(test.stranger().posts("/register", &fields).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    let post = async |body: Vec<u8>, kind: &str| {
        let request = ann.request(Method::POST, "/chats").header("sec-fetch-site", "same-origin");
        request.header("content-type", kind).body(body).send().await.unwrap().status()
    };
    let form = "application/x-www-form-urlencoded";
    for (body, kind) in [
        (b"\xff\xfe\x00".to_vec(), form),
        (b"content=%".to_vec(), form),
        (b"content".to_vec(), form),
        (b"{".to_vec(), "application/json"),
        (Vec::new(), "text/plain"),
    ] {
        let status = post(body.clone(), kind).await;
        assert!(status.is_client_error(), "{status} for {body:?}");
    }
    assert_eq!(post([b"content=".to_vec(), vec![b'a'; 2 << 20]].concat(), form).await, StatusCode::PAYLOAD_TOO_LARGE);
    // NUL does not reach the database, lone surrogates cannot be sent
    test.provider.streams(["fine"]);
    let chat = ann.asks("a\0b").await;
    ann.sees(&chat, "fine").await;
    let text: String = test.value("select text from messages where author = 'person'").await;
    assert_eq!(text, "a\u{fffd}b");
    // and where a text is looked up as it was typed, it is refused
    let fields = [("email", "a\0@example.org"), ("password", "b\0")];
    assert_eq!(test.stranger().posts("/login", &fields).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    test.execute("update users set role = 'administrator'").await;
    for path in ["/admin/users?q=%00", "/search?q=%00", "/palette?q=%00"] {
        assert!(!ann.opens(path).await.status.is_server_error(), "{path}");
    }
}

#[tokio::test]
async fn an_old_page_gets_todays_assets() {
    let test = TestApp::start().await;
    let someone = test.stranger();
    let asset =
        crate::support::people::between(&someone.opens("/login").await.html, "stylesheet\" href=\"", "\"").unwrap();
    let get = async |path: &str, coding: &str| {
        someone.request(Method::GET, path).header("accept-encoding", coding).send().await.unwrap()
    };
    let today = get(&asset, "").await;
    assert_eq!(today.headers()["cache-control"], "public, max-age=31536000, immutable");
    let old = get("/assets/app-0123456789ab.css", "").await;
    assert_eq!(old.headers()["cache-control"], "no-cache");
    assert_eq!(today.bytes().await.unwrap(), old.bytes().await.unwrap());
    assert_eq!(get(&asset, "gzip, br").await.headers()["content-encoding"], "br");
    assert_eq!(get(&asset, "gzip").await.headers()["content-encoding"], "gzip");
    assert_eq!(get("/assets/nothing.css", "").await.status(), StatusCode::NOT_FOUND);
    assert_eq!(get("/assets/..%2f..%2fCargo.toml", "").await.status(), StatusCode::NOT_FOUND);
}

/// A guest who leaves in mid-request must not leave a transaction open on a connection that others get next: they would
/// read yesterday's page, or write into somebody else's transaction.
#[tokio::test]
async fn guests_who_leave_early_leave_nothing_open() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    let chat = ann.asks("hi").await;
    ann.sees(&chat, "unscripted").await;
    for round in 0..20_u64 {
        let leaving = (0..20_u64).map(|n| {
            let patience = std::time::Duration::from_micros(200 + 300 * n + 37 * round);
            let request = ann.request(Method::GET, &chat).timeout(patience);
            async { drop(request.send().await) }
        });
        futures::future::join_all(leaving).await;
        // what is still being worked on ends soon, on a busy machine too; what was left open stays so for 5 s
        let given_up = tokio::time::Instant::now() + std::time::Duration::from_secs(3);
        loop {
            let open: i64 = test
                .value(
                    "select count(*) from pg_stat_activity where datname = current_database()
                     and state like 'idle in transaction%' and pid <> pg_backend_pid()",
                )
                .await;
            if open == 0 {
                break;
            }
            assert!(tokio::time::Instant::now() < given_up, "round {round}: a transaction was left open");
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }
}

#[tokio::test]
async fn the_manifest_names_what_is_there() {
    let test = TestApp::start().await;
    let stranger = test.stranger();
    let page = stranger.opens("/manifest.webmanifest").await;
    let manifest: serde_json::Value = serde_json::from_str(&page.html).unwrap();
    let icon = stranger.opens(manifest["icons"][0]["src"].as_str().unwrap()).await;
    assert!(icon.status == StatusCode::OK && icon.html.starts_with("<svg"));
    assert!(stranger.opens("/login").await.html.contains("rel=\"manifest\" href=\"/manifest.webmanifest\""));
}
