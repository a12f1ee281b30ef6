//! Packages that people install: the window, the engines, the pocket model and the model list in one file.
//!
//! Tauri's bundler lays out what cargo has built, as `src-tauri/package/bundle.json` says. That file is apart from
//! `tauri.conf.json` because every build would look for what is listed there. A `.deb` and an `.rpm` are made on Linux,
//! an NSIS installer on Windows, a `.dmg` on macOS.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use serde_json::json;
use xshell::cmd;

use crate::{
    engines::{self, Profile},
    setup::{self, Consent, Purpose},
    workspace::{Workspace, run},
};

const BUNDLER: &str = "@tauri-apps/cli@2.12.5";

/// The packages that the bundler makes on this system without fetching anything.
const KINDS: &str = if cfg!(windows) {
    "nsis"
} else if cfg!(target_os = "macos") {
    "dmg"
} else {
    "deb,rpm"
};

/// Makes this system's packages; gives their paths.
pub(crate) fn make(workspace: &Workspace, profile: Profile, consent: Consent) -> Result<Vec<PathBuf>> {
    setup::prepare(workspace, Purpose::Window, consent)?;
    workspace.build_frontend()?;
    let sh = &workspace.shell;
    run(match profile {
        Profile::Release => cmd!(sh, "cargo build --package bagel-studio --package cli --release"),
        // The targets of the tests, so that what they compiled is used.
        Profile::Development => cmd!(sh, "cargo build --workspace --bins --tests"),
    })?;
    let ordinary = workspace.target.join(profile.folder()).join(format!("bagel{}", env::consts::EXE_SUFFIX));
    let engines = [Some(ordinary), engines::build_for_package(workspace, profile)?];
    let engines: Vec<PathBuf> = engines.into_iter().flatten().collect();
    let engines = stage_engines(&workspace.target.join("bundle-engines"), &find_host(workspace)?, &engines)?;
    let output = workspace.target.join(profile.folder()).join("bundle");
    // A package of an earlier version would be found beside the new one.
    if output.is_dir() {
        fs::remove_dir_all(&output).with_context(|| output.display().to_string())?;
    }
    let (bundler, engines) = (install_bundler(workspace)?, json!({ "bundle": { "externalBin": engines } }).to_string());
    let debug: &[&str] = if profile == Profile::Development { &["--debug"] } else { &[] };
    let _folder = sh.push_dir("src-tauri");
    let bundle = cmd!(
        sh,
        "node {bundler} bundle --ci --bundles {KINDS} --config package/bundle.json --config {engines} {debug...}"
    );
    run(bundle.env("CARGO_TARGET_DIR", &workspace.target))?;
    let packages = find_packages(&output)?;
    if packages.is_empty() {
        bail!("the bundler made no package in {}", output.display());
    }
    for package in &packages {
        println!("{}", package.display());
    }
    Ok(packages)
}

/// Installs the bundler as a binary from the npm registry, at a fixed version; gives the path of its script.
fn install_bundler(workspace: &Workspace) -> Result<PathBuf> {
    let folder = workspace.target.join("bundler");
    let script = folder.join("node_modules/@tauri-apps/cli/tauri.js");
    let stamp = folder.join("installed.txt");
    if script.is_file() && fs::read_to_string(&stamp).is_ok_and(|installed| installed == BUNDLER) {
        return Ok(script);
    }
    workspace.shell.write_file(folder.join("package.json"), "{ \"private\": true }\n")?;
    let options = ["--ignore-scripts", "--no-audit", "--no-fund", "--save-exact"];
    run(workspace.npm().arg("install").arg("--prefix").arg(&folder).args(options).arg(BUNDLER))?;
    workspace.shell.write_file(&stamp, BUNDLER)?;
    Ok(script)
}

/// The target that this machine compiles for.
fn find_host(workspace: &Workspace) -> Result<String> {
    let listing = cmd!(workspace.shell, "rustc --version --verbose").quiet().read()?;
    let host = listing.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).context("rustc does not name its host")
}

