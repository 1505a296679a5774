//! The administrators' page of what is going on, and the two buttons of dead letters.

use crate::{
    base::{Error, ids::GenerationId},
    domain::{
        accounts::Viewer,
        generation::{self, DeadLetter, Overview, State as Making, Unfinished, dead},
    },
    http::{
        Web,
        auth::Me,
        extract::{Asked, Id},
        present,
        respond::{self, Failure},
        routes::{Access, Routes},
    },
    views::{Job, JobGroup, JobKind, JobNotice, JobsPage, QueueLine},
};
use axum::{
    extract::State,
    response::{Html, IntoResponse, Redirect, Response},
};
use serde::Deserialize;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

pub fn routes(routes: Routes) -> Routes {
    routes
        .get("/admin/jobs", Access::Administrator, show)
        .post("/admin/jobs/{id}/requeue", Access::Administrator, requeue)
        .post("/admin/jobs/{id}/drop", Access::Administrator, drop_letter)
}

/// What was done before this page; any other word is none.
#[derive(Deserialize)]
struct Done {
    #[serde(default)]
    done: String,
}

async fn show(State(web): State<Web>, Me(viewer): Me, Asked(asked): Asked<Done>) -> Result<Html<String>, Failure> {
    let notice = match asked.done.as_str() {
        "requeued" => Some(JobNotice::Requeued),
        "dropped" => Some(JobNotice::Dropped),
        _ => None,
    };
    Ok(Html(jobs_page(&web, &viewer, notice).await?))
}

async fn requeue(State(web): State<Web>, Me(viewer): Me, Id(id): Id<GenerationId>) -> Result<Response, Failure> {
    let result = dead::requeue(&web.app, &viewer, id).await;
    answer(&web, &viewer, result.map(drop), "/admin/jobs?done=requeued").await
}

async fn drop_letter(State(web): State<Web>, Me(viewer): Me, Id(id): Id<GenerationId>) -> Result<Response, Failure> {
    let result = dead::drop(&web.app, &viewer, id).await;
    answer(&web, &viewer, result, "/admin/jobs?done=dropped").await
}

/// Back to the page; what could not be done is said on it.
async fn answer(web: &Web, viewer: &Viewer, result: Result<(), Error>, back: &str) -> Result<Response, Failure> {
    let Err(error) = result else { return Ok(Redirect::to(back).into_response()) };
    let status = respond::status(&error);
    let notice = match error {
        Error::NotFound => JobNotice::Gone,
        Error::Invalid(_) => JobNotice::NoModel,
        Error::Conflict(sentence) => JobNotice::Refused(sentence),
        other => return Err(other.into()),
    };
    Ok((status, Html(jobs_page(web, viewer, Some(notice)).await?)).into_response())
}

async fn jobs_page(web: &Web, viewer: &Viewer, notice: Option<JobNotice>) -> Result<String, Failure> {
    let Overview { unfinished, dead, queue } = generation::overview(&web.app, viewer).await?;
    let letters = JobGroup {
        kind: JobKind::Dead,
        total: dead.first().map_or(0, |letter| letter.total),
        jobs: dead.into_iter().map(letter).collect(),
    };
    let mut groups = vec![letters];
    for (kind, state) in [
        (JobKind::Waiting, Making::Waiting),
        (JobKind::Queued, Making::Queued),
        (JobKind::Running, Making::Streaming),
        (JobKind::Lined, Making::Lined),
    ] {
        let so: Vec<_> = unfinished.iter().filter(|answer| answer.state == state).collect();
        let total = so.first().map_or(0, |answer| answer.total);
        groups.push(JobGroup { kind, total, jobs: so.into_iter().map(job).collect() });
    }
    let queue = QueueLine {
        pending: queue.pending,
        oldest: queue.oldest,
        failed: queue.failed,
        killed: queue.killed,
        workers: queue.workers,
    };
    let days = present::days(&web.app, viewer, None).await?;
    Ok(JobsPage { me: present::me(viewer), days, notice, groups, queue }.render())
}

fn letter(letter: DeadLetter) -> Job {
    Job {
        id: letter.id,
        email: letter.email,
        model: letter.model,
        continues: letter.continues,
        attempt: letter.attempt,
        retries: letter.retries,
        since: machine_time(letter.at),
        age: letter.age,
        due_in: None,
        reason: letter.reason,
        held: None,
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few days, never below nothing")]
fn job(answer: &Unfinished) -> Job {
    Job {
        id: answer.id,
        email: answer.email.clone(),
        model: answer.model.clone(),
        continues: answer.continues,
        attempt: answer.attempt,
        retries: answer.retries,
        since: machine_time(answer.since),
        age: answer.age,
        due_in: answer.due_in.map(|seconds| seconds.max(0.).ceil() as u64),
        reason: answer.reason.clone().unwrap_or_default(),
        held: answer.before.and_then(present::held),
    }
}

/// As browsers and logs write it, in whole seconds.
fn machine_time(at: OffsetDateTime) -> String {
    let at = at.to_offset(time::UtcOffset::UTC).replace_nanosecond(0).unwrap_or(at);
    at.format(&Rfc3339).unwrap_or_default()
}
