//! Published configuration files, with what they leave unsaid.
//!
//! Three files describe a checkpoint: `llm_config.json`, `vit_config.json`
//! and `config.json`. The official program does not take them at their word,
//! and this is the one place that knows:
//!
//! - `qk_norm` is true and `tie_word_embeddings` is false, whatever the file says;
//! - the vision transformer uses one layer less than `num_hidden_layers`, and no RoPE;
//! - `max_latent_size` of the published file is half of what the weights hold;
//! - the two image transforms are in no published file.
//!
//! A key that is absent takes the official value, or the base checkpoint's
//! where there is one. Where the tensors themselves tell a number, they win
//! ([`fit_to_tensors`]).

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::{Config, LatentConfig, TextConfig, TransformConfig, VaeConfig, VisionConfig};
use crate::expected::{LATENT_POSITIONS, TOKEN_EMBEDDING, VISION_LAYERS, VISION_POSITIONS, VISION_TABLE};
use crate::{Error, Result};

const MAX_FILE_BYTES: u64 = 1 << 20;
const MAX_VISION_LAYERS: usize = 512;

/// The configuration files of a folder.
#[derive(Debug, Default)]
pub struct Documents {
    text: Option<Document>,
    vision: Option<Document>,
    model: Option<Document>,
}

#[derive(Debug)]
struct Document {
    path: PathBuf,
    content: Map<String, Value>,
}

impl Documents {
    /// Reads those of the three files that the folder holds.
    pub fn read(folder: &Path) -> Result<Self> {
        Ok(Self {
            text: Document::read(folder.join("llm_config.json"))?,
            vision: Document::read(folder.join("vit_config.json"))?,
            model: Document::read(folder.join("config.json"))?,
        })
    }

    /// Completes them with the given defaults.
    pub fn complete(&self, defaults: &Config) -> Result<Config> {
        let model = Section::of(self.model.as_ref());
        let text = self.text.as_ref().map_or_else(|| model.section("llm_config"), |it| Ok(Section::of(Some(it))))?;
        let vision =
            self.vision.as_ref().map_or_else(|| model.section("vit_config"), |it| Ok(Section::of(Some(it))))?;
        let vae = vae(&model.section("vae_config")?, &defaults.vae)?;
        let latent = LatentConfig {
            patch_size: model.count("latent_patch_size", defaults.latent.patch_size)?,
            grid_side: model.count("max_latent_size", defaults.latent.grid_side)?,
            channels: vae.z_channels,
            downsample: vae.downsample,
        };
        Ok(Config {
            text: text_model(&text, &defaults.text)?,
            vision: vision_model(&vision, &defaults.vision)?,
            latent,
            vision_grid_side: model.count("vit_max_num_patch_per_side", defaults.vision_grid_side)?,
            vae,
            vae_transform: transform(&model.section("vae_transform")?, defaults.vae_transform)?,
            vision_transform: transform(&model.section("vit_transform")?, defaults.vision_transform)?,
        })
    }
}

/// Takes from the tensors what they tell: rows of tables and the number of vision layers.
pub fn fit_to_tensors<'a>(config: &mut Config, tensors: impl Iterator<Item = (&'a str, &'a [usize])>) {
    let mut n_vision_layers = 0;
    for (name, shape) in tensors {
        let rows = shape.first().copied().unwrap_or(0);
        let side = rows.isqrt();
        match name {
            TOKEN_EMBEDDING => config.text.vocab_size = rows,
            LATENT_POSITIONS if side * side == rows => config.latent.grid_side = side,
            VISION_POSITIONS if side * side == rows => config.vision_grid_side = side,
            VISION_TABLE => config.vision.n_positions = rows,
            _ => {
                let layer: Option<usize> =
                    name.strip_prefix(VISION_LAYERS).and_then(|rest| rest.split('.').next()?.parse().ok());
                // An absurd number must not become an absurd table.
                if let Some(layer) = layer.filter(|layer| *layer < MAX_VISION_LAYERS) {
                    n_vision_layers = n_vision_layers.max(layer + 1);
                }
            }
        }
    }
    if n_vision_layers > 0 {
        config.vision.n_layers = n_vision_layers;
    }
}

fn text_model(section: &Section<'_>, defaults: &TextConfig) -> Result<TextConfig> {
    let hidden_size = section.count("hidden_size", defaults.hidden_size)?;
    let n_heads = section.count("num_attention_heads", defaults.n_heads)?;
    let head_dim = if section.has("hidden_size") || section.has("num_attention_heads") {
        hidden_size / n_heads.max(1)
    } else {
        defaults.head_dim
    };
    Ok(TextConfig {
        hidden_size,
        intermediate_size: section.count("intermediate_size", defaults.intermediate_size)?,
        n_layers: section.count("num_hidden_layers", defaults.n_layers)?,
        n_heads,
        n_kv_heads: section.count("num_key_value_heads", defaults.n_kv_heads)?,
        head_dim: section.count("head_dim", head_dim)?,
        vocab_size: section.count("vocab_size", defaults.vocab_size)?,
        rope_theta: section.number("rope_theta", defaults.rope_theta)?,
        rms_norm_eps: section.number("rms_norm_eps", defaults.rms_norm_eps)?,
    })
}

