//! The same conversation with providers of each kind. The provider that these stories talk to is asked by the vendors'
//! official clients too (tests/sdk), so that Parlor and it do not share one error.

use crate::support::{
    TestApp, eventually,
    images::{png, png_size},
    provider::{Provider, Step},
};
use futures::StreamExt;
use parlor::{
    base::config::Config,
    outside::llm::{self, Ask, Chunk, Finish, Image, Said, Usage},
};
use serde_json::{Value, json};
use std::{path::Path, process::Command};

const KINDS: [&str; 3] = ["openai", "anthropic", "gemini"];

fn text(text: &str) -> Step {
    Step::Text(text.to_owned())
}

/// A model that thinks and then speaks.
fn thoughtful() -> [Step; 6] {
    let end = [Step::Finish("stop"), Step::Counted(40, 30, 15, 5), Step::Done];
    let [finish, counted, done] = end;
    [Step::Reasoning("Who, me?".into()), text("I am"), text(" a model."), finish, counted, done]
}

/// A PNG of one pixel, as tests/sdk/ask.mjs sends it too.
const IMAGE: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGNgYGAAAAAEAAH2FzhVAAAAAElFTkSuQmCC";

/// What it counts.
const USAGE: Usage = Usage { prompt: 40, cached: 30, completion: 15, reasoning: 5 };

#[tokio::test]
async fn a_conversation_with_each_kind() {
    for kind in KINDS {
        let test = TestApp::with(&[("PARLOR__PROVIDERS__OPENAI__KIND", kind), ("OPENAI_API_KEY", "key-1")]).await;
        let ann = test.person("ann").await;
        test.provider.streams(["Hello"]);
        let chat = ann.asks("hi").await;
        ann.sees(&chat, "data-state=\"completed\"").await;

        test.provider.does(thoughtful());
        let file = ann.adds("me.png", &png(3, 2)).await;
        ann.says_with(&chat, "Who are you?", &[&file]).await;
        let page = ann.sees(&chat, "I am a model.").await;
        assert!(page.html.contains("Who, me?"), "{kind}: the thoughts are shown");
        assert!(page.html.contains(&format!("src=\"/files/{file}/view\"")), "{kind}: the image is shown");
        let asked = test.provider.asked();
        let [(media_type, bytes)] = &asked[1].images()[..] else { panic!("{kind}: {}", asked[1].body) };
        assert_eq!(media_type, "image/png", "{kind}");
        assert_eq!(png_size(bytes), (3, 2), "{kind}");
        assert_eq!(asked[1].key, "key-1", "{kind}");
        let said = asked[1].body.get(if kind == "gemini" { "contents" } else { "messages" }).unwrap();
        let texts: Vec<_> = said.as_array().unwrap().iter().map(Value::to_string).collect();
        for (message, word) in texts.iter().zip(["hi", "Hello", "Who are you?"]) {
            assert!(message.contains(word), "{kind}: {message}");
        }
        let counted: Value = test
            .value(
                "select to_jsonb(array[prompt_tokens, cached_tokens, completion_tokens, reasoning_tokens])
                 from generations order by id desc limit 1",
            )
            .await;
        let u = USAGE;
        assert_eq!(counted, json!([u.prompt, u.cached, u.completion, u.reasoning]), "{kind}");

        test.provider.does([text("As long"), Step::Finish("length"), Step::Usage(50, 9), Step::Done]);
        ann.says(&chat, "How long?").await;
        ann.sees(&chat, "reached the limit on its length").await;

        test.provider.does([text("Half of"), Step::Cut]);
        ann.says(&chat, "Tell me more.").await;
        ann.sees(&chat, "broke before the answer was complete").await;

        test.provider.does([text("And so"), Step::Hold]);
        ann.says(&chat, "Go on.").await;
        ann.sees(&chat, "And so").await;
        let answer = ann.last_answer(&chat).await;
        ann.posts(&format!("/messages/{answer}/stop"), &[]).await;
        eventually("the connection is closed", || async { test.provider.hung_up() == 1 }).await;
        ann.sees(&chat, "data-state=\"stopped\"").await;
        test.check_feeds().await;
    }
}

/// A key that is not taken and a provider that is busy read the same, whoever says it.
#[tokio::test]
async fn what_each_kind_refuses() {
    for kind in KINDS {
        let vars =
            [("PARLOR__PROVIDERS__OPENAI__KIND", kind), ("OPENAI_API_KEY", "key-1"), ("PARLOR__GENERATION__RETRY", "")];
        let test = TestApp::with(&vars).await;
        let ann = test.person("ann").await;
        for (status, sentence) in
            [(401, "does not accept the key"), (429, "takes no more requests"), (529, "an error of its own")]
        {
            test.uses_keys_again().await;
            test.provider.refuses(status, "internal words");
            let chat = ann.asks("hi").await;
            let page = ann.sees(&chat, sentence).await;
            assert!(!page.html.contains("internal words"), "{kind} {status}");
        }
    }
}

