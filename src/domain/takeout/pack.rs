//! The making of a file: shelf by shelf and chat by chat, a bounded piece at a time. What has come out of the compressor is
//! kept as a part under the attempt's epoch; a worker that lost its lease keeps nothing any more, and the next attempt
//! begins anew.

use super::store::{self, Claimed};
use crate::{
    app::App,
    base::{
        Error, Result,
        ids::{ChatId, TakeoutId},
    },
    domain::{
        accounts::{self, Viewer},
        export::{self, Export, Extent, Told, form},
        files,
    },
};
use std::{
    io::Write,
    mem,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::Semaphore;
use zip::{
    ZipWriter,
    write::{SimpleFileOptions, StreamWriter},
};

/// Seconds without a word after which another process begins anew.
const LEASE: f64 = 30.;
/// Attempts; then it is given up.
const ATTEMPTS: i32 = 5;
/// Bytes of a part, about.
const PART: usize = 512 * 1024;

/// Files that this process makes at once.
static AT_ONCE: Semaphore = Semaphore::const_new(2);

/// How a chat looks in Markdown: its head, and one message.
#[derive(Clone, Copy)]
pub struct Face {
    pub heading: fn(&str) -> String,
    pub passage: fn(&Told) -> String,
}

/// Takes up those that nobody works on; returns at once.
///
/// # Errors
/// The database's.
pub async fn care(app: &App, face: Face) -> Result<()> {
    for id in store::forgotten(&app.pools.jobs).await? {
        take_up(app, id, face);
    }
    Ok(())
}

/// One for which there is no room now is called again.
fn take_up(app: &App, id: TakeoutId, face: Face) {
    let Ok(permit) = AT_ONCE.try_acquire() else { return };
    let ours = app.clone();
    app.tasks.spawn(async move {
        let _permit = permit;
        if let Err(error) = Box::pin(run(&ours, id, face)).await {
            tracing::warn!(takeout = %id, %error, "a file of somebody's data could not be made to its end");
        }
    });
}

async fn run(app: &App, id: TakeoutId, face: Face) -> Result<()> {
    let Some(claimed) = store::claim(&app.pools.jobs, id, LEASE).await? else { return Ok(()) };
    if claimed.epoch > ATTEMPTS {
        store::end(&app.pools.jobs, &claimed, true).await?;
        return Ok(());
    }
    let Some(user) = accounts::get(&app.pools.jobs, claimed.user).await? else { return Ok(()) };
    let packer = Packer { app, claimed, zip: Some(Zip::new()), parts: 0, chats: 0 };
    match Box::pin(packer.pack(&Viewer::from(&user), face)).await? {
        Outcome::Whole => Ok(store::end(&app.pools.jobs, &claimed, false).await?),
        Outcome::Stopping => Ok(store::release(&app.pools.jobs, &claimed).await?),
        Outcome::Lost => Ok(()),
    }
}

enum Outcome {
    Whole,
    /// This process ends.
    Stopping,
    /// Another worker has it now, or its owner is gone.
    Lost,
}

/// The compressor, and what has come out of it.
struct Zip {
    writer: ZipWriter<StreamWriter<Sink>>,
    out: Sink,
}

#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Sink {
    /// What is in it, if that is at least so much.
    fn take(&self, least: usize) -> Option<Vec<u8>> {
        let mut bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (bytes.len() >= least.max(1)).then(|| mem::take(&mut *bytes))
    }
}

impl Zip {
    fn new() -> Self {
        let out = Sink::default();
        Self { writer: ZipWriter::new_stream(out.clone()), out }
    }

    fn put(&mut self, piece: Piece) -> Result<()> {
        match piece {
            Piece::File(name) => self.writer.start_file(name, SimpleFileOptions::default()).map_err(Error::internal),
            Piece::Text(text) => self.writer.write_all(text.as_bytes()).map_err(Error::internal),
            Piece::Bytes(bytes) => self.writer.write_all(&bytes).map_err(Error::internal),
        }
    }
}

enum Piece {
    /// Begins a file of this name.
    File(String),
    /// More of it.
    Text(String),
    Bytes(Vec<u8>),
}

struct Packer<'a> {
    app: &'a App,
    claimed: Claimed,
    /// Away while it is at work on a thread of its own.
    zip: Option<Zip>,
    parts: i32,
    chats: i32,
}

