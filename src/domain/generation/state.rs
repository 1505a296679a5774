//! The states of a generation and every way between them.
//!
//! ```text
//!            send, regenerate                     claim (epoch + 1)
//!  (nothing) ───────────────▶ queued ───────────────────────────────▶ streaming
//!                              ▲ │                                     │ │ │ │
//!                              │ │ stop                  nothing said, │ │ │ │
//!                              │ │                  lease lost or end  │ │ │ │
//!                              └─┼──────────── of its process ─────────┘ │ │ │
//!                                ▼                                       │ │ │
//!                             stopped ◀──────────── stop ────────────────┘ │ │
//!                           completed ◀──── the model said that it is done ┘ │
//!                interrupted (has text), failed (has none) ◀── fault, lease ─┘
//! ```
//!
//! Every change locks the chat's feed head first and checks state and epoch under that lock. `completed`, `stopped`,
//! `interrupted` and `failed` are ends: nothing leaves them, and each has one `end` in the feed.

use crate::outside::llm::{Fault, FaultKind};

/// Where the making of an answer stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Waits for a worker.
    Queued,
    /// A worker holds its lease and reads the provider.
    Streaming,
    /// Waits for a time to be tried again. Known to readers; no act of this version leads here.
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
            "queued" => Self::Queued,
            "streaming" => Self::Streaming,
            "waiting" => Self::Waiting,
            "completed" => Self::Completed,
            "stopped" => Self::Stopped,
            "interrupted" => Self::Interrupted,
            _ => Self::Failed,
        }
    }

    /// Whether the answer may still change.
    #[must_use]
    pub fn is_running(self) -> bool {
        matches!(self, Self::Queued | Self::Streaming | Self::Waiting)
    }
}

/// Claims after which a generation that never came to its first token is given up: it may be what kills its workers.
pub const MAX_ATTEMPTS: i32 = 3;

/// What to do after a fault.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Try the next key at once.
    NextKey,
    /// End, keeping the text.
    Interrupted,
    /// End without text.
    Failed,
}

/// Decides after a fault of a provider. An attempt that had streamed anything is never silently repeated.
#[must_use]
pub fn verdict(fault: &Fault, streamed: bool, keys_left: usize) -> Verdict {
    if streamed {
        return Verdict::Interrupted;
    }
    match fault.kind {
        // another key would get the same answer
        FaultKind::Refused => Verdict::Failed,
        _ if keys_left > 0 => Verdict::NextKey,
        _ => Verdict::Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts() {
        use FaultKind::{Broken, Busy, Cut, Garbled, Key, Refused, Silent, TooLong, Unreachable};
        for kind in [Key, Busy, Refused, Broken, Unreachable, Silent, Cut, Garbled, TooLong] {
            let fault = Fault::new(kind, "");
            assert_eq!(verdict(&fault, true, 3), Verdict::Interrupted, "{kind:?}");
            assert_eq!(verdict(&fault, false, 0), Verdict::Failed, "{kind:?}");
            let expected = if kind == Refused { Verdict::Failed } else { Verdict::NextKey };
            assert_eq!(verdict(&fault, false, 1), expected, "{kind:?}");
        }
    }

    #[test]
    fn names_are_read_back() {
        use State::{Completed, Failed, Interrupted, Queued, Stopped, Streaming, Waiting};
        for state in [Queued, Streaming, Waiting, Completed, Stopped, Interrupted, Failed] {
            assert_eq!(State::parse(state.name()), state);
        }
    }
}
