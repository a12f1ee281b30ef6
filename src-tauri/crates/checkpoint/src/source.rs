//! What lies at a path: files chosen by the tensors in them, not by their names.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::checkpoint::Format;
use crate::config::read::Documents;
use crate::shard::{Entry, Shard};
use crate::{Config, Error, Result};

const MAX_TOKENIZER_BYTES: u64 = 64 << 20;
const MAX_INDEX_BYTES: u64 = 16 << 20;
const INDEX_SUFFIX: &str = ".safetensors.index.json";

/// Everything that one path supplies, complete or not.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) name: String,
    pub(crate) format: Format,
    /// Where its configuration and tokenizer would lie.
    pub(crate) folder: PathBuf,
    pub(crate) shapes: Shapes,
    pub(crate) tokenizer_json: Option<Vec<u8>>,
    /// By published name.
    pub(crate) tensors: BTreeMap<String, Entry>,
    /// Files that could not be read and may not be needed.
    pub(crate) broken: Vec<Error>,
}

/// What a source says about shapes.
#[derive(Debug)]
pub(crate) enum Shapes {
    /// The published files, with gaps.
    Documents(Documents),
    /// A complete document.
    #[expect(dead_code, reason = "GGUF")]
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
            Self::of_sets(path, vec![Set::of_index(path)?], Vec::new())
        } else if file_name.ends_with(".safetensors") {
            Self::open_safetensors(path)
        } else {
            Err(refused(path))
        }
    }

    fn open_folder(folder: &Path) -> Result<Self> {
        let listing = Listing::read(folder)?;
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
                (None, None) => not_a_model(folder, "no .safetensors or .gguf file in this folder"),
            });
        }
        Self::of_sets(folder, sets, broken)
    }

    /// A file that was named: it leads, the set of an index that lists it counts as one, and
    /// neighbours supply the autoencoder only.
    fn open_safetensors(path: &Path) -> Result<Self> {
        let folder = path.parent().unwrap_or(Path::new(""));
        let listing = Listing::read(if folder.as_os_str().is_empty() { Path::new(".") } else { folder })?;
        for index in &listing.indexes {
            let lists_it = |names: &BTreeSet<PathBuf>| names.iter().any(|name| name.file_name() == path.file_name());
            if read_index(index).is_ok_and(|names| lists_it(&names)) {
                return Self::of_sets(path, vec![Set::of_index(index)?], Vec::new());
            }
        }
        let leader = Set { shards: vec![Shard::open(path)?] };
        let mut neighbours = Vec::new();
        let mut broken = Vec::new();
        if leader.count(is_vae) == 0 {
            for file in listing.safetensors.iter().filter(|file| file.file_name() != path.file_name()) {
                match Shard::open(file) {
                    Ok(shard) => neighbours.push(Set { shards: vec![shard] }),
                    Err(error) => broken.push(error),
                }
            }
        }
        let mut source = Self::of_sets(path, vec![leader], broken)?;
        for set in neighbours {
            source.take(set, Take::Vae)?;
        }
        Ok(source)
    }

    /// Takes the fullest set, then from the others what does not compete with it.
    fn of_sets(path: &Path, mut sets: Vec<Set>, broken: Vec<Error>) -> Result<Self> {
        let folder = if path.is_dir() { path } else { path.parent().unwrap_or(Path::new("")) };
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
            return Err(not_a_model(path, reason));
        }
        let mut source = Self {
            name: name_of(path),
            format: Format::Safetensors,
            folder: folder.to_path_buf(),
            shapes: Shapes::Documents(Documents::read(folder)?),
            tokenizer_json: read_tokenizer(folder)?,
            tensors: BTreeMap::new(),
            broken,
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

/// The files of a folder that matter, each list sorted.
#[derive(Default)]
struct Listing {
    safetensors: Vec<PathBuf>,
    indexes: Vec<PathBuf>,
    unsafe_files: Vec<PathBuf>,
}

impl Listing {
    fn read(folder: &Path) -> Result<Self> {
        let mut listing = Self::default();
        for entry in fs::read_dir(folder).map_err(|source| Error::io(folder, source))? {
            let path = entry.map_err(|source| Error::io(folder, source))?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
            if name.starts_with('.') {
                continue;
            }
            if name.ends_with(INDEX_SUFFIX) {
                listing.indexes.push(path);
            } else if name.ends_with(".safetensors") {
                listing.safetensors.push(path);
            } else if unsafe_format(&path).is_some() {
                listing.unsafe_files.push(path);
            }
        }
        listing.safetensors.sort();
        listing.indexes.sort();
        listing.unsafe_files.sort();
        Ok(listing)
    }
}

/// The shards that an index lists, as paths beside it.
fn read_index(index: &Path) -> Result<BTreeSet<PathBuf>> {
    #[derive(Deserialize)]
    struct Index {
        weight_map: BTreeMap<String, String>,
    }
    let wrong = |reason: String| Error::Config { path: index.to_path_buf(), key: "weight_map".to_owned(), reason };
    let about = fs::metadata(index).map_err(|source| Error::io(index, source))?;
    if !about.is_file() || about.len() > MAX_INDEX_BYTES {
        return Err(wrong(format!("not a file of at most {MAX_INDEX_BYTES} bytes")));
    }
    let bytes = fs::read(index).map_err(|source| Error::io(index, source))?;
    let content: Index = serde_json::from_slice(&bytes).map_err(|error| wrong(error.to_string()))?;
    let folder = index.parent().unwrap_or(Path::new(""));
    let mut paths = BTreeSet::new();
    for name in content.weight_map.into_values() {
        let is_plain = Path::new(&name).file_name().is_some_and(|it| it == name.as_str()) && !name.contains('\\');
        if !is_plain || !name.ends_with(".safetensors") {
            return Err(wrong(format!("{name:?} is not the name of a .safetensors file in this folder")));
        }
        paths.insert(folder.join(name));
    }
    Ok(paths)
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

/// The published name of a tensor that a training framework may have wrapped.
///
/// Published names contain `model.` but none begins with it.
fn published_name(raw: &str) -> &str {
    let mut name = raw;
    while let Some(rest) = ["module.", "model."].iter().find_map(|prefix| name.strip_prefix(prefix)) {
        name = rest;
    }
    ["vae_model.", "vae."]
        .iter()
        .find_map(|prefix| name.strip_prefix(prefix))
        .filter(|rest| is_vae(rest))
        .unwrap_or(name)
}

fn is_vae(name: &str) -> bool {
    name.starts_with("encoder.") || name.starts_with("decoder.")
}

fn is_model(name: &str) -> bool {
    const MODULES: [&str; 8] = [
        "language_model.",
        "vit_model.",
        "connector.",
        "time_embedder.",
        "vae2llm.",
        "llm2vae.",
        "latent_pos_embed.",
        "vit_pos_embed.",
    ];
    MODULES.iter().any(|module| name.starts_with(module))
}

/// What a file is, if opening it the way its authors do could run code.
fn unsafe_format(path: &Path) -> Option<&'static str> {
    let extension = path.extension()?.to_string_lossy().to_lowercase();
    match extension.as_str() {
        "pt" | "pth" | "bin" | "ckpt" | "pkl" | "pickle" => Some("pickle"),
        "zip" => Some("zip"),
        _ => None,
    }
}

fn refused(path: &Path) -> Error {
    match unsafe_format(path) {
        Some(format) => Error::Unsafe { path: path.to_path_buf(), format },
        None => not_a_model(path, "give a folder, a .safetensors file or a .gguf file"),
    }
}

fn not_a_model(path: &Path, reason: &str) -> Error {
    Error::NotAModel { path: path.to_path_buf(), reason: reason.to_owned() }
}

fn name_of(path: &Path) -> String {
    let canonical = fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    let name = if path.is_dir() { canonical.file_name() } else { path.file_stem() };
    name.map_or_else(|| "model".to_owned(), |name| name.to_string_lossy().into_owned())
}