fn vision_model(section: &Section<'_>, defaults: &VisionConfig) -> Result<VisionConfig> {
    let patch_size = section.count("patch_size", defaults.patch_size)?;
    let n_positions = if section.has("image_size") {
        (section.count("image_size", 0)? / patch_size.max(1)).saturating_pow(2)
    } else {
        defaults.n_positions
    };
    Ok(VisionConfig {
        hidden_size: section.count("hidden_size", defaults.hidden_size)?,
        intermediate_size: section.count("intermediate_size", defaults.intermediate_size)?,
        n_layers: section.count("num_hidden_layers", defaults.n_layers.saturating_add(1))?.saturating_sub(1),
        n_heads: section.count("num_attention_heads", defaults.n_heads)?,
        patch_size,
        layer_norm_eps: section.number("layer_norm_eps", defaults.layer_norm_eps)?,
        n_channels: section.count("num_channels", defaults.n_channels)?,
        n_positions,
    })
}

fn vae(section: &Section<'_>, defaults: &VaeConfig) -> Result<VaeConfig> {
    Ok(VaeConfig {
        ch: section.count("ch", defaults.ch)?,
        ch_mult: section.counts("ch_mult", &defaults.ch_mult)?,
        n_res_blocks: section.count("num_res_blocks", defaults.n_res_blocks)?,
        z_channels: section.count("z_channels", defaults.z_channels)?,
        in_channels: section.count("in_channels", defaults.in_channels)?,
        out_ch: section.count("out_ch", defaults.out_ch)?,
        scale_factor: section.number("scale_factor", defaults.scale_factor)?,
        shift_factor: section.number("shift_factor", defaults.shift_factor)?,
        downsample: section.count("downsample", defaults.downsample)?,
    })
}

fn transform(section: &Section<'_>, defaults: TransformConfig) -> Result<TransformConfig> {
    Ok(TransformConfig {
        max_size: section.count("max_image_size", defaults.max_size)?,
        min_size: section.count("min_image_size", defaults.min_size)?,
        stride: section.count("image_stride", defaults.stride)?,
    })
}

impl Document {
    fn read(path: PathBuf) -> Result<Option<Self>> {
        let invalid = |path: &Path, reason: String| Error::Config {
            path: path.to_path_buf(),
            key: "JSON".to_owned(),
            reason: format!("{reason}; correct the file, or remove it to use the official values"),
        };
        let about = match fs::metadata(&path) {
            Ok(about) => about,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::io(&path, error)),
        };
        if !about.is_file() || about.len() > MAX_FILE_BYTES {
            return Err(invalid(&path, format!("not a file of at most {MAX_FILE_BYTES} bytes")));
        }
        let bytes = fs::read(&path).map_err(|source| Error::io(&path, source))?;
        match serde_json::from_slice(&bytes) {
            Ok(Value::Object(content)) => Ok(Some(Self { path, content })),
            Ok(_) => Err(invalid(&path, "not an object".to_owned())),
            Err(error) => Err(invalid(&path, format!("not valid JSON: {error}"))),
        }
    }
}

/// One object of a file; absent ones answer with the defaults.
struct Section<'a> {
    path: &'a Path,
    name: &'static str,
    content: Option<&'a Map<String, Value>>,
}

impl<'a> Section<'a> {
    fn of(document: Option<&'a Document>) -> Self {
        Self {
            path: document.map_or(Path::new(""), |it| it.path.as_path()),
            name: "",
            content: document.map(|it| &it.content),
        }
    }

    fn section(&self, name: &'static str) -> Result<Self> {
        let content = match self.get(name) {
            None => None,
            Some(Value::Object(content)) => Some(content),
            Some(other) => return Err(self.wrong(name, other, "an object")),
        };
        Ok(Self { path: self.path, name, content })
    }

    fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    fn count(&self, key: &str, default: usize) -> Result<usize> {
        self.get(key).map_or(Ok(default), |value| {
            as_count(value).ok_or_else(|| self.wrong(key, value, "a whole number that is not negative"))
        })
    }

    fn counts(&self, key: &str, default: &[usize]) -> Result<Vec<usize>> {
        let Some(value) = self.get(key) else { return Ok(default.to_vec()) };
        let counts = value.as_array().and_then(|values| values.iter().map(as_count).collect());
        counts.ok_or_else(|| self.wrong(key, value, "a list of whole numbers"))
    }

    fn number(&self, key: &str, default: f64) -> Result<f64> {
        self.get(key).map_or(Ok(default), |value| value.as_f64().ok_or_else(|| self.wrong(key, value, "a number")))
    }

    fn get(&self, key: &str) -> Option<&'a Value> {
        self.content?.get(key).filter(|value| !value.is_null())
    }

    fn wrong(&self, key: &str, value: &Value, wanted: &str) -> Error {
        let key = if self.name.is_empty() { key.to_owned() } else { format!("{}.{key}", self.name) };
        let mut found: String = value.to_string().chars().take(40).collect();
        if found.is_empty() {
            found = "nothing".to_owned();
        }
        Error::Config {
            path: self.path.to_path_buf(),
            key,
            reason: format!("{found} is not {wanted}; correct it, or take it out to use the official value"),
        }
    }
}

fn as_count(value: &Value) -> Option<usize> {
    // Some tools write whole numbers as 3584.0.
    let whole = |number: f64| (number.fract() == 0.0 && (0.0..1e15).contains(&number)).then_some(number as usize);
    value.as_u64().and_then(|number| usize::try_from(number).ok()).or_else(|| value.as_f64().and_then(whole))
}
