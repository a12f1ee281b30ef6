//! Sends held-out cases through the engine's normal path and lets the judge read what comes out.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context;
use bagel::{ChatJob, DeviceChoice, Engine, EngineProgress, ImageJob, Item, LoadOptions};
use catalog::Manifest;
use checkpoint::Checkpoint;
use clap::ValueEnum;
use judge::{
    Case, Change, Facts, Parts, Reading, Request, World, complaints, draw, edit_complaints, open_cases, parts,
    plan_complaints, read_plan,
};
use protocol::{Image, ImageParameters, ModelDefaults, ModelId, Size, TextParameters, Thinking};
use serde::Deserialize;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// Images from a prompt.
    Create,
    /// The same without guidance.
    Unguided,
    /// Edits of an image.
    Edit,
    /// The same with image guidance switched off.
    EditUnkept,
    /// Questions about an image.
    Ask,
    /// Images from a plan that the model writes.
    Think,
    /// Images from a plan that was written by hand.
    Plan,
}

/// What a planned image is held against.
#[derive(Deserialize)]
struct Planned {
    plan: Facts,
}

#[derive(Deserialize)]
struct Answer {
    answer: String,
}

/// The outcome of one case: nothing when it is right.
pub(crate) struct Outcome {
    pub(crate) id: String,
    pub(crate) prompt: String,
    pub(crate) said: String,
    pub(crate) wrong: Vec<String>,
    pub(crate) parts: Parts,
    pub(crate) image: Option<Image>,
    pub(crate) shown: Vec<Image>,
    pub(crate) seconds: f64,
    pub(crate) first_seconds: f64,
}

/// A loaded model, the cases, and how requests are made.
pub(crate) struct Scorer {
    engine: Engine,
    cases: PathBuf,
    n: usize,
    defaults: ModelDefaults,
}

/// How the studio makes requests to the pocket model.
pub(crate) fn shipped_defaults() -> anyhow::Result<ModelDefaults> {
    let manifest = Manifest::built_in()?;
    let entry = manifest.entry(&ModelId("pocket".to_owned())).context("models.toml lists no pocket model")?;
    Ok(entry.defaults.clone())
}

impl Scorer {
    /// Loads a model on the processor; the first `n` cases of a kind are used.
    pub(crate) fn open(model: &Path, cases: PathBuf, n: usize, defaults: ModelDefaults) -> anyhow::Result<Self> {
        let checkpoint = Checkpoint::open(model, None)?;
        let load = LoadOptions { device: DeviceChoice::Cpu, ..LoadOptions::default() };
        let engine = Engine::load(&checkpoint, &load, &mut |_| ControlFlow::Continue(()))?;
        Ok(Self { engine, cases, n, defaults })
    }

    /// What came of the cases of a kind.
    pub(crate) fn score(&mut self, kind: Kind) -> anyhow::Result<Vec<Outcome>> {
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
        let (world, cases) = open_cases::<E>(&self.cases.join(format!("{file}.json")))?;
        cases.into_iter().take(self.n).map(|case| each(self, &world, case)).collect()
    }

    fn create(&mut self, world: &World, case: &Case<Request>, kind: Kind) -> anyhow::Result<Outcome> {
        let mut parameters = self.sampling(case, &self.defaults.generate);
        if kind == Kind::Unguided {
            parameters.text_guidance = 1.0;
        }
        let outcome = self.paint(case, parameters, Thinking::Off)?;
        let reading = outcome.reading(world);
        let right = parts(&case.expect.things, case.expect.background.as_ref(), &reading, world);
        Ok(outcome.judged(complaints(&case.expect, &reading, world), right, &reading, world))
    }

    fn edit(&mut self, world: &World, case: &Case<Change>, kind: Kind) -> anyhow::Result<Outcome> {
        let mut parameters = self.sampling(case, &self.defaults.edit);
        // The image that is edited gives the size.
        parameters.size = None;
        if kind == Kind::EditUnkept {
            parameters.image_guidance = 1.0;
        }
        let outcome = self.paint(case, parameters, Thinking::Off)?;
        let last = outcome.shown.last().context("an edit without an image")?;
        let (before, reading) = (Reading::of(last, world), outcome.reading(world));
        let right = whole(&case.expect.after, &reading, world);
        Ok(outcome.judged(edit_complaints(&case.expect, &before, &reading, world), right, &reading, world))
    }

    fn planned(&mut self, world: &World, case: &Case<Planned>, kind: Kind) -> anyhow::Result<Outcome> {
        let thinking = match (&case.plan, kind) {
            (Some(plan), Kind::Plan) => Thinking::Given { plan: plan.clone() },
            _ => Thinking::On,
        };
        let outcome = self.paint(case, self.sampling(case, &self.defaults.generate), thinking)?;
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
        let job = ChatJob { inputs: inputs(&shown, &case.prompt), think: false, text: self.defaults.chat.clone() };
        let (start, mut first_seconds) = (Instant::now(), 0.0);
        let answer = self.engine.chat(&job, &mut |progress| {
            if matches!(progress, EngineProgress::Text { .. }) && first_seconds == 0.0 {
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
            image: None,
            shown,
            seconds,
            first_seconds,
        })
    }

    fn paint<E>(&mut self, case: &Case<E>, parameters: ImageParameters, thinking: Thinking) -> anyhow::Result<Outcome> {
        let shown = shown(case)?;
        let text = TextParameters { limit: 120, ..TextParameters::plan() };
        let job = ImageJob { inputs: inputs(&shown, &case.prompt), thinking, parameters, text, noise: None };
        let start = Instant::now();
        let result = self.engine.generate_image(&job, &mut |_| ControlFlow::Continue(()))?;
        Ok(Outcome {
            id: case.id.clone(),
            prompt: case.prompt.clone(),
            said: result.plan.unwrap_or_default(),
            wrong: Vec::new(),
            parts: Parts::default(),
            image: Some(result.image),
            shown,
            seconds: start.elapsed().as_secs_f64(),
            first_seconds: 0.0,
        })
    }

    fn sampling<E>(&self, case: &Case<E>, defaults: &ImageParameters) -> ImageParameters {
        let size = case.size.map(|[width, height]| Size { width, height });
        ImageParameters { size, seed: Some(case.seed), ..defaults.clone() }
    }
}

impl Outcome {
    /// Whether everything that was asked for is there.
    pub(crate) fn is_right(&self) -> bool {
        self.wrong.is_empty()
    }

    fn reading(&self, world: &World) -> Reading {
        let unread = Reading { ground: None, things: Vec::new() };
        self.image.as_ref().map_or(unread, |image| Reading::of(image, world))
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

fn shown<E>(case: &Case<E>) -> anyhow::Result<Vec<Image>> {
    case.inputs.iter().map(|input| Ok(draw(&input.scene)?)).collect()
}

fn inputs(shown: &[Image], prompt: &str) -> Vec<Item> {
    let images = shown.iter().map(|image| Item::Image(Arc::new(image.clone())));
    images.chain([Item::Text(prompt.to_owned())]).collect()
}
