//! Which model to load, and what this machine has for it.

use std::path::{Path, PathBuf};

use catalog::Catalog;
use protocol::{DeviceDescription, Failure, Hardware, ModelChoice, ModelDefaults, ModelOrigin, Settings};

use crate::engine::supervisor::Target;
use crate::{Error, Result};

/// A model to load, and what its parameters stand at.
#[derive(Clone, Debug)]
pub(crate) struct Chosen {
    pub(crate) target: Target,
    pub(crate) defaults: ModelDefaults,
}

/// What the machine has; `devices` is what the engine said.
pub(crate) fn hardware(models_folder: &Path, devices: Vec<DeviceDescription>) -> Hardware {
    catalog::hardware(models_folder, devices)
}

/// The model of a choice, if it is installed.
pub(crate) fn locate(catalog: &Catalog, choice: &ModelChoice) -> Result<Chosen> {
    let located = catalog.locate(choice)?;
    let origin = catalog.card(&choice.model, &Hardware::default())?.origin;
    let target = Target {
        path: located.path,
        base: located.base,
        name: located.name.en,
        choice: Some(choice.clone()),
        is_pocket: origin == ModelOrigin::Bundled,
    };
    Ok(Chosen { target, defaults: located.defaults })
}

/// A model in a file or folder that the catalog does not know.
pub(crate) fn by_path(path: PathBuf, is_pocket: bool) -> Chosen {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let target = Target { path, base: None, name, choice: None, is_pocket };
    Chosen { target, defaults: ModelDefaults::default() }
}

/// The model to begin with: the one named by hand, the one chosen last, or the pocket model.
pub(crate) fn first(
    catalog: &Catalog,
    named: Option<PathBuf>,
    settings: &Settings,
    pocket: Option<PathBuf>,
    notices: &mut Vec<Failure>,
) -> Option<Chosen> {
    if let Some(path) = named {
        return Some(by_path(path, false));
    }
    if let Some(choice) = &settings.model {
        match locate(catalog, choice) {
            Ok(chosen) => return Some(chosen),
            Err(error) => notices.push(instead(&error)),
        }
    }
    bundled(catalog).or_else(|| pocket.map(|path| by_path(path, true)))
}

/// The model that ships with the studio, as the catalog knows it.
fn bundled(catalog: &Catalog) -> Option<Chosen> {
    let cards = catalog.cards(&Hardware::default());
    let card = cards.into_iter().find(|card| card.origin == ModelOrigin::Bundled)?;
    let form = card.forms.iter().find(|form| form.is_installed)?;
    let choice = ModelChoice { model: card.id.clone(), quantization: form.quantization.clone() };
    locate(catalog, &choice).ok()
}

fn instead(error: &Error) -> Failure {
    let Failure { code, message } = error.failure();
    Failure { code, message: format!("the model used last cannot be loaded: {message}; the pocket model is used") }
}
