//! Named steps that all run, and a table of how they ended.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// How a step ended.
pub(crate) enum Outcome {
    Passed,
    /// With the reason.
    Skipped(&'static str),
    Failed(String),
}

#[derive(Default)]
pub(crate) struct Report {
    rows: Vec<(&'static str, Outcome, Duration)>,
}

impl Report {
    /// Runs one step; a failure is kept for the table and does not stop the steps after it.
    pub(crate) fn step(&mut self, name: &'static str, action: impl FnOnce() -> Result<Outcome>) {
        println!("\n── {name}");
        let start = Instant::now();
        let outcome = action().unwrap_or_else(|error| Outcome::Failed(format!("{error:#}")));
        let time = start.elapsed();
        if !matches!(outcome, Outcome::Passed) {
            println!("{}", describe(&outcome));
        }
        self.rows.push((name, outcome, time));
    }

    /// Prints all failures and the table; an error when a step failed or none ran.
    pub(crate) fn finish(&self) -> Result<()> {
        println!("{}\n{}", self.failures(), self.table());
        let count = |is_counted: fn(&Outcome) -> bool| self.rows.iter().filter(|row| is_counted(&row.1)).count();
        let n_passed = count(|outcome| matches!(outcome, Outcome::Passed));
        let n_failed = count(|outcome| matches!(outcome, Outcome::Failed(_)));
        let n_skipped = count(|outcome| matches!(outcome, Outcome::Skipped(_)));
        println!("checks: {n_passed} passed, {n_failed} failed, {n_skipped} skipped");
        match (n_passed, n_failed) {
            (_, 1) => bail!("1 check failed"),
            (_, 2..) => bail!("{n_failed} checks failed"),
            (0, 0) => bail!("no check ran"),
            _ => Ok(()),
        }
    }

    /// The failures of more than one line, of which the table shows the first alone.
    fn failures(&self) -> String {
        let long = |(name, outcome, _): &(&str, Outcome, Duration)| match outcome {
            Outcome::Failed(error) if error.lines().count() > 1 => Some(format!("\n── {name} failed\n{error}\n")),
            _ => None,
        };
        self.rows.iter().filter_map(long).collect()
    }

    fn table(&self) -> String {
        let width = self.rows.iter().map(|(name, ..)| name.len()).max().unwrap_or(0);
        let line = |(name, outcome, time): &(&str, Outcome, Duration)| {
            format!("{name:width$}  {:>7}  {}", format_time(*time), describe(outcome))
        };
        self.rows.iter().map(line).collect::<Vec<_>>().join("\n")
    }
}

fn describe(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Passed => "passed".to_owned(),
        Outcome::Skipped(reason) => format!("skipped: {reason}"),
        Outcome::Failed(error) => format!("FAILED: {}", error.lines().next().unwrap_or_default()),
    }
}

fn format_time(time: Duration) -> String {
    let seconds = time.as_secs();
    if seconds < 60 { format!("{:.1} s", time.as_secs_f64()) } else { format!("{}:{:02}", seconds / 60, seconds % 60) }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use anyhow::anyhow;

    use super::{Outcome, Report, format_time};

    #[test]
    fn failed_step_does_not_stop_the_next_and_fails_the_whole() {
        let mut report = Report::default();
        let mut is_reached = false;
        report.step("first", || Err(anyhow!("it broke\nin two lines")));
        report.step("second", || {
            is_reached = true;
            Ok(Outcome::Passed)
        });
        assert!(is_reached);
        assert!(report.table().contains("FAILED: it broke\n"), "{}", report.table());
        assert_eq!(report.failures(), "\n── first failed\nit broke\nin two lines\n");
        assert_eq!(report.finish().expect_err("a step failed").to_string(), "1 check failed");
    }

    #[test]
    fn skipped_step_gives_its_reason_and_does_not_fail() {
        let mut report = Report::default();
        report.step("window", || Ok(Outcome::Skipped("no display")));
        assert!(report.finish().is_err(), "nothing was checked");
        report.step("tests", || Ok(Outcome::Passed));
        assert!(report.table().contains("skipped: no display"));
        assert!(report.finish().is_ok());
    }

    #[test]
    fn times_are_shown_in_seconds_or_minutes() {
        assert_eq!(format_time(Duration::from_millis(1_540)), "1.5 s");
        assert_eq!(format_time(Duration::from_secs(125)), "2:05");
    }
}
