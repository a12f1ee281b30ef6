//! The files of a folder, and which of them belong together.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::{Error, Result};

const MAX_INDEX_BYTES: u64 = 16 << 20;
pub(super) const INDEX_SUFFIX: &str = ".safetensors.index.json";

/// The files of a folder that matter, each list sorted.
#[derive(Default)]
pub(super) struct Listing {
    pub(super) safetensors: Vec<PathBuf>,
    pub(super) indexes: Vec<PathBuf>,
    pub(super) ggufs: Vec<PathBuf>,
    pub(super) unsafe_files: Vec<PathBuf>,
}

impl Listing {
    pub(super) fn read(folder: &Path) -> Result<Self> {
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
            } else if name.ends_with(".gguf") {
                listing.ggufs.push(path);
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
pub(super) fn read_index(index: &Path) -> Result<BTreeSet<PathBuf>> {
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

/// What a file is, if opening it the way its authors do could run code.
fn unsafe_format(path: &Path) -> Option<&'static str> {
    let extension = path.extension()?.to_string_lossy().to_lowercase();
    match extension.as_str() {
        "pt" | "pth" | "bin" | "ckpt" | "pkl" | "pickle" => Some("pickle"),
        "zip" => Some("zip"),
        _ => None,
    }
}

/// The error for a file that is not opened.
pub(super) fn refused(path: &Path) -> Error {
    match unsafe_format(path) {
        Some(format) => Error::Unsafe { path: path.to_path_buf(), format },
        None => Error::not_a_model(path, "give a folder, a .safetensors file or a .gguf file"),
    }
}
