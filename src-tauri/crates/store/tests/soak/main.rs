//! Soak tests of the store: kills, damaged databases, failing system calls, and thousands of images.
//!
//! The program has no test harness, because it also starts itself as the process that is killed or traced.
//! Without a command it runs its short forms as tests; `cargo xtask soak` runs the long ones, which print figures.

#![expect(clippy::print_stdout, reason = "the figures are the result of this program")]

mod bench;
mod faults;
mod flips;
mod images;
mod kills;
mod model;
mod order;
mod random;
mod work;

use std::path::Path;
use std::process::{Command, ExitCode};

/// The error is one line about what went wrong.
type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

const USAGE: &str = "\
usage: cargo test -p store --test soak -- COMMAND
  kills N       kill a program that changes a library N times, and look for lost changes
  flips N       damage N copies of a library, and check that each is noticed and repaired
  faults N      let each of the first N writes, syncs and renames fail (needs strace)
  order         check the order of writes and syncs (needs strace)
  bench N       time a library of N images
  --long        run everything in its long form
  work FOLDER SEED    change a library until killed
  some FOLDER SEED N  make N changes, also when some of them fail
  once FOLDER         add, import and remove one image";

/// A short form of a command, run as a test.
struct Test {
    name: &'static str,
    command: &'static [&'static str],
    needs_strace: bool,
}

const TESTS: [Test; 4] = [
    Test { name: "killing_the_program_loses_no_acknowledged_change", command: &["kills", "50"], needs_strace: false },
    Test { name: "damaged_databases_are_noticed_and_repaired", command: &["flips", "30"], needs_strace: false },
    Test { name: "a_change_is_on_disk_before_it_is_acknowledged", command: &["order"], needs_strace: true },
    Test { name: "failing_system_calls_lose_nothing", command: &["faults", "12"], needs_strace: true },
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("FAILED: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[&str]) -> Outcome<()> {
    match arguments {
        ["kills", n] => kills::run(n.parse()?),
        ["flips", n] => flips::run(n.parse()?),
        ["faults", n] => faults::run(n.parse()?),
        ["order"] => order::run(),
        ["bench", n] => bench::run(n.parse()?),
        ["--long"] => {
            kills::run(500)?;
            flips::run(300)?;
            faults::run(200)?;
            order::run()?;
            bench::run(10_000)
        }
        ["work", folder, seed] => work::run_until_killed(Path::new(folder), seed.parse()?),
        ["some", folder, seed, n] => work::run_steps(Path::new(folder), seed.parse()?, n.parse()?),
        ["once", folder] => work::run_once(Path::new(folder)),
        ["--help"] => {
            println!("{USAGE}");
            Ok(())
        }
        _ => run_tests(arguments),
    }
}

/// Answers the part of the test harness's command line that `cargo test` and `cargo nextest` use.
fn run_tests(arguments: &[&str]) -> Outcome<()> {
    let has = |option| arguments.contains(&option);
    let filters: Vec<&&str> = arguments.iter().filter(|argument| !argument.starts_with('-')).collect();
    let is_chosen = |test: &&Test| {
        let matches =
            |filter: &&&str| if has("--exact") { test.name == **filter } else { test.name.contains(**filter) };
        !has("--ignored") && (filters.is_empty() || filters.iter().any(matches))
    };
    for test in TESTS.iter().filter(is_chosen) {
        if has("--list") {
            println!("{}: test", test.name);
        } else {
            run_test(test)?;
        }
    }
    Ok(())
}

fn run_test(test: &Test) -> Outcome<()> {
    if test.needs_strace && !order::can_trace() {
        println!("{}: skipped, because strace cannot be used here", test.name);
        return Ok(());
    }
    let mut command = Command::new(std::env::current_exe()?);
    command.args(test.command);
    // In memory where possible: a killed process leaves the same behind there, and syncs cost nothing.
    let memory = Path::new("/dev/shm");
    if tempfile::tempfile_in(memory).is_ok() {
        command.env("TMPDIR", memory);
    }
    if command.status()?.success() { Ok(()) } else { Err(format!("{} failed", test.name).into()) }
}
