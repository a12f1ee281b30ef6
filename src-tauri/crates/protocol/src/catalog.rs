//! Models: what can be had, what is here, and whether it fits this machine.

use std::fmt;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::{DeviceDescription, Failure, ImageParameters, TextParameters};

/// Names a model: an entry of models.toml, or an imported one.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
pub struct ModelId(pub String);

impl fmt::Display for ModelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A text in the window's languages.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct LocalText {
    /// English.
    pub en: String,
    /// Simplified Chinese.
    pub zh: String,
}

/// A model as the window shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct ModelCard {
    /// Its id.
    pub id: ModelId,
    /// What it is called.
    pub name: LocalText,
    /// What it is good for, in a sentence or two.
    pub summary: LocalText,
    /// Where it comes from.
    pub origin: ModelOrigin,
    /// SPDX name of its license, where known.
    pub license: Option<String>,
    /// The repository that publishes it, where it is published.
    pub repository: Option<String>,
    /// Bytes to download; 0 when nothing is.
    #[ts(type = "number")]
    pub download_bytes: u64,
    /// Longest side of an image, in pixels.
    pub max_side: u32,
    /// What the parameters stand at for this model.
    pub defaults: ModelDefaults,
    /// The forms it can run in, the most exact first.
    pub forms: Vec<ModelForm>,
    /// What is on disk of its published files.
    pub files: FilesState,
    /// What is being done about it now.
    pub install: Option<Install>,
}

/// Where a model comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ModelOrigin {
    /// It ships with the studio.
    Bundled,
    /// It is listed in models.toml and downloaded.
    Catalog,
    /// The user had its files already.
    Imported,
}

/// Parameters that requests are made with unless others are chosen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(default, deny_unknown_fields)]
pub struct ModelDefaults {
    /// For an image from text.
    pub generate: ImageParameters,
    /// For an edit.
    pub edit: ImageParameters,
    /// For an answer.
    pub chat: TextParameters,
}

impl Default for ModelDefaults {
    fn default() -> Self {
        Self { generate: ImageParameters::generate(), edit: ImageParameters::edit(), chat: TextParameters::chat() }
    }
}

/// A model at one quantization.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ModelForm {
    /// `bf16`, `q8_0`, `q4_k_m` …
    pub quantization: String,
    /// Bytes on disk.
    #[ts(type = "number")]
    pub disk_bytes: u64,
    /// Bytes of memory at work, with the largest request that it serves.
    #[ts(type = "number")]
    pub memory_bytes: u64,
    /// Whether this machine can run it.
    pub verdict: Verdict,
    /// Whether it is here and whole.
    pub is_installed: bool,
    /// Whether it is the form that suits this machine best.
    pub is_recommended: bool,
}

/// Whether a machine can run a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Verdict {
    /// With room to spare.
    Fits {
        /// Where it would run.
        on: Processor,
    },
    /// When little else runs beside it.
    FitsTightly {
        /// Where it would run.
        on: Processor,
        /// Bytes that would be left.
        #[ts(type = "number")]
        spare_bytes: u64,
    },
    /// Not on this machine.
    DoesNotFit {
        /// Where it would have had to run.
        on: Processor,
        /// Bytes that are missing.
        #[ts(type = "number")]
        missing_bytes: u64,
    },
}

/// What a model computes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Processor {
    /// A graphics card.
    Gpu,
    /// The computer's own processor: slowly.
    Cpu,
}

/// What is on disk of a model's published files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum FilesState {
    /// Nothing.
    Absent,
    /// Some of it; a download can go on.
    Partial {
        /// Bytes that are here.
        #[ts(type = "number")]
        bytes: u64,
    },
    /// All of it, and checked.
    Complete {
        /// Bytes that removing it would free.
        #[ts(type = "number")]
        bytes: u64,
    },
    /// All of it, and something is wrong with it.
    Damaged {
        /// What is wrong, and what to do.
        failure: Failure,
    },
}

/// A model on its way to this machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct Install {
    /// What it becomes.
    pub quantization: String,
    /// Whether the published files are removed once it is that.
    pub removes_source: bool,
    /// What is done now.
    pub stage: InstallStage,
    /// Bytes done of this stage.
    #[ts(type = "number")]
    pub bytes: u64,
    /// Bytes of this stage.
    #[ts(type = "number")]
    pub total_bytes: u64,
    /// Bytes a second of late, once known.
    pub bytes_per_sec: Option<f64>,
}

/// A stage of an installation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "stage", rename_all = "snake_case")]
pub enum InstallStage {
    /// Its files are fetched.
    Downloading,
    /// What was fetched is compared with what was published.
    Checking,
    /// It is brought into the form that suits the machine.
    Converting,
    /// The artist holds it.
    Paused,
    /// It stopped, and can go on when this is mended.
    Failed {
        /// Why.
        failure: Failure,
    },
}

/// What the machine has.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Hardware {
    /// The processor's name.
    pub processor: String,
    /// Its cores.
    pub n_cores: u32,
    /// What it can do beyond the ordinary: `avx2`, `avx512f`, `neon` …
    pub processor_features: Vec<String>,
    /// Bytes of memory.
    #[ts(type = "number")]
    pub memory_bytes: u64,
    /// Bytes of memory that programs could still take.
    #[ts(type = "number")]
    pub free_memory_bytes: u64,
    /// Bytes free where models are kept.
    #[ts(type = "number")]
    pub free_disk_bytes: u64,
    /// What the engine could compute on.
    pub devices: Vec<DeviceDescription>,
    /// A graphics card that is here while no engine here computes on it.
    pub card_without_engine: Option<String>,
}
