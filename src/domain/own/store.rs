//! The SQL of one's own way.

use super::{Language, Way};
use crate::{base::ids::UserId, domain::accounts::Theme};
use sqlx::{PgConnection, PgPool};

pub async fn get(conn: &mut PgConnection, user: UserId) -> sqlx::Result<Option<Way>> {
    let row = sqlx::query!(
        "select instructions, default_model, temperature, theme, serif, language from users where id = $1",
        user.0
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| Way {
        instructions: row.instructions,
        model: row.default_model,
        temperature: row.temperature,
        theme: Theme::parse(&row.theme).unwrap_or_default(),
        serif: row.serif,
        language: Language::parse(&row.language).unwrap_or_default(),
    }))
}

pub async fn default_model(db: &PgPool, user: UserId) -> sqlx::Result<Option<String>> {
    let found = sqlx::query_scalar!("select default_model from users where id = $1", user.0).fetch_optional(db).await?;
    Ok(found.flatten())
}

pub async fn set(conn: &mut PgConnection, user: UserId, way: &Way) -> sqlx::Result<()> {
    sqlx::query!(
        "update users set instructions = $2, default_model = $3, temperature = $4, theme = $5, language = $6, serif = $7,
             languages = case when $6 = 'simple' or $6 = any(languages) then languages else languages || $6 end
         where id = $1",
        user.0,
        way.instructions,
        way.model,
        way.temperature,
        way.theme.name(),
        way.language.name(),
        way.serif
    )
    .execute(conn)
    .await?;
    Ok(())
}
