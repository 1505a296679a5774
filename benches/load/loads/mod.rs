//! The loads, one file each.

mod cost;
mod failover;
mod gateway;
mod idle;
mod one;
mod steady;
mod stored;
mod visit;

pub use cost::{Many, length, many};
pub use failover::{SHAPE as FAILOVER, failover};
pub use gateway::{Calls, SHAPE as CALL, gateway};
pub use idle::{idle, ready};
pub use one::{SHAPE as ONE, one};
pub use steady::{SHAPE as STEADY, steady};
pub use stored::stored;
pub use visit::visit;
