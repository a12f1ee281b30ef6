//! Packages that people install: the window, the engines, the pocket model and the model list in one file.
//!
//! Tauri's bundler lays out what cargo has built; it comes as a binary from the npm registry at a fixed version.
//! What can be made depends on the system: a `.deb` and an `.rpm` on Linux, an NSIS installer on Windows, a `.dmg` on
//! macOS.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::{
    setup::{self, Purpose},
    system::Consent,
    ui, variants,
    workspace::Workspace,
};

const BUNDLER: &str = "@tauri-apps/cli@2.12.5";

/// The menu's entry on Linux. The bundler's own does not hand over the files that it is opened with.
const DESKTOP_ENTRY: &str = "[Desktop Entry]
Type=Application
Name={{name}}
Comment={{comment}}
Comment[zh_CN]=用自己的话创作、修改和询问图片
Exec={{exec}} %F
Icon={{icon}}
StartupWMClass={{exec}}
Categories=Graphics;RasterGraphics;
MimeType=image/png;image/jpeg;image/webp;
Terminal=false
";

/// Debian's `copyright` file. Licenses of what is linked in are on the about page, made by the build.
const COPYRIGHT: &str = "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: Bagel Studio

Files: *
Copyright: The authors of Bagel Studio
License: Apache-2.0
 On Debian systems the full text of the license is in /usr/share/common-licenses/Apache-2.0.
";

/// Which compiled programs go into a package.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    /// As shipped: slow to compile.
    Release,
    /// As tests use it: quick to make, for trying the package itself.
    Development,
}

impl Profile {
    /// What cargo calls the folder of its programs.
    pub(crate) fn folder(self) -> &'static str {
        match self {
            Self::Release => "release",
            Self::Development => "debug",
        }
    }
}

/// Makes this system's packages; gives where they are.
pub(crate) fn make(workspace: &Workspace, profile: Profile, consent: Consent) -> Result<Vec<PathBuf>> {
    setup::prepare(workspace, Purpose::Window, consent)?;
    ui::script(workspace, &workspace.ui(), "build").run()?;
    let build = match profile {
        Profile::Release => workspace.cargo(&["build", "--package", "bagel-studio", "--package", "cli", "--release"]),
        // The targets of the tests, so that what they compiled is used.
        Profile::Development => workspace.cargo(&["build", "--workspace", "--bins", "--tests"]),
    };
    build.run()?;
    let bundler = install_bundler(workspace)?;
    let configuration = workspace.target.join("bundle.json");
    let ordinary = workspace.target.join(profile.folder()).join(format!("bagel{}", std::env::consts::EXE_SUFFIX));
    let programs: Vec<PathBuf> =
        std::iter::once(ordinary).chain(variants::build_for_package(workspace, profile)?).collect();
    let engines = stage_engines(&workspace.target.join("bundle-engines"), &host(workspace)?, &programs)?;
    let texts = Texts::write(&workspace.target)?;
    let text = serde_json::to_string_pretty(&configure(&workspace.root, &engines, &texts))?;
    fs::write(&configuration, text).with_context(|| configuration.display().to_string())?;
    let output = workspace.target.join(profile.folder()).join("bundle");
    // A package of an earlier version would be found beside the new one.
    if output.is_dir() {
        fs::remove_dir_all(&output).with_context(|| output.display().to_string())?;
    }
    let mut bundle = workspace.program("node").in_folder(&workspace.root.join("src-tauri")).argument(bundler);
    bundle = bundle.arguments(&["bundle", "--ci", "--bundles", kinds(), "--config"]).argument(&configuration);
    if profile == Profile::Development {
        bundle = bundle.argument("--debug");
    }
    bundle.variable("CARGO_TARGET_DIR", &workspace.target).run()?;
    let packages = packages(&output)?;
    if packages.is_empty() {
        bail!("the bundler ended without a package in {}", output.display());
    }
    for package in &packages {
        println!("{}", package.display());
    }
    Ok(packages)
}

/// What the bundler makes here without fetching anything.
fn kinds() -> &'static str {
    if cfg!(windows) {
        "nsis"
    } else if cfg!(target_os = "macos") {
        "dmg"
    } else {
        "deb,rpm"
    }
}

