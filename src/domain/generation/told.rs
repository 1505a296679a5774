//! What a model is told of a chat: the newest messages of the path, with their images. What must not live here: which of them
//! fit (`llm::Counter`), and the asking (ask.rs).

use super::store;
use crate::{
    app::{App, SHOWING},
    base::{
        Error, Result,
        ids::{ChatId, MessageId},
    },
    domain::files::{self, Seen},
    outside::llm::{Ask, Facts, Image, Said, image_tokens},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use sqlx::PgConnection;
use std::{borrow::Cow, collections::HashMap, mem};
use tokio::sync::SemaphorePermit;

/// Bytes of images that go along with one request, the newest of them: every vendor takes so much, in Base64.
const MOST_IMAGE_BYTES: i64 = 12 * 1024 * 1024;
/// And so many of them: with more, Anthropic bounds their sides, and others take none.
const MOST_IMAGES: usize = 20;

/// A conversation. The images in it are counted, and have no bytes yet: see [`Prompt::with_images`].
pub(super) struct Told {
    /// What is told before it.
    pub system: String,
    pub temperature: Option<f64>,
    pub messages: Vec<Said>,
    pub ids: Vec<MessageId>,
    /// The question has images that this model cannot see.
    pub is_unseen: bool,
    /// Where the images are, in the order of the messages.
    seen: Vec<Seen>,
}

/// What this model is told after `leaf`, of at most `limit` messages with that one. An image that it cannot see, or that is one
/// too many, is told by its name.
pub(super) async fn told(
    conn: &mut PgConnection,
    (chat, leaf): (ChatId, MessageId),
    limit: i32,
    (model, facts): (&str, &Facts),
) -> Result<Told> {
    let found = store::conversation(conn, chat, leaf, limit).await?;
    let mut of: HashMap<MessageId, Vec<Seen>> = HashMap::new();
    if found.files {
        for seen in files::seen(conn, chat, &found.ids).await? {
            of.entry(seen.message).or_default().push(seen);
        }
    }
    let sees = facts.images != Some(false);
    let is_unseen = !sees && found.ids.last().is_some_and(|question| of.contains_key(question));
    let path = found.by_model.into_iter().zip(found.texts);
    let mut messages: Vec<_> = path.map(|(by_model, text)| Said::words(by_model, text)).collect();
    let (mut all, mut room) = (Vec::new(), if sees { MOST_IMAGE_BYTES } else { 0 });
    for (message, id) in messages.iter_mut().zip(&found.ids).rev() {
        // the newest images first, then turned round with everything else
        for seen in of.remove(id).unwrap_or_default().into_iter().rev() {
            room -= i64::from(seen.view_size);
            if room < 0 || all.len() == MOST_IMAGES {
                tell_by_name(message, &seen.name);
                continue;
            }
            let size = |n: i32| n.unsigned_abs();
            let tokens = image_tokens(model, size(seen.width), size(seen.height));
            message.images.insert(0, Image { media_type: seen.view_type.clone(), data: String::new(), tokens });
            all.push(seen);
        }
    }
    all.reverse();
    let system = system_prompt(&found.instructions, &found.system);
    Ok(Told { system, temperature: found.temperature, messages, ids: found.ids, is_unseen, seen: all })
}

/// What is asked, with its images still in the folder.
pub(super) struct Prompt {
    pub ask: Ask,
    /// Where the images are, in the order of the messages.
    seen: Vec<Seen>,
}

impl Told {
    /// The newest of what is told, as `ask` has it.
    pub fn prompt(self, ask: Ask) -> Prompt {
        let images = ask.messages.iter().map(|message| message.images.len()).sum::<usize>();
        let left_out = self.seen.len().saturating_sub(images);
        Prompt { ask, seen: self.seen.into_iter().skip(left_out).collect() }
    }
}

impl Prompt {
    /// What is asked, with the bytes of its images, and the room that they take in this process: both to be let go once it is
    /// sent. An image that cannot be read is told by its name.
    ///
    /// # Errors
    /// The process ends.
    pub async fn with_images<'a>(&'a self, app: &'a App) -> Result<(Cow<'a, Ask>, Option<SemaphorePermit<'a>>)> {
        if self.seen.is_empty() {
            return Ok((Cow::Borrowed(&self.ask), None));
        }
        let bytes: i64 = self.seen.iter().map(|seen| i64::from(seen.view_size)).sum();
        let room = u32::try_from(bytes / (1024 * 1024) + 1).unwrap_or(u32::MAX).min(SHOWING);
        let permit = app.showing.acquire_many(room).await.map_err(Error::internal)?;
        let (mut ask, mut seen) = (self.ask.clone(), self.seen.iter());
        for message in &mut ask.messages {
            for mut image in mem::take(&mut message.images) {
                let Some(seen) = seen.next() else { break };
                match files::read_seen(app, seen).await {
                    Ok(bytes) => {
                        image.data = BASE64_STANDARD.encode(bytes);
                        message.images.push(image);
                    }
                    Err(error) => {
                        tracing::error!(%error, "an image of a conversation could not be read");
                        tell_by_name(message, &seen.name);
                    }
                }
            }
        }
        Ok((Cow::Owned(ask), Some(permit)))
    }
}

fn tell_by_name(message: &mut Said, name: &str) {
    let gap = if message.text.is_empty() { "" } else { "\n\n" };
    message.text = format!("{}{gap}[Image: {name}]", message.text);
}

/// What a model is told before the conversation: the person's own instructions, then the chat's.
fn system_prompt(instructions: &str, chat: &str) -> String {
    let parts = [instructions.trim(), chat.trim()];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n\n")
}
