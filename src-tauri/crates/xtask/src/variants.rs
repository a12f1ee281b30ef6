//! Engines for graphics cards: built beside the ordinary one where their toolchain is found.

use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::workspace::Workspace;

/// What the variants' programs are called.
pub(crate) const NAMES: [&str; 2] = ["bagel-cuda", "bagel-metal"];

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
    println!("Building the engine for the graphics card; the first time takes long.");
    // Of its own, because the features of one build would make the other compile again.
    let folder = workspace.target.join(variant.feature());
    let build = workspace.cargo(&["build", "--package", "cli", "--features", variant.feature()]);
    if let Err(error) = build.variable("CARGO_TARGET_DIR", &folder).run() {
        println!("The engine for the graphics card could not be built; the processor is used. {error:#}");
        return Ok(None);
    }
    let suffix = std::env::consts::EXE_SUFFIX;
    let built = folder.join("debug").join(format!("bagel{suffix}"));
    let beside = workspace.binary(&format!("bagel-{}", variant.feature()));
    std::fs::copy(&built, &beside).with_context(|| built.display().to_string())?;
    Ok(Some(beside))
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
