//! Programs that call models in a vendor's protocol: what passes through, what is counted, and how it ends.

use crate::support::{
    TestApp, eventually,
    program::{Program, caller_of_new, chat},
    provider::{Provider, Step},
};
use futures::StreamExt;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// The ledger's lines: model, outcome, prompt, completion, estimated, cost.
async fn ledger(test: &TestApp) -> Vec<(String, String, i64, i64, bool, Option<i64>)> {
    let lines = "select provider || '/' || model, outcome, prompt_tokens, completion_tokens, estimated, cost from usage
        where purpose = 'call' order by id";
    sqlx::query_as(lines).fetch_all(&test.app.pools.http).await.unwrap()
}

async fn ledger_has(test: &TestApp, lines: usize) {
    eventually("the ledger has a line for each call", || async { ledger(test).await.len() == lines }).await;
}

/// What a stream holds, event by event.
async fn stream(program: &Program, path: &str, body: &Value) -> Vec<String> {
    let response = program.request(Method::POST, path).json(body).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    events(&response.text().await.unwrap())
}

fn events(text: &str) -> Vec<String> {
    text.split("\n\n").filter(|event| !event.is_empty()).map(str::to_owned).collect()
}

#[tokio::test]
async fn a_whole_answer_passes_through_and_is_counted() {
    let test = TestApp::with(&PRICES).await;
    let ann = caller_of_new(&test, "ann").await;
    test.provider.streams(["Hello"]);
    let body = chat("openai/fake-1", &json!({ "temperature": 0.30, "tools": [{ "x": 1 }], "n": 1 }));
    let answer = ann.posts("/v1/chat/completions", &body).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    assert_eq!(answer.json["choices"][0]["message"]["content"], "Hello");
    let asked = &test.provider.asked()[0];
    let mut expected = body.clone();
    expected["model"] = json!("fake-1");
    assert_eq!(asked.body, expected, "nothing but the name of the model is changed");
    assert!(asked.key.starts_with("key-"), "with the house's key, not with ann's");
    ledger_has(&test, 1).await;
    assert_eq!(ledger(&test).await, [("openai/fake-1".into(), "complete".into(), 11, 7, false, Some(81))]);
    let sums: (i64, i64) =
        sqlx::query_as("select spent, reserved from spending").fetch_one(&test.app.pools.http).await.unwrap();
    assert_eq!(sums, (81, 0));
    let day: (i64, i64, i64) =
        sqlx::query_as("select requests, failed, cost from usage_days").fetch_one(&test.app.pools.http).await.unwrap();
    assert_eq!(day, (1, 0, 81));
    // by its name alone too
    test.provider.streams(["Again"]);
    assert_eq!(ann.posts("/v1/chat/completions", &chat("fake-1", &json!({}))).await.status, StatusCode::OK);
}

/// A thousand tokens out cost a cent.
const PRICES: [(&str, &str); 2] = [
    ("PARLOR__PROVIDERS__OPENAI__PRICES__FAKE-1__INPUT", "1"),
    ("PARLOR__PROVIDERS__OPENAI__PRICES__FAKE-1__OUTPUT", "10"),
];

#[tokio::test]
async fn a_stream_passes_through_and_tells_what_was_used_to_whoever_asked() {
    let test = TestApp::start().await;
    let ann = caller_of_new(&test, "ann").await;
    for wants in [false, true] {
        test.provider.streams(["Hel", "lo"]);
        let options = if wants { json!({ "include_usage": true, "other": 1 }) } else { json!({ "other": 1 }) };
        let body = chat("openai/fake-1", &json!({ "stream": true, "stream_options": options }));
        let events = stream(&ann, "/v1/chat/completions", &body).await;
        let asked = test.provider.asked().pop().unwrap();
        assert_eq!(asked.body["stream_options"], json!({ "include_usage": true, "other": 1 }));
        assert_eq!(events.len(), if wants { 5 } else { 4 }, "{events:?}");
        assert_eq!(events.iter().any(|event| event.contains("\"usage\"")), wants);
        assert!(events[0].contains("Hel") && events[1].contains("lo"));
        assert_eq!(events.last().unwrap(), "data: [DONE]");
    }
    ledger_has(&test, 2).await;
    for line in ledger(&test).await {
        assert_eq!(line, ("openai/fake-1".into(), "complete".into(), 11, 7, false, None));
    }
}

