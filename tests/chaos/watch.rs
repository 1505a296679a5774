//! Looks all the time, also while everything shakes: whether an answer stays in a running state after its worker has
//! stopped renewing its lease (N5), although there is a process that was left alone for long enough to see it.

use super::{ground::Ground, record::Record, rounds::Times};
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

pub async fn watch(url: String, ground: Arc<Ground>, record: Arc<Record>, times: Times) {
    // beside the database under test, on the same disk
    let aside = url.replace("/parlor?", "/postgres?");
    let mut watch = Watch { ground, record, times, told: BTreeSet::new(), canary: Canary::default() };
    loop {
        sleep(EVERY).await;
        // a server that is down tells nothing
        let (Ok(mut db), Ok(mut aside)) = (PgConnection::connect(&url).await, PgConnection::connect(&aside).await)
        else {
            continue;
        };
        while watch.sings(&mut aside).await.is_ok() && watch.looks(&mut db).await.is_ok() {
            sleep(EVERY).await;
        }
    }
}

struct Watch {
    ground: Arc<Ground>,
    record: Arc<Record>,
    times: Times,
    told: BTreeSet<String>,
    canary: Canary,
}

impl Watch {
    async fn sings(&mut self, aside: &mut PgConnection) -> sqlx::Result<()> {
        let began = Instant::now();
        sqlx::query("create table if not exists canary (at timestamptz)").execute(&mut *aside).await?;
        sqlx::query("insert into canary values (now())").execute(&mut *aside).await?;
        self.canary.sang(began);
        Ok(())
    }

    async fn looks(&mut self, db: &mut PgConnection) -> sqlx::Result<()> {
        let slack = SLACK + self.canary.late() * 2;
        let query = "select id::text as id, chat_id || ' ' || message_id as place,
                extract(epoch from now() - lease_until)::float8 as late
            from generations where state = 'streaming' and lease_until < now() - make_interval(secs => $1)";
        let late = (self.times.sweep + slack).as_secs_f64();
        let rows = sqlx::query(query).bind(late).fetch_all(&mut *db).await?;
        // after losing the database a process waits one lease before it sweeps
        if self.ground.calm_for() <= self.times.lease + self.times.sweep + slack {
            return Ok(());
        }
        for row in rows {
            if self.told.insert(row.get::<String, _>("id")) {
                let (place, late): (String, f64) = (row.get("place"), row.get("late"));
                let what =
                    format!("{place} is running, {late:.1} s after its lease, and a process was there to see it");
                self.record.violation("N5", &what);
            }
        }
        Ok(())
    }
}
