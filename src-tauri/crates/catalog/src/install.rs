//! From published files to a form that runs: download, check, convert, and make room.
//!
//! The conversion itself is the engine program's work; here is what it needs to
//! know, and what is remembered so that an interrupted installation can go on.

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use checkpoint::{Checkpoint, Quantization};
use protocol::ModelId;

use crate::catalog::{Catalog, FORMS, Model, parse_form};
use crate::download::{
    DownloadOptions, DownloadProgress, DownloadStage, Fetched, Fetcher, FileRequest, Transport, Watch, hash_file,
    part_of,
};
use crate::import::stored_quantization;
use crate::manifest::Entry;
use crate::record::{FileRecord, InstallPlan, Stamp};
use crate::remove::RemovalTarget;
use crate::{Error, Result};

/// The newest commit, where no catalog names one.
const NEWEST: &str = "main";

/// What a conversion reads and writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConversionPaths {
    /// The published files.
    pub source: PathBuf,
    /// What supplies the tensors they lack.
    pub base: Option<PathBuf>,
    /// The file to be written; the engine program writes it elsewhere first and renames it.
    pub target: PathBuf,
    /// Bytes to be read.
    pub source_bytes: u64,
    /// Bytes to be written, about.
    pub target_bytes: u64,
}

impl Catalog {
    /// Remembers what a model is to become, until [`finish_install`](Self::finish_install) or
    /// [`cancel_install`](Self::cancel_install).
    #[tracing::instrument(skip_all, fields(model = %id.0, quantization = %plan.quantization))]
    pub fn begin_install(&self, id: &ModelId, plan: InstallPlan) -> Result<()> {
        match self.model(id)? {
            Model::Bundled(_) => return Err(self.not_published(id)),
            Model::Listed(_) => parse_form(id, &plan.quantization, FORMS.into_iter())?,
            Model::Imported(imported) => parse_form(id, &plan.quantization, imported.forms())?,
        };
        self.change(id, |record| record.install = Some(plan))
    }

    /// Installations that were begun and are not complete.
    pub fn pending_installs(&self) -> Vec<(ModelId, InstallPlan)> {
        self.ids().into_iter().filter_map(|id| Some((id.clone(), self.record(&id).install?))).collect()
    }

    /// What a model was to become when its installation was interrupted.
    pub fn pending_install(&self, id: &ModelId) -> Option<InstallPlan> {
        self.model(id).ok()?;
        self.record(id).install
    }

    /// Forgets an installation; what has arrived stays, half a form does not.
    pub fn cancel_install(&self, id: &ModelId) -> Result<()> {
        let plan = self.pending_install(id);
        if let Some(form) = plan.and_then(|plan| plan.quantization.parse::<Quantization>().ok()) {
            durable::remove_leftovers(&self.form_path(id, form));
        }
        self.change(id, |record| record.install = None)
    }

    /// Ends an installation whose form is here, and removes the published files if that was asked for.
    ///
    /// # Errors
    /// [`Error::NotInstalled`] when the form is not here. Files that another model needs stay.
    #[tracing::instrument(skip_all, fields(model = %id.0))]
    pub fn finish_install(&self, id: &ModelId) -> Result<u64> {
        let Some(plan) = self.record(id).install else { return Ok(0) };
        let choice = protocol::ModelChoice { model: id.clone(), quantization: plan.quantization.clone() };
        self.locate(&choice)?;
        let is_source = plan.quantization == Quantization::Bf16.name();
        let freed_bytes = if plan.removes_source && !is_source {
            match self.remove(id, &RemovalTarget::Source) {
                Ok(bytes) => bytes,
                Err(Error::Needed { .. } | Error::Unsuitable { .. }) => 0,
                Err(error) => return Err(error),
            }
        } else {
            0
        };
        self.cancel_install(id)?;
        Ok(freed_bytes)
    }

