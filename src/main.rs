//! Hands over to the roof.

use std::process::ExitCode;

fn main() -> ExitCode {
    rustls::crypto::ring::default_provider().install_default().expect("nothing else installed one before");
    parlor::cli::run()
}
