//! The SQL of the catalog.

use super::{Audience, Edit, Model, known};
use crate::{
    app::App,
    base::{
        Result,
        ids::{GroupId, UserId},
    },
    outside::llm::{Facts, Listed},
};
use sqlx::{PgConnection, PgExecutor, PgPool, types::Json};

struct Row {
    provider: String,
    name: String,
    listed: Json<Facts>,
    audience: Option<String>,
    edited: Option<Json<Facts>>,
    groups: Vec<GroupId>,
}

/// All models of the providers that are configured, by provider and name.
pub async fn read(app: &App, db: impl PgExecutor<'_>) -> Result<Vec<Model>> {
    let rows = sqlx::query_as!(
        Row,
        r#"select m.provider, m.name, m.facts as "listed: Json<Facts>", e.audience as "audience?",
                  e.facts as "edited?: Json<Facts>",
                  array(select g.group_id from model_groups g where g.provider = m.provider and g.name = m.name
                        order by g.group_id) as "groups!: Vec<GroupId>"
           from models m left join model_edits e using (provider, name)
           where m.provider = any($1) order by array_position($1, m.provider), m.name"#,
        &names(app)
    )
    .fetch_all(db)
    .await?;
    let model = |row: Row| {
        let provider = app.provider(&row.provider)?;
        let known = known::facts(&provider, &row.name, row.listed.0, &app.config.catalog.currency);
        let facts = row.edited.map(|edited| edited.0).unwrap_or_default();
        // one that a newer version knows is for nobody here
        let audience =
            row.audience.map_or(Audience::Everyone, |name| Audience::parse(&name).unwrap_or(Audience::Nobody));
        let edit = Edit { audience, groups: row.groups, facts };
        let facts = edit.facts.clone().or(known.clone());
        Some(Model { provider: row.provider, name: row.name, edit, known, facts })
    };
    Ok(rows.into_iter().filter_map(model).collect())
}

fn names(app: &App) -> Vec<String> {
    app.providers().iter().map(|provider| provider.name.clone()).collect()
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

/// A provider is gone.
///
/// # Errors
/// The database's.
pub async fn remove_list(conn: &mut PgConnection, provider: &str) -> sqlx::Result<()> {
    sqlx::query!("delete from models where provider = $1", provider).execute(conn).await?;
    Ok(())
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
    .execute(&mut *conn)
    .await?;
    let groups: Vec<_> = edit.groups.iter().map(|group| group.0).collect();
    sqlx::query!(
        "delete from model_groups where provider = $1 and name = $2 and group_id <> all ($3)",
        provider,
        name,
        &groups
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "insert into model_groups (provider, name, group_id) select $1, $2, id from groups where id = any($3)
         on conflict do nothing",
        provider,
        name,
        &groups
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub async fn groups_of(db: impl PgExecutor<'_>, user: UserId) -> sqlx::Result<Vec<GroupId>> {
    sqlx::query_scalar!(r#"select group_id as "id: GroupId" from group_members where user_id = $1"#, user.0)
        .fetch_all(db)
        .await
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
