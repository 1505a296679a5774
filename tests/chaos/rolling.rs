//! A rolling restart under fifty running answers: one process after another ends in order and is followed by a new one.
//! Every answer is completed or labelled, every reader has what is stored, and nobody is shown an error: a wire that
//! breaks, and its reader back within a moment, is all there is.

use super::{
    checks::Checks,
    ground::Ground,
    people::{Person, Town},
    plan::Who,
    record::{Record, lock},
    rounds::Times,
    script::{End, Script},
};
use std::{
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};
use tokio::time::{Instant, sleep};

const PEOPLE: u64 = 5;
const CHATS: usize = 10;
/// The longest that a reader may be without its feed.
const BRIEF: Duration = Duration::from_secs(5);

pub async fn roll(ground: &Ground, town: &Arc<Town>, checks: &mut Checks, times: Times) -> anyhow::Result<()> {
    let record = &town.record;
    let mut people = Vec::new();
    for number in 0..PEOPLE {
        people.push(Person::arrives(town, number, CHATS).await?);
    }
    people[0].finds_a_model().await?;
    let mut visitor = Person::arrives(town, PEOPLE, 1).await?;
    for person in &mut people {
        for _ in 0..CHATS {
            let number = town.questions.fetch_add(1, Relaxed);
            // about half a minute, with every third one thinking first
            let script = Script {
                number,
                words: 400,
                pace: 180,
                think: usize::from(number.is_multiple_of(3)) * 40,
                end: End::Whole,
            };
            person.begins(&script).await;
        }
    }
    let patience = Instant::now() + Duration::from_secs(10);
    let mut running = checks.running().await?;
    while running < 50 && Instant::now() < patience {
        sleep(Duration::from_millis(50)).await;
        running = checks.running().await?;
    }
    println!("{running} answers are running");
    if running < 50 {
        record.violation("rolling", "fewer than 50 answers are running: this machine is too slow for them");
    }
    let began = Instant::now();
    let restart = async {
        for who in [Who::Worker(0), Who::Web(0), Who::Worker(1), Who::Web(1)] {
            let took = ground.replace(who).await?;
            println!("{who:?} ended in {:.1} s and was replaced", took.as_secs_f32());
            // as a careful operator does
            sleep(Duration::from_secs(1)).await;
        }
        anyhow::Ok(())
    };
    let visits = async {
        loop {
            let number = town.questions.fetch_add(1, Relaxed);
            visitor.begins(&Script { number, words: 20, pace: 10, think: 0, end: End::Whole }).await;
            sleep(Duration::from_millis(300)).await;
        }
    };
    tokio::select! {
        done = restart => done?,
        () = visits => {}
    }
    println!("the restart took {:.1} s", began.elapsed().as_secs_f32());
    people.push(visitor);
    checks.all_rest(record, times.rest()).await?;
    checks.readers(record, &people, Duration::from_secs(20)).await?;
    checks.tables(record).await?;
    for (state, count) in checks.endings().await? {
        if !["completed", "interrupted"].contains(&state.as_str()) {
            record.violation("rolling", &format!("{count} answers are {state}"));
        }
    }
    no_errors(record, &people);
    Ok(())
}

/// Nobody saw an error, and nobody was away for long.
fn no_errors(record: &Record, people: &[Person]) {
    for (what, count) in record.counts() {
        if what.contains("503") || what.contains("refused") || what.contains("silence") {
            record.violation("rolling", &format!("{count} times: {what}"));
        }
    }
    let readers = people.iter().flat_map(|p| &p.rooms).flat_map(|room| &room.readers);
    let mut gaps: Vec<(Duration, &str)> = readers.map(|r| (lock(&r.view).longest_gap, r.name.as_str())).collect();
    gaps.sort();
    if let (Some((median, _)), Some((longest, who))) = (gaps.get(gaps.len() / 2), gaps.last()) {
        println!("{} readers; without a feed at most: median {median:.1?}, longest {longest:.1?}", gaps.len());
        if *longest > BRIEF {
            record.violation("rolling", &format!("{who} was without its feed for {longest:.1?}"));
        }
    }
}
