//! `/metrics`, in Prometheus' text format: what this process counted (`base/metrics.rs`), how it stands, and how the
//! database stands. It never waits for the database for long, and says when that does not answer. Not logged.

use super::{
    Web,
    routes::{Access, Routes},
};
use crate::{
    app::App,
    base::{crypto::sha256, metrics::metrics},
    domain::generation::{self, Figures},
};
use axum::{
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use std::{
    fmt::Write as _,
    net::{IpAddr, SocketAddr},
    time::Duration,
};
use tokio::{sync::Mutex, task::JoinHandle, time::Instant};

/// How long figures of the database are good for, however many ask.
const KEPT: Duration = Duration::from_secs(5);
/// How long a scrape waits for them.
const WITHIN: Duration = Duration::from_secs(1);

pub fn routes(routes: Routes) -> Routes {
    routes.get("/metrics", Access::Plain, scrape)
}

async fn scrape(State(web): State<Web>, request: Request) -> Response {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    match admit(web.app.config.metrics.token.expose(), request.headers(), peer) {
        StatusCode::OK => {}
        StatusCode::UNAUTHORIZED => {
            let headers = [(header::WWW_AUTHENTICATE, "Bearer"), (header::CONTENT_TYPE, "text/plain")];
            return (StatusCode::UNAUTHORIZED, headers, "the token of metrics.token is needed\n").into_response();
        }
        status => return (status, [(header::CONTENT_TYPE, "text/plain")], "nothing here\n").into_response(),
    }
    let figures = web.figures.now(&web.app).await;
    let mut page = Page(metrics().render());
    page.database(figures.as_ref());
    page.process(&web.app);
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], page.0).into_response()
}

/// With a token: whoever has it. Without: whoever is near, and speaks for nobody else.
fn admit(token: &str, headers: &HeaderMap, peer: Option<IpAddr>) -> StatusCode {
    if !token.is_empty() {
        let given = headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok()?.strip_prefix("Bearer "));
        // of two hashes, how long it takes to compare them tells nothing
        let same = given.is_some_and(|given| sha256(given.trim().as_bytes()) == sha256(token.as_bytes()));
        return if same { StatusCode::OK } else { StatusCode::UNAUTHORIZED };
    }
    let forwarded = headers.contains_key("x-forwarded-for") || headers.contains_key(header::FORWARDED);
    if peer.is_some_and(is_near) && !forwarded { StatusCode::OK } else { StatusCode::NOT_FOUND }
}

fn is_near(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.is_loopback() || v4.is_private() || v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local(),
    }
}

/// The figures of the database as they were last read.
#[derive(Default)]
pub struct Cache(Mutex<Cached>);

#[derive(Default)]
struct Cached {
    read: Option<Instant>,
    figures: Option<Figures>,
    /// A statement that was not waited for to its end. It is not cut short: it ends by the statement timeout.
    reading: Option<JoinHandle<Option<Figures>>>,
}

impl Cache {
    /// The figures, at most [`KEPT`] old; nothing when the database does not answer [`WITHIN`] time.
    async fn now(&self, app: &App) -> Option<Figures> {
        let mut cached = self.0.lock().await;
        if cached.read.is_none_or(|read| read.elapsed() > KEPT) {
            let reading = cached.reading.get_or_insert_with(|| {
                let app = app.clone();
                tokio::spawn(async move { generation::figures(&app.pools.http).await.ok() })
            });
            let answer = tokio::time::timeout(WITHIN, reading).await;
            if answer.is_ok() {
                cached.reading = None;
            }
            cached.figures = answer.ok().and_then(Result::ok).flatten();
            cached.read = Some(Instant::now());
        }
        cached.figures.clone()
    }
}

/// Prometheus' text format, being written.
struct Page(String);

impl Page {
    fn add(&mut self, name: &str, kind: &str, help: &str, values: &[(&str, f64)]) {
        let _ = write!(self.0, "\n# HELP {name} {help}\n# TYPE {name} {kind}\n");
        for (labels, value) in values {
            let _ = writeln!(self.0, "{name}{labels} {value}");
        }
    }

    fn database(&mut self, figures: Option<&Figures>) {
        let up = if figures.is_some() { 1. } else { 0. };
        self.add("parlor_up_database", "gauge", "Whether the database answered for the numbers below.", &[("", up)]);
        let Some(f) = figures else { return };
        let count = |count: i64| count as f64;
        self.add(
            "parlor_chats_active",
            "gauge",
            "Chats with a message in the last 5 minutes.",
            &[("", count(f.chats_active))],
        );
        self.add(
            "parlor_generations",
            "gauge",
            "Unfinished answers by state.",
            &[
                ("{state=\"lined\"}", count(f.lined)),
                ("{state=\"queued\"}", count(f.queued)),
                ("{state=\"running\"}", count(f.running)),
                ("{state=\"waiting\"}", count(f.waiting)),
            ],
        );
        self.add("parlor_dead_letters", "gauge", "Answers that were given up.", &[("", count(f.dead))]);
        self.add("parlor_queue_jobs", "gauge", "Jobs that no worker has taken yet.", &[("", count(f.jobs))]);
        self.add("parlor_queue_oldest_seconds", "gauge", "Age of the oldest of them.", &[("", f.jobs_age)]);
    }

