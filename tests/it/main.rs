//! Stories against a real PostgreSQL and a provider that speaks HTTP. One file per story; `support/` has the actors.
//! They need `DATABASE_URL` (`bin/test` sets it; by hand: `export SQLX_OFFLINE=true DATABASE_URL=$(bin/postgres start)`).
#![allow(clippy::unwrap_used, clippy::missing_panics_doc)]

mod accounts;
mod admin_jobs;
mod attempts;
mod chaos;
mod continuing;
mod conversation;
mod crashes;
mod disks;
mod export;
mod failures;
mod fences;
mod finding;
mod fragments;
mod import;
mod late;
mod line;
mod list;
mod metrics;
mod oddities;
mod outages;
mod poolers;
mod prompts;
mod readers;
mod settings;
mod starting;
mod stops;
mod support;
mod titles;
mod tree;
mod upgrade;
mod walls;
mod wires;
