//! Text in, HTML out: what a model or a person wrote becomes sanitised HTML, whole or as it arrives.
//!
//! Here live the Markdown dialect, the rules for links and raw HTML, the highlighting of code and the
//! incremental [`Stream`]. Here must not live: SQL, IO, clocks (times are passed in), templates, anything
//! that knows who reads.
//!
//! Invariants, as absences:
//! * No text of the model reaches the output unescaped, except raw HTML that went through `sanitize`.
//! * No attribute `style`, `id`, `name`, `class`, `on*`, `hx-*`, `data-*` comes from the text; those in the
//!   output are written by this module.
//! * No block reaches into the next: every top-level block is one balanced element, made on its own.
//! * Nothing makes a request to another origin: an image becomes a link.
//! * No `h1` and no `h2`: the page has those. `#` becomes `h3`, `##` `h4`, `###` `h5`, the rest `h6`.

mod doc;
mod highlight;
mod links;
mod math;
mod mathml;
mod notes;
mod render;
mod sanitize;
mod stream;
mod writer;

pub use render::{COPY_ICON, plain, render};
pub use stream::{Patch, Stream, Swap};

#[cfg(test)]
mod tests;
