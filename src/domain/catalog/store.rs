//! The SQL of the catalog.

use super::{Audience, Edit, Model, known};
use crate::{
    app::App,
    base::{Result, ids::UserId},
    outside::llm::{Facts, Listed},
};
use sqlx::{PgConnection, PgPool, types::Json};

struct Row {
    provider: String,
    name: String,
    listed: Json<Facts>,
    audience: Option<String>,
    edited: Option<Json<Facts>>,
}

/// All models of the providers that are configured, by provider and name.
pub async fn read(app: &App, conn: &mut PgConnection) -> Result<Vec<Model>> {
    let rows = sqlx::query_as!(
        Row,
        r#"select m.provider, m.name, m.facts as "listed: Json<Facts>", e.audience as "audience?",
                  e.facts as "edited?: Json<Facts>"
           from models m left join model_edits e using (provider, name)
           where m.provider = any($1) order by array_position($1, m.provider), m.name"#,
        &names(app)
    )
    .fetch_all(conn)
    .await?;
    let model = |row: Row| {
        let provider = app.provider(&row.provider)?;
        let known = known::facts(provider, &row.name, row.listed.0, &app.config.catalog.currency);
        let edited = row.edited.map(|edited| edited.0).unwrap_or_default();
        let audience = row.audience.and_then(|name| Audience::parse(&name)).unwrap_or_default();
        Some(Model { audience, facts: edited.or(known.clone()), known, provider: row.provider, name: row.name })
    };
    Ok(rows.into_iter().filter_map(model).collect())
}

fn names(app: &App) -> Vec<String> {
    app.providers.iter().map(|provider| provider.name.clone()).collect()
}

pub async fn is_empty(app: &App) -> sqlx::Result<bool> {
    sqlx::query_scalar!(r#"select not exists (select from models where provider = any($1)) as "is!""#, &names(app))
        .fetch_one(&app.pools.http)
        .await
}

/// The list of a provider, instead of the one before.
pub async fn keep(app: &App, provider: &str, models: &[Listed]) -> sqlx::Result<()> {
    let names: Vec<_> = models.iter().map(|model| model.name.clone()).collect();
    let facts: Vec<_> = models.iter().map(|model| Json(model.facts.clone())).collect();
    let mut tx = app.pools.jobs.begin().await?;
    sqlx::query!(
        "insert into models (provider, name, facts)
         select distinct on (n) $1, n, f from unnest($2::text[], $3::jsonb[]) as t (n, f) order by n
         on conflict (provider, name) do update set facts = excluded.facts, seen_at = now()",
        provider,
        &names,
        &facts as _
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!("delete from models where provider = $1 and name <> all ($2)", provider, &names)
        .execute(&mut *tx)
        .await?;
    tx.commit().await
}

pub async fn edited(conn: &mut PgConnection, provider: &str, name: &str) -> sqlx::Result<Option<Edit>> {
    let row = sqlx::query!(
        r#"select audience, facts as "facts: Json<Facts>" from model_edits where provider = $1 and name = $2 for update"#,
        provider,
        name
    );
    let row = row.fetch_optional(conn).await?;
    Ok(row.map(|row| Edit { audience: Audience::parse(&row.audience).unwrap_or_default(), facts: row.facts.0 }))
}

pub async fn edit(conn: &mut PgConnection, provider: &str, name: &str, edit: &Edit) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into model_edits (provider, name, audience, facts) values ($1, $2, $3, $4)
         on conflict (provider, name) do update set audience = excluded.audience, facts = excluded.facts",
        provider,
        name,
        edit.audience.name(),
        Json(&edit.facts) as _
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub async fn last_used(db: &PgPool, user: UserId) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar!(
        r#"select model as "model!" from chats where user_id = $1 and deleted_at is null and model is not null
           order by active_at desc limit 1"#,
        user.0
    )
    .fetch_optional(db)
    .await
}
