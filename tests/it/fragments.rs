//! What the feed's fragments make of a page: the same, however many of them come in one event.

use crate::chaos::page::Page;
use parlor::{
    base::ids::{ChatId, MessageId},
    views::{Composer, Message, MessageState, Turn, feed},
};

fn message(id: u128, mine: bool, html: &str, state: MessageState) -> Message {
    Message {
        images: Vec::new(),
        id: MessageId(uuid::Uuid::from_u128(id)),
        chat: ChatId(uuid::Uuid::from_u128(1)),
        parent: None,
        mine,
        html: html.into(),
        reasoning: String::new(),
        reasoning_seconds: None,
        state,
        reason: None,
        model: "openai/fake-1".into(),
        tokens: None,
        source: None,
        versions: None,
        unanswered: false,
        rating: None,
    }
}

/// The answer to a form may take longer than the answer of the model.
#[test]
fn a_turn_that_comes_after_its_end() {
    let (root, chat) = (MessageId(uuid::Uuid::from_u128(2)), ChatId(uuid::Uuid::from_u128(1)));
    let turn = |state| Turn {
        question: message(3, true, "<p>Why?</p>", MessageState::Sent),
        answer: message(4, false, "", state),
    };
    let mut page = Page::parse(&format!(
        "<div id=\"after-{root}\"></div><div id=\"send-{root}\"></div><div id=\"stopping\"></div><b id=\"cl-{chat}\"></b>"
    ));
    page.apply(&feed::turn(Some(root), &turn(MessageState::Queued)));
    assert!(page.has("stop"));
    page.apply(&feed::ended(&message(4, false, "", MessageState::Completed)));
    assert!(!page.has("stop"));
    let ended = page.clone();
    let composer = Composer {
        files: Vec::new(),
        quota: None,
        attach: "/files/new".into(),
        max_mb: 10,
        context: None,
        prompts: "/prompts".to_owned(),
        action: format!("/chats/{chat}/messages"),
        key: String::new(),
        parent: None,
        models: Vec::new(),
        no_models: None,
        text: String::new(),
        error: None,
        max_chars: 10,
        answering: None,
        focus: false,
        left: None,
    };
    page.apply(&feed::sent(Some(root), &turn(MessageState::Queued), &composer));
    assert_eq!(page.spelled(), ended.spelled());
}

/// A reader that comes late, or whose process was without its database for a moment, gets a whole answer at once.
#[test]
fn a_whole_answer_in_one_event() {
    let root = MessageId(uuid::Uuid::from_u128(2));
    let answer = |state, html: &str| message(4, false, html, state);
    let question = message(3, true, "<p>Why?</p>", MessageState::Sent);
    let ended = Message { reasoning_seconds: Some(3), ..answer(MessageState::Completed, "") };
    let events = [
        feed::turn(Some(root), &Turn { question, answer: answer(MessageState::Queued, "") }),
        feed::stands(&answer(MessageState::Streaming, "")),
        feed::reasoning(ended.id, "Let me ", true),
        feed::reasoning(ended.id, "think.", false),
        feed::ended(&ended),
    ];
    let before = format!("<div id=\"after-{root}\"></div><div id=\"send-{root}\"></div>");
    let (mut slow, mut quick) = (Page::parse(&before), Page::parse(&before));
    for event in &events {
        slow.apply(event);
    }
    quick.apply(&events.concat());
    assert_eq!(quick.spelled(), slow.spelled());
    let id = ended.id;
    assert_eq!(quick.attribute(&format!("f-{id}"), "data-state").as_deref(), Some("completed"));
    assert_eq!(quick.words(&format!("rt-{id}")).as_deref(), Some("Let me think."));
    assert_eq!(quick.words(&format!("rs-{id}")).as_deref(), Some("Thought for 3 s"));
    assert!(quick.has(&format!("send-{id}")) && !quick.has(&format!("send-{root}")));
}
