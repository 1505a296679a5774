//! What a file of chats says, or what is wrong with it, as a sentence for people. No IO.

use super::others;
use crate::domain::{
    chats,
    export::form::{Author, FORMAT, FileForm, MessageForm, VERSION},
    files, generation,
};
use serde_json::value::RawValue;
use std::collections::HashSet;

/// Seconds.
const DAY: f64 = 86_400.;

/// The chats of a file, each still as it stands there: one, or a list.
pub fn chats(text: &str) -> Result<Vec<&RawValue>, String> {
    let text = text.trim_start_matches('\u{feff}').trim_start();
    let chats: serde_json::Result<Vec<&RawValue>> = if text.starts_with('[') {
        serde_json::from_str(text)
    } else {
        serde_json::from_str(text).map(|one| vec![one])
    };
    let chats = chats.map_err(|error| wrong(&error))?;
    if chats.is_empty() { Err("There is no chat in this file.".to_owned()) } else { Ok(chats) }
}

/// A chat in the form that `export` writes or in one of [`others`], nothing if nothing was said in it; NULs, which the
/// database cannot keep, are replaced.
pub fn chat(raw: &RawValue) -> Result<Option<FileForm>, String> {
    let mut file = match serde_json::from_str::<FileForm>(raw.get()) {
        Ok(file) => file,
        Err(error) => match elsewhere(raw.get()) {
            Some(file) if file.messages.is_empty() => return Ok(None),
            Some(file) => file,
            None => return Err(wrong(&error)),
        },
    };
    check(&file)?;
    file.chat.system_prompt = file.chat.system_prompt.replace('\0', "\u{fffd}").chars().take(4000).collect();
    file.chat.temperature = file.chat.temperature.filter(|t| (0. ..=2.).contains(t));
    file.chat.model = file.chat.model.take().map(|model| plain(&model, 300));
    for message in &mut file.messages {
        message.text = message.text.replace('\0', "\u{fffd}");
        message.reasoning = message.reasoning.replace('\0', "\u{fffd}");
        message.model = message.model.take().map(|model| plain(&model, 300));
        if let Some(rating) = &mut message.rating {
            rating.note = rating.note.replace('\0', "\u{fffd}").trim().chars().take(generation::MAX_NOTE).collect();
        }
        message.reason = message.reason.take().map(|reason| plain(&reason, 500));
        message.tokens = message.tokens.filter(|tokens| *tokens >= 0);
        message.thought = message.thought.filter(|seconds| (0. ..=DAY).contains(seconds));
    }
    Ok(Some(file))
}

/// A chat that was saved elsewhere.
fn elsewhere(text: &str) -> Option<FileForm> {
    let gpt = serde_json::from_str::<others::Gpt>(text).map(FileForm::from);
    gpt.or_else(|_| serde_json::from_str::<others::WebUi>(text).map(FileForm::from)).ok()
}

/// How many chats of a file can be brought along, and how many cannot be read.
///
/// # Errors
/// What is wrong with the file, when there are none.
pub fn count(text: &str) -> Result<(usize, usize), String> {
    let (mut good, mut bad, mut reason) = (0, 0, None);
    for raw in chats(text)? {
        match chat(raw) {
            Ok(found) => good += usize::from(found.is_some()),
            Err(sentence) => {
                bad += 1;
                reason.get_or_insert(sentence);
            }
        }
    }
    match reason {
        Some(sentence) if good == 0 => Err(sentence),
        None if good == 0 => Err("There is no chat in this file.".to_owned()),
        _ => Ok((good, bad)),
    }
}

fn wrong(error: &serde_json::Error) -> String {
    let place = format!("line {}, character {}", error.line(), error.column());
    match error.classify() {
        serde_json::error::Category::Eof => "This file ends too early: it was not saved whole.".to_owned(),
        serde_json::error::Category::Syntax | serde_json::error::Category::Io => {
            format!("This is no JSON: it cannot be read from {place} on.")
        }
        serde_json::error::Category::Data => {
            format!(
                "This is JSON, but not a chat that was saved from Parlor, ChatGPT or Open WebUI: something else is expected at {place}."
            )
        }
    }
}

