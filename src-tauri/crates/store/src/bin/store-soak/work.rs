//! A program at work on a library: whatever an artist may do, in no order, told line by line.

use std::io::Write;
use std::path::Path;

use imagefile::{Encoding, encode, image_hash};
use protocol::{ExportFormat, JobId, NodeId, ProjectId};
use serde_json::json;
use store::{NewTurn, Source, Store, StoredJob};

use crate::Outcome;
use crate::chance::Chance;
use crate::image::{image, new_node, recipe};
use crate::model::{Fact, Line, all_nodes};

/// Works until it is killed.
pub(crate) fn run(folder: &Path, seed: u64) -> Outcome<()> {
    let mut work = Work::open(folder, seed)?;
    loop {
        work.step()?;
    }
}

/// Works for a while, whatever fails.
pub(crate) fn some(folder: &Path, seed: u64, n_steps: usize) -> Outcome<()> {
    let mut work = Work::open(folder, seed)?;
    for _ in 0..n_steps {
        if let Err(error) = work.step() {
            work.say(&Line::Failed(Fact::Other, error.to_string()))?;
        }
    }
    work.store.close(1)?;
    Ok(())
}

/// Adds an image, imports one and removes it again, each told.
pub(crate) fn once(folder: &Path) -> Outcome<()> {
    let mut work = Work::open(folder, 1)?;
    work.add()?;
    work.import()?;
    let node = work.nodes.pop().ok_or("nothing was imported")?;
    work.say(&Line::Will(Fact::Trashed { node }))?;
    work.store.trash(&[node], 1)?;
    work.say(&Line::Did(Fact::Trashed { node }))?;
    work.say(&Line::Will(Fact::Emptied))?;
    work.store.empty_trash(u64::MAX)?;
    work.say(&Line::Did(Fact::Emptied))?;
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

/// A library and what is done to it.
pub(crate) struct Work {
    store: Store,
    chance: Chance,
    nodes: Vec<NodeId>,
    n_done: u64,
    is_silent: bool,
}

impl Work {
    pub(crate) fn open(folder: &Path, seed: u64) -> Outcome<Self> {
        let store = Store::open(folder, seed)?.store;
        let nodes = all_nodes(&store)?.iter().map(|node| node.id).collect();
        Ok(Self { store, chance: Chance::new(seed), nodes, n_done: seed << 16, is_silent: false })
    }

    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    /// Works in silence.
    pub(crate) fn steps(&mut self, n_steps: usize) -> Outcome<()> {
        self.is_silent = true;
        (0..n_steps).try_for_each(|_| self.step())
    }

    fn step(&mut self) -> Outcome<()> {
        self.n_done += 1;
        let node = self.chance.pick(&self.nodes);
        match (self.chance.below(24), node) {
            (0..=5, _) | (_, None) => self.add(),
            (6..=8, _) => self.import(),
            (9, Some(node)) => {
                let name = format!("name {}", self.n_done);
                self.tell(Fact::Named { node, name: name.clone() }, |store| store.rename_node(node, Some(&name)))
            }
            (10, Some(node)) => {
                let tags = vec![format!("tag {}", self.n_done), "猫".to_owned()];
                self.tell(Fact::Tagged { node, tags: tags.clone() }, |store| store.set_tags(&[node], &tags))
            }
            (11, Some(node)) => {
                let starred = self.chance.below(2) == 0;
                self.tell(Fact::Starred { node, starred }, |store| store.set_starred(&[node], starred))
            }
            (12..=14, Some(node)) => self.tell(Fact::Trashed { node }, |store| store.trash(&[node], 1)),
            (15, Some(node)) => self.tell(Fact::Restored { node }, |store| store.restore(&[node])),
            (16, _) => {
                self.tell(Fact::Emptied, |store| store.empty_trash(u64::MAX))?;
                self.nodes = all_nodes(&self.store)?.iter().map(|node| node.id).collect();
                Ok(())
            }
            (17, Some(node)) => {
                let project = self.store.node(node)?.project;
                let question = format!("question {}", self.n_done);
                let turn = NewTurn { question: question.clone(), images: vec![node], ..NewTurn::default() };
                self.tell(Fact::Said { project, question }, |store| store.add_turn(project, turn, 1))
            }
            (18, _) => {
                let id = JobId::from_u128(self.chance.below(9) as u128);
                let (job, order) = (id.to_string(), self.n_done.cast_signed());
                let stored = StoredJob { id, order, state: "queued".to_owned(), body: json!({ "prompt": "a fox" }) };
                self.tell(Fact::Queued { job, order }, |store| store.put_job(&stored))
            }
            (19, _) => match self.store.jobs()?.first() {
                Some(job) => self.tell(Fact::Unqueued { job: job.id.to_string() }, |store| store.remove_job(job.id)),
                None => Ok(()),
            },
            (20, _) => self.tell(Fact::Other, |store| store.back_up(1)),
            (21, Some(node)) => {
                let path = std::env::temp_dir().join(format!("store-soak-{}.png", std::process::id()));
                self.tell(Fact::Other, |store| store.export(node, ExportFormat::Png, &path))?;
                Ok(std::fs::remove_file(path)?)
            }
            (22, Some(node)) => self.travel(node),
            (_, Some(node)) => self.tell(Fact::Other, |store| store.thumbnail(node)),
        }
    }

    fn add(&mut self) -> Outcome<()> {
        self.n_done += 1;
        let image = image(self.n_done, 24)?;
        let title = format!("prompt {} 一只猫", self.n_done);
        let (project, parent) = match self.chance.pick(&self.nodes) {
            Some(parent) if self.chance.below(3) > 0 => (self.store.node(parent)?.project, Some(parent)),
            _ => (ProjectId::new(), None),
        };
        let new = new_node(project, parent, &title);
        let recipe = recipe(&title, self.n_done, &image);
        let fact = Fact::Added { node: new.id, pixels: image_hash(&image) };
        self.nodes.push(new.id);
        self.tell(fact, |store| store.add_result(&new, &image, Some(&recipe), 1))
    }

    fn import(&mut self) -> Outcome<()> {
        self.n_done += 1;
        // Now and then the same again.
        let image = image(if self.chance.below(4) == 0 { 1 } else { self.n_done }, 24)?;
        let bytes = encode(Path::new("a.png"), &image, Encoding::Png, None)?;
        self.say(&Line::Will(Fact::Other))?;
        let source = Source::Bytes { name: format!("file {}.png", self.n_done), bytes };
        let node = self.store.import(source, None, 1)?.node.id;
        self.nodes.push(node);
        self.say(&Line::Did(Fact::Added { node, pixels: image_hash(&image) }))
    }

    /// Out as a bundle and in again.
    fn travel(&mut self, node: NodeId) -> Outcome<()> {
        let path = std::env::temp_dir().join(format!("store-soak-{}.zip", std::process::id()));
        let project = self.store.node(node)?.project;
        self.say(&Line::Will(Fact::Other))?;
        self.store.bundle(project, &path)?;
        // A project of which all is in the trash has nothing to open.
        if let Ok(opened) = self.store.open_bundle(&path, 1) {
            let nodes: Vec<NodeId> = self.store.project(opened)?.nodes.iter().map(|node| node.id).collect();
            self.nodes.extend(&nodes);
            self.say(&Line::Did(Fact::Opened { nodes }))?;
        }
        Ok(std::fs::remove_file(path)?)
    }

    fn say(&self, line: &Line) -> Outcome<()> {
        if self.is_silent { Ok(()) } else { print(line) }
    }

    fn tell<T>(&self, fact: Fact, act: impl FnOnce(&Store) -> store::Result<T>) -> Outcome<()> {
        self.say(&Line::Will(fact.clone()))?;
        match act(&self.store) {
            Ok(_) => self.say(&Line::Did(fact)),
            Err(error) => self.say(&Line::Failed(fact, error.to_string())),
        }
    }
}
