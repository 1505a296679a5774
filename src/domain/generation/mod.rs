//! The making of answers, from the accepted message to the one terminal event. The truth about an answer is its row in
//! `generations`; a job only says "look at it now". `state.rs` tells the states and who changes them.
//! What must not live here: how anything looks; how a provider's protocol goes (outside/llm).

mod again;
mod ask;
pub mod dead;
mod edges;
mod finish;
mod follow;
mod line;
mod outlook;
mod overview;
mod rate;
mod run;
mod send;
pub mod state;
mod stop;
mod store;
mod sweep;
mod thread;
mod title;
mod told;
mod tree;

pub use again::{go_on, regenerate};
pub use dead::DeadLetter;
pub use follow::{Follow, Word, follow};
pub use line::send_now;
pub use outlook::{Outlook, outlook};
pub use overview::{LISTED, Overview, Unfinished, overview};
pub use rate::{MAX_NOTE, Rating, rate, rating};
pub use run::{look, renew_leases};
pub use send::{Draft, Key, Sent, Taken, forget_keys, max_chars, send};
pub use state::State;
pub use stop::{delete_chat, stop, stop_all, withdraw};
pub use store::{
    figures::{Figures, figures},
    rate::{of as ratings, set as set_rating},
};
pub use sweep::sweep;
pub use thread::{Shown, Siblings, Spot, Thread, Turn, message, owned, shown, thread, turn, unfinished};
pub use title::title;
pub use tree::{
    Deleted, Done, Original, Reworded, asked_last, can_restore, cost, delete, edit, fork, original, purge, restore,
    show,
};

use crate::base::{ids::GenerationId, queue::Job};
use serde::{Deserialize, Serialize};

/// The job: look at this generation now.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Look {
    pub generation_id: GenerationId,
    /// It has ended, and its chat is to have a title. An older worker finds nothing to do.
    #[serde(default)]
    pub title: bool,
}

impl Look {
    fn at(generation_id: GenerationId) -> Self {
        Self { generation_id, title: false }
    }
}

impl Job for Look {
    const QUEUE: &'static str = "generate";
}