fn install_bundler(workspace: &Workspace) -> Result<PathBuf> {
    let folder = workspace.target.join("bundler");
    let script = folder.join("node_modules/@tauri-apps/cli/tauri.js");
    let stamp = folder.join("installed.txt");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == BUNDLER) && script.is_file() {
        return Ok(script);
    }
    fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    fs::write(folder.join("package.json"), "{ \"private\": true }\n")?;
    let npm = if cfg!(windows) { "npm.cmd" } else { "npm" };
    let install = workspace.program(npm).in_folder(&folder).arguments(&["install", "--ignore-scripts", "--no-audit"]);
    install.arguments(&["--no-fund", "--save-exact", BUNDLER]).run()?;
    fs::write(&stamp, BUNDLER).with_context(|| stamp.display().to_string())?;
    Ok(script)
}

/// The target that this machine compiles for.
fn host(workspace: &Workspace) -> Result<String> {
    let listing = workspace.program("rustc").argument("--version").argument("--verbose").output();
    let host = listing.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).context("rustc does not name its host")
}

/// Puts the engines where the bundler looks for them: by name and target. Only those just built are there then.
fn stage_engines(folder: &Path, target: &str, programs: &[PathBuf]) -> Result<Vec<PathBuf>> {
    if folder.is_dir() {
        fs::remove_dir_all(folder).with_context(|| folder.display().to_string())?;
    }
    fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    let mut engines = Vec::new();
    for program in programs {
        let name = program.file_stem().with_context(|| program.display().to_string())?;
        let engine = folder.join(name);
        let staged = folder.join(format!("{}-{target}{}", name.to_string_lossy(), std::env::consts::EXE_SUFFIX));
        fs::copy(program, &staged).with_context(|| program.display().to_string())?;
        engines.push(engine);
    }
    Ok(engines)
}

/// Files of ours that a Linux package holds beside the programs.
struct Texts {
    desktop_entry: PathBuf,
    copyright: PathBuf,
}

impl Texts {
    fn write(folder: &Path) -> Result<Self> {
        let write = |name: &str, text: &str| {
            let path = folder.join(name);
            fs::write(&path, text).with_context(|| path.display().to_string())?;
            Ok::<_, anyhow::Error>(path)
        };
        Ok(Self {
            desktop_entry: write("bundle.desktop", DESKTOP_ENTRY)?,
            copyright: write("bundle.copyright", COPYRIGHT)?,
        })
    }
}

/// What the bundler is told beyond `tauri.conf.json`.
///
/// It stands here and not there, because there every build would look for the engines.
fn configure(root: &Path, engines: &[PathBuf], texts: &Texts) -> Value {
    let Texts { desktop_entry, copyright } = texts;
    let icons: Vec<PathBuf> = ["32x32.png", "128x128.png", "icon.png", "icon.icns", "icon.ico"]
        .iter()
        .map(|name| root.join("src-tauri/icons").join(name))
        .collect();
    let mut resources = serde_json::Map::new();
    let mut add = |path: PathBuf, name: &str| {
        if path.is_file() {
            resources.insert(path.to_string_lossy().into_owned(), Value::from(name));
        }
    };
    add(root.join("models.toml"), "models.toml");
    add(root.join("LICENSE"), "LICENSE");
    for file in fs::read_dir(root.join("assets/pocket")).into_iter().flatten().flatten() {
        let name = file.file_name().to_string_lossy().into_owned();
        if [".gguf", ".toml"].iter().any(|suffix| name.ends_with(suffix)) {
            add(file.path(), &format!("pocket/{name}"));
        }
    }
    let images = [("png", "image/png"), ("jpg", "image/jpeg"), ("jpeg", "image/jpeg"), ("webp", "image/webp")];
    let associations: Vec<Value> = images
        .iter()
        .map(|(extension, kind)| json!({ "ext": [extension], "mimeType": kind, "role": "Editor", "rank": "Alternate" }))
        .collect();
    json!({
        "bundle": {
            "active": true,
            "category": "GraphicsAndDesign",
            "publisher": "The authors of Bagel Studio",
            "copyright": "The authors of Bagel Studio",
            "license": "Apache-2.0",
            "licenseFile": root.join("LICENSE"),
            "shortDescription": "Create, edit and question images in your own words",
            "longDescription": "A studio for BAGEL: it paints from text, edits images by prompt and answers \
                questions about them, on this computer alone.",
            "externalBin": engines,
            "resources": resources,
            "icon": icons,
            "fileAssociations": associations,
            "linux": {
                "deb": {
                    "section": "graphics",
                    "depends": ["xdg-utils"],
                    "desktopTemplate": desktop_entry,
                    "files": { "/usr/share/doc/bagel-studio/copyright": copyright },
                },
                "rpm": { "depends": ["xdg-utils"], "desktopTemplate": desktop_entry },
            },
            "windows": { "nsis": { "installMode": "currentUser", "languages": ["English", "SimpChinese"] } },
            "macOS": { "minimumSystemVersion": "12.0" },
        }
    })
}

