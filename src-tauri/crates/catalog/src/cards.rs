//! Models as the window shows them.

use std::fs;
use std::path::Path;

use checkpoint::{Config, Quantization};
use protocol::{
    FilesState, Hardware, Install, InstallStage, LocalText, ModelCard, ModelDefaults, ModelForm, ModelId, ModelOrigin,
};

use crate::catalog::{Catalog, FORMS, FormPlan, Model};
use crate::download::part_of;
use crate::manifest::{Entry, PublishedFile};
use crate::record::{Imported, InstallPlan, Record, Stamp};
use crate::verdict::{MemoryNeeds, recommended, verdict};
use crate::{Error, Result};

/// A form before it is judged.
struct Form {
    plan: FormPlan,
    disk_bytes: u64,
    is_installed: bool,
}

impl Catalog {
    /// All models with what is on disk of them and whether they fit the machine.
    ///
    /// Asks the disk for lengths and times only; cheap enough to call after each change.
    pub fn cards(&self, hardware: &Hardware) -> Vec<ModelCard> {
        self.ids().iter().filter_map(|id| self.card(id, hardware).ok()).collect()
    }

    /// One model as in [`cards`](Self::cards).
    pub fn card(&self, id: &ModelId, hardware: &Hardware) -> Result<ModelCard> {
        Ok(match self.model(id)? {
            Model::Bundled(entry) => self.bundled_card(entry, hardware),
            Model::Listed(entry) => self.listed_card(entry, hardware),
            Model::Imported(imported) => self.imported_card(id, &imported, hardware),
        })
    }

    /// The form that suits a machine best; nothing when none fits or there is no such model.
    pub fn recommended(&self, id: &ModelId, hardware: &Hardware) -> Option<String> {
        let card = self.card(id, hardware).ok()?;
        card.forms.into_iter().find(|form| form.is_recommended).map(|form| form.quantization)
    }

    fn bundled_card(&self, entry: &Entry, hardware: &Hardware) -> ModelCard {
        let files = self.bundled_files();
        let forms = files
            .iter()
            .map(|file| {
                let needs = MemoryNeeds::of(&file.config, file.quantization);
                let plan = FormPlan { quantization: file.quantization, file_bytes: file.bytes, needs };
                Form { plan, disk_bytes: file.bytes, is_installed: true }
            })
            .collect();
        let bytes: u64 = files.iter().map(|file| file.bytes).sum();
        let max_side = files.first().map_or(entry.max_side as usize, |file| file.config.max_side());
        ModelCard {
            id: entry.id.clone(),
            name: entry.name.clone(),
            summary: entry.summary.clone(),
            origin: ModelOrigin::Bundled,
            license: entry.license.clone(),
            repository: None,
            download_bytes: 0,
            max_side: u32::try_from(max_side).unwrap_or(u32::MAX),
            defaults: entry.defaults.clone(),
            forms: judge(forms, hardware),
            files: if files.is_empty() { FilesState::Absent } else { FilesState::Complete { bytes } },
            install: None,
        }
    }

    fn listed_card(&self, entry: &Entry, hardware: &Hardware) -> ModelCard {
        let record = self.record(&entry.id);
        let files = self.files_state(entry, &record);
        let plans = self.plans(&record.config.clone().unwrap_or_else(Config::official));
        let form = |quantization: Quantization| {
            let plan = *plans.iter().find(|it| it.quantization == quantization)?;
            if quantization == Quantization::Bf16 {
                let is_installed = matches!(files, FilesState::Complete { .. })
                    && (entry.base.is_none() || self.source_with_base(entry).is_ok());
                return Some(Form { plan, disk_bytes: entry.download_bytes(), is_installed });
            }
            Some(self.converted_form(&entry.id, plan, &record))
        };
        let install = record.install.as_ref().map(|plan| {
            let (bytes, total_bytes) = match &files {
                FilesState::Partial { bytes } | FilesState::Complete { bytes } => (*bytes, entry.download_bytes()),
                _ => (0, entry.download_bytes()),
            };
            let total_bytes = total_bytes.max(bytes);
            held(plan, bytes, total_bytes)
        });
        ModelCard {
            id: entry.id.clone(),
            name: entry.name.clone(),
            summary: entry.summary.clone(),
            origin: ModelOrigin::Catalog,
            license: entry.license.clone(),
            repository: entry.repository.clone(),
            download_bytes: entry.download_bytes(),
            max_side: entry.max_side,
            defaults: entry.defaults.clone(),
            forms: judge(FORMS.into_iter().filter_map(form).collect(), hardware),
            files,
            install,
        }
    }

