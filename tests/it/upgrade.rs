//! F24: old and new processes side by side. What an older program says to the database has to be understood by a
//! database that a newer one has migrated: the same parameters, the same columns, and rows that the older one writes.
//!
//! `fixtures/statements_0004.json` holds every statement of the program whose newest migration was 0004. With a release
//! whose predecessor may still be running, its statements come here too:
//! `jq -s '[.[].query] | sort' .sqlx/*.json > tests/it/fixtures/statements_NNNN.json`.

use crate::support::{
    database::Database,
    eventually,
    people::Person,
    process::{House, Process},
};
use parlor::{MIGRATOR, base::db::migrate};
use sqlx::{Column, Either, Executor, PgConnection, TypeInfo, migrate::Migrator};
use std::{borrow::Cow, collections::BTreeSet};

/// The statements of older programs, each with the newest migration it knew.
const OLDER: [(i64, &str); 1] = [(4, include_str!("fixtures/statements_0004.json"))];

/// Constraints that were made anew and allow all that they allowed before, or that a row passes which says nothing of a
/// column that came later.
const WIDENED: [&str; 10] = [
    "generations.generations_state_check",
    "chats.chats_temperature_check",
    "users.users_temperature_check",
    "users.users_theme_check",
    "chats.chats_folder_id_fkey",
    "users.users_language_check",
    "messages.messages_lang",
    "messages_default.messages_lang",
    // they look only at rows with something reserved
    "generations.generations_ended",
    "generations.generations_gone",
];

/// A database with the migrations up to this one.
async fn migrated(up_to: i64) -> Database {
    let database = Database::make().await;
    let migrations: Vec<_> = MIGRATOR.iter().filter(|m| m.version <= up_to).cloned().collect();
    assert!(!migrations.is_empty());
    let migrator = Migrator { migrations: Cow::Owned(migrations), ..Migrator::DEFAULT };
    migrate::run(&migrator, &parlor::base::db::parse_url(&database.url).unwrap()).await.unwrap();
    database
}

/// What the database takes and gives for a statement, or why it does not understand it.
async fn shape(conn: &mut PgConnection, statement: &str) -> String {
    match conn.describe(statement).await {
        Ok(described) => {
            let takes = match described.parameters() {
                Some(Either::Left(types)) => types.iter().map(|t| t.name().to_owned()).collect(),
                _ => Vec::new(),
            };
            let gives: Vec<_> =
                described.columns().iter().map(|c| format!("{} {}", c.name(), c.type_info().name())).collect();
            format!("takes {takes:?}, gives {gives:?}")
        }
        Err(error) => format!("not understood: {error}"),
    }
}

#[tokio::test]
async fn f24_older_programs_are_understood() {
    let newest = migrated(i64::MAX).await;
    for (version, statements) in OLDER {
        let old = migrated(version).await;
        let (mut before, mut after) = (old.connect().await, newest.connect().await);
        let statements: Vec<String> = serde_json::from_str(statements).unwrap();
        assert!(statements.len() > 50);
        for statement in statements {
            let expected = shape(&mut before, &statement).await;
            assert!(
                !expected.starts_with("not understood"),
                "the fixture is not of {version}: {statement}\n{expected}"
            );
            assert_eq!(shape(&mut after, &statement).await, expected, "{statement}");
        }
    }
}

async fn set(database: &Database, sql: &str) -> BTreeSet<String> {
    database.column::<String>(sql).await.into_iter().collect()
}

/// A row that an older program writes lacks what was added since, and must be taken all the same.
#[tokio::test]
async fn f24_rows_of_older_programs_are_taken() {
    const TABLES: &str = "select table_schema || '.' || table_name from information_schema.tables
        where table_schema in ('public', 'apalis', 'tower_sessions') and table_name !~ '_20[0-9]{2}_'";
    const DEMANDING: &str =
        "select table_schema || '.' || table_name || '.' || column_name from information_schema.columns
        where table_schema in ('public', 'apalis', 'tower_sessions') and table_name !~ '_20[0-9]{2}_'
          and is_nullable = 'NO' and column_default is null";
    const RULES: &str = "select c.conrelid::regclass::text || '.' || c.conname || ' ' || pg_get_constraintdef(c.oid)
        from pg_constraint c join pg_class t on t.oid = c.conrelid join pg_namespace n on n.oid = t.relnamespace
        where n.nspname in ('public', 'apalis', 'tower_sessions') and not t.relispartition
        union all select tgrelid::regclass::text || '.' || tgname || ' trigger' from pg_trigger where not tgisinternal
        union all select i.indrelid::regclass::text || '.' || i.indexrelid::regclass::text || ' unique'
        from pg_index i join pg_class t on t.oid = i.indrelid join pg_namespace n on n.oid = t.relnamespace
        where i.indisunique and not t.relispartition and n.nspname in ('public', 'apalis', 'tower_sessions')";
    let newest = migrated(i64::MAX).await;
    for (version, _) in OLDER {
        let old = migrated(version).await;
        let tables = set(&old, TABLES).await;
        let gone: Vec<_> = tables.difference(&set(&newest, TABLES).await).cloned().collect();
        assert!(gone.is_empty(), "tables that {version} needs are gone: {gone:?}");
        let of_old = |name: &str| {
            let name = if name.matches('.').count() < 2 { format!("public.{name}") } else { name.to_owned() };
            tables.iter().any(|table| name.starts_with(&format!("{table}.")))
        };
        let asked = set(&old, DEMANDING).await;
        let new = set(&newest, DEMANDING).await;
        let demanding: Vec<_> = new.difference(&asked).filter(|column| of_old(column)).collect();
        assert!(demanding.is_empty(), "a row of {version} would be refused for lack of {demanding:?}");
        let rules = set(&old, RULES).await;
        let new = set(&newest, RULES).await;
        let stricter: Vec<_> = new
            .difference(&rules)
            .filter(|rule| {
                let name = rule.split(' ').next().unwrap();
                of_old(name) && !WIDENED.contains(&name)
            })
            .collect();
        assert!(stricter.is_empty(), "does a row of {version} pass? then it belongs to WIDENED: {stricter:?}");
    }
}

/// A process goes on, and says that it is ready, when a newer one has migrated the database under it; one that is
/// started then says that it is too old.
#[tokio::test]
async fn f24_a_process_outlives_the_migration_of_a_newer_one() {
    let house = House::make().await;
    let (web, _worker) = (house.web(), house.worker());
    let ann = Person::new(&web.address().await);
    ann.registers("ann").await;
    eventually("the catalog has models", || async { ann.opens("/").await.html.contains("openai/fake-1") }).await;
    house
        .database
        .execute(
            "alter table generations add column of_the_future text;
             insert into _sqlx_migrations (version, description, success, checksum, execution_time)
             values (9999, 'of the future', true, '\\x00', 0)",
        )
        .await;
    assert!(ann.opens("/ready").await.status.is_success(), "{}", ann.opens("/ready").await.html);
    house.provider.streams(["As before"]);
    let chat = ann.asks("hi").await;
    ann.sees(&chat, "As before").await;
    let mut late: Process = house.web();
    late.says("made by a newer one").await;
    let (_, code) = late.ends().await;
    assert_ne!(code, Some(0));
    house.database.check_feeds().await;
}
