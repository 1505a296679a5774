//! Calls of models by programs, in a vendor's protocol: who may call what, with which of the house's keys, and what is written
//! into the ledger. The answer passes through as it comes; nothing of it is kept. What must not live here: headers, and how a
//! refusal looks (http/gateway), a protocol (outside/llm).

mod desk;
mod passing;
mod store;
mod taking;

pub use desk::Desk;
pub use passing::{Begun, End, Passing};

use crate::{
    app::App,
    base::{
        Error,
        config::seconds,
        error::Allowance,
        ids::{CallId, ProviderKeyId},
        metrics::{self, Pace},
    },
    domain::{
        accounts::Viewer,
        catalog::{self, Model, Price},
        limits::{self, Bill},
        providers::pool::{self, Take, Taken},
    },
    outside::llm::{
        Fault, FaultKind, Provider, Usage, guess,
        relay::{Door, Relayed, Sent, Turned},
    },
};
use bytes::Bytes;
use std::{sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// What a program asks for.
pub struct Wanted<'a> {
    pub door: Door,
    /// As it names it: `provider/name`, or the name alone.
    pub model: &'a str,
    pub streams: bool,
    /// As many tokens may be answered at most; nothing: as many as the model makes.
    pub most_tokens: Option<u32>,
    /// As many answers are wanted.
    pub answers: u32,
    /// Bytes of what is asked, without those of images.
    pub bytes: usize,
    pub images: usize,
    /// Cancelled when whoever asks has left.
    pub left: &'a CancellationToken,
    /// Cancelled when whoever asks may not any more.
    pub ended: &'a CancellationToken,
    /// The request for a model of that name, at a provider which is asked at this door.
    pub ask: &'a (dyn Fn(&Provider, Door, &str) -> Result<Sent, String> + Send + Sync),
}

/// A call that is not answered.
#[derive(Debug)]
pub enum Refused {
    /// No room for it, or the database's.
    Error(Error),
    NoSuchModel,
    /// The provider of the model has nothing of that kind.
    NotThere(String),
    /// What the provider says of the request, in JSON, and its status.
    Said(u16, Bytes),
    /// All keys are in use for so long.
    Busy(Duration, String),
    /// Everything was tried.
    Failed(FaultKind, String),
    /// Whoever asked has left.
    Left,
    /// Whoever asked may not any more.
    Revoked,
    /// This process ends.
    Stopping,
}

impl<E: Into<Error>> From<E> for Refused {
    fn from(error: E) -> Self {
        Self::Error(error.into())
    }
}

/// A call that is made.
pub struct Made {
    /// What is left.
    pub allowance: Option<Allowance>,
    /// At which it was asked.
    pub door: Door,
    pub answer: Relayed,
    pub begun: Begun,
}

/// Bytes that no more tokens than these stand for in an image: see [`crate::outside::llm::image_tokens`].
const IMAGE: i64 = 8_000;

/// Makes a call: takes one of what somebody has, reserves what it may cost, and asks the model, or as long as nothing came of it
/// those that may answer instead, each with every key.
///
/// # Errors
/// [`Refused`].
pub async fn make(app: &App, desk: &Desk, viewer: &Viewer, wanted: &Wanted<'_>) -> Result<Made, Refused> {
    let model = catalog::called(app, viewer, wanted.model).await?.ok_or(Refused::NoSuchModel)?;
    let taken = desk.take(viewer).await?;
    let others = app.provider(&model.provider).and_then(|provider| provider.fallbacks.get(&model.name).cloned());
    let mut models = vec![model];
    for other in others.iter().flatten() {
        models.extend(catalog::called(app, viewer, other).await?);
    }
    let reserved = reserve(app, desk, viewer, wanted, &models, taken.budget).await?;
    let calling = Calling { app, desk, viewer, wanted };
    let mut refused = Refused::NoSuchModel;
    for model in &models {
        match calling.ask(model).await {
            Ok((answer, door, mut begun)) => {
                begun.reserved = reserved;
                return Ok(Made { allowance: taken.allowance, door, answer, begun });
            }
            Err(next) => refused = refused.or(next),
        }
        if !refused.may_pass() {
            break;
        }
    }
    Err(refused)
}

