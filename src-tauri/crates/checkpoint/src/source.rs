//! What lies at a path: files chosen by the tensors in them, not by their names.

mod listing;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use self::listing::{INDEX_SUFFIX, Listing, read_index, refused};
use crate::WeightsFormat;
use crate::config::read::Documents;
use crate::gguf::document::{Converted, Document};
use crate::mapped::Mapped;
use crate::naming::{is_model, is_vae, published_name};
use crate::shard::{Entry, Shard};
use crate::{Config, Error, Result};

const MAX_TOKENIZER_BYTES: u64 = 64 << 20;

/// Everything that one path supplies, complete or not.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) name: String,
    pub(crate) format: WeightsFormat,
    /// Where its configuration and tokenizer would lie.
    pub(crate) folder: PathBuf,
    pub(crate) shapes: Shapes,
    pub(crate) tokenizer_json: Option<Vec<u8>>,
    /// By published name.
    pub(crate) tensors: BTreeMap<String, Entry>,
    /// Files that could not be read and may not be needed.
    pub(crate) broken: Vec<Error>,
    /// What only a GGUF of ours supplies.
    pub(crate) converted: Option<Converted>,
}

/// What a source says about shapes.
#[derive(Debug)]
pub(crate) enum Shapes {
    /// The published files, with gaps.
    Documents(Documents),
    /// A complete document.
    Whole(Box<Config>),
}

