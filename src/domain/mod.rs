//! THE PRODUCT: acts and their SQL. An act takes the app and the viewer, owns its transaction, and returns data.
//! What must not live here: a template, a status code, a request.
//!
//! Inside, `feed` stands lowest (the app holds its hub); then accounts, tokens and catalog; then own and prompts; then chats; then
//! generation; then export, then import. When two rooms want each other, the act belongs to the higher one.

pub mod accounts;
pub mod catalog;
pub mod chats;
pub mod export;
pub mod feed;
pub mod generation;
pub mod import;
pub mod own;
pub mod prompts;
pub mod tokens;
