//! The states of a generation and every way between them.
//!
//! ```text
//!  (nothing) ─ send, regenerate, continue ─▶ queued ─ claim ─▶ streaming ─ the model is done ──────▶ completed
//!      │                                       ▲ ▲                │ │ │ ╰─ stop ────────────────────▶ stopped
//!      │ send, while the answer before         │ ╰─ worker lost ──╯ │ ╰─── fault after text ────────▶ interrupted
//!      ▼ is unfinished                         │    before a word   │ fault before text
//!    lined ─ the one before completed/stopped ─╯                    ├─ the schedule goes on ──▶ waiting ─ due ─▶ streaming
//!            or a person sends it                                   ╰─ no use, used up, third loss ───▶ failed
//!
//! from         to           when
//! (nothing)    queued       send, regenerate, continue
//! (nothing)    streaming    send, in a process that makes answers and has a permit free: claimed at once
//! (nothing)    lined        send, while the answer before it is unfinished
//! lined        queued       the one before it completed or was stopped, or a person sends it
//! lined        (removed)    a person takes it, and what is in line behind it, out of the tree
//! queued       streaming    a claim: epoch + 1, attempt + 1
//! streaming    queued       nothing said, and its worker is lost, or hands it over in order
//! streaming    waiting      nothing said, every key failed, and the schedule goes on; attempt = 0
//! waiting      streaming    a claim, when it is due
//! streaming    completed    the model said that it is done
//! streaming    interrupted  something said, and a fault, a lost worker, or the end of its process
//! streaming    failed       nothing said, and trying again is no use; or, as a dead letter, the
//!                           schedule is used up or a third worker was lost
//! not ended    stopped      a person stops it, or deletes the chat
//! ```
//!
//! * `completed` and `stopped` let the answer in line behind them go on, in the same transaction
//!   ([`State::lets_the_line_go_on`]; the sweep does it for a process of an older version); `failed`, `interrupted` and
//!   `waiting` hold it ([`State::holds_the_line`]) until a person sends or removes it. Sending one past a `waiting` answer
//!   stops that one: a path has one running answer.
//! * What was given up (the schedule used up, or three workers lost) ends as `failed` and is a dead letter (`dead_at`)
//!   besides, until an administrator requeues or drops it, or the person tries again.
//! * An answer that continues another one begins with its text (`prefix`), which does not count as said: so it may be
//!   tried again silently, and ends as `interrupted` where another one would have `failed`, since it has text.
//! * Every change locks the chat's feed head first and checks state and epoch under that lock. `completed`, `stopped`,
//!   `interrupted` and `failed` are ends: nothing leaves them, and each has one `end` in the feed. One that is removed
//!   from the line leaves no row.

use crate::{
    base::config::seconds,
    outside::llm::{Fault, FaultKind},
};
use std::time::Duration;

/// Where the making of an answer stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// In line behind an answer that has not ended, or that holds the line.
    Lined,
    /// Waits for a worker.
    Queued,
    /// A worker holds its lease and reads the provider.
    Streaming,
    /// Waits for a time to be tried again.
    Waiting,
    Completed,
    /// Stopped by a person; has what came until then.
    Stopped,
    /// Cut by a fault after text had come.
    Interrupted,
    /// Ended by a fault before any text.
    Failed,
}

impl State {
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Lined => "lined",
            Self::Queued => "queued",
            Self::Streaming => "streaming",
            Self::Waiting => "waiting",
            Self::Completed => "completed",
            Self::Stopped => "stopped",
            Self::Interrupted => "interrupted",
            Self::Failed => "failed",
        }
    }

    /// Reads the column; one that is not known (of a newer version) counts as an end with a fault.
    #[must_use]
    pub fn parse(name: &str) -> Self {
        match name {
            "lined" => Self::Lined,
            "queued" => Self::Queued,
            "streaming" => Self::Streaming,
            "waiting" => Self::Waiting,
            "completed" => Self::Completed,
            "stopped" => Self::Stopped,
            "interrupted" => Self::Interrupted,
            _ => Self::Failed,
        }
    }

    /// Whether the answer is in the making; one in line is not yet.
    #[must_use]
    pub fn is_running(self) -> bool {
        matches!(self, Self::Queued | Self::Streaming | Self::Waiting)
    }

    /// Whether nothing changes it any more.
    #[must_use]
    pub fn is_over(self) -> bool {
        !self.is_running() && self != Self::Lined
    }

    /// Whether the answer in line behind one that stands so is sent by itself.
    #[must_use]
    pub fn lets_the_line_go_on(self) -> bool {
        matches!(self, Self::Completed | Self::Stopped)
    }

    /// Whether the answer in line behind one that stands so waits for a person's word.
    #[must_use]
    pub fn holds_the_line(self) -> bool {
        matches!(self, Self::Failed | Self::Interrupted | Self::Waiting)
    }
}

