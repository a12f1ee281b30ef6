//! Where the engine programs, the bundled model and the user's own folders are.

use std::path::{Path, PathBuf};

use protocol::Settings;

use crate::{Error, Result};

/// Names the engine program where it does not lie beside the studio.
pub const ENGINE_VARIABLE: &str = "BAGEL_ENGINE";

/// Names the model where the one chosen in the window is not meant.
pub const MODEL_VARIABLE: &str = "BAGEL_MODEL";

/// Names another data folder than the user's own.
pub const DATA_VARIABLE: &str = "BAGEL_STUDIO_DATA";

/// The engine's variants, those that need more of the machine first.
const PROGRAMS: [&str; 3] = ["bagel-cuda", "bagel-metal", "bagel"];

/// The user's own data folder.
pub fn data_folder() -> Result<PathBuf> {
    if let Some(folder) = std::env::var_os(DATA_VARIABLE).filter(|folder| !folder.is_empty()) {
        return Ok(folder.into());
    }
    directories::ProjectDirs::from("", "", "Bagel Studio")
        .map(|folders| folders.data_dir().to_path_buf())
        .ok_or_else(|| Error::BadRequest(format!("there is no home folder; set {DATA_VARIABLE} to a folder")))
}

/// Where images are kept.
pub fn library_folder(data_folder: &Path, settings: &Settings) -> PathBuf {
    settings.library_folder.clone().unwrap_or_else(|| data_folder.join("library"))
}

/// Where models are kept.
pub fn models_folder(data_folder: &Path, settings: &Settings) -> PathBuf {
    settings.models_folder.clone().unwrap_or_else(|| data_folder.join("models"))
}

/// Where logs are kept.
pub fn logs_folder(data_folder: &Path) -> PathBuf {
    data_folder.join("logs")
}

/// The engine programs: the one that the environment or the artist names, or all variants beside this program.
pub fn engine_programs(settings: &Settings) -> Vec<PathBuf> {
    let named = std::env::var_os(ENGINE_VARIABLE).map(PathBuf::from);
    if let Some(program) = named.or_else(|| settings.engine.clone()) {
        return vec![program];
    }
    let beside: Vec<PathBuf> = PROGRAMS.iter().map(|name| program_called(name)).collect();
    let found: Vec<PathBuf> = beside.iter().filter(|program| program.is_file()).cloned().collect();
    // One that is missing is named when it does not start.
    if found.is_empty() { vec![program_called("bagel")] } else { found }
}

/// The model that the environment names.
pub fn named_model() -> Option<PathBuf> {
    std::env::var_os(MODEL_VARIABLE).filter(|path| !path.is_empty()).map(PathBuf::from)
}

/// The folder of the pocket model: where the program was installed, or in the repository it was built in.
pub fn pocket_folder() -> Option<PathBuf> {
    let program = program_folder();
    // Beside the program, and where packages for Linux and macOS put what is no program.
    let installed =
        ["pocket", "../lib/Bagel Studio/pocket", "../Resources/pocket"].map(|folder| program.join(folder)).into_iter();
    let repository = program.ancestors().skip(1).take(3).map(|folder| folder.join("assets/pocket"));
    installed.chain(repository).find(|folder| folder.is_dir())
}

/// The pocket model's file in its folder.
pub fn pocket_model(folder: &Path) -> Option<PathBuf> {
    let entries = std::fs::read_dir(folder).ok()?;
    let is_model = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "gguf");
    entries.flatten().map(|entry| entry.path()).filter(is_model).min()
}

fn program_called(name: &str) -> PathBuf {
    program_folder().join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
}

fn program_folder() -> PathBuf {
    let program = std::env::current_exe().unwrap_or_default();
    program.parent().map(Path::to_path_buf).unwrap_or_default()
}
