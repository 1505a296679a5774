//! Chats brought along in a file: it is checked at once and kept, and a job makes its chats, each in one transaction
//! with its number, so that a job which comes twice, or again after a loss, makes none twice.

mod others;
mod read;
mod store;

pub use store::Progress;

use crate::{
    app::App,
    base::{
        Error, Result,
        ids::{FileId, ImportId, MessageId, UserId},
        queue::{self, Job},
    },
    domain::{
        accounts::Viewer,
        export::form::{Author, FileForm, MessageForm},
        feed,
        files::{self, Made},
        generation,
    },
    markdown,
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use std::{borrow::Cow, collections::HashMap, fmt::Write as _};

/// Bytes of a file at most. Of its chats one at a time is held besides.
pub const MAX_FILE: usize = 128 * 1024 * 1024;
/// Files of one person that are worked on at once.
const MAX_UNFINISHED: i64 = 3;

/// The job: make the chats of this file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Bring {
    pub import_id: ImportId,
}

impl Job for Bring {
    const QUEUE: &'static str = "import";
}

/// Checks a file and keeps it for the job.
///
/// # Errors
/// [`Error::Invalid`] for `file`, with what is wrong with it; [`Error::Conflict`] while others are worked on.
pub async fn accept(app: &App, viewer: &Viewer, name: &str, bytes: Vec<u8>) -> Result<()> {
    let checked = tokio::task::spawn_blocking(move || {
        let text =
            String::from_utf8(bytes).map_err(|_| "This is no text, so it cannot be a file of chats.".to_owned())?;
        let counts = read::count(&text)?;
        Ok((text, counts))
    });
    let checked: std::result::Result<_, String> = checked.await.map_err(Error::internal)?;
    let (text, (chats, left_out)) = checked.map_err(|sentence| Error::invalid("file", sentence))?;
    let name: String = name.chars().filter(|c| !c.is_control()).take(120).collect();
    let mut tx = app.pools.http.begin().await?;
    if store::unfinished(&mut tx, viewer.id).await? >= MAX_UNFINISHED {
        return Err(Error::Conflict("Your files before this one are still being worked on. Wait for them.".to_owned()));
    }
    let most = |count: usize| i32::try_from(count).unwrap_or(i32::MAX);
    let import_id = store::insert(&mut tx, viewer.id, &name, &text, most(chats), most(left_out)).await?;
    queue::enqueue(&mut tx, &Bring { import_id }).await?;
    tx.commit().await?;
    Ok(())
}

/// A viewer's newest files, and how far they are.
///
/// # Errors
/// The database's.
pub async fn progress(app: &App, viewer: &Viewer) -> Result<Vec<Progress>> {
    Ok(store::newest(&app.pools.http, viewer.id, 5).await?)
}

/// Takes up a file; returns at once.
pub fn take_up(app: &App, id: ImportId) {
    let ours = app.clone();
    app.tasks.spawn(async move {
        if let Err(error) = run(&ours, id).await {
            // what is made is made; the hourly care calls again
            tracing::warn!(import = %id, %error, "a file of chats could not be imported to its end");
        }
    });
}

/// Calls again for files whose job was lost.
///
/// # Errors
/// The database's.
pub async fn care(app: &App) -> Result<()> {
    let mut conn = app.pools.jobs.acquire().await?;
    for import_id in store::forgotten(&mut conn).await? {
        queue::enqueue(&mut conn, &Bring { import_id }).await?;
    }
    Ok(())
}

async fn run(app: &App, id: ImportId) -> Result<()> {
    let Some(text) = store::body(&app.pools.jobs, id).await? else { return Ok(()) };
    let chats =
        read::chats(&text).map_err(|sentence| Error::Internal(anyhow::anyhow!("checked, and then: {sentence}")))?;
    let mut number = 0;
    for raw in chats {
        if app.stopping.begun.is_cancelled() {
            return Ok(());
        }
        // what cannot be read was told when the file came
        let raw = raw.to_owned();
        let chat = tokio::task::spawn_blocking(move || read::chat(&raw)).await.map_err(Error::internal)?;
        let Ok(Some(chat)) = chat else { continue };
        if !bring(app, id, number, &chat).await? {
            return Ok(());
        }
        number += 1;
    }
    store::end(&app.pools.jobs, id).await?;
    Ok(())
}

