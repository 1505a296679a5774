//! The ground under a run: a PostgreSQL, two web processes, two workers, and between all of them wires that can be
//! harmed. It does what the plan says and puts everything right again.

use super::{
    plan::{Fault, Harm, Who, Wire},
    postgres::Postgres,
    process::{Process, Settings},
    proxy::{Direction, Proxy, Upstream},
    record::{Record, lock},
};
use anyhow::ensure;
use std::{net::SocketAddr, path::Path, sync::Arc, time::Duration};
use tokio::{
    sync::{Mutex, MutexGuard},
    time::{Instant, sleep},
};

/// SIGTERM ends a process within 10 s; so much more for a machine that is busy.
const ENDS_WITHIN: Duration = Duration::from_secs(11);

/// Whether somebody is left alone, and since when.
#[derive(Clone, Copy)]
struct Calm {
    harmed: u32,
    since: Instant,
}

pub struct Ground {
    pub postgres: Mutex<Postgres>,
    settings: Settings,
    slots: [Mutex<Option<Process>>; 4],
    database: Vec<Proxy>,
    browser: Vec<Proxy>,
    provider: Vec<Proxy>,
    calm: std::sync::Mutex<[Calm; 4]>,
    record: Arc<Record>,
}

impl Ground {
    pub async fn start(
        dir: &Path,
        settings: Settings,
        provider: SocketAddr,
        record: Arc<Record>,
    ) -> anyhow::Result<Self> {
        let postgres = Postgres::start(dir).await?;
        let (mut database, mut browser, mut providers) = (Vec::new(), Vec::new(), Vec::new());
        for _ in Who::ALL {
            database.push(Proxy::start(Upstream::postgres(&postgres.dir)).await);
        }
        for _ in 0..2 {
            browser.push(Proxy::start(Upstream::Tcp(provider)).await);
            providers.push(Proxy::start(Upstream::Tcp(provider)).await);
        }
        let ground = Self {
            postgres: Mutex::new(postgres),
            settings,
            slots: Default::default(),
            database,
            browser,
            provider: providers,
            calm: std::sync::Mutex::new([Calm { harmed: 0, since: Instant::now() }; 4]),
            record,
        };
        ground.heal().await?;
        Ok(ground)
    }

    /// Where browsers find the two web processes.
    pub fn addresses(&self) -> [String; 2] {
        [self.browser[0].url(), self.browser[1].url()]
    }

    /// For how long the calmest process has been left alone.
    pub fn calm_for(&self) -> Duration {
        let calm = lock(&self.calm);
        calm.iter().filter(|c| c.harmed == 0).map(|c| c.since.elapsed()).max().unwrap_or_default()
    }

    fn harm(&self, whom: &[Who]) {
        let mut calm = lock(&self.calm);
        for who in whom {
            calm[who.index()].harmed += 1;
        }
    }

    fn calm(&self, whom: &[Who]) {
        let mut calm = lock(&self.calm);
        for who in whom {
            let one = &mut calm[who.index()];
            *one = Calm { harmed: one.harmed - 1, since: Instant::now() };
        }
    }

    /// Starts a process until it stands: without its database it ends by itself, as it should.
    async fn raise(&self, who: Who, slot: &mut Option<Process>) -> anyhow::Result<()> {
        let deadline = Instant::now() + Duration::from_secs(90);
        let database = self.database[who.index()].address;
        let mut own = vec![("DATABASE_URL", format!("postgres://parlor@{database}/parlor?sslmode=disable"))];
        let (Who::Web(n) | Who::Worker(n)) = who;
        own.push(("OPENAI_BASE_URL", format!("{}/v1", self.provider[n].url())));
        own.push(("OPENAI_API_KEY", format!("maker-{n}")));
        loop {
            let mut process = Process::start(&self.settings, who, &own)?;
            let patience = Instant::now() + Duration::from_secs(20);
            while !process.is_over()? && Instant::now() < patience {
                if let Some(address) = process.ready() {
                    if let Who::Web(n) = who {
                        self.browser[n].lead_to(Upstream::Tcp(address));
                    }
                    *slot = Some(process);
                    return Ok(());
                }
                sleep(Duration::from_millis(20)).await;
            }
            ensure!(Instant::now() < deadline, "{who:?} does not start; see its log");
            sleep(Duration::from_millis(300)).await;
        }
    }

