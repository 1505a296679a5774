//! The numbers that an operator watches: their names, units and buckets, all in this file, and one-line calls for the
//! places where they move. Where it is hot (once per piece of an answer) a call is an atomic or two: handles are made once,
//! nothing is formatted. What must not live here: who may read them (`http/metrics.rs`), and what is counted in the
//! database (`domain::generation::figures`).

use metrics::{
    Counter, Gauge, Histogram, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use std::{
    sync::LazyLock,
    time::{Duration, Instant},
};
use tokio_util::sync::CancellationToken;

const REQUEST: &str = "parlor_http_request_seconds";
const TOKENS: &str = "parlor_tokens_total";
const COST: &str = "parlor_cost_micro_units_total";
const ANSWERS: &str = "parlor_answers_total";
const FIRST_TOKEN: &str = "parlor_first_token_seconds";
const PACE: &str = "parlor_tokens_per_second";
const ERRORS: &str = "parlor_provider_errors_total";
const CACHE: &str = "parlor_cache_total";
const LAG: &str = "parlor_feed_lag_seconds";
const ROWS: &str = "parlor_feed_batch_rows";
const COMMIT: &str = "parlor_feed_commit_seconds";

/// From a request that costs nothing to one that is about to time out.
const SECONDS: [f64; 13] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1., 2.5, 5., 10.];
const LONG_SECONDS: [f64; 11] = [0.1, 0.25, 0.5, 1., 2., 5., 10., 20., 60., 120., 180.];
const PER_SECOND: [f64; 10] = [1., 5., 10., 20., 40., 60., 100., 200., 500., 1000.];
const COUNTS: [f64; 10] = [1., 2., 5., 10., 20., 50., 100., 200., 500., 1000.];

/// How often recorded values are put into their buckets; until then each takes 8 bytes.
const UPKEEP: Duration = Duration::from_secs(5);

/// The numbers without labels of their own, at hand.
pub struct Metrics {
    handle: PrometheusHandle,
    /// Messages that were taken from people.
    pub messages: Counter,
    /// Leases that this process found to be another's when it renewed them.
    pub leases_lost: Counter,
    /// Leases of whatever process that ran out, found by the sweep here.
    pub leases_expired: Counter,
    /// Time from the writing of an event by another process to its reading here.
    pub lag_from_log: Histogram,
    /// Time from a piece's arrival at the writer here to its delivery.
    pub lag_from_memory: Histogram,
    rows: Histogram,
    commit: Histogram,
    readers: Gauge,
    rooms: Gauge,
}

static METRICS: LazyLock<Metrics> = LazyLock::new(Metrics::install);

/// The numbers of this process. What is counted before the first call is lost, so building the app makes it.
#[must_use]
pub fn metrics() -> &'static Metrics {
    &METRICS
}

impl Metrics {
    /// Puts recorded values into their buckets, until the process ends.
    pub async fn upkeep(&self, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(UPKEEP) => self.handle.run_upkeep(),
            }
        }
    }

    fn install() -> Self {
        let recorder = [
            (REQUEST, &SECONDS[..]),
            (FIRST_TOKEN, &LONG_SECONDS),
            (PACE, &PER_SECOND),
            (LAG, &SECONDS),
            (ROWS, &COUNTS),
            (COMMIT, &SECONDS),
        ]
        .into_iter()
        .try_fold(PrometheusBuilder::new(), |builder, (name, buckets)| {
            builder.set_buckets_for_metric(Matcher::Full(name.to_owned()), buckets)
        })
        .expect("no list of buckets is empty")
        .build_recorder();
        let handle = recorder.handle();
        // nobody else in this program has one; if there were, ours would only stay empty
        let _ = metrics::set_global_recorder(recorder);
        describe_histogram!(REQUEST, "Time to the head of a response, by route and class of status.");
        describe_counter!("parlor_messages_total", "Messages taken from people.");
        describe_counter!(
            TOKENS,
            "Tokens as providers counted them; cached are part of prompt, reasoning of completion."
        );
        describe_counter!(COST, "What requests cost, in millionths of the currency's unit, by model.");
        describe_counter!(ANSWERS, "Answers that ended here, by model and state.");
        describe_histogram!(FIRST_TOKEN, "From asking a provider to the first piece of its answer, by model.");
        describe_histogram!(PACE, "Tokens a second between the first piece of an answer and the last, by model.");
        describe_counter!(ERRORS, "Faults of providers and of the way to them, by kind.");
        describe_counter!(CACHE, "Values wanted of the cache, by what they are and whether they were there.");
        describe_histogram!(
            LAG,
            "From a piece's arrival (memory: at the writer here; log: in the log, by another process) to its delivery here."
        );
        describe_histogram!(ROWS, "Rows in one commit of the feed.");
        describe_histogram!(COMMIT, "Time of one commit of the feed.");
        describe_counter!("parlor_leases_lost_total", "Leases found lost by the worker that held them.");
        describe_counter!("parlor_leases_expired_total", "Answers settled because their worker's lease had run out.");
        describe_gauge!("parlor_feed_readers", "Open feeds of pages.");
        describe_gauge!("parlor_feed_rooms", "Chats with an open feed.");
        Self {
            handle,
            messages: counter!("parlor_messages_total"),
            leases_lost: counter!("parlor_leases_lost_total"),
            leases_expired: counter!("parlor_leases_expired_total"),
            lag_from_log: histogram!(LAG, "from" => "log"),
            lag_from_memory: histogram!(LAG, "from" => "memory"),
            rows: histogram!(ROWS),
            commit: histogram!(COMMIT),
            readers: gauge!("parlor_feed_readers"),
            rooms: gauge!("parlor_feed_rooms"),
        }
    }

    /// Everything counted in this process, in Prometheus' text format.
    #[must_use]
    pub fn render(&self) -> String {
        self.handle.render()
    }

    /// The feed's writer committed so many rows.
    pub fn committed(&self, rows: usize, took: Duration) {
        self.rows.record(rows as f64);
        self.commit.record(took);
    }

    /// A feed of a page, for as long as the returned value lives.
    #[must_use]
    pub fn reader(&self) -> Held {
        Held::new(&self.readers)
    }

    /// A chat with readers, for as long as the returned value lives.
    #[must_use]
    pub fn room(&self) -> Held {
        Held::new(&self.rooms)
    }
}

