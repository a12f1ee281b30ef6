//! Which model is meant when none is named.

use std::env;
use std::path::{Path, PathBuf};

use checkpoint::Verified;
use directories::ProjectDirs;

use crate::arguments::ModelOptions;
use crate::{Error, Result};

/// Names the model for all commands of a session.
const VARIABLE: &str = "BAGEL_MODEL";

/// Names the folder of everything that is kept.
pub(crate) const DATA_VARIABLE: &str = "BAGEL_STUDIO_DATA";

/// The model that was named, the one of `BAGEL_MODEL`, or the pocket model.
pub fn model_path(options: &ModelOptions) -> Result<PathBuf> {
    if let Some(path) = &options.model {
        return Ok(path.clone());
    }
    if let Some(path) = env::var_os(VARIABLE).filter(|path| !path.is_empty()) {
        return Ok(path.into());
    }
    pocket_folder().and_then(|folder| gguf_in(&folder)).ok_or_else(|| {
        Error::ModelMissing(format!(
            "no model is named and the pocket model is not here: give --model PATH or set {VARIABLE}"
        ))
    })
}

/// Where it is remembered which files have been checked; nothing where the system names no place.
pub fn verified() -> Option<Verified> {
    let folder = match env::var_os(DATA_VARIABLE).filter(|folder| !folder.is_empty()) {
        Some(folder) => PathBuf::from(folder),
        None => ProjectDirs::from("", "", "Bagel Studio")?.cache_dir().to_path_buf(),
    };
    Some(Verified::new(folder.join("verified")))
}

/// The folder of the pocket model: beside the program, or in the repository it was built in.
pub fn pocket_folder() -> Option<PathBuf> {
    let program = env::current_exe().ok()?;
    let beside = program.ancestors().skip(1);
    beside
        .flat_map(|folder| [folder.join("pocket"), folder.join("assets/pocket")])
        .find(|folder| gguf_in(folder).is_some())
}

fn gguf_in(folder: &Path) -> Option<PathBuf> {
    let files = folder.read_dir().ok()?.filter_map(|entry| Some(entry.ok()?.path()));
    files.filter(|path| path.extension().is_some_and(|extension| extension == "gguf")).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_gguf_files_count_as_a_pocket_model() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(gguf_in(folder.path()), None);
        std::fs::write(folder.path().join("README.md"), "").unwrap();
        assert_eq!(gguf_in(folder.path()), None);
        let model = folder.path().join("pocket-q8_0.gguf");
        std::fs::write(&model, "").unwrap();
        assert_eq!(gguf_in(folder.path()), Some(model));
        assert_eq!(gguf_in(&folder.path().join("missing")), None);
    }
}