impl Refused {
    /// Whether another model might answer.
    fn may_pass(&self) -> bool {
        matches!(self, Self::NoSuchModel | Self::NotThere(_) | Self::Busy(..) | Self::Failed(..))
    }

    /// Of two models that were asked one after the other: the first that can be waited for, or else the first.
    fn or(self, next: Self) -> Self {
        match (&self, &next) {
            (Self::NoSuchModel, _) | (Self::NotThere(_) | Self::Failed(..), Self::Busy(..)) => next,
            (Self::Busy(first, _), Self::Busy(second, _)) if second < first => next,
            _ => self,
        }
    }
}

/// What is reserved for a call, until it is dropped.
pub struct Reserved {
    desk: Desk,
    call: CallId,
}

impl Drop for Reserved {
    fn drop(&mut self) {
        self.desk.over(self.call);
    }
}

/// Reserves what the dearest of the models may cost, if a budget is to be held against it.
async fn reserve(
    app: &App,
    desk: &Desk,
    viewer: &Viewer,
    wanted: &Wanted<'_>,
    models: &[Model],
    budget: Option<i64>,
) -> Result<Option<Reserved>, Refused> {
    let Some(own) = budget else { return Ok(None) };
    let prices = models.iter().filter_map(|model| model.facts.price.map(Price::from));
    let Some(price) = prices.reduce(Price::dearer) else { return Ok(None) };
    let makes = |model: &Model| model.facts.max_output.or(model.facts.context).unwrap_or(UNKNOWN);
    let most = models.iter().map(makes).max().unwrap_or(UNKNOWN);
    let most = wanted.most_tokens.map_or(most, |asked| asked.min(most)).saturating_mul(wanted.answers.max(1));
    let bill = Bill::of_call(app, viewer, price, most);
    let images = i64::try_from(wanted.images).unwrap_or(i64::MAX / IMAGE) * IMAGE;
    let prompt = i64::try_from(wanted.bytes).unwrap_or(i64::MAX / 2) + images;
    let call = CallId(Uuid::now_v7());
    limits::reserve_call(app, viewer.id, own, &bill, call, prompt).await?;
    desk.reserved(call);
    Ok(Some(Reserved { desk: desk.clone(), call }))
}

/// As many tokens a model may answer of which nobody knows more.
const UNKNOWN: u32 = 32_768;

/// A call on its way to a model.
struct Calling<'a> {
    app: &'a App,
    desk: &'a Desk,
    viewer: &'a Viewer,
    wanted: &'a Wanted<'a>,
}

