//! `parlor doctor`: checks what Parlor stands on, one line each, and says what to do about what is wrong.

use super::block_on;
use crate::{
    MIGRATOR,
    base::{
        config::Config,
        crypto::Secret,
        db::{
            self, Pools, Use,
            migrate::{Standing, standing},
        },
        telemetry,
    },
    domain::{chats, providers::kept},
    outside::{
        blobs::Blobs,
        llm,
        mail::{Delivered, Letter, Mailer},
    },
    views,
};
use sqlx::postgres::PgConnectOptions;
use std::{process::ExitCode, time::Duration};

/// What is wrong so far.
#[derive(Default)]
struct Report {
    faults: usize,
}

impl Report {
    fn good(&self, what: &str, detail: &str) {
        println!("  ok    {what}: {detail}");
    }

    fn note(&self, what: &str, detail: &str) {
        println!("  note  {what}: {detail}");
    }

    fn bad(&mut self, what: &str, detail: &str) {
        self.faults += 1;
        println!("  WRONG {what}: {detail}");
    }
}

pub fn run(config: &Config, letter_to: Option<&str>) -> anyhow::Result<ExitCode> {
    let mut log = config.log.clone();
    "error".clone_into(&mut log.filter);
    telemetry::start(&log)?;
    let mut report = Report::default();
    report.good("configuration", "can be read");
    let data_dir = config.data_dir()?;
    report.good("data folder", &data_dir.display().to_string());
    if config.server.public_url.is_empty() {
        report.note("PUBLIC_URL", "not set; set it before others use this Parlor");
    }
    match db::open(&config.database, &data_dir, Use::Share) {
        Ok(opened) => {
            let report = &mut report;
            block_on(opened, async |options| {
                database(config, options, report).await;
                mail(config, letter_to, report).await;
                files(config, report).await;
                providers(config, report).await;
                Ok(())
            })?;
        }
        Err(error) => report.bad("database", &format!("{error:#}")),
    }
    if report.faults == 0 {
        println!("all is well");
        return Ok(ExitCode::SUCCESS);
    }
    println!("{} to mend", report.faults);
    Ok(ExitCode::FAILURE)
}

async fn database(config: &Config, options: PgConnectOptions, report: &mut Report) {
    let pools = match Pools::connect(options, &config.database).await {
        Ok(pools) => pools,
        Err(error) => return report.bad("database", &format!("{error:#}")),
    };
    report.good("database", &format!("PostgreSQL {}", pools.version().await.unwrap_or_default()));
    match standing(&MIGRATOR, &pools.http).await {
        Ok(Standing::Current) => {
            report.good("migrations", "complete");
            rows(config, &pools, report).await;
            kept_providers(&pools, report).await;
        }
        Ok(Standing::Ahead) => {
            report.bad("migrations", "the database was made by a newer version of Parlor: use that one");
        }
        Ok(Standing::Behind(n)) => {
            report.note("migrations", &format!("{n} to apply; `parlor migrate` or the next start does it"));
        }
        Err(error) => report.bad("migrations", &format!("{error:#}")),
    }
    match pools.has_extension("vector").await {
        Ok(true) => report.good("pgvector", "available"),
        _ => report.note("pgvector", "not installed; Parlor runs without it"),
    }
    pools.close().await;
}

async fn rows(config: &Config, pools: &Pools, report: &mut Report) {
    let fresh = config.secret.expose().is_empty() && !config.data_dir().is_ok_and(|d| d.join("secret").exists());
    if fresh {
        report.note("secret", "none yet; the first start makes it");
    } else {
        let secret = config.data_dir().and_then(|dir| Secret::load(config.secret.expose(), &dir));
        let checked = match secret {
            Ok(secret) => secret.check(&pools.http).await,
            Err(error) => Err(error),
        };
        match checked {
            Ok(()) => report.good("secret", "the one this database was set up with"),
            Err(error) => report.bad("secret", &format!("{error:#}")),
        }
    }
    match chats::store::default_partition_has_rows(&pools.http).await {
        Ok(false) => report.good("partitions", "every message is in its month"),
        Ok(true) => report.bad(
            "partitions",
            "messages_default has rows: a month had no partition. Move them: begin; create the month's table, \
             insert into it from messages_default, delete them there, attach it; commit",
        ),
        Err(error) => report.bad("partitions", &error.to_string()),
    }
}

/// The providers that administrators keep; how they stand is told by the page that has them.
async fn kept_providers(pools: &Pools, report: &mut Report) {
    match kept::names(pools).await {
        Ok(names) if names.is_empty() => {}
        Ok(names) => report.good("kept providers", &format!("{}; see /admin/providers", names.join(", "))),
        Err(error) => report.bad("kept providers", &error.to_string()),
    }
}

/// Whether letters get out; with an address, by sending one there.
async fn mail(config: &Config, to: Option<&str>, report: &mut Report) {
    let mailer = match Mailer::new(config) {
        Ok(mailer) => mailer,
        Err(error) => return report.bad("mail", &format!("{error:#}")),
    };
    match (mailer.folder(), mailer.check().await) {
        (Some(folder), _) => report.note(
            "mail",
            &format!("SMTP_URL is not set; letters are written to {} and sent to nobody", folder.display()),
        ),
        (None, Ok(())) => report.good("mail", "the server can be spoken to"),
        (None, Err(fault)) => {
            let detail = fault.detail;
            return report.bad("mail", &format!("{detail}; check SMTP_URL, the network and the server's certificate"));
        }
    }
    let Some(to) = to else { return };
    let words = views::mail::write(&Letter::Test { url: config.server.public_url.clone() });
    let id = uuid::Uuid::now_v7();
    let sent = mailer.send(id, to, &words).await;
    match sent {
        Err(fault) => report.bad("test letter", &format!("it was not taken: {}", fault.detail)),
        Ok(Delivered::Sent) => {
            report.good("test letter", &format!("the server took it, for {to}; look whether it arrives"));
        }
        Ok(Delivered::Written) => report.good("test letter", &format!("written, for {to}: {id}.eml")),
    }
}

/// Whether images can be kept.
async fn files(config: &Config, report: &mut Report) {
    let folder = match config.files_dir() {
        Ok(folder) => folder,
        Err(error) => return report.bad("files", &format!("{error:#}")),
    };
    match Blobs::new(&folder, "").check().await {
        Ok(()) => report.good("files", &format!("{} can be written to", folder.display())),
        Err(error) => report.bad(
            "files",
            &format!("{} cannot be written to: {error}; make it this user's own, or set files.dir", folder.display()),
        ),
    }
}

async fn providers(config: &Config, report: &mut Report) {
    let providers = match llm::providers(config, &[]).await {
        Ok(providers) => providers,
        Err(error) => return report.bad("providers", &format!("{error:#}")),
    };
    for provider in providers {
        let what = format!("provider {}", provider.name);
        if provider.is_demo() {
            report.note(
                &what,
                "the built-in demo; add a provider on /admin/providers, or set OPENAI_API_KEY, for a real model",
            );
            continue;
        }
        match tokio::time::timeout(Duration::from_secs(10), provider.models()).await {
            Ok(Ok(models)) => report.good(&what, &format!("{} models, {} keys", models.len(), provider.keys.len())),
            Ok(Err(fault)) => report.bad(&what, &format!("{} ({})", fault.sentence(&provider.name), fault.detail)),
            Err(_) => report.bad(&what, "did not answer within 10 s; check its address and the network"),
        }
    }
}
