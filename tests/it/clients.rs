//! The vendors' official clients, pointed at Parlor: typed objects come out of what passes through, and the right classes of
//! errors. Node's and Rust's run always, Python's where `PARLOR_TEST_PYTHON` names one that has them.

use crate::support::{TestApp, program::Program};
use async_openai::{Client, config::OpenAIConfig};
use futures::StreamExt as _;
use serde_json::{Value, json};
use std::{path::Path, process::Command};

async fn program_of_new(test: &TestApp, name: &str) -> Program {
    test.person(name).await;
    let program = test.program();
    let ann = program.with(&program.signs_in(name).await.word("access_token"));
    program.with(&ann.makes_key("mine", &["models"]).await.word("key"))
}

/// What a client understood, of a provider that does what its script expects.
async fn understood(program: &str, script: &str) -> Value {
    let test = TestApp::with(&[("OPENAI_API_KEY", "key-1")]).await;
    let ann = program_of_new(&test, "ann").await;
    let provider = &test.provider;
    provider.streams(["Hello"]);
    provider.streams(["Hel", "lo"]);
    provider.streams(["{}"]);
    provider.streams(["done"]); // completions
    provider.streams(["Ahoy"]);
    provider.streams(["A", "hoy"]);
    provider.refuses(400, "too hot");
    provider.refuses_for(429, 1);
    // the key that was busy rests for a second; the next one asks after that
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sdk");
    let mut command = Command::new(program);
    command.arg(script).arg(&test.address).arg(ann.bearer.as_ref().unwrap()).current_dir(folder).env("NO_PROXY", "*");
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn check(said: &Value, names: [&str; 4]) {
    let [wrong, nobody, missing, busy] = names;
    let events = ["response.output_text.delta", "response.completed"];
    for (what, expected) in [
        ("whole", json!(["Hello", 7])),
        ("stream", json!("Hello")),
        ("called", json!("{}")),
        ("response", json!(["Hello", 2])),
        ("events", json!(events)),
        ("completion", json!("done")),
        ("embedding", json!([0.5, -0.25])),
        ("models", json!(["openai/fake-1", "openai/fake-2", "openai/text-embedding-fake"])),
        ("model", json!("openai/fake-1")),
        ("heard", json!("spoken words")),
        ("spoken", json!("ID3 sound")),
        ("message", json!(["Ahoy", "end_turn", 7])),
        ("words", json!("Ahoy")),
    ] {
        assert_eq!(said[what], expected, "{what}");
    }
    let errors = &said["errors"];
    for (what, class, status) in [
        ("wrong", wrong, 400),
        ("nobody", nobody, 401),
        ("missing", missing, 404),
        ("busy", busy, 429),
        // its key rests: there is none to ask with
        ("broken", busy, 429),
        ("anthropicWrong", wrong, 400),
        ("anthropicNobody", nobody, 401),
        ("anthropicMissing", missing, 404),
    ] {
        assert_eq!(errors[what], json!([class, status]), "{what}");
    }
}

#[tokio::test]
async fn in_node() {
    let said = understood("node", "gateway.mjs").await;
    check(&said, ["BadRequestError", "AuthenticationError", "NotFoundError", "RateLimitError"]);
}

#[tokio::test]
async fn in_python() {
    let Ok(python) = std::env::var("PARLOR_TEST_PYTHON") else { return };
    let said = understood(&python, "gateway.py").await;
    check(&said, ["BadRequestError", "AuthenticationError", "NotFoundError", "RateLimitError"]);
}

#[tokio::test]
async fn in_rust() {
    let test = TestApp::start().await;
    let ann = program_of_new(&test, "ann").await;
    let config =
        OpenAIConfig::new().with_api_base(format!("{}/v1", test.address)).with_api_key(ann.bearer.clone().unwrap());
    let client = Client::with_config(config);
    let ask = json!({ "model": "openai/fake-1", "messages": [{ "role": "user", "content": "hi" }] });
    test.provider.streams(["Hello"]);
    let whole = client.chat().create(serde_json::from_value(ask.clone()).unwrap()).await.unwrap();
    assert_eq!(whole.choices[0].message.content.as_deref(), Some("Hello"));
    test.provider.streams(["Hel", "lo"]);
    let mut stream = client.chat().create_stream(serde_json::from_value(ask.clone()).unwrap()).await.unwrap();
    let mut text = String::new();
    while let Some(event) = stream.next().await {
        text.push_str(event.unwrap().choices[0].delta.content.as_deref().unwrap_or_default());
    }
    assert_eq!(text, "Hello");
    test.provider.refuses(400, "too hot");
    let error = client.chat().create(serde_json::from_value(ask).unwrap()).await.unwrap_err();
    assert!(error.to_string().contains("too hot"), "{error}");
}