    fn process(&mut self, app: &App) {
        let pools = [("http", &app.pools.http), ("jobs", &app.pools.jobs), ("listen", &app.pools.listen)];
        let mut uses = Vec::new();
        let mut limits = Vec::new();
        for (name, pool) in pools {
            let idle = pool.num_idle() as f64;
            let busy = (f64::from(pool.size()) - idle).max(0.);
            uses.push((format!("{{pool=\"{name}\",state=\"idle\"}}"), idle));
            uses.push((format!("{{pool=\"{name}\",state=\"busy\"}}"), busy));
            limits.push((format!("{{pool=\"{name}\"}}"), f64::from(pool.options().get_max_connections())));
        }
        self.labelled("parlor_pool_connections", "Open connections to the database.", &uses);
        self.labelled("parlor_pool_connections_limit", "How many there may be.", &limits);
        self.labelled(
            "parlor_answers_running",
            "Answers that this process is making.",
            &[(String::new(), app.running.runs().len() as f64)],
        );
        let (memory, cpu) = (resident_bytes(), cpu_seconds());
        if let Some(memory) = memory {
            self.add("process_resident_memory_bytes", "gauge", "Resident memory.", &[("", memory)]);
        }
        if let Some(cpu) = cpu {
            self.add("process_cpu_seconds_total", "counter", "CPU time used, user and system.", &[("", cpu)]);
        }
    }

    fn labelled(&mut self, name: &str, help: &str, values: &[(String, f64)]) {
        let values: Vec<(&str, f64)> = values.iter().map(|(labels, value)| (labels.as_str(), *value)).collect();
        self.add(name, "gauge", help, &values);
    }
}

fn resident_bytes() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:"))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<f64>().ok()? * 1024.)
}

/// From `/proc/self/stat`: its 14th and 15th fields, in hundredths of a second on every Linux there is.
fn cpu_seconds() -> Option<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // the second field is the program's name, in brackets, and may hold anything
    let mut fields = stat.rsplit_once(") ")?.1.split(' ').skip(11);
    let mut ticks = || fields.next()?.parse::<f64>().ok();
    Some((ticks()? + ticks()?) / 100.)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_may_read() {
        let near = Some("127.0.0.1".parse().unwrap());
        let with = |name: &'static str, value: &'static str| {
            HeaderMap::from_iter([(name.parse().unwrap(), value.parse().unwrap())])
        };
        let none = HeaderMap::new();
        assert_eq!(admit("", &none, near), StatusCode::OK);
        assert_eq!(admit("", &none, Some("203.0.113.7".parse().unwrap())), StatusCode::NOT_FOUND);
        assert_eq!(admit("", &none, None), StatusCode::NOT_FOUND);
        assert_eq!(admit("", &with("x-forwarded-for", "10.0.0.1"), near), StatusCode::NOT_FOUND);
        assert_eq!(admit("", &with("forwarded", "for=10.0.0.1"), near), StatusCode::NOT_FOUND);
        assert_eq!(admit("t0", &none, near), StatusCode::UNAUTHORIZED);
        assert_eq!(admit("t0", &with("authorization", "Bearer t1"), near), StatusCode::UNAUTHORIZED);
        assert_eq!(admit("t0", &with("authorization", "Basic t0"), near), StatusCode::UNAUTHORIZED);
        assert_eq!(admit("t0", &with("authorization", "Bearer t0"), None), StatusCode::OK);
    }

    #[test]
    fn who_is_near() {
        for (address, near) in [
            ("127.0.0.1", true),
            ("::1", true),
            ("::ffff:127.0.0.1", true),
            ("10.1.2.3", true),
            ("172.31.0.1", true),
            ("172.32.0.1", false),
            ("192.168.1.1", true),
            ("169.254.1.1", true),
            ("fd00::1", true),
            ("fe80::1", true),
            ("8.8.8.8", false),
            ("::ffff:8.8.8.8", false),
            ("2001:db8::1", false),
        ] {
            assert_eq!(is_near(address.parse().unwrap()), near, "{address}");
        }
    }

    #[test]
    fn a_process_knows_itself() {
        assert!(resident_bytes().unwrap() > 1e6);
        let before = cpu_seconds().unwrap();
        let began = std::time::Instant::now();
        while cpu_seconds().unwrap() <= before {
            assert!(began.elapsed() < Duration::from_secs(20), "no CPU time is counted");
        }
    }
}
