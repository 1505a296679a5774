//! One answer as programs follow it: its words as they come, what it used, and its end, with the numbers of the chat's log. The
//! same code from its beginning and from anywhere in it. What must not live here: how a word looks in a protocol.

use super::{Shown, State, shown, thread};
use crate::{
    app::App,
    base::{
        Error, Result,
        ids::{ChatId, MessageId},
    },
    domain::{
        accounts::Viewer,
        feed::{Event, Stands, Subscription, What},
        ledger,
    },
};
use std::{mem, pin::pin};

/// Something that is said of an answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Word {
    Token(String),
    Reasoning(String),
    /// It waits, or is made.
    Stands(Stands),
    /// Tokens, as far as the provider told.
    Used {
        prompt: i64,
        completion: i64,
    },
    /// It is not what it should be; the sentence is for people.
    Fault(String),
    /// The last word.
    Done(State),
}

/// An answer that is followed.
pub struct Follow {
    app: App,
    pub chat: ChatId,
    pub answer: MessageId,
    subscription: Subscription,
    /// It has ended, and its end is at this number or before.
    ended_by: Option<i64>,
    /// What the log has no more of.
    stored: Option<Shown>,
    position: i64,
    over: bool,
}

/// Follows an answer of one of the viewer's chats from its beginning, or after a number that was seen.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Conflict`] for a number that the log does not have, or no longer.
pub async fn follow(app: &App, viewer: &Viewer, answer: MessageId, after: Option<i64>) -> Result<Follow> {
    let (shown, from, (first, last)) = thread::begun(app, viewer, answer).await?;
    let is_over = shown.state.is_none_or(State::is_over);
    // of one that is not over nothing but its turn can be gone
    let is_kept = !is_over || shown.state.is_some() && from >= first - 1;
    if after.is_some_and(|after| after < first - 1 || after > last) {
        let sentence = "What came after this number is not kept any more. Read the message as a whole.";
        return Err(Error::Conflict(sentence.to_owned()));
    }
    let position = after.unwrap_or(if is_kept { from.max(first - 1) } else { last });
    let subscription = app.feed.hub.subscribe(shown.chat, position).await?;
    Ok(Follow {
        app: app.clone(),
        chat: shown.chat,
        answer,
        subscription,
        ended_by: is_over.then_some(last),
        stored: (after.is_none() && !is_kept).then_some(shown),
        position,
        over: false,
    })
}

impl Follow {
    /// The next words, each with its number; those of the end share one. Nothing after the last, or when the reader was too
    /// slow and has to come back with the last number, or has `left`. It is not to be cut short by anything else.
    ///
    /// # Errors
    /// The database's.
    pub async fn next(&mut self, left: impl Future<Output = ()>) -> Result<Option<Vec<(i64, Word)>>> {
        let mut left = pin!(left);
        if self.over {
            return Ok(None);
        }
        if let Some(shown) = self.stored.take() {
            let seq = self.position;
            let mut words = Vec::new();
            for (text, word) in [(shown.reasoning, Word::Reasoning as fn(String) -> Word), (shown.text, Word::Token)] {
                words.extend((!text.is_empty()).then(|| (seq, word(text))));
            }
            words.extend(self.end(seq).await?);
            return Ok(Some(words));
        }
        loop {
            if self.ended_by.is_some_and(|last| self.position >= last) {
                return Ok(Some(self.end(self.position).await?));
            }
            let events = tokio::select! {
                events = self.subscription.next() => events?,
                () = &mut left => return Ok(None),
            };
            let Ok(events) = events else { return Ok(None) };
            self.position = events.last().map_or(self.position, |event| event.seq);
            let mut words = Vec::new();
            for Event { seq, message_id, what } in events {
                let word = match what {
                    _ if message_id != self.answer => continue,
                    What::Text { text, .. } => Word::Token(text.to_string()),
                    What::Reasoning { text, .. } => Word::Reasoning(text.to_string()),
                    What::State(stands) => Word::Stands(stands),
                    What::End(_) | What::Removed => {
                        words.extend(self.end(seq).await?);
                        return Ok(Some(words));
                    }
                    What::Turn { .. } | What::Path | What::Title | What::Unknown => continue,
                };
                words.push((seq, word));
            }
            if !words.is_empty() {
                return Ok(Some(words));
            }
        }
    }

    async fn end(&mut self, seq: i64) -> Result<Vec<(i64, Word)>> {
        let mut words = Vec::new();
        let found = shown(&self.app, self.chat, &[self.answer]).await?.into_iter().next();
        // one without a state was written, or brought along; one that is not there was taken out of the line
        let state = found.as_ref().map_or(State::Stopped, |shown| shown.state.unwrap_or(State::Completed));
        let used = ledger::used_by_answer(&mut *self.app.pools.http.acquire().await?, self.answer).await?;
        words.extend(used.map(|(prompt, completion)| (seq, Word::Used { prompt, completion })));
        if matches!(state, State::Failed | State::Interrupted) {
            let reason = found.and_then(|mut shown| mem::take(&mut shown.reason));
            words.push((seq, Word::Fault(reason.unwrap_or_else(|| "The answer broke off.".to_owned()))));
        }
        words.push((seq, Word::Done(state)));
        self.over = true;
        Ok(words)
    }
}
