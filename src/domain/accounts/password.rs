//! Passwords: argon2id with 33 MiB, two passes, one lane (OWASP's Password Storage Cheat Sheet has 19 MiB at least).
//! Computed off the async threads, a bounded number at a time.

use crate::{
    app::App,
    base::{Error, Result},
};
use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use std::sync::LazyLock;
use zxcvbn::{
    Score,
    feedback::{Feedback, Warning},
};

/// Memory in KiB, passes, lanes. More than 32 MiB: glibc gives so large a block back as soon as it is free, where it keeps
/// smaller ones for each thread that ever had one (`M_MMAP_THRESHOLD` in mallopt(3)): with 19 MiB, 320 MB after twenty
/// people had signed up.
const COST: (u32, u32, u32) = (33 * 1024, 2, 1);

/// Somebody's hash who does not exist: verified against when an address is unknown, so that it takes as long.
static NOBODY: LazyLock<String> =
    LazyLock::new(|| compute(crate::base::crypto::random_hex().as_bytes()).expect("the parameters are valid"));

/// The outcome of a right password.
pub struct Verified {
    /// Its hash was made with weaker parameters than today's.
    pub outdated: bool,
}

/// No common password is longer; what is longer need not be looked up.
const LONGEST_COMMON: usize = 32;

/// Whether a password may be chosen: 8 to 128 characters, and not one of those that are tried first.
///
/// # Errors
/// A sentence for the person.
pub fn check(password: &str) -> Result<(), &'static str> {
    match password.chars().count() {
        0..8 => Err("A password has at least 8 characters."),
        8..=LONGEST_COMMON if is_common(password) => Err(
            "This is one of the passwords that are tried first, or nearly. Choose another one, e.g. a short sentence.",
        ),
        8..=128 => Ok(()),
        _ => Err("A password has at most 128 characters."),
    }
}

/// Whether zxcvbn has it in its list of common passwords, as it stands or with a usual disguise that makes it no better.
fn is_common(password: &str) -> bool {
    let estimate = zxcvbn::zxcvbn(password, &[]);
    match estimate.feedback().and_then(Feedback::warning) {
        Some(Warning::ThisIsATop10Password | Warning::ThisIsATop100Password | Warning::ThisIsACommonPassword) => true,
        Some(Warning::ThisIsSimilarToACommonlyUsedPassword) => estimate.score() <= Score::One,
        _ => false,
    }
}

/// Hashes a password.
///
/// # Errors
/// The process is ending.
pub async fn hash(app: &App, password: String) -> Result<String> {
    // held by the work itself: a request that is gone does not make room for another one's hash
    let permit = app.hashing.clone().acquire_owned().await.map_err(Error::internal)?;
    let work = move || {
        let _permit = permit;
        compute(password.as_bytes())
    };
    tokio::task::spawn_blocking(work).await.map_err(Error::internal)?
}

/// Compares a password with a hash; with none, with nobody's, and then says no.
///
/// # Errors
/// The process is ending.
pub async fn verify(app: &App, password: String, hash: Option<String>) -> Result<Option<Verified>> {
    if password.chars().count() > 128 {
        return Ok(None);
    }
    let permit = app.hashing.clone().acquire_owned().await.map_err(Error::internal)?;
    let work = move || {
        let _permit = permit;
        let known = hash.is_some();
        let text = hash.unwrap_or_else(|| NOBODY.clone());
        let parsed = PasswordHash::new(&text).ok()?;
        argon2().verify_password(password.as_bytes(), &parsed).ok()?;
        known.then(|| Verified { outdated: is_outdated(&parsed) })
    };
    tokio::task::spawn_blocking(work).await.map_err(Error::internal)
}

/// Computes nobody's hash, so that the first unknown address takes no longer than the next.
pub fn warm_up() {
    LazyLock::force(&NOBODY);
}

fn argon2() -> Argon2<'static> {
    let params = Params::new(COST.0, COST.1, COST.2, None).expect("the parameters are valid");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

fn compute(password: &[u8]) -> Result<String> {
    argon2().hash_password(password).map(|h| h.to_string()).map_err(|e| Error::Internal(anyhow::anyhow!("argon2: {e}")))
}

fn is_outdated(hash: &PasswordHash) -> bool {
    let Ok(params) = Params::try_from(hash) else { return true };
    hash.algorithm.as_str() != "argon2id" || params.m_cost() < COST.0 || params.t_cost() < COST.1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths() {
        for (length, good) in [(7, false), (8, true), (128, true), (129, false)] {
            assert_eq!(check(&"ä".repeat(length)).is_ok(), good, "{length}");
        }
    }

    #[test]
    fn s14_common_ones_are_refused() {
        for common in
            ["password", "12345678", "qwertyuiop", "iloveyou", "PASSWORD", "p@ssw0rd", "drowssap", "password1"]
        {
            assert!(check(common).is_err(), "{common}");
        }
        for good in ["a sentence to sign in", "long enough", "correct horse battery staple", "tr0ub4dor&3 at night"] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
    }

    #[test]
    fn a_hash_tells_its_parameters() {
        let hash = compute(b"correct horse").unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=33792,t=2,p=1$"), "{hash}");
        assert!(!is_outdated(&PasswordHash::new(&hash).unwrap()));
        let weak = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(8192, 1, 1, None).unwrap());
        let weak = weak.hash_password(b"correct horse").unwrap().to_string();
        assert!(is_outdated(&PasswordHash::new(&weak).unwrap()));
    }
}
