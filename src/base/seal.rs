//! Sealing: what is stored encrypted, so that the database alone does not tell it. XChaCha20-Poly1305 with a key derived
//! from the installation's secret, a random nonce of 192 bits, and the purpose as associated data: what was sealed for one
//! purpose cannot be opened as another. What must not live here: which things are sealed.

use super::crypto::Secret;
use anyhow::anyhow;
use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use rand::Rng;

/// The first byte of everything sealed: which way of sealing it was.
const WAY: u8 = 1;
const NONCE: usize = 24;

/// Seals text for one purpose.
#[must_use]
pub fn seal(secret: &Secret, purpose: &str, text: &[u8]) -> Vec<u8> {
    let nonce: [u8; NONCE] = rand::rng().random();
    let payload = Payload { msg: text, aad: purpose.as_bytes() };
    let sealed = cipher(secret).encrypt(&XNonce::from(nonce), payload).expect("memory can be written");
    [&[WAY], &nonce[..], &sealed].concat()
}

/// Opens what was sealed for this purpose.
///
/// # Errors
/// It was tampered with, or sealed with another secret or for another purpose.
pub fn open(secret: &Secret, purpose: &str, sealed: &[u8]) -> anyhow::Result<Vec<u8>> {
    let rest = sealed.strip_prefix(&[WAY]).ok_or_else(|| anyhow!("this was not sealed, or by a newer version"))?;
    let (nonce, text) = rest.split_at_checked(NONCE).ok_or_else(|| anyhow!("this was cut short"))?;
    let nonce: [u8; NONCE] = nonce.try_into().expect("it was split there");
    cipher(secret).decrypt(&XNonce::from(nonce), Payload { msg: text, aad: purpose.as_bytes() }).map_err(|_| {
        anyhow!("this was tampered with, or sealed with another secret or for another purpose than {purpose}")
    })
}

fn cipher(secret: &Secret) -> XChaCha20Poly1305 {
    let key: [u8; 32] = secret.derive("seal")[..32].try_into().expect("a half of 64 bytes");
    XChaCha20Poly1305::new(&key.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Secret {
        Secret::load(text, std::path::Path::new("/nonexistent")).unwrap()
    }

    #[test]
    fn s23_only_the_same_secret_and_purpose_open_it() {
        let (ours, theirs) =
            (secret("a secret that is long enough for us"), secret("another one that is long enough too"));
        let sealed = seal(&ours, "mail", b"a link");
        assert_eq!(open(&ours, "mail", &sealed).unwrap(), b"a link");
        assert!(!sealed.windows(6).any(|w| w == b"a link"));
        assert_ne!(sealed, seal(&ours, "mail", b"a link"), "a nonce of its own each time");
        assert!(open(&theirs, "mail", &sealed).is_err());
        assert!(open(&ours, "keys", &sealed).is_err());
        for at in 0..sealed.len() {
            let mut tampered = sealed.clone();
            tampered[at] ^= 1;
            assert!(open(&ours, "mail", &tampered).is_err(), "byte {at}");
            assert!(open(&ours, "mail", &sealed[..at]).is_err(), "cut at {at}");
        }
    }
}
