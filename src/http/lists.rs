//! The lists of chats that open pages show: one watch for each person with a page open in this process. A list has no
//! log, so nothing of it has a number: when its bell rings it is read anew, at most so often, and each page is told what
//! it lacks. What is rendered here goes to its owner's pages alone, and knows which chat they show.

use super::present;
use crate::{
    app::App,
    base::{
        Error, Result,
        db::{NO_ANSWER, answered},
        ids::{ChatId, UserId},
    },
    domain::{
        accounts::Viewer,
        chats::{self, Cursor, Side},
        feed::ListBell,
    },
    views::{
        ChatDay,
        live_list::{self, Known},
    },
};
use axum::body::Bytes;
use std::{
    collections::HashMap,
    fmt::Write as _,
    sync::{Arc, Mutex},
    time::Duration,
};
use time::UtcOffset;
use tokio::{
    sync::{mpsc, oneshot},
    time::Instant,
};

/// Changes that may wait for one page; then it is dropped, and comes back with what it has.
const QUEUE: usize = 32;
/// A list is read at most so often, however much rings.
const PACE: Duration = Duration::from_millis(300);
/// Pages that may come at once, and are let in by one look.
const DOOR: usize = 64;
/// Before it is tried again.
const PAUSE: Duration = Duration::from_secs(2);
/// So often it is read although nothing rang: a lost bell only costs time, and days become yesterday.
const ANYWAY: Duration = Duration::from_secs(30);

/// The watches of this process: one for each person, or for each of the zones that one is in.
#[derive(Default)]
pub struct Lists(Mutex<HashMap<(UserId, UtcOffset), mpsc::Sender<Join>>>);

/// A page that wants to follow.
struct Join {
    /// The chat that it shows.
    current: Option<ChatId>,
    /// What it says its list is.
    stamp: String,
    queue: mpsc::Sender<Bytes>,
    /// Tells whether it is followed now; dropped when the watch has just ended.
    taken: oneshot::Sender<bool>,
}

impl Lists {
    /// Follows a viewer's list. `stamp` is what the page has of it; a page that has another list than that of now is told
    /// first of all. The queue ends when the page is too slow or the process ends.
    ///
    /// # Errors
    /// The database's.
    pub async fn join(
        self: &Arc<Self>,
        app: &App,
        viewer: &Viewer,
        current: Option<ChatId>,
        stamp: &str,
    ) -> Result<mpsc::Receiver<Bytes>> {
        loop {
            let (queue, receiver) = mpsc::channel(QUEUE);
            let (taken, answer) = oneshot::channel();
            let join = Join { current, stamp: stamp.to_owned(), queue, taken };
            if self.door(app, viewer).send(join).await.is_err() {
                continue;
            }
            match answer.await {
                Ok(true) => return Ok(receiver),
                Ok(false) => return Err(Error::Unavailable("the list could not be read".into())),
                Err(_) => {}
            }
        }
    }

    fn door(self: &Arc<Self>, app: &App, viewer: &Viewer) -> mpsc::Sender<Join> {
        let whose = (viewer.id, viewer.zone);
        let mut watches = self.0.lock().expect("nothing panics while holding it");
        if let Some(door) = watches.get(&whose).filter(|door| !door.is_closed()) {
            return door.clone();
        }
        let (door, joins) = mpsc::channel(DOOR);
        watches.insert(whose, door.clone());
        let bell = app.feed.hub.lists.of(viewer.id);
        let watch = Watch { app: app.clone(), viewer: viewer.clone(), read: None, pages: Vec::new() };
        let lists = self.clone();
        app.tasks.spawn(async move {
            watch.run(bell, joins).await;
            lists.0.lock().expect("nothing panics while holding it").retain(|_, door| !door.is_closed());
        });
        door
    }
}

/// The list as it was read last.
struct Read {
    side: Side,
    /// Down to here; nothing: all of it.
    upto: Option<Cursor>,
}

/// Pages that show the same: the same chat, and the list down to the same entry.
struct Pages {
    current: Option<ChatId>,
    upto: Option<Cursor>,
    known: Known,
    readers: Vec<mpsc::Sender<Bytes>>,
}

struct Watch {
    app: App,
    viewer: Viewer,
    read: Option<Read>,
    pages: Vec<Pages>,
}

