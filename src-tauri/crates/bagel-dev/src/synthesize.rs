//! A checkpoint of random weights on disk, in the published layout.
//!
//! It loads, converts and runs like a real one, so that loading, conversion and
//! memory can be tested without real weights. Its images are noise.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::ops::ControlFlow;
use std::path::Path;

use bagel::random::{Generator, RandomStream};
use bagel::{EngineProgress, Error, Observer, Result};
use checkpoint::{Config, Expected, Part, expected_tensors};
use half::bf16;
use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};
use rayon::prelude::*;
use serde_json::json;

use crate::SYNTHETIC_TOKENIZER;

/// Size of the table of normal numbers that weights are drawn from.
const N_TABLE: usize = 1 << 16;

/// Numbers between two reports.
const CHUNK_NUMBERS: usize = 16 << 20;

/// Numbers that one thread draws at a time.
const SHARE_NUMBERS: usize = 1 << 18;

/// Writes `ema.safetensors` in bf16, `ae.safetensors` in f32, the configurations and a tokenizer to `folder`.
///
/// `tokenizer_json` is that of another model, or absent for [`SYNTHETIC_TOKENIZER`].
/// The same configuration gives the same bytes.
///
/// # Errors
/// [`Error::File`] when the folder cannot be written, [`Error::Cancelled`] when `observe` stops it;
/// incomplete files then stay behind and do not open.
pub fn synthesize(
    config: &Config,
    tokenizer_json: Option<&[u8]>,
    folder: &Path,
    observe: &mut Observer<'_>,
) -> Result<()> {
    std::fs::create_dir_all(folder).map_err(|source| file_error(folder, source))?;
    let (vae, model): (Vec<Expected>, Vec<Expected>) =
        expected_tensors(config).into_iter().partition(|tensor| tensor.part == Part::Vae);
    for (name, document) in documents(config) {
        write_file(&folder.join(name), document.to_string().as_bytes())?;
    }
    write_file(&folder.join("tokenizer.json"), tokenizer_json.unwrap_or(SYNTHETIC_TOKENIZER.as_bytes()))?;
    let total_bytes = tensors_bytes(&vae, 4) + tensors_bytes(&model, 2);
    let mut bytes = 0;
    for (name, tensors, dtype, n_bytes) in [("ae.safetensors", &vae, "F32", 4), ("ema.safetensors", &model, "BF16", 2)]
    {
        write_tensors(&folder.join(name), tensors, dtype, n_bytes, &mut |part_bytes| {
            bytes += part_bytes;
            match observe(EngineProgress::Loading { bytes, total_bytes }) {
                ControlFlow::Continue(()) => Ok(()),
                ControlFlow::Break(()) => Err(Error::Cancelled),
            }
        })?;
    }
    Ok(())
}

