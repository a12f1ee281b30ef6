//! Tries the library out: kills, damage, faults and thousands of images.
//!
//! Prints figures; ends with 1 when anything that was acknowledged is missing.
//! The tests run its short forms, `cargo xtask soak` the long ones.

#![expect(clippy::print_stdout, reason = "its output is what it is for")]

mod bench;
mod chance;
mod faults;
mod flips;
mod image;
mod kills;
mod model;
mod order;
mod work;

use std::path::Path;
use std::process::ExitCode;

/// What went wrong, in one line.
type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

const USAGE: &str = "\
usage: store-soak COMMAND
  kills N       kill a program at work on a library N times and look for what is missing
  flips N       damage N copies of a library and look whether it is noticed and mended
  faults N      let each of the first N writes, syncs and renames fail (needs strace)
  order         look at the order of syncs (needs strace)
  bench N       time a library of N images
  all           everything in its long form
  work FOLDER SEED    be the program at work
  some FOLDER SEED N  work for N steps, whatever fails
  once FOLDER         add, import and remove one image";

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
        ["all"] => {
            kills::run(500)?;
            flips::run(300)?;
            faults::run(200)?;
            order::run()?;
            bench::run(10_000)
        }
        ["work", folder, seed] => work::run(Path::new(folder), seed.parse()?),
        ["some", folder, seed, n] => work::some(Path::new(folder), seed.parse()?, n.parse()?),
        ["once", folder] => work::once(Path::new(folder)),
        _ => Err(USAGE.into()),
    }
}
