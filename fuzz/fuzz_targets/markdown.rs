//! Texts as a fuzzer draws them against the law of the Markdown stream.
#![no_main]

#[path = "../laws/markdown.rs"]
mod law;
#[allow(dead_code, unused_imports)]
#[path = "../../src/markdown/mod.rs"]
mod markdown;

libfuzzer_sys::fuzz_target!(|drawn: &[u8]| law::check(drawn));
