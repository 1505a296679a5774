//! Months of the calendar, by UTC.

use super::clock;
use time::Date;

/// A month of the calendar, by UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Month {
    first: Date,
}

impl Month {
    #[must_use]
    pub fn now() -> Self {
        let today = clock::now().date();
        Self { first: today.replace_day(1).unwrap_or(today) }
    }

    /// Reads `2026-11`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (year, month) = text.split_once('-').filter(|(year, month)| year.len() == 4 && month.len() == 2)?;
        let month = time::Month::try_from(month.parse::<u8>().ok()?).ok()?;
        Some(Self { first: Date::from_calendar_date(year.parse().ok()?, month, 1).ok()? })
    }

    #[must_use]
    pub fn first(self) -> Date {
        self.first
    }

    /// How many days it has.
    #[must_use]
    pub fn days(self) -> u8 {
        self.first.month().length(self.first.year())
    }

    #[must_use]
    pub fn next(self) -> Self {
        let year = self.first.year() + i32::from(self.first.month() == time::Month::December);
        Self { first: Date::from_calendar_date(year, self.first.month().next(), 1).unwrap_or(self.first) }
    }

    #[must_use]
    pub fn before(self) -> Self {
        let year = self.first.year() - i32::from(self.first.month() == time::Month::January);
        Self { first: Date::from_calendar_date(year, self.first.month().previous(), 1).unwrap_or(self.first) }
    }

    /// As addresses have it: `2026-11`.
    #[must_use]
    pub fn name(self) -> String {
        format!("{:04}-{:02}", self.first.year(), u8::from(self.first.month()))
    }
}

#[cfg(test)]
mod tests {
    use super::Month;

    #[test]
    fn months() {
        let month = |text| Month::parse(text).unwrap();
        assert_eq!(month("2026-12").next().name(), "2027-01");
        assert_eq!(month("2026-01").before().name(), "2025-12");
        assert_eq!((month("2028-02").days(), month("2026-11").days()), (29, 30));
        for wrong in ["", "2026", "2026-13", "2026-1", "26-11", "2026-11-01", "2026-xx"] {
            assert_eq!(Month::parse(wrong), None, "{wrong}");
        }
    }
}
