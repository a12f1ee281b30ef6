//! Soak tests of downloads: misbehaving servers, kills, cancellation, memory, and a full disk.
//!
//! The program has no test harness, because it also starts itself as the process that is killed. `cargo xtask soak`
//! runs the long forms, which print figures; without a command it does nothing, because the ordinary tests cover the
//! same in `tests/it`.

#![expect(clippy::print_stdout, reason = "the figures are the result of this program")]
#![allow(clippy::unwrap_used, reason = "a scene that cannot be set up ends the program")]

#[path = "../support/mod.rs"]
mod support;

mod full;
mod kills;
mod memory;
mod schedules;
mod stops;

use std::path::Path;
use std::process::ExitCode;

/// The error is one line about what went wrong.
type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

const USAGE: &str = "\
usage: cargo test -p catalog --test soak -- COMMAND
  schedules N   download through N schedules of faults
  kills N       kill a program during its download N times, and resume the download
  stops N       cancel N downloads at random moments, and time the response
  memory        measure the memory that a download of 256 MiB takes
  full          fill the disk during a download (needs permission to mount)
  --long        run everything in its long form
  fetch FOLDER ORIGIN   download until done or killed";

/// Size of the model that is downloaded many times.
const N_BYTES: usize = 8 << 20;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match run(&arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("FAILED: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &[&str]) -> Outcome<()> {
    match arguments {
        ["schedules", n] => schedules::run(n.parse()?).await,
        ["kills", n] => kills::run(n.parse()?).await,
        ["stops", n] => stops::run(n.parse()?).await,
        ["memory"] => memory::run().await,
        ["full"] => full::run().await,
        ["--long"] => {
            schedules::run(1_000).await?;
            kills::run(200).await?;
            stops::run(200).await?;
            memory::run().await?;
            full::run().await
        }
        ["fetch", folder, origin] => memory::fetch(Path::new(folder), origin).await,
        ["--help"] => {
            println!("{USAGE}");
            Ok(())
        }
        // A filter or an option of the test harness: there are no tests to list or to run.
        _ => Ok(()),
    }
}
