//! What was used in a month: sums, a picture of its days, and tables.

use super::{ChatDay, Me, assets, dom, page, text};
use time::Date;

#[derive(askama::Template)]
#[template(path = "pages/usage/page.html")]
pub struct UsagePage {
    pub me: Me,
    pub days: Vec<ChatDay>,
    /// Everybody's, for administrators.
    pub all: bool,
    /// Its first day.
    pub month: Date,
    /// `2026-11`.
    pub name: String,
    /// How many days it has.
    pub length: u8,
    pub before: String,
    /// Nothing after this month.
    pub next: Option<String>,
    /// What is left of one's budget and of those of one's groups, in words.
    pub budgets: Vec<String>,
    pub currency: String,
    /// The days come first.
    pub groups: Vec<UsageGroup>,
}

page!(UsagePage);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UsageKind {
    Days,
    People,
    Models,
    Providers,
}

pub struct UsageGroup {
    pub kind: UsageKind,
    pub lines: Vec<UsageLine>,
}

pub struct UsageLine {
    /// A day as ISO 8601, an address (empty: of an account that is gone), a model or a provider.
    pub name: String,
    pub requests: i64,
    pub failed: i64,
    pub prompt: i64,
    pub cached: i64,
    pub completion: i64,
    /// In micro-units of the currency.
    pub cost: i64,
    /// Requests of which no price was known.
    pub unpriced: i64,
}

/// A day in the picture, whose height is 100.
struct Bar {
    x: u32,
    y: f64,
    height: f64,
    title: String,
}

/// How wide a day is in the picture.
const STEP: u32 = 10;

impl UsageGroup {
    fn words(&self) -> &'static str {
        match self.kind {
            UsageKind::Days => text::USAGE_DAYS,
            UsageKind::People => text::USAGE_PEOPLE,
            UsageKind::Models => text::USAGE_MODELS,
            UsageKind::Providers => text::USAGE_PROVIDERS,
        }
    }

    /// What its lines are.
    fn one(&self) -> &'static str {
        match self.kind {
            UsageKind::Days => text::USAGE_DAY,
            UsageKind::People => text::USAGE_PERSON,
            UsageKind::Models => text::USAGE_MODEL,
            UsageKind::Providers => text::USAGE_PROVIDER,
        }
    }

    /// The id of its heading.
    fn place(&self) -> &'static str {
        match self.kind {
            UsageKind::Days => "by-day",
            UsageKind::People => "by-person",
            UsageKind::Models => "by-model",
            UsageKind::Providers => "by-provider",
        }
    }

    fn name(&self, line: &UsageLine) -> String {
        match self.kind {
            UsageKind::Days => text::day_of(&line.name),
            UsageKind::People if line.name.is_empty() => text::USAGE_GONE.into(),
            _ => line.name.clone(),
        }
    }
}

impl UsagePage {
    /// The address of this page.
    fn here(&self) -> &'static str {
        if self.all { "/admin/usage" } else { "/settings/usage" }
    }

    fn lines(&self) -> &[UsageLine] {
        self.groups.first().map_or(&[], |days| &days.lines)
    }

    /// What stands above everything.
    fn sums(&self) -> Vec<(String, &'static str)> {
        let total = |of: fn(&UsageLine) -> i64| self.lines().iter().map(of).sum::<i64>();
        let mut sums = vec![
            (text::grouped(total(|line| line.requests)), text::USAGE_REQUESTS),
            (text::grouped(total(|line| line.prompt)), text::USAGE_PROMPT),
            (text::grouped(total(|line| line.completion)), text::USAGE_COMPLETION),
        ];
        if self.by_cost() {
            sums.insert(0, (self.money(total(|line| line.cost)), text::USAGE_COST));
        }
        sums
    }

    /// What the cost leaves out.
    fn unpriced(&self) -> Option<String> {
        let count = self.lines().iter().map(|line| line.unpriced).sum();
        (count > 0).then(|| text::usage_unpriced(count))
    }

    /// By cost if anything has one, else by tokens.
    fn by_cost(&self) -> bool {
        self.lines().iter().any(|line| line.cost > 0)
    }

    fn money(&self, micro: i64) -> String {
        text::money(micro, &self.currency)
    }

    fn width(&self) -> u32 {
        u32::from(self.length) * STEP
    }

    #[expect(clippy::cast_precision_loss, reason = "heights in a picture")]
    fn bars(&self) -> Vec<Bar> {
        let by_cost = self.by_cost();
        let value = |line: &UsageLine| if by_cost { line.cost } else { line.prompt + line.completion };
        let most = self.lines().iter().map(value).max().unwrap_or(0).max(1);
        let bars = self.lines().iter().filter_map(|line| {
            let day: u32 = line.name.get(8..10)?.parse().ok()?;
            let height = (value(line) as f64 / most as f64 * 100.).max(if value(line) > 0 { 1. } else { 0. });
            let what = if by_cost { self.money(line.cost) } else { text::tokens(value(line)) };
            let title = format!("{}: {what}", text::day_of(&line.name));
            Some(Bar { x: day.saturating_sub(1) * STEP + 1, y: 100. - height, height, title })
        });
        bars.collect()
    }
}
