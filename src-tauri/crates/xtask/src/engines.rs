//! Engines for graphics cards: built beside the ordinary one where their toolchain is found.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use xshell::cmd;

use crate::workspace::{Workspace, run, succeeds};

/// Compute capability to compile for where no card can be asked; newer cards compile its code further.
const OLDEST_COMPUTE_CAPABILITY: &str = "80";

/// Which compiled programs are meant.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    /// As shipped: slow to compile.
    Release,
    /// As tests use it: quick to make, for trying the package itself.
    Development,
}

impl Profile {
    /// Name of the folder that cargo puts its programs into.
    pub(crate) fn folder(self) -> &'static str {
        match self {
            Self::Release => "release",
            Self::Development => "debug",
        }
    }
}

/// Builds the engine for this machine's graphics card, or prints what is missing; gives its path.
pub(crate) fn build_for_this_machine(workspace: &Workspace) -> Result<Option<PathBuf>> {
    let has_card = has_nvidia_card(workspace);
    let Some(feature) = choose_feature(has_card, has_cuda_compiler(workspace)) else {
        if has_card {
            println!(
                "There is an NVIDIA card, but no CUDA toolkit: install it (nvcc) and run this again to use the card."
            );
        }
        return Ok(None);
    };
    compile(workspace, feature, Profile::Development, has_card).map(Some).or_else(|error| {
        println!("The engine for the graphics card could not be built; the processor is used. {error:#}");
        Ok(None)
    })
}

/// Builds the engine that a package holds besides the ordinary one; this machine needs no card. Gives its path.
///
/// # Errors
/// When it cannot be built though its toolchain is installed: a package without it would look like one with it.
pub(crate) fn build_for_package(workspace: &Workspace, profile: Profile) -> Result<Option<PathBuf>> {
    let Some(feature) = choose_feature(true, has_cuda_compiler(workspace)) else {
        println!("No toolchain for graphics cards is installed: the package has the engine for the processor only.");
        return Ok(None);
    };
    compile(workspace, feature, profile, has_nvidia_card(workspace)).map(Some)
}

fn has_nvidia_card(workspace: &Workspace) -> bool {
    succeeds(cmd!(workspace.shell, "nvidia-smi"))
}

fn has_cuda_compiler(workspace: &Workspace) -> bool {
    succeeds(cmd!(workspace.shell, "nvcc --version"))
}

/// The feature of the engine's package that a machine can use.
fn choose_feature(has_nvidia_card: bool, has_cuda_compiler: bool) -> Option<&'static str> {
    if cfg!(all(target_os = "macos", target_arch = "aarch64")) {
        Some("metal")
    } else {
        (has_nvidia_card && has_cuda_compiler).then_some("cuda")
    }
}

fn compile(workspace: &Workspace, feature: &str, profile: Profile, has_card: bool) -> Result<PathBuf> {
    println!("Building the engine for the graphics card; the first time takes long.");
    // A folder of its own, because the features of one build would make the other compile again.
    let folder = workspace.target.join(feature);
    let release: &[&str] = if profile == Profile::Release { &["--release"] } else { &[] };
    let build = cmd!(workspace.shell, "cargo build --package cli --features {feature} {release...}");
    let mut build = build.env("CARGO_TARGET_DIR", &folder);
    if feature == "cuda" && !has_card && env::var_os("CUDA_COMPUTE_CAP").is_none() {
        build = build.env("CUDA_COMPUTE_CAP", OLDEST_COMPUTE_CAPABILITY);
    }
    run(build)?;
    let program =
        |folder: &Path, name: &str| folder.join(profile.folder()).join(format!("{name}{}", env::consts::EXE_SUFFIX));
    let (built, beside) = (program(&folder, "bagel"), program(&workspace.target, &format!("bagel-{feature}")));
    fs::copy(&built, &beside).with_context(|| built.display().to_string())?;
    Ok(beside)
}

#[cfg(all(test, not(target_os = "macos")))]
mod tests {
    use super::choose_feature;

    #[test]
    fn cuda_is_built_only_for_a_card_with_its_compiler() {
        assert_eq!(choose_feature(true, true), Some("cuda"));
        assert_eq!([(true, false), (false, true)].map(|(card, compiler)| choose_feature(card, compiler)), [None, None]);
    }
}
