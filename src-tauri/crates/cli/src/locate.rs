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

/// Where the pocket model lies, from a folder that the program is in: beside it, where packages for Linux and macOS put
/// it, or in the repository that it was built in.
const POCKET: [&str; 4] = ["pocket", "lib/Bagel Studio/pocket", "Resources/pocket", "assets/pocket"];

/// The folder of the pocket model, wherever this program was installed or built.
pub fn pocket_folder() -> Option<PathBuf> {
    pocket_folder_of(&env::current_exe().ok()?)
}

fn pocket_folder_of(program: &Path) -> Option<PathBuf> {
    let folders = program.ancestors().skip(1);
    folders.flat_map(|folder| POCKET.map(|part| folder.join(part))).find(|folder| gguf_in(folder).is_some())
}

fn gguf_in(folder: &Path) -> Option<PathBuf> {
    let files = folder.read_dir().ok()?.filter_map(|entry| Some(entry.ok()?.path()));
    files.filter(|path| path.extension().is_some_and(|extension| extension == "gguf")).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pocket_model_is_found_wherever_a_package_puts_it() {
        let check = |program: &str, pocket: &str| {
            let root = tempfile::tempdir().unwrap();
            let folder = root.path().join(pocket);
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(folder.join("pocket-q8_0.gguf"), "").unwrap();
            assert_eq!(pocket_folder_of(&root.path().join(program)), Some(folder));
        };
        check("usr/bin/bagel", "usr/lib/Bagel Studio/pocket");
        check("Bagel Studio.app/Contents/MacOS/bagel", "Bagel Studio.app/Contents/Resources/pocket");
        check("Programs/Bagel Studio/bagel.exe", "Programs/Bagel Studio/pocket");
        check("clone/target/debug/bagel", "clone/assets/pocket");
    }

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
