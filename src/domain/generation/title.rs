//! A chat's title, made by its model after the first answer. A job calls for it. Whatever goes wrong, and whatever a
//! person has written there meanwhile, what stands there stays.

use super::{
    ask::{Asking, COMPLETE},
    state::{Verdict, verdict},
    store::title as store,
};
use crate::{
    app::App,
    base::{
        Result,
        ids::{GenerationId, MessageId},
    },
    domain::{
        catalog::{self, Price},
        chats,
        feed::{self, What},
        ledger::{self, Purpose},
        providers::pool::{self, Take},
    },
    outside::llm::{Ask, Chunk, Chunks, Fault, Finish, Provider, Said, Usage},
};
use futures::StreamExt;
use std::time::Duration;

/// What the model is told before the beginning of the conversation.
const PROMPT: &str = "Give the conversation below a title of two to six words, in the language it is held in. Answer \
with the title alone, on one line, without quotation marks and without a full stop.";
/// Characters of question and answer that go along.
const GIST: usize = 1200;
/// Tokens at most: a model that thinks before it speaks needs some for that.
const MAX_TOKENS: u32 = 512;
/// Bytes of an answer that can be a title.
const MAX_BYTES: usize = 2000;
const PATIENCE: Duration = Duration::from_mins(1);
const AFTER_THE_END: Duration = Duration::from_secs(2);

/// Makes the title of a chat whose first answer this is; returns at once.
pub fn title(app: &App, id: GenerationId) {
    let ours = app.clone();
    app.tasks.spawn(async move {
        let Ok(_permit) = ours.running.titles.acquire().await else { return };
        tokio::select! {
            () = ours.stopping.begun.cancelled() => {}
            result = tokio::time::timeout(PATIENCE, make(&ours, id)) => match result {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::warn!(generation = %id, %error, "a title could not be made"),
                Err(_) => tracing::warn!(generation = %id, "a title took too long"),
            },
        }
    });
}

async fn make(app: &App, id: GenerationId) -> Result<()> {
    let Some(first) = store::first_exchange(&app.pools.jobs, id).await? else { return Ok(()) };
    let (provider, model) = catalog::split(&first.model);
    let Some(provider) = app.provider(provider).filter(|provider| !provider.is_demo()) else { return Ok(()) };
    let gist = |text: &str| text.chars().take(GIST).collect::<String>();
    let text =
        format!("{PROMPT}\n\n---\nQuestion:\n{}\n\n---\nAnswer:\n{}", gist(&first.question), gist(&first.answer));
    let ask = Ask {
        model: model.to_owned(),
        system: String::new(),
        messages: vec![Said::words(false, text)],
        max_tokens: MAX_TOKENS,
        temperature: None,
    };
    let price = catalog::facts(app, &mut *app.pools.jobs.acquire().await?, &first.model).await?.price.map(Price::from);
    let said = match said(app, id, &provider, &ask, price).await? {
        Ok(said) => said,
        Err(fault) => {
            tracing::warn!(provider = provider.name, %fault, "a provider made no title");
            return Ok(());
        }
    };
    let Some(title) = said.as_deref().and_then(clean) else { return Ok(()) };
    let mut tx = app.pools.jobs.begin().await?;
    if feed::lock(&mut tx, first.chat).await?.is_none() || !store::give(&mut tx, first.chat, &title).await? {
        return Ok(());
    }
    // of the chat, not of one of its messages
    let news = [(MessageId(first.chat.0), What::Title)];
    let events = feed::append(&mut tx, first.chat, &news).await?;
    tx.commit().await?;
    app.feed.hub.deliver(first.chat, events);
    Ok(())
}

