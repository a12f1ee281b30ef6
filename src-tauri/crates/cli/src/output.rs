//! The output file of an image, checked before anything is computed.

use std::path::{Path, PathBuf};

use imagefile::{Encoding, Overwrite};

use crate::arguments::OutputOptions;
use crate::host::Painted;
use crate::{Error, Result};

/// A file that can be written.
#[derive(Clone, Debug)]
pub struct Output {
    /// The file.
    pub path: PathBuf,
    overwrite: Overwrite,
}

impl Output {
    /// Refuses an unsupported extension, a missing folder and an existing file without `--force`.
    pub fn check(options: &OutputOptions, seed: u64) -> Result<Self> {
        let path = options.out.clone().unwrap_or_else(|| format!("bagel-{seed}.png").into());
        Encoding::for_path(&path)?;
        let overwrite = check_place(&path, options.force)?;
        Ok(Self { path, overwrite })
    }

    /// Writes the image with its recipe, completely or not at all.
    pub fn write(&self, painted: &Painted) -> Result<()> {
        imagefile::write(&self.path, &painted.image, Some(&painted.recipe), self.overwrite)
            .map_err(|error| with_remedy(error, &self.path))
    }
}

/// Refuses a missing folder and an existing file without `--force`.
pub fn check_place(path: &Path, force: bool) -> Result<Overwrite> {
    let overwrite = if force { Overwrite::Replace } else { Overwrite::Refuse };
    imagefile::check_destination(path, overwrite).map_err(|error| with_remedy(error, path))?;
    Ok(overwrite)
}

fn with_remedy(error: imagefile::Error, path: &Path) -> Error {
    match error {
        imagefile::Error::Exists { .. } => {
            Error::BadInput(format!("{}: exists already; choose another name or add --force", path.display()))
        }
        error => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: PathBuf, force: bool, expected: &str) {
        let found = Output::check(&OutputOptions { out: Some(path), force }, 7);
        let line = found.map_or_else(|error| error.line(), |_| "fine".to_owned());
        assert!(line.contains(expected), "{line}");
    }

    #[test]
    fn only_writable_files_pass() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("there.png");
        std::fs::write(&file, "").unwrap();
        check(folder.path().join("new.png"), false, "fine");
        check(folder.path().join("new.JPG"), false, "fine");
        check(file.clone(), true, "fine");
        check(file, false, "there.png: exists already; choose another name or add --force");
        check(folder.path().join("new.gif"), false, "new.gif: the name must end in .png");
        check(folder.path().join("missing/new.png"), false, "missing: no such folder; make it first");
        std::fs::create_dir(folder.path().join("folder.png")).unwrap();
        check(folder.path().join("folder.png"), true, "folder.png: is a folder");
    }

    #[test]
    fn the_default_name_contains_the_seed() {
        let output = Output::check(&OutputOptions { out: None, force: false }, 99).unwrap();
        assert_eq!(output.path, Path::new("bagel-99.png"));
    }
}
