//! The administrators' page of what is going on: counts, a list of each state, and what can be done with dead letters.

use super::{ChatDay, Held, Me, assets, dom, page, text};
use crate::base::ids::GenerationId;

#[derive(askama::Template)]
#[template(path = "pages/jobs/page.html")]
pub struct JobsPage {
    pub me: Me,
    pub days: Vec<ChatDay>,
    pub notice: Option<JobNotice>,
    /// In the order of [`JobKind`].
    pub groups: Vec<JobGroup>,
    pub queue: QueueLine,
}

page!(JobsPage);

/// What came of the button that was pressed.
pub enum JobNotice {
    Requeued,
    Dropped,
    /// It is no dead letter any more.
    Gone,
    /// Its model is no longer there.
    NoModel,
    /// Why not now.
    Refused(String),
}

/// How an answer stands, those first that want something from a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobKind {
    Dead,
    Waiting,
    Queued,
    Running,
    Lined,
}

/// The answers that stand alike.
pub struct JobGroup {
    pub kind: JobKind,
    pub total: i64,
    /// The most urgent of them.
    pub jobs: Vec<Job>,
}

/// One answer: whose and by what, never what is said in it.
pub struct Job {
    pub id: GenerationId,
    pub email: String,
    pub model: String,
    pub continues: bool,
    pub attempt: i32,
    pub retries: i32,
    /// As browsers read it, and in seconds from now.
    pub since: String,
    pub age: f64,
    /// Waiting: seconds until it is tried again.
    pub due_in: Option<u64>,
    /// Given up or waiting: why.
    pub reason: String,
    /// In line: what holds it, if the answer before it is not being made.
    pub held: Option<Held>,
}

/// Whether workers take jobs.
pub struct QueueLine {
    pub pending: i64,
    pub oldest: f64,
    pub failed: i64,
    pub killed: i64,
    pub workers: i64,
}

impl JobNotice {
    fn failed(&self) -> bool {
        !matches!(self, Self::Requeued | Self::Dropped)
    }

    fn words(&self) -> &str {
        match self {
            Self::Requeued => text::JOB_REQUEUED,
            Self::Dropped => text::JOB_DROPPED,
            Self::Gone => text::JOB_GONE,
            Self::NoModel => text::JOB_NO_MODEL,
            Self::Refused(sentence) => sentence,
        }
    }
}

impl JobGroup {
    fn words(&self) -> &'static text::JobWords {
        match self.kind {
            JobKind::Dead => &text::JOBS_DEAD,
            JobKind::Waiting => &text::JOBS_WAITING,
            JobKind::Queued => &text::JOBS_QUEUED,
            JobKind::Running => &text::JOBS_RUNNING,
            JobKind::Lined => &text::JOBS_LINED,
        }
    }

    /// The id of its part of the page.
    fn place(&self) -> &'static str {
        match self.kind {
            JobKind::Dead => "dead",
            JobKind::Waiting => "waiting",
            JobKind::Queued => "queued",
            JobKind::Running => "running",
            JobKind::Lined => "lined",
        }
    }

    fn is_dead(&self) -> bool {
        self.kind == JobKind::Dead
    }

    /// Dead letters, those that wait and those in line say why.
    fn has_reasons(&self) -> bool {
        matches!(self.kind, JobKind::Dead | JobKind::Waiting | JobKind::Lined)
    }

    fn is_waiting(&self) -> bool {
        self.kind == JobKind::Waiting
    }

    fn why<'a>(&self, job: &'a Job) -> &'a str {
        match (self.kind, job.held) {
            (JobKind::Lined, Some(Held::Failed)) => text::BEHIND_FAILED,
            (JobKind::Lined, Some(Held::Interrupted)) => text::BEHIND_INTERRUPTED,
            (JobKind::Lined, Some(Held::Waiting)) => text::BEHIND_WAITING,
            (JobKind::Lined, None) => text::BEHIND,
            _ => &job.reason,
        }
    }

    /// How many are not listed.
    fn more(&self) -> i64 {
        self.total - i64::try_from(self.jobs.len()).unwrap_or(i64::MAX)
    }
}

impl Job {
    fn next(&self) -> String {
        self.due_in.filter(|seconds| *seconds > 0).map_or_else(|| text::JOB_DUE.into(), text::due_in)
    }
}

impl JobsPage {
    fn is_quiet(&self) -> bool {
        self.groups.iter().all(|group| group.total == 0)
    }
}
