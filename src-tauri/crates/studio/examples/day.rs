//! A day of an artist's work without a window, on a real engine and a real model.
//!
//! `cargo run -p studio --example day -- ENGINE MODEL [IMAGE]` brings a
//! image in, creates, edits, branches, asks, stops, holds a plan and paints
//! it, tries again what failed, loses the engine in the middle of an image,
//! and opens everything anew at the end. It prints what happens and fails when
//! anything that was acknowledged is missing.
#![allow(clippy::print_stdout, reason = "the transcript is its result")]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use protocol::{
    EngineState, ExportFormat, GalleryFilter, ImageParameters, JobId, JobStatus, Kind, NewJob, NodeId, Phase, Size,
    StudioEvent, TextChannel, Thinking, Verification,
};
use studio::engine::EngineTimeouts;
use studio::{ImportSource, Studio, StudioOptions};
use tokio::sync::broadcast::Receiver;

/// Longer than any step of the day on a slow machine.
const TIMEOUTS: Duration = Duration::from_secs(900);

struct Day {
    studio: Studio,
    events: Receiver<StudioEvent>,
    began: Instant,
    parameters: ImageParameters,
}

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let (Some(engine), Some(model)) = (arguments.next(), arguments.next()) else {
        bail!("give the engine program and a model: day ENGINE MODEL [IMAGE]")
    };
    let folder = tempfile::tempdir()?;
    let options = || StudioOptions {
        data_folder: folder.path().join("data"),
        engines: Some(vec![engine.clone()]),
        model: Some(model.clone()),
        pocket: None,
        timeouts: EngineTimeouts::default(),
    };
    let mut day = Day::open(options()).await?;
    let image = match arguments.next() {
        Some(image) => image,
        None => make_image(folder.path())?,
    };

    let imported = day.import(image).await?;
    let created = day.make("an image from text", Kind::Generate, "a red circle on a blue ground", None).await?;
    let edited = day.make("an edit of it", Kind::Edit, "make the circle green", Some(created)).await?;
    let branched = day.make("another branch", Kind::Edit, "make the ground yellow", Some(created)).await?;
    day.make("an edit of what was brought in", Kind::Edit, "add a blue square", Some(imported)).await?;
    for question in ["What shapes are there?", "Which colors do they have?"] {
        day.ask(question, edited).await?;
    }
    day.stop(created).await?;
    day.plan().await?;
    day.fail_and_retry().await?;
    day.lose_the_engine().await?;
    day.verify(created).await?;

    day.studio.set_starred(vec![branched], true).await?;
    day.studio.change_tags(vec![branched], vec!["yellow".to_owned()], Vec::new()).await?;
    day.say("starred and tagged the branch");
    let out = folder.path().join("out.png");
    day.studio.export(edited, ExportFormat::Png, out.clone()).await?;
    day.say(&format!("exported an image of {} bytes", std::fs::metadata(&out)?.len()));

    let before = day.everything().await?;
    let began = day.began;
    day.close().await;
    let mut day = Day::open(options()).await?;
    day.began = began;
    let after = day.everything().await?;
    ensure!(before == after, "after a new start something is missing");
    day.say(&format!("opened anew: all {} images, their marks and conversations are there", after.len()));
    day.close().await;
    println!("the day ended well");
    Ok(())
}

impl Day {
    async fn open(options: StudioOptions) -> Result<Self> {
        let studio = Studio::open(options)?;
        let (start, events) = studio.subscribe().await?;
        let parameters =
            ImageParameters { size: Some(Size { width: 256, height: 256 }), steps: 12, ..ImageParameters::generate() };
        let mut day = Self { studio, events, began: Instant::now(), parameters };
        let mut engine = start.engine;
        while !matches!(engine, EngineState::Ready { .. }) {
            if let EngineState::Failed { failure } = engine {
                bail!("the engine failed: {}", failure.message);
            }
            engine = day
                .wait("the engine", |event| match event {
                    StudioEvent::Engine { engine } => Some(engine),
                    _ => None,
                })
                .await?;
        }
        if let EngineState::Ready { model, .. } = engine {
            day.say(&format!("{} ({}) is loaded on {}", model.name, model.quantization, model.device));
            let side = model.max_side.min(256);
            day.parameters.size = Some(Size { width: side, height: side });
        }
        Ok(day)
    }

