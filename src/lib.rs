//! Parlor: a self-hosted home for talking with language models.
//!
//! # Floors
//! Imports go down only; `tests/architecture.rs` holds it. In reading order, from the ground:
//! [`base`] (ids, errors, configuration, database, queue, clock), [`outside`] (foreign systems),
//! [`markdown`] (text in, HTML out), [`domain::feed`], [`app`], the other rooms of [`domain`] (acts and their SQL),
//! [`views`] (looks), [`http`] and [`jobs`] (entrances), [`cli`] (roof).

pub mod app;
pub mod base;
pub mod cli;
pub mod domain;
pub mod http;
pub mod jobs;
pub mod markdown;
pub mod outside;
pub mod views;

/// The migrations, compiled in.
pub static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!();
