//! Scores a model of the pocket world on held-out cases, through the engine's normal path:
//!
//! `cargo run -p judge --example score -- --model assets/pocket/pocket-q8_0.gguf`
//!
//! Prints a table and the reasons for what was wrong; `--pictures FOLDER` keeps what was painted.

#![expect(clippy::print_stdout, reason = "printing the table is what it is for")]

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context;
use bagel::{ChatJob, DeviceChoice, Engine, ImageJob, Item, LoadOptions, Progress};
use checkpoint::Checkpoint;
use clap::{Parser, ValueEnum};
use judge::{
    Case, Change, Facts, Parts, Reading, Request, World, complaints, draw, edit_complaints, open_cases, parts,
    plan_complaints, read_plan,
};
use protocol::{ImageParameters, Picture, Renorm, Size, TextParameters, Thinking};
use serde::Deserialize;

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
    /// How pictures are sampled.
    #[command(flatten)]
    sampling: Sampling,
    /// Keeps every picture in this folder, with what was said and found in index.json.
    #[arg(long)]
    pictures: Option<PathBuf>,
    /// Prints every case that was wrong.
    #[arg(long)]
    show: bool,
}

#[derive(clap::Args, Clone)]
struct Sampling {
    #[arg(long, default_value_t = 20)]
    steps: u32,
    #[arg(long, default_value_t = 2.0)]
    shift: f64,
    #[arg(long, default_value_t = 3.0)]
    text_guidance: f64,
    #[arg(long, default_value_t = 1.5)]
    image_guidance: f64,
    /// Guidance is given at times above this one.
    #[arg(long, default_value_t = 0.0)]
    from: f64,
    #[arg(long, default_value = "global", value_parser = renorm)]
    renorm: Renorm,
    #[arg(long, default_value_t = 0.0)]
    renorm_min: f64,
}

fn renorm(name: &str) -> Result<Renorm, String> {
    serde_json::from_value(name.into()).map_err(|error| error.to_string())
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// Pictures from a prompt.
    Create,
    /// The same without guidance.
    Unguided,
    /// Edits of a picture.
    Edit,
    /// The same with image guidance switched off.
    EditUnkept,
    /// Questions about a picture.
    Ask,
    /// Pictures from a plan that the model writes.
    Think,
    /// Pictures from a plan that was written by hand.
    Plan,
}

/// What a planned picture is held against.
#[derive(Deserialize)]
struct Planned {
    plan: Facts,
}

#[derive(Deserialize)]
struct Answer {
    answer: String,
}

/// The outcome of one case: nothing when it is right.
struct Outcome {
    id: String,
    prompt: String,
    said: String,
    wrong: Vec<String>,
    parts: Parts,
    picture: Option<Picture>,
    shown: Vec<Picture>,
    seconds: f64,
    first_seconds: f64,
}

struct Scorer {
    engine: Engine,
    options: Options,
}

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let checkpoint = Checkpoint::open(&options.model, None)?;
    let load = LoadOptions { device: DeviceChoice::Cpu, ..LoadOptions::default() };
    let engine = Engine::load(&checkpoint, &load, &mut |_| ControlFlow::Continue(()))?;
    let mut scorer = Scorer { engine, options };
    println!("| what | cases | right | background right | colours right | median seconds | first word |");
    println!("|---|---|---|---|---|---|---|");
    let mut kept = Vec::new();
    for kind in scorer.options.kinds.clone() {
        let outcomes = scorer.score(kind)?;
        report(kind, &outcomes, scorer.options.show);
        kept.push((kind, outcomes));
    }
    match &scorer.options.pictures {
        Some(folder) => keep(folder, &kept),
        None => Ok(()),
    }
}