    /// The process of a slot; one that ended by itself meanwhile is a fault of its own.
    async fn living(&self, who: Who) -> anyhow::Result<MutexGuard<'_, Option<Process>>> {
        let mut slot = self.slots[who.index()].lock().await;
        if let Some(process) = slot.as_mut()
            && process.is_over()?
        {
            self.record.violation("alive", &format!("{who:?} ended by itself; see its log"));
            *slot = None;
        }
        if slot.is_none() {
            self.raise(who, &mut slot).await?;
        }
        Ok(slot)
    }

    /// Does one fault, and undoes it.
    pub async fn happens(&self, fault: Fault) -> anyhow::Result<()> {
        self.record.count(&format!("fault: {}", fault.kind()));
        let whom: &[Who] = match &fault {
            Fault::Kill(who, _) | Fault::Stop(who, _) | Fault::Term(who) | Fault::Wire(Wire::Database(who), _) => {
                &[*who]
            }
            Fault::Postgres(_) | Fault::All(_) => &Who::ALL,
            Fault::Wire(..) => &[],
        };
        self.harm(whom);
        let done = self.does(fault).await;
        self.calm(whom);
        done
    }

    async fn does(&self, fault: Fault) -> anyhow::Result<()> {
        match fault {
            Fault::Kill(who, pause) => {
                let mut slot = self.living(who).await?;
                if let Some(mut process) = slot.take() {
                    process.kill()?;
                }
                sleep(pause).await;
                self.raise(who, &mut slot).await
            }
            Fault::Stop(who, lasts) => {
                let mut slot = self.living(who).await?;
                let process = slot.as_mut().expect("it lives");
                process.stop()?;
                sleep(lasts).await;
                process.go_on()
            }
            Fault::Term(who) => {
                let mut slot = self.living(who).await?;
                if let Some(mut process) = slot.take() {
                    process.term()?;
                    if let Err(error) = process.ends(ENDS_WITHIN).await {
                        self.record.violation("F7", &error.to_string());
                    }
                }
                self.raise(who, &mut slot).await
            }
            Fault::Postgres(pause) => {
                let mut postgres = self.postgres.lock().await;
                postgres.stops_at_once().await?;
                sleep(pause).await;
                postgres.up().await
            }
            Fault::All(pause) => {
                let mut slots = Vec::new();
                for who in Who::ALL {
                    slots.push(self.living(who).await?);
                }
                let mut postgres = self.postgres.lock().await;
                for slot in &mut slots {
                    if let Some(mut process) = slot.take() {
                        process.kill()?;
                    }
                }
                postgres.stops_at_once().await?;
                sleep(pause).await;
                postgres.up().await?;
                drop(postgres);
                for (who, mut slot) in Who::ALL.into_iter().zip(slots) {
                    self.raise(who, &mut slot).await?;
                }
                Ok(())
            }
            Fault::Wire(wire, harm) => {
                let proxy = match wire {
                    Wire::Database(who) => &self.database[who.index()],
                    Wire::Browser(n) => &self.browser[n],
                    Wire::Provider(n) => &self.provider[n],
                };
                harm_wire(proxy, harm).await;
                Ok(())
            }
        }
    }

    /// Puts everything right: wires pass, PostgreSQL and all processes stand.
    pub async fn heal(&self) -> anyhow::Result<()> {
        for proxy in self.database.iter().chain(&self.browser).chain(&self.provider) {
            proxy.pass();
        }
        self.postgres.lock().await.up().await?;
        for who in Who::ALL {
            drop(self.living(who).await?);
        }
        Ok(())
    }

    /// Ends a process in order and starts its successor; says how long it took to end.
    pub async fn replace(&self, who: Who) -> anyhow::Result<Duration> {
        let mut slot = self.living(who).await?;
        let mut process = slot.take().expect("it lives");
        process.term()?;
        let took = process.ends(ENDS_WITHIN).await?;
        self.raise(who, &mut slot).await?;
        Ok(took)
    }
}

async fn harm_wire(proxy: &Proxy, harm: Harm) {
    let lasts = match harm {
        Harm::Cut => return proxy.cut(),
        Harm::HalfClosedUp => return proxy.half_close(Direction::Up),
        Harm::HalfClosedDown => return proxy.half_close(Direction::Down),
        Harm::Stranded => return proxy.strand(),
        Harm::Frozen(lasts) => {
            proxy.freeze_all();
            lasts
        }
        Harm::FrozenUp(lasts) => {
            proxy.freeze(Direction::Up);
            lasts
        }
        Harm::FrozenDown(lasts) => {
            proxy.freeze(Direction::Down);
            lasts
        }
        Harm::Refusing(lasts) => {
            proxy.refuse();
            proxy.cut();
            lasts
        }
        Harm::Slow(by, lasts) => {
            proxy.delay(by);
            lasts
        }
        Harm::CutAfterUp(bytes, lasts) => {
            proxy.cut_after(Direction::Up, bytes);
            lasts
        }
        Harm::CutAfterDown(bytes, lasts) => {
            proxy.cut_after(Direction::Down, bytes);
            lasts
        }
    };
    sleep(lasts).await;
    proxy.pass();
}
