//! A list of named steps that all run, and the table of what became of them.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// What a step that did not fail says.
pub(crate) enum Done {
    /// It ran.
    Passed,
    /// There was nothing for it to do, and why.
    Skipped(&'static str),
}

/// What became of the steps so far.
#[derive(Default)]
pub(crate) struct Report {
    rows: Vec<Row>,
}

struct Row {
    name: &'static str,
    outcome: Outcome,
    time: Duration,
}

enum Outcome {
    Passed,
    Skipped(&'static str),
    Failed(String),
}

impl Report {
    /// Runs one step; a failure is kept for the table and does not stop the steps after it.
    pub(crate) fn step(&mut self, name: &'static str, action: impl FnOnce() -> Result<Done>) {
        println!("\n── {name}");
        let start = Instant::now();
        let outcome = match action() {
            Ok(Done::Passed) => Outcome::Passed,
            Ok(Done::Skipped(reason)) => Outcome::Skipped(reason),
            Err(error) => Outcome::Failed(format!("{error:#}")),
        };
        let time = start.elapsed();
        match &outcome {
            Outcome::Passed => {}
            Outcome::Skipped(reason) => println!("skipped: {reason}"),
            Outcome::Failed(error) => println!("failed: {}", first_line(error)),
        }
        self.rows.push(Row { name, outcome, time });
    }

    /// Prints the table; an error when a step failed or none ran.
    pub(crate) fn finish(&self) -> Result<()> {
        print!("{}", self.failures());
        println!("\n{}", self.table());
        let count = |is_kind: fn(&Outcome) -> bool| self.rows.iter().filter(|row| is_kind(&row.outcome)).count();
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

    /// All that is known of what failed, together at the end; nothing where that is a line, which the table has.
    fn failures(&self) -> String {
        let told = |row: &Row| match &row.outcome {
            Outcome::Failed(error) if error.lines().count() > 1 => Some(format!("\n── {} failed\n{error}\n", row.name)),
            _ => None,
        };
        self.rows.iter().filter_map(told).collect()
    }

    fn table(&self) -> String {
        let width = self.rows.iter().map(|row| row.name.len()).max().unwrap_or(0);
        let line = |row: &Row| {
            let outcome = match &row.outcome {
                Outcome::Passed => "passed".to_owned(),
                Outcome::Skipped(reason) => format!("skipped: {reason}"),
                Outcome::Failed(error) => format!("FAILED: {}", first_line(error)),
            };
            format!("{:width$}  {:>7}  {outcome}", row.name, clock(row.time))
        };
        self.rows.iter().map(line).collect::<Vec<_>>().join("\n")
    }
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    if seconds < 60 { format!("{:.1} s", time.as_secs_f64()) } else { format!("{}:{:02}", seconds / 60, seconds % 60) }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use anyhow::anyhow;

    use super::{Done, Report, clock};

    #[test]
    fn failed_step_does_not_stop_the_next_and_fails_the_whole() {
        let mut report = Report::default();
        let mut is_reached = false;
        report.step("first", || Err(anyhow!("it broke\nin two lines")));
        report.step("second", || {
            is_reached = true;
            Ok(Done::Passed)
        });
        assert!(is_reached);
        assert!(report.table().contains("FAILED: it broke\n"), "{}", report.table());
        assert_eq!(report.failures(), "\n── first failed\nit broke\nin two lines\n");
        assert_eq!(report.finish().expect_err("a step failed").to_string(), "1 check failed");
    }

    #[test]
    fn skipped_step_says_why_and_does_not_fail() {
        let mut report = Report::default();
        report.step("window", || Ok(Done::Skipped("there is none")));
        report.step("tests", || Ok(Done::Passed));
        assert!(report.table().contains("skipped: there is none"));
        assert!(report.finish().is_ok());
    }

    #[test]
    fn run_without_a_single_check_fails() {
        assert!(Report::default().finish().is_err());
    }

    #[test]
    fn times_are_shown_in_seconds_or_minutes() {
        assert_eq!(clock(Duration::from_millis(1_540)), "1.5 s");
        assert_eq!(clock(Duration::from_secs(125)), "2:05");
    }
}
