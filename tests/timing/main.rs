//! Whether an answer's time tells who has an account: forgotten password and sign-in, for an address that is known and one
//! that is not, five hundred tries each in random order, one after the other. By itself, because it wants a quiet machine
//! and takes minutes:
//!
//! ```sh
//! DATABASE_URL=$(bin/postgres start) cargo test --test timing              # -- --tries 100 for a shorter one
//! ```
//!
//! Prints medians, standard deviations and how far apart they are; the exit code is 1 if medians differ by 3 % or more, or
//! by 0.2 standard deviations or more. `-- --set NAME=VALUE` sets what the program is to find in its environment.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use rand::seq::SliceRandom;
use reqwest::{Client, redirect::Policy};
use sqlx::{Connection, PgConnection};
use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, ExitCode, Stdio},
    time::Instant,
};

const PASSWORD: &str = "a sentence to sign in";
const KNOWN: &str = "ann.known@example.org";
const UNKNOWN: &str = "eve.alien@example.org";

/// The program, on a database of its own; both go at the end.
struct Parlor {
    child: Child,
    address: String,
    admin: String,
    database: String,
    _data: tempfile::TempDir,
}

impl Parlor {
    async fn start(settings: &[(String, String)]) -> Self {
        let admin = std::env::var("DATABASE_URL").expect("export DATABASE_URL=$(bin/postgres start)");
        let database = format!("timing_{}", std::process::id());
        let mut conn = PgConnection::connect(&admin).await.unwrap();
        sqlx::query(&format!("create database {database}")).execute(&mut conn).await.unwrap();
        let (head, query) = admin.split_once('?').unwrap_or((&admin, ""));
        let url = format!("{}/{database}?{query}", head.rsplit_once('/').unwrap().0);
        let data = tempfile::TempDir::with_prefix("parlor-timing").unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_parlor"))
            .arg("serve")
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .envs([("DATABASE_URL", url.as_str()), ("PORT", "0"), ("PARLOR__CATALOG__OLLAMA", "")])
            .envs([("ADMIN_EMAIL", KNOWN), ("ADMIN_PASSWORD", PASSWORD), ("PARLOR__LOG__FORMAT", "text")])
            .env("PARLOR_DATA", data.path())
            // what slows tries down has to be off
            .envs([("PARLOR__LIMITS__SIGN_IN", "false"), ("PARLOR__LIMITS__ANONYMOUS_PER_HOUR", "0")])
            .envs(settings.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
        let ready = lines.find(|line| line.contains("ready: http")).expect("it starts");
        let address = ready.split("ready: ").nth(1).unwrap().split_whitespace().next().unwrap().to_owned();
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, address, admin, database, _data: data }
    }
}

impl Drop for Parlor {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let sql = format!("drop database if exists {} with (force)", self.database);
        let _ = Command::new("psql").args(["-q", &self.admin, "-c", &sql]).output();
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let (mut tries, mut settings) = (500, Vec::new());
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--tries" => tries = args.next().and_then(|n| n.parse().ok()).expect("--tries NUMBER"),
            "--set" => settings.push(
                args.next()
                    .and_then(|s| Some(s.split_once('=')?).map(|(k, v)| (k.to_owned(), v.to_owned())))
                    .expect("--set NAME=VALUE"),
            ),
            other => panic!("what is {other}?"),
        }
    }
    let parlor = Parlor::start(&settings).await;
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = Client::builder().redirect(Policy::none()).build().unwrap();
    let mut good = true;
    for path in ["/password/forgot", "/login"] {
        good &= measure(&client, &parlor.address, path, tries).await;
    }
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Tries both addresses in random order, so that what one leaves behind troubles both alike.
async fn measure(client: &Client, address: &str, path: &str, tries: usize) -> bool {
    let mut order: Vec<usize> = (0..tries * 2).map(|i| i % 2).collect();
    order.shuffle(&mut rand::rng());
    // the first ones meet caches that are cold
    order.splice(0..0, [0, 1].repeat(10));
    let (mut times, mut answers) = ([Vec::new(), Vec::new()], [None, None]);
    for (at, who) in order.into_iter().enumerate() {
        let email = [KNOWN, UNKNOWN][who];
        let form: &[(&str, &str)] = &[("email", email), ("password", "not the password")];
        let form = if path == "/login" { form } else { &form[..1] };
        let request = client.post(format!("{address}{path}")).header("sec-fetch-site", "same-origin").form(form);
        let began = Instant::now();
        let response = request.send().await.unwrap();
        let status = response.status();
        let body = response.text().await.unwrap();
        let took = began.elapsed().as_secs_f64() * 1000.;
        assert!([200, 422].contains(&status.as_u16()), "{path} answers {status}: is a limit still on?");
        answers[who] = Some((status, body.replace(email, "…")));
        if at >= 20 {
            times[who].push(took);
        }
    }
    assert!(answers[0] == answers[1], "{path}: the answers differ in more than the address");
    let [known, unknown] = times.map(|times| figures(&times));
    let apart = (known.0 - unknown.0).abs();
    let (share, deviations) = (apart / known.0.min(unknown.0) * 100., apart / known.1.min(unknown.1));
    let good = share < 3. && deviations < 0.2;
    println!("{path}, {tries} tries each: {}", if good { "alike" } else { "APART" });
    println!("  known    median {:8.3} ms, standard deviation {:7.3} ms", known.0, known.1);
    println!("  unknown  median {:8.3} ms, standard deviation {:7.3} ms", unknown.0, unknown.1);
    println!("  medians differ by {share:.2} % (less than 3), {deviations:.3} standard deviations (less than 0.2)");
    good
}

/// Median and standard deviation.
fn figures(times: &[f64]) -> (f64, f64) {
    let mut sorted = times.to_vec();
    sorted.sort_by(f64::total_cmp);
    let mean = times.iter().sum::<f64>() / times.len() as f64;
    let variance = times.iter().map(|t| (t - mean).powi(2)).sum::<f64>() / times.len() as f64;
    (sorted[sorted.len() / 2], variance.sqrt())
}
