//! The program `bagel`.

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run()
}
