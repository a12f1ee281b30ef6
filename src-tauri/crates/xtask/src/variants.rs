//! Engines for graphics cards: built beside the ordinary one where their toolchain is found.

use std::{env, path::PathBuf};

use anyhow::{Context, Result};

use crate::{bundle::Profile, workspace::Workspace};

/// The generation of cards that is compiled for where none can be asked; its code is compiled further on newer ones.
const OLDEST_CARD: &str = "80";

/// A way to compute that this machine can build for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Variant {
    Cuda,
    Metal,
}

impl Variant {
    fn feature(self) -> &'static str {
        match self {
            Self::Cuda => "cuda",
            Self::Metal => "metal",
        }
    }
}

/// Builds what this machine's graphics card needs, or says what is missing; gives the program that was built.
pub(crate) fn build(workspace: &Workspace) -> Result<Option<PathBuf>> {
    let has_card = workspace.program("nvidia-smi").succeeds();
    let has_compiler = workspace.program("nvcc").argument("--version").succeeds();
    let Some(variant) = choose(has_card, has_compiler) else {
        if has_card {
            println!(
                "There is an NVIDIA card, but no CUDA toolkit: install it (nvcc), then run this again to use the card."
            );
        }
        return Ok(None);
    };
    compile(workspace, variant, Profile::Development, has_card).map(Some).or_else(|error| {
        println!("The engine for the graphics card could not be built; the processor is used. {error:#}");
        Ok(None)
    })
}

/// Builds what a package can hold besides the ordinary engine; a card need not be here. Gives the program.
///
/// # Errors
/// When it cannot be built though its toolchain is here: a package without it would look like one with it.
pub(crate) fn build_for_package(workspace: &Workspace, profile: Profile) -> Result<Option<PathBuf>> {
    let has_compiler = workspace.program("nvcc").argument("--version").succeeds();
    let Some(variant) = choose(true, has_compiler) else {
        println!("There is no toolchain for graphics cards here: the package has the engine for the processor only.");
        return Ok(None);
    };
    let has_card = workspace.program("nvidia-smi").succeeds();
    compile(workspace, variant, profile, has_card).map(Some)
}

fn compile(workspace: &Workspace, variant: Variant, profile: Profile, has_card: bool) -> Result<PathBuf> {
    println!("Building the engine for the graphics card; the first time takes long.");
    // Of its own, because the features of one build would make the other compile again.
    let folder = workspace.target.join(variant.feature());
    let mut arguments = vec!["build", "--package", "cli", "--features", variant.feature()];
    if profile == Profile::Release {
        arguments.push("--release");
    }
    let mut build = workspace.cargo(&arguments).variable("CARGO_TARGET_DIR", &folder);
    if variant == Variant::Cuda && !has_card && env::var_os("CUDA_COMPUTE_CAP").is_none() {
        build = build.variable("CUDA_COMPUTE_CAP", OLDEST_CARD);
    }
    build.run()?;
    let suffix = env::consts::EXE_SUFFIX;
    let built = folder.join(profile.folder()).join(format!("bagel{suffix}"));
    let beside = workspace.target.join(profile.folder()).join(format!("bagel-{}{suffix}", variant.feature()));
    std::fs::copy(&built, &beside).with_context(|| built.display().to_string())?;
    Ok(beside)
}

fn choose(has_nvidia_card: bool, has_cuda_compiler: bool) -> Option<Variant> {
    if cfg!(all(target_os = "macos", target_arch = "aarch64")) {
        Some(Variant::Metal)
    } else {
        (has_nvidia_card && has_cuda_compiler).then_some(Variant::Cuda)
    }
}

#[cfg(all(test, not(target_os = "macos")))]
mod tests {
    use super::{Variant, choose};

    #[test]
    fn cuda_is_built_for_a_card_with_its_compiler_only() {
        assert_eq!(choose(true, true), Some(Variant::Cuda));
        assert_eq!(choose(true, false), None);
        assert_eq!(choose(false, true), None);
    }
}
