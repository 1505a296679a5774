//! Money: micro-units of a currency as people and machines read them.

/// Micro-units as units, with all six places: for machines.
#[must_use]
pub fn units(micro: i64) -> String {
    format!(
        "{}{}.{:06}",
        if micro < 0 { "-" } else { "" },
        micro.unsigned_abs() / 1_000_000,
        micro.unsigned_abs() % 1_000_000
    )
}

/// Money for people: to the cent, but what is less than a unit to the hundredth of a cent.
#[must_use]
pub fn money(micro: i64, currency: &str) -> String {
    let sign = if micro < 0 { "-" } else { "" };
    let micro = micro.unsigned_abs();
    let amount = if micro >= 1_000_000 || micro == 0 {
        let cents = (micro + 5_000) / 10_000;
        let units = i64::try_from(cents / 100).unwrap_or(i64::MAX);
        format!("{}.{:02}", grouped(units), cents % 100)
    } else if micro < 50 {
        return format!("{sign}under {}", money(100, currency));
    } else {
        let places = (micro + 50) / 100;
        format!("{}.{:04}", places / 10_000, places % 10_000)
    };
    match currency {
        "USD" => format!("{sign}${amount}"),
        "EUR" => format!("{sign}€{amount}"),
        "GBP" => format!("{sign}£{amount}"),
        other => format!("{sign}{amount} {other}"),
    }
}

/// `1,234,567`.
#[must_use]
pub fn grouped(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut out = String::from(if number < 0 { "-" } else { "" });
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{money, units};

    #[test]
    fn money_in_words() {
        for (micro, words) in [
            (0, "$0.00"),
            (1, "under $0.0001"),
            (50, "$0.0001"),
            (3_100, "$0.0031"),
            (999_960, "$1.0000"),
            (1_000_000, "$1.00"),
            (1_005_000, "$1.01"),
            (1_234_567_890_000, "$1,234,567.89"),
            (-2_500_000, "-$2.50"),
        ] {
            assert_eq!(money(micro, "USD"), words, "{micro}");
        }
        assert_eq!((money(2_500_000, "EUR"), money(2_500_000, "CHF")), ("€2.50".into(), "2.50 CHF".into()));
        assert_eq!((units(3_100), units(-2_500_000)), ("0.003100".into(), "-2.500000".into()));
    }
}
