//! Asking for an answer: which model, with which key, and what each request used. As long as nothing was said and there is
//! somebody left to ask, the next one is asked at once. What must not live here: what comes of it for the answer (`run.rs`,
//! `state.rs`).

use super::{
    run::{Attempt, Outcome},
    state::{Verdict, verdict},
    store,
    told::{Prompt, told},
};
use crate::{
    base::{
        Error, Result,
        ids::{GenerationId, ProviderKeyId},
        metrics::{self, Pace},
    },
    domain::{
        catalog::{self, Price},
        ledger::{self, Entry, Purpose},
        providers::pool::{self, Take, Taken},
    },
    outside::llm::{Ask, Facts, Fault, FaultKind, Finish, Provider, Said, Usage, guess},
};
use sqlx::PgConnection;
use std::{mem, time::Duration};

/// How the ledger calls a request that came to its end.
pub(super) const COMPLETE: &str = "complete";

/// The shortest pause of an answer that waits for a key.
const LEAST_WAIT: Duration = Duration::from_millis(200);
/// And of one for which none could be taken.
const SHORT_WAIT: Duration = Duration::from_secs(1);

/// What a model is told that is to continue an answer; it stands after the answer's text so far.
pub(super) const GO_ON: &str = "Your last message was cut off. Go on exactly where it ends, as if there had been no break: begin \
with the very next character, repeat nothing of it, and add no introduction or remark.";

/// A request to a provider.
pub(super) struct Asking {
    provider: String,
    model: String,
    key: Option<ProviderKeyId>,
    price: Option<Price>,
    /// What is asked, in tokens by our guess.
    pub prompt: i64,
    /// No more tokens than these are answered.
    most: i64,
}

impl Asking {
    pub fn new(provider: &Provider, ask: &Ask, price: Option<Price>, taken: &Taken<'_>) -> Self {
        Self {
            provider: provider.name.clone(),
            model: ask.model.clone(),
            key: taken.id(),
            price,
            prompt: ask.prompt_tokens(),
            most: ask.max_tokens.into(),
        }
    }

    /// What it used, for the ledger; `pace` if it was measured.
    pub fn entry(
        self,
        (generation, purpose): (GenerationId, Purpose),
        outcome: &'static str,
        (usage, estimated): (Usage, bool),
        pace: Option<&Pace>,
    ) -> Entry {
        Entry {
            generation,
            purpose,
            cost: self.price.map(|price| price.cost(&usage)),
            provider: self.provider,
            model: self.model,
            key: self.key,
            outcome,
            usage,
            estimated,
            first_token: pace.and_then(Pace::first),
            tokens_per_second: pace.and_then(|pace| pace.per_second(usage.completion)),
        }
    }
}

impl Outcome {
    /// How long is to be waited, if nothing else is left to do; none, if everything was tried.
    fn pause(&self) -> Option<Duration> {
        match self {
            Self::Wait(pause, _) | Self::NoRoom(pause, _) => Some(*pause),
            Self::Dead(_) => Some(Duration::MAX),
            Self::Done(_) | Self::Fault(_) | Self::Lost | Self::HandOver => None,
        }
    }

    /// What comes of two models that were asked one after the other, the first of which can only be waited for.
    fn or(self, next: Self) -> Self {
        match (&next, next.pause()) {
            // another that does not take the request says nothing about the first
            (Self::Fault(_), _) => self,
            (_, Some(pause)) if self.pause().is_some_and(|first| first <= pause) => self,
            _ => next,
        }
    }
}

