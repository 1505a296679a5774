//! The administrators' pages about people, what was done, and the system. What must not live here: who may see them;
//! the routes say so, and the acts ask again.

mod users;

use crate::{
    base::db::migrate::Standing,
    domain::{audit::Entry, people::find, system},
    http::{
        Web,
        auth::Me,
        extract::Asked,
        present,
        respond::Failure,
        routes::{Access, Routes},
    },
    views::{AuditPage, LogLine, MigrationsLine, ProcessLine, SystemPage},
};
use axum::{extract::State, response::Html};
use serde::Deserialize;
use uuid::Uuid;

pub fn routes(routes: Routes) -> Routes {
    users::routes(routes).get("/admin/audit", Access::Administrator, audit).get(
        "/admin/system",
        Access::Administrator,
        show_system,
    )
}

#[derive(Deserialize)]
struct Before {
    before: Option<Uuid>,
}

async fn audit(State(web): State<Web>, Me(viewer): Me, Asked(asked): Asked<Before>) -> Result<Html<String>, Failure> {
    let entries = find::log(&web.app, &viewer, None, asked.before).await?;
    let older =
        entries.last().filter(|_| is_full(entries.len())).map(|last| format!("/admin/audit?before={}", last.id));
    let days = present::days(&web.app, &viewer, None).await?;
    let entries = entries.into_iter().map(line).collect();
    Ok(Html(AuditPage { me: present::me(&viewer), days, entries, older }.render()))
}

/// Whether there may be more after a page of so many.
fn is_full(count: usize) -> bool {
    i64::try_from(count).is_ok_and(|count| count >= find::PAGE)
}

fn line(entry: Entry) -> LogLine {
    let Entry { at, actor, action, subject, address, details, .. } = entry;
    LogLine { at, actor, action, subject, address, details }
}

async fn show_system(State(web): State<Web>, Me(viewer): Me) -> Result<Html<String>, Failure> {
    let system = system::look(&web.app, &viewer).await?;
    let migrations = &system.migrations;
    let migrations = MigrationsLine {
        applied: migrations.applied,
        newest: migrations.newest,
        behind: if let Standing::Behind(n) = migrations.standing { Some(n) } else { None },
        ahead: migrations.standing == Standing::Ahead,
    };
    let processes = system.processes.into_iter().map(|p| ProcessLine {
        kind: p.kind,
        host: p.host,
        pid: p.pid,
        version: p.version,
        began: p.began,
        silent: p.silent,
    });
    let page = SystemPage {
        me: present::me(&viewer),
        days: present::days(&web.app, &viewer, None).await?,
        version: system.version,
        postgres: system.postgres,
        migrations,
        extensions: system.extensions,
        accounts: system.accounts,
        chats: system.chats,
        database: system.database.unsigned_abs(),
        data: system.data.map(|room| (room.path, room.free, room.total)),
        processes: processes.collect(),
        tables: system.tables.into_iter().map(|t| (t.name, t.bytes.unsigned_abs())).collect(),
    };
    Ok(Html(page.render()))
}
