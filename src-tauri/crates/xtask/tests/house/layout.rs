//! What stands at the repository's top level, and what the documents say about it.

use std::fs;

use crate::sources::{git, root};

const TOP_LEVEL: &[&str] = &[
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "README.md",
    "assets",
    "docs",
    "models.toml",
    "src-tauri",
    "ui",
];

#[test]
fn top_level_holds_only_what_belongs_there() {
    // A source archive has no history to ask.
    let Some(listing) = git(&["ls-tree", "--name-only", "HEAD"]) else { return };
    for name in listing.lines() {
        assert!(name.starts_with('.') || TOP_LEVEL.contains(&name), "{name} does not belong at the top level");
    }
}

#[test]
fn folders_that_the_architecture_names_are_there() {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).expect("ARCHITECTURE.md");
    let named: Vec<&str> = text.split('`').skip(1).step_by(2).filter(|code| code.starts_with("src-tauri/")).collect();
    assert!(!named.is_empty(), "ARCHITECTURE.md names no folder");
    for path in named {
        assert!(root().join(path).exists(), "ARCHITECTURE.md names {path}, which is not there");
    }
}

#[test]
fn every_crate_is_named_in_the_architecture() {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).expect("ARCHITECTURE.md");
    for entry in fs::read_dir(root().join("src-tauri/crates")).expect("crates") {
        let name = entry.expect("an entry").file_name().to_string_lossy().into_owned();
        assert!(text.contains(&format!("`src-tauri/crates/{name}`")), "ARCHITECTURE.md does not name {name}");
    }
}