fn check(file: &FileForm) -> Result<(), String> {
    if file.chat.format != FORMAT {
        return Err("This is JSON, but not a chat that was saved from Parlor.".to_owned());
    }
    if file.chat.version != VERSION {
        return Err(format!("This file is of version {}; this Parlor reads version {VERSION}.", file.chat.version));
    }
    if file.messages.is_empty() {
        return Err("A chat in this file has no message.".to_owned());
    }
    let mut known = HashSet::new();
    for (at, message) in file.messages.iter().enumerate() {
        if message.parent.as_deref().is_some_and(|parent| !known.contains(parent)) {
            return Err(format!(
                "Message {} of a chat in this file follows one that does not stand before it.",
                at + 1
            ));
        }
        if message.images.len() > files::MOST {
            return Err(format!("Message {} of a chat in this file has more than {} images.", at + 1, files::MOST));
        }
        if !known.insert(message.id.as_str()) {
            return Err(format!("Message {} of a chat in this file has the id of another one.", at + 1));
        }
    }
    Ok(())
}

/// The chat's title, or one made from its first message.
pub fn title(file: &FileForm) -> String {
    let title = plain(&file.chat.title, chats::MAX_TITLE);
    if title.is_empty() { chats::title_from(&file.messages[0].text) } else { title }
}

/// How the making of an imported answer ended, and why: nobody goes on with one that was not finished. Nothing for one that
/// a person has rewritten.
pub fn state(message: &MessageForm) -> Option<(&'static str, Option<&str>)> {
    debug_assert!(message.author == Author::Model, "only answers have a state");
    Some(match message.state.as_deref()? {
        "completed" => ("completed", message.reason.as_deref()),
        "stopped" => ("stopped", message.reason.as_deref()),
        "failed" if message.text.is_empty() => ("failed", message.reason.as_deref()),
        "interrupted" | "failed" => ("interrupted", message.reason.as_deref()),
        _ => ("interrupted", Some("This answer was not finished when it was saved.")),
    })
}

/// One line of at most so many characters.
fn plain(text: &str, most: usize) -> String {
    let words: Vec<_> = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|w| !w.is_empty()).collect();
    words.join(" ").chars().take(most).collect()
}

#[cfg(test)]
mod tests {
    use super::{chat, chats, count};

    #[test]
    fn what_is_wrong_is_said() {
        let file = |messages: &str| {
            format!(
                r#"{{"format":"parlor.chat","version":1,"title":"t","created_at":"2026-01-01T00:00:00Z","messages":[{messages}]}}"#
            )
        };
        let message = |id: &str, parent: &str| {
            format!(
                r#"{{"id":"{id}","parent":{parent},"order":0,"author":"person","at":"2026-01-01T00:00:00Z","text":"x"}}"#
            )
        };
        let good = file(&[message("a", "null"), message("b", "\"a\"")].join(","));
        assert_eq!(chat(chats(&good).unwrap()[0]).unwrap().unwrap().messages.len(), 2);
        assert_eq!(count(&format!("\u{feff} [{good},{good}]")), Ok((2, 0)));
        // one that cannot be read does not keep the others away
        assert_eq!(count(&format!("[{good},{{\"a\":1}},{good}]")), Ok((2, 1)));
        let images = format!("\"images\":[{}],\"text\"", [r#"{"name":"","data":"!"}"#; 9].join(","));
        for (text, words) in [
            (String::new(), "ends too early"),
            (good[..100].to_owned(), "ends too early"),
            ("hello".to_owned(), "no JSON"),
            ("[]".to_owned(), "no chat"),
            ("{\"a\":1}".to_owned(), "not a chat"),
            (good.replace("parlor.chat", "other"), "not a chat"),
            (good.replace("\"version\":1", "\"version\":2"), "of version 2"),
            (file(""), "has no message"),
            (file(&message("a", "null").replace("\"text\"", &images)), "has more than 8 images"),
            (file(&message("b", "\"a\"")), "does not stand before it"),
            (file(&[message("a", "null"), message("a", "null")].join(",")), "the id of another"),
        ] {
            let said = count(&text).unwrap_err();
            assert!(said.contains(words), "{text}: {said}");
        }
    }
}
