//! The words of letters, and of the pages around them: a forgotten password, another address, invitations, the outbox.

use super::{PARLOR, day, when};
use time::OffsetDateTime;

// letters
pub const LETTER_FOOT: &str = "You get this letter because this is the address of your account.";
pub const LETTER_FOOT_CONFIRM: &str =
    "You get this letter because this address was written into the settings of an account.";
pub const LETTER_FOOT_INVITATION: &str =
    "You get this letter because somebody wrote your address into an invitation. If you do not want it, do nothing.";
pub const LETTER_FOOT_TEST: &str = "You get this letter because an operator asked for it.";
pub const LETTER_OR: &str = "Or open this address:";
pub const LETTER_RESET: &str = "Choose another password";
pub const LETTER_RESET_DO: &str = "Choose another password";
pub const LETTER_RESET_NOT_YOU: &str =
    "If it was not you, do nothing: your password stays as it is, and nobody but you has this link.";
pub const LETTER_PASSWORD: &str = "Your password was changed";
pub const LETTER_PASSWORD_NOT_YOU: &str =
    "If it was you, all is well. If it was not, take your account back at once by choosing another password:";
pub const LETTER_KEYS: &str = "These API keys of yours go on working. Revoke what you do not know:";
pub const LETTER_CONFIRM: &str = "Confirm your new address";
pub const LETTER_CONFIRM_DO: &str = "Use this address";
pub const LETTER_CONFIRM_NOT_YOU: &str =
    "If you have no account here, or did not ask for this, do nothing: nothing changes.";
pub const LETTER_ADDRESS: &str = "Your address was changed";
pub const LETTER_ADDRESS_NOT_YOU: &str =
    "If it was not you, write to whoever looks after this Parlor at once: this address no longer opens your account.";
pub const LETTER_INVITATION: &str = "You are invited";
pub const LETTER_INVITATION_DO: &str = "Create your account";
pub const LETTER_KEY: &str = "A provider does not take a key any more";
pub const LETTER_KEY_MORE: &str = "It is set aside: no answer is asked for with it. When it is valid again, or another \
    one stands in the settings, let it be used again here:";
pub const LETTER_KEY_LINK: &str = "Providers and keys";
pub const LETTER_TEST: &str = "A test letter";
pub const LETTER_TEST_MORE: &str = "So letters get out: forgotten passwords, invitations and notices will too.";

pub fn letter_hello(name: &str) -> String {
    format!("Hello {name},")
}

pub fn letter_reset(minutes: u32) -> String {
    format!(
        "Somebody, hopefully you, said that the password of your account is forgotten. With this link you choose another \
         one. It is good for {}, once.",
        for_minutes(minutes)
    )
}

pub fn letter_password_changed(when: &str) -> String {
    format!("The password of your account was changed on {when}. Sessions that were open elsewhere have ended.")
}

pub fn letter_confirm(minutes: u32) -> String {
    format!(
        "This shall be the address of your account. With this link you say that it is yours. It is good for {}, once.",
        for_minutes(minutes)
    )
}

pub fn letter_address_changed(to: &str, when: &str) -> String {
    format!("The address of your account was changed to {to} on {when}. Letters go there from now on.")
}

pub fn letter_invited(from: &str) -> String {
    format!("{from} invites you to {PARLOR}, a place for talking with language models.")
}

pub fn letter_invitation(days: u32) -> String {
    let days = if days == 1 { "a day".to_owned() } else { format!("{days} days") };
    format!("With this link you create your account. It is good for {days}, once, and for this address alone.")
}

pub fn letter_test(url: &str) -> String {
    format!("The {PARLOR} at {url} sends this letter to see whether its mail arrives. It does.")
}

fn for_minutes(minutes: u32) -> String {
    match minutes {
        1 => "a minute".into(),
        60 => "an hour".into(),
        _ if minutes.is_multiple_of(60) => format!("{} hours", minutes / 60),
        _ => format!("{minutes} minutes"),
    }
}

// a forgotten password, another address
pub const FORGOT: &str = "Forgotten your password?";
pub const FORGOT_TITLE: &str = "Forgotten password";
pub const FORGOT_LEAD: &str = "Say your address, and a link to choose another password is sent there.";
pub const FORGOT_DO: &str = "Send the link";
pub const FORGOT_SENT: &str = "Look into your mail";
pub const FORGOT_NOTHING: &str =
    "Nothing there after some minutes? Look where unwanted mail goes, and whether the address is the right one.";
pub const TO_SIGN_IN: &str = "To sign in";
pub const RESET: &str = "Choose another password";
pub const RESET_LEAD: &str = "You sign in with it then. Wherever you are signed in now, you are signed out.";
pub const RESET_DONE: &str = "Your password is changed. Sign in with it.";
pub const LINK_GONE: &str = "This link is not good any more";
pub const LINK_GONE_RESET: &str = "It was used, is too old, or was not copied whole. Have another one sent.";
pub const LINK_GONE_ADDRESS: &str =
    "It was used, is too old, or was not copied whole. Ask for another one in your settings.";
pub const LINK_GONE_INVITATION: &str =
    "It was used, is too old, or was not copied whole. Ask whoever invited you for another one.";
pub const ADDRESS: &str = "Email";
pub const ADDRESS_TITLE: &str = "Your address";
pub const ADDRESS_NEW: &str = "New address";
pub const ADDRESS_DO: &str = "Send a link there";
pub const ADDRESS_HINT: &str =
    "It counts as soon as you follow the link that is sent there. Until then nothing changes.";
