//! The vendors' official clients, pointed at Parlor: typed objects come out of what passes through, and the right classes of
//! errors. Node's and Rust's run always, Python's where `PARLOR_TEST_PYTHON` names one that has them.

use crate::support::{TestApp, program::caller_of_new};
use async_openai::{
    Client,
    config::OpenAIConfig,
    error::OpenAIError,
    middleware::ReqwestService,
    types::{
        audio::{AudioInput, CreateTranscriptionRequest},
        responses::ResponseStreamEvent,
    },
};
use futures::StreamExt as _;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::{path::Path, process::Command};

/// What a client understood, of a provider that does what its script expects.
async fn understood(program: &str, script: &str) -> Value {
    let test = TestApp::with(&[("OPENAI_API_KEY", "key-1")]).await;
    let ann = caller_of_new(&test, "ann").await;
    let provider = &test.provider;
    provider.streams(["Hello"]);
    provider.streams(["Hel", "lo"]);
    provider.streams(["{}"]);
    provider.streams(["done"]); // completions
    provider.streams(["Ahoy"]);
    provider.streams(["A", "hoy"]);
    provider.refuses(400, "too hot");
    provider.refuses(500, "broken");
    provider.refuses(503, "broken");
    provider.refuses_for(429, 1);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sdk");
    let mut command = Command::new(program);
    command.arg(script).arg(&test.address).arg(ann.bearer.as_ref().unwrap()).current_dir(folder).env("NO_PROXY", "*");
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Both call their classes of errors the same.
fn check(said: &Value) {
    let (wrong, nobody, missing) = ("BadRequestError", "AuthenticationError", "NotFoundError");
    let (busy, broken) = ("RateLimitError", "InternalServerError");
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
        ("broken", broken, 502),
        // the key rests
        ("anthropicBusy", busy, 429),
        ("anthropicWrong", wrong, 400),
        ("anthropicNobody", nobody, 401),
        ("anthropicMissing", missing, 404),
        ("anthropicBroken", broken, 502),
    ] {
        assert_eq!(errors[what], json!([class, status]), "{what}");
    }
}

#[tokio::test]
async fn in_node() {
    let said = understood("node", "gateway.mjs").await;
    check(&said);
}

#[tokio::test]
async fn in_python() {
    let Ok(python) = std::env::var("PARLOR_TEST_PYTHON") else { return };
    let said = understood(&python, "gateway.py").await;
    check(&said);
}

#[tokio::test]
async fn in_rust() {
    let test = TestApp::with(&[("OPENAI_API_KEY", "key-1")]).await;
    let ann = caller_of_new(&test, "ann").await;
    let at = |key: &str| {
        let config = OpenAIConfig::new().with_api_base(format!("{}/v1", test.address)).with_api_key(key);
        Client::with_config(config).with_http_service(ReqwestService::default()) // which tries nothing again
    };
    let client = at(ann.bearer.as_ref().unwrap());
    let provider = &test.provider;

    let whole = json!({ "model": "openai/fake-1", "messages": [{ "role": "user", "content": "hi" }] });
    provider.streams(["Hello"]);
    let answer = client.chat().create(typed(&whole)).await.unwrap();
    assert_eq!(answer.choices[0].message.content.as_deref(), Some("Hello"));
    provider.streams(["Hel", "lo"]);
    let mut stream = client.chat().create_stream(typed(&whole)).await.unwrap();
    let mut text = String::new();
    while let Some(event) = stream.next().await {
        text.push_str(event.unwrap().choices[0].delta.content.as_deref().unwrap_or_default());
    }
    assert_eq!(text, "Hello");
    let mut with_tools = whole.clone();
    with_tools["tools"] = json!([{ "type": "function", "function": { "name": "now", "parameters": { "type": "object", "properties": {} } } }]);
    with_tools["response_format"] = json!({ "type": "json_object" });
    provider.streams(["{}"]);
    let answer = client.chat().create(typed(&with_tools)).await.unwrap();
    assert_eq!(answer.choices[0].message.content.as_deref(), Some("{}"));
    let asked = provider.asked().pop().unwrap().body;
    assert_eq!(
        (&asked["tools"][0]["function"]["name"], &asked["response_format"]["type"]),
        (&json!("now"), &json!("json_object"))
    );

    provider.streams(["done"]);
    let completion =
        client.completions().create(typed(&json!({ "model": "openai/fake-1", "prompt": "hi" }))).await.unwrap();
    assert_eq!(completion.choices[0].text, "done");
    let ask = json!({ "model": "openai/fake-1", "input": "hi" });
    let response = client.responses().create(typed(&ask)).await.unwrap();
    assert_eq!((response.output_text().as_deref(), response.usage.unwrap().output_tokens), (Some("Hello"), 2));
    let mut events = client.responses().create_stream(typed(&ask)).await.unwrap();
    let (mut text, mut completed) = (String::new(), false);
    while let Some(event) = events.next().await {
        match event.unwrap() {
            ResponseStreamEvent::ResponseOutputTextDelta(event) => text.push_str(&event.delta),
            ResponseStreamEvent::ResponseCompleted(_) => completed = true,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((text.as_str(), completed), ("Hello", true));

    let ask = json!({ "model": "openai/text-embedding-fake", "input": "x", "encoding_format": "float" });
    assert_eq!(client.embeddings().create(typed(&ask)).await.unwrap().data[0].embedding, [0.5, -0.25]);
    let models: Vec<_> = client.models().list().await.unwrap().data.into_iter().map(|model| model.id).collect();
    assert_eq!(models, ["openai/fake-1", "openai/fake-2", "openai/text-embedding-fake"]);
    assert_eq!(client.models().retrieve("openai/fake-1").await.unwrap().id, "openai/fake-1");
    let file = AudioInput::from_vec_u8("a.mp3".to_owned(), b"sound".to_vec());
    let ask = CreateTranscriptionRequest { file, model: "openai/fake-1".to_owned(), ..Default::default() };
    assert_eq!(client.audio().transcription().create(ask).await.unwrap().text, "spoken words");
    let ask = json!({ "model": "openai/fake-1", "input": "x", "voice": "alloy" });
    assert_eq!(client.audio().speech().create(typed(&ask)).await.unwrap().bytes, "ID3 sound");

    // what went wrong
    let status = |error: OpenAIError| match error {
        OpenAIError::ApiError(error) => error.status_code.as_u16(),
        other => panic!("{other:?}"),
    };
    assert_eq!(status(at("parlor_nobody").models().list().await.unwrap_err()), 401);
    assert_eq!(status(client.models().retrieve("openai/none").await.unwrap_err()), 404);
    provider.refuses(400, "too hot");
    provider.refuses(500, "broken");
    provider.refuses_for(429, 1);
    for expected in [400, 502, 429] {
        let answer = client.chat().create(typed(&whole)).await;
        assert_eq!(answer.map_err(status).err(), Some(expected), "{expected}");
    }
}

fn typed<T: DeserializeOwned>(ask: &Value) -> T {
    serde_json::from_value(ask.clone()).unwrap()
}