impl Watch {
    async fn run(mut self, bell: ListBell, mut joins: mpsc::Receiver<Join>) {
        let mut idle = tokio::time::interval(Duration::from_secs(5));
        let (mut rung, mut read_at) = (false, Instant::now());
        let mut came = Vec::new();
        loop {
            let next = read_at + if rung { PACE } else { ANYWAY };
            let read = tokio::select! {
                () = self.app.stopping.begun.cancelled() => return,
                () = bell.rung(), if !rung => {
                    rung = true;
                    continue;
                }
                () = tokio::time::sleep_until(next) => {
                    self.read = None;
                    self.tell().await
                }
                1.. = joins.recv_many(&mut came, DOOR) => {
                    if rung {
                        self.read = None;
                    }
                    match self.let_in(std::mem::take(&mut came)).await {
                        Ok(false) => continue,
                        read => read.map(|_| ()),
                    }
                }
                _ = idle.tick() => {
                    self.pages.retain_mut(|pages| {
                        pages.readers.retain(|reader| !reader.is_closed());
                        !pages.readers.is_empty()
                    });
                    if self.pages.is_empty() && joins.is_empty() {
                        joins.close(); // who was at the door finds it closed and opens another one
                        return;
                    }
                    continue;
                }
            };
            (rung, read_at) = (false, Instant::now());
            if let Err(error) = read {
                tracing::warn!(%error, "a list could not be read; trying again");
                (rung, read_at) = (true, Instant::now() + PAUSE);
            }
        }
    }

    /// Reads the list, down to where the longest of the pages goes, and at least to there.
    async fn look(&mut self, at_least: Option<Cursor>) -> Result<()> {
        // nothing is less than any: all of it
        let upto = self.pages.iter().map(|pages| pages.upto).min().map_or(at_least, |upto| upto.min(at_least));
        let side = answered(NO_ANSWER, chats::grown(&self.app, &self.viewer, upto)).await?;
        self.read = Some(Read { side, upto });
        Ok(())
    }

    /// Reads the list, and tells every page what it lacks.
    async fn tell(&mut self) -> Result<()> {
        if let Some(first) = self.pages.first() {
            self.look(first.upto).await?;
            self.tell_all();
        }
        Ok(())
    }

    fn tell_all(&mut self) {
        let Some(read) = &self.read else { return };
        for pages in &mut self.pages {
            let Shown { days, known, upto, cut } = shown(read, pages.upto, pages.current, self.viewer.zone);
            pages.upto = upto;
            let news = if cut { live_list::whole(&days, true) } else { live_list::news(&pages.known, &known, &days) };
            pages.known = known;
            if !news.is_empty() {
                let message = message(&news);
                pages.readers.retain(|reader| reader.try_send(message.clone()).is_ok());
            }
        }
    }

    /// Says whether the list was read anew for them. What was read before is good enough only for a page that has just
    /// that: another one may be newer than the bell. One look is enough for all who were here before it.
    async fn let_in(&mut self, joins: Vec<Join>) -> Result<bool> {
        let fits = |join: &Join| {
            let read = self.read.as_ref().filter(|read| join.upto() >= read.upto);
            read.is_some_and(|read| {
                shown(read, join.upto(), join.current, self.viewer.zone).known.stamp() == join.stamp
            })
        };
        let look = !joins.iter().all(fits);
        if look {
            // nothing is less than any: all of it
            if let Err(error) = self.look(joins.iter().map(Join::upto).min().flatten()).await {
                for join in joins {
                    let _ = join.taken.send(false);
                }
                return Err(error);
            }
            self.tell_all();
        }
        let Some(read) = &self.read else { return Ok(look) };
        for join in joins {
            let Shown { days, known, upto, cut } = shown(read, join.upto(), join.current, self.viewer.zone);
            if known.stamp() != join.stamp {
                let _ = join.queue.try_send(message(&live_list::whole(&days, cut)));
            }
            let _ = join.taken.send(true);
            match self.pages.iter_mut().find(|pages| (pages.current, pages.upto) == (join.current, upto)) {
                Some(pages) => pages.readers.push(join.queue),
                None => self.pages.push(Pages { current: join.current, upto, known, readers: vec![join.queue] }),
            }
        }
        Ok(look)
    }
}

impl Join {
    /// Down to where the page has the list; nothing: all of it.
    fn upto(&self) -> Option<Cursor> {
        self.stamp.split_once('~').and_then(|(end, _)| end.parse().ok())
    }
}

/// The list as pages have it that show this chat and that had it down to there.
struct Shown {
    days: Vec<ChatDay>,
    known: Known,
    /// Where it ends now; with `cut`, further up than before.
    upto: Option<Cursor>,
    cut: bool,
}

fn shown(read: &Read, upto: Option<Cursor>, current: Option<ChatId>, zone: UtcOffset) -> Shown {
    let older = read.side.page.older;
    let cut = older.is_some_and(|older| upto.is_none_or(|upto| upto < older));
    let upto = if cut { older } else { upto };
    let days = present::grown_days(&read.side, upto, current, zone);
    Shown { known: Known::of(&days), days, upto, cut }
}

/// One message of the stream, with a name of its own and without a number.
fn message(html: &str) -> Bytes {
    let mut out = String::with_capacity(html.len() + 64);
    out.push_str("event: list\n");
    for line in html.split('\n') {
        writeln!(out, "data: {}", line.replace('\r', "&#13;")).expect("a String takes everything");
    }
    out.push('\n');
    out.into()
}