impl Packer<'_> {
    async fn pack(mut self, viewer: &Viewer, face: Face) -> Result<Outcome> {
        let db = &self.app.pools.jobs;
        let shelves = store::shelves(db, viewer.id).await?;
        let ratings = [("ratings.json", store::ratings(db, viewer.id).await?)];
        for (name, value) in shelves.into_iter().chain(ratings) {
            let text = serde_json::to_string_pretty(&value).map_err(Error::internal)?;
            if !self.put(vec![Piece::File(name.to_owned()), Piece::Text(text)]).await? {
                return Ok(Outcome::Lost);
            }
        }
        let mut last = None;
        while let Some(chat) = store::next_chat(db, viewer.id, last).await? {
            if self.app.stopping.begun.is_cancelled() {
                return Ok(Outcome::Stopping);
            }
            last = Some(chat);
            self.chats += 1;
            for face in [None, Some(face)] {
                if !self.put_chat(viewer, chat, face).await? {
                    return Ok(Outcome::Lost);
                }
            }
        }
        if !self.put_images(viewer).await? {
            return Ok(Outcome::Lost);
        }
        let Some(Zip { writer, out }) = self.zip.take() else { return Ok(Outcome::Lost) };
        tokio::task::spawn_blocking(move || writer.finish().map(drop))
            .await
            .map_err(Error::internal)?
            .map_err(Error::internal)?;
        let mine = self.keep(out.take(1)).await?;
        Ok(if mine { Outcome::Whole } else { Outcome::Lost })
    }

    /// All images as they came.
    async fn put_images(&mut self, viewer: &Viewer) -> Result<bool> {
        let (mut last, mut number) = (None, 0);
        while let Some(id) = files::next(self.app, viewer, last).await? {
            (last, number) = (Some(id), number + 1);
            let content = match files::original(self.app, viewer, id).await {
                Ok(content) => content,
                Err(Error::NotFound) => continue, // removed meanwhile
                Err(error) => {
                    tracing::error!(%error, file = %id, "an image is missing in a file of somebody's data");
                    continue;
                }
            };
            let name = file_name("images", number, content.stem(), content.ending());
            if !self.put(vec![Piece::File(name), Piece::Bytes(content.bytes)]).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// A chat as JSON, all of its tree, to be imported again; or with a face as Markdown, as it is shown.
    async fn put_chat(&mut self, viewer: &Viewer, chat: ChatId, face: Option<Face>) -> Result<bool> {
        let extent = if face.is_some() { Extent::Path } else { Extent::Tree };
        let mut export = match export::begin(self.app, viewer, chat, extent).await {
            Ok(export) => export,
            Err(Error::NotFound) => return Ok(true), // deleted meanwhile
            Err(error) => return Err(error),
        };
        let name = file_name("chats", self.chats, &export.head.title, if face.is_some() { "md" } else { "json" });
        let begin = match face {
            Some(face) => (face.heading)(&export.head.title),
            None => form::begin(&export.head)?,
        };
        let mut mine = self.put(vec![Piece::File(name), Piece::Text(begin)]).await?;
        let mut first = true;
        while mine {
            let Some(text) = next(self.app, &mut export, face, &mut first).await? else { break };
            mine = self.put(vec![Piece::Text(text)]).await?;
        }
        if mine && face.is_none() {
            mine = self.put(vec![Piece::Text(form::END.to_owned())]).await?;
        }
        Ok(mine)
    }

    /// Compresses it, off the async threads, and keeps what is enough for a part. Says whether the attempt is still ours.
    async fn put(&mut self, pieces: Vec<Piece>) -> Result<bool> {
        let Some(mut zip) = self.zip.take() else { return Ok(false) };
        let worked =
            tokio::task::spawn_blocking(move || pieces.into_iter().try_for_each(|piece| zip.put(piece)).map(|()| zip));
        let zip = worked.await.map_err(Error::internal)??;
        let part = zip.out.take(PART);
        self.zip = Some(zip);
        self.keep(part).await
    }

    async fn keep(&mut self, part: Option<Vec<u8>>) -> Result<bool> {
        let numbered = part.as_deref().map(|body| (self.parts, body));
        let mine = store::keep(&self.app.pools.jobs, &self.claimed, self.chats, numbered, LEASE).await?;
        self.parts += i32::from(part.is_some());
        Ok(mine)
    }
}

/// The next messages of a chat, as text; nothing at its end.
async fn next(app: &App, export: &mut Export, face: Option<Face>, first: &mut bool) -> Result<Option<String>> {
    let Some(told) = export.next(app).await? else { return Ok(None) };
    let mut text = String::new();
    for one in &told {
        text.push_str(&match face {
            Some(face) => (face.passage)(one),
            None => form::line(one, mem::take(first))?,
        });
    }
    Ok(Some(text))
}

/// A number, so that no two are the same, and as much of the title as any system takes.
fn file_name(folder: &str, number: i32, title: &str, ending: &str) -> String {
    let kept = |c: char| if c.is_alphanumeric() || "-_,".contains(c) { c } else { ' ' };
    let words: String = title.chars().map(kept).take(60).collect();
    let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
    format!("{folder}/{}.{ending}", format!("{number:05} {words}").trim_end())
}

#[cfg(test)]
mod tests {
    use super::file_name;

    #[test]
    fn names_stay_in_their_folder() {
        for (title, name) in [
            ("Plan a week", "chats/00007 Plan a week.md"),
            ("../../etc/passwd", "chats/00007 etc passwd.md"),
            ("a\\b\n:c\u{202e}", "chats/00007 a b c.md"),
            ("Häuser, Bäume", "chats/00007 Häuser, Bäume.md"),
            ("", "chats/00007.md"),
        ] {
            assert_eq!(file_name("chats", 7, title, "md"), name);
        }
        assert!(file_name("chats", 7, &"x".repeat(500), "json").len() < 80);
    }
}
