//! What the feed sends to a page: fragments, each the data of one server-sent event, the same for every viewer.
//!
//! A fragment whose target is not on the page does nothing; so a page that shows another path stays as it is.
//! The wrapper is `<hx-patch>` (ours, `static/js/patch.js`), which finds its target when its turn comes: what one event
//! holds builds on each other (a turn, its first thought, its end). htmx's own `<hx-partial>` finds its targets before
//! anything of the same event is put in, so a reader that gets much at once would miss most of it.

use std::fmt::{Display, Write};

use super::composer::{Send, Stop};
use super::message::{Slot, Thinking};
use super::{Composer, Message, MessageState, Turn, dom, text};
use crate::base::ids::{ChatId, MessageId};
use crate::markdown::{Patch, Swap};

/// A question and its answer, for the slot after `parent`; the composer's next parent moves along.
pub fn turn(parent: Option<MessageId>, turn: &Turn) -> String {
    let answer = &turn.answer;
    let slot = Slot { leaf: Some(answer.id) };
    let articles = format!("{}{}{slot}", turn.question.render(), answer.render());
    // a question that is followed by another one is no longer at the end
    let ask = parent.map(|parent| partial(&dom::ask(parent), "delete", "")).unwrap_or_default();
    partial(&dom::slot(parent), "outerHTML", articles) + &ask + &send(parent, answer) + &stop(answer)
}

/// The answer to a sent form: the turn, if the feed has not brought it yet, and the form anew.
pub fn sent(parent: Option<MessageId>, exchange: &Turn, composer: &Composer) -> String {
    turn(parent, exchange) + &refused(composer)
}

/// The form anew, with what was wrong in it.
pub fn refused(composer: &Composer) -> String {
    partial(dom::SAY, "outerMorph", composer.form(true))
}

/// A whole message, for readers that join in the middle of it or after its end.
pub fn morph(message: &Message) -> String {
    partial(&dom::message(message.id), "outerMorph", message.render()) + &stop(message)
}

/// Changes of a message's text, in order.
pub fn patches(id: MessageId, patches: &[Patch]) -> String {
    let mut out = String::new();
    for patch in patches {
        let swap = match patch.swap {
            Swap::Append => "beforeend",
            Swap::Replace => "outerHTML",
            Swap::Remove => "delete",
        };
        write!(out, "<hx-patch hx-target=\"#{}", dom::text(id)).expect("a String takes everything");
        for index in &patch.path {
            write!(out, " > :nth-child({})", index + 1).expect("a String takes everything");
        }
        write!(out, "\" hx-swap=\"{swap}\">{}</hx-patch>", patch.html).expect("a String takes everything");
    }
    out
}

/// Reasoning that came; `first` brings the fold it goes into.
pub fn reasoning(id: MessageId, text: &str, first: bool) -> String {
    if first {
        let fold = Thinking { id, label: text::THOUGHTS.into(), text };
        return partial(&dom::text(id), "beforebegin", fold);
    }
    partial(&dom::reasoning_text(id), "beforeend", escaped(text))
}

/// An answer is taken up, put off, or let out of the line: its foot, Stop or not, and a word for those who listen.
pub fn stands(message: &Message) -> String {
    let word = match message.state {
        MessageState::Streaming => announce(text::SAY_ANSWERING),
        MessageState::Waiting { .. } => announce(message.reason.as_deref().unwrap_or(text::WAITING)),
        _ => String::new(),
    };
    foot(message) + &stop(message) + &word
}

/// An answer is over, however: its foot, its thinking time, no more Stop, and a word for those who listen.
pub fn ended(message: &Message) -> String {
    let label =
        partial(&dom::reasoning_label(message.id), "textContent", escaped(&text::thought(message.reasoning_seconds)));
    let word = match message.state {
        MessageState::Completed => text::SAY_FINISHED,
        MessageState::Stopped => text::SAY_STOPPED,
        _ => message.reason.as_deref().unwrap_or(text::FAILED),
    };
    foot(message) + &label + &stop(message) + &announce(word)
}

/// A chat has another title: in the tab, over the conversation, in the list. Only for pages that show this chat.
pub fn title(chat: ChatId, title: &str) -> String {
    let name = escaped(title);
    format!("<title>{}</title>", escaped(&text::tab(title)))
        + &partial(&dom::title(chat), "textContent", &name)
        + &partial(&dom::link_title(chat), "textContent", &name)
}

/// A chat was renamed in the list of a page: that of the chat itself (`own`), or another one.
pub fn renamed(chat: ChatId, title: &str, own: bool) -> String {
    if own { self::title(chat, title) } else { partial(&dom::link_title(chat), "textContent", escaped(title)) }
}

/// State and tools of a message.
pub fn foot(message: &Message) -> String {
    partial(&dom::foot(message.id), "outerHTML", message.foot())
}

/// The send button of pages whose path ended with `leaf` and now ends with `answer`.
fn send(leaf: Option<MessageId>, answer: &Message) -> String {
    let button = Send { leaf: Some(answer.id), disabled: false };
    partial(&dom::send(leaf), "outerHTML", button)
}

/// Stop, on pages that show this answer: there while it is being written. As patches, since the answer may have come
/// with the same event.
fn stop(message: &Message) -> String {
    let (target, swap, form) = if message.state.running() {
        (dom::stopping(message.id), "innerHTML", Stop { answer: message.id }.to_string())
    } else {
        (dom::stop(message.id), "delete", String::new())
    };
    patch(&target, swap, form)
}

fn announce(words: &str) -> String {
    partial(dom::ANNOUNCE, "beforeend", format_args!("<p>{}</p>", escaped(words)))
}

pub(super) fn partial(id: &str, swap: &str, content: impl Display) -> String {
    patch(&format!("#{id}"), swap, content)
}

pub(super) fn patch(target: &str, swap: &str, content: impl Display) -> String {
    format!("<hx-patch hx-target=\"{target}\" hx-swap=\"{swap}\">{content}</hx-patch>")
}

pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id() -> MessageId {
        "01890000-0000-7000-8000-000000000001".parse().expect("an id")
    }

    #[test]
    fn a_patch_names_its_element_by_position() {
        let patch = |path: &[usize], swap, html: &str| Patch { path: path.to_vec(), swap, html: html.into() };
        let out = patches(
            id(),
            &[patch(&[], Swap::Append, "<p>a</p>"), patch(&[2, 0], Swap::Append, " b "), patch(&[1], Swap::Remove, "")],
        );
        let text = format!("#t-{}", id());
        assert_eq!(
            out,
            format!(
                "<hx-patch hx-target=\"{text}\" hx-swap=\"beforeend\"><p>a</p></hx-patch>\
                 <hx-patch hx-target=\"{text} > :nth-child(3) > :nth-child(1)\" hx-swap=\"beforeend\"> b </hx-patch>\
                 <hx-patch hx-target=\"{text} > :nth-child(2)\" hx-swap=\"delete\"></hx-patch>"
            )
        );
    }

    #[test]
    fn reasoning_is_text_and_nothing_else() {
        assert!(reasoning(id(), " <b>&", false).ends_with("\"> &lt;b&gt;&amp;</hx-patch>"));
        assert!(!reasoning(id(), "</div><script>", true).contains("<script"));
    }
}
