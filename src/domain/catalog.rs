//! The catalog: the models that may be asked. It starts as the providers' own lists and is kept in the database, so
//! that a provider that is down at a restart does not empty it.

use crate::{
    app::App,
    base::{Error, Result, ids::UserId},
};
use sqlx::PgConnection;
use std::{sync::Arc, time::Duration};

/// How old what is known of the catalog may be: every page and every message asks for it.
const RECENT: Duration = Duration::from_secs(1);

/// A model that may be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Model {
    pub provider: String,
    pub name: String,
}

impl Model {
    /// How forms and tables name it: `provider/name`.
    #[must_use]
    pub fn id(&self) -> String {
        format!("{}/{}", self.provider, self.name)
    }
}

/// Splits an id into provider and name.
#[must_use]
pub fn split(id: &str) -> (&str, &str) {
    id.split_once('/').unwrap_or(("", id))
}

/// All models of the providers that are configured, by provider and name, as they were at most a second ago.
///
/// # Errors
/// The database's.
pub async fn models(app: &App) -> Result<Arc<Vec<Model>>> {
    app.memo.get(RECENT, async { read(app, &mut *app.pools.http.acquire().await?).await }).await
}

async fn read(app: &App, conn: &mut PgConnection) -> Result<Vec<Model>> {
    let names: Vec<String> = app.providers.iter().map(|p| p.name.clone()).collect();
    Ok(sqlx::query_as!(
        Model,
        "select provider, name from models where provider = any($1) order by array_position($1, provider), name",
        &names
    )
    .fetch_all(conn)
    .await?)
}

/// Refuses a model that is not in the catalog.
///
/// # Errors
/// [`Error::Invalid`] for `model`.
pub async fn require(app: &App, conn: &mut PgConnection, id: &str) -> Result<()> {
    let is_known =
        |models: &[Model]| models.iter().any(|model| (model.provider.as_str(), model.name.as_str()) == split(id));
    // one that has just come is not known a moment ago
    let known = is_known(&app.memo.get(RECENT, read(app, &mut *conn)).await?) || is_known(&read(app, conn).await?);
    if known { Ok(()) } else { Err(Error::invalid("model", "This model is not available. Choose another one.")) }
}

/// The model that this person asked last, in any chat.
///
/// # Errors
/// The database's.
pub async fn last_used(app: &App, user: UserId) -> Result<Option<String>> {
    Ok(sqlx::query_scalar!(
        r#"select model as "model!" from chats where user_id = $1 and deleted_at is null and model is not null
           order by active_at desc limit 1"#,
        user.0
    )
    .fetch_optional(&app.pools.http)
    .await?)
}

/// Waits for the first lists of a house that has none yet, but not long: its first guest should find a model.
pub async fn wait_for_first(app: &App, most: Duration) {
    let found = async {
        while models(app).await.is_ok_and(|known| known.is_empty()) {
            app.memo.forget::<Vec<Model>>();
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let _ = tokio::time::timeout(most, found).await;
}

/// Asks every provider for its models and keeps the lists; then again and again, sooner while one does not answer.
pub async fn keep_fresh(app: App) {
    loop {
        let complete = refresh(&app).await;
        let pause = if complete { app.config.catalog.refresh } else { app.config.catalog.retry };
        tokio::select! {
            () = app.stopping.begun.cancelled() => return,
            () = tokio::time::sleep(Duration::from_secs(pause)) => {}
        }
    }
}

/// Whether every provider answered.
async fn refresh(app: &App) -> bool {
    let mut complete = true;
    for provider in &app.providers {
        let answer = tokio::time::timeout(Duration::from_secs(10), provider.models()).await;
        let names = match answer {
            Ok(Ok(names)) => names,
            Ok(Err(fault)) => {
                tracing::warn!(provider = provider.name, %fault, "the list of models could not be had");
                complete = false;
                continue;
            }
            Err(_) => {
                tracing::warn!(provider = provider.name, "the list of models did not come within 10 s");
                complete = false;
                continue;
            }
        };
        let names: Vec<String> = names.into_iter().filter(|name| converses(name)).collect();
        if let Err(error) = store(app, &provider.name, &names).await {
            tracing::warn!(provider = provider.name, %error, "the list of models could not be kept");
            complete = false;
        }
    }
    complete
}

async fn store(app: &App, provider: &str, names: &[String]) -> Result<()> {
    let mut tx = app.pools.jobs.begin().await?;
    sqlx::query!(
        "insert into models (provider, name) select $1, n from unnest($2::text[]) as n order by n
         on conflict (provider, name) do update set seen_at = now()",
        provider,
        names
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!("delete from models where provider = $1 and name <> all ($2)", provider, names)
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    app.memo.forget::<Vec<Model>>();
    Ok(())
}

/// A guess by the name whether a model holds a conversation: lists of providers mix them with others and do not say.
fn converses(name: &str) -> bool {
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
    !name.is_empty() && name.len() <= 200 && !OTHERS.iter().any(|other| name.contains(other))
}

#[cfg(test)]
mod tests {
    use super::{converses, split};

    #[test]
    fn names() {
        assert_eq!(split("openrouter/meta/llama"), ("openrouter", "meta/llama"));
        assert!(converses("gpt-5-mini") && converses("llama3.2:3b"));
        assert!(!converses("text-embedding-3-small") && !converses("whisper-1"));
    }
}