#[tokio::test]
async fn all_doors_lead_to_the_provider() {
    let test = TestApp::start().await;
    let ann = caller_of_new(&test, "ann").await;
    let embedded = ann.posts("/v1/embeddings", &json!({ "model": "openai/text-embedding-fake", "input": "x" })).await;
    assert_eq!(embedded.json["data"][0]["embedding"], json!([0.5, -0.25]), "{}", embedded.text);
    let completed = ann.posts("/v1/completions", &json!({ "model": "fake-1", "prompt": "x" })).await;
    assert_eq!(completed.status, StatusCode::OK);
    let whole = ann.posts("/v1/responses", &json!({ "model": "fake-1", "input": "x" })).await;
    assert_eq!(whole.json["output"][0]["content"][0]["text"], "Hello");
    let events = stream(&ann, "/v1/responses", &json!({ "model": "fake-1", "input": "x", "stream": true })).await;
    assert!(events[0].contains("response.output_text.delta") && events[1].contains("response.completed"));
    let refused = ann.posts("/v1/responses", &json!({ "model": "fake-1", "input": "x", "background": true })).await;
    assert_eq!(refused.json["error"]["param"], "background");
    let spoken = ann.posts("/v1/audio/speech", &json!({ "model": "fake-1", "input": "x", "voice": "v" })).await;
    assert_eq!((spoken.header("content-type"), spoken.text.as_str()), ("audio/mpeg", "ID3 sound"));
    let heard = Program::sends(spoken_form(ann.request(Method::POST, "/v1/audio/transcriptions"))).await;
    assert_eq!(heard.json["text"], "spoken words", "{}", heard.text);
    let asked = test.provider.asked().pop().unwrap();
    assert_eq!(asked.body, json!({ "model": "fake-1", "language": "en", "file": "sound" }));
    ledger_has(&test, 6).await;
    let used: Vec<_> = ledger(&test).await.into_iter().map(|line| (line.2, line.3, line.4)).collect();
    // nothing is told of what was spoken, nor in an answer that was not scripted
    assert_eq!(used[0], (3, 0, false));
    assert_eq!(used[2..4], [(5, 2, false), (5, 2, false)]);
    assert_eq!(used[5], (4, 2, false));
}

/// A form with a file that was spoken.
pub fn spoken_form(request: reqwest::RequestBuilder) -> reqwest::RequestBuilder {
    let part = |head: &str, body: &str| format!("--b\r\nContent-Disposition: form-data; {head}\r\n\r\n{body}\r\n");
    let parts = [
        part("name=\"model\"", "openai/fake-1"),
        part("name=\"language\"", "en"),
        part("name=\"file\"; filename=\"a.mp3\"\r\nContent-Type: audio/mpeg", "sound"),
    ];
    request.header("content-type", "multipart/form-data; boundary=b").body(format!("{}--b--\r\n", parts.concat()))
}