impl Calling<'_> {
    async fn ask(&self, model: &Model) -> Result<(Relayed, Door, Begun), Refused> {
        let Some(provider) = self.app.provider(&model.provider) else { return Err(Refused::NoSuchModel) };
        let door = match self.wanted.door {
            // in front of any model: it is asked in the protocol that its provider has
            Door::Messages if !provider.has(Door::Messages) => Door::Chat,
            door => door,
        };
        let not_there = |sentence: &str| Refused::NotThere(format!("{}: {sentence}", model.id()));
        if !provider.has(door) {
            return Err(not_there("this model's provider has nothing of this kind."));
        }
        let sent = (self.wanted.ask)(&provider, door, &model.name).map_err(|sentence| not_there(&sentence))?;
        let tokens = guess(self.wanted.bytes) + i64::from(self.wanted.most_tokens.unwrap_or(0));
        let mut tried = Vec::new();
        loop {
            match self.take(&provider, &tried, tokens).await? {
                Take::In(pause) => {
                    let sentence = format!("All that {} takes at once is in use.", provider.name);
                    return Err(Refused::Busy(pause, sentence));
                }
                Take::Never => {
                    let fault = Fault::new(FaultKind::Key, "every key is set aside");
                    return Err(Refused::Failed(fault.kind, fault.sentence(&provider.name)));
                }
                Take::Key(taken) => {
                    tried.push(taken.key.id);
                    match self.ask_with(&provider, model, sent.clone(), &taken).await {
                        Ok((answer, begun)) => return Ok((answer, door, begun)),
                        Err(Turned { said: Some((status, body)), .. }) => return Err(Refused::Said(status, body)),
                        Err(Turned { fault, .. }) => {
                            if let Some(refused) = self.gave_up() {
                                return Err(refused);
                            }
                            let left = self.is_left(&provider, &tried).await;
                            if fault.kind == FaultKind::Refused || !left {
                                return Err(self.failed(&provider, &fault));
                            }
                        }
                    }
                }
            }
        }
    }

    /// Everything was tried, and this came of the last.
    fn failed(&self, provider: &Provider, fault: &Fault) -> Refused {
        let sentence = fault.sentence(&provider.name);
        if fault.kind == FaultKind::Busy {
            let rest = seconds(self.app.config.generation.key_rest);
            return Refused::Busy(fault.retry_after.unwrap_or(rest), sentence);
        }
        Refused::Failed(fault.kind, sentence)
    }

    async fn take<'p>(
        &self,
        provider: &'p Provider,
        tried: &[ProviderKeyId],
        tokens: i64,
    ) -> Result<Take<'p>, Refused> {
        if let Some(taken) = pool::take_known(provider, tried) {
            return Ok(taken);
        }
        Ok(pool::take(&mut *self.app.pools.http.acquire().await?, provider, tried, tokens).await?)
    }

    /// Whether there is another key to try at once.
    async fn is_left(&self, provider: &Provider, tried: &[ProviderKeyId]) -> bool {
        let looked = async { pool::is_left(&mut *self.app.pools.http.acquire().await?, provider, tried).await };
        looked.await.inspect_err(|error| tracing::warn!(%error, "the keys could not be looked at")).unwrap_or(false)
    }

    /// One request. If no answer begins it is written down, and what that means for the key.
    async fn ask_with(
        &self,
        provider: &Arc<Provider>,
        model: &Model,
        sent: Sent,
        taken: &Taken<'_>,
    ) -> Result<(Relayed, Begun), Turned> {
        let limits = &self.app.config.generation;
        let patience = if self.wanted.streams { seconds(limits.first_token) } else { WHOLE };
        let begun = Begun {
            app: self.app.clone(),
            desk: self.desk.clone(),
            who: self.viewer.id,
            provider: provider.name.clone(),
            model: model.name.clone(),
            key: taken.id(),
            price: model.facts.price.map(Price::from),
            prompt: guess(self.wanted.bytes) + i64::try_from(self.wanted.images).unwrap_or(0) * 1000,
            receipt: taken.receipt(),
            pace: Pace::begin(),
            speaks: matches!(self.wanted.door, Door::Chat | Door::Completions | Door::Messages | Door::Responses),
            idle: if self.wanted.streams { seconds(limits.idle) } else { WHOLE },
            reserved: None,
        };
        let turned = tokio::select! {
            answered = tokio::time::timeout(patience, provider.relay(sent, taken.key)) => match answered {
                Ok(Ok(answer)) => return Ok((answer, begun)),
                Ok(Err(turned)) => turned,
                Err(_) => Fault::new(FaultKind::Silent, "no answer within the deadline").into(),
            },
            () = self.given_up() => {
                // what the provider makes of it meanwhile, nobody will be told
                let asked = Usage { prompt: begun.prompt, ..Usage::default() };
                begun.note("stopped", (asked, true));
                return Err(Fault::new(FaultKind::Silent, "nobody waits for it any more").into());
            }
        };
        let fault = &turned.fault;
        let (provider_name, model) = (&provider.name, &model.name);
        if turned.said.is_none() {
            tracing::warn!(provider = provider_name, model, %fault, "a provider failed");
            metrics::provider_error(provider_name, fault.kind.name());
        }
        // a key may be good for answers and not for other doors, or not for one model or one text: it stays in use for the rest
        let is_bad = turned.status == Some(401) && matches!(self.wanted.door, Door::Chat | Door::Messages);
        let of_key = Some(fault).filter(|fault| fault.kind != FaultKind::Key || is_bad);
        if let Err(error) = pool::ended(self.app, provider, taken, of_key, None).await {
            tracing::warn!(%error, provider = provider_name, "what became of a key was not written down");
        }
        // one that was silent may have been at work
        let asked = if fault.kind == FaultKind::Silent { begun.prompt } else { 0 };
        let estimated = asked > 0;
        begun.note(fault.kind.name(), (Usage { prompt: asked, ..Usage::default() }, estimated));
        Err(turned)
    }

    /// Why nobody waits for it any more: whoever asked has left, or may not any more; or this process ends.
    fn gave_up(&self) -> Option<Refused> {
        if self.wanted.left.is_cancelled() {
            Some(Refused::Left)
        } else if self.wanted.ended.is_cancelled() {
            Some(Refused::Revoked)
        } else {
            self.app.stopping.hand_over.is_cancelled().then_some(Refused::Stopping)
        }
    }

    /// Until [`Self::gave_up`] has a reason.
    async fn given_up(&self) {
        tokio::select! {
            () = self.wanted.left.cancelled() => {}
            () = self.wanted.ended.cancelled() => {}
            () = self.app.stopping.hand_over.cancelled() => {}
        }
    }
}

