//! `parlor chat`, `parlor export`, `parlor import`: programs of the terminal, which ask a Parlor by its API, wherever it is.

use super::terminal::Terminal;
use crate::outside::parlor::{Parlor, Word};
use anyhow::{Context as _, bail};
use clap::Args;
use serde::Deserialize;
use serde_json::{Value, json};
use std::{
    fs,
    io::{self, BufRead as _, IsTerminal as _, Read as _, Write as _},
    path::PathBuf,
    process::ExitCode,
    time::Duration,
};

/// Which Parlor, and by which right.
#[derive(Args)]
pub struct Place {
    /// Where it is
    #[arg(long, env = "PARLOR_URL", default_value = "http://127.0.0.1:3000")]
    url: String,
    /// An API key: see its settings, or `parlor key new`
    #[arg(long, env = "PARLOR_KEY", hide_env_values = true)]
    key: Option<String>,
}

impl Place {
    fn parlor(&self) -> anyhow::Result<Parlor> {
        let key = self.key.as_deref().filter(|key| !key.is_empty());
        let key = key.context("PARLOR_KEY is not set: make a key in the settings, under API keys")?;
        Parlor::at(&self.url, key)
    }
}

#[derive(Args)]
pub struct Chat {
    #[command(flatten)]
    place: Place,
    /// `provider/name`; without it the conversation's, or the first one there is
    #[arg(long, short)]
    model: Option<String>,
    /// A conversation to go on with; without it, the one before
    #[arg(long, short)]
    conversation: Option<String>,
    /// Begin another one
    #[arg(long, short, conflicts_with = "conversation")]
    new: bool,
    /// What to say; without it, line by line
    words: Vec<String>,
}

#[derive(Args)]
pub struct Export {
    #[command(flatten)]
    place: Place,
    /// To be read, instead of to be imported again
    #[arg(long)]
    markdown: bool,
    /// Without them, all
    conversations: Vec<String>,
}

#[derive(Args)]
pub struct Import {
    #[command(flatten)]
    place: Place,
    /// As Parlor, ChatGPT or Open WebUI write it
    file: PathBuf,
}

#[derive(Deserialize)]
struct Page {
    data: Vec<Line>,
    next_cursor: Option<String>,
}

#[derive(Deserialize)]
struct Line {
    id: String,
}

fn block_on(work: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(work)?;
    Ok(ExitCode::SUCCESS)
}

pub fn chat(chat: &Chat) -> anyhow::Result<ExitCode> {
    block_on(async {
        let parlor = chat.place.parlor()?;
        let conversation = begin(&parlor, chat).await?;
        let path = format!("/api/conversations/{conversation}/messages");
        if !chat.words.is_empty() {
            let mut words = chat.words.join(" ");
            if !io::stdin().is_terminal() {
                // what comes through a pipe is asked about
                let mut more = String::new();
                io::stdin().read_to_string(&mut more)?;
                if !more.trim().is_empty() {
                    words = format!("{words}\n\n{more}");
                }
            }
            return say(&parlor, &path, &words, chat.model.as_deref()).await;
        }
        loop {
            let line = tokio::select! {
                line = ask() => line?,
                _ = tokio::signal::ctrl_c() => std::process::exit(130),
            };
            let Some(line) = line else { return Ok(()) };
            if !line.trim().is_empty()
                && let Err(error) = say(&parlor, &path, &line, chat.model.as_deref()).await
            {
                eprintln!("{error:#}");
            }
        }
    })
}

/// The conversation to go on with, or a new one; it is remembered for the next time.
async fn begin(parlor: &Parlor, chat: &Chat) -> anyhow::Result<String> {
    let remembered = memory().and_then(|file| fs::read_to_string(file).ok()).filter(|_| !chat.new);
    let wanted = chat.conversation.clone().or(remembered.map(|id| id.trim().to_owned()));
    if let Some(id) = wanted {
        let found = parlor.get::<Value>(&format!("/api/conversations/{id}")).await;
        if found.is_ok() || chat.conversation.is_some() {
            found?;
            remember(&id);
            return Ok(id);
        }
    }
    let model = if let Some(model) = &chat.model {
        model.clone()
    } else {
        let models: Page = parlor.get("/api/models").await?;
        models.data.into_iter().next().context("there is no model yet")?.id
    };
    let made = parlor.post("/api/conversations", &json!({ "model": model })).await?;
    let id = made["id"].as_str().context("no conversation was begun")?.to_owned();
    remember(&id);
    Ok(id)
}

