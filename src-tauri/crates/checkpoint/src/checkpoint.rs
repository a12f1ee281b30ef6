//! A complete model on disk, opened and checked.

use std::collections::BTreeMap;
use std::ops::{ControlFlow, Range};
use std::path::{Path, PathBuf};

use crate::check::compare;
use crate::config::read::fit_to_tensors;
use crate::gguf::Defect;
use crate::gguf::document::Converted;
use crate::hash::{hash_observed, hash_tensor};
use crate::shard::Entry;
use crate::source::{Shapes, Source};
use crate::{Config, Error, Kind, ObserveBytes, Provenance, Result, TensorHash, WeightsFormat, expected_tensors};

/// One tensor, its bytes mapped from disk.
#[derive(Clone, Copy, Debug)]
pub struct TensorView<'a> {
    /// Published name.
    pub name: &'a str,
    /// How its numbers are stored.
    pub kind: Kind,
    /// Shape, outermost first; a vision patch embedding may be (out, row·column·channel) or (out, channel, row, column).
    pub shape: &'a [usize],
    /// The numbers, little-endian; not necessarily aligned.
    pub bytes: &'a [u8],
    /// blake3 of the bytes as a GGUF of ours carries it; [`Checkpoint::verify`] compares.
    pub stored_hash: Option<TensorHash>,
}

/// A model whose headers, shapes and kinds have been checked; its numbers have not.
#[derive(Debug)]
pub struct Checkpoint {
    path: PathBuf,
    name: String,
    format: WeightsFormat,
    config: Config,
    tokenizer_json: Vec<u8>,
    tensors: BTreeMap<String, (Kind, Entry)>,
    unused: Vec<String>,
    files: Vec<PathBuf>,
    converted: Option<Converted>,
}

impl Checkpoint {
    /// Opens a folder, a safetensors file (its neighbors supply what it lacks) or a GGUF of ours.
    ///
    /// Tensors, configuration and tokenizer that it lacks are taken from `base`.
    /// Only headers are read; the cost does not grow with the weights.
    pub fn open(path: &Path, base: Option<&Path>) -> Result<Self> {
        let source = Source::open(path)?;
        let base = base.map(Source::open).transpose()?;
        Self::assemble(path, source, base.as_ref())
    }

    /// Opens a GGUF of ours whatever its name, with nothing beside it.
    pub(crate) fn open_gguf(path: &Path) -> Result<Self> {
        Self::assemble(path, Source::open_gguf(path)?, None)
    }

    fn assemble(path: &Path, mut source: Source, base: Option<&Source>) -> Result<Self> {
        let mut config = match base {
            Some(base) => source.shapes.complete(&base.shapes.complete(&Config::official())?)?,
            None => source.shapes.complete(&Config::official())?,
        };
        let own: Vec<String> = source.tensors.keys().cloned().collect();
        if let Some(base) = base {
            for (name, entry) in &base.tensors {
                source.tensors.entry(name.clone()).or_insert_with(|| entry.clone());
            }
        }
        fit_to_tensors(&mut config, source.tensors.iter().map(|(name, entry)| (name.as_str(), entry.shape.as_slice())));
        config.validate().map_err(|(key, reason)| Error::Config {
            path: path.to_path_buf(),
            key: key.to_owned(),
            reason,
        })?;

        let expected = expected_tensors(&config);
        let mismatches = compare(&expected, |name| {
            source
                .tensors
                .get(name)
                .map(|entry| (entry.shape.as_slice(), entry.kind.as_ref().err().map(String::as_str)))
        });
        if !mismatches.all.is_empty() {
            // A file that could not be read is the likelier cause than a model that never had the tensor.
            return Err(match source.broken.into_iter().next() {
                Some(error) if mismatches.missing().next().is_some() => error,
                _ => Error::Tensors { path: path.to_path_buf(), mismatches },
            });
        }

        let tokenizer_json = match (source.tokenizer_json, base.and_then(|it| it.tokenizer_json.as_ref())) {
            (Some(own), _) => own,
            (None, Some(base)) => base.clone(),
            (None, None) => return Err(Error::TokenizerMissing { path: source.folder }),
        };
        let mut tensors = BTreeMap::new();
        for wanted in expected {
            if let Some(entry) = source.tensors.remove(&wanted.name)
                && let Ok(kind) = entry.kind.clone()
            {
                tensors.insert(wanted.name, (kind, entry));
            }
        }
        let mut files: Vec<PathBuf> = tensors.values().map(|(_, entry)| entry.file.path().to_path_buf()).collect();
        files.sort();
        files.dedup();
        let unused = own.into_iter().filter(|name| !tensors.contains_key(name)).collect();
        Ok(Self {
            path: path.to_path_buf(),
            name: source.name,
            format: source.format,
            config,
            tokenizer_json,
            tensors,
            unused,
            files,
            converted: source.converted,
        })
    }

