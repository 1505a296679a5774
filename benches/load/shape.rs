//! What an answer looks like, as the name of its model says, and its text: the provider sends it, the checks expect it.

use anyhow::{Context, bail};
use std::{str::FromStr, time::Duration};

/// The first chunk of every answer, and in no question: whoever reads it has the first content.
pub const FIRST: &str = "Lighthouses";

/// One kind of answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Chunks of content.
    pub chunks: usize,
    /// Between two chunks; zero: as fast as they are taken.
    pub pace: Duration,
    /// Of each chunk but the first; a token of English has four to five.
    pub bytes: usize,
    /// Before the first chunk.
    pub delay: Duration,
}

impl Shape {
    /// A shape with chunks of five bytes; times in milliseconds.
    pub const fn new(chunks: usize, pace: u64, delay: u64) -> Self {
        Self { chunks, pace: Duration::from_millis(pace), bytes: 5, delay: Duration::from_millis(delay) }
    }

    /// The name of its model: `paced-CHUNKS-PACE-BYTES-DELAY`, the times in milliseconds.
    pub fn name(&self) -> String {
        format!("paced-{}-{}-{}-{}", self.chunks, self.pace.as_millis(), self.bytes, self.delay.as_millis())
    }

    /// From its first chunk to its last, about.
    pub fn lasts(&self) -> Duration {
        self.pace * u32::try_from(self.chunks).expect("some thousands")
    }

    /// What an answer begins later than it could: some part of the pace, for each tag its own.
    pub fn phase(&self, tag: &str) -> Duration {
        let mixed = tag.bytes().fold(7_u32, |sum, byte| sum.wrapping_mul(16_777_619) ^ u32::from(byte));
        self.pace * (mixed.wrapping_mul(2_654_435_769) >> 22) / 1024
    }

    /// The chunks of the answer to a question of this tag. Two tags never have the same text.
    pub fn answer(&self, tag: &str) -> Vec<String> {
        let wanted = self.chunks.saturating_sub(1) * self.bytes;
        let mut text = format!(" ({tag}) are towers with a lamp. ");
        let mut next = tag.bytes().fold(0_usize, |sum, byte| sum * 31 % 65_521 + usize::from(byte));
        while text.len() < wanted + 4 {
            text.push_str(BLOCKS[next % BLOCKS.len()]);
            next += 1;
        }
        let mut chunks = vec![FIRST.to_owned()];
        let mut rest = text.as_str();
        while chunks.len() < self.chunks {
            let cut = (self.bytes.min(rest.len())..rest.len()).find(|at| rest.is_char_boundary(*at));
            let cut = cut.unwrap_or(rest.len());
            let (chunk, after) = rest.split_at(cut);
            chunks.push(chunk.to_owned());
            rest = if after.len() < 4 { BLOCKS[0] } else { after };
        }
        chunks
    }
}

impl FromStr for Shape {
    type Err = anyhow::Error;

    /// Bytes and delay may be left out.
    fn from_str(name: &str) -> anyhow::Result<Self> {
        let numbers = name.strip_prefix("paced-").context("a model's name begins with `paced-`")?;
        let numbers: Vec<u64> = numbers.split('-').map(str::parse).collect::<Result<_, _>>()?;
        let [chunks, pace, rest @ ..] = numbers.as_slice() else { bail!("`{name}` needs chunks and pace") };
        let mut shape = Self::new(usize::try_from(*chunks)?, *pace, rest.get(1).copied().unwrap_or_default());
        if let Some(bytes) = rest.first() {
            shape.bytes = usize::try_from(*bytes)?.max(1);
        }
        Ok(shape)
    }
}

/// What answers are made of: prose with markup, lists, code, a table, letters of several bytes.
const BLOCKS: [&str; 8] = [
    "They stand where land meets water, and their *only* work is to be seen. A keeper once lit the lamp by hand, \
     trimmed the wick and wrote the log; today a sensor does it, and the log is a line in a database.\n\n",
    "## How far the light goes\n\nThe range depends on three things:\n\n- the **height** of the lamp over the sea\n- \
     the strength of the lamp\n- the air: haze, rain, fog\n\n",
    "At sea the horizon is near. With the eye at `h` metres it is about `3.57 * sqrt(h)` kilometres away, so a lamp at \
     50 m is seen from 25 km — a little more, because the air bends the light.\n\n",
    "```rust\nfn range(height: f64) -> f64 {\n    3.57 * height.sqrt()\n}\n\nfn main() {\n    println!(\"{:.1} \
     km\", range(50.0));\n}\n```\n\n",
    "1. Find the character of the light on the chart.\n2. Count the flashes and the seconds between them.\n3. \
     Compare; two lights near each other are never alike.\n\n",
    "| light | height | range |\n|---|---|---|\n| Eckmühl | 60 m | 23 M |\n| Roter Sand | 24 m | 13 M |\n\n",
    "> A light that is out is worse than none: somebody counts on it.\n\nThat is why there is a second lamp, and a \
     third, and why the batteries last for days. Read [the list of lights](https://example.org/lights) before you \
     sail.\n\n",
    "The lens is the clever part. Augustin Fresnel cut it into rings, so that it is thin, light & bright: what went up \
     and down before now goes out to sea. It turns on a bath of mercury, \"as easily as a door\".\n\n",
];
