//! What must be in a library, as far as its user was told.

use std::collections::{BTreeMap, BTreeSet};

use protocol::{GalleryFilter, Node, NodeId, Place, ProjectId};
use serde::{Deserialize, Serialize};
use store::Store;

use crate::Outcome;

/// Something that was done, as the program at work tells it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Fact {
    Added { node: NodeId, pixels: String },
    Named { node: NodeId, name: String },
    Tagged { node: NodeId, tags: Vec<String> },
    Starred { node: NodeId, starred: bool },
    Trashed { node: NodeId },
    Restored { node: NodeId },
    Emptied,
    Said { project: ProjectId, question: String },
    Queued { job: String, order: i64 },
    Unqueued { job: String },
    Opened { nodes: Vec<NodeId> },
    Other,
}

/// A line of the program at work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Line {
    /// It begins.
    Will(Fact),
    /// The library said that it is done.
    Did(Fact),
    /// The library said that it is not, and why; it may be all the same.
    Failed(Fact, String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Known {
    pixels: String,
    name: Option<String>,
    tags: Vec<String>,
    starred: bool,
    is_trashed: bool,
}

/// What must be there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Model {
    nodes: BTreeMap<NodeId, Known>,
    questions: BTreeSet<(ProjectId, String)>,
    jobs: BTreeMap<String, i64>,
    /// Of these it is not known any more what they must be.
    doubted: BTreeSet<NodeId>,
    doubts_jobs: bool,
}

impl Model {
    /// What is there.
    pub(crate) fn read(store: &Store) -> Outcome<Self> {
        Self::read_without(store, &[])
    }

    /// What is there, but for images of which the library itself says that their files are gone.
    pub(crate) fn read_without(store: &Store, gone: &[NodeId]) -> Outcome<Self> {
        let mut model = Self::default();
        for node in all_nodes(store)?.into_iter().filter(|node| !gone.contains(&node.id)) {
            let path = store.path(node.id)?;
            let pixels = imagefile::image_hash(&imagefile::read(&path)?.image);
            model.nodes.insert(
                node.id,
                Known {
                    pixels,
                    name: node.name,
                    tags: node.tags,
                    starred: node.starred,
                    is_trashed: node.trashed_ms.is_some(),
                },
            );
        }
        let mut after = None;
        loop {
            let page = store.projects(after.as_ref(), 500)?;
            for project in page.projects {
                model.questions.extend(store.turns(project.id)?.into_iter().map(|turn| (project.id, turn.question)));
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        model.jobs = store.jobs()?.into_iter().map(|job| (job.id.to_string(), job.order)).collect();
        Ok(model)
    }

    /// Takes in what was acknowledged.
    pub(crate) fn apply(&mut self, fact: &Fact) {
        let mut change = |node: &NodeId, change: &dyn Fn(&mut Known)| {
            if let Some(known) = self.nodes.get_mut(node) {
                change(known);
            }
        };
        match fact {
            Fact::Added { node, pixels } => {
                let known =
                    Known { pixels: pixels.clone(), name: None, tags: Vec::new(), starred: false, is_trashed: false };
                self.nodes.insert(*node, known);
            }
            Fact::Named { node, name } => change(node, &|known| known.name = Some(name.clone())),
            Fact::Tagged { node, tags } => change(node, &|known| known.tags.clone_from(tags)),
            Fact::Starred { node, starred } => change(node, &|known| known.starred = *starred),
            Fact::Trashed { node } => change(node, &|known| known.is_trashed = true),
            Fact::Restored { node } => change(node, &|known| known.is_trashed = false),
            Fact::Emptied => self.nodes.retain(|_, known| !known.is_trashed),
            Fact::Said { project, question } => {
                self.questions.insert((*project, question.clone()));
            }
            Fact::Queued { job, order } => {
                self.jobs.insert(job.clone(), *order);
            }
            Fact::Unqueued { job } => {
                self.jobs.remove(job);
            }
            Fact::Opened { .. } | Fact::Other => {}
        }
    }

    /// The same with an empty queue.
    pub(crate) fn without_jobs(&self) -> Self {
        Self { jobs: BTreeMap::new(), ..self.clone() }
    }

    /// The first image that is not in `found`, whatever it is called there.
    pub(crate) fn images_missing_in(&self, found: &Self) -> Option<String> {
        let is_there = |id: &NodeId, pixels: &String| found.nodes.get(id).is_some_and(|known| known.pixels == *pixels);
        let lost = self.nodes.iter().find(|(id, known)| !is_there(id, &known.pixels));
        lost.map(|(id, _)| format!("image {id} is gone"))
    }

    /// Takes in what was begun and has failed: it may have happened or not.
    pub(crate) fn doubt(&mut self, fact: &Fact) {
        match fact {
            Fact::Added { node, .. }
            | Fact::Named { node, .. }
            | Fact::Tagged { node, .. }
            | Fact::Starred { node, .. }
            | Fact::Trashed { node }
            | Fact::Restored { node } => {
                self.doubted.insert(*node);
            }
            Fact::Emptied => {
                self.doubted.extend(self.nodes.iter().filter(|(_, known)| known.is_trashed).map(|(id, _)| *id));
            }
            Fact::Queued { .. } | Fact::Unqueued { .. } => self.doubts_jobs = true,
            Fact::Said { .. } | Fact::Opened { .. } | Fact::Other => {}
        }
    }

    /// The first thing that was acknowledged and is not in `found`; `open` had begun and may have happened or not.
    pub(crate) fn missing_in(&self, found: &Self, open: Option<&Fact>) -> Option<String> {
        let mut after = self.clone();
        if let Some(open) = open {
            after.apply(open);
        }
        for (id, before) in self.nodes.iter().filter(|(id, _)| !self.doubted.contains(id)) {
            let is = found.nodes.get(id);
            let may_be = after.nodes.get(id);
            if is != Some(before) && is != may_be {
                return Some(format!("image {id} was {before:?} and is {is:?}"));
            }
        }
        if let Some(question) = self.questions.difference(&found.questions).next() {
            return Some(format!("the question {question:?} is gone"));
        }
        if !self.doubts_jobs && self.jobs != found.jobs && after.jobs != found.jobs {
            return Some(format!("the queue was {:?} and is {:?}", self.jobs, found.jobs));
        }
        None
    }
}

/// The lines of a program that may have ended in the middle of one.
pub(crate) fn lines(output: &[u8]) -> Outcome<Vec<Line>> {
    let whole = output.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
    let lines = output.get(..whole).unwrap_or_default().split(|byte| *byte == b'\n');
    lines.filter(|line| !line.is_empty()).map(|line| Ok(serde_json::from_slice(line)?)).collect()
}

/// Every image, those in the trash among them.
pub(crate) fn all_nodes(store: &Store) -> Outcome<Vec<Node>> {
    let mut nodes = Vec::new();
    for place in [Place::Library, Place::Trash] {
        let filter = GalleryFilter { place, ..GalleryFilter::default() };
        let mut after = None;
        loop {
            let page = store.gallery(&filter, after.as_ref(), 500)?;
            nodes.extend(page.nodes);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
    }
    Ok(nodes)
}
