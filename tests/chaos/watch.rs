//! Looks all the time, also while everything shakes: whether an answer stays in a running state after its worker has
//! stopped renewing its lease (N5), although there is a process that was left alone for long enough to see it.

use super::{ground::Ground, record::Record};
use sqlx::{Connection, PgConnection, Row};
use std::{collections::BTreeSet, sync::Arc, time::Duration};
use tokio::time::sleep;

/// How late the sweep of a busy machine may be.
const SLACK: Duration = Duration::from_secs(3);

pub async fn watch(url: String, ground: Arc<Ground>, record: Arc<Record>, lease: Duration, sweep: Duration) {
    let mut told = BTreeSet::new();
    let late = (sweep + SLACK).as_secs_f64();
    let query = "select id::text as id, chat_id || ' ' || message_id as place, extract(epoch from now() - lease_until)::float8 as late
        from generations where state = 'streaming' and lease_until < now() - make_interval(secs => $1)";
    loop {
        sleep(Duration::from_millis(300)).await;
        // a server that is down tells nothing
        let Ok(mut db) = PgConnection::connect(&url).await else { continue };
        while let Ok(rows) = sqlx::query(query).bind(late).fetch_all(&mut db).await {
            // after losing the database a process waits one lease before it sweeps
            if ground.calm_for() > lease + sweep + SLACK {
                for row in rows {
                    if told.insert(row.get::<String, _>("id")) {
                        let (place, late): (String, f64) = (row.get("place"), row.get("late"));
                        let what = format!(
                            "{place} is running, {late:.1} s after its lease, and a process was there to see it"
                        );
                        record.violation("N5", &what);
                    }
                }
            }
            sleep(Duration::from_millis(300)).await;
        }
    }
}
