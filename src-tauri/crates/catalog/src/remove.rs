//! Giving a model's room back.

use std::fs;
use std::path::Path;

use protocol::ModelId;

use crate::catalog::{Catalog, FORMS, Model, parse_form};
use crate::layout::REMOVED_PREFIX;
use crate::{Error, Result};

/// What is removed of a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RemovalTarget {
    /// Its published files, whole and in parts.
    Source,
    /// One converted form.
    Form(String),
    /// All of it; an imported model is forgotten, a linked one's own files stay.
    All,
}

impl Catalog {
    /// Removes a part of a model or all of it, and says how many bytes that freed.
    ///
    /// # Errors
    /// [`Error::Unsuitable`] for the model that ships with the studio, [`Error::Needed`] when a
    /// fine-tune on this machine still reads files of it, [`Error::Busy`] when it is at work.
    #[tracing::instrument(skip_all, fields(model = %id.0, ?what))]
    pub fn remove(&self, id: &ModelId, what: &RemovalTarget) -> Result<u64> {
        let model = self.model(id)?;
        let unsuitable = |reason: &str| Error::Unsuitable { model: id.clone(), reason: reason.to_owned() };
        if matches!(model, Model::Bundled(_)) {
            return Err(unsuitable("it ships with the studio and cannot be removed"));
        }
        let _claim = self.claim(id)?;
        let folder = self.model_folder(id);
        if fs::symlink_metadata(&folder).is_ok_and(|about| !about.is_dir()) {
            return Err(unsuitable("its folder is a link; remove it by hand"));
        }
        if let Some(by) = self.needed_by(id, what) {
            return Err(Error::Needed { model: id.clone(), by });
        }
        match (what, model) {
            (RemovalTarget::Source, Model::Imported(_)) => Err(unsuitable("an imported model is removed as a whole")),
            (RemovalTarget::Source, _) => {
                let source = self.source_folder(id);
                let freed_bytes = remove_folder(self.folder(), &source)?;
                self.change(id, |record| {
                    // What the server told stays: the next download is held to it.
                    record.files.values_mut().for_each(|file| file.checked = None);
                    record.damage = None;
                })?;
                Ok(freed_bytes)
            }
            (RemovalTarget::Form(quantization), _) => {
                let form = parse_form(id, quantization, FORMS.into_iter())?;
                let path = self.form_path(id, form);
                let bytes = match fs::metadata(&path) {
                    Ok(about) => about.len(),
                    Err(_) => {
                        return Err(Error::NotInstalled { model: id.clone(), quantization: quantization.clone() });
                    }
                };
                fs::remove_file(&path).map_err(Error::io(&path))?;
                durable::sync_folder(&folder).map_err(Error::io(&folder))?;
                self.change(id, |record| drop(record.forms.remove(form.name())))?;
                Ok(bytes)
            }
            (RemovalTarget::All, _) => remove_folder(self.folder(), &folder),
        }
    }

    /// A model on this machine that cannot be opened without the published files of this one.
    fn needed_by(&self, id: &ModelId, what: &RemovalTarget) -> Option<ModelId> {
        // A converted form stands in for the files only when they are gone as well.
        if let RemovalTarget::Form(_) = what
            && self.manifest.entry(id).is_some_and(|entry| self.has_all_files(entry))
        {
            return None;
        }
        let listed = self.manifest.entries.iter().filter(|entry| entry.base.as_ref() == Some(id));
        let mut dependants = listed
            .filter(|entry| {
                self.has_all_files(entry) && self.source_with_base(entry).is_ok_and(|(_, base)| base.is_some())
            })
            .map(|entry| entry.id.clone());
        dependants.next().or_else(|| {
            self.ids().into_iter().find(|other| {
                let imported = self.record(other).imported;
                imported.is_some_and(|it| it.base.as_ref() == Some(&id.0) && it.path.exists())
            })
        })
    }
}

/// Removes a folder at once from its name, then its content; links are not followed.
fn remove_folder(root: &Path, folder: &Path) -> Result<u64> {
    if !folder.exists() {
        return Ok(0);
    }
    let bytes = folder_bytes(folder);
    let builder = tempfile::Builder::new().prefix(REMOVED_PREFIX).tempdir_in(root);
    let grave = builder.map_err(Error::io(root))?.keep();
    let target = grave.join("model");
    durable::rename(folder, &target).map_err(Error::io(folder))?;
    fs::remove_dir_all(&grave).map_err(Error::io(folder))?;
    Ok(bytes)
}

fn folder_bytes(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.metadata() {
            Ok(about) if about.is_dir() => folder_bytes(&entry.path()),
            Ok(about) if about.is_file() => about.len(),
            _ => 0,
        })
        .sum()
}
