//! Scores a model of the pocket world on held-out cases, through the engine's normal path:
//!
//! `cargo run -p judge --example score -- --model assets/pocket/pocket-q8_0.gguf`
//!
//! Prints a table and the reasons for what was wrong; `--images FOLDER` keeps what was painted.
//! Requests are made as models.toml says, unless an option says otherwise.

#![expect(clippy::print_stdout, reason = "printing the table is what it is for")]

mod scorer;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Parser;
use protocol::{ImageParameters, Renorm};

use crate::scorer::{Kind, Outcome, Scorer, shipped_defaults};

#[derive(Parser)]
struct Options {
    /// The model: a GGUF file, or a folder of the official layout.
    #[arg(long)]
    model: PathBuf,
    /// The folder of held-out cases.
    #[arg(long, default_value = "assets/pocket/cases")]
    cases: PathBuf,
    /// What is scored.
    #[arg(long, value_enum, value_delimiter = ',', default_values = ["create", "unguided", "edit", "edit-unkept", "ask", "think", "plan"])]
    kinds: Vec<Kind>,
    /// How many cases of each kind.
    #[arg(long, default_value_t = 200)]
    n: usize,
    /// How images are sampled.
    #[command(flatten)]
    sampling: Sampling,
    /// Keeps every image in this folder, with what was said and found in index.json.
    #[arg(long)]
    images: Option<PathBuf>,
    /// Prints every case that was wrong.
    #[arg(long)]
    show: bool,
}

#[derive(clap::Args)]
struct Sampling {
    #[arg(long)]
    steps: Option<u32>,
    #[arg(long)]
    shift: Option<f64>,
    #[arg(long)]
    text_guidance: Option<f64>,
    #[arg(long)]
    image_guidance: Option<f64>,
    /// Guidance is given at times above this one.
    #[arg(long)]
    from: Option<f64>,
    #[arg(long, value_parser = renorm)]
    renorm: Option<Renorm>,
    #[arg(long)]
    renorm_min: Option<f64>,
}

fn renorm(name: &str) -> Result<Renorm, String> {
    serde_json::from_value(name.into()).map_err(|error| error.to_string())
}

impl Sampling {
    fn over(&self, defaults: &ImageParameters) -> ImageParameters {
        ImageParameters {
            steps: self.steps.unwrap_or(defaults.steps),
            shift: self.shift.unwrap_or(defaults.shift),
            text_guidance: self.text_guidance.unwrap_or(defaults.text_guidance),
            image_guidance: self.image_guidance.unwrap_or(defaults.image_guidance),
            guidance_interval: self.from.map_or(defaults.guidance_interval, |from| [from, 1.0]),
            renorm: self.renorm.unwrap_or(defaults.renorm),
            renorm_min: self.renorm_min.unwrap_or(defaults.renorm_min),
            ..defaults.clone()
        }
    }
}

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let mut defaults = shipped_defaults()?;
    defaults.generate = options.sampling.over(&defaults.generate);
    defaults.edit = options.sampling.over(&defaults.edit);
    let mut scorer = Scorer::open(&options.model, options.cases, options.n, defaults)?;
    println!("| what | cases | right | background right | colours right | median seconds | first word |");
    println!("|---|---|---|---|---|---|---|");
    let mut kept = Vec::new();
    for kind in options.kinds {
        let outcomes = scorer.score(kind)?;
        report(kind, &outcomes, options.show);
        kept.push((kind, outcomes));
    }
    match &options.images {
        Some(folder) => keep(folder, &kept),
        None => Ok(()),
    }
}

fn report(kind: Kind, outcomes: &[Outcome], is_shown: bool) {
    let percent = |is_right: fn(&Outcome) -> bool| {
        let n_right = outcomes.iter().filter(|outcome| is_right(outcome)).count();
        format!("{:.1} %", 100.0 * n_right as f64 / outcomes.len().max(1) as f64)
    };
    let median = |of: fn(&Outcome) -> f64| {
        let mut all: Vec<f64> = outcomes.iter().map(of).collect();
        all.sort_by(f64::total_cmp);
        all.get(all.len() / 2).copied().unwrap_or(0.0)
    };
    let right = percent(Outcome::is_right);
    let (background, colours) = (percent(|outcome| outcome.parts.background), percent(|outcome| outcome.parts.colours));
    let (background, colours) =
        if kind == Kind::Ask { ("–".to_owned(), "–".to_owned()) } else { (background, colours) };
    let (seconds, first) = (median(|outcome| outcome.seconds), median(|outcome| outcome.first_seconds));
    println!("| {kind:?} | {} | {right} | {background} | {colours} | {seconds:.2} | {first:.2} |", outcomes.len());
    for outcome in outcomes.iter().filter(|outcome| is_shown && !outcome.is_right()) {
        println!("  {}: {:?}: {:?} {}", outcome.id, outcome.prompt, outcome.wrong, outcome.said);
    }
}

fn keep(folder: &Path, kept: &[(Kind, Vec<Outcome>)]) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder)?;
    let mut index = Vec::new();
    for (kind, outcomes) in kept {
        for outcome in outcomes {
            let mut files = Vec::new();
            for (number, image) in outcome.shown.iter().chain(&outcome.image).enumerate() {
                let name = format!("{kind:?}-{}-{number}.png", outcome.id);
                imagefile::write_png(&folder.join(&name), image, None, imagefile::Overwrite::Replace)?;
                files.push(name);
            }
            let entry = BTreeMap::from([
                ("kind", serde_json::json!(format!("{kind:?}"))),
                ("prompt", serde_json::json!(outcome.prompt)),
                ("said", serde_json::json!(outcome.said)),
                ("wrong", serde_json::json!(outcome.wrong)),
                ("files", serde_json::json!(files)),
            ]);
            index.push(entry);
        }
    }
    Ok(std::fs::write(folder.join("index.json"), serde_json::to_string_pretty(&index)?)?)
}
