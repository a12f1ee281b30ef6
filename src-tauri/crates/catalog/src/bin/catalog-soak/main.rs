//! Tries downloads out: servers that misbehave, kills, stops and memory.
//!
//! Prints figures; ends with 1 when one of them is not what it must be. The
//! tests run its short forms, `cargo xtask soak` the long ones.

#![expect(clippy::print_stdout, reason = "its output is what it is for")]
#![allow(clippy::unwrap_used, reason = "a scene that cannot be set ends the program")]

#[path = "../../../tests/support/mod.rs"]
mod support;

mod full;
mod kills;
mod memory;
mod schedules;
mod stops;

use std::path::Path;
use std::process::ExitCode;

/// What went wrong, in one line.
type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

const USAGE: &str = "\
usage: catalog-soak COMMAND
  schedules N   download through N schedules of faults
  kills N       kill a program at its download N times, and let it go on
  stops N       stop N downloads at any moment and time the answer
  memory        see how much memory a download of 256 MiB takes
  full          let the disk become full in the middle (needs the right to mount)
  all           everything in its long form
  fetch FOLDER ORIGIN   be the program at its download";

/// Bytes of a model that is downloaded many times.
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
        ["all"] => {
            schedules::run(1_000).await?;
            kills::run(200).await?;
            stops::run(200).await?;
            memory::run().await?;
            full::run().await
        }
        ["fetch", folder, origin] => memory::fetch(Path::new(folder), origin).await,
        _ => Err(USAGE.into()),
    }
}
