//! An answer on its way through: as it comes, with deadlines, until its program leaves, its key is revoked, or this process ends;
//! whichever it is, what was used is written down. What must not live here: what is said in it.

use super::{Desk, Reserved};
use crate::{
    app::App,
    base::{
        ids::{CallId, ProviderKeyId, UserId},
        metrics::{self, Pace},
    },
    domain::{
        catalog::Price,
        ledger,
        providers::pool::{self, Receipt},
    },
    outside::llm::{
        Fault, FaultKind, Usage,
        relay::{Meter, Pieces},
    },
};
use bytes::Bytes;
use futures::StreamExt as _;
use memchr::memmem;
use std::{pin::Pin, time::Duration};
use tokio::time::{Instant, Sleep, sleep_until};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// A request whose answer has begun, or is waited for.
pub struct Begun {
    pub(super) app: App,
    pub(super) desk: Desk,
    pub(super) who: UserId,
    pub(super) provider: String,
    pub(super) model: String,
    pub(super) key: Option<ProviderKeyId>,
    pub(super) price: Option<Price>,
    /// What is asked, in tokens, by a guess.
    pub(super) prompt: i64,
    pub(super) receipt: Option<Receipt>,
    pub(super) pace: Pace,
    /// Its answer is text, which can be guessed at by its length.
    pub(super) speaks: bool,
    /// So long nothing may come.
    pub(super) idle: Duration,
    pub(super) reserved: Option<Reserved>,
}

impl Begun {
    /// Writes it down, with what was used and whether that is a guess.
    pub(super) fn note(self, outcome: &'static str, (usage, estimated): (Usage, bool)) {
        let cost = self.price.map(|price| price.cost(&usage));
        metrics::spent(&self.model, cost.unwrap_or(0));
        if outcome == "complete" {
            self.pace.ended(&self.model, usage.completion);
        }
        self.desk.note(ledger::Call {
            id: CallId(Uuid::now_v7()),
            who: self.who,
            provider: self.provider,
            model: self.model,
            key: self.key,
            outcome,
            usage,
            estimated,
            cost,
            first_token: self.pace.first(),
            tokens_per_second: self.pace.per_second(usage.completion),
        });
        let Some(receipt) = self.receipt else { return };
        let used = usage.prompt + usage.completion;
        let app = self.app.clone();
        self.app.tasks.spawn(async move {
            if let Err(error) = pool::settle(&app, receipt, used).await {
                tracing::warn!(%error, "the tokens of a key were not counted");
            }
        });
    }
}

/// How an answer ended before its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The provider's fault.
    Fault(FaultKind),
    /// The key that it was asked with is good no longer.
    Revoked,
    /// This process ends.
    Stopping,
}

/// See the head of this file.
pub struct Passing {
    pieces: Pieces,
    begun: Option<Begun>,
    meter: Meter,
    ended: CancellationToken,
    stopping: CancellationToken,
    alarm: Pin<Box<Sleep>>,
    deadline: Instant,
    /// The answer has said that it is whole; only the connection's end was not awaited.
    done: bool,
}

impl Passing {
    /// `ended`: cancelled when whoever asked may not any more.
    #[must_use]
    pub fn new(begun: Begun, pieces: Pieces, ended: CancellationToken) -> Self {
        let deadline = Instant::now() + begun.idle;
        let (stopping, meter) = (begun.app.stopping.hand_over.clone(), Meter::default());
        Self {
            pieces,
            begun: Some(begun),
            meter,
            ended,
            stopping,
            alarm: Box::pin(sleep_until(deadline)),
            deadline,
            done: false,
        }
    }

    /// The next bytes; nothing at the end.
    ///
    /// # Errors
    /// How it ended before; nothing comes after that.
    pub async fn next(&mut self) -> Result<Option<Bytes>, End> {
        let end = loop {
            let Some(begun) = &mut self.begun else { return Ok(None) };
            tokio::select! {
                biased;
                () = self.ended.cancelled() => break End::Revoked,
                piece = self.pieces.next() => match piece {
                    Some(Ok(bytes)) => {
                        self.meter.push(&bytes);
                        self.done = self.done || is_last(&bytes);
                        begun.pace.piece(&begun.model);
                        self.deadline = Instant::now() + begun.idle;
                        return Ok(Some(bytes));
                    }
                    Some(Err(Fault { kind, detail, .. })) => {
                        tracing::warn!(provider = begun.provider, model = begun.model, detail, "an answer broke off");
                        break End::Fault(kind);
                    }
                    None => {
                        self.end("complete");
                        return Ok(None);
                    }
                },
                () = &mut self.alarm => {
                    if self.alarm.deadline() < self.deadline {
                        self.alarm.as_mut().reset(self.deadline);
                        continue;
                    }
                    break End::Fault(FaultKind::Silent);
                }
                () = self.stopping.cancelled() => break End::Stopping,
            }
        };
        self.end(match end {
            End::Fault(kind) => {
                if let Some(begun) = &self.begun {
                    metrics::provider_error(&begun.provider, kind.name());
                }
                kind.name()
            }
            End::Revoked => "stopped",
            End::Stopping => "cut",
        });
        // closes the connection
        self.pieces = futures::stream::empty().boxed();
        Err(end)
    }

    fn end(&mut self, outcome: &'static str) {
        let Some(begun) = self.begun.take() else { return };
        let outcome = if self.done { "complete" } else { outcome };
        let used = match self.meter.usage() {
            Some(usage) if outcome == "complete" => (usage, false),
            // told at the beginning, and then it was cut
            Some(usage) => (Usage { completion: usage.completion + self.meter.events_since(), ..usage }, true),
            None => {
                let completion = if begun.speaks { self.meter.guess() } else { 0 };
                (Usage { prompt: begun.prompt, completion, ..Usage::default() }, true)
            }
        };
        begun.note(outcome, used);
    }
}

/// Whether an answer ends with these bytes, by its own word.
fn is_last(bytes: &[u8]) -> bool {
    let end = &bytes[bytes.len().saturating_sub(4096)..];
    ["data: [DONE]\n", "event: message_stop\n", "event: response.completed\n"]
        .iter()
        .any(|word| memmem::rfind(end, word.as_bytes()).is_some_and(|at| at == 0 || end[at - 1] == b'\n'))
}

impl Drop for Passing {
    fn drop(&mut self) {
        self.end("stopped");
    }
}
