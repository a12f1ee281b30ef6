//! Finds an installed model by what a person types: an id, or the path of its files.

use std::path::Path;

use protocol::{Hardware, ModelChoice, ModelId};

use crate::catalog::{Catalog, ModelLocation};
use crate::{Error, Result};

impl Catalog {
    /// Finds an installed model by `id` or `id:quantization`, as in `bagel-7b-mot:q4_k_m`.
    ///
    /// An id alone means the form recommended for `hardware` if it is installed, else the first installed one.
    ///
    /// # Errors
    /// As [`Catalog::locate`].
    pub fn find(&self, name: &str, hardware: &Hardware) -> Result<ModelLocation> {
        let (id, quantization) = match name.split_once(':') {
            Some((id, quantization)) => (id, Some(quantization.to_owned())),
            None => (name, None),
        };
        let model = ModelId(id.to_owned());
        let forms = self.card(&model, hardware)?.forms;
        let installed = || forms.iter().filter(|form| form.is_installed);
        let form =
            installed().find(|form| form.is_recommended).or_else(|| installed().next()).or_else(|| forms.first());
        let quantization = quantization.or_else(|| Some(form?.quantization.clone()));
        let quantization = quantization.ok_or_else(|| Error::Unknown(model.clone()))?;
        self.locate(&ModelChoice { model, quantization })
    }

    /// The installed model whose files are at `path`, or whose only file is the same by name and length.
    pub fn find_by_path(&self, path: &Path) -> Option<ModelLocation> {
        let path = path.canonicalize().ok()?;
        for model in self.ids() {
            let Ok(card) = self.card(&model, &Hardware::default()) else { continue };
            for form in card.forms.into_iter().filter(|form| form.is_installed) {
                let choice = ModelChoice { model: model.clone(), quantization: form.quantization };
                let Ok(located) = self.locate(&choice) else { continue };
                if located.path.canonicalize().is_ok_and(|known| known == path) {
                    return Some(located);
                }
            }
        }
        let length = path.metadata().ok()?.len();
        let entry = self.manifest.entries.iter().find(|entry| match entry.files.as_slice() {
            [file] => {
                path.file_name().is_some_and(|name| name == file.path.as_str()) && file.bytes.get() == Some(&length)
            }
            _ => false,
        })?;
        Some(ModelLocation { path, base: None, defaults: entry.defaults.clone(), name: entry.name.clone() })
    }
}