impl Attempt<'_> {
    /// Asks the model, and as long as nothing came of it and waiting is all that is left, those that may answer instead.
    pub(super) async fn make(&mut self) -> Outcome {
        let mut outcome = self.make_with(&self.claimed.model).await;
        let (provider, model) = catalog::split(&self.claimed.model);
        let others = self.app.provider(provider).and_then(|provider| provider.fallbacks.get(model).cloned());
        for other in others.iter().flatten() {
            if self.has_streamed() || outcome.pause().is_none() {
                break;
            }
            if let Err(error) = self.goes_to(other).await {
                tracing::warn!(%error, generation = %self.claimed.id, "another model could not be asked");
                break;
            }
            let next = self.make_with(other).await;
            outcome = if self.has_streamed() { next } else { outcome.or(next) };
        }
        outcome
    }

    /// The answer is of another model from now on.
    async fn goes_to(&mut self, other: &str) -> Result<()> {
        tracing::info!(generation = %self.claimed.id, from = self.model, to = other, "another model is asked");
        store::goes_to(&mut *self.app.pools.jobs.acquire().await?, self.claimed.id, self.claimed.epoch, other).await?;
        other.clone_into(&mut self.model);
        Ok(())
    }

    async fn make_with(&mut self, id: &str) -> Outcome {
        let (provider_name, model) = catalog::split(id);
        let Some(provider) = self.app.provider(provider_name) else {
            let sentence = format!("The provider “{provider_name}” is no longer configured. Choose another model.");
            return Outcome::Fault(sentence);
        };
        let provider = &*provider;
        let (prompt, price, mut taken) = match self.prepare(provider, id).await {
            Ok(prepared) => prepared,
            // not for this model
            Err(Error::Conflict(sentence)) => return Outcome::Fault(sentence),
            Err(error) => {
                tracing::error!(%error, generation = %self.claimed.id, "the conversation could not be read");
                let sentence = "The conversation could not be read. Try again.".to_owned();
                return Outcome::Fault(sentence);
            }
        };
        let mut tried = Vec::new();
        loop {
            let key = match taken {
                Ok(Take::Key(taken)) => Ok(taken),
                Ok(Take::In(pause)) => {
                    let sentence = format!("All that {} takes at once is in use.", provider.name);
                    return Outcome::NoRoom(pause.max(LEAST_WAIT), sentence);
                }
                Ok(Take::Never) => Err(Fault::new(FaultKind::Key, "every key is set aside")),
                // the database's fault, and no attempt
                Err(error) => {
                    tracing::warn!(%error, generation = %self.claimed.id, "no key could be taken");
                    return Outcome::NoRoom(SHORT_WAIT, "The database did not answer for a moment.".to_owned());
                }
            };
            let result = match key {
                Ok(taken) => {
                    tried.push(taken.key.id);
                    self.ask_with(provider, &prompt, price, &taken).await
                }
                Err(fault) => Err(fault),
            };
            let fault = match result {
                Ok(None) => return Outcome::Lost,
                Ok(Some(finish)) => return Outcome::Done(finish),
                Err(fault) => fault,
            };
            let asked = tried.len();
            tracing::warn!(provider = provider.name, asked, model, %fault, generation = %self.claimed.id, "a provider failed");
            metrics::provider_error(&provider.name, fault.kind.name());
            let retries = usize::try_from(self.claimed.retries).unwrap_or_default();
            let schedule = &self.app.config.generation.retry;
            let sentence = fault.sentence(&provider.name);
            let left = if self.has_streamed() { false } else { self.is_left(provider, &tried).await };
            match verdict(&fault, self.has_streamed(), left, retries, schedule) {
                Verdict::NextKey => taken = self.key(provider, &tried, prompt.ask.tokens()).await,
                // what happened, without what the person is to do about it: nothing, for now
                Verdict::Wait(pause) => return Outcome::Wait(pause, first_sentence(&sentence)),
                Verdict::Dead => return Outcome::Dead(sentence),
                Verdict::Interrupted | Verdict::Failed => return Outcome::Fault(sentence),
            }
        }
    }

    /// What is asked, its price, and the first key; on one connection, since every answer does it.
    async fn prepare<'p>(&self, provider: &'p Provider, id: &str) -> Result<(Prompt, Option<Price>, Result<Take<'p>>)> {
        let mut conn = self.app.pools.jobs.acquire().await?;
        let facts = catalog::facts(self.app, &mut conn, id).await?;
        let prompt = self.prompt(&mut conn, provider, catalog::split(id).1, &facts).await?;
        let taken = pool::take(&mut conn, provider, &[], prompt.ask.tokens()).await;
        Ok((prompt, facts.price.map(Price::from), taken))
    }

    async fn key<'p>(&self, provider: &'p Provider, tried: &[ProviderKeyId], tokens: i64) -> Result<Take<'p>> {
        pool::take(&mut *self.app.pools.jobs.acquire().await?, provider, tried, tokens).await
    }

    /// Whether there is a key left to try at once. That somebody else takes it meanwhile does no harm.
    async fn is_left(&self, provider: &Provider, tried: &[ProviderKeyId]) -> bool {
        let looked = async { pool::is_left(&mut *self.app.pools.jobs.acquire().await?, provider, tried).await };
        looked.await.inspect_err(|error| tracing::warn!(%error, "the keys could not be looked at")).unwrap_or(false)
    }

    /// One request, from the first byte to the last; what it means for the key is written down.
    async fn ask_with(
        &mut self,
        provider: &Provider,
        prompt: &Prompt,
        price: Option<Price>,
        taken: &Taken<'_>,
    ) -> std::result::Result<Option<Finish>, Fault> {
        let deadline = self.silence_until(self.app.config.generation.first_token);
        self.pace = Pace::begin();
        self.usage = None;
        self.asking = Some(Asking::new(provider, &prompt.ask, price, taken));
        let opened = async {
            let ready = prompt.with_images(self.app).await;
            // their bytes are let go as soon as they are sent
            let (ask, _room) = ready.map_err(|error| Fault::new(FaultKind::Unreachable, error.to_string()))?;
            provider.open(&ask, taken.key).await
        };
        let result = match tokio::time::timeout_at(deadline, opened).await {
            Ok(Ok(chunks)) => self.read(chunks, deadline).await,
            Ok(Err(fault)) => Err(fault),
            Err(_) => Err(Fault::new(FaultKind::Silent, "no answer within the first-token deadline")),
        };
        let fault = result.as_ref().err();
        let used = match self.usage {
            Some(usage) => Some(usage.prompt + usage.completion),
            None => (fault.is_some() && !self.has_streamed()).then_some(0),
        };
        if let Err(error) = pool::ended(self.app, provider, taken, fault, used).await {
            tracing::warn!(%error, provider = provider.name, "what became of a key was not written down");
        }
        if let Some(fault) = result.as_ref().err() {
            self.note(fault.kind.name()).await;
        }
        result
    }

    /// The request that is over, for the ledger; nothing if it is there already.
    pub(super) fn spent(&mut self, outcome: &'static str) -> Option<Entry> {
        let asking = self.asking.take()?;
        let said = guess(self.text.len() - self.prefix + self.reasoning.len()).min(asking.most);
        let used = match self.usage {
            Some(usage) if outcome == COMPLETE => (usage, false),
            // told at the beginning, and then it was cut
            Some(usage) => (Usage { completion: usage.completion.max(said), ..usage }, true),
            None if outcome == COMPLETE || self.has_streamed() => {
                (Usage { prompt: asking.prompt, completion: said, ..Usage::default() }, true)
            }
            None => (Usage::default(), false),
        };
        let whose = (self.claimed.id, Purpose::Answer);
        Some(asking.entry(whose, outcome, used, Some(&self.pace)))
    }

    /// Writes the request into the ledger on its own; a complete one is written with the answer's end.
    pub(super) async fn note(&mut self, outcome: &'static str) {
        let Some(spent) = self.spent(outcome) else { return };
        let noted = async {
            ledger::note(&mut *self.app.pools.jobs.acquire().await?, &spent).await?;
            Ok::<_, sqlx::Error>(())
        };
        match noted.await {
            Ok(()) => metrics::spent(&self.model, spent.cost.unwrap_or(0)),
            Err(error) => tracing::warn!(%error, generation = %self.claimed.id, "a request is missing in the ledger"),
        }
    }

    async fn prompt(&self, conn: &mut PgConnection, provider: &Provider, model: &str, facts: &Facts) -> Result<Prompt> {
        let context = &self.app.config.context;
        // the answer itself is the leaf, and has no text yet
        let limit = i32::try_from(context.max_messages).unwrap_or(i32::MAX - 1) + 1;
        let leaf = (self.claimed.chat, self.claimed.message);
        let mut told = told(conn, leaf, limit, (model, facts)).await?;
        if told.is_unseen {
            let name = facts.label.as_deref().unwrap_or(model);
            let sentence =
                format!("{name} cannot see images. Ask a model that can, or edit your message and take the image off.");
            return Err(Error::Conflict(sentence));
        }
        // what is asked is always sent
        let mut kept = 1;
        if self.prefix > 0 {
            told.messages.push(Said::words(true, self.text.clone()));
            told.messages.push(Said::words(false, GO_ON));
            kept += 2;
        }
        let max_tokens = catalog::max_output(self.app, facts);
        let room = catalog::room(facts, max_tokens);
        let (system, temperature) = (mem::take(&mut told.system), told.temperature);
        let messages = mem::take(&mut told.messages);
        let mut asked = Ask { model: model.to_owned(), system, messages, max_tokens, temperature };
        // no token is less than a byte: hardly ever has anything to be counted
        if room.is_some_and(|room| asked.most_prompt_tokens() > room) {
            let (fitting, _) = provider.counter(model).fit(&asked.system, &asked.messages, kept, room);
            asked.messages.drain(..asked.messages.len() - fitting);
        }
        Ok(told.prompt(asked))
    }
}

fn first_sentence(text: &str) -> String {
    text.split_inclusive(". ").next().unwrap_or_default().trim_end().to_owned()
}
