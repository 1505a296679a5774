//! Mail: letters handed to an SMTP server, or, without one, written into a folder. What must not live here: which letters
//! there are to send, and when one is tried again.

mod letter;
mod transport;

pub use letter::{Letter, Written};

use crate::base::config::{Config, Mail};
use anyhow::Context;
use lettre::{
    Address, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    message::{Mailbox, MultiPart},
};
use std::{
    path::{Path, PathBuf},
    time::Duration,
};
use uuid::Uuid;

/// Where letters go.
pub struct Mailer {
    from: Mailbox,
    /// What stands behind the @ in the ids of messages.
    host: String,
    way: Way,
}

enum Way {
    Smtp { transport: Box<AsyncSmtpTransport<Tokio1Executor>>, timeout: Duration },
    Folder(PathBuf),
}

/// How a letter got out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivered {
    /// The server took it.
    Sent,
    /// It lies in the folder.
    Written,
}

/// Why a letter did not get out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Trying again is of no use.
    pub lasting: bool,
    /// For administrators.
    pub detail: String,
}

impl Fault {
    fn lasting(detail: impl std::fmt::Display) -> Self {
        Self { lasting: true, detail: short(&detail.to_string()) }
    }

    fn passing(detail: impl std::fmt::Display) -> Self {
        Self { lasting: false, detail: short(&detail.to_string()) }
    }

    /// What the library says, and why; the server's own words are part of it.
    fn of(error: &lettre::transport::smtp::Error) -> Self {
        let mut detail = error.to_string();
        let mut cause = std::error::Error::source(error);
        while let Some(inner) = cause {
            let words = inner.to_string();
            if !detail.contains(&words) {
                detail = format!("{detail}: {words}");
            }
            cause = inner.source();
        }
        Self { lasting: error.is_permanent(), detail: short(&detail) }
    }
}

/// On one line, and not longer than anybody reads.
fn short(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(400).collect()
}

impl Mailer {
    /// By the settings; without a server, letters are written into the folder `outbox` of the data folder.
    ///
    /// # Errors
    /// Settings that cannot be used, each in a sentence.
    pub fn new(config: &Config) -> anyhow::Result<Self> {
        let settings = &config.mail;
        let host = public_host(config);
        let from = sender(settings, &host)?;
        let way = if settings.smtp_url.expose().is_empty() {
            Way::Folder(config.data_dir()?.join("outbox"))
        } else {
            let transport = Box::new(transport::build(settings)?);
            Way::Smtp { transport, timeout: Duration::from_secs(settings.timeout) }
        };
        Ok(Self { from, host, way })
    }

    /// The folder that letters are written to, when there is no server.
    #[must_use]
    pub fn folder(&self) -> Option<&Path> {
        match &self.way {
            Way::Folder(folder) => Some(folder),
            Way::Smtp { .. } => None,
        }
    }

    /// Whether the server can be spoken to. Always, without one.
    ///
    /// # Errors
    /// It cannot.
    pub async fn check(&self) -> Result<(), Fault> {
        let Way::Smtp { transport, timeout } = &self.way else { return Ok(()) };
        match tokio::time::timeout(*timeout, transport.test_connection()).await {
            Ok(Ok(true)) => Ok(()),
            Ok(Ok(false)) => Err(Fault::passing("the server hung up")),
            Ok(Err(error)) => Err(Fault::of(&error)),
            Err(_) => Err(too_slow(*timeout)),
        }
    }

    /// Hands a letter over. `id` makes the id of the message, so that one that is sent twice is known as the same.
    ///
    /// # Errors
    /// It did not get out, or perhaps not: a server that was too slow may have taken it.
    pub async fn send(&self, id: Uuid, to: &str, letter: &Written) -> Result<Delivered, Fault> {
        let message = self.compose(id, to, letter)?;
        match &self.way {
            Way::Smtp { transport, timeout } => match tokio::time::timeout(*timeout, transport.send(message)).await {
                Ok(Ok(_)) => Ok(Delivered::Sent),
                Ok(Err(error)) => Err(Fault::of(&error)),
                Err(_) => Err(too_slow(*timeout)),
            },
            Way::Folder(folder) => {
                transport::write(folder, &format!("{id}.eml"), &message.formatted())
                    .await
                    .map_err(|e| Fault::passing(format!("{} cannot be written to: {e}", folder.display())))?;
                Ok(Delivered::Written)
            }
        }
    }

