//! Says what images of the pocket world show, one line each:  judge IMAGE…
//!
//! The window's tests hold the images that were painted against it. `judge --marks` gives the marks of a training
//! that learns from its own images (`assets/pocket/train/rollouts.py`).

mod marks;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use judge::{Reading, World};

/// The world of the model that ships.
const WORLD: &str = "small";

fn main() -> ExitCode {
    let paths: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    if paths == [PathBuf::from("--marks")] {
        return match give_marks() {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                complain(&error);
                ExitCode::FAILURE
            }
        };
    }
    for path in &paths {
        match read(path) {
            Ok(seen) => print(&seen),
            Err(error) => {
                complain(&error);
                return ExitCode::FAILURE;
            }
        }
    }
    if paths.is_empty() {
        complain("name the images");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

fn give_marks() -> Result<(), String> {
    let world = World::named(WORLD).map_err(|error| error.to_string())?;
    marks::mark_all(&mut std::io::stdin().lock(), &mut std::io::stdout().lock(), &world)
}

fn read(path: &Path) -> Result<String, String> {
    let image = imagefile::read(path).map_err(|error| error.to_string())?;
    let world = World::named(WORLD).map_err(|error| error.to_string())?;
    Ok(Reading::of(&image.image, &world).describe(&world))
}

#[expect(clippy::print_stdout, reason = "printing is what it is for")]
fn print(line: &str) {
    println!("{line}");
}

#[expect(clippy::print_stderr, reason = "it has nowhere else to say it")]
fn complain(line: &str) {
    eprintln!("error: {line}");
}
