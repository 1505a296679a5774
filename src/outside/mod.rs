//! FOREIGN SYSTEMS, in our words. What must not live here: SQL, a table's name, a rule of the product.

pub mod blobs;
pub mod llm;
pub mod mail;
pub mod parlor;
