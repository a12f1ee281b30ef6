//! The models of one folder.

use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use checkpoint::{Checkpoint, Config, Quantization};
use protocol::{LocalText, ModelChoice, ModelDefaults, ModelId};

use crate::bundled::{Bundled, find_bundled};
use crate::layout::{REMOVED_PREFIX, STAGING_PREFIX};
use crate::manifest::{Entry, Manifest, check_id};
use crate::record::{Imported, Record, Stamp};
use crate::verdict::MemoryNeeds;
use crate::{Error, Result};

/// The forms that published weights can be brought into, the most exact first.
pub(crate) const FORMS: [Quantization; 5] =
    [Quantization::Bf16, Quantization::Q8_0, Quantization::Q6K, Quantization::Q5KM, Quantization::Q4KM];

/// How often, and how far apart, a model is asked for that is at work.
const N_CLAIMS: u32 = 20;
const CLAIM_WAIT: Duration = Duration::from_millis(20);

/// All models that are listed, bundled or imported, and what is on disk of them.
///
/// Answers come from the disk each time, so that a file that somebody removed is missed at once.
#[derive(Debug)]
pub struct Catalog {
    folder: PathBuf,
    user_toml: Option<PathBuf>,
    bundled: Option<PathBuf>,
    pub(crate) manifest: Manifest,
    /// Held while a record is read, changed and written.
    records: Mutex<()>,
    plans: Mutex<Vec<(Config, Arc<Vec<FormPlan>>)>>,
    opened: Mutex<BTreeMap<PathBuf, (Stamp, Arc<Bundled>)>>,
}

/// What one form of a model takes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FormPlan {
    pub(crate) quantization: Quantization,
    pub(crate) file_bytes: u64,
    pub(crate) needs: MemoryNeeds,
}

/// Where a model is, for the engine to load.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelLocation {
    /// A folder, a safetensors file or a GGUF of ours.
    pub path: PathBuf,
    /// What supplies the tensors that it lacks.
    pub base: Option<PathBuf>,
    /// Parameters that requests are made with.
    pub defaults: ModelDefaults,
    /// What it is called.
    pub name: LocalText,
}

