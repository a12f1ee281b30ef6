//! Whether this engine computes what the published reference computes.
//!
//! A folder of golden cases holds a checkpoint (`model/`), images (`images/`)
//! and the reference's results (`cases/`): parts of the model in `components.*`,
//! whole runs in `runs.json` and one file per run. Models of any shape can be checked.

mod cases;
mod components;
mod judge;
mod runs;

use std::path::Path;

use bagel::{Engine, LoadOptions, Observer, Result};
use checkpoint::Checkpoint;

use self::cases::Cases;
pub use self::judge::{Comparison, LoadImage, Tolerances};
use self::judge::{Images, Judge};

/// Checks every case in `folder` and passes each comparison to `report`.
///
/// # Errors
/// When the folder or its model cannot be read; a case out of tolerance is not an error.
pub fn check(
    folder: &Path,
    options: &LoadOptions,
    read_image: &LoadImage<'_>,
    report: &mut dyn FnMut(&Comparison),
    observe: &mut Observer<'_>,
) -> Result<()> {
    let checkpoint = Checkpoint::open(&folder.join("model"), None)?;
    let mut engine = Engine::load(&checkpoint, options, observe)?;
    engine.use_reference_text();
    let mut judge = Judge { tolerances: Tolerances::of(engine.precision()), report };
    let images = Images { folder: folder.join("images"), read_image };
    let cases = folder.join("cases");
    components::check(&mut engine, &Cases::open(&cases, "components")?, &images, &mut judge, observe)?;
    runs::check(&mut engine, &cases, &images, &mut judge, observe)
}
