//! The end of an answer: text, HTML, state and the terminal event in one transaction.

use super::{
    state::{MAX_ATTEMPTS, State},
    store::{self, Claimed, Standing},
};
use crate::{
    app::App,
    base::{
        Result,
        ids::{ChatId, MessageId},
    },
    domain::{
        chats,
        feed::{self, Event, What},
    },
    markdown,
    outside::llm::Usage,
};
use sqlx::PgConnection;

/// How an attempt ended, as its worker knows it.
pub struct Ending {
    pub state: State,
    pub reason: Option<String>,
    /// The last pieces, which the feed's writer did not write any more.
    pub rest: Vec<What>,
    pub text: String,
    pub reasoning: String,
    pub usage: Option<Usage>,
}

/// Ends an attempt of this worker. Returns false if it is no longer this worker's: then nothing was changed.
///
/// # Errors
/// The database's; trying again is harmless.
pub async fn finish(app: &App, claimed: &Claimed, ending: &Ending) -> Result<bool> {
    let html = render(&ending.text, claimed.message).await;
    let mut tx = app.pools.jobs.begin().await?;
    if feed::lock(&mut tx, claimed.chat).await?.is_none() {
        return Ok(false);
    }
    let mine =
        store::end(&mut tx, claimed.id, claimed.epoch, ending.state, ending.reason.as_deref(), ending.usage).await?;
    if !mine {
        return Ok(false);
    }
    chats::store::finish(&mut tx, claimed.chat, claimed.message, &ending.text, &ending.reasoning, &html).await?;
    let news: Vec<_> = ending.rest.iter().cloned().chain([What::End]).map(|what| (claimed.message, what)).collect();
    let events = feed::append(&mut tx, claimed.chat, &news).await?;
    tx.commit().await?;
    app.feed.hub.deliver(claimed.chat, events);
    Ok(true)
}

/// Why an answer is ended by somebody else than its worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// A person stopped it.
    Stopped,
    /// Its worker is gone: only if the lease ran out.
    Orphaned,
    /// Its worker hands it over because it is ending. Carries the epoch that is its own.
    HandedOver(i32),
}

pub const CUT: &str = "The answer was cut off: the program making it was stopped. Its text so far is kept.";
const GIVEN_UP: &str =
    "This answer could not be made: it was begun several times and never came to its first word. Try again.";

/// Ends, or puts back into the line, an answer whose text is read from the log. Under the chat's lock it checks whether
/// that is still called for; returns what was appended.
///
/// # Errors
/// The database's.
pub async fn settle(tx: &mut PgConnection, chat: ChatId, message: MessageId, why: Why) -> Result<Option<Vec<Event>>> {
    if feed::lock(tx, chat).await?.is_none() {
        return Ok(None);
    }
    let Some(standing) = store::standing(tx, message).await? else { return Ok(None) };
    let state = State::parse(&standing.state);
    let called_for = match why {
        Why::Stopped => state.is_running(),
        Why::Orphaned => state == State::Streaming && !standing.leased,
        Why::HandedOver(epoch) => state == State::Streaming && standing.epoch == epoch,
    };
    if !called_for {
        return Ok(None);
    }
    let (text, reasoning) = feed::store::text_so_far(tx, chat, message, standing.from_seq).await?;
    let what = match why {
        Why::Stopped => end(tx, &standing, State::Stopped, None, &text, &reasoning).await?,
        _ if !(text.is_empty() && reasoning.is_empty()) => {
            end(tx, &standing, State::Interrupted, Some(CUT), &text, &reasoning).await?
        }
        Why::Orphaned if standing.attempt >= MAX_ATTEMPTS => {
            end(tx, &standing, State::Failed, Some(GIVEN_UP), "", "").await?
        }
        _ => {
            store::requeue(tx, standing.id).await?;
            crate::base::queue::enqueue(tx, &super::Look { generation_id: standing.id }).await?;
            What::State { streaming: false }
        }
    };
    Ok(Some(feed::append(tx, chat, &[(message, what)]).await?))
}

async fn end(
    tx: &mut PgConnection,
    standing: &Standing,
    state: State,
    reason: Option<&str>,
    text: &str,
    reasoning: &str,
) -> Result<What> {
    let html = render(text, standing.message).await;
    store::force(tx, standing.id, state, reason).await?;
    chats::store::finish(tx, standing.chat, standing.message, text, reasoning, &html).await?;
    Ok(What::End)
}

/// The final HTML, off the async threads: highlighting a long answer takes tens of milliseconds.
async fn render(text: &str, message: MessageId) -> String {
    let (owned, scope) = (text.to_owned(), message.to_string());
    match tokio::task::spawn_blocking(move || markdown::render(&owned, &scope)).await {
        Ok(html) => html,
        Err(error) => {
            tracing::error!(%error, %message, "an answer could not be rendered; it is shown as plain text");
            markdown::plain(text)
        }
    }
}
