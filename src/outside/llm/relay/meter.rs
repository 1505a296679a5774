//! What an answer used, found in its bytes as they pass, in whatever pieces they come: the value of the key `usage`, wherever it
//! stands. It cannot be something that was said, because within a text its quotation marks are escaped. The words are those of
//! OpenAI's two protocols and of Anthropic's.

use crate::outside::llm::{Usage, guess};
use memchr::memmem;
use serde::Deserialize;

const KEY: &[u8] = b"\"usage\"";
/// No vendor's count is so long.
const MOST: usize = 8 * 1024;

/// See the head of this file.
#[derive(Default)]
pub struct Meter {
    counted: Counted,
    found: bool,
    state: State,
    /// The end of what came, in which a key may begin.
    tail: Vec<u8>,
    /// Bytes that came, and events among them.
    bytes: usize,
    events: usize,
    /// Of the events, those after the last count.
    since: usize,
}

#[derive(Default)]
enum State {
    #[default]
    Looking,
    /// A key was found; what follows is its value.
    Found,
    /// Within its value.
    Value(Value),
}

#[derive(Default)]
struct Value {
    text: Vec<u8>,
    depth: usize,
    in_text: bool,
    escaped: bool,
}

impl Meter {
    /// Takes the next bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len();
        let events = memmem::find_iter(bytes, b"data:").count();
        self.events += events;
        self.since += events;
        let mut rest = bytes;
        while !rest.is_empty() {
            rest = match &mut self.state {
                State::Looking => self.look(rest),
                State::Found => self.colon(rest),
                State::Value(value) => match value.push(rest) {
                    Some(taken) => {
                        let text = std::mem::take(&mut value.text);
                        self.state = State::Looking;
                        if let Ok(counted) = serde_json::from_slice(&text) {
                            self.counted.add(counted);
                            self.found = true;
                            self.since = 0;
                        }
                        &rest[taken..]
                    }
                    None if value.text.len() > MOST => {
                        self.state = State::Looking;
                        &[]
                    }
                    None => &[],
                },
            };
        }
    }

    fn look<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        if !self.tail.is_empty() {
            // does a key begin in what came before?
            let before = self.tail.len();
            self.tail.extend_from_slice(&bytes[..bytes.len().min(KEY.len() - 1)]);
            if let Some(at) = memmem::find(&self.tail, KEY) {
                self.tail.clear();
                self.state = State::Found;
                return &bytes[at + KEY.len() - before..];
            }
            if bytes.len() < KEY.len() - 1 {
                let most = self.tail.len().saturating_sub(KEY.len() - 1);
                self.tail.drain(..most);
                return &[];
            }
            self.tail.clear();
        }
        if let Some(at) = memmem::find(bytes, KEY) {
            self.state = State::Found;
            return &bytes[at + KEY.len()..];
        }
        self.tail.extend_from_slice(&bytes[bytes.len().saturating_sub(KEY.len() - 1)..]);
        &[]
    }

    fn colon<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        match bytes.iter().position(|b| !(b.is_ascii_whitespace() || *b == b':')) {
            None => &[],
            Some(at) => {
                self.state = if bytes[at] == b'{' { State::Value(Value::default()) } else { State::Looking };
                &bytes[at..]
            }
        }
    }

    /// What the provider counted, or nothing if it did not.
    #[must_use]
    pub fn usage(&self) -> Option<Usage> {
        self.found.then(|| self.counted.usage())
    }

    /// A guess at what was answered so far, in tokens: one for each event; of what is no stream, by its length.
    #[must_use]
    pub fn guess(&self) -> i64 {
        if self.events > 0 { i64::try_from(self.events).unwrap_or(i64::MAX) } else { guess(self.bytes) }
    }

    /// As many events came after the last count.
    #[must_use]
    pub fn events_since(&self) -> i64 {
        i64::try_from(self.since).unwrap_or(i64::MAX)
    }
}

impl Value {
    /// How many of these bytes belong to it, if it ends in them.
    fn push(&mut self, bytes: &[u8]) -> Option<usize> {
        for (at, byte) in bytes.iter().enumerate() {
            match byte {
                _ if std::mem::take(&mut self.escaped) => {}
                b'\\' if self.in_text => self.escaped = true,
                b'"' => self.in_text = !self.in_text,
                b'{' if !self.in_text => self.depth += 1,
                b'}' if !self.in_text => {
                    self.depth -= 1;
                    if self.depth == 0 {
                        self.text.extend_from_slice(&bytes[..=at]);
                        return Some(at + 1);
                    }
                }
                _ => {}
            }
        }
        self.text.extend_from_slice(&bytes[..bytes.len().min(MOST + 1)]);
        None
    }
}

/// Everything that vendors call it.
#[derive(Default, Deserialize)]
struct Counted {
    prompt_tokens: Option<i64>,
    completion_tokens: Option<i64>,
    prompt_tokens_details: Option<Details>,
    completion_tokens_details: Option<Details>,
    // the same by the words of Responses and of Messages; some servers send both
    input_tokens: Option<i64>,
    output_tokens: Option<i64>,
    input_tokens_details: Option<Details>,
    output_tokens_details: Option<Details>,
    cache_read_input_tokens: Option<i64>,
    cache_creation_input_tokens: Option<i64>,
}

#[derive(Default, Deserialize)]
#[expect(clippy::struct_field_names, reason = "as vendors call them")]
struct Details {
    cached_tokens: Option<i64>,
    reasoning_tokens: Option<i64>,
    thinking_tokens: Option<i64>,
}

