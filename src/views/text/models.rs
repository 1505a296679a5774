//! The words about models: the picker, and the administrators' pages of them.

use super::grouped;
use crate::base::money::money;

pub const MODELS: &str = "Models";
pub const MODELS_LEAD: &str = "What the providers list, and what is known of it: by their lists, the settings and a table that comes with Parlor. What is said here of a model goes before all of that.";
pub const MODELS_NONE: &str = "Nothing is listed. Its list could not be had yet, or it is empty.";
pub const MODEL_SAVED: &str = "Saved. It holds from now on.";
pub const MODEL_NAME_HEAD: &str = "Model";
pub const MODEL_CONTEXT: &str = "Context";
pub const MODEL_PRICE: &str = "Price";
pub const MODEL_CAN: &str = "Can";
pub const MODEL_AUDIENCE: &str = "Open to";
pub const MODEL_EDIT: &str = "Edit";
pub const MODEL_EDIT_LEAD: &str = "Empty fields are as they are known otherwise.";
pub const MODEL_UNKNOWN: &str = "not known";
pub const MODEL_LABEL: &str = "Name";
pub const MODEL_CONTEXT_LABEL: &str = "Context window, in tokens";
pub const MODEL_OUTPUT_LABEL: &str = "Longest answer, in tokens";
pub const MODEL_PRICES: &str = "Price of a million tokens";
pub const MODEL_PRICE_INPUT: &str = "What is asked";
pub const MODEL_PRICE_CACHED: &str = "From the cache";
pub const MODEL_PRICE_OUTPUT: &str = "What is answered";
pub const MODEL_PRICE_LEAD: &str = "The first and the last, or none. Without the second, what comes from the cache costs as much as what is asked. What was answered before keeps its cost.";
pub const MODEL_CAPABILITIES: &str = "What it can do";
pub const YES: &str = "Yes";
pub const NO: &str = "No";
pub const MODEL_LABEL_WRONG: &str = "At most 80 characters, on one line.";
pub const MODEL_TOKENS_WRONG: &str = "A whole number from 1 to 100,000,000, or nothing.";
pub const MODEL_PRICE_WRONG: &str = "A number from 0 to 1,000,000, or nothing.";
pub const MODEL_PRICE_HALF: &str = "A price needs what is asked and what is answered.";

/// By the name that forms have for them.
#[must_use]
pub fn audience(name: &str) -> &'static str {
    match name {
        "everyone" => "Everyone",
        "groups" => "Groups",
        "administrators" => "Administrators",
        _ => "Nobody",
    }
}

/// What a model can do, by the names that forms have for them.
pub const CAPABILITIES: [(&str, &str); 3] = [("images", "See images"), ("tools", "Call tools"), ("reasoning", "Think")];

/// `128k`, `1.05M`.
#[must_use]
pub fn short_tokens(tokens: u32) -> String {
    match tokens {
        1_000_000.. => {
            let hundredths = (tokens + 5_000) / 10_000;
            let rest = format!(".{:02}", hundredths % 100);
            format!("{}{}M", hundredths / 100, rest.trim_end_matches('0').trim_end_matches('.'))
        }
        1_000.. => format!("{}k", (tokens + 500) / 1_000),
        _ => tokens.to_string(),
    }
}

/// What a million tokens cost, in micro-units: asked and answered.
#[must_use]
pub fn price_of((input, output): (i64, i64), currency: &str) -> String {
    let short = |micro| money_short(micro, currency);
    if input == 0 && output == 0 {
        "free".into()
    } else {
        format!("{} in, {} out per million", short(input), short(output))
    }
}

/// `$2`, `$0.25`, `$0.075`.
fn money_short(micro: i64, currency: &str) -> String {
    let words = money(micro, currency);
    let Some((whole, rest)) = words.split_once('.') else { return words };
    let digits = rest.trim_end_matches(|c: char| !c.is_ascii_digit());
    let (digits, after) = (digits.trim_end_matches('0'), &rest[digits.len()..]);
    match digits.len() {
        0 => format!("{whole}{after}"),
        1 => format!("{whole}.{digits}0{after}"),
        _ => format!("{whole}.{digits}{after}"),
    }
}

/// What the picker says of a model beside its name.
#[must_use]
pub fn about_model(price: Option<(i64, i64)>, currency: &str, context: Option<u32>, thinks: bool) -> String {
    let parts = [
        price.map(|price| price_of(price, currency)),
        context.map(|tokens| format!("{} context", short_tokens(tokens))),
        thinks.then(|| "thinks".to_owned()),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

pub const CONTEXT: &str = "What is sent next";
pub const CONTEXT_FIRST: &str = "Go to where it begins";
pub const CONTEXT_NO_WINDOW: &str = "How many this model takes is not known.";

/// How much of the conversation goes with the next message.
#[must_use]
pub fn context_sent(sent: usize, messages: usize, model: &str) -> String {
    let all = grouped(i64::try_from(messages).unwrap_or(i64::MAX));
    match sent {
        _ if sent == messages => format!("Your next message goes to {model} with the whole conversation."),
        0 => format!("Your next message goes to {model} without any of the {all} messages before it."),
        1 => {
            format!("Your next message goes to {model} with the last one of {all} messages; what is older is left out.")
        }
        _ => format!(
            "Your next message goes to {model} with the newest {sent} of {all} messages; what is older is left out."
        ),
    }
}

/// `about 3,400 tokens`.
#[must_use]
pub fn context_tokens(tokens: i64, counted: bool) -> String {
    format!("{}{}", if counted { "" } else { "about " }, super::tokens(tokens))
}

#[must_use]
pub fn context_window(window: u32) -> String {
    format!("of {}", grouped(window.into()))
}

#[must_use]
pub fn context_kept(max_output: u32) -> String {
    format!("{} are kept for the answer.", grouped(max_output.into()))
}

#[must_use]
pub fn context_most(most: &str) -> String {
    format!("With its longest answer that costs {most}.")
}

#[must_use]
pub fn context_cost(cost: &str) -> String {
    format!("The answers of this chat have cost {cost} so far.")
}

/// Whether a model can do something, where nothing else is said.
#[must_use]
pub fn known_to(can: Option<bool>) -> &'static str {
    match can {
        None => "Not known",
        Some(true) => "Known: yes",
        Some(false) => "Known: no",
    }
}

/// Under a field that is left empty: what holds then.
#[must_use]
pub fn known(what: Option<&str>) -> String {
    what.map_or_else(|| "Not known otherwise.".to_owned(), |what| format!("Known: {what}."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_short() {
        for (tokens, words) in [
            (999, "999"),
            (4_096, "4k"),
            (131_072, "131k"),
            (1_000_000, "1M"),
            (1_047_576, "1.05M"),
            (2_500_000, "2.5M"),
        ] {
            assert_eq!(short_tokens(tokens), words);
        }
        for (micro, words) in [
            (2_000_000, "$2"),
            (75_000, "$0.075"),
            (500_000, "$0.50"),
            (12_340_000, "$12.34"),
            (1_200_000_000, "$1,200"),
        ] {
            assert_eq!(money_short(micro, "USD"), words);
        }
        assert_eq!(money_short(500_000, "CHF"), "0.50 CHF");
        let price = Some((2_000_000, 10_000_000));
        assert_eq!(
            about_model(price, "USD", Some(200_000), true),
            "$2 in, $10 out per million · 200k context · thinks"
        );
        assert_eq!(about_model(Some((0, 0)), "USD", None, false), "free");
    }
}
