//! Signed tokens (JWT, RFC 7519): HS256 and nothing else, over ring, which the connections use already. What must not
//! live here: what a token means, and whether it is still good by the clock; that asks the database's.

use super::crypto::Secret;
use jsonwebtoken::{
    Algorithm, AlgorithmFamily, DecodingKey, EncodingKey, Header, Validation,
    crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils},
    errors::{ErrorKind, Result},
    signature::{Error, Signer, Verifier},
};
use ring::hmac;
use serde::{Serialize, de::DeserializeOwned};

/// Signs and opens the tokens of one audience. Claims name it, and the issuer, themselves: `aud` and `iss`.
#[derive(Clone)]
pub struct Jwt {
    sign: EncodingKey,
    open: DecodingKey,
    validation: Validation,
}

impl Jwt {
    /// With a key that is derived for this audience alone.
    #[must_use]
    pub fn new(secret: &Secret, issuer: &str, audience: &str) -> Self {
        // whoever comes second finds the same one there
        let _ = PROVIDER.install_default();
        let key = secret.derive(&format!("jwt {audience}"));
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_issuer(&[issuer]);
        validation.set_audience(&[audience]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        validation.validate_exp = false; // by the database's clock: whoever asks for a token looks its family up there
        Self { sign: EncodingKey::from_secret(&key), open: DecodingKey::from_secret(&key), validation }
    }

    /// A token of these claims.
    #[must_use]
    pub fn sign(&self, claims: &impl Serialize) -> String {
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), claims, &self.sign).expect("claims are plain fields")
    }

    /// What a token says, if it was signed here, for this audience.
    #[must_use]
    pub fn open<T: DeserializeOwned>(&self, token: &str) -> Option<T> {
        jsonwebtoken::decode(token, &self.open, &self.validation).ok().map(|token| token.claims)
    }
}

/// The library's way to be given its cryptography. It has no other algorithm than the one.
static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: |algorithm, key| Ok(Box::new(Hs256::new(*algorithm, key.family(), key.as_bytes())?)),
    verifier_factory: |algorithm, key| Ok(Box::new(Hs256::new(*algorithm, key.family(), key.try_get_as_bytes()?)?)),
    key_utils: KeyUtils::new_unimplemented(),
};

struct Hs256(hmac::Key);

impl Hs256 {
    fn new(algorithm: Algorithm, family: AlgorithmFamily, key: &[u8]) -> Result<Self> {
        if algorithm != Algorithm::HS256 || family != AlgorithmFamily::Hmac {
            return Err(ErrorKind::InvalidAlgorithm.into());
        }
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, key)))
    }
}

impl Signer<Vec<u8>> for Hs256 {
    fn try_sign(&self, message: &[u8]) -> std::result::Result<Vec<u8>, Error> {
        Ok(hmac::sign(&self.0, message).as_ref().to_vec())
    }
}

impl Verifier<Vec<u8>> for Hs256 {
    /// Takes as long wherever the first difference is.
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> std::result::Result<(), Error> {
        hmac::verify(&self.0, message, signature).map_err(|_| Error::new())
    }
}

impl JwtSigner for Hs256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}

