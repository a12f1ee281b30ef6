//! The repository's files, for the rules that read them.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The repository's root.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..")
}

/// What git prints; nothing where the sources come without a history, as in an archive.
pub(crate) fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).current_dir(root()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Paths from the root: all files under version control, and new ones that are not ignored.
pub(crate) fn tracked_files() -> Vec<String> {
    let listing = git(&["ls-files", "-z", "--cached", "--others", "--exclude-standard"]).unwrap_or_default();
    listing.split_terminator('\0').filter(|path| root().join(path).is_file()).map(str::to_owned).collect()
}

/// A Rust file of a package's `src`.
pub(crate) struct Source {
    /// The package's folder name.
    pub(crate) package: String,
    /// Path from the package's `src`.
    pub(crate) path: String,
    /// Modules from the crate's root: `["table", "node"]` for `table/node.rs`.
    pub(crate) module: Vec<String>,
    pub(crate) syntax: syn::File,
}

/// All Rust files below a package's `src`, parsed; programs in `src/bin` are left out.
pub(crate) fn rust_sources() -> Vec<Source> {
    let mut sources = Vec::new();
    for file in tracked_files().iter().filter(|file| file.ends_with(".rs")) {
        let Some((package, path)) = file.rsplit_once("/src/") else { continue };
        let package = package.rsplit('/').next().unwrap_or(package).to_owned();
        if path.starts_with("bin/") {
            continue;
        }
        let text = std::fs::read_to_string(root().join(file)).expect("a file under version control");
        let syntax = syn::parse_file(&text).unwrap_or_else(|error| panic!("{file}: {error}"));
        sources.push(Source { package, path: path.to_owned(), module: module_of(path), syntax });
    }
    sources
}

fn module_of(path: &str) -> Vec<String> {
    let stem = path.trim_end_matches(".rs");
    let mut parts: Vec<String> = stem.split('/').map(str::to_owned).collect();
    if parts.last().is_some_and(|last| last == "mod") || ["lib", "main"].contains(&stem) {
        parts.pop();
    }
    parts
}

/// Whether an item is compiled for tests alone.
pub(crate) fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("test")
            || (attribute.path().is_ident("cfg")
                && attribute.parse_args::<syn::Path>().is_ok_and(|path| path.is_ident("test")))
    })
}