    fn say(&self, what: &str) {
        println!("{:7.1} s  {what}", self.began.elapsed().as_secs_f64());
    }

    async fn wait<T>(&mut self, what: &str, mut pick: impl FnMut(StudioEvent) -> Option<T>) -> Result<T> {
        let search = async {
            loop {
                if let Some(found) = pick(self.events.recv().await?) {
                    return anyhow::Ok(found);
                }
            }
        };
        tokio::time::timeout(TIMEOUTS, search).await.with_context(|| format!("waited too long for {what}"))?
    }

    fn job(&self, kind: Kind, prompt: &str, image: Option<NodeId>) -> NewJob {
        NewJob {
            kind,
            prompt: prompt.to_owned(),
            project: None,
            image,
            references: Vec::new(),
            thinking: Thinking::Off,
            pauses_after_plan: false,
            parameters: self.parameters.clone(),
            variations: 1,
            first: false,
        }
    }

    async fn submit(&self, new: NewJob) -> Result<JobId> {
        self.studio.submit(new).await?.into_iter().next().context("a request became no job")
    }

    async fn status(&mut self, id: JobId, wanted: impl Fn(&JobStatus) -> bool) -> Result<JobStatus> {
        self.wait("a job", |event| match event {
            StudioEvent::JobChanged { job, status } if job == id && wanted(&status) => Some(status),
            _ => None,
        })
        .await
    }

    async fn image_of(&mut self, id: JobId) -> Result<NodeId> {
        match self.status(id, JobStatus::is_over).await? {
            JobStatus::Done { node: Some(node) } => Ok(node),
            status => bail!("a job ended without an image: {status:?}"),
        }
    }

    async fn import(&mut self, path: PathBuf) -> Result<NodeId> {
        self.studio.import(vec![ImportSource::File(path)], None).await;
        let arrivals = self
            .wait("an image", |event| match event {
                StudioEvent::Arrived { arrivals, failures, .. } => Some((arrivals, failures)),
                _ => None,
            })
            .await?;
        let (arrivals, failures) = arrivals;
        let first = arrivals.first().with_context(|| format!("nothing arrived: {failures:?}"))?;
        self.say("brought an image in");
        Ok(first.node)
    }

    async fn make(&mut self, what: &str, request: Kind, prompt: &str, image: Option<NodeId>) -> Result<NodeId> {
        let new = self.job(request, prompt, image);
        let price = self.studio.estimate(new.clone()).await?;
        let id = self.submit(new).await?;
        let node = self.image_of(id).await?;
        let took = self.studio.node(node).await?.took_ms.unwrap_or_default() as f64 / 1000.0;
        let expected = price.secs.map_or("no expectation".to_owned(), |secs| format!("{secs:.1} s expected"));
        let memory = price.memory.peak_bytes as f64 / 1e9;
        self.say(&format!("made {what}: {took:.1} s ({expected}), {memory:.2} GB foreseen"));
        Ok(node)
    }

    async fn ask(&mut self, question: &str, about: NodeId) -> Result<()> {
        let new = self.job(Kind::Chat, question, Some(about));
        self.submit(new).await?;
        let turn = self
            .wait("an answer", |event| match event {
                StudioEvent::TurnAdded { turn, .. } => Some(turn),
                _ => None,
            })
            .await?;
        self.say(&format!("asked: {question} — {}", turn.answer.trim()));
        Ok(())
    }

    async fn stop(&mut self, image: NodeId) -> Result<()> {
        let id = self.submit(self.job(Kind::Edit, "an image that is stopped", Some(image))).await?;
        self.status(id, |s| matches!(s, JobStatus::Running { phase: Phase::Painting { .. } })).await?;
        let asked = Instant::now();
        self.studio.cancel(id).await?;
        let status = self.status(id, JobStatus::is_over).await?;
        ensure!(status == JobStatus::Cancelled, "a stopped job ended as {status:?}");
        self.say(&format!("stopped an image within {} ms", asked.elapsed().as_millis()));
        Ok(())
    }

