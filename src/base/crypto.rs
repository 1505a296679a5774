//! Secrets: the installation's own, random tokens, and fingerprints. What must not live here: passwords of people
//! (domain/accounts/password.rs).

use anyhow::{Context, bail};
use rand::Rng;
use sha2::{Digest, Sha256};
use sqlx::PgPool;
use std::{fmt, fs, io::Write, os::unix::fs::OpenOptionsExt, path::Path};

/// The installation's secret, from which the keys for cookies are derived. Never printed.
#[derive(Clone)]
pub struct Secret(Vec<u8>);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(hidden)")
    }
}

impl Secret {
    /// The configured secret; else the one kept in the data folder, made there (mode 0600) the first time.
    ///
    /// # Errors
    /// A configured one under 32 characters, or a file that can be neither read nor made.
    pub fn load(configured: &str, data_dir: &Path) -> anyhow::Result<Self> {
        if !configured.is_empty() {
            if configured.len() < 32 {
                bail!(
                    "PARLOR_SECRET has {} characters; give it at least 32 (e.g. the output of `openssl rand -hex 32`)",
                    configured.len()
                );
            }
            return Ok(Self(configured.as_bytes().to_vec()));
        }
        let path = data_dir.join("secret");
        match fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
            Ok(mut file) => {
                file.write_all(random_hex().as_bytes())?;
                file.sync_all()?;
            }
            Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(e) => return Err(e).with_context(|| format!("cannot make {}", path.display())),
        }
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        if text.trim().len() < 32 {
            bail!("{} is damaged (shorter than 32 characters); restore it from a backup", path.display());
        }
        Ok(Self(text.trim().as_bytes().to_vec()))
    }

    /// 64 bytes for one purpose; another purpose gives unrelated bytes.
    #[must_use]
    pub fn derive(&self, purpose: &str) -> [u8; 64] {
        let mut key = [0; 64];
        for (i, half) in key.chunks_mut(32).enumerate() {
            let mut hash = Sha256::new();
            hash.update((self.0.len() as u64).to_be_bytes());
            hash.update(&self.0);
            hash.update([u8::try_from(i).expect("two halves")]);
            hash.update(purpose.as_bytes());
            half.copy_from_slice(&hash.finalize());
        }
        key
    }

    /// Compares with the fingerprint in the database, where the first process leaves it.
    ///
    /// # Errors
    /// Another secret made this database's cookies and sealed its keys.
    pub async fn check(&self, db: &PgPool) -> anyhow::Result<()> {
        let mine = hex::encode(&self.derive("fingerprint")[..8]);
        let stored = sqlx::query_scalar!(
            "insert into settings (key, value) values ('secret_fingerprint', $1)
             on conflict (key) do update set value = settings.value returning value",
            mine
        )
        .fetch_one(db)
        .await?;
        if stored != mine {
            bail!(
                "PARLOR_SECRET is not the one this database was set up with (fingerprint {mine}, expected {stored}): \
                 set PARLOR_SECRET, or put the file `secret` of the old data folder into this one"
            );
        }
        Ok(())
    }
}

/// 256 random bits as 64 hexadecimal characters.
#[must_use]
pub fn random_hex() -> String {
    hex::encode(rand::rng().random::<[u8; 32]>())
}

/// SHA-256, for tokens that are stored only hashed and for comparing bodies.
#[must_use]
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

#[cfg(test)]
mod tests {
    use super::Secret;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_file_is_made_once_and_read_again() {
        let dir = std::env::temp_dir().join(format!("parlor-secret-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let first = Secret::load("", &dir).unwrap();
        let again = Secret::load("", &dir).unwrap();
        assert_eq!(first.derive("a"), again.derive("a"));
        assert_ne!(first.derive("a"), first.derive("b"));
        assert_eq!(std::fs::metadata(dir.join("secret")).unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn a_short_one_is_refused() {
        let error = Secret::load("short", std::path::Path::new("/nonexistent")).unwrap_err().to_string();
        assert!(error.contains("at least 32"), "{error}");
    }
}