fn memory() -> Option<PathBuf> {
    let state = std::env::var_os("XDG_STATE_HOME").map(PathBuf::from);
    let state = state.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".local/state")))?;
    Some(state.join("parlor/conversation"))
}

/// It is a comfort: without a place for it, nothing is lost.
fn remember(id: &str) {
    if let Some(file) = memory()
        && let Some(folder) = file.parent()
    {
        let _ = fs::create_dir_all(folder).and_then(|()| fs::write(&file, id));
    }
}

/// The next line; nothing at the end.
async fn ask() -> anyhow::Result<Option<String>> {
    tokio::task::spawn_blocking(|| {
        if io::stdin().is_terminal() {
            eprint!("> ");
        }
        let mut line = String::new();
        Ok(if io::stdin().lock().read_line(&mut line)? == 0 { None } else { Some(line) })
    })
    .await?
}

/// Says it, and writes the answer as it comes. Ctrl-C stops the answer; what it has stays.
async fn say(parlor: &Parlor, path: &str, words: &str, model: Option<&str>) -> anyhow::Result<()> {
    let mut body = json!({ "content": words });
    if let Some(model) = model {
        body["model"] = json!(model);
    }
    let styled = io::stdout().is_terminal();
    let (mut terminal, mut fault) = (Terminal::default(), None);
    let heard = parlor.say(path, &body, |word| match word {
        Word::Token(text) => {
            // when nobody reads any more, the answer is still made
            let _ = write!(io::stdout(), "{}", if styled { terminal.push(&text) } else { text });
            let _ = io::stdout().flush();
        }
        Word::Waits => eprintln!("(it waits, and is tried again)"),
        Word::Fault(sentence) => fault = Some(sentence),
        Word::Reasoning(_) | Word::Done => {}
    });
    tokio::select! {
        heard = heard => heard?,
        _ = tokio::signal::ctrl_c() => stop(parlor, path).await?,
    }
    let _ = writeln!(io::stdout(), "{}", if styled { terminal.end() } else { String::new() });
    match fault {
        Some(sentence) => bail!("{sentence}"),
        None => Ok(()),
    }
}

/// Stops what is being answered on the path, from its end, so that no stop lets one in line go on.
async fn stop(parlor: &Parlor, path: &str) -> anyhow::Result<()> {
    let messages: Value = parlor.get(path).await?;
    for message in messages["data"].as_array().into_iter().flatten().rev() {
        let is_open = ["lined", "queued", "streaming", "waiting"].iter().any(|state| message["state"] == *state);
        if let (true, Some(id)) = (is_open, message["id"].as_str()) {
            parlor.post(&format!("/api/messages/{id}/stop"), &json!({})).await?;
        }
    }
    Ok(())
}

pub fn export(export: &Export) -> anyhow::Result<ExitCode> {
    block_on(async {
        let parlor = export.place.parlor()?;
        let ids = if export.conversations.is_empty() { all(&parlor).await? } else { export.conversations.clone() };
        let format = if export.markdown { "markdown" } else { "json" };
        let mut out = io::stdout().lock();
        for (place, id) in ids.iter().enumerate() {
            let text = parlor.text(&format!("/api/conversations/{id}/export?format={format}")).await?;
            let before = match (export.markdown, place) {
                (true, _) => "",
                (false, 0) => "[",
                (false, _) => ",",
            };
            writeln!(out, "{before}{}", text.trim_end())?;
        }
        if !export.markdown {
            writeln!(out, "{}", if ids.is_empty() { "[]" } else { "]" })?;
        }
        Ok(())
    })
}

/// All conversations, those of the archive too.
async fn all(parlor: &Parlor) -> anyhow::Result<Vec<String>> {
    let mut ids = Vec::new();
    for archived in [false, true] {
        let mut cursor = String::new();
        loop {
            let page: Page = parlor.get(&format!("/api/conversations?archived={archived}{cursor}")).await?;
            ids.extend(page.data.into_iter().map(|line| line.id));
            let Some(next) = page.next_cursor else { break };
            cursor = format!("&cursor={next}");
        }
    }
    Ok(ids)
}

pub fn import(import: &Import) -> anyhow::Result<ExitCode> {
    block_on(async {
        let parlor = import.place.parlor()?;
        let file = fs::read(&import.file).with_context(|| format!("{} cannot be read", import.file.display()))?;
        parlor.post_file("/api/import", file).await?;
        loop {
            let files: Value = parlor.get("/api/import").await?;
            let newest = &files["data"][0];
            if newest["ended"] == true {
                let (done, left_out) = (&newest["done"], &newest["left_out"]);
                println!("{done} conversations were made, {left_out} could not be read.");
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    })
}
