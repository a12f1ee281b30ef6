//! Files are saved by the crate `durable` and in no other way.

use std::fs;
use std::path::{Path, PathBuf};

/// What shows that a file is saved by hand.
const FORBIDDEN: &[&str] = &["NamedTempFile", "tempfile_in", "fs::rename", "fs::write("];

/// Sources that may do so, and why.
const ALLOWED: &[(&str, &str)] = &[
    ("crates/durable/src/", "this is the way"),
    ("crates/xtask/", "files of the build, which are made again"),
    ("crates/protocol/examples/typescript.rs", "a generated source, under version control"),
    ("crates/judge/examples/", "reports of a measurement"),
    ("crates/bagel-dev/src/", "weights that are made from a seed for measurements, and /proc"),
    ("crates/studio/src/logs.rs", "turns over logs, which need no sync"),
    ("crates/studio/src/settings.rs", "moves a file that cannot be read out of the way"),
    ("crates/studio/fake_engine/", "part of the tests"),
    ("build/", "part of the build"),
];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_dir() {
            // Tests and programs that try crates out make and damage files on purpose.
            if !matches!(&*name, "tests" | "fuzz" | "bin" | "target" | "gen") {
                sources(&path, found);
            }
        } else if name.ends_with(".rs") {
            found.push(path);
        }
    }
}

#[test]
fn files_are_saved_in_one_way() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut files = Vec::new();
    sources(&root, &mut files);
    let mut found = Vec::new();
    for path in files {
        let name = path.strip_prefix(&root).expect("below the root").to_string_lossy().replace('\\', "/");
        if ALLOWED.iter().any(|(prefix, _reason)| name.starts_with(prefix)) {
            continue;
        }
        let text = fs::read_to_string(&path).expect("text");
        // Unit tests stand at the end of a file.
        let code = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
        let lines = code.lines().enumerate().filter(|(_, line)| FORBIDDEN.iter().any(|word| line.contains(word)));
        found.extend(lines.map(|(line_idx, line)| format!("{name}:{}: {}", line_idx + 1, line.trim())));
    }
    assert!(found.is_empty(), "save files by the crate `durable`:\n{}", found.join("\n"));
}

#[test]
fn allowed_sources_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for (path, _reason) in ALLOWED {
        assert!(root.join(path).exists(), "{path} does not exist any more; remove it from the list");
    }
}