impl Scorer {
    fn score(&mut self, kind: Kind) -> anyhow::Result<Vec<Outcome>> {
        match kind {
            Kind::Create | Kind::Unguided => {
                self.cases("create", |scorer, world, case| scorer.create(world, &case, kind))
            }
            Kind::Edit | Kind::EditUnkept => self.cases("edit", |scorer, world, case| scorer.edit(world, &case, kind)),
            Kind::Ask => self.cases("ask", |scorer, _, case| scorer.ask(&case)),
            Kind::Think | Kind::Plan => {
                self.cases("think_create", |scorer, world, case| scorer.planned(world, &case, kind))
            }
        }
    }

    fn cases<E: serde::de::DeserializeOwned>(
        &mut self,
        file: &str,
        mut each: impl FnMut(&mut Self, &World, Case<E>) -> anyhow::Result<Outcome>,
    ) -> anyhow::Result<Vec<Outcome>> {
        let (world, cases) = open_cases::<E>(&self.options.cases.join(format!("{file}.json")))?;
        cases.into_iter().take(self.options.n).map(|case| each(self, &world, case)).collect()
    }

    fn create(&mut self, world: &World, case: &Case<Request>, kind: Kind) -> anyhow::Result<Outcome> {
        let mut image = self.sampling(case);
        if kind == Kind::Unguided {
            image.text_guidance = 1.0;
        }
        let outcome = self.paint(case, image, Thinking::Off)?;
        let reading = outcome.reading(world);
        let right = parts(&case.expect.things, case.expect.background.as_ref(), &reading, world);
        Ok(outcome.judged(complaints(&case.expect, &reading, world), right, &reading, world))
    }

    fn edit(&mut self, world: &World, case: &Case<Change>, kind: Kind) -> anyhow::Result<Outcome> {
        let mut image = self.sampling(case);
        // The picture that is edited gives the size.
        image.size = None;
        if kind == Kind::EditUnkept {
            image.image_guidance = 1.0;
        }
        let outcome = self.paint(case, image, Thinking::Off)?;
        let last = outcome.shown.last().context("an edit without a picture")?;
        let (before, reading) = (Reading::of(last, world), outcome.reading(world));
        let right = whole(&case.expect.after, &reading, world);
        Ok(outcome.judged(edit_complaints(&case.expect, &before, &reading, world), right, &reading, world))
    }

    fn planned(&mut self, world: &World, case: &Case<Planned>, kind: Kind) -> anyhow::Result<Outcome> {
        let thinking = match (&case.plan, kind) {
            (Some(plan), Kind::Plan) => Thinking::Given { thought: plan.clone() },
            _ => Thinking::On,
        };
        let outcome = self.paint(case, self.sampling(case), thinking)?;
        let reading = outcome.reading(world);
        let own = if kind == Kind::Think { read_plan(&outcome.said, world) } else { Some(case.expect.plan.clone()) };
        let Some(plan) = own else {
            return Ok(outcome.judged(vec!["the plan cannot be read".to_owned()], Parts::default(), &reading, world));
        };
        let right = whole(&plan, &reading, world);
        Ok(outcome.judged(plan_complaints(&plan, &reading, world), right, &reading, world))
    }

    fn ask(&mut self, case: &Case<Answer>) -> anyhow::Result<Outcome> {
        let shown = shown(case)?;
        let job = ChatJob {
            inputs: inputs(&shown, &case.prompt),
            think: false,
            text: TextParameters { limit: 80, ..TextParameters::chat() },
        };
        let (start, mut first_seconds) = (Instant::now(), 0.0);
        let answer = self.engine.chat(&job, &mut |progress| {
            if matches!(progress, Progress::Text { .. }) && first_seconds == 0.0 {
                first_seconds = start.elapsed().as_secs_f64();
            }
            ControlFlow::Continue(())
        })?;
        let (said, wanted) = (answer.text.trim().to_lowercase(), case.expect.answer.trim().to_lowercase());
        let wrong = if said == wanted { vec![] } else { vec![format!("said {said:?} in place of {wanted:?}")] };
        let seconds = start.elapsed().as_secs_f64();
        Ok(Outcome {
            id: case.id.clone(),
            prompt: case.prompt.clone(),
            said: answer.text,
            wrong,
            parts: Parts::default(),
            picture: None,
            shown,
            seconds,
            first_seconds,
        })
    }