/// What the model answers, with the first key that is taken; nothing if there is no key for it now, or if it did not come
/// to its end.
async fn said(
    app: &App,
    id: GenerationId,
    provider: &Provider,
    ask: &Ask,
    price: Option<Price>,
) -> Result<std::result::Result<Option<String>, Fault>> {
    let mut tried = Vec::new();
    loop {
        let taken = pool::take(&mut *app.pools.jobs.acquire().await?, provider, &tried, ask.tokens()).await?;
        // a title is not worth waiting for
        let Take::Key(taken) = taken else { return Ok(Ok(None)) };
        tried.push(taken.key.id);
        let opened = provider.open(ask, taken.key).await;
        let began = opened.is_ok();
        let result = match opened {
            Ok(chunks) => said_whole(chunks).await,
            Err(fault) => Err(fault),
        };
        let told = result.as_ref().ok().and_then(|(_, usage)| *usage);
        let used = told.map(|usage| usage.prompt + usage.completion).or((!began).then_some(0));
        pool::ended(app, provider, &taken, result.as_ref().err(), used).await?;
        let asking = Asking::new(provider, ask, price, &taken);
        let used = match told {
            Some(usage) => (usage, false),
            None if began => (Usage { prompt: asking.prompt, ..Usage::default() }, true),
            None => (Usage::default(), false),
        };
        let outcome = result.as_ref().err().map_or(COMPLETE, |fault| fault.kind.name());
        let spent = asking.entry((id, Purpose::Title), outcome, used, None);
        ledger::note(&mut *app.pools.jobs.acquire().await?, &spent).await?;
        match result {
            Ok((said, _)) => return Ok(Ok(said)),
            Err(fault) if matches!(verdict(&fault, began, true, 0, &[]), Verdict::NextKey) => {}
            Err(fault) => return Ok(Err(fault)),
        }
    }
}

/// The whole of it, and what was used, if that was told.
async fn said_whole(mut chunks: Chunks) -> std::result::Result<(Option<String>, Option<Usage>), Fault> {
    let (mut said, mut used, mut finish) = (String::new(), None, None);
    loop {
        // what was used may follow its last word, and is not waited for much longer
        let patience = if finish.is_some() { AFTER_THE_END } else { PATIENCE };
        let Ok(Some(chunk)) = tokio::time::timeout(patience, chunks.next()).await else { break };
        match chunk? {
            Chunk::Text(piece) => said.push_str(&piece),
            Chunk::Finished(why) => finish = Some(why),
            Chunk::Usage(usage) => used = Some(usage),
            Chunk::Reasoning(_) => {}
        }
        if said.len() > MAX_BYTES {
            return Ok((None, used));
        }
    }
    Ok(((finish == Some(Finish::Complete)).then_some(said), used))
}

/// A title out of what a model said: its first line, without what models like to put round it.
fn clean(said: &str) -> Option<String> {
    const AROUND: [char; 17] = ['"', '\'', '“', '”', '„', '‘', '’', '«', '»', '*', '#', '_', '`', ' ', '-', '「', '」'];
    let line = said.lines().map(|line| line.trim().trim_matches(AROUND)).find(|line| !line.is_empty())?;
    let line = line.strip_prefix("Title:").unwrap_or(line).trim_matches(AROUND);
    let line = line.strip_suffix('.').filter(|rest| !rest.ends_with('.')).unwrap_or(line).trim_matches(AROUND);
    (!line.is_empty()).then(|| chats::title_from(line))
}

#[cfg(test)]
mod tests {
    use super::clean;

    #[test]
    fn titles_of_models() {
        for (said, title) in [
            ("Grey herons in winter", Some("Grey herons in winter")),
            ("\n**Title: \"Grey herons\"**\nMore words", Some("Grey herons")),
            ("“Zwei Reiher.”", Some("Zwei Reiher")),
            ("\"Grey herons\".", Some("Grey herons")),
            ("And so on...", Some("And so on...")),
            ("", None),
            (" \n\"\"\n", None),
        ] {
            assert_eq!(clean(said).as_deref(), title, "{said:?}");
        }
        assert!(clean(&"long ".repeat(50)).is_some_and(|title| title.chars().count() <= 61));
    }
}