#[tokio::test]
async fn the_catalog_as_both_clients_read_it() {
    let test = TestApp::start().await;
    let ann = caller_of_new(&test, "ann").await;
    let list = ann.gets("/v1/models").await;
    let ids: Vec<_> = list.json["data"].as_array().unwrap().iter().map(|model| model["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["openai/fake-1", "openai/fake-2", "openai/text-embedding-fake"]);
    assert_eq!(list.json["last_id"], "openai/text-embedding-fake");
    for name in ["openai/fake-2", "openai%2Ffake-2", "fake-2"] {
        let one = ann.gets(&format!("/v1/models/{name}")).await;
        assert_eq!((&one.json["id"], &one.json["object"]), (&json!("openai/fake-2"), &json!("model")), "{name}");
    }
    assert_eq!(ann.gets("/v1/models/gpt-9").await.json["error"]["code"], "model_not_found");
    // what somebody may not ask is not there
    test.execute(
        "insert into model_edits (provider, name, audience, facts) values ('openai', 'fake-2', 'nobody', '{}')",
    )
    .await;
    eventually("it is gone", || async { ann.gets("/v1/models/fake-2").await.status == StatusCode::NOT_FOUND }).await;
    let refused = ann.posts("/v1/chat/completions", &chat("openai/fake-2", &json!({}))).await;
    assert_eq!((refused.status, &refused.json["error"]["param"]), (StatusCode::NOT_FOUND, &json!("model")));
    assert!(test.provider.asked().is_empty());
}

/// The status decides which class a client raises.
#[tokio::test]
async fn errors_have_the_status_that_clients_expect() {
    let test = TestApp::with(&[("OPENAI_API_KEY", "key-1"), ("PARLOR__LIMITS__CALLS_PER_HOUR", "0")]).await;
    let ann = caller_of_new(&test, "ann").await;
    let nobody = test.program();
    let say = async |who: &Program, body: &Value| who.posts("/v1/chat/completions", body).await;
    let fine = chat("fake-1", &json!({}));
    assert_eq!(say(&nobody, &fine).await.status, StatusCode::UNAUTHORIZED);
    let wrong = say(&nobody.with("parlor_wrong"), &fine).await;
    assert_eq!(wrong.json["error"]["code"], "invalid_api_key");
    for (body, field) in [
        (json!({ "messages": [] }), "model"),
        (json!({ "model": 5 }), "model"),
        (json!({ "model": "fake-1", "stream": "yes" }), "stream"),
        (json!({ "model": "fake-1", "stream_options": 1 }), "stream_options"),
        (json!({ "model": "fake-1", "max_tokens": -1 }), "max_tokens"),
    ] {
        let refused = say(&ann, &body).await;
        assert!(refused.status.is_client_error(), "{body}");
        assert_eq!(refused.json["error"]["param"], field, "{body}");
    }
    for text in ["", "{", "[1]", "{\"model\":\"a\",\"model\":\"b\"}"] {
        let request = ann.request(Method::POST, "/v1/chat/completions").header("content-type", "application/json");
        assert_eq!(Program::sends(request.body(text)).await.status, StatusCode::BAD_REQUEST, "{text}");
    }
    let plain = ann.request(Method::POST, "/v1/chat/completions").body("{}");
    assert_eq!(Program::sends(plain).await.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert!(test.provider.asked().is_empty(), "none of them went on");
    // the provider's own words about the request, and never its words about the key
    test.provider.refuses(400, "Bad temperature, says key-1");
    let refused = say(&ann, &fine).await;
    assert_eq!(
        (refused.status, &refused.json["error"]["message"]),
        (StatusCode::BAD_REQUEST, &json!("Bad temperature, says (the key)"))
    );
    for (theirs, ours) in [(500, 502), (503, 502), (429, 429), (401, 503)] {
        test.uses_keys_again().await;
        test.provider.refuses(theirs, "internal words");
        let refused = say(&ann, &fine).await;
        assert_eq!(refused.status.as_u16(), ours, "{theirs}: {}", refused.text);
        assert!(!refused.text.contains("internal words"), "{}", refused.text);
        assert_eq!(refused.headers.contains_key("retry-after"), [429, 503].contains(&ours), "{theirs}");
    }
    assert_eq!(ann.gets("/v1/nowhere").await.status, StatusCode::NOT_FOUND);
    ledger_has(&test, 5).await;
    let outcomes: Vec<_> = ledger(&test).await.into_iter().map(|line| line.1).collect();
    assert_eq!(outcomes, ["refused", "broken", "broken", "busy", "key"]);
}

#[tokio::test]
async fn keys_and_models_are_tried_as_in_a_chat() {
    let other = Provider::start().await;
    let url = other.url();
    let test = TestApp::with(&[
        ("OPENAI_API_KEY", "key-1,key-2"),
        ("PARLOR__PROVIDERS__OTHER__BASE_URL", &url),
        ("PARLOR__PROVIDERS__OTHER__API_KEYS", "key-9"),
        ("PARLOR__PROVIDERS__OPENAI__FALLBACKS__FAKE-1", "other/fake-2"),
    ])
    .await;
    let ann = caller_of_new(&test, "ann").await;
    test.provider.refuses(401, "no");
    test.provider.streams(["By the second key"]);
    let answer = ann.posts("/v1/chat/completions", &chat("openai/fake-1", &json!({}))).await;
    assert_eq!(answer.json["choices"][0]["message"]["content"], "By the second key");
    test.provider.refuses(500, "no");
    other.streams(["I answer instead"]);
    let answer = ann.posts("/v1/chat/completions", &chat("openai/fake-1", &json!({}))).await;
    assert_eq!(answer.json["choices"][0]["message"]["content"], "I answer instead", "{}", answer.text);
    assert_eq!(other.asked()[0].body["model"], "fake-2");
    ledger_has(&test, 4).await;
    let lines: Vec<_> = ledger(&test).await.into_iter().map(|line| (line.0, line.1)).collect();
    let line = |model: &str, outcome: &str| (model.to_owned(), outcome.to_owned());
    let (one, two) = ("openai/fake-1", "other/fake-2");
    assert_eq!(lines, [line(one, "key"), line(one, "complete"), line(one, "broken"), line(two, "complete")]);
}

/// Exact, however many ask at once, and shown before it hurts.
/// F19 for programs: whoever leaves closes the provider's connection, before and after it began to answer.
#[tokio::test]
async fn who_leaves_closes_the_providers_connection() {
    let test = TestApp::start().await;
    let ann = caller_of_new(&test, "ann").await;
    test.provider.does([Step::Text("So".into()), Step::Hold]);
    let body = chat("fake-1", &json!({ "stream": true }));
    let mut answer = ann.request(Method::POST, "/v1/chat/completions").json(&body).send().await.unwrap().bytes_stream();
    assert!(String::from_utf8_lossy(&answer.next().await.unwrap().unwrap()).contains("So"));
    drop(answer);
    eventually("it was closed", || async { test.provider.hung_up() == 1 }).await;
    // nothing has come yet
    let silent = Silent::start().await;
    let house =
        TestApp::with(&[("OPENAI_BASE_URL", &silent.url), ("PARLOR__PROVIDERS__OPENAI__MODELS", "quiet")]).await;
    let bob = caller_of_new(&house, "bob").await;
    let waiting =
        tokio::spawn(bob.request(Method::POST, "/v1/chat/completions").json(&chat("quiet", &json!({}))).send());
    eventually("it is asked", || async { silent.asked() == 1 }).await;
    waiting.abort();
    eventually("it was closed", || async { silent.closed() == 1 }).await;
    ledger_has(&house, 1).await;
    assert_eq!(ledger(&house).await[0].1, "stopped");
    // S6: nor does a key that is revoked while nothing has come
    let waiting =
        tokio::spawn(bob.request(Method::POST, "/v1/chat/completions").json(&chat("quiet", &json!({}))).send());
    eventually("it is asked", || async { silent.asked() == 2 }).await;
    let began = Instant::now();
    house.execute("delete from api_keys").await;
    assert_eq!(waiting.await.unwrap().unwrap().status(), StatusCode::UNAUTHORIZED);
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    eventually("it was closed", || async { silent.closed() == 2 }).await;
    ledger_has(&test, 1).await;
    assert_eq!((ledger(&test).await[0].1.as_str(), ledger(&test).await[0].4), ("stopped", true));
}

/// F14 for programs: one that does not read is waited for, and so is the provider: an answer that is longer than all that the
/// kernel holds for the two connections stays with the provider. Nothing of it is lost.
#[tokio::test]
async fn who_does_not_read_is_waited_for() {
    let test = TestApp::start().await;
    let ann = caller_of_new(&test, "ann").await;
    let (pieces, piece) = (1000, "#".repeat(100_000));
    let mut steps = vec![Step::Text(piece.clone()); pieces];
    steps.extend([Step::Finish("stop"), Step::Done]);
    test.provider.does(steps);
    let body = chat("fake-1", &json!({ "stream": true }));
    let mut answer = ann.request(Method::POST, "/v1/chat/completions").json(&body).send().await.unwrap().bytes_stream();
    let (mut taken, mut still) = (0, 0);
    while still < 10 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let now = test.provider.taken_steps();
        still = if now == taken { still + 1 } else { 0 };
        taken = now;
    }
    assert!(taken > 0 && taken < pieces, "{taken} of {pieces}");
    let mut length = 0;
    while let Some(bytes) = answer.next().await {
        length += memchr::memchr_iter(b'#', &bytes.unwrap()).count();
    }
    assert_eq!(length, pieces * piece.len());
    ledger_has(&test, 1).await;
    assert_eq!(ledger(&test).await[0].1, "complete");
}

/// A provider that takes connections and says nothing.
struct Silent {
    url: String,
    counts: std::sync::Arc<std::sync::Mutex<(usize, usize)>>,
}

impl Silent {
    async fn start() -> Self {
        use tokio::io::AsyncReadExt as _;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        let counts = std::sync::Arc::new(std::sync::Mutex::new((0, 0)));
        let shared = counts.clone();
        tokio::spawn(async move {
            while let Ok((mut connection, _)) = listener.accept().await {
                let shared = shared.clone();
                tokio::spawn(async move {
                    let mut buffer = [0; 4096];
                    let mut first = true;
                    while let Ok(1..) = connection.read(&mut buffer).await {
                        shared.lock().unwrap().0 += usize::from(std::mem::take(&mut first));
                    }
                    shared.lock().unwrap().1 += 1;
                });
            }
        });
        Self { url, counts }
    }

    fn asked(&self) -> usize {
        self.counts.lock().unwrap().0
    }

    fn closed(&self) -> usize {
        self.counts.lock().unwrap().1
    }
}

/// S6: what was begun with a key ends with it, within five seconds; and so does what an access token began.
#[tokio::test]
async fn s6_a_revoked_key_ends_its_streams() {
    let test = TestApp::start().await;
    let ann = caller_of_new(&test, "ann").await;
    let signed_in = test.program().signs_in("ann").await;
    let session = test.program().with(&signed_in.word("access_token"));
    for who in [&ann, &session] {
        test.provider.does([Step::Text("So".into()), Step::Hold]);
        let body = chat("fake-1", &json!({ "stream": true }));
        let mut answer =
            who.request(Method::POST, "/v1/chat/completions").json(&body).send().await.unwrap().bytes_stream();
        answer.next().await.unwrap().unwrap();
        let began = Instant::now();
        if who.bearer == ann.bearer {
            test.execute("delete from api_keys").await;
        } else {
            let refresh = json!({ "refresh_token": signed_in.word("refresh_token") });
            session.posts("/api/auth/logout", &refresh).await;
        }
        let last = String::from_utf8_lossy(&answer.next().await.unwrap().unwrap()).into_owned();
        assert!(last.contains("\"error\"") && last.contains("not good any more"), "{last}");
        assert!(answer.next().await.is_none());
        assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
        eventually("and it is let in no more", || async {
            who.gets("/v1/models").await.status == StatusCode::UNAUTHORIZED
        })
        .await;
        assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    }
    assert_eq!(test.provider.hung_up(), 2);
}

/// F17: what breaks off says so in the words of the protocol.
#[tokio::test]
async fn f17_a_stream_that_breaks_off_says_so() {
    let test = TestApp::with(&[("PARLOR__GENERATION__IDLE", "1")]).await;
    let ann = caller_of_new(&test, "ann").await;
    let body = chat("fake-1", &json!({ "stream": true }));
    test.provider.does([Step::Text("So".into()), Step::Hold]);
    let silent = stream(&ann, "/v1/chat/completions", &body).await;
    assert!(silent[1].starts_with("data: {\"error\"") && silent[1].contains("stopped sending"), "{silent:?}");
    test.provider.does([Step::Text("So".into()), Step::Hold]);
    let mut message = chat("fake-1", &json!({ "stream": true, "max_tokens": 9 }));
    message["model"] = json!("fake-1");
    let silent = stream(&ann, "/v1/messages", &message).await;
    assert!(silent.last().unwrap().starts_with("event: error\ndata: {\"error\""), "{silent:?}");
    ledger_has(&test, 2).await;
    for line in ledger(&test).await {
        assert_eq!((line.1.as_str(), line.4), ("silent", true), "what was said is counted, by a guess");
        assert!(line.3 >= 1);
    }
}

/// Anthropic's protocol in front of a model that does not speak it, and of one that does.
#[tokio::test]
async fn messages_in_front_of_any_model() {
    for kind in ["openai", "anthropic"] {
        let test = TestApp::with(&[("PARLOR__PROVIDERS__OPENAI__KIND", kind)]).await;
        let ann = caller_of_new(&test, "ann").await;
        let key = ann.bearer.clone().unwrap();
        let body = json!({ "model": "openai/fake-1", "max_tokens": 50, "system": "Be brief.", "stream": true,
            "messages": [{ "role": "user", "content": "hi" }] });
        test.provider.streams(["Hel", "lo"]);
        let request = test.program().request(Method::POST, "/v1/messages").header("x-api-key", &key).json(&body);
        let answer = Program::sends(request.header("anthropic-version", "2023-06-01")).await;
        assert_eq!(answer.status, StatusCode::OK, "{kind}: {}", answer.text);
        let names: Vec<_> = events(&answer.text).iter().map(|event| event.lines().next().unwrap().to_owned()).collect();
        let name = |name: &str| format!("event: {name}");
        assert_eq!((&names[0], names.last().unwrap()), (&name("message_start"), &name("message_stop")), "{names:?}");
        assert_eq!(names.iter().filter(|n| **n == name("content_block_delta")).count(), 2);
        let asked = test.provider.asked().pop().unwrap();
        if kind == "openai" {
            assert_eq!(asked.body["messages"][0], json!({ "role": "system", "content": "Be brief." }));
            test.provider.streams(["Hello"]);
            let mut whole = body.clone();
            whole["stream"] = json!(false);
            let answer = ann.posts("/v1/messages", &whole).await;
            assert_eq!(answer.json["content"], json!([{ "type": "text", "text": "Hello" }]), "{}", answer.text);
            assert_eq!(answer.json["usage"]["output_tokens"], 7);
            whole["messages"][0]["content"] = json!([{ "type": "document" }]);
            let refused = ann.posts("/v1/messages", &whole).await;
            assert_eq!(
                (refused.status, &refused.json["error"]["type"]),
                (StatusCode::BAD_REQUEST, &json!("invalid_request_error"))
            );
            test.provider.refuses(400, "too hot");
            let refused = ann.posts("/v1/messages", &body).await;
            assert_eq!(refused.json["error"]["message"], "too hot");
        } else {
            let mut expected = body.clone();
            expected["model"] = json!("fake-1");
            assert_eq!(asked.body, expected, "as it was asked");
            // OpenAI's protocol of the same provider, where it has it
            test.provider.streams(["Hello"]);
            let answer = ann.posts("/v1/chat/completions", &chat("fake-1", &json!({}))).await;
            assert_eq!(answer.json["choices"][0]["message"]["content"], "Hello", "{}", answer.text);
            let refused = ann.posts("/v1/embeddings", &json!({ "model": "fake-1", "input": "x" })).await;
            assert_eq!(refused.status, StatusCode::BAD_REQUEST);
        }
        ledger_has(&test, if kind == "openai" { 3 } else { 2 }).await;
        let line = &ledger(&test).await[0];
        assert_eq!((line.1.as_str(), line.2, line.3), ("complete", 11, 7), "{kind}");
    }
}

/// Without any provider the demo answers, and says what it is.
#[tokio::test]
async fn the_demo_answers_programs_too() {
    let test = TestApp::with(&[("PARLOR__PROVIDERS__OPENAI__KIND", "demo")]).await;
    let ann = caller_of_new(&test, "ann").await;
    let answer = ann.posts("/v1/chat/completions", &chat("demo", &json!({}))).await;
    assert!(answer.text.contains("It is no language model"), "{}", answer.text);
}

/// S7, S22: nothing that is sent chooses where it goes, and only what belongs goes on.
#[tokio::test]
async fn s7_a_program_chooses_a_model_and_nothing_else() {
    let test = TestApp::start().await;
    let ann = caller_of_new(&test, "ann").await;
    test.provider.streams(["Hello"]);
    let more = json!({ "api_base": "http://127.0.0.1:1", "base_url": "http://127.0.0.1:1", "api_key": "stolen" });
    let request = ann.request(Method::POST, "/v1/chat/completions").json(&chat("fake-1", &more));
    let request = request.header("openai-organization", "x").header("x-forwarded-host", "y");
    assert_eq!(Program::sends(request).await.status, StatusCode::OK);
    let asked = &test.provider.asked()[0];
    for name in ["openai-organization", "x-forwarded-host", "x-api-key"] {
        assert!(!asked.headers.contains_key(name), "{name} went on");
    }
    assert!(!format!("{:?}", asked.headers).contains(&ann.bearer.clone().unwrap()));
    // nor in a form, however a part calls itself
    let part =
        |name: &str, value: &str| format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
    let form = [part("model", "fake-1"), part("mod\\\"el", "fake-2"), part("file", &"s".repeat(3_000_000))].concat()
        + "--b--\r\n";
    let request =
        ann.request(Method::POST, "/v1/audio/transcriptions").header("content-type", "multipart/form-data; boundary=b");
    let heard = Program::sends(request.body(form)).await;
    let asked = test.provider.asked().pop().unwrap();
    if heard.status == StatusCode::OK {
        assert_eq!(asked.body["model"], "fake-2".replace('2', "1"), "{}", heard.text);
        assert_eq!(asked.body["file"].as_str().unwrap().len(), 3_000_000);
    }
}

/// S20: what is sent to confuse the counting is a request like any other.
#[tokio::test]
async fn s20_bodies_that_are_made_to_be_measured_wrong() {
    let test = TestApp::with(&PRICES).await;
    let ann = caller_of_new(&test, "ann").await;
    test.execute("insert into user_limits (user_id, budget) select id, 1000000 from users").await;
    for words in [";base64,".repeat(50), format!("{};base64,", "A".repeat(3000)), "\"usage\":{".repeat(20)] {
        test.provider.streams(["Hello"]);
        let body = json!({ "model": "fake-1", "max_tokens": 10, "messages": [{ "role": "user", "content": words }] });
        let answer = ann.posts("/v1/chat/completions", &body).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    }
    ledger_has(&test, 3).await;
    assert!(ledger(&test).await.iter().all(|line| line.2 == 11 && line.5 == Some(81)), "{:?}", ledger(&test).await);
}
