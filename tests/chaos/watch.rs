//! Looks all the time, also while everything shakes: whether an answer stays in a running state after its worker has
//! stopped renewing its lease (N5), although there is a process that was left alone for long enough to see it.

use super::{ground::Ground, record::Record};
use sqlx::{Connection, PgConnection, Row};
use std::{
    collections::{BTreeSet, VecDeque},
    sync::Arc,
    time::Duration,
};
use tokio::time::{Instant, sleep};

/// How late the sweep may be, besides what the machine itself is late.
const SLACK: Duration = Duration::from_secs(3);
const EVERY: Duration = Duration::from_millis(300);

/// How long a small commit took lately, at worst: on a machine whose disk or cores are busy everything is late.
#[derive(Default)]
struct Canary(VecDeque<(Instant, Duration)>);

impl Canary {
    fn sang(&mut self, began: Instant) {
        self.0.push_back((began, began.elapsed()));
        while self.0.front().is_some_and(|(at, _)| at.elapsed() > Duration::from_secs(30)) {
            self.0.pop_front();
        }
    }

    fn late(&self) -> Duration {
        self.0.iter().map(|(_, took)| *took).sum::<Duration>().saturating_sub(EVERY)
    }
}

pub async fn watch(url: String, ground: Arc<Ground>, record: Arc<Record>, lease: Duration, sweep: Duration) {
    // beside the database under test, on the same disk
    let aside = url.replace("/parlor?", "/postgres?");
    let (mut told, mut canary) = (BTreeSet::new(), Canary::default());
    loop {
        sleep(EVERY).await;
        // a server that is down tells nothing
        let (Ok(mut db), Ok(mut aside)) = (PgConnection::connect(&url).await, PgConnection::connect(&aside).await)
        else {
            continue;
        };
        while let Ok(()) = look(&mut db, &mut aside, &ground, &record, lease, sweep, &mut told, &mut canary).await {
            sleep(EVERY).await;
        }
    }
}

#[expect(clippy::too_many_arguments, reason = "two connections, and what is remembered")]
async fn look(
    db: &mut PgConnection,
    aside: &mut PgConnection,
    ground: &Ground,
    record: &Record,
    lease: Duration,
    sweep: Duration,
    told: &mut BTreeSet<String>,
    canary: &mut Canary,
) -> sqlx::Result<()> {
    let began = Instant::now();
    sqlx::query("create table if not exists canary (at timestamptz)").execute(&mut *aside).await?;
    sqlx::query("insert into canary values (now())").execute(&mut *aside).await?;
    canary.sang(began);
    let slack = SLACK + canary.late() * 2;
    let query = "select id::text as id, chat_id || ' ' || message_id as place, extract(epoch from now() - lease_until)::float8 as late
        from generations where state = 'streaming' and lease_until < now() - make_interval(secs => $1)";
    let rows = sqlx::query(query).bind((sweep + slack).as_secs_f64()).fetch_all(&mut *db).await?;
    // after losing the database a process waits one lease before it sweeps
    if ground.calm_for() > lease + sweep + slack {
        for row in rows {
            if told.insert(row.get::<String, _>("id")) {
                let (place, late): (String, f64) = (row.get("place"), row.get("late"));
                let what =
                    format!("{place} is running, {late:.1} s after its lease, and a process was there to see it");
                record.violation("N5", &what);
            }
        }
    }
    Ok(())
}