    /// The model's shapes.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The tokenizer's file.
    pub fn tokenizer_json(&self) -> &[u8] {
        &self.tokenizer_json
    }

    /// One tensor by its published name.
    pub fn tensor(&self, name: &str) -> Option<TensorView<'_>> {
        self.tensors.get_key_value(name).map(view)
    }

    /// All tensors of the model, sorted by name.
    pub fn tensors(&self) -> impl ExactSizeIterator<Item = TensorView<'_>> {
        self.tensors.iter().map(view)
    }

    /// How it lies on disk.
    pub fn format(&self) -> WeightsFormat {
        self.format
    }

    /// The path that was opened.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Name for people: that of the folder or the file, or the one that the file gives itself.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Bytes of all tensors of the model.
    pub fn total_bytes(&self) -> u64 {
        self.tensors.values().map(|(_, entry)| entry.range.len() as u64).sum()
    }

    /// Numbers in all tensors of the model.
    pub fn n_parameters(&self) -> u64 {
        self.tensors.values().map(|(_, entry)| entry.shape.iter().product::<usize>() as u64).sum()
    }

    /// Tensors of the files that the model has no place for.
    pub fn unused(&self) -> &[String] {
        &self.unused
    }

    /// Where a GGUF of ours comes from; nothing for published files.
    pub fn provenance(&self) -> Option<&Provenance> {
        self.converted.as_ref().map(|it| &it.provenance)
    }

    /// Reads every number and compares with the hashes that a GGUF of ours carries.
    ///
    /// Reads the whole file, hence once: [`Verified`](crate::Verified) remembers. Published files
    /// carry no hashes, and nothing is read of them.
    pub fn verify(&self, observe: &mut ObserveBytes<'_>) -> Result<()> {
        let Some(converted) = &self.converted else { return Ok(()) };
        let total_bytes = self.total_bytes();
        let mut done_bytes = 0;
        let mut in_file_order: Vec<TensorView<'_>> = self.tensors().collect();
        in_file_order.sort_by_key(|tensor| tensor.bytes.as_ptr() as usize);
        let mut damaged = Vec::new();
        for tensor in in_file_order {
            if let Some(stored) = tensor.stored_hash
                && hash_observed(&tensor, done_bytes, total_bytes, observe)? != stored
            {
                damaged.push(tensor.name);
            }
            done_bytes += tensor.bytes.len() as u64;
        }
        if let Some(first) = damaged.first() {
            return Err(Error::Damaged {
                path: self.path.clone(),
                first: (*first).to_owned(),
                n_tensors: damaged.len(),
            });
        }
        let bytes = converted.file.bytes();
        let is_zero = |range: &Range<usize>| bytes.get(range.clone()).unwrap_or_default().iter().all(|byte| *byte == 0);
        if !converted.paddings.iter().all(is_zero) {
            return Err(Error::Gguf { path: self.path.clone(), defect: Defect::Padding });
        }
        Ok(())
    }

    /// The hash of a tensor's bytes, which is the one that the file carries, if it carries one.
    ///
    /// # Errors
    /// [`Error::Damaged`] when it is not, with all other tensors that are damaged counted.
    pub fn checked_hash(&self, tensor: &TensorView<'_>) -> Result<TensorHash> {
        let hash = hash_tensor(tensor.bytes);
        match tensor.stored_hash {
            Some(stored) if stored != hash => {
                self.verify(&mut |_, _| ControlFlow::Continue(()))?;
                // Sound a moment later: the file is being written to, or the disk fails now and then.
                Err(Error::Damaged { path: self.path.clone(), first: tensor.name.to_owned(), n_tensors: 1 })
            }
            _ => Ok(hash),
        }
    }

    /// The files that tensors are taken from.
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }
}

fn view<'a>((name, (kind, entry)): (&'a String, &'a (Kind, Entry))) -> TensorView<'a> {
    TensorView { name, kind: *kind, shape: &entry.shape, bytes: entry.bytes(), stored_hash: entry.hash }
}

impl Shapes {
    fn complete(&self, defaults: &Config) -> Result<Config> {
        match self {
            Self::Documents(documents) => documents.complete(defaults),
            Self::Whole(config) => Ok(config.as_ref().clone()),
        }
    }
}
