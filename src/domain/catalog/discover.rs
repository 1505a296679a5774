//! Asking the providers for their lists of models, again and again.

use super::{Listed as Catalog, store};
use crate::{
    app::App,
    base::Result,
    outside::llm::{Fault, FaultKind, Listed, Provider},
};
use std::time::Duration;

/// A list that has not come by then is asked for again later.
const PATIENCE: Duration = Duration::from_secs(10);

/// Waits for the first lists of a house that has none yet, but not long: its first guest should find a model.
pub async fn wait_for_first(app: &App, most: Duration) {
    let found = async {
        while store::is_empty(app).await.is_ok_and(|is_empty| is_empty) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let _ = tokio::time::timeout(most, found).await;
    forget(app);
}

/// Asks every provider for its models and keeps the lists; then again and again, sooner while one does not answer. Of
/// several processes one asks, but each does when it begins: its settings may be others.
pub async fn keep_fresh(app: App) {
    let mut begins = true;
    loop {
        let complete = refresh(&app, begins).await;
        begins = begins && !complete;
        let pause = if complete { app.config.catalog.refresh } else { app.config.catalog.retry };
        tokio::select! {
            () = app.stopping.begun.cancelled() => return,
            () = tokio::time::sleep(Duration::from_secs(pause)) => {}
        }
    }
}

/// Whether every provider answered.
async fn refresh(app: &App, begins: bool) -> bool {
    let mut complete = true;
    for provider in &*app.providers() {
        let models = async {
            let key = list_key(&provider.name);
            let fresh = Duration::from_secs(app.config.catalog.refresh);
            if begins {
                app.cache.forget(&key).await?;
            }
            app.cache.get(&key, fresh, ask(provider)).await
        };
        let models = match models.await {
            Ok(models) => models,
            Err(error) => {
                tracing::warn!(provider = provider.name, %error, "the list of models could not be had");
                complete = false;
                continue;
            }
        };
        if let Err(error) = keep_list(app, &provider.name, models).await {
            tracing::warn!(provider = provider.name, %error, "the list of models could not be kept");
            complete = false;
        }
    }
    complete
}

async fn ask(provider: &Provider) -> anyhow::Result<Vec<Listed>> {
    let late = |_| Err(Fault::new(FaultKind::Silent, format!("not within {} s", PATIENCE.as_secs())));
    Ok(tokio::time::timeout(PATIENCE, provider.models()).await.unwrap_or_else(late)?)
}

/// Keeps what a provider listed.
///
/// # Errors
/// The database's.
pub async fn keep_list(app: &App, provider: &str, models: Vec<Listed>) -> Result<()> {
    let models: Vec<_> = models.into_iter().filter(|model| !model.name.is_empty() && model.name.len() <= 200).collect();
    store::keep(app, provider, &models).await?;
    forget(app);
    Ok(())
}

/// A provider was changed: what it listed before counts no more.
///
/// # Errors
/// The database's.
pub async fn forget_list(app: &App, provider: &str) -> Result<()> {
    app.cache.forget(&list_key(provider)).await
}

fn list_key(provider: &str) -> String {
    format!("models:{provider}")
}

/// The next one who asks looks anew.
pub fn forget(app: &App) {
    app.memo.forget::<Catalog>();
}

/// A guess by the name whether a model holds a conversation: lists of providers mix them with others and do not say.
pub fn converses(name: &str) -> bool {
    const OTHERS: [&str; 12] = [
        "embed",
        "whisper",
        "tts",
        "dall-e",
        "moderation",
        "transcribe",
        "realtime",
        "gpt-image",
        "sora",
        "rerank",
        "davinci-002",
        "babbage-002",
    ];
    let name = name.to_lowercase();
    !OTHERS.iter().any(|other| name.contains(other))
}

#[cfg(test)]
mod tests {
    use super::{super::split, converses};

    #[test]
    fn names() {
        assert_eq!(split("openrouter/meta/llama"), ("openrouter", "meta/llama"));
        assert!(converses("gpt-5-mini") && converses("llama3.2:3b"));
        assert!(!converses("text-embedding-3-small") && !converses("whisper-1"));
    }
}