pub const ADDRESS_CONFIRM: &str = "Use this address?";
pub const ADDRESS_CONFIRM_LEAD: &str = "From now on you sign in with it, and letters go there.";
pub const ADDRESS_CONFIRM_DO: &str = "Use this address";
pub const ADDRESS_CONFIRMED: &str = "This is your address now";

pub fn forgot_sent(email: &str, minutes: u32) -> String {
    format!(
        "If there is an account with the address {email}, a link is on its way there. It is good for {}.",
        for_minutes(minutes)
    )
}

pub fn address_is(email: &str) -> String {
    format!("You sign in with {email}, and letters go there.")
}

pub fn address_sent(email: &str, minutes: u32) -> String {
    format!("A link is on its way to {email}. Follow it within {} to use that address.", for_minutes(minutes))
}

pub fn address_confirmed(email: &str) -> String {
    format!("Sign in with {email} from now on.")
}

// registration that is not open
pub const REGISTER_CLOSED: &str = "Registration is closed";
pub const REGISTER_CLOSED_LEAD: &str =
    "No accounts are created here at the moment. If you should have one, ask whoever looks after this place.";
pub const REGISTER_INVITED: &str = "By invitation only";
pub const REGISTER_INVITED_LEAD: &str =
    "An account here needs an invitation, which comes by mail. Ask whoever looks after this place for one.";
pub const REGISTER_INVITATION_LEAD: &str = "You are invited. A name and a password: that is all.";

// the administrators' pages of both
pub const INVITATIONS: &str = "Invitations";
pub const INVITATIONS_LEAD: &str =
    "Whoever gets one may create an account with that address, once. It goes there by mail.";
pub const INVITATIONS_NONE: &str = "Nobody was invited yet.";
pub const INVITATIONS_OPEN: &str =
    "Registration is open: an account needs no invitation. One that you send works all the same.";
pub const INVITATIONS_CLOSED: &str = "Registration is closed: nobody can be invited, and invitations that were sent do not work. Set REGISTRATION=invite.";
pub const INVITE: &str = "Invite";
pub const INVITE_ADMIN: &str = "As an administrator";
pub const INVITE_LINK: &str = "This is the link, in case the mail does not arrive. It is shown only now:";
pub const INVITATION_TO: &str = "To";
pub const INVITATION_ROLE: &str = "As";
pub const INVITATION_BY: &str = "By";
pub const INVITATION_SENT: &str = "Sent";
pub const INVITATION_STATE: &str = "Now";
pub const INVITATION_USED: &str = "used";
pub const INVITATION_REVOKED: &str = "revoked";
pub const INVITATION_OLD: &str = "too old";
pub const REVOKE: &str = "Revoke";
pub const INVITATION_DONE_REVOKED: &str = "Revoked. The link in the letter no longer works.";
pub const INVITATION_GONE: &str =
    "This invitation is not open any more: it was used, revoked or replaced, or is too old.";

pub fn invited(email: &str) -> String {
    format!("An invitation is on its way to {email}.")
}

pub fn open_until(at: OffsetDateTime) -> String {
    format!("open until {}", day(at))
}

pub const OUTBOX: &str = "Outbox";
pub const OUTBOX_LEAD: &str =
    "Letters that go out by the mail server. What they say is for whom they are written to alone.";
pub const OUTBOX_FOLDER: &str =
    "No mail server is set (SMTP_URL), so letters are not sent. They lie here for some days, to be read and passed on:";
pub const OUTBOX_NONE: &str = "No letter was written yet.";
pub const OUTBOX_TRY: &str = "Try again";
pub const OUTBOX_TRIED: &str = "It is sent once more.";
pub const OUTBOX_OLDER: &str = "Older letters";
pub const LETTER: &str = "Letter";
pub const LETTER_TO: &str = "To";
pub const LETTER_WHAT: &str = "What";
pub const LETTER_WHEN: &str = "Written";
pub const LETTER_STATE: &str = "Now";
pub const LETTER_QUEUED: &str = "on its way";
pub const LETTER_SENT: &str = "sent";
pub const LETTER_WRITTEN: &str = "not sent, lies here";
pub const LETTER_FAILED: &str = "failed";
pub const LETTER_OPEN: &str = "Read";
pub const LETTER_SAVE: &str = "Save (.eml)";
pub const LETTER_SAVE_HTML: &str = "Save its HTML part";
pub const LETTER_GONE: &str = "What it says is kept no longer.";
pub const LETTER_NOT_HERE: &str = "It goes to whom it is written to, and is not shown here.";
pub const LETTER_SUBJECT: &str = "Subject";
pub const OUTBOX_BACK: &str = "To the outbox";

/// A letter by its name in the database.
pub fn letter_kind(kind: &str) -> &str {
    match kind {
        "reset" => "link for a forgotten password",
        "password_changed" => "notice of a changed password",
        "confirm_address" => "link to a new address",
        "address_changed" => "notice of a changed address",
        "invitation" => "invitation",
        "key_set_aside" => "notice of a key that is not taken",
        "test" => "test letter",
        other => other,
    }
}

/// Whose key it is, and what was said.
pub fn letter_key(provider: &str, hint: &str, reason: &str) -> String {
    let which = if hint.is_empty() { String::new() } else { format!(" that ends in {hint}") };
    format!("{provider} does not accept the key{which}. It said: {reason}")
}

/// What a letter waits for that was not taken.
pub fn letter_again(attempts: i32, at: OffsetDateTime) -> String {
    let tried = if attempts == 1 { "tried once".to_owned() } else { format!("tried {attempts} times") };
    format!("{tried}, again at {}", when(at))
}
