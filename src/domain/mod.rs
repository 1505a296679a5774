//! THE PRODUCT: acts and their SQL. An act takes the app and the viewer, owns its transaction, and returns data.
//! What must not live here: a template, a status code, a request.
//!
//! Inside, `feed` stands lowest (the app holds its hub); then audit, tries, mail and tokens; then accounts; then catalog; then
//! own, files, groups, limits, programs, prompts, providers, ledger, invitations and outbox; then calls and chats; then generation; then export, then import and takeout;
//! then people. When two rooms want each other, the act belongs to the higher one.

pub mod accounts;
pub mod audit;
pub mod calls;
pub mod catalog;
pub mod chats;
pub mod export;
pub mod feed;
pub mod files;
pub mod generation;
pub mod groups;
pub mod import;
pub mod invitations;
pub mod ledger;
pub mod limits;
pub mod mail;
pub mod outbox;
pub mod own;
pub mod people;
pub mod programs;
pub mod prompts;
pub mod providers;
pub mod system;
pub mod takeout;
pub mod tokens;
pub mod tries;