    fn imported_card(&self, id: &ModelId, imported: &Imported, hardware: &Hardware) -> ModelCard {
        let record = self.record(id);
        let plans = self.plans(&imported.config);
        let is_here = imported.path.exists();
        let form = |quantization: Quantization| {
            let plan = *plans.iter().find(|it| it.quantization == quantization)?;
            if quantization.name() == imported.quantization {
                return Some(Form { plan, disk_bytes: imported.bytes, is_installed: is_here });
            }
            Some(self.converted_form(id, plan, &record))
        };
        let files = if is_here {
            FilesState::Complete { bytes: if imported.is_link { 0 } else { imported.bytes } }
        } else {
            let reason = "it is not where it was; bring it back, or remove the model".to_owned();
            FilesState::Damaged { failure: Error::Damaged { path: imported.path.clone(), reason }.failure() }
        };
        let install = record.install.as_ref().map(|plan| held(plan, 0, imported.bytes));
        ModelCard {
            id: id.clone(),
            name: imported.name.clone(),
            summary: LocalText::default(),
            origin: ModelOrigin::Imported,
            license: None,
            repository: None,
            download_bytes: 0,
            max_side: u32::try_from(imported.config.max_side()).unwrap_or(u32::MAX),
            defaults: ModelDefaults::default(),
            forms: judge(imported.forms().filter_map(form).collect(), hardware),
            files,
            install,
        }
    }

    fn converted_form(&self, id: &ModelId, plan: FormPlan, record: &Record) -> Form {
        let here = self.converted(id, plan.quantization, record).and_then(|path| Stamp::of(&path));
        Form { plan, disk_bytes: here.as_ref().map_or(plan.file_bytes, |it| it.bytes), is_installed: here.is_some() }
    }

    /// What is on disk of a listed model's published files.
    pub(crate) fn files_state(&self, entry: &Entry, record: &Record) -> FilesState {
        let folder = self.source_folder(&entry.id);
        if let Some(reason) = &record.damage {
            let error = Error::Damaged { path: folder, reason: reason.clone() };
            return FilesState::Damaged { failure: error.failure() };
        }
        let mut bytes = 0;
        let mut is_complete = !entry.files.is_empty();
        for file in &entry.files {
            let known = record.files.get(&file.path);
            match state_of(&folder, file, known.and_then(|it| it.checked.as_ref())) {
                FileState::Checked(length) => bytes += length,
                FileState::Begun(length) => {
                    bytes += length;
                    is_complete &= known.is_some_and(|it| it.absent) && file.optional;
                }
                FileState::Changed => {
                    let reason = "it changed after it was checked".to_owned();
                    let error = Error::Damaged { path: folder.join(&file.path), reason };
                    return FilesState::Damaged { failure: error.failure() };
                }
            }
        }
        match (is_complete, bytes) {
            (true, _) => FilesState::Complete { bytes },
            (false, 0) => FilesState::Absent,
            (false, _) => FilesState::Partial { bytes },
        }
    }
}

/// An installation that somebody has to go on with.
fn held(plan: &InstallPlan, bytes: u64, total_bytes: u64) -> Install {
    Install {
        quantization: plan.quantization.clone(),
        removes_source: plan.removes_source,
        stage: InstallStage::Paused,
        bytes,
        total_bytes,
        bytes_per_sec: None,
    }
}

/// One published file on disk.
enum FileState {
    /// Whole and found right.
    Checked(u64),
    /// So many bytes of it, none of them vouched for.
    Begun(u64),
    /// It was right once.
    Changed,
}

fn state_of(folder: &Path, file: &PublishedFile, checked: Option<&Stamp>) -> FileState {
    let path = folder.join(&file.path);
    match (Stamp::of(&path), checked) {
        (Some(now), Some(then)) if now == *then => FileState::Checked(now.bytes),
        (Some(_), Some(_)) => FileState::Changed,
        (Some(now), None) => FileState::Begun(now.bytes),
        (None, _) => FileState::Begun(fs::metadata(part_of(&path)).map_or(0, |about| about.len())),
    }
}

fn judge(forms: Vec<Form>, hardware: &Hardware) -> Vec<ModelForm> {
    let needs: Vec<(Quantization, MemoryNeeds)> =
        forms.iter().map(|it| (it.plan.quantization, it.plan.needs)).collect();
    let best = recommended(&needs, hardware);
    let (on, _) = crate::verdict::place_to_run(hardware);
    forms
        .into_iter()
        .enumerate()
        .map(|(idx, form)| ModelForm {
            quantization: form.plan.quantization.name().to_owned(),
            disk_bytes: form.disk_bytes,
            memory_bytes: form.plan.needs.on(on),
            verdict: verdict(&form.plan.needs, hardware),
            is_installed: form.is_installed,
            is_recommended: best == Some(idx),
        })
        .collect()
}
