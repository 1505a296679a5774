//! GROUND: what knows nothing of chat. Ids, errors, configuration, database, queue, clock, secrets, logs.
//! What must not live here: a word of the product, a route, a template.

pub mod cache;
pub mod clock;
pub mod config;
pub mod crypto;
pub mod db;
pub mod error;
pub mod ids;
pub mod jwt;
pub mod memo;
pub mod metrics;
pub mod money;
pub mod month;
pub mod presence;
pub mod queue;
pub mod seal;
pub mod sessions;
pub mod telemetry;
pub mod turnstile;

pub use error::{Error, Result};