impl Counted {
    /// The last word counts, of what it says.
    fn add(&mut self, new: Self) {
        self.prompt_tokens = new.prompt_tokens.or(new.input_tokens).or(self.prompt_tokens);
        self.completion_tokens = new.completion_tokens.or(new.output_tokens).or(self.completion_tokens);
        self.cache_read_input_tokens = new.cache_read_input_tokens.or(self.cache_read_input_tokens);
        self.cache_creation_input_tokens = new.cache_creation_input_tokens.or(self.cache_creation_input_tokens);
        let prompt = new.prompt_tokens_details.or(new.input_tokens_details);
        self.prompt_tokens_details = prompt.or(self.prompt_tokens_details.take());
        let completion = new.completion_tokens_details.or(new.output_tokens_details);
        self.completion_tokens_details = completion.or(self.completion_tokens_details.take());
    }

    fn usage(&self) -> Usage {
        let of = Option::<i64>::unwrap_or_default;
        // what Anthropic counts as input has not come from the cache, nor gone there
        let from_cache = of(self.cache_read_input_tokens);
        let cached = self.prompt_tokens_details.as_ref().and_then(|details| details.cached_tokens);
        Usage {
            prompt: of(self.prompt_tokens) + from_cache + of(self.cache_creation_input_tokens),
            cached: self.cache_read_input_tokens.or(cached).unwrap_or_default(),
            completion: of(self.completion_tokens),
            reasoning: self
                .completion_tokens_details
                .as_ref()
                .and_then(|d| d.reasoning_tokens.or(d.thinking_tokens))
                .unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[expect(clippy::unnecessary_wraps, reason = "as it is expected")]
    fn usage(prompt: i64, cached: i64, completion: i64, reasoning: i64) -> Option<Usage> {
        Some(Usage { prompt, cached, completion, reasoning })
    }

    /// Whole, and byte by byte.
    fn check(text: &str, expected: Option<Usage>) {
        for size in [text.len().max(1), 1, 3, 7] {
            let mut meter = Meter::default();
            text.as_bytes().chunks(size).for_each(|piece| meter.push(piece));
            assert_eq!(meter.usage(), expected, "{text}, {size} at a time");
        }
    }

    #[test]
    fn what_vendors_say() {
        let chat = r#"{"choices":[],"usage":{"prompt_tokens":11,"completion_tokens":7,"prompt_tokens_details":{"cached_tokens":4},"completion_tokens_details":{"reasoning_tokens":2}}}"#;
        check(chat, usage(11, 4, 7, 2));
        check(r#"data: {"usage":null}"#, None);
        check(
            r#"{"usage" : { "input_tokens": 5, "output_tokens": 6, "output_tokens_details": {"reasoning_tokens": 1} } }"#,
            usage(5, 0, 6, 1),
        );
        // a text cannot be taken for it, nor what stands beside it
        check(r#"{"content":"\"usage\":{\"prompt_tokens\":9}","usage":{"prompt_tokens":1}}"#, usage(1, 0, 0, 0));
        check(r#"{"usage":"{","x":{"usage":{"prompt_tokens":1,"s":"}\"}"}}}"#, usage(1, 0, 0, 0));
        check(r#"{"usage":{"prompt_tokens":1}"#, usage(1, 0, 0, 0));
        check(r#"{"usage":{"prompt_tokens":1"#, None);
        check(r#""usag"usage":{"prompt_tokens":3}"#, usage(3, 0, 0, 0));
        check("", None);
    }

    #[test]
    fn anthropic_tells_at_the_beginning_and_at_the_end() {
        let begin = r#"data: {"message":{"usage":{"input_tokens":10,"cache_read_input_tokens":30,"cache_creation_input_tokens":2,"output_tokens":1}}}"#;
        let end = r#"data: {"type":"message_delta","usage":{"output_tokens":15}}"#;
        check(&format!("{begin}\n\n{end}\n\n"), usage(42, 30, 15, 0));
    }

    #[test]
    fn what_is_too_long_is_passed_over() {
        let text = format!(r#"{{"usage":{{"x":"{}"}},"usage":{{"prompt_tokens":2}}}}"#, "y".repeat(MOST * 2));
        let mut meter = Meter::default();
        text.as_bytes().chunks(1000).for_each(|piece| meter.push(piece));
        assert_eq!(meter.usage(), usage(2, 0, 0, 0));
    }

    #[test]
    fn a_guess_counts_the_events() {
        let mut meter = Meter::default();
        for _ in 0..5 {
            meter.push(format!("data: {{{}}}\n\n", "x".repeat(230)).as_bytes());
        }
        assert_eq!((meter.guess(), meter.events_since()), (5, 5));
        meter.push(br#"data: {"usage":{"prompt_tokens":1}}"#);
        meter.push(b"data: [DONE]");
        assert_eq!(meter.events_since(), 1);
        let mut whole = Meter::default();
        whole.push("x".repeat(3000).as_bytes());
        assert_eq!(whole.guess(), 1000);
    }

    proptest! {
        #[test]
        fn any_split_counts_the_same(cuts in prop::collection::vec(0usize..200, 0..12)) {
            let text = br#"data: {"a":"\"usage\":","usage":null}  data: {"usage"  : {"prompt_tokens":7,"prompt_tokens_details":{"cached_tokens":3}} ,"b":1}"#;
            let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut.min(text.len())).collect();
            cuts.extend([0, text.len()]);
            cuts.sort_unstable();
            let mut meter = Meter::default();
            cuts.windows(2).for_each(|pair| meter.push(&text[pair[0]..pair[1]]));
            prop_assert_eq!(meter.usage(), usage(7, 3, 0, 0));
        }
    }
}