    /// What a conversion to a form reads and writes.
    ///
    /// # Errors
    /// [`Error::NotInstalled`] when the published files are not all here, [`Error::DiskFull`] when
    /// the form does not fit beside them.
    pub fn conversion(&self, id: &ModelId, quantization: &str) -> Result<ConversionPaths> {
        let (source, base) = match self.model(id)? {
            Model::Listed(entry) => {
                if !self.has_all_files(entry) {
                    let quantization = Quantization::Bf16.name().to_owned();
                    return Err(Error::NotInstalled { model: id.clone(), quantization });
                }
                self.source_with_base(entry)?
            }
            Model::Imported(imported) => {
                let base = imported.base.as_ref().map(|base| self.base_of(id, &ModelId(base.clone()))).transpose()?;
                (imported.path.clone(), base)
            }
            Model::Bundled(_) => return Err(self.not_published(id)),
        };
        let form = parse_form(id, quantization, FORMS.into_iter().filter(|it| *it != Quantization::Bf16))?;
        let checkpoint = Checkpoint::open(&source, base.as_deref())?;
        let target = self.form_path(id, form);
        durable::remove_leftovers(&target);
        let target_bytes =
            self.plans(checkpoint.config()).iter().find(|it| it.quantization == form).map_or(0, |it| it.file_bytes);
        Error::check_free_space(self.folder(), target_bytes)?;
        Ok(ConversionPaths { source, base, target, source_bytes: checkpoint.total_bytes(), target_bytes })
    }

    /// Takes up a form that was converted to where [`conversion`](Self::conversion) said.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] when the file is no whole model, [`Error::Unsuitable`] when it is another form.
    #[tracing::instrument(skip_all, fields(model = %id.0, quantization))]
    pub fn register(&self, id: &ModelId, quantization: &str) -> Result<()> {
        let form = parse_form(id, quantization, FORMS.into_iter())?;
        let path = self.form_path(id, form);
        let checkpoint = Checkpoint::open(&path, None)?;
        let found = stored_quantization(&checkpoint)?;
        if found != form {
            let reason = format!("{} holds {found} instead of {form}; convert it again", path.display());
            return Err(Error::Unsuitable { model: id.clone(), reason });
        }
        let stamp = Stamp::of(&path)
            .ok_or_else(|| Error::NotInstalled { model: id.clone(), quantization: quantization.to_owned() })?;
        self.change(id, |record| drop(record.forms.insert(form.name().to_owned(), stamp)))
    }

