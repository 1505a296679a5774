//! The feeds that are open in this process, by session: when a session has ended, wherever that was done, they end too.
//! What must not live here: what ends a session.

use crate::{
    app::App,
    base::{db::answered, ids::SessionId},
    domain::accounts::sessions,
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};
use tokio::{sync::Notify, time::sleep};
use tokio_util::sync::CancellationToken;

/// So often the database is asked, by one statement for all of them; within five seconds an ended session is to be dead.
const EVERY: Duration = Duration::from_millis(1500);
/// Sessions that one statement asks for.
const PIECE: usize = 5000;

/// See the head of this file.
#[derive(Default)]
pub struct Feeds {
    open: Mutex<HashMap<SessionId, Open>>,
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
    session: SessionId,
    /// Cancelled when the session has ended.
    pub ended: CancellationToken,
}

impl Feeds {
    /// Notes a feed of a session as open, as long as this is kept.
    pub fn hold(self: &Arc<Self>, session: SessionId) -> Hold {
        let mut open = self.open();
        let entry = open.entry(session).or_default();
        entry.feeds += 1;
        Hold { feeds: self.clone(), session, ended: entry.ended.clone() }
    }

    /// Looks at once: a session may have ended.
    pub fn look(&self) {
        self.bell.notify_one();
    }

    fn open(&self) -> MutexGuard<'_, HashMap<SessionId, Open>> {
        self.open.lock().expect("nothing panics while holding it")
    }

    fn end(&self, sessions: &[SessionId]) {
        let open = self.open();
        sessions.iter().filter_map(|session| open.get(session)).for_each(|entry| entry.ended.cancel());
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        let mut open = self.feeds.open();
        if let Some(entry) = open.get_mut(&self.session) {
            entry.feeds -= 1;
            if entry.feeds == 0 {
                open.remove(&self.session);
            }
        }
    }
}

/// Ends the feeds of sessions that have ended, until the process does.
pub async fn watch(app: App, feeds: Arc<Feeds>) {
    loop {
        tokio::select! {
            () = app.stopping.over.cancelled() => return,
            () = feeds.bell.notified() => {}
            () = sleep(EVERY) => {}
        }
        let open: Vec<SessionId> =
            feeds.open().iter().filter(|(_, open)| !open.ended.is_cancelled()).map(|(id, _)| *id).collect();
        for piece in open.chunks(PIECE) {
            match answered(EVERY, sessions::ended(&app, piece)).await {
                Ok(ended) => feeds.end(&ended),
                Err(error) => tracing::warn!(%error, "whether sessions have ended could not be asked; trying again"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_forgotten_with_its_last_feed() {
        let feeds = Arc::new(Feeds::default());
        let id = SessionId(uuid::Uuid::from_u128(1));
        let (one, other) = (feeds.hold(id), feeds.hold(id));
        drop(one);
        feeds.end(&[id]);
        assert!(other.ended.is_cancelled() && feeds.hold(id).ended.is_cancelled(), "it never comes back");
        drop(other);
        assert!(feeds.open().is_empty());
    }
}
