//! How many tokens a text has: counted as the model counts where that is known, else a guess. Pure.

use super::Said;

/// What the protocol adds to each message, and to a conversation: the marks around them.
const PER_MESSAGE: i64 = 4;
const PER_CONVERSATION: i64 = 3;

/// Counted at one go: a text without a space takes time by the square of its length. Where it is cut there may be a token more.
const PART: usize = 4096;

/// How a model's tokens are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counter {
    /// As OpenAI's models since GPT-4o do.
    O200k,
    /// Nobody told how: a token is taken to be 3 bytes, which is rather too many of them (some 4 bytes of English, 3 of code).
    Guess,
}

impl Counter {
    /// Of a text by itself.
    #[must_use]
    pub fn count(self, text: &str) -> i64 {
        match self {
            Self::O200k => {
                let count = |part| tiktoken_rs::o200k_base_singleton().count_ordinary(part);
                i64::try_from(parts(text).map(count).sum::<usize>()).unwrap_or(i64::MAX / 2)
            }
            Self::Guess => guess(text.len()),
        }
    }

    /// Of what is asked: how many of the messages, the newest, fit beside what is told before them, and the tokens of all that.
    /// The last `kept` are always among them. No `room`: all fit.
    #[must_use]
    pub fn fit(self, system: &str, messages: &[Said], kept: usize, room: Option<i64>) -> (usize, i64) {
        let mut tokens = PER_CONVERSATION;
        if !system.is_empty() {
            tokens += PER_MESSAGE + self.count(system);
        }
        let mut fitting = 0;
        for message in messages.iter().rev() {
            let images: i64 = message.images.iter().map(|image| image.tokens).sum();
            let more = PER_MESSAGE + self.count(&message.text) + images;
            if fitting >= kept && room.is_some_and(|room| tokens + more > room) {
                break;
            }
            tokens += more;
            fitting += 1;
        }
        (fitting, tokens)
    }
}

/// A text in parts of at most [`PART`] bytes.
fn parts(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (part, after) = rest.split_at(rest.floor_char_boundary(PART));
        rest = after;
        (!part.is_empty()).then_some(part)
    })
}

/// No model counts more for an image of so many pixels, of at most 2048 a side. By what the vendors tell (November 2026):
/// Anthropic a token for 750 pixels; OpenAI 85 and 170 for each tile of 512 pixels, or a token for 32 by 32 pixels and 2.46 of
/// that in its smallest models; Gemini 258 for each tile of 768, or 1120 in all; Qwen a token for 28 by 28. GPT-4o mini alone
/// counts 2833 and 5667 for each of at most eight tiles.
#[must_use]
pub fn image_tokens(model: &str, width: u32, height: u32) -> i64 {
    if model.contains("gpt-4o-mini") {
        return 2833 + 8 * 5667;
    }
    let pixels = i64::from(width) * i64::from(height);
    (pixels / 750 + 100).max(4000)
}

/// The tokens of so many bytes of text, by a guess.
#[must_use]
pub fn guess(bytes: usize) -> i64 {
    i64::try_from(bytes / 3).unwrap_or(i64::MAX / 2)
}

#[cfg(test)]
mod tests {
    use super::{super::Image, *};

    #[test]
    fn counted_as_the_model_does() {
        assert_eq!((Counter::O200k.count(""), Counter::O200k.count("hello world")), (0, 2));
        assert_eq!(Counter::Guess.count("hello world"), 3);
        // a token is a byte at least, and the guess is too high rather than too low
        let english = "It is a truth universally acknowledged, that a single man in possession of a good fortune, must be in want \
                       of a wife. ";
        let (counted, guessed) = (Counter::O200k.count(english), Counter::Guess.count(english));
        assert!((20..40).contains(&counted) && counted < guessed && guessed < 2 * counted, "{counted} {guessed}");
    }

    /// What somebody might send to keep us busy: it is counted in a moment, and without a panic.
    #[test]
    fn odd_texts_are_counted_too() {
        for odd in ["a", " ", "\u{0}", "\u{1f600}", "\n", "1", "<|endoftext|>", "\u{300}"] {
            let text = odd.repeat(100_000 / odd.len());
            let count = Counter::O200k.count(&text);
            assert!(count > 0 && usize::try_from(count).unwrap() <= text.len(), "{odd:?}: {count}");
        }
        assert_eq!(parts(&"é".repeat(5000)).map(str::len).collect::<Vec<_>>(), [4096, 4096, 1808]);
        assert_eq!(parts("").count(), 0);
    }

    #[test]
    fn the_newest_that_fit() {
        let said = |n: usize| Said::words(n % 2 == 1, "x".repeat(27));
        let messages: Vec<_> = (0..5).map(said).collect();
        // 9 and 4 each, 3 for all
        let fit = |kept, room| Counter::Guess.fit("", &messages, kept, room);
        assert_eq!(fit(1, None), (5, 68));
        assert_eq!(fit(1, Some(68)), (5, 68));
        assert_eq!(fit(1, Some(67)), (4, 55));
        assert_eq!(fit(1, Some(28)), (1, 16));
        assert_eq!(fit(1, Some(0)), (1, 16), "the last one always");
        assert_eq!(fit(3, Some(0)), (3, 42));
        assert_eq!(Counter::Guess.fit(&"x".repeat(27), &messages, 1, Some(68)), (4, 68));
        assert_eq!(Counter::Guess.fit("", &[], 1, Some(0)), (0, 3));
    }

    #[test]
    fn an_image_takes_room_too() {
        let tokens = image_tokens("gpt-5.4", 2048, 2048);
        assert_eq!(
            (tokens, image_tokens("gpt-5.4", 30, 20), image_tokens("x/gpt-4o-mini", 30, 20)),
            (5692, 4000, 48_169)
        );
        let image = Image { media_type: "image/png".into(), data: String::new(), tokens };
        let seen = Said { images: vec![image], ..Said::words(false, "x".repeat(27)) };
        let messages = [seen, Said::words(true, "x".repeat(27))];
        let all = 3 + 2 * 13 + tokens;
        assert_eq!(Counter::Guess.fit("", &messages, 1, Some(all)), (2, all));
        assert_eq!(Counter::Guess.fit("", &messages, 1, Some(all - 1)), (1, 16));
    }
}
