//! The figures of a run, as a table for the readme.

use std::fmt::Write as _;

/// One figure. A target makes it right or wrong.
struct Row {
    what: String,
    value: String,
    target: String,
}

/// All figures so far, and what went wrong.
#[derive(Default)]
pub struct Report {
    rows: Vec<Row>,
    errors: Vec<String>,
}

impl Report {
    /// Adds a figure; shows it at once.
    pub fn say(&mut self, what: impl Into<String>, value: impl Into<String>) {
        self.row(what.into(), value.into(), String::new());
    }

    /// Adds a figure that should not be above a limit.
    pub fn aim(&mut self, what: impl Into<String>, value: f64, unit: &str, most: f64) {
        let met = if value <= most { "met" } else { "missed" };
        let value = if value.fract() == 0. { value.to_string() } else { round(value) };
        let unit = if unit.is_empty() { String::new() } else { format!(" {unit}") };
        self.row(what.into(), format!("{value}{unit}"), format!("≤ {most}{unit}: {met}"));
    }

    /// Adds an error: the run fails.
    pub fn wrong(&mut self, error: impl std::fmt::Display) {
        eprintln!("ERROR {error}");
        self.errors.push(error.to_string());
    }

    fn row(&mut self, what: String, value: String, target: String) {
        eprintln!("  {what}: {value} {target}");
        self.rows.push(Row { what, value, target });
    }

    /// The table, and the errors.
    pub fn print(&self) {
        let mut out = String::from("| figure | measured | target |\n|---|---|---|\n");
        for Row { what, value, target } in &self.rows {
            writeln!(out, "| {what} | {value} | {target} |").expect("a String takes everything");
        }
        println!("\n{out}\n{} errors", self.errors.len());
    }

    /// Whether everything was answered as it should be.
    pub fn is_clean(&self) -> bool {
        self.errors.is_empty()
    }
}

/// Three digits that count, at least.
pub fn round(value: f64) -> String {
    match value.abs() {
        v if v >= 100. => format!("{value:.0}"),
        v if v >= 10. => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}
