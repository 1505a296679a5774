//! The form of a chat in JSON, which imports again: a head, then every message, each after the one that it follows.
//! A reader of it passes over fields that it does not know; what changes their meaning raises the version.

use super::{Head, Told};
use crate::base::{Error, Result};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde::{Deserialize, Serialize};
use time::{OffsetDateTime, serde::rfc3339};

pub const FORMAT: &str = "parlor.chat";
pub const VERSION: u32 = 1;

/// The head; `messages` follows it in the same object.
#[derive(Debug, Serialize, Deserialize)]
pub struct ChatForm {
    pub format: String,
    pub version: u32,
    pub title: String,
    /// `provider/name` of the model asked last.
    pub model: Option<String>,
    #[serde(default)]
    pub system_prompt: String,
    pub temperature: Option<f64>,
    #[serde(with = "rfc3339")]
    pub created_at: OffsetDateTime,
    /// The end of the shown path.
    pub leaf: Option<String>,
}

/// A whole file.
#[derive(Debug, Deserialize)]
pub struct FileForm {
    #[serde(flatten)]
    pub chat: ChatForm,
    pub messages: Vec<MessageForm>,
}

/// A message. Ids are good within the file only.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct MessageForm {
    pub id: String,
    pub parent: Option<String>,
    /// Among its siblings.
    pub order: i32,
    pub author: Author,
    #[serde(with = "rfc3339")]
    pub at: OffsetDateTime,
    pub text: String,
    /// Of a person's message.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<ImageForm>,
    /// Of an answer: what was thought before it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reasoning: String,
    /// Of an answer: who made it, how it stands (nothing, when a person has rewritten it), why it ended so, and how many
    /// tokens it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<i64>,
    /// Seconds of thinking before its first word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thought: Option<f64>,
    /// Of an answer: what was thought of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rating: Option<RatingForm>,
}

/// An image of a message: a copy that is upright, of at most 2000 pixels a side, and without what cameras write beside it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ImageForm {
    pub name: String,
    /// Its bytes in Base64; what it is, they say themselves.
    pub data: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RatingForm {
    /// Or disliked.
    pub liked: bool,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Author {
    Person,
    Model,
}

/// What the file ends with.
pub const END: &str = "\n]}\n";

/// What the file begins with.
///
/// # Errors
/// None that can happen.
pub fn begin(head: &Head) -> Result<String> {
    let form = ChatForm {
        format: FORMAT.to_owned(),
        version: VERSION,
        title: head.title.clone(),
        model: head.model.clone(),
        system_prompt: head.system.clone(),
        temperature: head.temperature,
        created_at: head.created_at,
        leaf: head.leaf.map(|leaf| leaf.to_string()),
    };
    let mut text = serde_json::to_string(&form).map_err(Error::internal)?;
    text.pop(); // the brace: the object goes on
    text.push_str(",\"messages\":[");
    Ok(text)
}

fn image((name, bytes): &(String, Vec<u8>)) -> ImageForm {
    ImageForm { name: name.clone(), data: BASE64_STANDARD.encode(bytes) }
}

/// One message as a line; `first` has no comma before it.
///
/// # Errors
/// None that can happen.
pub fn line(told: &Told, first: bool) -> Result<String> {
    let shown = &told.shown;
    let form = MessageForm {
        id: shown.id.to_string(),
        parent: shown.parent.map(|parent| parent.to_string()),
        order: told.place,
        author: if shown.by_model { Author::Model } else { Author::Person },
        at: shown.created_at,
        text: shown.text.clone(),
        images: told.images.iter().map(image).collect(),
        reasoning: shown.reasoning.clone(),
        model: Some(shown.model.clone()).filter(|model| !model.is_empty()),
        state: shown.state.map(|state| state.name().to_owned()),
        reason: shown.reason.clone(),
        tokens: shown.tokens,
        thought: shown.thought,
        rating: told.rating.as_ref().map(|rating| RatingForm { liked: rating.liked, note: rating.note.clone() }),
    };
    let text = serde_json::to_string(&form).map_err(Error::internal)?;
    Ok(if first { format!("\n{text}") } else { format!(",\n{text}") })
}