/// A model by where it comes from.
pub(crate) enum Model<'a> {
    Bundled(&'a Entry),
    Listed(&'a Entry),
    Imported(Box<Imported>),
}

/// Keeps other programs away from one model; until it is dropped.
#[derive(Debug)]
pub(crate) struct Claim {
    _file: File,
}

impl Catalog {
    /// Opens the models of a folder, which is made when the first model comes.
    ///
    /// `user_toml` adds to the models that are compiled in; `bundled` is the folder of the model
    /// that ships with the studio. Either may be absent.
    ///
    /// # Errors
    /// [`Error::Manifest`] when the user's file cannot be understood.
    pub fn open(models_folder: PathBuf, user_toml: Option<PathBuf>, bundled: Option<PathBuf>) -> Result<Self> {
        let catalog = Self {
            manifest: Manifest::with_user(user_toml.as_deref())?,
            folder: models_folder,
            user_toml,
            bundled,
            records: Mutex::new(()),
            plans: Mutex::new(Vec::new()),
            opened: Mutex::new(BTreeMap::new()),
        };
        catalog.sweep();
        Ok(catalog)
    }

    /// The folder of all models.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The file in which the user lists models of their own, if there can be one.
    pub fn user_toml(&self) -> Option<&Path> {
        self.user_toml.as_deref()
    }

    /// Where a model is, in one of its forms.
    ///
    /// # Errors
    /// [`Error::NotInstalled`] when it is not here, [`Error::Unknown`] and [`Error::UnknownForm`]
    /// when there is no such thing, [`Error::BaseMissing`] when only its base is lacking.
    pub fn locate(&self, choice: &ModelChoice) -> Result<ModelLocation> {
        let (id, quantization) = (&choice.model, choice.quantization.as_str());
        let absent = || Error::NotInstalled { model: id.clone(), quantization: quantization.to_owned() };
        match self.model(id)? {
            Model::Bundled(entry) => {
                let files = self.bundled_files();
                let unknown = || unknown_form(id, quantization, files.iter().map(|it| it.quantization.name()));
                if files.is_empty() {
                    return Err(absent());
                }
                let found = files.iter().find(|it| it.quantization.name() == quantization).ok_or_else(unknown)?;
                Ok(ModelLocation {
                    path: found.path.clone(),
                    base: None,
                    defaults: entry.defaults.clone(),
                    name: entry.name.clone(),
                })
            }
            Model::Listed(entry) => {
                let form = parse_form(id, quantization, FORMS.iter().copied())?;
                let (path, base) = if form == Quantization::Bf16 {
                    if !self.has_all_files(entry) {
                        return Err(absent());
                    }
                    self.source_with_base(entry)?
                } else {
                    (self.converted(id, form, &self.record(id)).ok_or_else(absent)?, None)
                };
                Ok(ModelLocation { path, base, defaults: entry.defaults.clone(), name: entry.name.clone() })
            }
            Model::Imported(imported) => {
                let located = |path: PathBuf, base: Option<PathBuf>| ModelLocation {
                    path,
                    base,
                    defaults: ModelDefaults::default(),
                    name: imported.name.clone(),
                };
                if imported.quantization == quantization {
                    if !imported.path.exists() {
                        return Err(absent());
                    }
                    let base =
                        imported.base.as_ref().map(|base| self.base_of(id, &ModelId(base.clone()))).transpose()?;
                    return Ok(located(imported.path.clone(), base));
                }
                let form = parse_form(id, quantization, imported.forms())?;
                let path = self.converted(id, form, &self.record(id)).ok_or_else(absent)?;
                Ok(located(path, None))
            }
        }
    }

    /// Whether a model was taken up from where the artist has it, and is removed as a whole.
    pub fn is_imported(&self, id: &ModelId) -> bool {
        matches!(self.model(id), Ok(Model::Imported(_)))
    }

    pub(crate) fn model(&self, id: &ModelId) -> Result<Model<'_>> {
        if let Some(entry) = self.manifest.entry(id) {
            return Ok(if entry.bundled { Model::Bundled(entry) } else { Model::Listed(entry) });
        }
        // An id becomes a folder's name only after this.
        let imported = check_id(&id.0).ok().and_then(|()| self.record(id).imported);
        imported.map(|it| Model::Imported(Box::new(it))).ok_or_else(|| Error::Unknown(id.clone()))
    }

    /// All models: listed ones in their order, then imported ones by time.
    /// Ids of all models: those listed, then those imported, oldest first.
    pub fn ids(&self) -> Vec<ModelId> {
        let mut ids: Vec<ModelId> = self.manifest.entries.iter().map(|entry| entry.id.clone()).collect();
        let mut imported: Vec<(i64, ModelId)> = Vec::new();
        for entry in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            let Some(id) = entry.file_name().to_str().map(|name| ModelId(name.to_owned())) else { continue };
            if check_id(&id.0).is_err() || self.manifest.entry(&id).is_some() {
                continue;
            }
            if let Some(it) = self.record(&id).imported {
                imported.push((it.at_ms, id));
            }
        }
        imported.sort();
        ids.extend(imported.into_iter().map(|(_, id)| id));
        ids
    }

    /// Keeps other programs, and other calls, away from a model.
    ///
    /// Waits a moment for a download that was just stopped and writes its last block.
    pub(crate) fn claim(&self, id: &ModelId) -> Result<Claim> {
        for _ in 0..N_CLAIMS {
            if let Some(claim) = self.try_claim(id)? {
                return Ok(claim);
            }
            std::thread::sleep(CLAIM_WAIT);
        }
        self.try_claim(id)?.ok_or_else(|| Error::Busy { model: id.clone() })
    }

    /// As [`claim`](Self::claim), for async code.
    pub(crate) async fn claim_soon(&self, id: &ModelId) -> Result<Claim> {
        for _ in 0..N_CLAIMS {
            if let Some(claim) = self.try_claim(id)? {
                return Ok(claim);
            }
            tokio::time::sleep(CLAIM_WAIT).await;
        }
        self.try_claim(id)?.ok_or_else(|| Error::Busy { model: id.clone() })
    }

    fn try_claim(&self, id: &ModelId) -> Result<Option<Claim>> {
        let folder = self.folder.join(".locks");
        fs::create_dir_all(&folder).map_err(Error::io(&folder))?;
        let path = folder.join(&id.0);
        let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(Error::io(&path))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Claim { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(Error::io(&path)(error)),
        }
    }

    pub(crate) fn model_folder(&self, id: &ModelId) -> PathBuf {
        self.folder.join(&id.0)
    }

    /// Where the published files of a model are; what is made of them is named after this folder.
    pub(crate) fn source_folder(&self, id: &ModelId) -> PathBuf {
        self.model_folder(id).join(&id.0)
    }

    /// Where a converted form of a model is.
    pub(crate) fn form_path(&self, id: &ModelId, quantization: Quantization) -> PathBuf {
        self.model_folder(id).join(format!("{}-{}.gguf", id.0, quantization.name()))
    }

    /// A converted form that is here and unchanged.
    pub(crate) fn converted(&self, id: &ModelId, form: Quantization, record: &Record) -> Option<PathBuf> {
        let path = self.form_path(id, form);
        let stamp = record.forms.get(form.name())?;
        (Stamp::of(&path).as_ref() == Some(stamp)).then_some(path)
    }

    pub(crate) fn record(&self, id: &ModelId) -> Record {
        Record::read(&self.model_folder(id))
    }

    /// Reads, changes and writes what is remembered of a model.
    pub(crate) fn change(&self, id: &ModelId, change: impl FnOnce(&mut Record)) -> Result<()> {
        let _held = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        let mut record = self.record(id);
        let before = record.clone();
        change(&mut record);
        if record != before { record.write(&self.model_folder(id)) } else { Ok(()) }
    }

    /// Whether all published files are here and were found right.
    pub(crate) fn has_all_files(&self, entry: &Entry) -> bool {
        let record = self.record(&entry.id);
        let folder = self.source_folder(&entry.id);
        record.damage.is_none()
            && !entry.files.is_empty()
            && entry.files.iter().all(|file| {
                record.files.get(&file.path).is_some_and(|it| {
                    (it.absent && file.optional)
                        || it.checked.is_some() && Stamp::of(&folder.join(&file.path)) == it.checked
                })
            })
    }

    /// A listed model's published files, with its base where it cannot be opened without.
    pub(crate) fn source_with_base(&self, entry: &Entry) -> Result<(PathBuf, Option<PathBuf>)> {
        let source = self.source_folder(&entry.id);
        let Some(base) = &entry.base else { return Ok((source, None)) };
        match Checkpoint::open(&source, None) {
            Ok(_) => Ok((source, None)),
            Err(checkpoint::Error::Tensors { .. } | checkpoint::Error::TokenizerMissing { .. }) => {
                let base = self.base_of(&entry.id, base)?;
                Ok((source, Some(base)))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Where the base of a model is: its published files, else the most exact form of it.
    pub(crate) fn base_of(&self, model: &ModelId, base: &ModelId) -> Result<PathBuf> {
        let missing = || Error::BaseMissing { model: model.clone(), base: base.clone() };
        let entry = self.manifest.entry(base).ok_or_else(missing)?;
        if self.has_all_files(entry) {
            return Ok(self.source_folder(base));
        }
        let record = self.record(base);
        FORMS.into_iter().find_map(|form| self.converted(base, form, &record)).ok_or_else(missing)
    }

    /// The files of the bundled model, the most exact first.
    pub(crate) fn bundled_files(&self) -> Vec<Arc<Bundled>> {
        let Some(folder) = &self.bundled else { return Vec::new() };
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        let mut found = Vec::new();
        for path in find_bundled(folder) {
            let Some(stamp) = Stamp::of(&path) else { continue };
            if opened.get(&path).is_none_or(|(then, _)| *then != stamp) {
                match Bundled::open(&path) {
                    Ok(bundled) => drop(opened.insert(path.clone(), (stamp, Arc::new(bundled)))),
                    Err(error) => {
                        tracing::warn!(%error, "a bundled model cannot be used");
                        opened.remove(&path);
                    }
                }
            }
            found.extend(opened.get(&path).map(|(_, bundled)| Arc::clone(bundled)));
        }
        found.sort_by_key(|it| it.quantization);
        found
    }

    /// What each form of a model of these shapes takes; counted once for each shape.
    pub(crate) fn plans(&self, config: &Config) -> Arc<Vec<FormPlan>> {
        let mut plans = self.plans.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, known)) = plans.iter().find(|(it, _)| it == config) {
            return Arc::clone(known);
        }
        let all = Quantization::ALL.map(|quantization| FormPlan {
            quantization,
            file_bytes: checkpoint::estimate::total_bytes(&checkpoint::estimate::planned_sizes(
                config,
                quantization,
                quantization,
            )),
            needs: MemoryNeeds::of(config, quantization),
        });
        let all = Arc::new(all.to_vec());
        plans.push((config.clone(), Arc::clone(&all)));
        all
    }

    /// Removes what a program that was killed left behind.
    fn sweep(&self) {
        for entry in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let is_removed = name.starts_with(REMOVED_PREFIX);
            // A copy of another program may still be under way.
            let is_old = || {
                let age = entry.metadata().ok().and_then(|it| it.modified().ok()).and_then(|it| it.elapsed().ok());
                age.is_some_and(|age| age.as_secs() > 24 * 3600)
            };
            if is_removed || (name.starts_with(STAGING_PREFIX) && is_old()) {
                drop(fs::remove_dir_all(entry.path()));
            }
        }
    }
}

impl Imported {
    /// The forms it can be brought into.
    pub(crate) fn forms(&self) -> impl Iterator<Item = Quantization> + Clone + use<> {
        let own: Option<Quantization> = self.quantization.parse().ok();
        let others = FORMS.into_iter().filter(move |it| own.is_none_or(|own| *it > own));
        let n_others = if self.is_gguf { 0 } else { usize::MAX };
        own.into_iter().chain(others.take(n_others))
    }
}

/// Reads the name of a form that a model has.
pub(crate) fn parse_form(
    id: &ModelId,
    quantization: &str,
    forms: impl Iterator<Item = Quantization> + Clone,
) -> Result<Quantization> {
    let found = forms.clone().find(|it| it.name() == quantization);
    found.ok_or_else(|| unknown_form(id, quantization, forms.map(Quantization::name)))
}

fn unknown_form<'a>(id: &ModelId, quantization: &str, forms: impl Iterator<Item = &'a str>) -> Error {
    Error::UnknownForm {
        model: id.clone(),
        quantization: quantization.to_owned(),
        choices: forms.collect::<Vec<_>>().join(", "),
    }
}
