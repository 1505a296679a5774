//! What the provider answers is a function of the question: the question itself tells length, pace and fault. Pure.

use rand::{Rng, SeedableRng, rngs::StdRng};
use std::fmt::Write as _;

/// How an answer goes wrong, by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It does not.
    Whole,
    /// 429 with `Retry-After`.
    Busy,
    /// 500.
    Broken,
    /// The connection breaks after so many characters.
    Cut(usize),
    /// Silence after so many characters, without an end.
    Stall(usize),
    /// The end of the stream without a finish reason.
    Unfinished,
}

/// One question, as the provider understands it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Script {
    /// The question's number in the run.
    pub number: u64,
    pub words: usize,
    /// Milliseconds between pieces.
    pub pace: u64,
    /// Words of reasoning before the answer.
    pub think: usize,
    pub end: End,
}

impl Script {
    pub fn draw(number: u64, rng: &mut StdRng) -> Self {
        let words = match rng.random_range(0..10) {
            0..=2 => rng.random_range(3..20),
            3..=7 => rng.random_range(20..160),
            _ => rng.random_range(160..500),
        };
        let chars = words * 6;
        let end = match rng.random_range(0..40) {
            0 => End::Busy,
            1 => End::Broken,
            2 | 3 => End::Cut(rng.random_range(0..chars)),
            4 => End::Stall(if rng.random_bool(0.3) { 0 } else { rng.random_range(0..chars) }),
            5 => End::Unfinished,
            _ => End::Whole,
        };
        let think = if rng.random_bool(0.2) { rng.random_range(3..60) } else { 0 };
        Self { number, words, pace: rng.random_range(2..60), think, end }
    }

    /// The question, with a word or two for people.
    pub fn question(&self) -> String {
        let end = match self.end {
            End::Whole => "whole".to_owned(),
            End::Busy => "busy".to_owned(),
            End::Broken => "broken".to_owned(),
            End::Cut(at) => format!("cut:{at}"),
            End::Stall(at) => format!("stall:{at}"),
            End::Unfinished => "unfinished".to_owned(),
        };
        let Self { number, words, pace, think, .. } = self;
        format!("q{number} words={words} pace={pace} think={think} end={end} – and <what> does \"that\" mean & why?")
    }

    /// Reads a question back; nothing for one of somebody else's.
    pub fn read(question: &str) -> Option<Self> {
        let mut parts = question.split(' ');
        let number = parts.next()?.strip_prefix('q')?.parse().ok()?;
        let mut field = |name: &str| parts.next()?.strip_prefix(name)?.strip_prefix('=').map(str::to_owned);
        let (words, pace, think) =
            (field("words")?.parse().ok()?, field("pace")?.parse().ok()?, field("think")?.parse().ok()?);
        let end = field("end")?;
        let end = match end.split_once(':') {
            Some(("cut", at)) => End::Cut(at.parse().ok()?),
            Some(("stall", at)) => End::Stall(at.parse().ok()?),
            _ => match end.as_str() {
                "whole" => End::Whole,
                "busy" => End::Busy,
                "broken" => End::Broken,
                "unfinished" => End::Unfinished,
                _ => return None,
            },
        };
        Some(Self { number, words, pace, think, end })
    }

    /// What the answer to request number `request` would be in whole: reasoning and Markdown. Both begin with the
    /// request's tag, so that whatever is stored tells which request it came from.
    pub fn answer(&self, request: u64) -> (String, String) {
        let mut rng = StdRng::seed_from_u64(self.number);
        let mut reasoning = String::new();
        if self.think > 0 {
            let _ = write!(reasoning, "{}", tag(request));
            for _ in 0..self.think {
                let _ = write!(reasoning, " {}", word(&mut rng));
            }
        }
        let mut text = tag(request);
        let mut left = self.words;
        while left > 0 {
            let take = left.min(rng.random_range(4..40));
            left -= take;
            text += &block(take, &mut rng);
        }
        (reasoning, text)
    }
}

/// `r17x`: no tag is the beginning of another.
pub fn tag(request: u64) -> String {
    format!("r{request}x")
}

/// The request that a stored text came from.
pub fn request_of(text: &str) -> Option<u64> {
    text.strip_prefix('r')?.split_once('x')?.0.parse().ok()
}

/// The letters and digits, in order: the same in Markdown, in its HTML, and in whatever of it is shown so far.
pub fn letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).collect()
}

fn word(rng: &mut StdRng) -> String {
    const SYLLABLES: [&str; 16] =
        ["ba", "so", "mi", "ret", "kul", "ä", "öst", "ven", "日", "本", "to", "ла", "ne", "qui", "zap", "3"];
    (0..rng.random_range(1..4)).map(|_| SYLLABLES[rng.random_range(0..SYLLABLES.len())]).collect()
}

/// One more block of Markdown with so many words.
fn block(words: usize, rng: &mut StdRng) -> String {
    let kind = rng.random_range(0..8);
    let mut out = String::from("\n\n");
    for n in 0..words {
        let plain = word(rng);
        match kind {
            5 if n % 5 == 0 => out += if n == 0 { "- " } else { "\n- " },
            6 if n == 0 => out += "```\n",
            6 if n % 7 == 0 => out += "\n",
            7 if n == 0 => out += "## ",
            _ if n > 0 => out += " ",
            _ => {}
        }
        let _ = match rng.random_range(0..24) {
            0 if kind < 6 => write!(out, "**{plain}**"),
            1 if kind < 6 => write!(out, "`{plain}`"),
            2 if kind < 6 => write!(out, "{plain} & 😀 < ({plain}),"),
            _ => write!(out, "{plain}"),
        };
    }
    if kind == 6 {
        // with the end of its line: what goes on right behind a fence would be its label, which is not read as text
        out += "\n```\n";
    }
    out
}
