//! The first run: the window, or all three kinds of request on the sample image in the terminal.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use xshell::cmd;

use crate::{
    engines,
    setup::{self, Consent, Purpose},
    workspace::{Workspace, run, succeeds},
};

const RANDOM_WEIGHTS: &str =
    "The model's weights are random, for tests: its images are noise and its answers are nonsense.";

/// Builds the studio and runs it.
pub(crate) fn start(workspace: &Workspace, in_terminal: bool, consent: Consent) -> Result<()> {
    if !in_terminal && has_display() {
        return open_window(workspace, consent);
    }
    if !in_terminal {
        println!("There is no display: the demonstration runs here in the terminal.");
    }
    run_in_terminal(workspace, consent)
}

fn open_window(workspace: &Workspace, consent: Consent) -> Result<()> {
    setup::prepare(workspace, Purpose::Window, consent)?;
    workspace.build_frontend()?;
    println!("Building the studio and its engine; the first time takes several minutes.");
    run(cmd!(workspace.shell, "cargo build --package bagel-studio --package cli"))?;
    engines::build_for_this_machine(workspace)?;
    let model = Model::find(workspace)?;
    let mut studio = workspace.shell.cmd(workspace.binary("bagel-studio"));
    // The studio finds the model that ships by itself, and lets another one be chosen.
    if !model.is_trained {
        println!("{RANDOM_WEIGHTS}");
        studio = studio.env("BAGEL_MODEL", &model.path);
    }
    run(studio)
}

fn run_in_terminal(workspace: &Workspace, consent: Consent) -> Result<()> {
    setup::prepare(workspace, Purpose::Terminal, consent)?;
    let sh = &workspace.shell;
    println!("Building the engine; the first time takes several minutes.");
    run(cmd!(sh, "cargo build --package cli"))?;
    let engine = match engines::build_for_this_machine(workspace)? {
        // An engine for a card is useless without a working driver; the window asks the same.
        Some(engine) if succeeds(cmd!(sh, "{engine} devices")) => engine,
        _ => workspace.binary("bagel"),
    };

    let Model { path: model, is_trained } = Model::find(workspace)?;
    println!("\nModel: {}", model.display());
    if !is_trained {
        println!("{RANDOM_WEIGHTS}");
    }
    let results = workspace.target.join("first-run");
    fs::create_dir_all(&results).with_context(|| results.display().to_string())?;
    let sample = workspace.root.join("assets/sample.png");
    let (generated, edited) = (results.join("generated.png"), results.join("edited.png"));

    println!("\nGenerate an image from text");
    let prompt = "a red circle on a blue background";
    run(cmd!(sh, "{engine} generate --model {model} --prompt {prompt} --seed 1 --out {generated} --force"))?;
    println!("\nEdit the sample image");
    let prompt = "make the red circle green";
    run(cmd!(sh, "{engine} edit --model {model} --image {sample} --prompt {prompt} --seed 1 --out {edited} --force"))?;
    println!("\nChat about the sample image");
    let prompt = "What is in the image?";
    run(cmd!(sh, "{engine} chat --model {model} --image {sample} --prompt {prompt} --limit 64"))?;

    println!("\nThe sample image: {}", sample.display());
    println!("The generated image: {}", generated.display());
    println!("The edited image: {}", edited.display());
    println!("More: `{} --help`", engine.display());
    Ok(())
}

struct Model {
    path: PathBuf,
    is_trained: bool,
}

impl Model {
    /// The model that ships with the studio, or else the one its tests use.
    fn find(workspace: &Workspace) -> Result<Self> {
        if let Some(path) = shipped_model(&workspace.root.join("assets/pocket")) {
            return Ok(Self { path, is_trained: true });
        }
        let path = workspace.root.join("src-tauri/crates/bagel/tests/golden/mini/model");
        if !path.is_dir() {
            bail!("{} is missing: this clone is incomplete", path.display());
        }
        Ok(Self { path, is_trained: false })
    }
}

fn shipped_model(folder: &Path) -> Option<PathBuf> {
    let entries = fs::read_dir(folder).ok()?;
    let mut models: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "gguf"))
        .collect();
    models.sort();
    models.into_iter().next()
}

fn has_display() -> bool {
    let is_set = |name: &str| env::var_os(name).is_some_and(|value| !value.is_empty());
    !cfg!(target_os = "linux") || is_set("DISPLAY") || is_set("WAYLAND_DISPLAY")
}

#[cfg(test)]
mod tests {
    use super::shipped_model;

    #[test]
    fn shipped_model_is_the_first_gguf_of_its_folder() {
        let folder = tempfile::tempdir().expect("a folder");
        assert_eq!(shipped_model(folder.path()), None);
        for name in ["README.md", "pocket-q8_0.gguf", "pocket-f16.gguf"] {
            std::fs::write(folder.path().join(name), "").expect("a file");
        }
        assert_eq!(shipped_model(folder.path()), Some(folder.path().join("pocket-f16.gguf")));
    }

    #[test]
    fn folder_that_is_not_there_ships_no_model() {
        assert_eq!(shipped_model(std::path::Path::new("no/such/folder")), None);
    }
}