impl JwtVerifier for Hs256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[derive(Debug, Clone, PartialEq, Serialize, serde::Deserialize)]
    struct Claims {
        sub: String,
        iss: String,
        aud: String,
        exp: u64,
    }

    fn claims() -> Claims {
        Claims { sub: "ann".to_owned(), iss: "parlor".to_owned(), aud: "here".to_owned(), exp: 1 }
    }

    fn secret(words: &str) -> Secret {
        Secret::load(words, Path::new("/nonexistent")).unwrap()
    }

    fn base64url(bytes: &[u8]) -> String {
        const KINDS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let six = |chunk: &[u8]| {
            let bits = chunk.iter().chain([0, 0].iter()).take(3).fold(0, |bits, byte| bits << 8 | usize::from(*byte));
            (0..=chunk.len()).map(|n| char::from(KINDS[bits >> (18 - 6 * n) & 63])).collect::<String>()
        };
        bytes.chunks(3).map(six).collect()
    }

    fn token(header: &str, claims: &str, mac: Option<hmac::Algorithm>, key: &[u8]) -> String {
        let message = format!("{}.{}", base64url(header.as_bytes()), base64url(claims.as_bytes()));
        let signature = mac.map(|mac| base64url(hmac::sign(&hmac::Key::new(mac, key), message.as_bytes()).as_ref()));
        format!("{message}.{}", signature.unwrap_or_default())
    }

    /// S5: the algorithm is pinned, whatever a token says of itself, and with whatever it was signed.
    #[test]
    fn s5_no_other_algorithm_is_taken() {
        let secret = secret("a secret for tests only, long enough");
        let jwt = Jwt::new(&secret, "parlor", "here");
        let (key, text) = (secret.derive("jwt here"), serde_json::to_string(&claims()).unwrap());
        let right = token(r#"{"typ":"JWT","alg":"HS256"}"#, &text, Some(hmac::HMAC_SHA256), &key);
        assert_eq!(jwt.open::<Claims>(&right), Some(claims()), "else what follows shows nothing");
        let macs = [None, Some(hmac::HMAC_SHA256), Some(hmac::HMAC_SHA384), Some(hmac::HMAC_SHA512)];
        for name in ["none", "None", "NONE", "", "HS384", "HS512", "RS256", "ES256", "PS256", "EdDSA", "hs256"] {
            for mac in macs {
                for header in [format!("{{\"alg\":\"{name}\"}}"), format!("{{\"typ\":\"JWT\",\"alg\":\"{name}\"}}")] {
                    assert_eq!(jwt.open::<Claims>(&token(&header, &text, mac, &key)), None, "{header} {mac:?}");
                }
            }
        }
        for mac in [None, Some(hmac::HMAC_SHA384), Some(hmac::HMAC_SHA512)] {
            assert_eq!(jwt.open::<Claims>(&token(r#"{"alg":"HS256"}"#, &text, mac, &key)), None, "{mac:?}");
        }
        for header in ["{}", "", "[]", r#"{"alg":null}"#, r#"{"alg":["HS256"]}"#] {
            assert_eq!(jwt.open::<Claims>(&token(header, &text, Some(hmac::HMAC_SHA256), &key)), None, "{header}");
        }
        for key in [&key[..32], b"", b"secret", &secret.derive("cookies"), &secret.derive("jwt elsewhere")] {
            assert_eq!(jwt.open::<Claims>(&token(r#"{"alg":"HS256"}"#, &text, Some(hmac::HMAC_SHA256), key)), None);
        }
    }

    #[test]
    fn claims_that_are_wrong_or_missing() {
        let secret = secret("a secret for tests only, long enough");
        let (jwt, key) = (Jwt::new(&secret, "parlor", "here"), secret.derive("jwt here"));
        let sealed = |claims: &str| token(r#"{"alg":"HS256"}"#, claims, Some(hmac::HMAC_SHA256), &key);
        assert_eq!(jwt.open(&jwt.sign(&claims())), Some(claims()));
        let all = [("sub", "\"ann\""), ("iss", "\"parlor\""), ("aud", "\"here\""), ("exp", "1")];
        for (wrong, values) in [
            ("sub", &["", "1", "null"][..]),
            ("iss", &["", "\"else\"", "null", "[]", "[\"else\"]"]),
            ("aud", &["", "\"else\"", "null", "[]", "[\"else\"]"]),
            ("exp", &["", "null", "\"tomorrow\"", "{}", "-1"]),
        ] {
            for value in values {
                let field = |(name, right): &(&str, &str)| match *name == wrong {
                    true if value.is_empty() => None,
                    true => Some(format!("\"{name}\":{value}")),
                    false => Some(format!("\"{name}\":{right}")),
                };
                let text = format!("{{{}}}", all.iter().filter_map(field).collect::<Vec<_>>().join(","));
                assert_eq!(jwt.open::<Claims>(&sealed(&text)), None, "{text}");
            }
        }
        let other = self::secret("another secret, which is long enough!");
        assert_eq!(jwt.open::<Claims>(&Jwt::new(&other, "parlor", "here").sign(&claims())), None, "another house's");
        assert_eq!(jwt.open::<Claims>(&Jwt::new(&secret, "parlor", "there").sign(&claims())), None, "another key");
    }

    proptest::proptest! {
        /// A token with anything changed in it is none.
        #[test]
        fn a_changed_token_is_none(place in 0usize..200, with in "[A-Za-z0-9._=-]{1,3}") {
            let jwt = Jwt::new(&secret("a secret for tests only, long enough"), "parlor", "here");
            let token = jwt.sign(&claims());
            let place = place % token.len();
            let end = (place + with.len()).min(token.len());
            let changed = format!("{}{with}{}", &token[..place], &token[end..]);
            proptest::prop_assume!(changed != token);
            proptest::prop_assert_eq!(jwt.open::<Claims>(&changed), None, "{}", changed);
        }
    }
}
