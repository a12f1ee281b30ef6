//! Which of the workspace's packages may know which, and who alone may know the model's and the window's libraries.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::Command,
};

use serde_json::Value;

use crate::sources::root;

/// Each package of ours and those of ours that it may depend on. ARCHITECTURE.md draws the same image.
const MAY_KNOW: &[(&str, &[&str])] = &[
    ("bagel-studio", &["durable", "protocol", "studio"]),
    ("studio", &["catalog", "durable", "imagefile", "protocol", "store"]),
    ("store", &["durable", "imagefile", "protocol"]),
    ("catalog", &["checkpoint", "durable", "protocol"]),
    ("cli", &["bagel", "bagel-dev", "catalog", "checkpoint", "imagefile", "protocol"]),
    ("bagel-dev", &["bagel", "checkpoint", "protocol"]),
    ("bagel", &["checkpoint", "protocol"]),
    ("checkpoint", &["durable", "protocol"]),
    ("imagefile", &["durable", "protocol"]),
    ("judge", &["imagefile", "protocol"]),
    ("durable", &[]),
    ("protocol", &[]),
    ("xtask", &[]),
];

/// Libraries by the beginning of their names, and the packages that may depend on them.
const ONLY_KNOWN_BY: &[(&str, &[&str])] =
    &[("candle", &["bagel", "bagel-dev"]), ("cudarc", &["bagel"]), ("tauri", &["bagel-studio"])];

/// Direct dependencies of each package of the workspace, tests' own left out.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(root())
        .output()
        .expect("cargo starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo prints JSON");
    let text = |value: &Value| value.as_str().expect("a name").to_owned();
    let list = |value: &Value| value.as_array().expect("a list").clone();
    let names = |package: &Value| {
        let dependencies = list(&package["dependencies"]);
        dependencies.iter().filter(|one| one["kind"] != "dev").map(|one| text(&one["name"])).collect()
    };
    list(&metadata["packages"]).iter().map(|package| (text(&package["name"]), names(package))).collect()
}

#[test]
fn every_package_has_its_place_in_the_directions() {
    let placed: BTreeSet<&str> = MAY_KNOW.iter().map(|(name, _)| *name).collect();
    let unplaced: Vec<String> = dependencies().into_keys().filter(|name| !placed.contains(name.as_str())).collect();
    assert!(unplaced.is_empty(), "say what {unplaced:?} may depend on, here and in ARCHITECTURE.md");
}

#[test]
fn packages_know_only_those_below_them() {
    let dependencies = dependencies();
    let ours: BTreeSet<&str> = MAY_KNOW.iter().map(|(name, _)| *name).collect();
    for (package, allowed) in MAY_KNOW {
        for known in dependencies.get(*package).into_iter().flatten().filter(|name| ours.contains(name.as_str())) {
            assert!(allowed.contains(&known.as_str()), "{package} must not depend on {known}");
        }
    }
}

#[test]
fn model_and_window_libraries_are_known_by_their_owners_only() {
    for (package, names) in dependencies() {
        for name in names {
            for (prefix, owners) in ONLY_KNOWN_BY {
                assert!(
                    !name.starts_with(prefix) || owners.contains(&package.as_str()),
                    "{package} must not depend on {name}"
                );
            }
        }
    }
}

#[test]
fn rules_themselves_have_no_circle() {
    let mut below: BTreeSet<&str> = BTreeSet::new();
    let mut rest: Vec<_> = MAY_KNOW.to_vec();
    while !rest.is_empty() {
        let n_rest = rest.len();
        rest.retain(|(name, allowed)| {
            let is_free = allowed.iter().all(|known| below.contains(known));
            if is_free {
                below.insert(name);
            }
            !is_free
        });
        assert!(rest.len() < n_rest, "a circle among {rest:?}");
    }
}