/// One chat, if it is not there yet. Not, and then none of those that follow, when the account is disabled by now.
async fn bring(app: &App, id: ImportId, number: i32, file: &FileForm) -> Result<bool> {
    if store::done(&app.pools.jobs, id).await?.is_some_and(|done| done > number) {
        return Ok(true);
    }
    // decoding takes its time: nothing is locked meanwhile
    let mut images = Images::take(app, file).await;
    let result = bring_with(app, id, number, file, &mut images).await;
    images.discard(app).await;
    result
}

async fn bring_with(app: &App, id: ImportId, number: i32, file: &FileForm, images: &mut Images) -> Result<bool> {
    let mut tx = app.pools.jobs.begin().await?;
    // whoever else works on this file waits here, and then finds it done
    let Some((user, done)) = store::lock(&mut tx, id).await? else { return Ok(false) };
    if done > number {
        return Ok(true);
    }
    let chat = store::chat(&mut tx, user, &read::title(file), &file.chat).await?;
    feed::store::open(&mut tx, chat).await?;
    let mut ids: HashMap<String, MessageId> = HashMap::with_capacity(file.messages.len());
    let mut last = None;
    for message in &file.messages {
        let (message, taken) = &images.enter(app, &mut tx, user, message).await?;
        let parent = message.parent.as_deref().and_then(|parent| ids.get(parent)).copied();
        let by_model = message.author == Author::Model;
        let html = (!by_model).then(|| markdown::plain(&message.text));
        let new = store::message(&mut tx, chat, parent, message, html.as_deref()).await?;
        files::attach(&mut tx, user, (chat, new), taken).await?;
        if by_model {
            let (text, scope) = (message.text.clone(), new.to_string());
            let rendered = tokio::task::spawn_blocking(move || markdown::render(&text, &scope)).await;
            let html = rendered.unwrap_or_else(|_| markdown::plain(&message.text));
            store::html(&mut tx, chat, new, &html).await?;
            if let Some(ended) = read::state(message) {
                store::answer(&mut tx, chat, new, user, message, ended).await?;
            }
            if let Some(rating) = &message.rating {
                generation::set_rating(&mut tx, chat, new, user, rating.liked, Some(&rating.note)).await?;
            }
        }
        ids.insert(message.id.clone(), new);
        last = Some(new);
    }
    let leaf = file.chat.leaf.as_deref().and_then(|leaf| ids.get(leaf)).copied().or(last);
    store::close(&mut tx, id, number + 1, chat, leaf).await?;
    feed::ring_list(&mut tx, user).await?;
    // should the commit fail, its outcome is not known: what has no row then, the hourly care of files removes
    images.keep();
    tx.commit().await?;
    Ok(true)
}

/// The images of a chat: on the disk, by the message they are of, and in no row yet.
#[derive(Default)]
struct Images(HashMap<String, Vec<(String, Option<Made>)>>);

impl Images {
    /// What cannot be taken (it is no image, or there is no room) has its name alone.
    async fn take(app: &App, file: &FileForm) -> Self {
        let mut all = HashMap::new();
        for message in file.messages.iter().filter(|message| !message.images.is_empty()) {
            let mut own = Vec::new();
            for image in &message.images {
                let name = files::clean_name(&image.name);
                let made = match BASE64_STANDARD.decode(&image.data) {
                    Ok(bytes) => files::bring(app, &name, bytes).await.ok(),
                    Err(_) => None,
                };
                own.push((name, made));
            }
            all.insert(message.id.clone(), own);
        }
        Self(all)
    }

    /// A message with its images in rows. One that was not taken is told by its name.
    async fn enter<'a>(
        &self,
        app: &App,
        tx: &mut PgConnection,
        user: UserId,
        message: &'a MessageForm,
    ) -> Result<(Cow<'a, MessageForm>, Vec<FileId>)> {
        let (mut told, mut taken) = (Cow::Borrowed(message), Vec::new());
        for (name, made) in self.0.get(&message.id).into_iter().flatten() {
            let entered = match made {
                Some(made) => made.enter(app, tx, user).await,
                None => Err(Error::invalid("file", "no image")),
            };
            match entered {
                Ok(file) => taken.push(file.id),
                Err(Error::Invalid(_)) => {
                    let text = &mut told.to_mut().text;
                    let gap = if text.is_empty() { "" } else { "\n\n" };
                    let _ = write!(text, "{gap}[Image: {name}]"); // a String takes everything
                }
                Err(error) => return Err(error),
            }
        }
        Ok((told, taken))
    }

    /// They have rows, or nobody knows.
    fn keep(&mut self) {
        self.0.clear();
    }

    /// They have none.
    async fn discard(&self, app: &App) {
        for made in self.0.values().flatten().filter_map(|(_, made)| made.as_ref()) {
            made.discard(app).await;
        }
    }
}
