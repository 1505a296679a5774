//! Requests of addresses without anybody signed in, counted in memory and shared through the database each second: so a
//! limit may be passed by what a second brings, and a process that cannot reach the database goes on counting by itself.
//! The window slides: the hour before counts by what of it is within the last 60 minutes.

use super::store;
use crate::{
    app::App,
    base::{Error, Result, clock},
    domain::tries::network,
};
use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};
use tokio::time::{Instant, interval};

/// Addresses that are remembered at once; some 100 bytes each.
const MANY: usize = 50_000;
const HOUR: f64 = 3600.;

/// The addresses of one process.
#[derive(Clone, Default)]
pub struct Visitors(Arc<Mutex<Book>>);

#[derive(Default)]
struct Book {
    seen: HashMap<IpAddr, Seen>,
    /// The database's clock, as last heard: seconds of the epoch.
    clock: Option<(Instant, f64)>,
}

/// The requests of an address.
#[derive(Debug, Clone, Copy, Default)]
struct Seen {
    /// Which hour of the epoch.
    hour: u64,
    /// In the hour before it.
    before: f64,
    /// In it, by all processes, as last heard.
    shared: f64,
    /// In it, here, and not yet written.
    own: u32,
}

impl Seen {
    /// At this second of the epoch.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "hours of the epoch")]
    fn at(mut self, now: f64) -> Self {
        let hour = (now / HOUR) as u64;
        if hour != self.hour {
            let next = hour == self.hour + 1;
            let before = if next { self.shared + f64::from(self.own) } else { 0. };
            self = Self { hour, before, ..Self::default() };
        }
        self
    }

    fn in_this_hour(&self) -> f64 {
        self.shared + f64::from(self.own)
    }

    /// Seconds until one more may come; nothing: now.
    fn wait(&self, now: f64, most: u32) -> f64 {
        let (most, passed) = (f64::from(most), now % HOUR);
        let here = self.in_this_hour();
        if here + self.before * (1. - passed / HOUR) < most {
            return 0.;
        }
        // when so much of the hour before has gone by; else when this hour is the one before, and so much of it has
        let enough = |before: f64, room: f64| HOUR * (1. - room / before);
        if here < most { enough(self.before, most - here) - passed } else { HOUR - passed + enough(here, most) }.max(1.)
    }
}

impl Visitors {
    /// Counts one request of an address, unless that is too many.
    ///
    /// # Errors
    /// [`Error::Limited`]; what is refused is not counted.
    pub fn count(&self, app: &App, address: Option<IpAddr>) -> Result<()> {
        let most = app.config.limits.anonymous_per_hour;
        if most == 0 {
            return Ok(());
        }
        let mut book = self.book();
        let now = book.now();
        let wait = book.count(network(address), now, most);
        if wait > 0. {
            let wait = Duration::from_secs_f64(wait.min(2. * HOUR));
            return Err(Error::limited(wait, "Too many requests came from this address without anybody signed in."));
        }
        Ok(())
    }

    /// Writes what was counted to the database and hears what others have counted, each second until the app ends.
    pub async fn share(self, app: App) {
        let mut timer = interval(Duration::from_secs(1));
        loop {
            tokio::select! {
                () = app.stopping.over.cancelled() => return,
                _ = timer.tick() => {}
            }
            if let Err(error) = self.write(&app).await {
                tracing::debug!(%error, "the requests of addresses could not be written; they are counted here");
            }
        }
    }

    async fn write(&self, app: &App) -> sqlx::Result<()> {
        let (addresses, counts): (Vec<_>, Vec<_>) = {
            let mut book = self.book();
            let now = book.now();
            book.seen.values_mut().for_each(|seen| *seen = seen.at(now));
            let fresh = book.seen.iter().filter(|(_, seen)| seen.own > 0);
            fresh.map(|(address, seen)| (address.to_string(), seen.own.cast_signed())).unzip()
        };
        if addresses.is_empty() {
            return Ok(());
        }
        let (at, heard) = store::add_requests(&app.pools.jobs, &addresses, &counts).await?;
        let written: HashMap<_, _> = addresses.into_iter().zip(counts).collect();
        let mut book = self.book();
        book.clock = Some((Instant::now(), at));
        for requests in heard {
            let Ok(address) = requests.address.parse::<IpAddr>() else { continue };
            let Some(seen) = book.seen.get_mut(&address) else { continue };
            *seen = seen.at(at);
            seen.own = seen.own.saturating_sub(written.get(&requests.address).map_or(0, |n| n.cast_unsigned()));
            (seen.shared, seen.before) = (requests.now as f64, requests.before as f64);
        }
        Ok(())
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.0.lock().expect("nothing panics while holding it")
    }
}

impl Book {
    /// The second of the epoch: the database's, before it was heard this machine's.
    fn now(&self) -> f64 {
        match self.clock {
            Some((heard, at)) => at + heard.elapsed().as_secs_f64(),
            None => clock::now().unix_timestamp() as f64,
        }
    }

    /// Counts, and returns nothing; or returns how many seconds to wait.
    fn count(&mut self, address: IpAddr, now: f64, most: u32) -> f64 {
        if self.seen.len() >= MANY && !self.seen.contains_key(&address) {
            self.make_room(now);
        }
        let seen = self.seen.entry(address).or_default();
        *seen = seen.at(now);
        let wait = seen.wait(now, most);
        if wait <= 0. {
            seen.own += 1;
        }
        wait
    }

    /// Forgets those who have asked least.
    fn make_room(&mut self, now: f64) {
        let weight = |seen: &Seen| {
            let seen = seen.at(now);
            seen.before + seen.in_this_hour()
        };
        let mean = self.seen.values().map(weight).sum::<f64>() / self.seen.len().max(1) as f64;
        self.seen.retain(|_, seen| weight(seen) > mean);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(n: usize) -> IpAddr {
        std::net::Ipv4Addr::from_bits(u32::try_from(n).unwrap()).into()
    }

    #[test]
    fn the_window_slides() {
        let mut book = Book::default();
        for _ in 0..10 {
            assert!(book.count(address(1), 1.5 * HOUR, 10) <= 0.);
        }
        let wait = book.count(address(1), 1.5 * HOUR, 10);
        assert!((1800. ..=1802.).contains(&wait), "{wait}: until the next hour begins, and a little of it has gone by");
        assert!(book.count(address(2), 1.5 * HOUR, 10) <= 0., "another address");
        assert!(book.count(address(1), 2. * HOUR, 10) > 0.);
        // half of the hour before is within the last 60 minutes
        let free = (0..10).filter(|_| book.count(address(1), 2.5 * HOUR, 10) <= 0.).count();
        assert_eq!(free, 5);
        let wait = book.count(address(1), 2.5 * HOUR, 10);
        assert!((0. ..=2.).contains(&wait), "{wait}");
        assert!(book.count(address(1), 9. * HOUR, 10) <= 0., "long ago");
    }

    #[test]
    fn a_flood_of_addresses_does_not_fill_the_memory() {
        let mut book = Book::default();
        for _ in 0..9 {
            book.count(address(0), 1., 1000);
        }
        for n in 1..3 * MANY {
            book.count(address(n), 1., 1000);
            assert!(book.seen.len() <= MANY);
        }
        assert_eq!(book.seen[&address(0)].own, 9, "who asked most is not forgotten");
    }
}