    async fn plan(&mut self) -> Result<()> {
        let new = NewJob {
            thinking: Thinking::On,
            pauses_after_plan: true,
            ..self.job(Kind::Generate, "a yellow triangle", None)
        };
        let id = self.submit(new).await?;
        let mut plan = String::new();
        let status = self
            .wait("a plan", |event| match event {
                StudioEvent::Text { job, channel: TextChannel::Plan, delta } if job == id => {
                    plan.push_str(&delta);
                    None
                }
                StudioEvent::JobChanged { job, status }
                    if job == id && (status == JobStatus::Planned || status.is_over()) =>
                {
                    Some(status)
                }
                _ => None,
            })
            .await?;
        ensure!(status == JobStatus::Planned, "the plan was not held: {status:?}");
        self.say(&format!("held a plan: {}", plan.replace('\n', " ")));
        self.studio.paint_plan(id, "A large yellow triangle on a gray ground.".to_owned()).await?;
        let node = self.image_of(id).await?;
        let plan = self.studio.node(node).await?.plan.unwrap_or_default();
        ensure!(plan.contains("gray ground"), "another plan was painted: {plan}");
        self.say("painted the plan as it was changed");
        Ok(())
    }

    async fn fail_and_retry(&mut self) -> Result<()> {
        let mut new = self.job(Kind::Generate, "an image that is too large", None);
        new.parameters.size = Some(Size { width: 16_000, height: 16_000 });
        let refused = self.studio.submit(new).await;
        ensure!(refused.is_err(), "an image of 16,000 pixels a side was accepted");
        self.say(&format!("was refused: {}", refused.err().map(|error| error.to_string()).unwrap_or_default()));
        Ok(())
    }

    async fn lose_the_engine(&mut self) -> Result<()> {
        let id = self.submit(self.job(Kind::Generate, "a green square", None)).await?;
        let waiting = self.submit(self.job(Kind::Generate, "a blue circle", None)).await?;
        self.status(id, |s| matches!(s, JobStatus::Running { phase: Phase::Painting { .. } })).await?;
        let Some(engine) = child() else {
            self.say("could not find the engine's process; it is not killed here");
            self.image_of(waiting).await?;
            return Ok(());
        };
        std::process::Command::new("kill").args(["-KILL", &engine]).status()?;
        let JobStatus::Failed { failure, .. } = self.status(id, JobStatus::is_over).await? else {
            bail!("a job survived its engine")
        };
        self.say(&format!("killed the engine: {}", failure.message));
        let lost = Instant::now();
        self.image_of(waiting).await?;
        self.say(&format!("the next image was there after {:.1} s", lost.elapsed().as_secs_f64()));
        self.studio.retry(id).await?;
        self.image_of(id).await?;
        self.say("and so was the lost one, tried again");
        Ok(())
    }

    async fn verify(&mut self, node: NodeId) -> Result<()> {
        self.studio.verify(node).await?;
        let outcome = self
            .wait("a comparison", |event| match event {
                StudioEvent::Verified { outcome, .. } => Some(outcome),
                _ => None,
            })
            .await?;
        ensure!(outcome == Verification::Same, "painted again, an image is another one: {outcome:?}");
        self.say("painted the first image again: every pixel is the same");
        Ok(())
    }

    /// Every image with its marks, and every conversation, as text.
    async fn everything(&self) -> Result<Vec<String>> {
        let page = self.studio.gallery(GalleryFilter::default(), None, 500).await?;
        let mut all = Vec::new();
        for node in page.nodes {
            let turns = self.studio.project(node.project).await?.turns;
            let pixels = imagefile::image_hash(&self.studio.image(node.id).await?);
            all.push(format!("{node:?} {turns:?} {pixels}"));
        }
        Ok(all)
    }

    async fn close(self) {
        self.studio.close().await;
    }
}

fn make_image(folder: &Path) -> Result<PathBuf> {
    let path = folder.join("harbour.png");
    let rgb = (0..256_u32 * 256).flat_map(|at| [(at % 256) as u8, (at / 256) as u8, 120]).collect();
    let image = protocol::Image::new(256, 256, rgb).context("an image has no side of zero")?;
    imagefile::write_png(&path, &image, None, imagefile::Overwrite::Refuse)?;
    Ok(path)
}

/// The newest child of this process, where the system tells.
fn child() -> Option<String> {
    let mut children = Vec::new();
    for thread in std::fs::read_dir("/proc/self/task").ok()?.flatten() {
        let listed = std::fs::read_to_string(thread.path().join("children")).unwrap_or_default();
        children.extend(listed.split_whitespace().map(str::to_owned));
    }
    children.into_iter().max_by_key(|id| id.parse::<u64>().unwrap_or_default())
}