/// An official client against the provider of these stories.
fn by_sdk(kind: &str, provider: &Provider) -> Value {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sdk/ask.mjs");
    let url = if kind == "openai" { provider.url() } else { provider.root() };
    let output = Command::new("node").arg(program).args([kind, &url, "key-1", "fake-1"]).output();
    let output = output.expect("node: bin/install --tests brings it");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Parlor's own half, with nothing of the product around it.
async fn by_us(kind: &str, provider: &Provider) -> (Vec<String>, String, String, Option<Finish>, Usage) {
    crate::support::crypto_provider();
    let version = if kind == "gemini" { "v1beta" } else { "v1" };
    let vars = [
        ("PARLOR__PROVIDERS__IT__KIND", kind.to_owned()),
        ("PARLOR__PROVIDERS__IT__BASE_URL", format!("{}/{version}/", provider.root())),
        ("PARLOR__PROVIDERS__IT__API_KEYS", "key-1".to_owned()),
    ];
    let config = Config::load(None, vars.into_iter().map(|(k, v)| (k.to_owned(), v))).unwrap();
    let ours = llm::providers(&config, b"").await.unwrap().remove(0);
    let image = Image { media_type: "image/png".into(), data: IMAGE.to_owned(), tokens: 0 };
    let question = Said { images: vec![image], ..Said::words(false, "Who are you?") };
    let ask = Ask {
        model: "fake-1".into(),
        system: "Be brief.".into(),
        messages: vec![Said::words(false, "hi"), Said::words(true, "Hello"), question],
        max_tokens: 100,
        temperature: None,
    };
    let mut chunks = ours.open(&ask, &ours.keys[0]).await.unwrap();
    let (mut text, mut reasoning, mut finish, mut usage) = (String::new(), String::new(), None, Usage::default());
    while let Some(chunk) = chunks.next().await {
        match chunk.unwrap() {
            Chunk::Text(piece) => text.push_str(&piece),
            Chunk::Reasoning(piece) => reasoning.push_str(&piece),
            Chunk::Finished(why) => finish = Some(why),
            Chunk::Usage(counted) => usage = counted,
        }
    }
    let models = ours.models().await.unwrap().into_iter().map(|model| model.name).collect();
    (models, text, reasoning, finish, usage)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_vendors_clients_understand_the_provider_as_we_do() {
    for kind in KINDS {
        let provider = Provider::start().await;
        provider.does(thoughtful());
        provider.does(thoughtful());
        let theirs = tokio::task::block_in_place(|| by_sdk(kind, &provider));
        assert_eq!(theirs["error"], Value::Null, "{kind}");
        let (models, text, reasoning, finish, usage) = by_us(kind, &provider).await;
        assert_eq!((text.as_str(), reasoning.as_str()), ("I am a model.", "Who, me?"), "{kind}");
        assert_eq!(finish, Some(Finish::Complete), "{kind}");
        assert_eq!((&theirs["text"], &theirs["reasoning"]), (&json!(text), &json!(reasoning)), "{kind}");
        let finish = match kind {
            "openai" => "stop",
            "anthropic" => "end_turn",
            _ => "STOP",
        };
        assert_eq!(theirs["finish"], finish, "{kind}");
        assert_eq!(usage, USAGE, "{kind}");
        let counted = json!({ "prompt": usage.prompt, "cached": usage.cached, "completion": usage.completion, "reasoning": usage.reasoning });
        assert_eq!(theirs["usage"], counted, "{kind}");
        // Gemini's list says what each is for, and only ours goes by that
        let of_theirs: Vec<_> = theirs["models"].as_array().unwrap().iter().map(|m| m.as_str().unwrap()).collect();
        assert_eq!(&of_theirs[..models.len()], models, "{kind}");

        // and what we ask is what they ask
        let asked = provider.asked();
        assert_eq!(asked.len(), 2, "{kind}");
        assert_eq!(asked[0].images().len(), 1, "{kind}: by the vendor's client");
        assert_eq!((&asked[0].key, &asked[0].body), (&asked[1].key, &asked[1].body), "{kind}");
        assert_eq!(asked[1].key, "key-1", "{kind}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_vendors_clients_understand_its_refusals() {
    for (kind, class) in [("openai", "RateLimitError"), ("anthropic", "RateLimitError"), ("gemini", "ApiError")] {
        let provider = Provider::start().await;
        provider.refuses(429, "slow down");
        let said = tokio::task::block_in_place(|| by_sdk(kind, &provider));
        assert_eq!((&said["error"]["class"], &said["error"]["status"]), (&json!(class), &json!(429)), "{kind}");
        assert!(said["error"]["message"].as_str().unwrap().contains("slow down"), "{kind}");
    }
}