/// The three published configuration files of these shapes.
fn documents(config: &Config) -> [(&'static str, serde_json::Value); 3] {
    let (text, vision, vae) = (&config.text, &config.vision, &config.vae);
    let transform = |t: &checkpoint::config::TransformConfig| json!({"max_image_size": t.max_size, "min_image_size": t.min_size, "image_stride": t.stride});
    [
        (
            "llm_config.json",
            json!({
                "hidden_size": text.hidden_size, "intermediate_size": text.intermediate_size,
                "num_hidden_layers": text.n_layers, "num_attention_heads": text.n_heads,
                "num_key_value_heads": text.n_kv_heads, "head_dim": text.head_dim, "vocab_size": text.vocab_size,
                "rope_theta": text.rope_theta, "rms_norm_eps": text.rms_norm_eps,
            }),
        ),
        (
            "vit_config.json",
            json!({
                "hidden_size": vision.hidden_size, "intermediate_size": vision.intermediate_size,
                // The published file counts one layer that is not used.
                "num_hidden_layers": vision.n_layers + 1, "num_attention_heads": vision.n_heads,
                "patch_size": vision.patch_size, "layer_norm_eps": vision.layer_norm_eps,
                "num_channels": vision.n_channels, "image_size": config.vision_grid_side * vision.patch_size,
            }),
        ),
        (
            "config.json",
            json!({
                "latent_patch_size": config.latent.patch_size, "max_latent_size": config.latent.grid_side,
                "vit_max_num_patch_per_side": config.vision_grid_side,
                "vae_config": {
                    "ch": vae.ch, "ch_mult": vae.ch_mult, "num_res_blocks": vae.n_res_blocks,
                    "z_channels": vae.z_channels, "in_channels": vae.in_channels, "out_ch": vae.out_ch,
                    "scale_factor": vae.scale_factor, "shift_factor": vae.shift_factor, "downsample": vae.downsample,
                },
                "vae_transform": transform(&config.vae_transform),
                "vit_transform": transform(&config.vision_transform),
            }),
        ),
    ]
}

fn tensors_bytes(tensors: &[Expected], n_bytes: u64) -> u64 {
    tensors.iter().map(|tensor| n_numbers(tensor) as u64 * n_bytes).sum()
}

fn n_numbers(tensor: &Expected) -> usize {
    tensor.shape.iter().product()
}

fn write_tensors(
    path: &Path,
    tensors: &[Expected],
    dtype: &str,
    n_bytes: usize,
    on_part: &mut dyn FnMut(u64) -> Result<()>,
) -> Result<()> {
    let mut header = serde_json::Map::new();
    let mut offset = 0;
    for tensor in tensors {
        let end = offset + n_numbers(tensor) * n_bytes;
        header
            .insert(tensor.name.clone(), json!({"dtype": dtype, "shape": tensor.shape, "data_offsets": [offset, end]}));
        offset = end;
    }
    let mut header = serde_json::Value::Object(header).to_string().into_bytes();
    // The format requires the data to begin at a multiple of 8.
    header.resize(header.len().next_multiple_of(8), b' ');
    let failed = |source| file_error(path, source);
    let mut file = BufWriter::new(File::create(path).map_err(failed)?);
    file.write_all(&(header.len() as u64).to_le_bytes()).map_err(failed)?;
    file.write_all(&header).map_err(failed)?;
    let table = Generator::new(RandomStream::Synthetic, 2).normals(N_TABLE);
    for (tensor_idx, tensor) in tensors.iter().enumerate() {
        let (mean, deviation) = distribution(tensor);
        let encoded: Vec<u8> = table
            .iter()
            .map(|normal| mean + deviation * normal)
            .flat_map(|number| match n_bytes {
                2 => [bf16::from_f32(number).to_le_bytes().as_slice(), &[]].concat(),
                _ => number.to_le_bytes().to_vec(),
            })
            .collect();
        let mut rest = n_numbers(tensor);
        let mut chunk_idx = 0u32;
        while rest > 0 {
            let n = rest.min(CHUNK_NUMBERS);
            let mut chunk = vec![0u8; n * n_bytes];
            chunk.par_chunks_mut(SHARE_NUMBERS * n_bytes).enumerate().for_each(|(share_idx, share)| {
                let mut key = [0u8; 32];
                key[..4].copy_from_slice(&(tensor_idx as u32).to_le_bytes());
                key[4..8].copy_from_slice(&chunk_idx.to_le_bytes());
                key[8..12].copy_from_slice(&(share_idx as u32).to_le_bytes());
                let mut stream = ChaCha8Rng::from_seed(key);
                for number in share.chunks_exact_mut(n_bytes) {
                    let idx = (stream.next_u32() as usize % N_TABLE) * n_bytes;
                    number.copy_from_slice(&encoded[idx..idx + n_bytes]);
                }
            });
            file.write_all(&chunk).map_err(failed)?;
            on_part(chunk.len() as u64)?;
            rest -= n;
            chunk_idx += 1;
        }
    }
    file.into_inner().map_err(|error| file_error(path, error.into_error()))?.sync_all().map_err(failed)
}

/// Mean and standard deviation that keep activations near 1 through all layers.
fn distribution(tensor: &Expected) -> (f32, f32) {
    let is_norm = tensor.name.contains("norm");
    match tensor.shape.as_slice() {
        [_] if is_norm && tensor.name.ends_with("weight") => (1.0, 0.1),
        [_] => (0.0, 0.02),
        // Position tables and embeddings are rows, not maps.
        _ if tensor.name.contains("embed") && !tensor.name.contains("patch") => (0.0, 0.5),
        [_, inputs @ ..] => (0.0, 1.0 / (inputs.iter().product::<usize>() as f32).sqrt()),
        [] => (0.0, 1.0),
    }
}

fn write_file(path: &Path, bytes: &[u8]) -> Result<()> {
    std::fs::write(path, bytes).map_err(|source| file_error(path, source))
}

fn file_error(path: &Path, source: std::io::Error) -> Error {
    Error::File { path: path.to_owned(), source }
}
