//! The two ways out, as the settings have them: an SMTP server, always under TLS unless it is on this machine, or a folder.

use crate::base::config::Mail;
use anyhow::{Context, bail, ensure};
use lettre::{
    AsyncSmtpTransport, Tokio1Executor,
    message::header::{Header, HeaderName, HeaderValue},
    transport::smtp::{
        authentication::Credentials,
        client::{Certificate, Tls, TlsParameters},
    },
};
use std::{net::IpAddr, path::Path, time::Duration};
use tokio::{fs, io::AsyncWriteExt};

/// Says that nobody needs to answer (RFC 3834).
#[derive(Clone)]
pub struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

/// The server of `SMTP_URL`: `smtps://` begins with TLS, `smtp://` has to change to it (STARTTLS), but for a server on this
/// machine, which is spoken to as it is unless the address ends in `?tls=required`.
///
/// # Errors
/// An address or a file that cannot be used.
pub fn build(settings: &Mail) -> anyhow::Result<AsyncSmtpTransport<Tokio1Executor>> {
    // the address holds a password: it is in no error
    const FORM: &str = "SMTP_URL (`mail.smtp_url`) must look like smtps://user:password@mail.example.org or \
                        smtp://user:password@mail.example.org:587 (with % and two digits for special characters)";
    let Ok(url) = reqwest::Url::parse(settings.smtp_url.expose()) else { bail!(FORM) };
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    ensure!(!host.is_empty(), FORM);
    let query = url.query().unwrap_or_default();
    ensure!(query.is_empty() || query == "tls=required", "{FORM}; after it only ?tls=required is known");
    let (port, tls) = match url.scheme() {
        "smtps" => (465, Tls::Wrapper(parameters(settings, &host)?)),
        "smtp" if is_here(&host) && query.is_empty() => (25, Tls::None),
        "smtp" => (587, Tls::Required(parameters(settings, &host)?)),
        _ => bail!(FORM),
    };
    let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host)
        .port(url.port().unwrap_or(port))
        .tls(tls)
        .timeout(Some(Duration::from_secs(settings.timeout)));
    if !url.username().is_empty() {
        let (Some(user), Some(password)) = (decoded(url.username()), decoded(url.password().unwrap_or_default()))
        else {
            bail!(FORM)
        };
        builder = builder.credentials(Credentials::new(user, password));
    }
    Ok(builder.build())
}

/// Whether a host is this machine.
pub fn is_here(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn parameters(settings: &Mail, host: &str) -> anyhow::Result<TlsParameters> {
    let mut builder = TlsParameters::builder(host.to_owned());
    if !settings.ca_file.is_empty() {
        let why = || format!("`mail.ca_file`: {} holds no certificate that can be read", settings.ca_file);
        let pem = std::fs::read(&settings.ca_file).with_context(why)?;
        builder = builder.add_root_certificate(Certificate::from_pem(&pem).with_context(why)?);
    }
    builder.build().context("SMTP_URL: TLS cannot be set up for this host")
}

/// A part of an address without its percent signs.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(if byte == b'%' {
            let digits = [rest.next()?, rest.next()?];
            u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
        } else {
            byte
        });
    }
    String::from_utf8(bytes).ok()
}

/// Writes a letter that only we can read: whole, or not at all.
pub async fn write(folder: &Path, name: &str, bytes: &[u8]) -> std::io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).await?;
    let (whole, part) = (folder.join(name), folder.join(format!("{name}.part")));
    let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&part).await?;
    file.write_all(bytes).await?;
    file.sync_all().await?;
    fs::rename(part, whole).await
}

/// Removes a letter, if it is there.
pub async fn remove(folder: &Path, name: &str) -> std::io::Result<()> {
    match fs::remove_file(folder.join(name)).await {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(e),
        _ => Ok(()),
    }
}

/// Removes letters older than `age`; a folder that is not there holds none.
pub async fn tidy(folder: &Path, age: Duration) -> std::io::Result<()> {
    let mut entries = match fs::read_dir(folder).await {
        Ok(entries) => entries,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(e) => return Err(e),
    };
    while let Some(entry) = entries.next_entry().await? {
        let old = entry.metadata().await?.modified()?.elapsed().is_ok_and(|since| since > age);
        if old && entry.path().extension().is_some_and(|end| end == "eml" || end == "part") {
            fs::remove_file(entry.path()).await?;
        }
    }
    Ok(())
}
