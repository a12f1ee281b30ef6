//! Where the engine program and the model are.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// Names the engine program where it does not lie beside the studio.
pub const ENGINE_VARIABLE: &str = "BAGEL_ENGINE";

/// Names the model where the one chosen in the window is not meant.
pub const MODEL_VARIABLE: &str = "BAGEL_MODEL";

/// Names another data folder than the user's own.
pub const DATA_VARIABLE: &str = "BAGEL_STUDIO_DATA";

/// What the studio remembers between starts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// The model that the artist chose; the pocket model when absent.
    pub model: Option<PathBuf>,
}

impl Settings {
    /// Reads the settings of a data folder; what cannot be understood counts as not set.
    pub fn read(folder: &Path) -> Self {
        let read = std::fs::read(folder.join("settings.json")).ok();
        read.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
    }

    /// Writes the settings of a data folder.
    pub fn write(&self, folder: &Path) -> Result<()> {
        let path = folder.join("settings.json");
        let bytes = serde_json::to_vec_pretty(self).map_err(|error| Error::disk("write", &path)(error.into()))?;
        Ok(imagefile::place_bytes(&path, &bytes, imagefile::Overwrite::Replace)?)
    }
}

/// The user's own data folder.
pub fn data_folder() -> Result<PathBuf> {
    if let Some(folder) = std::env::var_os(DATA_VARIABLE) {
        return Ok(folder.into());
    }
    directories::ProjectDirs::from("", "", "Bagel Studio")
        .map(|folders| folders.data_dir().to_path_buf())
        .ok_or_else(|| Error::BadRequest(format!("there is no home folder; set {DATA_VARIABLE} to a folder")))
}

/// The engine program: named by the environment, or beside this program.
pub fn engine_program() -> PathBuf {
    if let Some(program) = std::env::var_os(ENGINE_VARIABLE) {
        return program.into();
    }
    program_folder().join(format!("bagel{}", std::env::consts::EXE_SUFFIX))
}

/// The model to load: named by the environment, chosen earlier, or the pocket model.
pub fn model(settings: &Settings) -> Option<PathBuf> {
    let named = std::env::var_os(MODEL_VARIABLE).map(PathBuf::from);
    named.or_else(|| settings.model.clone()).or_else(pocket_model)
}

/// The pocket model beside the program, or in the repository the program was built in.
fn pocket_model() -> Option<PathBuf> {
    let program = program_folder();
    let installed = program.ancestors().take(1).map(|folder| folder.join("pocket"));
    let repository = program.ancestors().skip(1).take(3).map(|folder| folder.join("assets/pocket"));
    installed.chain(repository).find_map(|folder| {
        let entries = std::fs::read_dir(folder).ok()?;
        let mut models: Vec<PathBuf> =
            entries.flatten().map(|e| e.path()).filter(|path| path.extension().is_some_and(|e| e == "gguf")).collect();
        models.sort();
        models.into_iter().next()
    })
}

fn program_folder() -> PathBuf {
    let program = std::env::current_exe().unwrap_or_default();
    program.parent().map(Path::to_path_buf).unwrap_or_default()
}
