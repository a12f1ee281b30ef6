//! Random changes of a library, each reported in a line of JSON before and after.

use std::io::Write;
use std::path::Path;

use imagefile::{Encoding, encode, image_hash};
use protocol::{ExportFormat, JobId, NodeId, ProjectId};
use serde_json::json;
use store::{ImportSource, NewTurn, Store, StoredJob};

use crate::Outcome;
use crate::images::{image, new_node, recipe};
use crate::model::{Change, Line, all_nodes};
use crate::random::Random;

pub(crate) fn run_until_killed(folder: &Path, seed: u64) -> Outcome<()> {
    let mut work = Work::open(folder, seed)?;
    loop {
        work.step()?;
    }
}

/// Goes on after errors, which it reports.
pub(crate) fn run_steps(folder: &Path, seed: u64, n_steps: usize) -> Outcome<()> {
    let mut work = Work::open(folder, seed)?;
    for _ in 0..n_steps {
        if let Err(error) = work.step() {
            work.report(&Line::Failed(Change::Other, error.to_string()))?;
        }
    }
    work.store.close(1)?;
    Ok(())
}

/// Adds an image, imports another and removes that one again.
pub(crate) fn run_once(folder: &Path) -> Outcome<()> {
    let mut work = Work::open(folder, 1)?;
    work.add()?;
    work.import()?;
    let node = work.nodes.pop().ok_or("the import returned no image")?;
    work.report(&Line::Started(Change::Trashed { node }))?;
    work.store.trash(&[node], 1)?;
    work.report(&Line::Finished(Change::Trashed { node }))?;
    work.report(&Line::Started(Change::Emptied))?;
    work.store.empty_trash(u64::MAX)?;
    work.report(&Line::Finished(Change::Emptied))?;
    work.store.close(1)?;
    Ok(())
}

fn print(line: &Line) -> Outcome<()> {
    let mut text = serde_json::to_vec(line)?;
    text.push(b'\n');
    let mut out = std::io::stdout().lock();
    out.write_all(&text)?;
    Ok(out.flush()?)
}

pub(crate) struct Work {
    store: Store,
    random: Random,
    nodes: Vec<NodeId>,
    n_done: u64,
    is_silent: bool,
}

impl Work {
    pub(crate) fn open(folder: &Path, seed: u64) -> Outcome<Self> {
        let store = Store::open(folder, seed)?.store;
        let nodes = all_nodes(&store)?.iter().map(|node| node.id).collect();
        Ok(Self { store, random: Random::new(seed), nodes, n_done: seed << 16, is_silent: false })
    }

    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    /// Reports nothing.
    pub(crate) fn steps(&mut self, n_steps: usize) -> Outcome<()> {
        self.is_silent = true;
        (0..n_steps).try_for_each(|_| self.step())
    }