/// One of something that is counted while it is there.
pub struct Held(Gauge);

impl Held {
    fn new(gauge: &Gauge) -> Self {
        gauge.increment(1);
        Self(gauge.clone())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.decrement(1);
    }
}

/// A request was answered. `route` is its pattern, never its path.
pub fn request(route: &str, status: u16, took: Duration) {
    let class = match status / 100 {
        1 => "1xx",
        2 => "2xx",
        3 => "3xx",
        4 => "4xx",
        _ => "5xx",
    };
    histogram!(REQUEST, "route" => route.to_owned(), "status" => class).record(took);
}

/// A provider failed.
pub fn provider_error(provider: &str, kind: &'static str) {
    counter!(ERRORS, "provider" => provider.to_owned(), "kind" => kind).increment(1);
}

/// An answer ended; `tokens` by kind, if the provider counted them.
pub fn answered(model: &str, state: &'static str, tokens: &[(&'static str, i64)]) {
    counter!(ANSWERS, "model" => model.to_owned(), "state" => state).increment(1);
    for (kind, count) in tokens {
        counter!(TOKENS, "model" => model.to_owned(), "kind" => *kind).increment(u64::try_from(*count).unwrap_or(0));
    }
}

/// A request cost so many micro-units of the currency.
pub fn spent(model: &str, cost: i64) {
    counter!(COST, "model" => model.to_owned()).increment(u64::try_from(cost).unwrap_or(0));
}

/// A value was wanted of the cache.
pub fn cached(what: &str, hit: bool) {
    counter!(CACHE, "what" => what.to_owned(), "found" => if hit { "yes" } else { "no" }).increment(1);
}

/// How fast one answer comes.
pub struct Pace {
    asked: Instant,
    pieces: Option<(Instant, Instant)>,
}

impl Pace {
    /// A provider is about to be asked.
    #[must_use]
    pub fn begin() -> Self {
        Self { asked: Instant::now(), pieces: None }
    }

    /// A piece came.
    pub fn piece(&mut self, model: &str) {
        let now = Instant::now();
        if let Some((_, last)) = &mut self.pieces {
            *last = now;
        } else {
            self.pieces = Some((now, now));
            histogram!(FIRST_TOKEN, "model" => model.to_owned()).record(now - self.asked);
        }
    }

    /// How long the first piece took.
    #[must_use]
    pub fn first(&self) -> Option<Duration> {
        self.pieces.map(|(first, _)| first - self.asked)
    }

    /// Tokens a second, of so many. The first came before the time that is measured.
    #[must_use]
    pub fn per_second(&self, tokens: i64) -> Option<f64> {
        let (first, last) = self.pieces.filter(|(first, last)| last > first)?;
        (tokens > 1).then(|| (tokens - 1) as f64 / (last - first).as_secs_f64())
    }

    /// The answer ended, with so many tokens.
    pub fn ended(&self, model: &str, tokens: i64) {
        if let Some(pace) = self.per_second(tokens) {
            histogram!(PACE, "model" => model.to_owned()).record(pace);
        }
    }
}
