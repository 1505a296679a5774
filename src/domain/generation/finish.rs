//! The end of an answer: text, HTML, state and the terminal event in one transaction, and with it what was in line behind
//! it. Also what happens instead of an end: being put off, and going back among those that wait for a worker.

use super::{
    Look, line,
    state::{MAX_ATTEMPTS, State},
    store::{self, Claimed, End},
};
use crate::{
    app::App,
    base::{
        Result,
        ids::{ChatId, MessageId},
        queue,
    },
    domain::{
        catalog, chats,
        feed::{self, Event, Stands, What},
        ledger::{self, Entry},
    },
    markdown,
    outside::llm::Usage,
};
use sqlx::PgConnection;
use std::time::Duration;

/// How an attempt ended, as its worker knows it.
pub struct Ending {
    pub state: State,
    pub reason: Option<String>,
    /// Whose answer it is.
    pub model: String,
    /// Given up: an administrator is to look at it.
    pub dead: bool,
    /// The last pieces, which the feed's writer did not write any more.
    pub rest: Vec<What>,
    pub text: String,
    pub reasoning: String,
    pub usage: Option<Usage>,
    /// The request that ends with it, if it is not in the ledger yet.
    pub spent: Option<Entry>,
}

/// Ends an attempt of this worker. Returns false if it is no longer this worker's: then nothing was changed.
///
/// # Errors
/// The database's; trying again is harmless.
pub async fn finish(app: &App, claimed: &Claimed, ending: &Ending) -> Result<bool> {
    let html = render(&ending.text, claimed.message).await;
    let mut tx = app.pools.jobs.begin().await?;
    let ended = feed::Ended {
        state: ending.state.name().to_owned(),
        reason: ending.reason.clone(),
        model: ending.model.clone(),
        tokens: ending.usage.map(|usage| usage.completion),
    };
    let last = ending.rest.iter().cloned().chain([What::End(Some(ended.into()))]);
    let news: Vec<_> = last.map(|what| (claimed.message, what)).collect();
    // this locks the head; what comes to nothing is rolled back
    let Some(mut events) = feed::try_append(&mut tx, claimed.chat, &news).await? else { return Ok(false) };
    let Ending { state, reason, dead, usage, text, reasoning, .. } = ending;
    let end =
        End { state: *state, reason: reason.as_deref(), dead: *dead, usage: *usage, text, reasoning, html: &html };
    let (ended, lined) = store::end(&mut tx, claimed, &end).await?;
    if !ended {
        return Ok(false);
    }
    if lined && state.lets_the_line_go_on() {
        let news = line::go_on(&mut tx, claimed.message).await?;
        events.extend(feed::append(&mut tx, claimed.chat, &news).await?);
    }
    if *state == State::Completed && begins_a_chat(app, claimed) {
        queue::enqueue(&mut tx, &Look { generation_id: claimed.id, title: true }).await?;
    }
    if let Some(spent) = &ending.spent {
        ledger::note(&mut tx, spent).await?;
    }
    tx.commit().await?;
    app.feed.hub.deliver(claimed.chat, events);
    Ok(true)
}

/// Whether this is the first thing in its chat, by a model that can be asked for a title.
fn begins_a_chat(app: &App, claimed: &Claimed) -> bool {
    let able = || app.provider(catalog::split(&claimed.model).0).is_some_and(|provider| !provider.is_demo());
    claimed.from_seq == 0 && app.config.chats.titles && able()
}

/// Puts off an attempt of this worker that has said nothing. `counts`: it is one of those that the schedule allows. Returns
/// false if it is no longer this worker's.
///
/// # Errors
/// The database's; trying again is harmless.
pub async fn put_off(app: &App, claimed: &Claimed, pause: Duration, reason: &str, counts: bool) -> Result<bool> {
    let mut tx = app.pools.jobs.begin().await?;
    if feed::lock(&mut tx, claimed.chat).await?.is_none() {
        return Ok(false);
    }
    if !store::put_off(&mut tx, (claimed.id, claimed.epoch), pause.as_secs_f64(), reason, counts).await? {
        return Ok(false);
    }
    queue::enqueue_in(&mut tx, &Look::at(claimed.id), pause).await?;
    let news = [(claimed.message, What::State(Stands::Waiting))];
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
    /// The account that it is made for is disabled, or goes.
    Withdrawn,
    /// Its worker is gone: only if the lease ran out.
    Orphaned,
    /// Its worker hands it over because it is ending. Carries the epoch that is its own.
    HandedOver(i32),
}

pub const CUT: &str = "The answer was cut off: the program making it was stopped. Its text so far is kept.";
const WITHDRAWN: &str = "The answer was stopped: this account was closed.";
const GIVEN_UP: &str =
    "This answer could not be made: it was begun several times and never came to its first word. Try again.";

/// Ends, or puts back among those that wait for a worker, an answer whose text is read from the log. Under the chat's lock it checks whether
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
        Why::Stopped | Why::Withdrawn => !state.is_over(),
        Why::Orphaned => state == State::Streaming && !standing.leased,
        Why::HandedOver(epoch) => state == State::Streaming && standing.epoch == epoch,
    };
    if !called_for {
        return Ok(None);
    }
    let (text, reasoning) = feed::store::text_so_far(tx, chat, message, standing.from_seq).await?;
    // what it took over from the answer that it continues is nothing that it said
    let said = text.len() > usize::try_from(standing.prefix).unwrap_or_default() || !reasoning.is_empty();
    let (state, reason, dead) = match why {
        Why::Stopped => (State::Stopped, None, false),
        Why::Withdrawn => (State::Stopped, Some(WITHDRAWN), false),
        _ if said => (State::Interrupted, Some(CUT), false),
        Why::Orphaned if standing.attempt >= MAX_ATTEMPTS => (without_more(&text), Some(GIVEN_UP), true),
        _ => {
            store::requeue(tx, standing.id, matches!(why, Why::HandedOver(_))).await?;
            queue::enqueue(tx, &Look::at(standing.id)).await?;
            return Ok(Some(feed::append(tx, chat, &[(message, What::State(Stands::Queued))]).await?));
        }
    };
    let html = render(&text, message).await;
    store::force(tx, standing.id, state, reason, dead).await?;
    chats::store::finish(tx, chat, message, &text, &reasoning, &html).await?;
    let mut news = vec![(message, What::End(None))];
    if state.lets_the_line_go_on() {
        news.extend(line::go_on(tx, message).await?);
    }
    Ok(Some(feed::append(tx, chat, &news).await?))
}

/// How an answer ends that has said nothing: with the text of the one it continues, or with none.
pub fn without_more(text: &str) -> State {
    if text.is_empty() { State::Failed } else { State::Interrupted }
}

/// The final HTML, off the async threads: highlighting a long answer takes tens of milliseconds.
pub async fn render(text: &str, message: MessageId) -> String {
    let (owned, scope) = (text.to_owned(), message.to_string());
    match tokio::task::spawn_blocking(move || markdown::render(&owned, &scope)).await {
        Ok(html) => html,
        Err(error) => {
            tracing::error!(%error, %message, "an answer could not be rendered; it is shown as plain text");
            markdown::plain(text)
        }
    }
}
