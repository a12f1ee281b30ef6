//! What the artist set once for all projects.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::{ImageParameters, ModelId};

/// All settings. A file that lacks some of them means their defaults.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct Settings {
    /// The form of this file.
    pub version: u32,
    /// The window's language.
    pub language: Language,
    /// The window's colors.
    pub theme: Theme,
    /// Whether a new result takes the view.
    pub follows: bool,
    /// Whether single letters are keys of their own.
    pub single_letter_keys: bool,
    /// Whether a result is announced while another program has the focus.
    pub notifies: bool,
    /// The model to load at the start; the pocket model when absent.
    pub model: Option<ModelChoice>,
    /// The device to compute on; the best one there is when absent.
    pub device: Option<String>,
    /// The engine program; the one beside the studio when absent.
    pub engine: Option<PathBuf>,
    /// Minutes without work after which the model's memory is given back; 0 keeps it.
    pub idle_minutes: u32,
    /// Where images are kept; the system's usual place when absent. Takes effect at the next start.
    pub library_folder: Option<PathBuf>,
    /// Where models are kept; the system's usual place when absent.
    pub models_folder: Option<PathBuf>,
    /// Address that downloads come from instead of the publisher's.
    pub mirror: Option<String>,
    /// Parameters under a name.
    pub presets: Vec<Preset>,
    /// Plans that were saved to be painted again.
    pub plans: Vec<SavedPlan>,
    /// Whether the first start's welcome was put away.
    pub welcomed: bool,
}

impl Settings {
    /// The form that this program writes.
    pub const VERSION: u32 = 1;
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            version: Self::VERSION,
            language: Language::System,
            theme: Theme::System,
            follows: true,
            single_letter_keys: true,
            notifies: true,
            model: None,
            device: None,
            engine: None,
            idle_minutes: 30,
            library_folder: None,
            models_folder: None,
            mirror: None,
            presets: Vec::new(),
            plans: Vec::new(),
            welcomed: false,
        }
    }
}

/// The window's language.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    /// The system's, if it is one of these; else English.
    #[default]
    System,
    /// English.
    En,
    /// Simplified Chinese.
    Zh,
}

/// The window's colors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Theme {
    /// As the system's.
    #[default]
    System,
    /// Dark.
    Dark,
    /// Light.
    Light,
    /// Dark, with more contrast.
    Contrast,
}

/// A model in one of its forms.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
pub struct ModelChoice {
    /// The model.
    pub model: ModelId,
    /// `bf16`, `q8_0`, `q4_k_m` …
    pub quantization: String,
}

/// Parameters under a name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct Preset {
    /// What the artist calls it.
    pub name: String,
    /// Where the parameters stand.
    pub parameters: ImageParameters,
}

/// A plan that was saved to be painted again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct SavedPlan {
    /// What the artist calls it: the prompt it was written for, unless named otherwise.
    pub name: String,
    /// The plan, without the model's tags.
    pub plan: String,
}

/// One change of the settings, as the window asks for it; folders and programs are chosen in dialogs of the host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", content = "value", rename_all = "snake_case")]
pub enum SettingsChange {
    /// The window's language.
    Language(Language),
    /// The window's colors.
    Theme(Theme),
    /// Whether a new result takes the view.
    Follows(bool),
    /// Whether single letters are keys.
    SingleLetterKeys(bool),
    /// Whether results are announced.
    Notifies(bool),
    /// The device to compute on.
    Device(Option<String>),
    /// Minutes without work after which the model's memory is given back; 0 keeps it.
    IdleMinutes(u32),
    /// Address that downloads come from; https only.
    Mirror(Option<String>),
    /// All presets.
    Presets(Vec<Preset>),
    /// All saved plans.
    Plans(Vec<SavedPlan>),
    /// The welcome was put away.
    Welcomed,
}

/// A place that the artist can move.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Folder {
    /// Where images are kept.
    Library,
    /// Where models are kept.
    Models,
}