    fn paint<E>(&mut self, case: &Case<E>, image: ImageParameters, thinking: Thinking) -> anyhow::Result<Outcome> {
        let shown = shown(case)?;
        let text = TextParameters { limit: 120, ..TextParameters::thought() };
        let job = ImageJob { inputs: inputs(&shown, &case.prompt), thinking, image, text, noise: None };
        let start = Instant::now();
        let result = self.engine.paint(&job, &mut |_| ControlFlow::Continue(()))?;
        Ok(Outcome {
            id: case.id.clone(),
            prompt: case.prompt.clone(),
            said: result.thought.unwrap_or_default(),
            wrong: Vec::new(),
            parts: Parts::default(),
            picture: Some(result.picture),
            shown,
            seconds: start.elapsed().as_secs_f64(),
            first_seconds: 0.0,
        })
    }

    fn sampling<E>(&self, case: &Case<E>) -> ImageParameters {
        let sampling = &self.options.sampling;
        ImageParameters {
            size: case.size.map(|[width, height]| Size { width, height }),
            steps: sampling.steps,
            shift: sampling.shift,
            text_guidance: sampling.text_guidance,
            image_guidance: sampling.image_guidance,
            guidance_interval: [sampling.from, 1.0],
            renorm: sampling.renorm,
            renorm_min: sampling.renorm_min,
            seed: Some(case.seed),
            ..ImageParameters::generate()
        }
    }
}

impl Outcome {
    fn reading(&self, world: &World) -> Reading {
        let unread = Reading { ground: None, things: Vec::new() };
        self.picture.as_ref().map_or(unread, |picture| Reading::of(picture, world))
    }

    fn judged(mut self, wrong: Vec<String>, parts: Parts, reading: &Reading, world: &World) -> Self {
        self.wrong = wrong;
        self.parts = parts;
        self.said = format!("{} [{}]", self.said, reading.describe(world)).trim().to_owned();
        self
    }
}

fn whole(facts: &Facts, reading: &Reading, world: &World) -> Parts {
    parts(&facts.things, Some(&facts.background), reading, world)
}

fn shown<E>(case: &Case<E>) -> anyhow::Result<Vec<Picture>> {
    case.inputs.iter().map(|input| Ok(draw(&input.scene)?)).collect()
}

fn inputs(shown: &[Picture], prompt: &str) -> Vec<Item> {
    let pictures = shown.iter().map(|picture| Item::Image(Arc::new(picture.clone())));
    pictures.chain([Item::Text(prompt.to_owned())]).collect()
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
    let right = percent(|outcome| outcome.wrong.is_empty());
    let (background, colours) = (percent(|outcome| outcome.parts.background), percent(|outcome| outcome.parts.colours));
    let (background, colours) =
        if kind == Kind::Ask { ("–".to_owned(), "–".to_owned()) } else { (background, colours) };
    let (seconds, first) = (median(|outcome| outcome.seconds), median(|outcome| outcome.first_seconds));
    println!("| {kind:?} | {} | {right} | {background} | {colours} | {seconds:.2} | {first:.2} |", outcomes.len());
    for outcome in outcomes.iter().filter(|outcome| is_shown && !outcome.wrong.is_empty()) {
        println!("  {}: {:?}: {:?} {}", outcome.id, outcome.prompt, outcome.wrong, outcome.said);
    }
}

fn keep(folder: &Path, kept: &[(Kind, Vec<Outcome>)]) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder)?;
    let mut index = Vec::new();
    for (kind, outcomes) in kept {
        for outcome in outcomes {
            let mut files = Vec::new();
            for (number, picture) in outcome.shown.iter().chain(&outcome.picture).enumerate() {
                let name = format!("{kind:?}-{}-{number}.png", outcome.id);
                imagefile::write_png(&folder.join(&name), picture, None, imagefile::Overwrite::Replace)?;
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
