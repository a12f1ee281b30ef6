//! Random weights of any shape and quantization, to time a machine with.
//!
//! The bytes of each kind are those of normal numbers, quantized once and repeated:
//! zeros would run faster on some hardware, and quantizing billions of numbers would
//! take longer than the benchmark.

use std::collections::BTreeMap;
use std::str::FromStr;

use bagel::parts::ggml_dtype;
use bagel::random::{Generator, RandomStream};
use bagel::{Error, Result, TensorSource};
use candle_core::quantized::QTensor;
use candle_core::{DType, Device, Tensor};
use checkpoint::estimate::Arithmetic;
use checkpoint::{Config, Kind, PlannedTensor, Quantization, TensorHash, TensorView, plan};
use half::{bf16, f16};

/// A `tokenizer.json` of five tokens, for models of random weights.
pub const SYNTHETIC_TOKENIZER: &str = r#"{"version":"1.0","truncation":null,"padding":null,"added_tokens":[],
"normalizer":null,"pre_tokenizer":null,"post_processor":null,"decoder":null,
"model":{"type":"WordLevel","unk_token":"<unk>","vocab":{"<|im_start|>":0,"<|im_end|>":1,
"<|vision_start|>":2,"<|vision_end|>":3,"<unk>":4}}}"#;

/// Sizes of a model of random weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyntheticSize {
    /// BAGEL-7B-MoT: 14.6 billion parameters.
    Official,
    /// About 1 billion parameters with the official autoencoder.
    Medium,
    /// About 20 million parameters; takes seconds on any machine.
    Small,
}

impl FromStr for SyntheticSize {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        match name {
            "official" => Ok(Self::Official),
            "medium" => Ok(Self::Medium),
            "small" => Ok(Self::Small),
            _ => Err(Error::BadInput(format!("unknown synthetic model {name}; choose official, medium or small"))),
        }
    }
}

impl SyntheticSize {
    /// The shapes of the model.
    pub fn config(self) -> Config {
        let mut config = Config::official();
        let (text, vision) = (&mut config.text, &mut config.vision);
        match self {
            Self::Official => {}
            Self::Medium => {
                (text.hidden_size, text.intermediate_size, text.n_layers) = (1536, 5120, 12);
                (text.n_heads, text.n_kv_heads, text.vocab_size) = (12, 4, 32_768);
                vision.n_layers = 6;
            }
            Self::Small => {
                (text.hidden_size, text.intermediate_size, text.n_layers) = (256, 1024, 4);
                (text.n_heads, text.n_kv_heads, text.head_dim, text.vocab_size) = (4, 2, 64, 4096);
                (vision.hidden_size, vision.intermediate_size) = (192, 512);
                (vision.n_layers, vision.n_heads) = (3, 3);
                (config.vae.ch, config.vae.n_res_blocks) = (32, 1);
                config.vae.ch_mult = vec![1, 2, 2, 2];
            }
        }
        config
    }
}

/// Standard deviation of the weights, close to a trained model's.
const DEVIATION: f32 = 0.02;

/// Numbers in one repeated pattern; a multiple of every kind's block.
const N_PATTERN: usize = 1 << 16;

/// Random weights of given shapes.
#[derive(Debug)]
pub struct Synthetic {
    config: Config,
    quantization: Quantization,
    planned: BTreeMap<String, PlannedTensor>,
    /// For each kind, the bytes of its largest tensor.
    bytes: Vec<(Kind, Vec<u8>)>,
}

impl Synthetic {
    /// Plans the tensors of `config` and makes the bytes that they share.
    ///
    /// # Errors
    /// [`Error::Tensor`] when quantizing fails.
    pub fn new(config: Config, quantization: Quantization) -> Result<Self> {
        let planned = plan(&config, quantization, quantization);
        let mut largest: Vec<(Kind, u64)> = Vec::new();
        for tensor in &planned {
            match largest.iter_mut().find(|(kind, _)| *kind == tensor.kind) {
                Some((_, n)) => *n = (*n).max(tensor.n_parameters()),
                None => largest.push((tensor.kind, tensor.n_parameters())),
            }
        }
        let bytes = largest.into_iter().map(|(kind, n)| Ok((kind, pattern(kind, n)?))).collect::<Result<_>>()?;
        let planned = planned.into_iter().map(|tensor| (tensor.name.clone(), tensor)).collect();
        Ok(Self { config, quantization, planned, bytes })
    }
}

impl TensorSource for Synthetic {
    fn name(&self) -> &str {
        "synthetic"
    }

    fn config(&self) -> &Config {
        &self.config
    }

    fn quantization(&self) -> String {
        self.quantization.to_string()
    }

    fn tokenizer_json(&self) -> &[u8] {
        SYNTHETIC_TOKENIZER.as_bytes()
    }

    fn tensor(&self, name: &str) -> Option<TensorView<'_>> {
        let (name, tensor) = self.planned.get_key_value(name)?;
        let (_, bytes) = self.bytes.iter().find(|(kind, _)| *kind == tensor.kind)?;
        let bytes = &bytes[..tensor.size_bytes() as usize];
        Some(TensorView { name, kind: tensor.kind, shape: &tensor.shape, bytes, stored_hash: None })
    }

    fn total_bytes(&self) -> u64 {
        self.planned.values().map(PlannedTensor::size_bytes).sum()
    }

    fn held_bytes(&self, arithmetic: Arithmetic) -> u64 {
        arithmetic.planned_bytes(&self.config, self.quantization, self.quantization)
    }

    fn checked_hash(&self, _: &TensorView<'_>) -> Result<Option<TensorHash>> {
        Ok(None)
    }
}

/// Bytes of `n` normal numbers in `kind`, every [`N_PATTERN`] of them the same.
fn pattern(kind: Kind, n: u64) -> Result<Vec<u8>> {
    let numbers = Generator::new(RandomStream::Synthetic, 0).normals(N_PATTERN);
    let numbers: Vec<f32> = numbers.into_iter().map(|number| number * DEVIATION).collect();
    let pattern: Vec<u8> = match kind {
        Kind::F32 => numbers.iter().flat_map(|x| x.to_le_bytes()).collect(),
        Kind::F16 => numbers.iter().flat_map(|x| f16::from_f32(*x).to_le_bytes()).collect(),
        Kind::BF16 => numbers.iter().flat_map(|x| bf16::from_f32(*x).to_le_bytes()).collect(),
        _ => {
            let numbers = Tensor::from_vec(numbers, N_PATTERN, &Device::Cpu)?.to_dtype(DType::F32)?;
            QTensor::quantize(&numbers, ggml_dtype(kind))?.data()?.into_owned()
        }
    };
    let n_bytes = kind.size_bytes(n) as usize;
    Ok(pattern.iter().copied().cycle().take(n_bytes).collect())
}