impl Source {
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let about = fs::metadata(path).map_err(|source| Error::io(path, source))?;
        if about.is_dir() {
            return Self::open_folder(path);
        }
        let file_name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        if file_name.ends_with(INDEX_SUFFIX) {
            Self::led_by(path, Set::of_index(path)?)
        } else if file_name.ends_with(".safetensors") {
            Self::open_safetensors(path)
        } else if file_name.ends_with(".gguf") {
            Self::open_gguf(path)
        } else {
            Err(refused(path))
        }
    }

    /// Opens a GGUF of ours.
    pub(crate) fn open_gguf(path: &Path) -> Result<Self> {
        let file = Arc::new(Mapped::open(path)?);
        let refused = |defect| Error::Gguf { path: path.to_path_buf(), defect };
        let document = Document::read(file.bytes()).map_err(refused)?;
        let mut tensors = BTreeMap::new();
        for (tensor, hash) in document.tensors {
            // A tensor without a published name is not part of the model and keeps its own.
            let name = crate::gguf::names::to_published(&tensor.name).unwrap_or(tensor.name);
            let entry = Entry {
                file: Arc::clone(&file),
                range: tensor.range,
                shape: tensor.shape,
                kind: Ok(tensor.kind),
                hash: Some(hash),
            };
            tensors.insert(name, entry);
        }
        Ok(Self {
            name: document.provenance.name.clone(),
            format: WeightsFormat::Gguf,
            folder: path.parent().unwrap_or(Path::new("")).to_path_buf(),
            shapes: Shapes::Whole(Box::new(document.config)),
            tokenizer_json: Some(document.tokenizer_json),
            tensors,
            broken: Vec::new(),
            converted: Some(Converted {
                file: Arc::clone(&file),
                provenance: document.provenance,
                paddings: document.paddings,
            }),
        })
    }

    fn open_folder(folder: &Path) -> Result<Self> {
        let listing = Listing::read(folder)?;
        if let ([], [], [gguf]) = (listing.safetensors.as_slice(), listing.indexes.as_slice(), listing.ggufs.as_slice())
        {
            return Self::open_gguf(gguf);
        }
        let mut sets = Vec::new();
        let mut broken = Vec::new();
        let mut in_index = BTreeSet::new();
        for index in &listing.indexes {
            match Set::of_index(index) {
                Ok(set) => {
                    in_index.extend(set.shards.iter().map(|shard| shard.file.path().to_path_buf()));
                    sets.push(set);
                }
                Err(error) => broken.push(error),
            }
        }
        for file in listing.safetensors.iter().filter(|file| !in_index.contains(*file)) {
            match Shard::open(file) {
                Ok(shard) => sets.push(Set { shards: vec![shard] }),
                Err(error) => broken.push(error),
            }
        }
        if sets.is_empty() {
            return Err(match (broken.into_iter().next(), listing.unsafe_files.first()) {
                (Some(error), _) => error,
                (None, Some(file)) => refused(file),
                (None, None) if listing.ggufs.len() > 1 => {
                    Error::not_a_model(folder, "several .gguf files are in this folder; give one of them")
                }
                (None, None) => Error::not_a_model(folder, "no .safetensors or .gguf file is in this folder"),
            });
        }
        Self::of_sets(folder, sets, broken)
    }

    /// A file that was named leads; an index that lists it brings the whole set.
    fn open_safetensors(path: &Path) -> Result<Self> {
        for index in Listing::read(folder_of(path))?.indexes {
            let lists_it = |names: &BTreeSet<PathBuf>| names.iter().any(|name| name.file_name() == path.file_name());
            if read_index(&index).is_ok_and(|names| lists_it(&names)) {
                return Self::led_by(path, Set::of_index(&index)?);
            }
        }
        Self::led_by(path, Set { shards: vec![Shard::open(path)?] })
    }

    /// A set of files that was named, and from its neighbors only the autoencoder.
    fn led_by(path: &Path, leader: Set) -> Result<Self> {
        let mut neighbors = Vec::new();
        let mut broken = Vec::new();
        if leader.count(is_vae) == 0 {
            let is_neighbor =
                |file: &PathBuf| leader.shards.iter().all(|it| it.file.path().file_name() != file.file_name());
            for file in Listing::read(folder_of(path))?.safetensors.iter().filter(|file| is_neighbor(file)) {
                match Shard::open(file) {
                    Ok(shard) => neighbors.push(Set { shards: vec![shard] }),
                    Err(error) => broken.push(error),
                }
            }
        }
        let mut source = Self::of_sets(path, vec![leader], broken)?;
        for set in neighbors {
            source.take(set, Take::Vae)?;
        }
        Ok(source)
    }

    /// Takes the fullest set, then from the others what does not compete with it.
    fn of_sets(path: &Path, mut sets: Vec<Set>, broken: Vec<Error>) -> Result<Self> {
        let folder = if path.is_dir() { path } else { folder_of(path) };
        sets.sort_by_cached_key(|set| (std::cmp::Reverse(set.count(is_model)), !set.is_named("ema"), set.first_path()));
        if sets.first().is_none_or(|set| set.count(is_model) == 0) {
            if let Some(error) = broken.into_iter().next() {
                return Err(error);
            }
            let only_vae = sets.iter().any(|set| set.count(is_vae) > 0);
            let reason = if only_vae {
                "it holds only the autoencoder; give the model's file or the folder that holds both"
            } else {
                "none of BAGEL's tensors are in it"
            };
            return Err(Error::not_a_model(path, reason));
        }
        let mut source = Self {
            name: name_of(path),
            format: WeightsFormat::Safetensors,
            folder: folder.to_path_buf(),
            shapes: Shapes::Documents(Documents::read(folder)?),
            tokenizer_json: read_tokenizer(folder)?,
            tensors: BTreeMap::new(),
            broken,
            converted: None,
        };
        for set in sets {
            let competes = set.names().any(|name| is_model(name) && source.tensors.contains_key(name));
            source.take(set, if competes { Take::Vae } else { Take::All })?;
        }
        Ok(source)
    }

    /// Adds a set's tensors, where they are wanted and not there yet.
    fn take(&mut self, set: Set, what: Take) -> Result<()> {
        for shard in set.shards {
            let mut names = BTreeSet::new();
            for (raw, entry) in shard.tensors {
                let name = published_name(&raw);
                if !names.insert(name.to_owned()) {
                    return Err(Error::Safetensors {
                        path: shard.file.path().to_path_buf(),
                        reason: format!("{name} is in it twice, under two prefixes"),
                    });
                }
                if what == Take::All || is_vae(name) {
                    self.tensors.entry(name.to_owned()).or_insert(entry);
                }
            }
        }
        Ok(())
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Take {
    All,
    Vae,
}

/// Files that belong together.
#[derive(Debug)]
struct Set {
    shards: Vec<Shard>,
}

impl Set {
    fn of_index(index: &Path) -> Result<Self> {
        let shards = read_index(index)?.iter().map(|path| Shard::open(path)).collect::<Result<_>>()?;
        Ok(Self { shards })
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.shards.iter().flat_map(|shard| shard.tensors.iter().map(|(name, _)| published_name(name)))
    }

    fn count(&self, of: fn(&str) -> bool) -> usize {
        self.names().filter(|name| of(name)).count()
    }

    fn is_named(&self, stem: &str) -> bool {
        self.first_path().file_stem().is_some_and(|it| it == stem)
    }

    fn first_path(&self) -> PathBuf {
        self.shards.first().map(|shard| shard.file.path().to_path_buf()).unwrap_or_default()
    }
}

fn read_tokenizer(folder: &Path) -> Result<Option<Vec<u8>>> {
    let path = folder.join("tokenizer.json");
    let about = match fs::metadata(&path) {
        Ok(about) => about,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::io(&path, error)),
    };
    if !about.is_file() || about.len() > MAX_TOKENIZER_BYTES {
        return Err(Error::Config {
            path,
            key: "JSON".to_owned(),
            reason: format!("not a file of at most {MAX_TOKENIZER_BYTES} bytes"),
        });
    }
    fs::read(&path).map(Some).map_err(|source| Error::io(&path, source))
}

fn folder_of(file: &Path) -> &Path {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

fn name_of(path: &Path) -> String {
    let canonical = fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    let name = if path.is_dir() { canonical.file_name() } else { path.file_stem() };
    name.map_or_else(|| "model".to_owned(), |name| name.to_string_lossy().into_owned())
}
