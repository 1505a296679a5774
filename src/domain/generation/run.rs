//! Making an answer: claim, ask the provider, hand the pieces to the feed's writer, end. Each runs as a task of its
//! own under a permit; the job that called for it is long done.

use super::{
    ask::{Asking, COMPLETE},
    finish::{CUT, Ending, Why, finish, put_off, settle, without_more},
    state::State,
    store::{self, Claimed},
};
use crate::{
    app::{App, Run},
    base::{
        Result,
        config::seconds,
        db::answered,
        ids::GenerationId,
        metrics::{self, Pace, metrics},
    },
    domain::{
        feed::{self, Stands, Stream, What},
        ledger,
    },
    outside::llm::{Chunk, Chunks, Fault, FaultKind, Finish, Usage},
};
use futures::StreamExt;
use std::{sync::atomic::Ordering, time::Duration};
use tokio::{sync::OwnedSemaphorePermit, time::Instant};
use tokio_util::sync::CancellationToken;

/// How long past its deadline a task may still be about to end before its lease is let go.
const SLACK: Duration = Duration::from_secs(5);

/// When nothing came from a provider for so long, its connection is left alone until the feed's writer calls.
const LULL: Duration = Duration::from_millis(2);
/// A provider that says less than one thing in so long is listened to all the time.
const UNHURRIED: Duration = Duration::from_secs(1);

/// Bytes of text and reasoning that one answer may hold: some 500 times what `context.max_output_tokens` allows by
/// default, for a provider that takes no notice of it. What comes beyond is not read.
const MAX_ANSWER: usize = 4 * 1024 * 1024;

/// Takes up a generation if there is a permit and it waits and is due; returns at once.
pub fn look(app: &App, id: GenerationId) {
    if app.stopping.begun.is_cancelled() {
        return;
    }
    let Ok(permit) = app.running.permits.clone().try_acquire_owned() else {
        app.running.crowded.store(true, Ordering::Relaxed);
        return;
    };
    let ours = app.clone();
    spawn(app, id, permit, async move {
        match claim(&ours, id).await? {
            Some(claimed) => make(&ours, &claimed).await,
            None => Ok(()),
        }
    });
}

/// A permit for an answer that this process is about to accept, if it makes answers and has one free. The answer is then
/// claimed in the transaction that accepts it, and no job need call for it; should this process die, its lease runs out
/// as any other.
pub(super) fn permit(app: &App) -> Option<OwnedSemaphorePermit> {
    let open = app.running.here.load(Ordering::Relaxed) && !app.stopping.begun.is_cancelled();
    app.running.permits.clone().try_acquire_owned().ok().filter(|_| open)
}

/// Makes an answer that was accepted with a [`permit`]; returns at once.
pub(super) fn start(app: &App, claimed: Claimed, permit: OwnedSemaphorePermit) {
    let ours = app.clone();
    spawn(app, claimed.id, permit, async move { make(&ours, &claimed).await });
}

fn spawn(
    app: &App,
    id: GenerationId,
    permit: OwnedSemaphorePermit,
    work: impl Future<Output = Result<()>> + Send + 'static,
) {
    let app = app.clone();
    app.tasks.clone().spawn(async move {
        if let Err(error) = work.await {
            // the row tells: whatever was begun is settled by the sweep when its lease runs out
            tracing::warn!(generation = %id, %error, "an answer could not be taken up");
        }
        drop(permit);
        if app.running.crowded.swap(false, Ordering::Relaxed)
            && let Ok(Some(next)) = store::next_due(&app.pools.jobs).await
        {
            app.running.crowded.store(true, Ordering::Relaxed);
            look(&app, next);
        }
    });
}

