//! The licenses of everything inside the packages, as one text for the about page.
//!
//! Each text is listed once with the packages that have it. All are read from the sources that are being compiled, Rust
//! and npm alike, without a network, so the list always matches the lock files. Kept instead of cargo-about and a
//! bundler plugin: these are two more tools to install for two lists, and the first must be compiled on every machine
//! that builds.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;
use std::{env, fs};

use serde_json::Value;

/// Beginnings of the names of license files, in lower case.
const NAMES: [&str; 6] = ["license", "licence", "copying", "notice", "copyright", "unlicense"];

/// Name with version, license, and folder of the sources.
type Package = (String, String, std::path::PathBuf);

/// Writes the text; a package whose sources are missing is listed by its name alone.
pub(crate) fn write(to: &Path) -> Result<(), String> {
    println!("cargo::rerun-if-changed=../Cargo.lock");
    println!("cargo::rerun-if-changed=../ui/package-lock.json");
    let mut packages = rust_packages()?;
    packages.extend(window_packages()?);
    let mut text = String::from("Bagel Studio is published under the Apache License 2.0. It contains:\n\n");
    let mut owners: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, license, folder) in &packages {
        text.push_str(&format!("{name}  {license}\n"));
        for body in texts(folder) {
            owners.entry(body).or_default().push(name.clone());
        }
    }
    for (body, names) in owners {
        text.push_str(&format!("\n────────\n{}\n\n{body}\n", names.join(", ")));
    }
    fs::write(to, text).map_err(|error| format!("{}: {error}", to.display()))
}

/// The crates that are linked into the window and the engine.
fn rust_packages() -> Result<BTreeSet<Package>, String> {
    let target = env::var("TARGET").map_err(|error| error.to_string())?;
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let arguments = ["metadata", "--format-version", "1", "--offline", "--filter-platform", &target];
    let output = Command::new(cargo).args(arguments).output().map_err(|error| format!("cargo metadata: {error}"))?;
    if !output.status.success() {
        return Err(format!("cargo metadata: {}", String::from_utf8_lossy(&output.stderr).trim()));
    }
    let metadata: Value = serde_json::from_slice(&output.stdout).map_err(|error| error.to_string())?;
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let described: BTreeMap<String, Value> =
        list(&metadata["packages"]).into_iter().map(|package| (text(&package["id"]), package)).collect();
    let linked: BTreeMap<String, Vec<String>> = list(&metadata["resolve"]["nodes"])
        .iter()
        .map(|node| {
            let is_linked = |one: &Value| list(&one["dep_kinds"]).iter().any(|kind| kind["kind"].is_null());
            let names = list(&node["deps"]).iter().filter(|one| is_linked(one)).map(|one| text(&one["pkg"])).collect();
            (text(&node["id"]), names)
        })
        .collect();
    let is_program = |package: &Value| ["bagel-studio", "cli"].iter().any(|name| package["name"] == *name);
    let mut pending: Vec<String> =
        described.iter().filter(|(_, package)| is_program(package)).map(|(id, _)| id.clone()).collect();
    let mut seen: BTreeSet<String> = BTreeSet::new();
    while let Some(id) = pending.pop() {
        if seen.insert(id.clone()) {
            pending.extend(linked.get(&id).cloned().unwrap_or_default());
        }
    }
    let describe = |id: &String| {
        let package = described.get(id).filter(|package| !package["source"].is_null())?;
        let name = format!("{} {}", text(&package["name"]), text(&package["version"]));
        let folder = Path::new(package["manifest_path"].as_str()?).parent()?.to_path_buf();
        Some((name, text(&package["license"]), folder))
    };
    Ok(seen.iter().filter_map(describe).collect())
}

/// The npm packages in the window's page.
fn window_packages() -> Result<BTreeSet<Package>, String> {
    let lock = fs::read("../ui/package-lock.json").map_err(|error| format!("ui/package-lock.json: {error}"))?;
    let lock: Value = serde_json::from_slice(&lock).map_err(|error| format!("ui/package-lock.json: {error}"))?;
    let mut packages = BTreeSet::new();
    for (path, package) in lock["packages"].as_object().into_iter().flatten() {
        let Some((_, name)) = path.rsplit_once("node_modules/") else { continue };
        // Svelte is a build tool, but its runtime is part of the page.
        if package["dev"] == true && name != "svelte" {
            continue;
        }
        let name = format!("{name} {}", package["version"].as_str().unwrap_or_default());
        let license = package["license"].as_str().unwrap_or_default().to_owned();
        packages.insert((name, license, Path::new("../ui").join(path)));
    }
    Ok(packages)
}

fn texts(folder: &Path) -> Vec<String> {
    let mut found: Vec<_> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
            path.is_file() && NAMES.iter().any(|start| name.starts_with(start))
        })
        .collect();
    found.sort();
    let body = |path| Some(fs::read_to_string(path).ok()?.replace("\r\n", "\n").trim().to_owned());
    found.iter().filter_map(body).filter(|body| !body.is_empty()).collect()
}