    /// Whether a form is here. One whose conversion ended just before the program did is taken up now.
    ///
    /// # Errors
    /// [`Error::Unknown`] and [`Error::UnknownForm`] when there is no such thing.
    pub fn has_form(&self, id: &ModelId, quantization: &str) -> Result<bool> {
        let choice = protocol::ModelChoice { model: id.clone(), quantization: quantization.to_owned() };
        match self.locate(&choice) {
            Ok(_) => Ok(true),
            // One that is known and looks different now was changed by somebody else, and is made anew.
            Err(Error::NotInstalled { .. }) if !self.record(id).forms.contains_key(quantization) => {
                Ok(quantization != Quantization::Bf16.name() && self.register(id, quantization).is_ok())
            }
            Err(Error::NotInstalled { .. } | Error::BaseMissing { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Fetches what is lacking of a model's published files, compares every file with what was
    /// published, and checks that together they are a model.
    ///
    /// Goes on from whatever is here. Dropping the future, or an answer of `Break`, pauses it;
    /// nothing that has arrived is lost. The observer is called ten times a second.
    ///
    /// # Errors
    /// [`Error::Network`] after repeated failures, [`Error::Hash`] when wrong bytes keep arriving,
    /// [`Error::DiskFull`], [`Error::Refused`], [`Error::Checkpoint`] when the files are no model,
    /// [`Error::BaseMissing`] when the files are fine but need those of a base that is not here.
    #[tracing::instrument(skip_all, fields(model = %id.0))]
    pub async fn download(
        &self,
        id: &ModelId,
        options: &DownloadOptions,
        mut observe: impl FnMut(DownloadProgress) -> ControlFlow<()> + Send,
    ) -> Result<()> {
        let entry = self.published(id)?;
        let claim = Arc::new(self.claim_soon(id).await?);
        let folder = self.source_folder(id);
        fs::create_dir_all(&folder).map_err(Error::io(&folder))?;
        let mut watch = Watch::new(&mut observe, entry.download_bytes());
        self.check_room(entry)?;
        let transport = Transport::new(options)?;
        let mut fetcher = Fetcher::new(&transport, &options.timeouts);
        let mut before = 0;
        let started = Instant::now();
        for file in &entry.files {
            watch.enter(&file.path, before);
            let path = folder.join(&file.path);
            if !self.is_right(entry, &file.path, &mut watch).await? {
                self.set_aside(entry, &file.path)?;
                let record = self.record(id);
                let revision = entry.revision.get().cloned().or(record.revision);
                let wanted = FileRequest {
                    repository: entry.repository.as_deref().unwrap_or_default(),
                    revision: revision.as_deref().unwrap_or(NEWEST),
                    path: &file.path,
                    bytes: file.bytes.get().copied(),
                    max_bytes: file.max_bytes(),
                    sha256: file.sha256.get().map(String::as_str),
                    destination: &path,
                    claim: &claim,
                };
                let known = record.files.get(&file.path).cloned().unwrap_or_default();
                let keep = |known: &FileRecord, commit: Option<&str>| {
                    self.change(id, |record| {
                        drop(record.files.insert(file.path.clone(), known.clone()));
                        if record.revision.is_none() {
                            record.revision = commit.map(str::to_owned);
                        }
                    })
                };
                match fetcher.fetch(&wanted, known, &keep, &mut watch).await? {
                    Fetched::Whole { sha256, part } => self.take(entry, &file.path, &sha256, &part)?,
                    Fetched::Absent if file.optional => {
                        self.change(id, |record| record.files.entry(file.path.clone()).or_default().absent = true)?;
                    }
                    Fetched::Absent => {
                        let reason = format!("{} has no file {}", wanted.repository, file.path);
                        return Err(Error::Network { host: transport.host().to_owned(), reason });
                    }
                }
            }
            before += Stamp::of(&path).map_or(0, |it| it.bytes);
        }
        self.check_whole(entry)?;
        tracing::info!(bytes = before, seconds = started.elapsed().as_secs_f64(), "model downloaded");
        watch.enter("", before);
        watch.tell()
    }

    /// Compares every byte of the published files that are here with what was published.
    ///
    /// # Errors
    /// [`Error::Hash`] for the first file that differs; the model counts as damaged from then on.
    #[tracing::instrument(skip_all, fields(model = %id.0))]
    pub async fn check(
        &self,
        id: &ModelId,
        mut observe: impl FnMut(DownloadProgress) -> ControlFlow<()> + Send,
    ) -> Result<()> {
        let entry = self.published(id)?;
        let _claim = self.claim_soon(id).await?;
        let mut watch = Watch::new(&mut observe, entry.download_bytes());
        self.change(id, |record| record.files.values_mut().for_each(|file| file.checked = None))?;
        let mut before = 0;
        for file in &entry.files {
            watch.enter(&file.path, before);
            let path = self.source_folder(id).join(&file.path);
            let Some(stamp) = Stamp::of(&path) else { continue };
            if !self.is_right(entry, &file.path, &mut watch).await? {
                let reason = format!("{} is not what was published", file.path);
                self.change(id, |record| record.damage = Some(reason.clone()))?;
                return Err(Error::Damaged { path, reason });
            }
            before += stamp.bytes;
        }
        self.check_whole(entry)
    }

    /// Whether a file is here and right; a file that was not compared yet is now.
    async fn is_right(&self, entry: &Entry, name: &str, watch: &mut Watch<'_>) -> Result<bool> {
        let path = self.source_folder(&entry.id).join(name);
        let known = self.record(&entry.id).files.get(name).cloned().unwrap_or_default();
        let Some(stamp) = Stamp::of(&path) else { return Ok(false) };
        if known.checked.as_ref() == Some(&stamp) {
            watch.set_bytes(stamp.bytes);
            return Ok(true);
        }
        let published = entry.files.iter().find(|file| file.path == name);
        let expected = published.and_then(|file| file.sha256.get()).or(known.sha256.as_ref());
        let Some(expected) = expected else { return Ok(false) };
        watch.stage(DownloadStage::Checking);
        if hash_file(&path, watch).await? != *expected {
            return Ok(false);
        }
        self.change(&entry.id, |record| record.files.entry(name.to_owned()).or_default().checked = Some(stamp))?;
        Ok(true)
    }

    /// Gives a whole and right file its name.
    fn take(&self, entry: &Entry, name: &str, sha256: &str, part: &Path) -> Result<()> {
        let path = self.source_folder(&entry.id).join(name);
        let bytes = Stamp::of(part).map(|it| it.bytes);
        // First what it is, then its name: a program killed between the two compares it, and need not fetch it again.
        self.change(&entry.id, |record| {
            let file = record.files.entry(name.to_owned()).or_default();
            file.sha256 = Some(sha256.to_owned());
            file.bytes = bytes;
            file.absent = false;
            record.damage = None;
        })?;
        durable::rename(part, &path).map_err(Error::io(&path))?;
        let stamp = Stamp::of(&path);
        self.change(&entry.id, |record| record.files.entry(name.to_owned()).or_default().checked = stamp)
    }

    /// Makes way for a file that is to be fetched again: one that is wrong goes, one of which nobody
    /// knows what it should be is gone on with.
    fn set_aside(&self, entry: &Entry, name: &str) -> Result<()> {
        let path = self.source_folder(&entry.id).join(name);
        if fs::symlink_metadata(&path).is_err() {
            return Ok(());
        }
        let published = entry.files.iter().find(|file| file.path == name);
        let known = self.record(&entry.id).files.get(name).and_then(|it| it.sha256.clone());
        let is_known = known.is_some() || published.is_some_and(|file| file.sha256.get().is_some());
        self.change(&entry.id, |record| record.files.entry(name.to_owned()).or_default().checked = None)?;
        if is_known {
            fs::remove_file(&path).map_err(Error::io(&path))
        } else {
            durable::rename(&path, &part_of(&path)).map_err(Error::io(&path))
        }
    }

    /// Whether the files together are a model; remembered where they are not.
    fn check_whole(&self, entry: &Entry) -> Result<()> {
        match self.source_with_base(entry) {
            Ok((source, base)) => match Checkpoint::open(&source, base.as_deref()) {
                Ok(checkpoint) => self.change(&entry.id, |record| {
                    record.config = Some(checkpoint.config().clone());
                    record.damage = None;
                }),
                Err(error) => {
                    self.change(&entry.id, |record| record.damage = Some(error.to_string()))?;
                    Err(error.into())
                }
            },
            // The files are as they were published, and wait for the base.
            Err(error @ Error::BaseMissing { .. }) => Err(error),
            Err(error) => {
                self.change(&entry.id, |record| record.damage = Some(error.to_string()))?;
                Err(error)
            }
        }
    }

    fn check_room(&self, entry: &Entry) -> Result<()> {
        let record = self.record(&entry.id);
        let here = match self.files_state(entry, &record) {
            protocol::FilesState::Partial { bytes } | protocol::FilesState::Complete { bytes } => bytes,
            _ => 0,
        };
        Error::check_free_space(self.folder(), entry.download_bytes().saturating_sub(here))
    }

    fn published(&self, id: &ModelId) -> Result<&Entry> {
        match self.model(id)? {
            Model::Listed(entry) if entry.repository.is_some() => Ok(entry),
            _ => Err(self.not_published(id)),
        }
    }

    fn not_published(&self, id: &ModelId) -> Error {
        Error::Unsuitable { model: id.clone(), reason: "nothing of it is downloaded or converted".to_owned() }
    }
}