    fn step(&mut self) -> Outcome<()> {
        self.n_done += 1;
        let node = self.random.pick(&self.nodes);
        match (self.random.below(24), node) {
            (0..=5, _) | (_, None) => self.add(),
            (6..=8, _) => self.import(),
            (9, Some(node)) => {
                let name = format!("name {}", self.n_done);
                self.perform(Change::Named { node, name: name.clone() }, |store| store.rename_node(node, Some(&name)))
            }
            (10, Some(node)) => {
                let tags = vec![format!("tag {}", self.n_done), "猫".to_owned()];
                self.perform(Change::Tagged { node, tags: tags.clone() }, |store| store.set_tags(&[node], &tags))
            }
            (11, Some(node)) => {
                let starred = self.random.below(2) == 0;
                self.perform(Change::Starred { node, starred }, |store| store.set_starred(&[node], starred))
            }
            (12..=14, Some(node)) => self.perform(Change::Trashed { node }, |store| store.trash(&[node], 1)),
            (15, Some(node)) => self.perform(Change::Restored { node }, |store| store.restore(&[node])),
            (16, _) => {
                self.perform(Change::Emptied, |store| store.empty_trash(u64::MAX))?;
                self.nodes = all_nodes(&self.store)?.iter().map(|node| node.id).collect();
                Ok(())
            }
            (17, Some(node)) => {
                let project = self.store.node(node)?.project;
                let prompt = format!("prompt {}", self.n_done);
                let turn = NewTurn { prompt: prompt.clone(), images: vec![node], ..NewTurn::default() };
                self.perform(Change::TurnAdded { project, prompt }, |store| store.add_turn(project, turn, 1))
            }
            (18, _) => {
                let id = JobId::from_u128(self.random.below(9) as u128);
                let (job, order) = (id.to_string(), self.n_done.cast_signed());
                let stored = StoredJob { id, order, state: "queued".to_owned(), body: json!({ "prompt": "a fox" }) };
                self.perform(Change::JobQueued { job, order }, |store| store.put_job(&stored))
            }
            (19, _) => match self.store.jobs()?.first() {
                Some(job) => {
                    self.perform(Change::JobRemoved { job: job.id.to_string() }, |store| store.remove_job(job.id))
                }
                None => Ok(()),
            },
            (20, _) => self.perform(Change::Other, |store| store.back_up(1)),
            (21, Some(node)) => {
                let path = std::env::temp_dir().join(format!("store-soak-{}.png", std::process::id()));
                self.perform(Change::Other, |store| store.export(node, ExportFormat::Png, &path))?;
                Ok(std::fs::remove_file(path)?)
            }
            (22, Some(node)) => self.copy_by_bundle(node),
            (_, Some(node)) => self.perform(Change::Other, |store| store.thumbnail(node)),
        }
    }

    fn add(&mut self) -> Outcome<()> {
        self.n_done += 1;
        let image = image(self.n_done, 24)?;
        let prompt = format!("prompt {} 一只猫", self.n_done);
        let (project, parent) = match self.random.pick(&self.nodes) {
            Some(parent) if self.random.below(3) > 0 => (self.store.node(parent)?.project, Some(parent)),
            _ => (ProjectId::new(), None),
        };
        let new = new_node(project, parent, &prompt);
        let recipe = recipe(&prompt, self.n_done, &image);
        let change = Change::Added { node: new.id, pixel_hash: image_hash(&image) };
        self.nodes.push(new.id);
        self.perform(change, |store| store.add_result(&new, &image, Some(&recipe), 1))
    }

    fn import(&mut self) -> Outcome<()> {
        self.n_done += 1;
        // Sometimes the same image again.
        let image = image(if self.random.below(4) == 0 { 1 } else { self.n_done }, 24)?;
        let bytes = encode(Path::new("a.png"), &image, Encoding::Png, None)?;
        self.report(&Line::Started(Change::Other))?;
        let source = ImportSource::Bytes { name: format!("file {}.png", self.n_done), bytes };
        let node = self.store.import(source, None, 1)?.node.id;
        self.nodes.push(node);
        self.report(&Line::Finished(Change::Added { node, pixel_hash: image_hash(&image) }))
    }

    /// Writes the project as a bundle and opens that as a new project.
    fn copy_by_bundle(&mut self, node: NodeId) -> Outcome<()> {
        let path = std::env::temp_dir().join(format!("store-soak-{}.zip", std::process::id()));
        let project = self.store.node(node)?.project;
        self.report(&Line::Started(Change::Other))?;
        self.store.write_bundle(project, &path)?;
        // Opening fails for a project whose images are all in the trash.
        if let Ok(opened) = self.store.open_bundle(&path, 1) {
            let nodes: Vec<NodeId> = self.store.project(opened)?.nodes.iter().map(|node| node.id).collect();
            self.nodes.extend(&nodes);
            self.report(&Line::Finished(Change::BundleOpened { nodes }))?;
        }
        Ok(std::fs::remove_file(path)?)
    }

    fn report(&self, line: &Line) -> Outcome<()> {
        if self.is_silent { Ok(()) } else { print(line) }
    }

    fn perform<T>(&self, change: Change, act: impl FnOnce(&Store) -> store::Result<T>) -> Outcome<()> {
        self.report(&Line::Started(change.clone()))?;
        match act(&self.store) {
            Ok(_) => self.report(&Line::Finished(change)),
            Err(error) => self.report(&Line::Failed(change, error.to_string())),
        }
    }
}
