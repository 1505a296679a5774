//! The demo model: no language model, and says so. It streams a fixed text at a human pace, to show what the page can
//! render before a provider is configured.

use super::{
    Ask, Chunk, Chunks, Fault, Finish, Usage,
    relay::{Fields, Relayed},
};
use bytes::Bytes;
use futures::{StreamExt, stream};
use reqwest::header::HeaderValue;
use serde_json::{Value, json};
use std::time::Duration;

/// The pause before each word: about 28 words a second.
const PACE: Duration = Duration::from_millis(35);

const REASONING: &str = "Here a reasoning model's thoughts would be folded away. The demo model has none.";

/// Said before the text to whoever sent an image.
const NO_EYES: &str = "Your image has arrived, and nobody looked at it: the demo model sees nothing.\n\n";

const TEXT: &str = r#"**This is Parlor's demo model. It is no language model:** it does not understand what you write and always answers with this text. It only shows how an answer arrives and what this page can render.

### What an answer can hold

Words in *italics*, in **bold**, ~~struck out~~, as `inline code`, and links such as <https://commonmark.org>.

1. Numbered steps,
2. with inner lists:
   - one thing,
   - another thing;
3. and an end.

- [x] A task that is done
- [ ] One that is not

> Quotations stand a little aside.

| Model | Understands you | Answers |
|:------|:---------------:|--------:|
| demo  | no              | always the same |
| yours | yes             | what you asked  |

```rust
/// Code comes with highlighting and a button to copy it.
fn main() {
    let greeting = "Hello from the parlor";
    for n in 1..=3 {
        println!("{n}: {greeting}");
    }
}
```

Emoji 🪑📚, other scripts (読書室, غرفة القراءة) and footnotes[^1] work too.

To talk with a real model, add a provider under *Administration, Providers*; or set `OPENAI_API_KEY` (and `OPENAI_BASE_URL` for another compatible server), or run Ollama on this machine, and start Parlor again.

[^1]: Like this one.
"#;

pub fn open(ask: &Ask) -> Chunks {
    let mut chunks: Vec<Chunk> = words(REASONING).map(|w| Chunk::Reasoning(w.to_owned())).collect();
    if ask.messages.last().is_some_and(|message| !message.images.is_empty()) {
        chunks.extend(words(NO_EYES).map(|w| Chunk::Text(w.to_owned())));
    }
    chunks.extend(words(TEXT).map(|w| Chunk::Text(w.to_owned())));
    let completion = i64::try_from(chunks.len()).unwrap_or(i64::MAX);
    let prompt = ask.messages.iter().map(|m| m.text.split_whitespace().count()).sum::<usize>();
    chunks.push(Chunk::Usage(Usage {
        prompt: i64::try_from(prompt).unwrap_or(i64::MAX),
        completion,
        ..Usage::default()
    }));
    chunks.push(Chunk::Finished(Finish::Complete));
    Box::pin(stream::iter(chunks).then(|chunk| async {
        tokio::time::sleep(PACE).await;
        Ok::<_, Fault>(chunk)
    }))
}

/// The same text in OpenAI's protocol, for programs.
pub fn relay(body: &[u8]) -> Relayed {
    let asked = Fields::read(body).ok();
    let streams = asked.is_some_and(|fields| fields.get("stream") == Ok(Some(true)));
    let words: Vec<_> = words(TEXT).collect();
    let usage = json!({ "prompt_tokens": 0, "completion_tokens": words.len(), "total_tokens": words.len() });
    if !streams {
        let message = json!({ "role": "assistant", "content": TEXT });
        let choice = json!({ "index": 0, "message": message, "finish_reason": "stop" });
        let whole = about("chat.completion", &json!([choice]), Some(&usage)).to_string();
        let pieces = stream::once(async { Ok(Bytes::from(whole)) }).boxed();
        return Relayed { content_type: HeaderValue::from_static("application/json"), length: None, pieces };
    }
    let event = |choices: &Value, usage: Option<&Value>| {
        format!("data: {}\n\n", about("chat.completion.chunk", choices, usage))
    };
    let piece = |delta: Value, finish: Value| json!([{ "index": 0, "delta": delta, "finish_reason": finish }]);
    let mut events: Vec<String> =
        words.iter().map(|w| event(&piece(json!({ "content": w }), Value::Null), None)).collect();
    events.push(event(&piece(json!({}), json!("stop")), None));
    events.push(event(&json!([]), Some(&usage)));
    events.push("data: [DONE]\n\n".to_owned());
    let pieces = stream::iter(events).then(|event| async {
        tokio::time::sleep(PACE).await;
        Ok(Bytes::from(event))
    });
    Relayed { content_type: HeaderValue::from_static("text/event-stream"), length: None, pieces: pieces.boxed() }
}

fn about(object: &str, choices: &Value, usage: Option<&Value>) -> Value {
    json!({ "id": "demo", "object": object, "created": 0, "model": "demo", "choices": choices, "usage": usage })
}

/// Words with the white space after them.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive(char::is_whitespace)
}

#[cfg(test)]
mod tests {
    #[test]
    fn words_keep_every_byte() {
        assert_eq!(super::words(super::TEXT).collect::<String>(), super::TEXT);
    }
}