/// Renews the leases of this process's answers until it ends: of those whose task is alive and within its deadline.
pub async fn renew_leases(app: App) {
    let every = seconds(app.config.generation.renew);
    loop {
        tokio::select! {
            () = app.stopping.over.cancelled() => return,
            () = tokio::time::sleep(every) => {}
        }
        let now = Instant::now();
        let mine: Vec<(GenerationId, i32)> =
            app.running.runs().iter().filter(|(_, r)| r.alive_until > now).map(|(id, r)| (*id, r.epoch)).collect();
        if mine.is_empty() {
            continue;
        }
        // no longer than until the next time: there are other connections, and the leases are running
        let renewing = async { Ok(store::renew(&app.pools.jobs, &mine, app.config.generation.lease).await?) };
        match answered(every, renewing).await {
            Ok(kept) => {
                let runs = app.running.runs();
                for (id, epoch) in mine.iter().filter(|(id, _)| !kept.contains(id)) {
                    if let Some(run) = runs.get(id).filter(|r| r.epoch == *epoch) {
                        run.lost.cancel();
                        metrics().leases_lost.increment(1);
                    }
                }
            }
            Err(error) => tracing::warn!(%error, "the leases could not be renewed"),
        }
    }
}

async fn make(app: &App, claimed: &Claimed) -> Result<()> {
    let lost = app.stopping.hand_over.child_token();
    let alive_until = Instant::now() + seconds(app.config.generation.first_token) + SLACK;
    let run = Run { epoch: claimed.epoch, lost: lost.clone(), alive_until };
    if let Some(before) = app.running.runs().insert(claimed.id, run) {
        // this process slept beyond its lease, and what it was doing then still waits for the provider
        before.lost.cancel();
    }
    let result = attempt(app, claimed, lost).await;
    let mut runs = app.running.runs();
    if runs.get(&claimed.id).is_some_and(|run| run.epoch == claimed.epoch) {
        runs.remove(&claimed.id);
    }
    result
}

async fn attempt(app: &App, claimed: &Claimed, lost: CancellationToken) -> Result<()> {
    let over = app.feed.hub.end_of(claimed.chat, claimed.message, claimed.seq, lost.child_token()).await?;
    let stream = Stream { chat: claimed.chat, generation: claimed.id, epoch: claimed.epoch, message: claimed.message };
    let text = taken_over(app, claimed).await?;
    app.feed.writer.begin(stream, text.len());
    let mut attempt = Attempt {
        app,
        claimed,
        model: claimed.model.clone(),
        stream,
        prefix: text.len(),
        text,
        reasoning: String::new(),
        usage: None,
        asking: None,
        pace: Pace::begin(),
    };
    let outcome = tokio::select! {
        outcome = attempt.make() => outcome,
        () = over.token.cancelled() => {
            if app.stopping.hand_over.is_cancelled() { Outcome::HandOver } else { Outcome::Lost }
        }
    };
    attempt.conclude(outcome).await
}

/// The text that a continuing answer begins with: it was stored as its first event.
async fn taken_over(app: &App, claimed: &Claimed) -> Result<String> {
    if claimed.prefix == 0 {
        return Ok(String::new());
    }
    let mut conn = app.pools.jobs.acquire().await?;
    Ok(feed::store::text_so_far(&mut conn, claimed.chat, claimed.message, claimed.from_seq).await?.0)
}

/// Takes the generation if it is still to be had.
async fn claim(app: &App, id: GenerationId) -> Result<Option<Claimed>> {
    let mut tx = app.pools.jobs.begin().await?;
    if store::lock_chat_of(&mut tx, id).await?.is_none() {
        return Ok(None);
    }
    let Some(mut claimed) = store::claim(&mut tx, id, app.config.generation.lease).await? else { return Ok(None) };
    let events = feed::append(&mut tx, claimed.chat, &[(claimed.message, What::State(Stands::Streaming))]).await?;
    tx.commit().await?;
    claimed.seq = events.last().map_or(claimed.from_seq, |event| event.seq);
    app.feed.hub.deliver(claimed.chat, events);
    tracing::debug!(generation = %id, attempt = claimed.attempt, "an answer was taken up");
    Ok(Some(claimed))
}

/// How an attempt came to its end.
pub(super) enum Outcome {
    /// The model said that it is done.
    Done(Finish),
    /// A fault after which nothing more is tried: the sentence for the person.
    Fault(String),
    /// The same, after everything that the schedule allows was tried.
    Dead(String),
    /// A fault, and it is to be tried again after this time.
    Wait(Duration, String),
    /// Every key is in use, and one has room after this time. It was no attempt.
    NoRoom(Duration, String),
    /// Not this worker's any more: stopped by a person, or the lease was lost.
    Lost,
    /// This process is ending.
    HandOver,
}

