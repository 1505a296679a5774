//! The pure parts of `tests/chaos`, which has no harness of its own: their tests are here.
#![allow(dead_code, reason = "what is not tested here is used there")]

#[path = "../chaos/html.rs"]
mod html;
#[path = "../chaos/page.rs"]
pub mod page;
#[path = "../chaos/plan.rs"]
mod plan;
#[path = "../chaos/script.rs"]
mod script;

use page::Page;
use plan::plan;
use rand::{SeedableRng as _, rngs::StdRng};
use script::{End, Script, letters, request_of};
use std::{collections::BTreeSet, time::Duration};

#[test]
fn a_seed_is_a_plan() {
    let lease = Duration::from_secs(3);
    assert_eq!(plan(5, 7, lease), plan(5, 7, lease));
    assert_ne!(plan(5, 7, lease), plan(5, 8, lease));
    assert_ne!(plan(5, 7, lease), plan(6, 7, lease));
}

#[test]
fn every_kind_of_fault_comes_and_in_time() {
    let plans: Vec<_> = (0..200).map(|round| plan(1, round, Duration::from_secs(3))).collect();
    let kinds: BTreeSet<_> = plans.iter().flat_map(|p| p.faults.iter().map(|(_, fault)| fault.kind())).collect();
    assert_eq!(kinds.len(), 11, "{kinds:?}");
    assert!(plans.iter().all(|p| p.faults.iter().all(|(at, _)| *at < p.lasts)));
    let lengths: BTreeSet<_> = plans.iter().map(|p| p.faults.len()).collect();
    assert_eq!(lengths, BTreeSet::from([1, 2, 3, 4]));
}

#[test]
fn a_question_is_read_back() {
    let mut rng = StdRng::seed_from_u64(1);
    for number in 0..2000 {
        let script = Script::draw(number, &mut rng);
        assert_eq!(Script::read(&script.question()), Some(script));
    }
    assert_eq!(Script::read("hello"), None);
}

#[test]
fn an_answer_tells_its_request_and_is_the_same_again() {
    let script = Script { number: 7, words: 200, pace: 1, think: 9, end: End::Whole };
    let (reasoning, text) = script.answer(41);
    assert_eq!((request_of(&reasoning), request_of(&text)), (Some(41), Some(41)));
    assert_eq!(script.answer(41).1, text);
    assert_eq!(script.answer(42).1.strip_prefix("r42x"), text.strip_prefix("r41x"));
}

/// Or no reader could be compared with anything.
#[test]
fn letters_are_the_same_in_html() {
    for number in 0..300 {
        let text = Script { number, words: 150, pace: 1, think: 0, end: End::Whole }.answer(number).1;
        let html = parlor::markdown::render(&text, "x");
        let shown = Page::parse(&format!("<div id=\"t-x\">{html}</div>")).words("t-x");
        assert_eq!(letters(&shown.unwrap()), letters(&text), "{text}\n{html}");
    }
}

fn check(before: &str, data: &str, after: &str) {
    let mut page = Page::parse(before);
    let applied = page.apply(data);
    assert_eq!(page.spelled(), Page::parse(after).spelled(), "{data}");
    assert!(applied.missed.is_empty(), "{applied:?}");
}

#[test]
fn swaps() {
    let page = r#"<div id="a"><p>one &amp; <b>two</b></p><hr><p>three</p></div>"#;
    let partial = |target: &str, swap: &str, html: &str| {
        format!("<hx-partial hx-target=\"{target}\" hx-swap=\"{swap}\">{html}</hx-partial>")
    };
    check(page, &partial("#a", "beforeend", "x"), r#"<div id="a"><p>one &amp; <b>two</b></p><hr><p>three</p>x</div>"#);
    check(page, &partial("#a", "outerMorph", "<i id=\"a\">y</i>"), r#"<i id="a">y</i>"#);
    check(page, &partial("#a", "textContent", "&lt;b&gt;"), r#"<div id="a">&lt;b&gt;</div>"#);
    check(page, &partial("#a", "beforebegin", "<i></i>"), &format!("<i></i>{page}"));
    check(page, &partial("#nobody", "outerHTML", "y"), page);
    let patch = |path: &str, swap: &str, html: &str| {
        format!("<hx-patch hx-target=\"#a{path}\" hx-swap=\"{swap}\">{html}</hx-patch>")
    };
    let two = patch(" > :nth-child(1) > :nth-child(1)", "beforeend", "!") + &patch(" > :nth-child(2)", "delete", "");
    check(page, &two, r#"<div id="a"><p>one &amp; <b>two!</b></p><p>three</p></div>"#);
}

#[test]
fn a_partial_finds_its_target_before_the_event_and_a_patch_in_its_turn() {
    let brings = r##"<hx-partial hx-target="#slot" hx-swap="outerHTML"><p id="new">a</p></hx-partial>"##;
    let late = r##"<hx-partial hx-target="#new" hx-swap="beforeend">b</hx-partial>"##;
    let patch = r##"<hx-patch hx-target="#new" hx-swap="beforeend">c</hx-patch>"##;
    check("<i id=\"slot\"></i>", &format!("{brings}{late}{patch}"), "<p id=\"new\">ac</p>");
}

#[test]
fn a_patch_that_misses_is_told() {
    let mut page = Page::parse("<div id=\"t-1\"><p>a</p></div>");
    let patch = r##"<hx-patch hx-target="#t-1 > :nth-child(2)" hx-swap="beforeend">c</hx-patch>"##;
    assert_eq!(page.apply(patch).missed.len(), 1);
    assert!(page.apply(&patch.replace("t-1", "t-2")).missed.is_empty());
}

#[test]
fn only_what_is_wanted() {
    let html = r#"<!doctype html><body><main><div id="x">1</div><p><b id="send-7" hidden>2<br>3</b></p></main>"#;
    let page = Page::only(html, |id| id.starts_with("send-"));
    assert_eq!(page.spelled(), "<b id=\"send-7\" hidden=\"\">2<br></br>3</b>");
    assert_eq!(page.words("send-7").as_deref(), Some("23"));
    assert!(!page.has("x"));
}