/// Claims after which a generation that never came to its first token is given up: it may be what kills its workers.
pub const MAX_ATTEMPTS: i32 = 3;
/// Answers of one chat that may be in the making at the same time, each on a path of its own.
pub const MAX_RUNNING: i64 = 4;
/// Answers of one chat that may be in line.
pub const MAX_LINED: i64 = 10;
/// However long a provider asks us to wait.
const LONGEST_WAIT: Duration = Duration::from_hours(24);

/// What to do after a fault.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Try the next key at once.
    NextKey,
    /// Try again after this time.
    Wait(Duration),
    /// End without text, and tell the administrator: it was tried as often as the schedule says.
    Dead,
    /// End, keeping the text.
    Interrupted,
    /// End without text: trying again would not help.
    Failed,
}

/// Decides after a fault of a provider. An attempt that had streamed anything is never silently repeated. `retries` is
/// how often it has waited already, `key_left` whether another key can be asked at once; `schedule` says for how many seconds it does each time.
#[must_use]
pub fn verdict(fault: &Fault, streamed: bool, key_left: bool, retries: usize, schedule: &[f64]) -> Verdict {
    if streamed {
        return Verdict::Interrupted;
    }
    match fault.kind {
        // another key would get the same answer, and so would another day
        FaultKind::Refused | FaultKind::TooLong => Verdict::Failed,
        _ if key_left => Verdict::NextKey,
        _ => match schedule.get(retries) {
            Some(pause) => Verdict::Wait(seconds(*pause).max(fault.retry_after.unwrap_or_default()).min(LONGEST_WAIT)),
            None => Verdict::Dead,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts() {
        use FaultKind::{Broken, Busy, Cut, Garbled, Key, Refused, Silent, TooLong, Unreachable};
        let wait = |secs| Verdict::Wait(Duration::from_secs(secs));
        for kind in [Key, Busy, Refused, Broken, Unreachable, Silent, Cut, Garbled, TooLong] {
            let fault = Fault::new(kind, "");
            let unless_refused = |verdict| if [Refused, TooLong].contains(&kind) { Verdict::Failed } else { verdict };
            for (streamed, key_left, retries, schedule, expected) in [
                (true, true, 0, &[60., 600.][..], Verdict::Interrupted),
                (true, false, 2, &[60., 600.], Verdict::Interrupted),
                (false, true, 0, &[60., 600.], unless_refused(Verdict::NextKey)),
                (false, true, 2, &[60., 600.], unless_refused(Verdict::NextKey)),
                (false, false, 0, &[60., 600.], unless_refused(wait(60))),
                (false, false, 1, &[60., 600.], unless_refused(wait(600))),
                (false, false, 2, &[60., 600.], unless_refused(Verdict::Dead)),
                (false, false, 0, &[], unless_refused(Verdict::Dead)),
            ] {
                let got = verdict(&fault, streamed, key_left, retries, schedule);
                assert_eq!(got, expected, "{kind:?} {streamed} {key_left} {retries} {schedule:?}");
            }
        }
    }

    #[test]
    fn what_the_provider_asks_for_is_the_least_and_a_day_the_most() {
        for (asked, expected) in [(5, 60), (90, 90), (10_000_000, 86_400)] {
            let mut fault = Fault::new(FaultKind::Busy, "");
            fault.retry_after = Some(Duration::from_secs(asked));
            assert_eq!(verdict(&fault, false, false, 0, &[60.]), Verdict::Wait(Duration::from_secs(expected)));
            assert_eq!(verdict(&fault, false, false, 1, &[60.]), Verdict::Dead, "the schedule is used up");
        }
    }

    #[test]
    fn names_are_read_back() {
        use State::{Completed, Failed, Interrupted, Lined, Queued, Stopped, Streaming, Waiting};
        for state in [Lined, Queued, Streaming, Waiting, Completed, Stopped, Interrupted, Failed] {
            assert_eq!(State::parse(state.name()), state);
            let kinds = [state.lets_the_line_go_on(), state.holds_the_line(), state.is_running() && state != Waiting];
            assert_eq!(kinds.iter().filter(|k| **k).count(), usize::from(state != Lined), "{state:?}");
            assert_eq!(state.is_over(), [Completed, Stopped, Interrupted, Failed].contains(&state), "{state:?}");
        }
    }
}
