//! What is open in this process, by the session, key or tokens that opened it: when those have ended, wherever that was done, it
//! ends too. What must not live here: what ends them.

use crate::{
    app::App,
    base::{
        Result,
        db::answered,
        ids::{FamilyId, KeyId, SessionId},
    },
    domain::{
        accounts::sessions,
        programs::{self, Caller},
    },
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};
use tokio::{sync::Notify, time::sleep};
use tokio_util::sync::CancellationToken;

/// What somebody came in with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Pass {
    Session(SessionId),
    Key(KeyId),
    Family(FamilyId),
}

impl Pass {
    /// Of a program.
    pub fn of(caller: &Caller) -> Option<Self> {
        caller.key.map(Self::Key).or(caller.family.map(Self::Family))
    }
}

/// So often the database is asked, by one statement for all of a kind; within five seconds what has ended is to be dead.
const EVERY: Duration = Duration::from_millis(1500);
/// Passes that one statement asks for.
const PIECE: usize = 5000;

/// See the head of this file.
#[derive(Default)]
pub struct Feeds {
    open: Mutex<HashMap<Pass, Open>>,
    bell: Notify,
}

#[derive(Default)]
struct Open {
    ended: CancellationToken,
    feeds: usize,
}

/// A feed that is open.
pub struct Hold {
    feeds: Arc<Feeds>,
    pass: Pass,
    /// Cancelled when that has ended.
    pub ended: CancellationToken,
}

impl Feeds {
    /// Notes something as open, as long as this is kept.
    pub fn hold(self: &Arc<Self>, pass: Pass) -> Hold {
        let mut open = self.open();
        let entry = open.entry(pass).or_default();
        entry.feeds += 1;
        Hold { feeds: self.clone(), pass, ended: entry.ended.clone() }
    }

    /// Looks at once: a session may have ended.
    pub fn look(&self) {
        self.bell.notify_one();
    }

    fn open(&self) -> MutexGuard<'_, HashMap<Pass, Open>> {
        self.open.lock().expect("nothing panics while holding it")
    }

    fn end(&self, ended: &[Pass]) {
        let open = self.open();
        ended.iter().filter_map(|pass| open.get(pass)).for_each(|entry| entry.ended.cancel());
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        let mut open = self.feeds.open();
        if let Some(entry) = open.get_mut(&self.pass) {
            entry.feeds -= 1;
            if entry.feeds == 0 {
                open.remove(&self.pass);
            }
        }
    }
}

/// Ends what was opened with something that has ended, until the process does.
pub async fn watch(app: App, feeds: Arc<Feeds>) {
    loop {
        tokio::select! {
            () = app.stopping.over.cancelled() => return,
            () = feeds.bell.notified() => {}
            () = sleep(EVERY) => {}
        }
        let open: Vec<Pass> =
            feeds.open().iter().filter(|(_, open)| !open.ended.is_cancelled()).map(|(pass, _)| *pass).collect();
        for piece in open.chunks(PIECE) {
            match answered(EVERY, ended(&app, piece)).await {
                Ok(ended) => feeds.end(&ended),
                Err(error) => tracing::warn!(%error, "whether sessions have ended could not be asked; trying again"),
            }
        }
    }
}

async fn ended(app: &App, passes: &[Pass]) -> Result<Vec<Pass>> {
    let (mut sessions, mut keys, mut families) = (Vec::new(), Vec::new(), Vec::new());
    for pass in passes {
        match pass {
            Pass::Session(id) => sessions.push(*id),
            Pass::Key(id) => keys.push(*id),
            Pass::Family(id) => families.push(*id),
        }
    }
    let sessions = if sessions.is_empty() { Vec::new() } else { sessions::ended(app, &sessions).await? };
    let (keys, families) = programs::ended(app, &keys, &families).await?;
    let sessions = sessions.into_iter().map(Pass::Session);
    Ok(sessions.chain(keys.into_iter().map(Pass::Key)).chain(families.into_iter().map(Pass::Family)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_forgotten_with_its_last_feed() {
        let feeds = Arc::new(Feeds::default());
        let id = Pass::Session(SessionId(uuid::Uuid::from_u128(1)));
        let (one, other) = (feeds.hold(id), feeds.hold(id));
        drop(one);
        feeds.end(&[id]);
        assert!(other.ended.is_cancelled() && feeds.hold(id).ended.is_cancelled(), "it never comes back");
        drop(other);
        assert!(feeds.open().is_empty());
    }
}