    /// The letter as it travels.
    ///
    /// # Errors
    /// An address that is none, or a line's end where a header would begin: the library is not asked.
    pub fn compose(&self, id: Uuid, to: &str, letter: &Written) -> Result<Message, Fault> {
        for (what, value) in [("the address", to), ("the subject", letter.subject.as_str())] {
            if value.chars().any(char::is_control) {
                return Err(Fault::lasting(format!("{what} holds a control character")));
            }
        }
        let to: Address = to.parse().map_err(|e| Fault::lasting(format!("the address cannot be written to: {e}")))?;
        Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(letter.subject.as_str())
            .message_id(Some(format!("<{}@{}>", id.simple(), self.host)))
            .header(transport::AutoSubmitted)
            .multipart(MultiPart::alternative_plain_html(letter.text.clone(), letter.html.clone()))
            .map_err(Fault::lasting)
    }

    /// Takes written letters away by their ids; those that are not there are gone already.
    ///
    /// # Errors
    /// A file cannot be removed.
    pub async fn remove(&self, ids: &[Uuid]) -> std::io::Result<()> {
        let Way::Folder(folder) = &self.way else { return Ok(()) };
        for id in ids {
            transport::remove(folder, &format!("{id}.eml")).await?;
        }
        Ok(())
    }

    /// Takes written letters away that are older than `age`.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub async fn tidy(&self, age: Duration) -> std::io::Result<()> {
        let Way::Folder(folder) = &self.way else { return Ok(()) };
        transport::tidy(folder, age).await
    }
}

fn too_slow(timeout: Duration) -> Fault {
    Fault::passing(format!("the mail server did not finish within {} s", timeout.as_secs()))
}

/// The host people know us by.
fn public_host(config: &Config) -> String {
    let url = reqwest::Url::parse(&config.server.public_url).ok();
    url.and_then(|url| url.domain().map(str::to_owned)).unwrap_or_else(|| "localhost".to_owned())
}

fn sender(settings: &Mail, host: &str) -> anyhow::Result<Mailbox> {
    let from = if settings.from.is_empty() { format!("Parlor <parlor@{host}>") } else { settings.from.clone() };
    anyhow::ensure!(!from.chars().any(char::is_control), "`mail.from` (MAIL_FROM) holds a control character");
    from.parse()
        .with_context(|| format!("`mail.from` (MAIL_FROM) is `{from}`; it looks like: Parlor <parlor@example.org>"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mailer(vars: &[(&str, &str)]) -> anyhow::Result<Mailer> {
        let vars = vars.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        Mailer::new(&Config::load(None, vars).unwrap())
    }

    fn letter(subject: &str) -> Written {
        Written { subject: subject.into(), text: "Hello".into(), html: "<p>Hello</p>".into() }
    }

    #[test]
    fn s10_nothing_adds_headers() {
        let ours = mailer(&[("PARLOR_DATA", "/tmp"), ("PUBLIC_URL", "https://chat.example.org")]).unwrap();
        let made = |to: &str, subject: &str| ours.compose(Uuid::nil(), to, &letter(subject));
        let whole = String::from_utf8(made("ann@example.org", "Ünï").unwrap().formatted()).unwrap();
        assert!(
            whole.contains("From: Parlor <parlor@chat.example.org>") || whole.contains("From: \"Parlor\""),
            "{whole}"
        );
        assert!(
            whole.contains("@chat.example.org>\r\n") && whole.contains("Auto-Submitted: auto-generated"),
            "{whole}"
        );
        assert!(whole.contains("multipart/alternative"), "{whole}");
        for (to, subject) in [
            ("ann@example.org\r\nBcc: eve@example.org", "Hello"),
            ("ann@example.org\nBcc: eve@example.org", "Hello"),
            ("ann@example.org", "Hello\r\nBcc: eve@example.org"),
            ("ann@example.org", "Hello\rBcc: eve@example.org"),
            ("ann@example.org", "Hello\n\nnot the body"),
            ("ann@example.org, eve@example.org", "Hello"),
        ] {
            assert!(made(to, subject).unwrap_err().lasting, "{to:?} {subject:?}");
        }
        assert!(mailer(&[("PARLOR_DATA", "/tmp"), ("MAIL_FROM", "me\nBcc: eve@example.org")]).is_err());
    }

    #[test]
    fn only_this_machine_is_spoken_to_in_the_clear() {
        for (url, good) in [
            ("smtp://127.0.0.1:25", true),
            ("smtp://localhost", true),
            ("smtp://[::1]:25", true),
            ("smtp://mail.example.org:587", true),
            ("smtps://u:p%40ss@mail.example.org", true),
            ("smtp://mail.example.org?tls=none", false),
            ("https://mail.example.org", false),
            ("mail.example.org", false),
        ] {
            let made = mailer(&[("SMTP_URL", url)]);
            assert_eq!(made.is_ok(), good, "{url}");
            if let Err(error) = made {
                assert!(format!("{error:#}").contains("SMTP_URL"), "{error:#}");
            }
        }
        assert!(
            transport::is_here("127.0.0.1")
                && transport::is_here("::1")
                && !transport::is_here("127.0.0.1.example.org")
        );
    }
}
