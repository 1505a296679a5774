//! Letters in words: each as plain text, and as HTML that carries its styles with it, since no stylesheet travels along.

use super::text;
use crate::outside::mail::{Letter, Written};
use askama::Template;

/// Puts a letter into words.
#[must_use]
pub fn write(letter: &Letter) -> Written {
    match letter {
        Letter::Reset { name, link, minutes } => {
            both(ResetText { name, link, minutes }, ResetHtml { name, link, minutes }, text::LETTER_RESET)
        }
        Letter::PasswordChanged { name, when, forgot, keys } => both(
            PasswordText { name, when, forgot, keys },
            PasswordHtml { name, when, forgot, keys },
            text::LETTER_PASSWORD,
        ),
        Letter::ConfirmAddress { name, link, minutes } => {
            both(ConfirmText { name, link, minutes }, ConfirmHtml { name, link, minutes }, text::LETTER_CONFIRM)
        }
        Letter::AddressChanged { name, to, when } => {
            both(AddressText { name, to, when }, AddressHtml { name, to, when }, text::LETTER_ADDRESS)
        }
        Letter::Invitation { from, link, days } => {
            both(InvitationText { from, link, days }, InvitationHtml { from, link, days }, text::LETTER_INVITATION)
        }
        Letter::KeySetAside { provider, hint, reason, link } => {
            both(KeyText { provider, hint, reason, link }, KeyHtml { provider, hint, reason, link }, text::LETTER_KEY)
        }
        Letter::Test { url } => both(TestText { url }, TestHtml { url }, text::LETTER_TEST),
    }
}

fn both(plain: impl Template, html: impl Template, subject: &str) -> Written {
    const WRITES: &str = "writing to a String cannot fail";
    Written { subject: subject.to_owned(), text: plain.render().expect(WRITES), html: html.render().expect(WRITES) }
}

/// The two templates of a letter, with the same values and the same subject.
macro_rules! letter {
    ($text:ident, $html:ident, $folder_text:tt, $folder_html:tt, $subject:expr, { $($name:ident: $kind:ty),+ }) => {
        letter!(one $text, $folder_text, $subject, { $($name: $kind),+ });
        letter!(one $html, $folder_html, $subject, { $($name: $kind),+ });
    };
    (one $struct:ident, $path:tt, $subject:expr, { $($name:ident: $kind:ty),+ }) => {
        #[derive(Template)]
        #[template(path = $path)]
        struct $struct<'a> { $($name: &'a $kind),+ }

        impl $struct<'_> {
            fn subject(&self) -> &'static str {
                $subject
            }
        }
    };
}

letter!(ResetText, ResetHtml, "mail/reset/text.txt", "mail/reset/html.html", text::LETTER_RESET, {
    name: str, link: str, minutes: u32
});
letter!(PasswordText, PasswordHtml, "mail/password_changed/text.txt", "mail/password_changed/html.html", text::LETTER_PASSWORD, {
    name: str, when: str, forgot: str, keys: [String]
});
letter!(ConfirmText, ConfirmHtml, "mail/confirm_address/text.txt", "mail/confirm_address/html.html", text::LETTER_CONFIRM, {
    name: str, link: str, minutes: u32
});
letter!(AddressText, AddressHtml, "mail/address_changed/text.txt", "mail/address_changed/html.html", text::LETTER_ADDRESS, {
    name: str, to: str, when: str
});
letter!(InvitationText, InvitationHtml, "mail/invitation/text.txt", "mail/invitation/html.html", text::LETTER_INVITATION, {
    from: str, link: str, days: u32
});
letter!(KeyText, KeyHtml, "mail/key_set_aside/text.txt", "mail/key_set_aside/html.html", text::LETTER_KEY, {
    provider: str, hint: str, reason: str, link: str
});
letter!(TestText, TestHtml, "mail/test/text.txt", "mail/test/html.html", text::LETTER_TEST, { url: str });

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Vec<Letter> {
        let (name, link) =
            ("Ann <b>\"Ö\"</b> & Co".to_owned(), "https://chat.example.org/password/reset?token=0a1b".to_owned());
        let when = "3 May 2026, 09:05 UTC".to_owned();
        vec![
            Letter::Reset { name: name.clone(), link: link.clone(), minutes: 15 },
            Letter::PasswordChanged {
                name: name.clone(),
                when: when.clone(),
                forgot: link.clone(),
                keys: vec!["backup (pk_1a2b)".into()],
            },
            Letter::ConfirmAddress { name: name.clone(), link: link.clone(), minutes: 60 },
            Letter::AddressChanged { name: name.clone(), to: "new@example.org".into(), when },
            Letter::KeySetAside {
                provider: name.clone(),
                hint: "4f7a".into(),
                reason: "401 Unauthorized: \"Incorrect API key provided\"".into(),
                link: link.clone(),
            },
            Letter::Invitation { from: name, link, days: 7 },
            Letter::Test { url: "https://chat.example.org".into() },
        ]
    }

    #[test]
    fn names_are_text_in_both_parts_and_links_stand_in_both() {
        for letter in all() {
            let Written { subject, text, html } = write(&letter);
            assert!(text.starts_with(&subject) && html.contains(&subject), "{subject}");
            assert!(!html.contains("<b>\"") && !html.contains("{{") && !text.contains("{{"), "{html}");
            assert!(
                !html.contains("<script") && !html.contains("<link") && !html.contains("<img"),
                "nothing is fetched"
            );
            if !matches!(letter, Letter::Test { .. } | Letter::AddressChanged { .. }) {
                for part in [&text, &html] {
                    assert!(part.contains("https://chat.example.org/password/reset?token=0a1b"), "{part}");
                }
            }
            if !matches!(letter, Letter::Test { .. }) {
                assert!(text.contains("Ann <b>\"Ö\"</b> & Co") && !text.contains("&amp;"), "{text}");
            }
            assert!(!text.contains("\n\n\n"), "{text}");
        }
    }

    /// For people to look at: `LETTERS=/some/folder cargo nextest run -E 'test(letters_to_look_at)'`.
    #[test]
    fn letters_to_look_at() {
        let folder = std::env::var("LETTERS").ok();
        for letter in all() {
            let Written { text, html, .. } = write(&letter);
            assert!(text.len() < 2000 && html.len() < 8000, "{} is long", letter.kind());
            if let Some(folder) = &folder {
                std::fs::write(format!("{folder}/{}.html", letter.kind()), html).unwrap();
                std::fs::write(format!("{folder}/{}.txt", letter.kind()), text).unwrap();
            }
        }
    }
}
