//! The rows of a run, each with its target where there is one.

use std::fmt::Write as _;

#[derive(Default)]
pub(super) struct Table {
    rows: Vec<Row>,
}

pub(super) struct Row {
    pub(super) measure: String,
    pub(super) value: Value,
    /// What the value is compared with, and what that costs.
    pub(super) base: Option<(&'static str, f64)>,
    /// The most it may be: a ratio where there is a base, else in the unit of the value.
    pub(super) target: Option<f64>,
}

#[derive(Clone, Copy)]
pub(super) enum Value {
    CpuMicroseconds(f64),
    Milliseconds(f64),
    Megabytes(f64),
    PerSecond(f64),
}

impl Value {
    fn amount(self) -> f64 {
        match self {
            Self::CpuMicroseconds(amount)
            | Self::Milliseconds(amount)
            | Self::Megabytes(amount)
            | Self::PerSecond(amount) => amount,
        }
    }

    fn unit(self) -> &'static str {
        match self {
            Self::CpuMicroseconds(_) => "us CPU",
            Self::Milliseconds(_) => "ms",
            Self::Megabytes(_) => "MB",
            Self::PerSecond(_) => "/s",
        }
    }
}

impl Table {
    pub(super) fn add(&mut self, row: Row) {
        println!("{}", row.line(0));
        self.rows.push(row);
    }

    pub(super) fn print(&self) {
        let width = self.rows.iter().map(|row| row.measure.len()).max().unwrap_or(0);
        println!();
        for row in &self.rows {
            println!("{}", row.line(width));
        }
    }
}

impl Row {
    fn line(&self, width: usize) -> String {
        let Self { measure, value, base, target } = self;
        let mut line = format!("{measure:<width$}  {:>10.1} {:<6}", value.amount(), value.unit());
        let compared = match base {
            Some((name, cost)) => {
                let ratio = value.amount() / cost;
                let _infallible = write!(line, "  {ratio:>7.2} x {name:<9}");
                ratio
            }
            None => value.amount(),
        };
        if let Some(target) = target {
            let verdict = if compared <= *target { "ok" } else { "MISSED" };
            let _infallible = write!(line, "  at most {target}: {verdict}");
        }
        line.trim_end().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn judges_by_the_ratio_where_there_is_a_base() {
        let row = |base, target| Row { measure: "a".into(), value: Value::CpuMicroseconds(30.0), base, target };
        assert!(row(Some(("floor", 10.0)), Some(5.5)).line(0).ends_with("3.00 x floor      at most 5.5: ok"));
        assert!(row(Some(("floor", 5.0)), Some(5.5)).line(0).ends_with("MISSED"));
        assert!(row(None, Some(29.0)).line(0).ends_with("MISSED"));
    }
}