fn packages(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for kind in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let kind = kind?.path();
        for entry in fs::read_dir(&kind).into_iter().flatten().flatten() {
            let path = entry.path();
            let suffix = path.extension().map(|suffix| suffix.to_string_lossy().into_owned()).unwrap_or_default();
            if path.is_file() && ["deb", "rpm", "exe", "dmg"].contains(&suffix.as_str()) {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Installs the `.deb` into an empty Debian, starts the window on a display without a screen, and makes an image.
pub(crate) fn verify(workspace: &Workspace, packages: &[PathBuf]) -> Result<()> {
    let is_deb = |path: &&PathBuf| path.extension().is_some_and(|suffix| suffix == "deb");
    let Some(package) = packages.iter().find(is_deb) else { bail!("there is no .deb to verify on this system") };
    let script = workspace.root.join("src-tauri/crates/xtask/verify-deb.sh");
    let folder = workspace.target.join("clean");
    workspace.program("sh").argument(script).argument(package).argument(folder).run()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Texts, configure, packages, stage_engines};

    #[test]
    fn package_holds_the_engine_the_models_and_the_license() {
        let root = tempfile::tempdir().expect("a folder");
        std::fs::create_dir_all(root.path().join("assets/pocket/train")).expect("a folder");
        for name in ["models.toml", "LICENSE", "assets/pocket/pocket-q8_0.gguf", "assets/pocket/README.md"] {
            std::fs::write(root.path().join(name), "").expect("a file");
        }
        let texts = Texts::write(root.path()).expect("texts");
        let bundle = configure(root.path(), &["engines/bagel".into()], &texts)["bundle"].clone();
        let copyright = bundle["linux"]["deb"]["files"]["/usr/share/doc/bagel-studio/copyright"].as_str();
        assert!(copyright.is_some_and(|path| Path::new(path).is_file()), "{copyright:?}");
        assert_eq!(bundle["externalBin"][0], "engines/bagel");
        let names: Vec<&str> =
            bundle["resources"].as_object().expect("a map").values().filter_map(|v| v.as_str()).collect();
        assert!(
            ["models.toml", "LICENSE", "pocket/pocket-q8_0.gguf"].iter().all(|name| names.contains(name)),
            "{names:?}"
        );
        assert_eq!(names.len(), 3, "{names:?}");
    }

    #[test]
    fn every_engine_that_was_built_goes_in_and_none_of_an_earlier_package() {
        let root = tempfile::tempdir().expect("a folder");
        let (built, staged) = (root.path().join("release"), root.path().join("bundle-engines"));
        for folder in [&built, &staged] {
            std::fs::create_dir(folder).expect("a folder");
        }
        std::fs::write(staged.join("bagel-metal-target"), "old").expect("a file");
        let program = |name: &str| built.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
        let programs = [program("bagel"), program("bagel-cuda")];
        for program in &programs {
            std::fs::write(program, "engine").expect("a file");
        }
        let engines = stage_engines(&staged, "target", &programs).expect("engines");
        assert_eq!(engines, [staged.join("bagel"), staged.join("bagel-cuda")]);
        let n_files = std::fs::read_dir(&staged).expect("a folder").count();
        assert_eq!(n_files, 2);
        assert!(stage_engines(&staged, "target", &[program("bagel-metal")]).is_err());
    }

    #[test]
    fn packages_are_found_by_what_they_are() {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["deb/studio.deb", "deb/studio/control", "rpm/studio.rpm"] {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
            std::fs::write(path, "").expect("a file");
        }
        let found = packages(folder.path()).expect("packages");
        assert_eq!(found, [folder.path().join("deb/studio.deb"), folder.path().join("rpm/studio.rpm")]);
        assert!(packages(Path::new("no/such/folder")).is_err());
    }
}