/// So long an answer may take that comes as a whole.
const WHOLE: Duration = Duration::from_mins(10);

/// A text of JSON that is so long, and of nothing but Base64, is an image or another file.
const FILE: usize = 1024;

/// What is asked, in bytes without those of images and other files, and how many of these there are. They stand in texts of their own
/// (Anthropic's), or behind `;base64,` (OpenAI's).
#[must_use]
pub fn measure(body: &[u8]) -> (usize, usize) {
    let (mut bytes, mut files, mut at) = (body.len(), 0, 0);
    while at < body.len() {
        let length =
            body[at..].iter().take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=')).count();
        if length >= FILE {
            files += 1;
            bytes -= length;
        }
        at += length + 1;
    }
    (bytes, files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_measured_apart() {
        assert_eq!(measure(br#"{"a":"b"}"#), (9, 0));
        let long = "A".repeat(5000);
        for body in [format!("{{\"url\":\"data:image/png;base64,{long}\"}}"), format!("{{\"data\":\"{long}==\"}}")] {
            let (bytes, files) = measure(body.as_bytes());
            assert!(files == 1 && bytes < 50, "{bytes}");
        }
        // whatever comes: nothing is less than nothing, and words are no file
        for body in [";base64,".repeat(5000), "word ".repeat(5000), format!("{long};base64,{long}")] {
            assert!(measure(body.as_bytes()).0 <= body.len());
        }
        assert_eq!(measure("word ".repeat(5000).as_bytes()), (25_000, 0));
    }

    #[test]
    fn what_is_said_of_several_models() {
        let busy = |seconds| Refused::Busy(Duration::from_secs(seconds), String::new());
        let failed = || Refused::Failed(FaultKind::Broken, String::new());
        assert!(matches!(failed().or(busy(3)), Refused::Busy(..)));
        assert!(matches!(busy(9).or(busy(3)), Refused::Busy(pause, _) if pause.as_secs() == 3));
        assert!(matches!(busy(3).or(failed()), Refused::Busy(..)));
        assert!(matches!(Refused::NoSuchModel.or(failed()), Refused::Failed(..)));
        assert!(!Refused::Said(400, Bytes::new()).may_pass());
    }
}