pub(super) struct Attempt<'a> {
    pub(super) app: &'a App,
    pub(super) claimed: &'a Claimed,
    /// Whose answer it is now: that of the claim, or one that answers instead.
    pub(super) model: String,
    pub(super) stream: Stream,
    /// Bytes of `text` that it began with.
    pub(super) prefix: usize,
    pub(super) text: String,
    pub(super) reasoning: String,
    pub(super) usage: Option<Usage>,
    /// The request under way, or the last one, until it is in the ledger.
    pub(super) asking: Option<Asking>,
    pub(super) pace: Pace,
}

impl Attempt<'_> {
    /// Reads the provider to its end; nothing when the writer was fenced off.
    pub(super) async fn read(
        &mut self,
        mut chunks: Chunks,
        mut deadline: Instant,
    ) -> std::result::Result<Option<Finish>, Fault> {
        let mut finish = None;
        // one alarm for the whole answer: when it rings too early it is set anew
        let alarm = tokio::time::sleep_until(deadline);
        let lull = tokio::time::sleep(LULL);
        tokio::pin!(alarm, lull);
        let mut came = Instant::now();
        let mut looked = came;
        loop {
            let item = tokio::select! {
                biased;
                item = chunks.next() => item,
                () = &mut lull, if self.has_streamed() && finish.is_none() && came.elapsed() < UNHURRIED => {
                    if looked.elapsed() >= LULL {
                        self.app.feed.writer.called().await;
                        looked = Instant::now();
                        // nobody looked meanwhile: it has its chance before it is called silent
                        deadline = deadline.max(looked + LULL * 2);
                    }
                    lull.as_mut().reset(looked + LULL);
                    continue;
                }
                () = &mut alarm => {
                    if alarm.deadline() < deadline {
                        alarm.as_mut().reset(deadline);
                        continue;
                    }
                    // done, and only the connection's end was awaited
                    if finish.is_some() {
                        return Ok(finish);
                    }
                    return Err(Fault::new(FaultKind::Silent, "nothing came within the deadline"));
                }
            };
            came = Instant::now();
            looked = came;
            let piece = match item {
                None if finish.is_none() => return Err(Fault::new(FaultKind::Cut, "the stream ended too soon")),
                None => return Ok(finish),
                Some(Err(_)) if finish.is_some() => return Ok(finish),
                Some(Err(fault)) => return Err(fault),
                Some(Ok(Chunk::Usage(usage))) => {
                    self.usage = Some(usage);
                    continue;
                }
                Some(Ok(Chunk::Finished(why))) => {
                    // usage may follow, in an event of its own
                    finish = Some(why);
                    deadline = Instant::now() + SLACK;
                    alarm.as_mut().reset(deadline);
                    continue;
                }
                Some(Ok(Chunk::Text(piece))) => (piece, false),
                Some(Ok(Chunk::Reasoning(piece))) => (piece, true),
            };
            let (piece, reasoning) = piece;
            if self.text.len() + self.reasoning.len() + piece.len() > MAX_ANSWER {
                return Err(Fault::new(FaultKind::TooLong, format!("an answer of more than {MAX_ANSWER} bytes")));
            }
            if self.app.feed.writer.push(&self.stream, &piece, reasoning).await.is_err() {
                return Ok(None);
            }
            self.pace.piece(&self.model);
            if reasoning { &mut self.reasoning } else { &mut self.text }.push_str(&piece);
            if finish.is_none() {
                deadline = self.silence_until(self.app.config.generation.idle);
            }
        }
    }

    /// Sets the deadline of the next sign of life, which the lease's renewal looks at too.
    pub(super) fn silence_until(&self, limit: f64) -> Instant {
        let deadline = Instant::now() + seconds(limit);
        if let Some(run) = self.app.running.runs().get_mut(&self.claimed.id).filter(|r| r.epoch == self.claimed.epoch) {
            run.alive_until = deadline + SLACK;
        }
        deadline
    }

    pub(super) fn has_streamed(&self) -> bool {
        self.text.len() > self.prefix || !self.reasoning.is_empty()
    }

    async fn conclude(mut self, outcome: Outcome) -> Result<()> {
        let id = self.claimed.id;
        let mut wait = None;
        let (state, reason, dead) = match outcome {
            Outcome::Lost => {
                self.app.feed.writer.abandon(&self.stream);
                self.note("stopped").await;
                return Ok(());
            }
            Outcome::HandOver if self.has_streamed() => (State::Interrupted, Some(CUT.to_owned()), false),
            Outcome::HandOver => return self.hand_over().await,
            Outcome::Done(Finish::Complete) => (State::Completed, None, false),
            Outcome::Done(Finish::Length) => {
                let sentence = "The answer ends here because it reached the limit on its length.";
                (State::Completed, Some(sentence.to_owned()), false)
            }
            Outcome::Done(Finish::Filtered) => {
                (State::Completed, Some("The provider withheld the rest of this answer.".to_owned()), false)
            }
            Outcome::Fault(sentence) if self.has_streamed() => (State::Interrupted, Some(sentence), false),
            Outcome::Fault(sentence) => (without_more(&self.text), Some(sentence), false),
            Outcome::Dead(sentence) => (without_more(&self.text), Some(sentence), true),
            Outcome::Wait(pause, sentence) => {
                wait = Some((pause, true));
                (State::Waiting, Some(sentence), false)
            }
            Outcome::NoRoom(pause, sentence) => {
                wait = Some((pause, false));
                (State::Waiting, Some(sentence), false)
            }
        };
        let spent = self.spent(if state == State::Completed { COMPLETE } else { "cut" });
        let Ok(rest) = self.app.feed.writer.end(&self.stream).await else { return Ok(()) };
        let ending = Ending {
            state,
            reason,
            model: self.model,
            dead,
            rest,
            text: self.text,
            reasoning: self.reasoning,
            usage: self.usage,
            spent,
        };
        // whatever happens to the database, the row is this worker's as long as it renews the lease
        let mut pause = Duration::from_millis(100);
        loop {
            let written = match wait {
                Some((pause, counts)) => {
                    let reason = ending.reason.as_deref().unwrap_or_default();
                    put_off(self.app, self.claimed, pause, reason, counts).await
                }
                None => finish(self.app, self.claimed, &ending).await,
            };
            match written {
                Ok(done) => {
                    if done && wait.is_none() {
                        count(&ending, &self.pace);
                    } else if let Some(spent) = ending.spent {
                        // somebody else ended it a moment before; it was asked for all the same
                        ledger::note(&mut *self.app.pools.jobs.acquire().await?, &spent).await?;
                    }
                    return Ok(());
                }
                Err(error) if self.app.stopping.over.is_cancelled() => return Err(error),
                Err(error) => {
                    tracing::warn!(%error, generation = %id, "the end of an answer was not written; trying again");
                }
            }
            silence(self.app, id, pause).await;
            pause = (pause * 2).min(Duration::from_secs(2));
        }
    }

    /// Gives up an answer that has said nothing: it waits for another worker.
    async fn hand_over(mut self) -> Result<()> {
        self.app.feed.writer.abandon(&self.stream);
        self.note("cut").await;
        let mut tx = self.app.pools.jobs.begin().await?;
        let why = Why::HandedOver(self.claimed.epoch);
        let events = settle(&mut tx, self.claimed.chat, self.claimed.message, why).await?;
        tx.commit().await?;
        if let Some(events) = events {
            self.app.feed.hub.deliver(self.claimed.chat, events);
        }
        Ok(())
    }
}

/// An answer of ours has ended: its part in the numbers.
fn count(ending: &Ending, pace: &Pace) {
    let model = &ending.model;
    let tokens = ending.usage.map(|u| {
        pace.ended(model, u.completion);
        [("prompt", u.prompt), ("cached", u.cached), ("completion", u.completion), ("reasoning", u.reasoning)]
    });
    metrics::spent(model, ending.spent.as_ref().and_then(|spent| spent.cost).unwrap_or(0));
    metrics::answered(model, ending.state.name(), tokens.as_ref().map_or(&[][..], |t| t));
}

/// A pause during which the lease goes on being renewed.
async fn silence(app: &App, id: GenerationId, pause: Duration) {
    if let Some(run) = app.running.runs().get_mut(&id) {
        run.alive_until = Instant::now() + pause + SLACK;
    }
    tokio::time::sleep(pause).await;
}