/// Copies the engines to where the bundler looks for them, by name and target; engines of an earlier package go.
fn stage_engines(folder: &Path, target: &str, engines: &[PathBuf]) -> Result<Vec<PathBuf>> {
    if folder.is_dir() {
        fs::remove_dir_all(folder).with_context(|| folder.display().to_string())?;
    }
    fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    let stage = |engine: &PathBuf| {
        let name = engine.file_stem().with_context(|| engine.display().to_string())?;
        let file = format!("{}-{target}{}", name.to_string_lossy(), env::consts::EXE_SUFFIX);
        fs::copy(engine, folder.join(file)).with_context(|| engine.display().to_string())?;
        Ok(folder.join(name))
    };
    engines.iter().map(stage).collect()
}

fn find_packages(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for kind in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let files = fs::read_dir(kind?.path()).into_iter().flatten().flatten().map(|entry| entry.path());
        let is_package = |extension: &str| ["deb", "rpm", "exe", "dmg"].contains(&extension);
        found.extend(files.filter(|path| path.extension().and_then(|it| it.to_str()).is_some_and(is_package)));
    }
    found.sort();
    Ok(found)
}

/// Installs the `.deb` into an empty Debian, starts the window on a virtual display, and generates an image.
pub(crate) fn verify(workspace: &Workspace, packages: &[PathBuf]) -> Result<()> {
    let is_deb = |path: &&PathBuf| path.extension().is_some_and(|extension| extension == "deb");
    let Some(package) = packages.iter().find(is_deb) else { bail!("only a .deb can be verified") };
    let folder = workspace.target.join("clean");
    run(cmd!(workspace.shell, "sh src-tauri/crates/xtask/verify-deb.sh {package} {folder}"))
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use serde_json::Value;

    use super::{find_packages, stage_engines};

    #[test]
    fn files_that_a_package_holds_exist() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let text = fs::read_to_string(folder.join("package/bundle.json")).expect("the bundler's settings");
        let bundle = serde_json::from_str::<Value>(&text).expect("JSON")["bundle"].clone();
        let (linux, resources) = (&bundle["linux"], bundle["resources"].as_object().expect("a map"));
        let icons = bundle["icon"].as_array().expect("a list").iter();
        let others = [&bundle["licenseFile"], &linux["deb"]["desktopTemplate"], &linux["rpm"]["desktopTemplate"]];
        let copyright = linux["deb"]["files"].as_object().expect("a map").values();
        let values = icons.chain(others).chain(copyright).map(|path| path.as_str().expect("a path"));
        for path in values.chain(resources.keys().map(String::as_str)) {
            let (parent, name) = path.rsplit_once('/').expect("a folder");
            let suffix = name.trim_start_matches('*');
            let mut entries = fs::read_dir(folder.join(parent)).expect("a folder").flatten();
            assert!(entries.any(|entry| entry.file_name().to_string_lossy().ends_with(suffix)), "{path}");
        }
        assert!(["models.toml", "LICENSE", "pocket/"].iter().all(|name| resources.values().any(|it| it == name)));
    }

    #[test]
    fn every_engine_just_built_goes_in_and_none_of_an_earlier_package() {
        let root = tempfile::tempdir().expect("a folder");
        let (built, staged) = (root.path().join("release"), root.path().join("bundle-engines"));
        for folder in [&built, &staged] {
            fs::create_dir(folder).expect("a folder");
        }
        fs::write(staged.join("bagel-metal-target"), "old").expect("a file");
        let program = |name: &str| built.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
        let programs = [program("bagel"), program("bagel-cuda")];
        for program in &programs {
            fs::write(program, "engine").expect("a file");
        }
        let engines = stage_engines(&staged, "target", &programs).expect("engines");
        assert_eq!(engines, [staged.join("bagel"), staged.join("bagel-cuda")]);
        assert_eq!(fs::read_dir(&staged).expect("a folder").count(), 2);
        assert!(stage_engines(&staged, "target", &[program("bagel-metal")]).is_err());
    }

    #[test]
    fn packages_are_found_by_their_extension() {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["deb/studio.deb", "deb/studio/control", "rpm/studio.rpm"] {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
            fs::write(path, "").expect("a file");
        }
        let found = find_packages(folder.path()).expect("packages");
        assert_eq!(found, [folder.path().join("deb/studio.deb"), folder.path().join("rpm/studio.rpm")]);
        assert!(find_packages(Path::new("no/such/folder")).is_err());
    }
}
