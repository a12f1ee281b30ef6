//! Finds the model that a command names, and the folders of the program.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use catalog::Catalog;
use checkpoint::Verified;
use directories::ProjectDirs;
use protocol::ModelDefaults;

use crate::arguments::ModelOptions;
use crate::{Error, Result};

/// Names the model for all commands of a session.
const MODEL_VARIABLE: &str = "BAGEL_MODEL";

/// Names the folder of the studio's data.
const DATA_VARIABLE: &str = "BAGEL_STUDIO_DATA";

/// A model on disk, and the parameters that its requests start from.
#[derive(Clone, Debug)]
pub struct FoundModel {
    /// A folder, a safetensors file or a GGUF.
    pub path: PathBuf,
    /// The model that supplies missing files.
    pub base: Option<PathBuf>,
    /// The model's own parameters if the catalog knows it, else the reference's.
    pub defaults: ModelDefaults,
}

/// The model of the options, of `BAGEL_MODEL`, or the pocket model.
pub fn find_model(options: &ModelOptions) -> Result<FoundModel> {
    let from_variable = || env::var_os(MODEL_VARIABLE).filter(|name| !name.is_empty());
    let name = options.model.clone().or_else(from_variable).or_else(|| Some(gguf_in(&pocket_folder()?)?.into()));
    let name = name.ok_or_else(|| {
        Error::ModelMissing(format!(
            "the pocket model is not installed; name a model with --model or with {MODEL_VARIABLE}"
        ))
    })?;
    find(&name, options.base.as_deref())
}

/// A model by its path, or by `id` or `id:quantization` of the catalog; an existing path wins.
///
/// `base` is found the same way.
pub fn find(name: &OsStr, base: Option<&OsStr>) -> Result<FoundModel> {
    let given_base = base.map(|base| find(base, None)).transpose()?.map(|base| base.path);
    let path = Path::new(name);
    if path.exists() || path.components().count() > 1 || name.is_empty() {
        // A model given by path needs no catalog, so a broken models.toml does not matter.
        let known = open_catalog(None, None).ok().and_then(|catalog| catalog.find_by_path(path));
        let defaults = known.map(|known| known.defaults).unwrap_or_default();
        return Ok(FoundModel { path: path.to_path_buf(), base: given_base, defaults });
    }
    let catalog = open_catalog(None, None)?;
    let hardware = catalog::hardware(catalog.folder(), bagel::devices());
    match catalog.find(&name.to_string_lossy(), &hardware) {
        Ok(found) => Ok(FoundModel { path: found.path, base: given_base.or(found.base), defaults: found.defaults }),
        Err(catalog::Error::Unknown(_)) => {
            let ids: Vec<String> = catalog.ids().into_iter().map(|id| id.0).collect();
            let (shown, ids) = (path.display(), ids.join(", "));
            Err(Error::ModelMissing(format!("{shown}: no such file or folder, and no model has this id; ids: {ids}")))
        }
        Err(error) => Err(error.into()),
    }
}

/// Opens the catalog of `folder` and `models_toml`; each is the studio's own when absent.
pub fn open_catalog(folder: Option<&Path>, models_toml: Option<&Path>) -> Result<Catalog> {
    let data = match env::var_os(DATA_VARIABLE).filter(|folder| !folder.is_empty()) {
        Some(folder) => Some(PathBuf::from(folder)),
        None => ProjectDirs::from("", "", "Bagel Studio").map(|folders| folders.data_dir().to_path_buf()),
    };
    let folder = folder.map(Path::to_path_buf).or_else(|| Some(data.as_ref()?.join("models")));
    let folder = folder
        .ok_or_else(|| Error::Usage(format!("this user has no home folder; give --folder or set {DATA_VARIABLE}")))?;
    if let Some(path) = models_toml.filter(|path| !path.is_file()) {
        return Err(Error::BadInput(format!("{}: no such file", path.display())));
    }
    let models_toml = models_toml.map(Path::to_path_buf).or_else(|| Some(data?.join("models.toml")));
    Ok(Catalog::open(folder, models_toml, pocket_folder())?)
}

/// The record of verified weights; absent if the system names no cache folder.
pub fn verified() -> Option<Verified> {
    let folder = match env::var_os(DATA_VARIABLE).filter(|folder| !folder.is_empty()) {
        Some(folder) => PathBuf::from(folder),
        None => ProjectDirs::from("", "", "Bagel Studio")?.cache_dir().to_path_buf(),
    };
    Some(Verified::new(folder.join("verified")))
}

/// Folders of the pocket model, relative to a folder above the program: beside it, in packages for Linux and macOS, and
/// in the repository that it was built in.
const POCKET: [&str; 4] = ["pocket", "lib/Bagel Studio/pocket", "Resources/pocket", "assets/pocket"];

/// The folder of the pocket model, beside the installed program or in its repository.
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
    fn the_pocket_model_is_found_in_every_package() {
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
